"""What the user is told about a prompt's braces: a typo, a call that is not made, a very long value.

Hints are for prose. In code, JSON and formulas braces are everyday signs, so nothing is said there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from cbai_notebook.prompts.references import (
    REFERENCE,
    Found,
    NotFound,
    Reference,
    is_there,
    resolve,
)

PROSE, FORMULA, LOWERED, DOUBLED = "prose", "formula", "lowered", "doubled"
"""Where a reference stands: behind nothing special, in a formula, behind an underscore as in
``x_{i}``, which may be a formula, and in double braces."""

MOST = 5
"""Hints that are shown for one prompt; the rest is counted."""

_LOOKS = 100
"""Places that are looked at; a prompt with more of them is no prose."""

_REACH = 500
"""Characters of a place's line that are looked at, to either side."""

_EXPRESSION = re.compile(r"\{(?P<name>[^\W\d]\w*)(?:[.(\[!]|:(?=[^\s:]))[^{}\n]{0,80}\}")
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
_INLINE = re.compile(r"(?<!`)(`+)(?!`)[^`\n]+(?<!`)\1(?!`)")
_CODE_LINE = re.compile(r"""(?<![A-Za-z])[rR]?[fF][rR]?["']|\.format\(""")
_JOINS_BEFORE = re.compile(r"[A-Za-z0-9_$\\#%@/.{}~]")
_JOINS_AFTER = re.compile(r"[A-Za-z0-9_/{}\\]")


class Hints:
    """Collects what is worth saying about one prompt."""

    def __init__(self, text: str, namespace: Mapping[str, Any]) -> None:
        self._text = text
        self._namespace = namespace
        self._judged: set[str] = set()
        self._looks = 0
        self._compared = 0
        self._said: dict[str, None] = {}

    def left(self, reference: Reference, at: int, why: NotFound) -> None:
        """Note a reference that names nothing which can be filled in."""
        if self._looks > _LOOKS:
            return
        written = f"{{{reference}}}"
        if not why.known:
            self._note_unknown(reference, written, at)
        elif why.reason and self._is_prose(written, at):
            self._say(f"`{written}` was sent as written: {why.reason}.")

    def kept(self, reference: Reference, at: int, place: str) -> None:
        """Note a reference that is not filled in because of where it stands."""
        if place == FORMULA or self._looks > _LOOKS:
            return
        written = f"{{{reference}}}"
        if not is_there(reference.name, self._namespace) or not self._is_prose(written, at):
            return
        if place == DOUBLED:
            self._say(f"`{{{written}}}` was sent as written; one pair of braces fills it in.")
        else:
            self._say(f"`{written}` behind an underscore may be a formula and was sent as written.")

    def long(self, used: str, chars: int) -> None:
        """Note a value that makes the prompt very long."""
        self._say(f"`{{{used}}}` put {chars:,} characters into the prompt.")

    def sentences(self) -> tuple[str, ...]:
        """Return what is to be said: at most :data:`MOST` sentences, and a count of the rest."""
        for match in islice(_EXPRESSION.finditer(self._text), _LOOKS):
            self._note_expression(match)
        said = tuple(self._said)
        rest = len(said) - MOST
        if rest <= 0:
            return said
        return (*said[:MOST], f"And {rest} more place{'' if rest == 1 else 's'} like these.")

    def _note_unknown(self, reference: Reference, written: str, at: int) -> None:
        lone = not reference.path and self._is_lone(at, at + len(written))
        # A slip in a longer name is one wherever it stands, as in `report_{yaer}.csv`.
        telling = lone or reference.path or len(reference.name) > 3
        if not telling or not self._is_prose(written, at):
            return
        near = self._near(reference.name)
        if lone or near:
            meant = f" (did you mean {{{near}}}?)" if near else ""
            self._say(f"`{written}` is no variable here and was sent as written{meant}.")

    def _note_expression(self, match: re.Match[str]) -> None:
        if REFERENCE.fullmatch(match.group()) or not is_there(match["name"], self._namespace):
            return
        if isinstance(resolve(Reference(match["name"]), self._namespace), Found) and self._is_prose(
            match.group(), match.start()
        ):
            self._say(
                f"`{match.group()}` was sent as written: only names, attributes and [keys] are filled "
                "in. Put the result into a variable first."
            )

    def _say(self, sentence: str) -> None:
        self._said.setdefault(sentence)

    def _is_prose(self, written: str, at: int) -> bool:
        """Return whether a hint about this place would help; what is written the same way gets one hint."""
        self._looks += 1
        if written in self._judged or self._looks > _LOOKS:
            return False
        around = self._text[max(at - _REACH, 0) : at + _REACH]
        here = min(at, _REACH)
        line = around[around.rfind("\n", 0, here) + 1 :].partition("\n")[0]
        prose = not (
            line.startswith(("    ", "\t"))
            or _CODE_LINE.search(line)
            or any(start <= at < end for start, end in self._code)
        )
        if prose:
            self._judged.add(written)
        return prose

    def _is_lone(self, start: int, end: int) -> bool:
        """Return whether a word could stand here, so that the braces are not part of something else."""
        before, after = self._text[start - 1 : start], self._text[end : end + 1]
        return not (_JOINS_BEFORE.match(before) or _JOINS_AFTER.match(after))

    def _near(self, name: str) -> str:
        from difflib import get_close_matches

        self._compared += 1
        if self._compared > 2 * MOST:
            return ""
        names = {
            known.lower(): known
            for known in list(self._namespace)
            if not known.startswith("_") and is_there(known, self._namespace)
        }
        near = get_close_matches(name.lower(), names, n=1, cutoff=0.7)
        return names[near[0]] if near else ""

    @cached_property
    def _code(self) -> list[tuple[int, int]]:
        """Where fenced code and code inside lines begins and ends."""
        spans: list[tuple[int, int]] = []
        opening: re.Match[str] | None = None
        for fence in _FENCE.finditer(self._text):
            if opening is None:
                opening = fence
            elif fence["marks"].startswith(opening["marks"]) and not fence["info"].strip():
                spans.append((opening.start(), fence.end()))
                opening = None
        if opening is not None:
            spans.append((opening.start(), len(self._text)))
        return spans + [match.span() for match in _INLINE.finditer(self._text)]
