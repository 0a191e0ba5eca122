"""Count the open brackets of JSON text that arrives in pieces. Each piece costs time once."""

from __future__ import annotations

import re

_BRACKET_OR_STRING = re.compile(r'[\\"{}\[\]]')


class JsonBrackets:
    """The brackets that are open at the end of the text so far; those in strings do not count.

    Args:
        depth: The number of brackets that are open before the text.
        in_string: Whether the text begins inside a string.

    Attributes:
        closed: Whether a bracket was closed.
    """

    def __init__(self, depth: int = 0, *, in_string: bool = False) -> None:
        self.depth = depth
        self.closed = False
        self._in_string = in_string
        self._escaped = False

    def add(self, piece: str) -> None:
        """Read the next piece of the text; it may end anywhere."""
        skip = 0 if self._escaped and piece else -1
        self._escaped = self._escaped and not piece
        for found in _BRACKET_OR_STRING.finditer(piece):
            at = found.start()
            if at == skip:
                continue
            character = found.group()
            if self._in_string:
                if character == "\\":
                    skip = at + 1
                    self._escaped = skip == len(piece)
                elif character == '"':
                    self._in_string = False
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self.depth += 1
            elif character in "}]":
                self.depth -= 1
                self.closed = True
