"""Structured answers: JSON Schema, validation, and partial objects while they stream."""
