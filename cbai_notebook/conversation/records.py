"""Lists of message records: `Records`, displayed as a table, and `Messages`: ``chat.messages``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Literal, NoReturn, SupportsIndex, overload

from cbai_notebook.conversation.frames.to_frame import to_native, to_pandas
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

SHOWN_ROWS = 20
"""The most rows of a displayed table: the last ones, where the conversation continues."""

_SHOWN = ("turn", "role", "content", "model", "status", "total_tokens")
_NUMBERS = ("turn", "total_tokens")
_CHARS = {"html": 200, "text": 60}


class Records(list[dict[str, Any]]):
    """A list of messages as flat dicts, all with the same keys.

    A notebook displays it as a table. A slice is a `Records` too.
    """

    def to_pandas(self) -> pd.DataFrame:
        """Return the records as a pandas DataFrame with proper types; see :func:`.to_pandas`.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return to_pandas(self)

    def to_polars(self) -> pl.DataFrame:
        """Return the records as a polars DataFrame; see :func:`.to_native`.

        Raises:
            MissingDependencyError: narwhals or polars is not installed.
        """
        frame: pl.DataFrame = to_native(self, "polars")
        return frame

    def to_arrow(self) -> pa.Table:
        """Return the records as a pyarrow Table; see :func:`.to_native`.

        Raises:
            MissingDependencyError: narwhals or pyarrow is not installed.
        """
        table: pa.Table = to_native(self, "pyarrow")
        return table

    @overload
    def __getitem__(self, index: SupportsIndex) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> Records: ...

    def __getitem__(self, index: SupportsIndex | slice) -> dict[str, Any] | Records:
        if isinstance(index, slice):
            return Records(super().__getitem__(index))
        return super().__getitem__(index)

    def __repr__(self) -> str:
        if not self:
            return f"<{say('history.no_messages')}>"
        rows = [f"{row['role']:>9}  {row['content']}" for row in self._cells("text")]
        return "\n".join([f"<{self._count()}>", *rows])

    def _repr_html_(self) -> str:
        def line(tag: str, cells: Mapping[str, str]) -> str:
            # Jupyter aligns every cell to the right, which only suits numbers.
            sides = {name: "right" if name in _NUMBERS else "left" for name in cells}
            each = (
                f'<{tag} style="text-align:{sides[name]}">{escape(cell)}</{tag}>'
                for name, cell in cells.items()
            )
            return f"<tr>{''.join(each)}</tr>"

        body = [line("td", row) for row in self._cells("html")]
        head = line("th", dict(zip(_SHOWN, _SHOWN, strict=True)))
        return (
            '<div class="cbai-records mathjax_ignore tex2jax_ignore">'
            f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>"
            f"<p>{self._count()}</p></div>"
        )

    def _count(self) -> str:
        if len(self) > SHOWN_ROWS:
            return say("history.last_messages", n=len(self), shown=SHOWN_ROWS)
        return say("history.messages", n=len(self))

    def _cells(self, form: Literal["html", "text"]) -> Iterator[dict[str, str]]:
        for record in list.__getitem__(self, slice(-SHOWN_ROWS, None)):
            values = {name: record.get(name) for name in _SHOWN}
            yield {
                name: "" if value is None else one_line(str(value), _CHARS[form])
                for name, value in values.items()
            }


class Messages(Records):
    """A snapshot of a conversation's messages as flat dicts.

    ``append`` and ``extend`` also add to the conversation. Other changes are refused, because the
    list would no longer match the conversation; change a :meth:`copy` instead.

    Args:
        records: The messages.
        add: Adds messages to the conversation and returns all its messages.
    """

    def __init__(
        self,
        records: Iterable[dict[str, Any]],
        add: Callable[[list[Mapping[str, Any]]], list[dict[str, Any]]],
    ) -> None:
        super().__init__(records)
        self._add = add

    def append(self, message: Mapping[str, Any]) -> None:
        """Add a message to the conversation.

        Args:
            message: A dict with ``role`` and ``content``. A user's message waits for its answer; an
                assistant's message answers the user's message before it.

        Raises:
            UsageError: The message cannot follow the last one; nothing was added.
        """
        self.extend([message])

    def extend(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Add messages to the conversation, all or none.

        Raises:
            UsageError: A message cannot follow the one before it; the error says which.
        """
        super().__init__(self._add(list(messages)))

    def __iadd__(self, messages: Iterable[Mapping[str, Any]]) -> Messages:  # type: ignore[misc,override]
        self.extend(messages)
        return self

    def copy(self) -> Records:
        """Return a copy that can be changed freely."""
        return Records(self)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise UsageError(say("history.only_to_be_added_to"))

    insert = pop = remove = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __imul__ = _refuse

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return Records, (list(self),)
