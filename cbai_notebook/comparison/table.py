"""How the table of a comparison shows itself. This module imports pandas."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import pandas

from cbai_notebook.text import one_line, plain

LONGEST_TEXT = 400
"""The most characters of an answer that are shown; the table itself has all of them."""

_LEFT_OUT_IF_EMPTY = frozenset({
    "temperature", "reasoning", "finish_reason", "first_token_s", "duration_s", "prompt_tokens",
    "completion_tokens", "error",
})  # fmt: skip


class ComparisonTable(pandas.DataFrame):
    """A DataFrame whose answers can be read where a notebook shows it.

    pandas cuts a text at 50 characters, and columns without any value take its room. What is shown
    leaves these columns out; the table has them.
    """

    @property
    def _constructor(self) -> Callable[..., pandas.DataFrame]:
        return ComparisonTable  # what is selected from it shows itself in the same way

    def _repr_html_(self) -> str | None:
        if not (pandas.get_option("display.notebook_repr_html") and self._has_answers()):
            html: str | None = pandas.DataFrame(self)._repr_html_()
            return html
        filled = [
            name
            for name in self.columns
            if name not in _LEFT_OUT_IF_EMPTY or self[name].notna().any()
        ]
        shown = pandas.DataFrame({escape(name): _cells(self[name]) for name in filled})
        with pandas.option_context("display.max_colwidth", None):
            most = pandas.get_option("display.max_rows")
            table = shown.to_html(escape=False, border=0, max_rows=most, na_rep="")
        # Jupyter would give any formula of an answer to MathJax, one with a link too.
        return f'<div class="mathjax_ignore tex2jax_ignore">{table}</div>'

    def _has_answers(self) -> bool:
        """Return whether it has the answers by their numbers, so that only cells have to be escaped."""
        return bool(
            self.columns.is_unique
            and "text" in self.columns
            and all(isinstance(name, str) for name in self.columns)
            and self.index.name == "answer"
            and pandas.api.types.is_integer_dtype(self.index)
        )


def _cells(column: pandas.Series[Any]) -> pandas.Series[Any]:
    """Return a column with its words as safe HTML; numbers stay."""
    if pandas.api.types.is_numeric_dtype(column):
        return column
    width = "min-width:24em;" if column.name == "text" else ""
    style = f"{width}text-align:left;white-space:normal"

    def cell(value: Any) -> str:
        try:
            words = "" if pandas.isna(value) is True else str(value)
        except (TypeError, ValueError):
            words = str(value)
        return f'<div style="{style}">{escape(plain(one_line(words, LONGEST_TEXT)))}</div>'

    return column.map(cell).astype(object)
