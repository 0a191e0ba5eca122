"""The README and the manual in ``docs/``: complete, in step in both languages, and built."""
