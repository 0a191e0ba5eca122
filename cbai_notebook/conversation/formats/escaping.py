"""Escape text for the export formats, so that it stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from cbai_notebook.conversation.turn import Turn

# Characters that JSON allows but other readers do not: line ends for JavaScript, `splitlines` and
# editors, controls, characters that change the reading direction, the byte order mark, and lone
# surrogates, which have no UTF-8 form.
_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON that can also be read line by line and as JavaScript.

    Args:
        value: Plain values. A time becomes ISO 8601; a type that JSON does not have becomes text.
        indent: Spaces for each level; one line by default.

    Raises:
        UsageError: The value has no JSON form: it holds NaN or infinity, or itself, or is too deep.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise UsageError(say("export.no_json_form", reason=str(error))) from error
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def json_in_html(value: Any) -> str:
    """Return JSON for a ``<script type="application/json">``; no text in it can end the element."""
    return re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", json_text(value, indent=2))


def javascript(value: Any) -> str:
    """Return plain values as a JavaScript literal."""
    # Every JSON value is a JavaScript literal, with one exception: the key __proto__ would set the
    # object's prototype. The quote that opens a string never follows a backslash, so text inside a
    # string is not changed.
    return re.sub(r'(?<!\\)"__proto__":', '["__proto__"]:', json_text(value, indent=2))


def fill(template: str, **values: str) -> str:
    """Fill in each ``@NAME@`` of a template in one pass: an ``@NAME@`` in a value is kept."""
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], template)


def in_markdown(text: str) -> str:
    """Return the text on one line with every special character of Markdown escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", one_line(text))


def file_stem(name: str) -> str:
    """Return a file name without suffix for a conversation's name."""
    # A file name may have 255 bytes, and a character has up to 4.
    stem = name.removesuffix(".ipynb")
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:50] or "conversation"


def answerer(turn: Turn) -> str:
    """Return the name of the model that answered, as a heading for readers."""
    return one_line(turn.model or turn.provider or "") or say("export.assistant")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)
