"""Show an answer: under a cell, in an Output widget, or in a terminal."""

from cbai_notebook.notebook.screen.bodies import FORMATS
from cbai_notebook.notebook.screen.calls import calls_html, calls_plain
from cbai_notebook.notebook.screen.footer import Facts, Status
from cbai_notebook.notebook.screen.notice import Notice
from cbai_notebook.notebook.screen.screen import Screen
from cbai_notebook.notebook.screen.surfaces import (
    Bundle,
    BundleSurface,
    CellSurface,
    OutputSurface,
    Surface,
)
from cbai_notebook.notebook.screen.terminal import TerminalSurface

__all__ = [
    "FORMATS",
    "Bundle",
    "BundleSurface",
    "CellSurface",
    "Facts",
    "Notice",
    "OutputSurface",
    "Screen",
    "Status",
    "Surface",
    "TerminalSurface",
    "calls_html",
    "calls_plain",
]
