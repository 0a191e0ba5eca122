"""Compare variants on the same cases: intervals, tests, verdicts in words, a plot. No IPython."""

from cbai_notebook.conversation.frames.to_frame import import_optional

# Checked once, so that the modules of this folder import both as usual.
import_optional("evaluation", "numpy", "scipy")
