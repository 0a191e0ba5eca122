"""Convert values to text for a prompt."""

from __future__ import annotations

import json
from typing import Any

from cbai_notebook.prompts.numbers import ALL_DIGITS, number_text


def as_text(value: Any) -> str:
    """Return the text of a value for a prompt; a DataFrame or Series is left to :mod:`.tables`.

    Text is unchanged; a dict or list becomes JSON if possible; the answer of a model or an agent
    becomes its text; anything else becomes ``str(value)``.
    """
    if isinstance(value, (dict, list)):
        try:
            return json.dumps(value, ensure_ascii=False, default=_json_value)
        except (TypeError, ValueError, RecursionError):
            return str(value)
    return str(value)


def cell_text(value: Any) -> str:
    """Return the text of a single value of a column: :func:`as_text`, but a whole float is an integer.

    A column with gaps has floats for integers in pandas, so 5.0 is most likely a 5. Nothing is
    rounded.
    """
    if issubclass(type(value), float):
        return number_text(value, ALL_DIGITS)
    return as_text(value)


def _json_value(value: Any) -> Any:
    """Return a value that JSON can encode, for one inside a dict or list that it cannot."""
    if type(value).__module__.partition(".")[0] == "numpy":
        return value.tolist()
    return str(value)
