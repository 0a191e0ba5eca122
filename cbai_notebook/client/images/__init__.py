"""Pictures: into a message, and out of a model that draws."""
