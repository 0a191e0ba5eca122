"""Turns with their alternatives: a tree of which one path is on show.

Asking a prompt anew, or in other words, makes an alternative beside the first turn. The path runs from
the first turn through the chosen alternative at each place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cbai_notebook.conversation.turn import Turn


@dataclass(eq=False)
class _Place:
    """Where alternatives stand: the turns that could follow `before`, and the one that does."""

    before: Turn | None
    turns: list[Turn] = field(default_factory=list)
    chosen: int = 0


class TurnTree:
    """Turns by place. Nothing here is safe to use from several threads at once."""

    def __init__(self) -> None:
        self._after: dict[Turn | None, _Place] = {}
        self._home: dict[Turn, _Place] = {}

    def __contains__(self, turn: Turn) -> bool:
        return turn in self._home

    def path(self, before: Turn | None = None) -> Iterator[Turn]:
        """Yield the turns of the chosen path, up to but without `before`."""
        place = self._after.get(None)
        while place and (turn := place.turns[place.chosen]) is not before:
            yield turn
            place = self._after.get(turn)

    def append(self, turn: Turn) -> None:
        """Put a turn at the end of the path."""
        *_, last = (None, *self.path())
        self._join(self._after.setdefault(last, _Place(last)), turn)

    def add_beside(self, turn: Turn, other: Turn) -> None:
        """Put a turn beside another one, and choose it."""
        self._join(self._home[other], turn)

    def replace(self, old: Turn, new: Turn) -> None:
        """Put a turn in the place of another one, which is forgotten, and choose it."""
        place = self._home.pop(old)
        place.chosen = place.turns.index(old)
        place.turns[place.chosen] = new
        self._home[new] = place
        if following := self._after.pop(old, None):
            following.before = new
            self._after[new] = following

    def beside(self, turn: Turn) -> tuple[Turn, ...]:
        """Return the alternatives at the place of a turn, itself included, oldest first."""
        place = self._home.get(turn)
        return tuple(place.turns) if place else (turn,)

    def choose(self, turn: Turn) -> None:
        """Put a turn, and what last followed it, on the path."""
        place = self._home[turn]
        place.chosen = place.turns.index(turn)

    def remove(self, turn: Turn) -> None:
        """Forget a turn.

        What follows a lone turn moves up. An alternative goes with what follows it, and the
        alternative before it is chosen.
        """
        place = self._home[turn]
        index = place.turns.index(turn)
        if len(place.turns) > 1:
            self._forget(turn)
            del place.turns[index]
            if index <= place.chosen:
                place.chosen = max(0, place.chosen - 1)
            return
        del self._home[turn], self._after[place.before]
        if following := self._after.pop(turn, None):
            following.before = place.before
            self._after[place.before] = following

    def clear(self) -> None:
        """Forget every turn."""
        self._after.clear()
        self._home.clear()

    def _join(self, place: _Place, turn: Turn) -> None:
        place.turns.append(turn)
        place.chosen = len(place.turns) - 1
        self._home[turn] = place

    def _forget(self, turn: Turn) -> None:
        forgotten = [turn]
        while forgotten:
            gone = forgotten.pop()
            del self._home[gone]
            if following := self._after.pop(gone, None):
                forgotten += following.turns
