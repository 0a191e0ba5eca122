"""The grid of a comparison: its answers side by side while they come, and in the saved notebook."""
