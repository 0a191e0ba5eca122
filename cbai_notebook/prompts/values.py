"""Values as they go into a prompt."""

from __future__ import annotations

import json
from typing import Any

from cbai_notebook.prompts.tables import DEFAULT_ROWS, is_table, markdown_table


def as_text(value: Any, table_rows: int = DEFAULT_ROWS) -> str:
    """Return a value the way it goes into a prompt.

    Text goes as it is; a DataFrame or Series as a Markdown table; a dict or list as JSON where it can
    be; an answer of ours as its text; all else as ``str`` gives it.

    Args:
        value: Any object.
        table_rows: Rows of a table to keep.
    """
    if is_table(value):
        return markdown_table(value, table_rows)
    if isinstance(value, (dict, list)):
        try:
            return json.dumps(value, ensure_ascii=False, default=_json_value)
        except (TypeError, ValueError, RecursionError):
            return str(value)
    if type(value).__module__ == "cbai_notebook.client.answer" and hasattr(value, "text"):
        return str(value.text)
    return str(value)


def _json_value(value: Any) -> Any:
    """Return what JSON has for a value inside a dict or list."""
    if type(value).__module__.partition(".")[0] == "numpy":
        return value.tolist()
    return str(value)
