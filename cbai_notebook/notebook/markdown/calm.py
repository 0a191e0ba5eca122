"""What the end of a growing text should look like while its meaning is still open."""

from __future__ import annotations

import re

# One more token tells whether such a line is a heading, a list, a rule or a table: until then it
# would only turn the line above it into a heading and back.
_UNDECIDED = re.compile(r"[ \t>]*(?:[-=*+#~`|:$_\\\[\]()\s]{1,12}|\d{1,9}[.)]?[ \t]*|<[a-z/]{0,5})")
_ROW = re.compile(r"[ \t]*\|")


def hold_back(text: str) -> str:
    """Leave out the last line of a text while it says nothing yet.

    Args:
        text: The text so far; its last line may be incomplete.

    Returns:
        The text without an incomplete last line of mere marks, and without the first row of a
        table that has no second yet.
    """
    start = text.rfind("\n") + 1
    if start < len(text) and _UNDECIDED.fullmatch(text, start):
        text = text[:start]
    return _without_lone_row(text)


def _without_lone_row(text: str) -> str:
    """Leave out a table's header until the row below it is complete."""
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
