"""Answers in marimo: as the value of a cell, and while they stream below it."""

from __future__ import annotations

import sys

from cbai_notebook.notebook.screen.surfaces import RepaintedSurface
from cbai_notebook.session import note_marimo


def register() -> None:
    """Let answers show themselves as rendered Markdown in marimo; a second call changes nothing.

    Called when a cell imports the package.
    """
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.notebook.answer_display import answer_html

    Answer.html_formatter = answer_html
    if is_marimo():
        note_marimo()


def is_marimo() -> bool:
    """Return whether the running code is a cell of a marimo notebook."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


class MarimoSurface(RepaintedSurface):
    """The output of the running cell of marimo."""

    def close(self) -> None:
        """Do nothing: the output is already in its final state."""

    def _show(self, *, is_final: bool) -> None:
        import marimo

        html = "".join(bundle.get("text/html", "") for bundle in self._bundles)
        marimo.output.replace(marimo.Html(html))
