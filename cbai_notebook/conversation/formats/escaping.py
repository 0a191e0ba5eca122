"""What every form needs to write text that stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cbai_notebook.errors import UsageError
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from cbai_notebook.conversation.turn import Turn

# What JSON allows and others do not: line ends to JavaScript, to `splitlines` and to editors, signs
# that reorder the line they stand in, the byte order mark, and halves of a pair, which have no UTF-8.
_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON that is also safe to read line by line and as JavaScript.

    Args:
        value: Plain values; a time becomes ISO 8601, and what JSON does not know its text.
        indent: Spaces for each level; one line by default.

    Raises:
        UsageError: A number in it has no JSON form.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"A parameter of this conversation has no JSON form: {error}. Ask with plain numbers, "
            "strings, lists and dicts."
        ) from error
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def json_in_html(value: Any) -> str:
    """Return JSON for a ``<script type="application/json">``, which nothing in it can end."""
    return re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", json_text(value, indent=2))


def javascript(value: Any) -> str:
    """Return plain values as a JavaScript literal."""
    # JSON is JavaScript but for one name: this one would set the object's prototype. A quote that
    # opens a string never follows a backslash, so no text inside a string is touched.
    return re.sub(r'(?<!\\)"__proto__":', '["__proto__"]:', json_text(value, indent=2))


def fill(template: str, **values: str) -> str:
    """Return a template of ours with each ``@NAME@`` filled in once, so that no value is one again."""
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], template)


def in_markdown(text: str) -> str:
    """Return text on one line in which no sign means anything to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", one_line(text))


def file_stem(name: str) -> str:
    """Return a conversation's name as the beginning of a file's name."""
    # A file's name may have 255 bytes, a sign up to 4.
    stem = name.removesuffix(".ipynb")
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:50] or "conversation"


def model_label(turn: Turn) -> str:
    """Return who was asked, as a reader would call it."""
    return one_line(turn.model or turn.provider or "") or "Assistant"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)
