"""How Sphinx builds the manual: ``python -m sphinx -W docs site``; it needs no network."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]

from cbai_notebook import __version__  # noqa: E402 - after the path is set

project = "cbai-notebook"
author = "The cbai-notebook authors"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "bilingual",
    "repository_pages",
]

html_theme = "furo"
html_title = f"{project} {release}"
html_show_copyright = False
html_copy_source = False

myst_heading_anchors = 3
highlight_language = "text"

# The signature shows the types as they stand in the code.
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True
add_module_names = False

# A name in single backquotes leads to its place where it has one.
default_role = "py:obj"

# Every reference of ours must lead somewhere; those to other packages and to private names cannot.
nitpicky = True
nitpick_ignore_regex = [
    ("py:mod", ".*"),
    ("py:.*", r"(?!cbai_notebook\.([A-Z]\w+(\.\w+)?|[a-z]\w+|check\.\w+)$).*"),
]
