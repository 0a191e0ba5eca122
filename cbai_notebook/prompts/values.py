"""Convert values to text for a prompt."""

from __future__ import annotations

import json
from typing import Any

from cbai_notebook.prompts.tables import DEFAULT_ROWS, is_table, markdown_table


def as_text(value: Any, table_rows: int = DEFAULT_ROWS) -> str:
    """Return the text of a value for a prompt.

    Text is unchanged; a DataFrame or Series becomes a Markdown table; a dict or list becomes JSON
    if possible; anything else becomes ``str(value)``, which is the text of an answer.

    Args:
        value: Any object.
        table_rows: The most rows of a table.
    """
    if is_table(value):
        return markdown_table(value, table_rows)
    if isinstance(value, (dict, list)):
        try:
            return json.dumps(value, ensure_ascii=False, default=_json_value)
        except (TypeError, ValueError, RecursionError):
            return str(value)
    return str(value)


def _json_value(value: Any) -> Any:
    """Return a value that JSON can encode, for one inside a dict or list that it cannot."""
    if type(value).__module__.partition(".")[0] == "numpy":
        return value.tolist()
    return str(value)
