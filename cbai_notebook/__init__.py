"""Ask a language model from a notebook: ``%load_ext cbai_notebook``, then ``%%cbai``."""

__version__ = "0.1.0"
