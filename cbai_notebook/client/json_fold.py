"""Fold the pieces of a JSON object that arrive over time into one object, with every field.

A field of text, by its name, is joined; lists are extended, and their items with the same ``index`` are
folded; objects are folded; of everything else the last value that is not empty counts. One object alone
stays as it is. The cost is linear in the size of all pieces.
"""

from __future__ import annotations

from typing import Any

# The last word of the names of fields whose text arrives in pieces.
_PIECES = frozenset(
    ("arguments", "content", "data", "input", "reasoning", "refusal", "signature", "summary", "text",
     "thinking", "thought", "transcript")
)  # fmt: skip

# Lists whose equal neighbours are two pieces. Servers repeat other lists, such as sources, in each chunk.
_LISTS_OF_PIECES = frozenset({"reasoning_details"})

# Below this depth an object is a value, not something that arrives in pieces.
_DEEPEST = 16


class ObjectFold:
    """One JSON object, so far.

    Args:
        depth: How deep the object lies in another one.
    """

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._fields: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def update(self, values: dict[str, Any]) -> None:
        """Add fields."""
        for name, value in values.items():
            self.add(name, value)

    def add(self, name: str, value: Any) -> None:
        """Add a field, or a piece of it."""
        if value is None or self._depth > _DEEPEST:
            if value is not None or name not in self._fields:
                self._fields[name] = value
            return
        old = self._fields.get(name)
        if isinstance(value, str):
            in_pieces = _in_pieces(name)
            if isinstance(old, ListFold) and name == "content":
                old.add_text(value)
            elif isinstance(old, _Text) and in_pieces:
                old.pieces.append(value)
            elif value or not old:
                self._fields[name] = _Text(value) if in_pieces else value
        elif isinstance(value, dict):
            if not isinstance(old, ObjectFold):
                old = self._fields[name] = ObjectFold(self._depth + 1)
            old.update(value)
        elif isinstance(value, list):
            if not isinstance(old, ListFold):
                before = old.value() if isinstance(old, _Text) and name == "content" else ""
                in_pieces = _in_pieces(name) or name in _LISTS_OF_PIECES
                old = self._fields[name] = ListFold(self._depth, in_pieces=in_pieces)
                if before:
                    old.add_text(before)
            old.extend(value)
        else:
            self._fields[name] = value

    def is_part(self, kind: Any) -> bool:
        """Return whether this is a content part of the form ``{"type": kind, kind: …}``."""
        return set(self._fields) == {"type", kind} and self._fields["type"] == kind

    def value(self) -> dict[str, Any]:
        """Return the object."""
        return {name: _value(part) for name, part in self._fields.items()}


class ListFold:
    """One JSON list, so far.

    Args:
        depth: How deep the list lies in an object.
        in_pieces: Whether a list that equals the one before is another piece, not a repetition.
    """

    def __init__(self, depth: int, *, in_pieces: bool) -> None:
        self._depth = depth
        self._in_pieces = in_pieces
        self._items: list[Any] = []
        self._by_key: dict[tuple[int, Any], ObjectFold] = {}
        self._last: list[Any] = []

    def extend(self, values: list[Any]) -> None:
        """Add items, or pieces of the items so far; the items of the first list are different."""
        repeated = not self._in_pieces and values == self._last
        if repeated and not any(_key(value) for value in values):
            return
        self._last = values
        seen: set[tuple[int, Any]] = set()
        first = not self._items
        for value in values:
            if isinstance(value, str) and self._in_pieces:
                last = None if first else self._items[-1]
                if isinstance(last, _Text):
                    last.pieces.append(value)
                else:
                    self._items.append(_Text(value))
                continue
            if not isinstance(value, dict):
                self._items.append(value)
                continue
            key = _key(value)
            if key is not None:
                fold = None if key in seen else self._by_key.get(key)
                seen.add(key)
            else:
                fold = None if first else self._continued(value)
            if fold is None:
                fold = ObjectFold(self._depth + 1)
                self._items.append(fold)
            if key is not None:
                self._by_key[key] = fold
            fold.update(value)

    def add_text(self, text: str) -> None:
        """Add a text to a list of content parts."""
        if text:
            self.extend([{"type": "text", "text": text}])

    def _continued(self, part: dict[str, Any]) -> ObjectFold | None:
        """Return the last item if this content part is the next piece of it."""
        last = self._items[-1] if self._items else None
        kind = part.get("type")
        if self._in_pieces and isinstance(last, ObjectFold) and set(part) == {"type", kind}:
            return last if last.is_part(kind) else None
        return None

    def value(self) -> list[Any]:
        """Return the list."""
        return [_value(item) for item in self._items]


class _Text:
    """A text, so far."""

    def __init__(self, text: str) -> None:
        self.pieces = [text]

    def value(self) -> str:
        return "".join(self.pieces)


def _in_pieces(name: str) -> bool:
    return name.rsplit("_", 1)[-1] in _PIECES


def _key(item: Any) -> tuple[int, Any] | None:
    """Return what names an item in the pieces of its list; None for an item without an index."""
    index = item.get("index") if isinstance(item, dict) else None
    kind = item.get("type") if isinstance(index, int) else None
    return (index, kind if isinstance(kind, str) else None) if isinstance(index, int) else None


def _value(part: Any) -> Any:
    return part.value() if isinstance(part, (ObjectFold, ListFold, _Text)) else part
