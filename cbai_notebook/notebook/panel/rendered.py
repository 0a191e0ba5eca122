"""Whole answers as safe HTML, kept for the panel and the transcript, which show the same ones."""

from __future__ import annotations

from functools import lru_cache

from cbai_notebook.notebook.screen.reasoning import Reasoning

KEPT = 512
"""Answers that are kept rendered."""


@lru_cache(maxsize=KEPT)
def rendered(text: str) -> str:
    """Return an answer's Markdown as safe HTML."""
    from cbai_notebook.notebook.markdown import render

    return render(text) if text else ""


def folded(reasoning: str) -> str:
    """Return a model's reasoning, folded away."""
    if not reasoning:
        return ""
    fold = Reasoning()
    fold.add(reasoning, 0.0)
    fold.end(0.0)
    return fold.closed_html()
