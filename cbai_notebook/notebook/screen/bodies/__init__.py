"""The formats in which an answer can be shown: Markdown, plain text, code and JSON.

A body receives the text of an answer as it streams, seals parts that can no longer change, and
renders the open tail after them.
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
    """Return a function that makes an empty body.

    Args:
        format: One of :data:`FORMATS`.
        max_outputs: The maximum number of outputs for its parts.
    """
    return partial(_BODIES[format], max_outputs)
