"""Answers in marimo: as the value of a cell, and while they stream below it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from cbai_notebook.notebook.screen.surfaces import Bundle


def register() -> None:
    """Let answers show themselves as rendered Markdown in marimo; a second call changes nothing."""
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.notebook.answer_display import answer_html

    Answer.html_formatter = answer_html


def is_marimo() -> bool:
    """Return whether the running code is a cell of a marimo notebook."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


class MarimoSurface:
    """The output of the running cell of marimo. Every paint sends all of it."""

    live = True
    repaints_all = True
    can_replace = True
    max_outputs = 40

    def __init__(self) -> None:
        self._bundles: list[Bundle] = []

    def __len__(self) -> int:
        return len(self._bundles)

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""
        for slot, bundle in slots.items():
            self._bundles[slot : slot + 1] = [bundle]
        self._show()

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""
        self._bundles = [bundle]
        self._show()

    def close(self) -> None:
        """Do nothing: the output is already in its final state."""

    def _show(self) -> None:
        import marimo

        html = "".join(bundle.get("text/html", "") for bundle in self._bundles)
        marimo.output.replace(marimo.Html(html))
