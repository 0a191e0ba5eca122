"""The demo model: a scripted model in this process, for demos, tests and documentation."""
