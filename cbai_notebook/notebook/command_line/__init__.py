"""The line after `%cbai` and `%%cbai`: options, commands and prompts, parsed and completed."""
