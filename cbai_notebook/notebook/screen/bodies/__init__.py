"""The forms in which an answer can be shown: Markdown, plain text, code and JSON.

A body takes the answer's text as it comes, gives off parts that can no longer change, and shows the
open tail behind them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cbai_notebook.notebook.screen.bodies.base import Body, Ending, Part
from cbai_notebook.notebook.screen.bodies.code import CodeBody
from cbai_notebook.notebook.screen.bodies.json import JsonBody
from cbai_notebook.notebook.screen.bodies.markdown import MarkdownBody
from cbai_notebook.notebook.screen.bodies.text import TextBody

__all__ = ["FORMATS", "Body", "Ending", "Part", "body_of"]

_BODIES: dict[str, Callable[[int], Body]] = {
    "markdown": MarkdownBody,
    "text": TextBody,
    "code": CodeBody,
    "json": lambda max_outputs: JsonBody(),
}

FORMATS = tuple(_BODIES)


def body_of(format: str, max_outputs: int) -> Callable[[], Body]:
    """Return what makes an empty body.

    Args:
        format: One of :data:`FORMATS`.
        max_outputs: How many outputs its parts may have.
    """
    return partial(_BODIES[format], max_outputs)
