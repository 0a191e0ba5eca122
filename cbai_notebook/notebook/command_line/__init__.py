"""The line behind `%cbai` and `%%cbai`: options, commands and prompts, parsed and completed."""
