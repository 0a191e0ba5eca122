"""CloudBase agents (bots): send messages to an agent, read its records, send feedback."""
