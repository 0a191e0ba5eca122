"""JSON that is still arriving, read as far as it has come.

Text goes in, values come out; no I/O. The text so far is closed where it was last whole, and the
decoder does the rest, so that nothing is taken for true that a decoder would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

_OPENING = re.compile(r"[{\[]")
_TOKEN = re.compile(r'["{}\[\],:]|[^"{}\[\],:]+')
_IN_STRING = re.compile(r'["\\]')

# A text that opens more than this is no answer, and closing it again and again would take for ever.
_DEEPEST = 200


class PartialJSON:
    """Reads one JSON object or array, in pieces; what stands before and after it is passed over.

    ``value`` is what has come: strings as far as they go, numbers and words once they are complete,
    a member of an object once its value has begun. None as long as nothing has.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.done = False
        self._text = ""
        self._cut = 0  # up to here the text is whole, but for what is in _closing
        self._closing = ""
        self._open: list[str] = []
        self._key = False  # what begins next in this object is a key
        self._string = ""  # "" outside of strings, "key" or "value" inside
        self._escaped = 0  # characters that still belong to an escape

    def feed(self, text: str) -> Any:
        """Read on; return the value so far."""
        if self.done or not text:
            return self.value
        if not self._open:
            opening = _OPENING.search(text)
            if opening is None:
                return self.value
            text = text[opening.start() :]
        before = (self._cut, self._closing)
        position, self._text = len(self._text), self._text + text
        while position < len(self._text) and not self.done:
            position = self._in_string(position) if self._string else self._outside(position)
        if (self._cut, self._closing) != before:
            self._decode()
        return self.value

    def _outside(self, position: int) -> int:
        token = _TOKEN.match(self._text, position)
        assert token is not None, "every character fits one of both"
        mark, end = token.group(), token.end()
        if mark == '"':
            self._string = "key" if self._key else "value"
            self._key = False
            if self._string == "value":
                self._whole(end, '"')
        elif mark in "{[":
            self._open.append("}" if mark == "{" else "]")
            self._key = mark == "{"
            self._whole(end)
            self.done = len(self._open) > _DEEPEST
        elif mark in "}]":
            self._open.pop()
            self._key = False
            self.done = not self._open
            self._whole(end)
        elif mark == ",":
            self._whole(position)
            self._key = self._open[-1] == "}"
        return end

    def _in_string(self, position: int) -> int:
        if self._escaped:
            # After the backslash one character; after its `u` four more.
            self._escaped = (
                4
                if self._escaped == 5 and self._text[position] == "u"
                else (0 if self._escaped == 5 else self._escaped - 1)
            )
            position += 1
        else:
            stop = _IN_STRING.search(self._text, position)
            position = stop.end() if stop is not None else len(self._text)
            if stop is not None and stop.group() == "\\":
                self._escaped = 5
                if self._string == "value":
                    self._whole(position - 1, '"')
            elif stop is not None:
                if self._string == "value":
                    self._whole(position)
                self._string = ""
                return position
        if self._string == "value" and not self._escaped:
            self._whole(position, '"')
        return position

    def _whole(self, cut: int, closing: str = "") -> None:
        self._cut = cut
        self._closing = closing

    def _decode(self) -> None:
        text = self._text[: self._cut] + self._closing + "".join(reversed(self._open))
        try:
            self.value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return  # half a surrogate pair, or no JSON: what was known stays


class PartialObjects:
    """The objects of a stream, each as far as it has come.

    Args:
        starts: The positions in the log at which a new answer begins.
    """

    def __init__(self, starts: Sequence[int]) -> None:
        self._starts = starts
        self._reader = PartialJSON()

    def feed(self, texts: list[str], start: int, stop: int) -> list[Any]:
        """Read the texts of a stretch of the log; return the new value, if there is one."""
        before = self._reader.value
        again = [at - start for at in self._starts if start <= at < stop]
        if again:
            self._reader, before = PartialJSON(), None
            texts = texts[again[-1] :]
        value = self._reader.feed("".join(texts))
        return [value] if value is not None and value != before else []
