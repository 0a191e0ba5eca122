"""CloudBase's agents (bots): talking to one, and what it keeps about its talks."""
