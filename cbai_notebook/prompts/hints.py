"""Hints about the braces of a prompt: a likely typo, an expression, a value that is long or cut.

Only braces in prose get a hint. Code, JSON and formulas use braces for other things.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from cbai_notebook.i18n import say
from cbai_notebook.preferences import Preferences
from cbai_notebook.prompts.numbers import ALL_DIGITS
from cbai_notebook.prompts.references import (
    REFERENCE,
    Found,
    NotFound,
    Reference,
    has_variable,
    resolve,
)
from cbai_notebook.prompts.tables import MarkdownTable
from cbai_notebook.text import near_match

PROSE, FORMULA, SUBSCRIPT, DOUBLED = "prose", "formula", "subscript", "doubled"
"""What surrounds a reference: normal text, a formula, an underscore before it as in ``x_{i}``,
which may be a formula, or double braces."""

MOST = 5
"""The most hints for one prompt; the others are only counted."""

_MOST_CHECKS = 100
"""The most references to check in one prompt; a prompt with more is not prose."""

_LINE_REACH = 500
"""The most characters of a reference's line to read, before it and after it."""

_EXPRESSION = re.compile(r"\{(?P<name>[^\W\d]\w*)(?:[.(\[!]|:(?=[^\s:]))[^{}\n]{0,80}\}")
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
_INLINE = re.compile(r"(?<!`)(`+)(?!`)[^`\n]+(?<!`)\1(?!`)")
_CODE_LINE = re.compile(r"""(?<![A-Za-z])[rR]?[fF][rR]?["']|\.format\(""")
_JOINS_BEFORE = re.compile(r"[A-Za-z0-9_$\\#%@/.{}~]")
_JOINS_AFTER = re.compile(r"[A-Za-z0-9_/{}\\]")


class Hints:
    """Collects the hints about one prompt."""

    def __init__(self, text: str, namespace: Mapping[str, Any]) -> None:
        self._text = text
        self._namespace = namespace
        self._in_prose: set[str] = set()
        self._checks = 0
        self._comparisons = 0
        self._sentences: dict[str, None] = {}

    def not_found(self, reference: Reference, at: int, result: NotFound) -> None:
        """Add a hint about a reference that has no value to fill in."""
        if self._checks > _MOST_CHECKS:
            return
        written = f"{{{reference}}}"
        if not result.known:
            self._note_unknown(reference, written, at)
        elif result.reason and self._is_prose(written, at):
            self._add(say("reference.sent_as_written", written=written, reason=result.reason))

    def not_filled_in(self, reference: Reference, at: int, surroundings: str) -> None:
        """Add a hint about a reference that is not filled in because of its surroundings."""
        if surroundings == FORMULA or self._checks > _MOST_CHECKS:
            return
        written = f"{{{reference}}}"
        if not has_variable(reference.name, self._namespace) or not self._is_prose(written, at):
            return
        if surroundings == DOUBLED:
            self._add(say("reference.doubled", written=f"{{{written}}}"))
        else:
            self._add(say("reference.subscript", written=written))

    def long_value(self, used: str, chars: int) -> None:
        """Add a hint about a value that makes the prompt very long."""
        self._add(say("reference.long_value", written=f"{{{used}}}", n=chars))

    def tables(self, tables: Mapping[str, MarkdownTable], limits: Preferences) -> None:
        """Add a hint about the tables that lost digits, and one about each that lost columns."""
        rounded = ", ".join(f"{{{used}}}" for used, table in tables.items() if table.rounded)
        if rounded:
            setting = f"cbai.configure(table_digits={ALL_DIGITS})"
            self._add(
                say("reference.rounded", tables=rounded, n=limits.table_digits, setting=setting)
            )
        for used, table in tables.items():
            if table.columns > limits.table_columns:
                self._add(
                    say(
                        "reference.columns_left_out",
                        first=limits.table_columns,
                        n=table.columns,
                        written=f"{{{used}}}",
                        setting=f"cbai.configure(table_columns={table.columns})",
                    )
                )

    def is_code(self, at: int) -> bool:
        """Return whether the braces at a position of the prompt are in code."""
        around = self._text[max(at - _LINE_REACH, 0) : at + _LINE_REACH]
        offset = min(at, _LINE_REACH)
        line = around[around.rfind("\n", 0, offset) + 1 :].partition("\n")[0]
        return bool(
            line.startswith(("    ", "\t"))
            or _CODE_LINE.search(line)
            or any(start <= at < end for start, end in self._code)
        )

    def sentences(self) -> tuple[str, ...]:
        """Return the hints: at most :data:`MOST`, and a sentence with the number of the others."""
        for match in islice(_EXPRESSION.finditer(self._text), _MOST_CHECKS):
            self._note_expression(match)
        sentences = tuple(self._sentences)
        rest = len(sentences) - MOST
        if rest <= 0:
            return sentences
        return (*sentences[:MOST], say("reference.more", n=rest))

    def _note_unknown(self, reference: Reference, written: str, at: int) -> None:
        lone = not reference.path and self._is_lone(at, at + len(written))
        # A misspelt longer name is a typo also inside a word, as in `report_{yaer}.csv`.
        is_likely_typo = lone or reference.path or len(reference.name) > 3
        if not is_likely_typo or not self._is_prose(written, at):
            return
        near = self._near(reference.name)
        if lone or near:
            if near:
                self._add(say("reference.no_variable_near", written=written, near=f"{{{near}}}"))
            else:
                self._add(say("reference.no_variable", written=written))

    def _note_expression(self, match: re.Match[str]) -> None:
        if REFERENCE.fullmatch(match.group()) or not has_variable(match["name"], self._namespace):
            return
        if isinstance(resolve(Reference(match["name"]), self._namespace), Found) and self._is_prose(
            match.group(), match.start()
        ):
            self._add(say("reference.expression", written=match.group()))

    def _add(self, sentence: str) -> None:
        self._sentences.setdefault(sentence)

    def _is_prose(self, written: str, at: int) -> bool:
        """Return whether a reference is in prose and gets its first hint."""
        self._checks += 1
        if written in self._in_prose or self._checks > _MOST_CHECKS:
            return False
        prose = not self.is_code(at)
        if prose:
            self._in_prose.add(written)
        return prose

    def _is_lone(self, start: int, end: int) -> bool:
        """Return whether no letter or sign around the braces makes them part of something else."""
        before, after = self._text[start - 1 : start], self._text[end : end + 1]
        return not (_JOINS_BEFORE.match(before) or _JOINS_AFTER.match(after))

    def _near(self, name: str) -> str:
        self._comparisons += 1
        if self._comparisons > 2 * MOST:
            return ""
        names = {
            known.lower(): known
            for known in list(self._namespace)
            if not known.startswith("_") and has_variable(known, self._namespace)
        }
        near = near_match(name.lower(), names)
        return names[near] if near else ""

    @cached_property
    def _code(self) -> list[tuple[int, int]]:
        """The start and end of each code fence and each inline code span."""
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
