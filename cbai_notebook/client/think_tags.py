"""Split the content of an answer into thinking and text where the thinking stands in tags.

Models whose server does not know their format write ``<think>…</think>`` at the start of the content.
The same words inside code or later in the text are text.
"""

from __future__ import annotations

_START, _END = "<think>", "</think>"

TAGGED = _START
"""The name under which the message of a raw answer keeps the thinking that stood in tags."""

_LINE_ENDS = "\r\n"


class ThinkTags:
    """Splits the pieces of a content as they arrive. Each piece costs time once."""

    def __init__(self) -> None:
        self.found = False
        """Whether the content began with the tag."""
        self._read = self._read_start
        self._pending = ""
        self._blank: list[str] = []

    @property
    def plain(self) -> bool:
        """Whether all content that follows is text."""
        return self._read == self._read_text

    def feed(self, piece: str) -> tuple[str, str]:
        """Return the thinking and the text that a piece of the content completes."""
        thinking: list[str] = []
        text: list[str] = []
        rest, self._pending = self._pending + piece, ""
        while rest:
            before = self._read
            rest = before(rest, thinking, text)
            if self._read == before:
                break
        return "".join(thinking), "".join(text)

    def flush(self) -> tuple[str, str]:
        """Return the rest, which waited for the end of a tag that did not come."""
        rest, self._pending = self._pending, ""
        if self._read == self._read_start:
            rest = "".join(self._blank) + rest
            self._blank.clear()
        return (rest, "") if self.found and not self.plain else ("", rest)

    def _read_start(self, rest: str, thinking: list[str], text: list[str]) -> str:
        stripped = rest.lstrip()
        self._blank.append(rest[: len(rest) - len(stripped)])
        if stripped.startswith(_START):
            self.found = True
            self._read = self._read_first_line_end
            return stripped[len(_START) :]
        if _START.startswith(stripped):
            self._pending = stripped
        else:
            self._read = self._read_text
            text += self._blank
        return stripped

    def _read_first_line_end(self, rest: str, thinking: list[str], text: list[str]) -> str:
        rest = rest.lstrip(_LINE_ENDS)
        if rest:
            self._read = self._read_thinking
        return rest

    def _read_thinking(self, rest: str, thinking: list[str], text: list[str]) -> str:
        before, tag, after = rest.partition(_END)
        if tag:
            thinking.append(before)
            self._read = self._read_line_ends
            return after
        cut = len(rest) - _overlap(rest, _END)
        thinking.append(rest[:cut])
        self._pending = rest[cut:]
        return ""

    def _read_line_ends(self, rest: str, thinking: list[str], text: list[str]) -> str:
        rest = rest.lstrip(_LINE_ENDS)
        if rest:
            self._read = self._read_text
        return rest

    def _read_text(self, rest: str, thinking: list[str], text: list[str]) -> str:
        text.append(rest)
        return ""


def begins_with_thinking(content: str) -> bool:
    """Return whether a content begins with the tag."""
    return content.lstrip().startswith(_START)


def split_thinking(content: str) -> tuple[str, str]:
    """Return the thinking and the text of a complete content."""
    tags = ThinkTags()
    thinking, text = tags.feed(content)
    more_thinking, more_text = tags.flush()
    return thinking + more_thinking, text + more_text


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of a text may begin the tag."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)
