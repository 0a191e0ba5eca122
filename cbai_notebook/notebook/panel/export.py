"""A conversation as a file to take away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cbai_notebook.conversation import Conversation
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.panel.transcript import markdown


@dataclass(frozen=True)
class Form:
    """A form of a file: how it is called in code and in a menu, and how it is made."""

    name: str
    label: str
    suffix: str
    mime: str
    make: Callable[[Conversation], str]


@dataclass(frozen=True)
class Export:
    """A file for the browser."""

    download_name: str
    mime: str
    data: bytes


def _json_lines(conversation: Conversation) -> str:
    return "".join(
        json.dumps(message, ensure_ascii=False, default=_plain) + "\n" for message in conversation
    )


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


FORMS = (
    Form("markdown", "Markdown", ".md", "text/markdown", markdown),
    Form("jsonl", "JSON Lines", ".jsonl", "application/jsonl", _json_lines),
)
"""Every form, in the order of the menu."""


def export(conversation: Conversation, form: str) -> Export:
    """Return a conversation as a file.

    Args:
        conversation: The conversation.
        form: The name of one of :data:`FORMS`.

    Raises:
        UsageError: There is no such form.
    """
    for one in FORMS:
        if one.name == form:
            stem = re.sub(r"[^\w.-]+", "-", conversation.name).strip("-.") or "conversation"
            return Export(stem + one.suffix, one.mime, one.make(conversation).encode())
    names = " or ".join(one.name for one in FORMS)
    raise UsageError(f"A conversation cannot be exported as {form!r}; use {names}.")
