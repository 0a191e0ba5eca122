"""What a screen paints on: an ordered list of output slots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Bundle = dict[str, str]
"""One output in several forms: MIME type to text."""


class Surface(Protocol):
    """An ordered list of outputs, each of which can be painted again.

    Attributes:
        repaints_all: Whether every paint sends all outputs again, so that its price is the length
            of the whole answer and not of the part that changed.
        can_replace: Whether :meth:`replace` may be called.
        most_outputs: How many outputs the sealed parts of an answer may have.
    """

    repaints_all: bool
    can_replace: bool
    most_outputs: int

    def __len__(self) -> int:
        """Return the number of outputs."""

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""

    def close(self) -> None:
        """Settle what was painted; nothing is painted after this."""
