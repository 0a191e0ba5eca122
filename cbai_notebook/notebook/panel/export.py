"""A conversation as a file to take away."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from cbai_notebook.conversation import Conversation
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.panel.transcript import markdown


def export(conversation: Conversation, form: str) -> dict[str, str]:
    """Return a conversation as ``name``, ``mime`` and ``text`` of a file.

    Args:
        conversation: The conversation.
        form: ``"markdown"`` or ``"jsonl"``, one message a line.

    Raises:
        UsageError: There is no such form.
    """
    stem = re.sub(r"[^\w.-]+", "-", conversation.name).strip("-.") or "conversation"
    if form == "markdown":
        return {"name": f"{stem}.md", "mime": "text/markdown", "text": markdown(conversation)}
    if form == "jsonl":
        text = "".join(
            json.dumps(message, ensure_ascii=False, default=_plain) + "\n"
            for message in conversation
        )
        return {"name": f"{stem}.jsonl", "mime": "application/jsonl", "text": text}
    raise UsageError(f"A conversation cannot be exported as {form!r}; use markdown or jsonl.")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
