"""Read a JSON object or array while its text still arrives. Text goes in, values come out; no I/O.

The JSON may be in a code fence, with prose around it. If there are several values, the
choice is that of `ResponseType.parse`, as far as that is possible before the value is complete:

1. the first fence that holds nothing but an object or array,
2. the first object with a member, or array of such objects; if the type is known, the first that
   resembles it,
3. the first other array or object, such as the ``[1]`` of a reference to a source.

Text that begins with a bracket and turns out not to be JSON is prose.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Sequence
from typing import Any

import jiter

from cbai_notebook.client.json_brackets import JsonBrackets
from cbai_notebook.client.structured.response_type import (
    FENCE,
    MAX_CANDIDATES,
    OPENING,
    ResponseType,
    holds_an_object,
)

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'["{}\[\],:]|[-+.\w]+(?=[\s"{}\[\],:])', re.ASCII)
# The beginning of a number or a word. Python reads no integer of more than 4300 digits.
_UNFINISHED_TOKEN = re.compile(r"[-+.\w]{0,4300}", re.ASCII)
# Complete characters of a string. An escaped surrogate needs its other half (RFC 8259, section 7).
_CHARACTERS = re.compile(
    r'[^"\\\x00-\x1f]*'
    r'(?:\\(?:["\\/bfnrt]|u(?!(?i:d[89a-f]))[0-9a-fA-F]{4}'
    r"|u(?i:d[89ab][0-9a-f]{2})\\u(?i:d[c-f][0-9a-f]{2}))"
    r'[^"\\\x00-\x1f]*)*'
)
_UNFINISHED_ESCAPE = re.compile(
    r"\\(?:u(?:[0-9a-fA-F]{0,3}|(?i:d[89ab][0-9a-f]{2})(?:\\(?:u(?i:d(?:[c-f][0-9a-f]?)?)?)?)?)?)?"
)

_FENCE_OPENING = re.compile(r"```[^\n`]*\n")

# A value with a longer text, in characters, is decoded only when its text has grown by this part or may
# be complete: all decoding together then takes time that is linear in the text.
_LONG = 16_000
_GROWTH = 1 / 64

# No answer is nested deeper, and jiter reads no more levels.
_DEEPEST = 200


class PartialJSON:
    """Read the JSON object or array in a text that arrives in pieces.

    Args:
        fits: Returns whether a value belongs to the second kind of the list above.

    Attributes:
        value: The value so far: strings as far as they have arrived, numbers and words once they
            are complete, a member of an object once its value has begun. None before the first
            bracket. It may be a 64th of the text behind in a text of more than 16,000 characters.
        done: Whether the value is complete. A value of a better rank in the list above can still
            replace it.
    """

    def __init__(self, fits: Callable[[Any], bool] = holds_an_object) -> None:
        self._fits = fits
        self.value: Any = None
        self.done = False
        self._text = ""
        self._pieces: list[str] = []  # text that is not in _text yet: joining costs time
        self._held = 0  # characters in _pieces
        self._brackets = JsonBrackets()  # of the candidate, with _pieces
        self._tail = ""  # a fence may be split over pieces
        self._position = 0  # where the search for the next bracket begins
        self._candidates_tried = 0
        self._candidate: _Candidate | None = None
        self._kept: Any = None  # the best value of the candidates that have ended
        self._kept_is_complete = False
        self._kept_is_final = False  # only a fence can replace it
        self._fence_position = 0
        self._in_fence = False  # the value is that of a fence, which nothing replaces

    def feed(self, text: str) -> Any:
        """Read the next piece of the text; return the value so far."""
        if self._in_fence or not text:
            return self.value
        self._pieces.append(text)
        self._held += len(text)
        fence = "```" in self._tail + text
        self._tail = (self._tail + text)[-2:]
        searching = self._candidate is not None or (
            not self._given_up and OPENING.search(text) is not None
        )
        if fence or (searching and not self._may_wait(text)):
            self._text = "".join([self._text, *self._pieces])
            self._pieces.clear()
            self._held = 0
            while self._candidate is not None or self._find_candidate():
                if not self._read_candidate():
                    break
            if self._candidate is not None:
                self._brackets = self._candidate.brackets(self._text)
            if fence:
                self._read_fences()
        return self.value

    def _may_wait(self, text: str) -> bool:
        """Return whether a candidate has little new text and is surely incomplete."""
        if self._candidate is None or len(self._text) < _LONG:
            return False
        self._brackets.add(text)
        return self._brackets.depth > 0 and self._held < len(self._text) * _GROWTH

    @property
    def _given_up(self) -> bool:
        """Whether no further bracket is tried."""
        return self._kept_is_final or self._candidates_tried == MAX_CANDIDATES

    def _find_candidate(self) -> bool:
        if self._given_up:
            self.done = True
            return False
        opening = OPENING.search(self._text, self._position)
        if opening is None:
            self._position = len(self._text)
            return False
        self._candidates_tried += 1
        self._candidate = _Candidate(opening.start())
        return True

    def _read_candidate(self) -> bool:
        """Read the candidate as far as it has arrived; return whether it has ended."""
        candidate = self._candidate
        assert candidate is not None
        try:
            if not candidate.read(self._text):
                return False
            value = candidate.decode(self._text)
        except ValueError:
            self._drop(candidate)
            return True
        if candidate.complete:
            self._candidate = None
            self._position = candidate.position
        better = self._kept is None or self._fits(value)
        if better or (candidate.complete and not self._kept_is_complete):
            self.value, self.done = value, candidate.complete
            if candidate.complete:
                self._keep(value, complete=True)
        return candidate.complete

    def _drop(self, candidate: _Candidate) -> None:
        """Drop a candidate that is no JSON; if it has members, keep them as damaged JSON."""
        value, end = candidate.longest(self._text)
        self._candidate = None
        if holds_an_object(value) and not self._kept_is_complete:
            self._keep(value, complete=False)
            self._position = end
        else:
            self._position = candidate.start + 1
        self.value, self.done = self._kept, self._kept_is_complete

    def _keep(self, value: Any, *, complete: bool) -> None:
        self._kept = value
        self._kept_is_complete = complete
        self._kept_is_final = complete and self._fits(value)

    def _read_fences(self) -> None:
        while (fence := FENCE.search(self._text, self._fence_position)) is not None:
            self._fence_position = fence.end()
            try:
                value = _decode(fence.group(1))
            except ValueError:
                continue
            if isinstance(value, (dict, list)):
                self.value, self.done, self._in_fence = value, True, True
                return
        # The rest is searched again from where a fence may begin.
        opening = _FENCE_OPENING.search(self._text, self._fence_position)
        last = opening.start() if opening else self._text.rfind("```")
        self._fence_position = max(self._fence_position, last)


class _Candidate:
    """A place in the text where an object or array could begin.

    Finds the brackets and the ends of strings. Numbers, words and the grammar are left to jiter, as
    far as its partial mode checks them.

    Args:
        start: The position of the opening bracket.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self.position = start
        self.complete = False
        # Ends of brackets, quotes, commas and colons. A number is complete only before one of them.
        self._cuts: list[int] = []
        self._cut = start  # the text up to this position is decoded
        self._decoded = start
        self._open: list[str] = []
        self._in_string = False
        self._after_value = False

    def read(self, text: str) -> bool:
        """Read the text to its end; return whether there is anything new to decode.

        Raises:
            ValueError: It is no JSON.
        """
        while not self.complete:
            if not (self._read_string(text) if self._in_string else self._read_token(text)):
                break
        return self._cut != self._decoded

    def decode(self, text: str) -> Any:
        """Return the value so far.

        Raises:
            ValueError: It is no JSON.
        """
        self._decoded = self._cut
        return _decode(text[self.start : self._cut], partial=not self.complete)

    def brackets(self, text: str) -> JsonBrackets:
        """Return the brackets that are open at the end of the text, which has been read."""
        found = JsonBrackets(len(self._open), in_string=self._in_string)
        found.add(text[self.position :])
        return found

    def longest(self, text: str) -> tuple[Any, int]:
        """Return the value of the longest valid beginning, and the position of its end."""

        def fails(cut: int) -> bool:
            try:
                _decode(text[self.start : cut], partial=True)
            except ValueError:
                return True
            return False

        cuts = self._cuts[:-1] if self.complete else [*self._cuts, self._cut]
        number = bisect.bisect_left(cuts, True, key=fails)
        cut = cuts[number - 1] if number else self.start
        return (_decode(text[self.start : cut], partial=True) if number else None), cut

    def _read_string(self, text: str) -> bool:
        found = _CHARACTERS.match(text, self.position)
        assert found is not None, "the pattern matches an empty string"
        self.position = self._cut = found.end()
        if text.startswith('"', self.position):
            self._in_string = False
            self._after_value = True
            self._step(self.position + 1)
            return True
        if _UNFINISHED_ESCAPE.fullmatch(text, self.position) or self.position == len(text):
            return False
        raise ValueError("a string holds a character that must be escaped, or a wrong escape")

    def _read_token(self, text: str) -> bool:
        space = _SPACE.match(text, self.position)
        assert space is not None, "the pattern matches an empty string"
        self.position = space.end()
        token = _TOKEN.match(text, self.position)
        if token is None:
            if _UNFINISHED_TOKEN.fullmatch(text, self.position):
                return False
            raise ValueError("no JSON begins like this")
        mark = token.group()
        if mark in "}]":
            if self._open.pop() != mark:
                raise ValueError("the wrong bracket closes")
            self.complete = not self._open
        elif mark not in ",:" and self._after_value:
            # In partial mode, jiter takes this for the end of the text.
            raise ValueError("a value follows a value")
        elif mark in "{[":
            self._open.append("}" if mark == "{" else "]")
            if len(self._open) > _DEEPEST:
                raise ValueError("it is nested too deeply")
        self._in_string = mark == '"'
        self._after_value = mark not in '{[,:"'
        if mark in '{}[],:"':
            self._step(token.end())
        else:
            self.position = token.end()
        return True

    def _step(self, position: int) -> None:
        self.position = self._cut = position
        self._cuts.append(position)


def _decode(text: str, *, partial: bool = False) -> Any:
    """Decode JSON text, or its beginning.

    Raises:
        ValueError: It is no JSON.
    """
    return jiter.from_json(
        text.encode(),
        allow_inf_nan=False,
        cache_mode="keys",
        partial_mode="trailing-strings" if partial else False,
    )


class PartialObjects:
    """Read the JSON in the texts of a stream's log; start again with each new answer in the log.

    Args:
        starts: The positions in the log at which a new answer begins.
        response: The type of the answer, if one was requested.
    """

    def __init__(self, starts: Sequence[int], response: ResponseType | None = None) -> None:
        self._starts = starts
        self._response = response
        self._reader = self._new_reader()

    def feed(self, texts: list[str], start: int, stop: int) -> list[Any]:
        """Read the texts of the log from `start` to `stop`; return the new value, if any."""
        before = self._value()
        again = [at - start for at in self._starts if start <= at < stop]
        if again:
            self._reader, before = self._new_reader(), None
            texts = texts[again[-1] :]
        self._reader.feed("".join(texts))
        value = self._value()
        is_new = value is not before and value is not None and value != before
        return [value] if is_new else []

    def _new_reader(self) -> PartialJSON:
        return PartialJSON(self._response.resembles) if self._response else PartialJSON()

    def _value(self) -> Any:
        value = self._reader.value
        return self._response.unwrap(value) if self._response else value
