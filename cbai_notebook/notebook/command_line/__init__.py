"""The line behind `%cbai` and `%%cbai`: its options and commands, read for running and for Tab."""
