"""Transformers of IPython for the lines ``%cbai …`` and ``x = %cbai …`` of a cell."""

from __future__ import annotations

import tokenize

from IPython.core.inputtransformer2 import (
    EscapedCommand,
    HelpEnd,
    MagicAssign,
    TokenTransformBase,
    TransformerManager,
)

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.frontend import fail

_INDENTATION = (tokenize.INDENT, tokenize.DEDENT)
_NAME = "%cbai"


class CbaiLine(EscapedCommand):
    """Transforms each line that begins with ``%cbai`` and a blank, before IPython's help does."""

    # When several transformers match at one place, IPython takes the one with the smallest number.
    priority = HelpEnd.priority - 1

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> CbaiLine | None:
        """Return the first such line of a cell; text inside a string token is not a line.

        Args:
            tokens_by_line: The tokens of the cell, a list for each logical line.
        """
        for line in tokens_by_line:
            first = next((token for token in line[:5] if token.type not in _INDENTATION), None)
            if first and _is_name(first.line, first.start[1]):
                return cls(first.start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return the lines of the cell with a call of the magic in place of this line.

        Args:
            lines: The lines of the cell with their ends.
        """
        lines = _with_space(lines, self.start_line, self.start_col)
        transformed: list[str] = super().transform(lines)  # type: ignore[no-untyped-call]
        return transformed


class CbaiAssignment(TokenTransformBase):
    """Transforms each ``x = %cbai …``, before IPython's help does.

    Args:
        statement: The line, from 1, and the column where the assignment begins: help begins there too.
        magic: The line, from 1, and the column of ``%cbai``.
    """

    priority = HelpEnd.priority - 1

    def __init__(self, statement: tuple[int, int], magic: tuple[int, int]) -> None:
        super().__init__(statement)  # type: ignore[no-untyped-call]
        self._magic = magic

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> CbaiAssignment | None:
        """Return the first such assignment of a cell.

        Args:
            tokens_by_line: The tokens of the cell, a list for each logical line.
        """
        for line in tokens_by_line:
            found = MagicAssign.find([line])  # type: ignore[no-untyped-call]
            if found is None:
                continue
            magic = found.start_line + 1, found.start_col
            percent = next(token for token in line if token.start == magic)
            if _is_name(percent.line, found.start_col):
                first = next(token for token in line if token.type not in _INDENTATION)
                return cls(first.start, magic)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return the lines of the cell with a call of the magic in the assignment.

        Args:
            lines: The lines of the cell with their ends.
        """
        line, column = self._magic
        lines = _with_space(lines, line - 1, column)
        transformed: list[str] = MagicAssign(self._magic).transform(lines)  # type: ignore[no-untyped-call]
        return transformed


_KINDS: tuple[type[CbaiLine | CbaiAssignment], ...] = (CbaiLine, CbaiAssignment)


def first_line(tokens_by_line: list[list[tokenize.TokenInfo]]) -> TokenTransformBase | None:
    """Return the transformation of the first of these lines of a cell, of either kind.

    Args:
        tokens_by_line: The tokens of the cell, a list for each logical line.
    """
    found = (kind.find(tokens_by_line) for kind in _KINDS)
    return min(filter(None, found), key=TokenTransformBase.sortby, default=None)


def check_unchanged(code: str, ran: str | None) -> None:
    """Check that IPython has not changed the prompts of a cell, which it read without these transformers.

    Args:
        code: The cell as it is written.
        ran: What IPython runs for it; older versions of IPython do not tell.

    Raises:
        UsageError: It has changed one.
    """
    right = _transformed(code, *_KINDS)
    # After `%reload_ext` the cell that runs may be right.
    if ran == right or _transformed(code) == right:
        return
    error = UsageError(say("cell.loaded_too_late", command="%load_ext"))
    fail(error, f"UsageError: {error}")


def _is_name(line: str, column: int) -> bool:
    """Return whether ``%cbai`` and a blank stand in a line at a column."""
    blank = line[column + len(_NAME) :][:1]
    return line.startswith(_NAME, column) and blank.isspace() and blank != "\n"


def _with_space(lines: list[str], number: int, column: int) -> list[str]:
    """Return the lines of a cell with a space behind the ``%cbai`` at this place.

    For IPython only a space ends the name of a magic, not a tab or the wide space of Chinese.
    """
    blank = column + len(_NAME)
    line = f"{lines[number][:blank]} {lines[number][blank + 1 :]}"
    return [*lines[:number], line, *lines[number + 1 :]]


def _transformed(code: str, *more: type[CbaiLine | CbaiAssignment]) -> str:
    """Return what IPython runs for a cell, with its own transformers and more."""
    manager = TransformerManager()  # type: ignore[no-untyped-call]
    manager.token_transformers += more
    return manager.transform_cell(code)
