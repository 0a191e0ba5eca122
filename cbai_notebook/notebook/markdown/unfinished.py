"""Show the end of a growing text while its Markdown is not decided yet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

# The next token decides whether such a line is a heading, a list, a rule or a table. Until then it
# would only turn the line above it into a heading and back.
_UNDECIDED = re.compile(
    r"[ \t>]*(?:[-=*+#~`|:$_\\\[\]()\s]{1,12}|\d{1,9}[.)]?[ \t]*|<[a-z/]{0,5})?"
)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(?:.*?[^`])?\1(?!`)", re.DOTALL)
_OPEN_CODE = re.compile(r"(?<!`)(`+)[^`\s][^`]*\Z")
_OPEN_LINK = re.compile(r"!?\[([^\[\]]{0,300})\](?:\([^()\s]{0,2000})?\Z")
_STRONG = re.compile(r"(?<![\\*])\*\*(?!\*)")
_LAST_CHARACTERS = 3_000
_ROW = re.compile(r"[ \t]*\|")


def hide_unfinished(text: str) -> str:
    """Remove the last line of a text while its meaning is not decided.

    Args:
        text: The text so far; its last line may be incomplete.

    Returns:
        The text without an incomplete last line that holds only marks, and without the first row of
        a table that has no second row yet.
    """
    start = text.rfind("\n") + 1
    if start < len(text) and _UNDECIDED.fullmatch(text, start):
        text = text[:start]
    return _without_lone_row(text)


def _without_lone_row(text: str) -> str:
    """Remove the header of a table until the row below it is complete."""
    body = text.rstrip("\n")
    if len(text) - len(body) > 1:
        return text
    start = body.rfind("\n") + 1
    if not _ROW.match(body, start):
        return text
    above = body.rfind("\n", 0, max(0, start - 1)) + 1
    if start and _ROW.match(body, above, start):
        # The second of two rows: the delimiter row, unless there is a third row above.
        if set(body[start:]) <= set("|-: \t") and not text.endswith("\n"):
            further = body.rfind("\n", 0, max(0, above - 1)) + 1
            if not (above and _ROW.match(body, further, above)):
                return text[:above]
        return text
    return text[:start]


def close_open_marks(tokens: Sequence[Token]) -> None:
    """Close the code and emphasis that the last paragraph has opened, so that its look is stable.

    Args:
        tokens: The blocks of a growing text; the content of the last paragraph is changed in place.
    """
    for token in reversed(tokens):
        if token.type == "inline" and token.content:
            start = max(0, len(token.content) - _LAST_CHARACTERS)
            token.content = token.content[:start] + _closed(token.content[start:])
            return
        # The empty cells of an unfinished row come after the last words.
        if token.nesting >= 0 and token.type not in ("inline", "td_open", "th_open"):
            return


def _closed(content: str) -> str:
    """Close code and strong emphasis at the end of a text, and remove an incomplete address."""
    rest = _CODE.sub(lambda code: " " * len(code[0]), content)
    if code := _OPEN_CODE.search(rest):
        return content + code[1]
    link = _OPEN_LINK.search(rest)
    if link and rest.startswith("](", link.end(1)):
        words = slice(link.start(1), link.end(1))
        content = content[: link.start()] + content[words]
        rest = rest[: link.start()] + rest[words]
    marks = list(_STRONG.finditer(rest))
    if len(marks) % 2:
        after = rest[marks[-1].end() :].rstrip("*")
        if after.strip() and not after[0].isspace():
            shown = content[: marks[-1].end() + len(after)]
            spaces = len(shown) - len(shown.rstrip())
            return f"{shown.rstrip()}**{shown[len(shown) - spaces :]}" if spaces else f"{shown}**"
        return content[: marks[-1].start()] if not after.strip() else content
    return content
