"""Answers that are objects: their schema, their check, and how they look while they arrive."""
