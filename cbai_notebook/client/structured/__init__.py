"""Structured answers: their JSON Schema, their validation, and partial objects while they stream."""
