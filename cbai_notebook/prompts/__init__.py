"""Prompts with values of the user's in them: `{name}`, tables, hints. No IPython and no network."""
