"""Fill in the user's variables in prompts: `{name}`, tables, hints. No IPython, no network."""
