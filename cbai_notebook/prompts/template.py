r"""Fill in references such as ``{name}`` in a prompt.

``{name}``, ``{name.attr}``, ``{name["key"]}``, ``{name[0]}`` and chains of these are filled in if
they name a value of the user. Everything else is sent as written:

- Nothing is called or evaluated: ``{f(x)}``, ``{x:.2f}`` and ``{x + 1}`` are not changed. Neither
  are attributes that begin with an underscore.
- Functions, classes and modules are not filled in: ``{json}`` is not changed.
- ``{{name}}`` is not changed, and keeps both pairs of braces: it is an escape in some languages, a
  template in others, and most likely quoted code. ``{ name }`` with spaces counts as code too.
- Formulas are not changed: a group after a command, as both groups in ``\frac{a}{b}``, and a
  superscript or subscript, as in ``x^{n}`` and ``x_{i}``. After a word of two or more letters, an
  underscore makes no formula: ``report_{year}.csv`` is filled in.
- A table begins and ends on its own lines; missing line ends are added.
- A filled-in value is not scanned again. So text whose braces must not change can always be sent as
  the value of a variable.
- The last results are names too, as in ``{_}`` and ``{Out[3]}``, the source of a cell is ``{In[3]}`` and
  the last error ``{_err}``; IPython's other names are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cbai_notebook.i18n import say
from cbai_notebook.preferences import Preferences
from cbai_notebook.prompts.hints import DOUBLED, FORMULA, PROSE, SUBSCRIPT, Hints
from cbai_notebook.prompts.references import REFERENCE, NotFound, Reference, resolve
from cbai_notebook.prompts.tables import (
    DEFAULT_LIMITS,
    MarkdownTable,
    is_table,
    markdown_table,
)
from cbai_notebook.prompts.values import as_text

LONG_VALUE_CHARS = 20_000
"""A longer value gets a hint with its length; it is still sent completely."""


@dataclass(frozen=True)
class Expanded:
    """A prompt with its references filled in.

    Attributes:
        text: The text to send.
        used: The references that were filled in, without braces, each once, in order.
        hints: Sentences for the user about references that were not filled in, long values, and tables
            that lost digits or columns.
    """

    text: str
    used: tuple[str, ...]
    hints: tuple[str, ...]


class Slot(NamedTuple):
    """The place of a reference in a prompt that is filled in later.

    Attributes:
        reference: What is filled in there.
        before: The line ends before a value that needs its own lines, as a table does.
        after: The line ends after it.
    """

    reference: Reference
    before: str
    after: str


@dataclass(frozen=True)
class PartlyExpanded:
    """A prompt with some references filled in, and places for the others.

    Attributes:
        pieces: The parts of the text in order.
        used: The references that were filled in, without braces, each once, in order.
        hints: Sentences for the user, as in :class:`Expanded`.
        mistake: The first reference that could not be filled in although it is not in code, and the
            reason; only looked for where names are filled in later.
    """

    pieces: tuple[str | Slot, ...]
    used: tuple[str, ...]
    hints: tuple[str, ...]
    mistake: tuple[Reference, NotFound] | None


class Written(NamedTuple):
    """A possible reference, as it stands in a template.

    Attributes:
        start: Where it begins in the text.
        end: Where the text goes on behind it.
        reference: What it names.
        surroundings: What surrounds it, such as :data:`.hints.PROSE`.
    """

    start: int
    end: int
    reference: Reference
    surroundings: str


@dataclass(frozen=True)
class Template:
    """A prompt whose references have been found, to be filled in any number of times.

    Attributes:
        text: The prompt.
        references: Its possible references in order.
    """

    text: str
    references: tuple[Written, ...]

    @classmethod
    def of(cls, text: str) -> Template:
        """Find the references of a prompt, in time linear in its length."""
        return cls(text, tuple(_references(text)))

    def expand(
        self,
        namespace: Mapping[str, Any],
        *,
        limits: Preferences = DEFAULT_LIMITS,
        to_text: Callable[[Any], str] | None = None,
    ) -> Expanded:
        """Fill in the references; the arguments are those of :func:`expand`."""
        filled = self.expand_partly(namespace, (), limits=limits, to_text=to_text)
        return Expanded("".join(map(str, filled.pieces)), filled.used, filled.hints)

    def expand_partly(
        self,
        namespace: Mapping[str, Any],
        later: Collection[str],
        *,
        limits: Preferences = DEFAULT_LIMITS,
        to_text: Callable[[Any], str] | None = None,
    ) -> PartlyExpanded:
        """Fill in the references except those that begin with certain names.

        Args:
            namespace: The user's variables; the values of names in `later` do not matter.
            later: The names that are filled in later.
            limits: How much of a DataFrame or Series is sent.
            to_text: Returns the text of a value, as in :func:`expand`.
        """
        text = self.text
        values = _Values(namespace, limits, to_text)
        hints = Hints(text, namespace)
        pieces: list[str | Slot] = []
        mistake: tuple[Reference, NotFound] | None = None
        position = 0
        for start, end, reference, surroundings in self.references:
            if surroundings != PROSE:
                hints.not_filled_in(reference, start, surroundings)
                continue
            if reference.name in later:
                pieces += (text[position:start], Slot(reference, *_line_ends(text, start, end)))
                position = end
                continue
            found = values.text_of(reference)
            if isinstance(found, NotFound):
                hints.not_found(reference, start, found)
                is_mistake = later and not mistake and (found.reason or not found.known)
                if is_mistake and not hints.is_code(start):
                    mistake = (reference, found)
                continue
            pieces.append(text[position:start])
            if found.own_lines:
                before, after = _line_ends(text, start, end)
                pieces += (before, found.text, after)
            else:
                pieces.append(found.text)
            position = end
        pieces.append(text[position:])
        for used, value in values.used.items():
            if len(value.text) > LONG_VALUE_CHARS:
                hints.long_value(used, len(value.text))
        tables = {name: one.table for name, one in values.used.items() if one.table is not None}
        hints.tables(tables, limits)
        return PartlyExpanded(tuple(pieces), tuple(values.used), hints.sentences(), mistake)


def expand(
    text: str,
    namespace: Mapping[str, Any],
    *,
    limits: Preferences = DEFAULT_LIMITS,
    to_text: Callable[[Any], str] | None = None,
) -> Expanded:
    """Fill in the references of a prompt, in time linear in its length.

    Args:
        text: The prompt.
        namespace: The user's variables.
        limits: How much of a DataFrame or Series is sent.
        to_text: Returns the text of a value; by default :func:`.values.as_text`, and
            :func:`.tables.markdown_table` for a DataFrame or Series.
    """
    if "{" not in text:
        return Expanded(text, (), ())
    return Template.of(text).expand(namespace, limits=limits, to_text=to_text)


class _Value(NamedTuple):
    """The text of a value.

    Attributes:
        text: The text.
        own_lines: Whether the text needs its own lines, as a table does.
        table: What is known of a DataFrame or Series.
    """

    text: str
    own_lines: bool = False
    table: MarkdownTable | None = None


class _Values:
    """Caches the text of each reference, so that each is resolved once."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        limits: Preferences,
        to_text: Callable[[Any], str] | None,
    ) -> None:
        self._namespace = namespace
        self._limits = limits
        self._to_text = to_text
        self._failed: dict[str, NotFound] = {}
        self.used: dict[str, _Value] = {}

    def text_of(self, reference: Reference) -> _Value | NotFound:
        name = str(reference)
        if name not in self.used and name not in self._failed:
            found = self._make(reference)
            if isinstance(found, NotFound):
                self._failed[name] = found
            else:
                self.used[name] = found
        return self.used[name] if name in self.used else self._failed[name]

    def _make(self, reference: Reference) -> _Value | NotFound:
        found = resolve(reference, self._namespace)
        if isinstance(found, NotFound):
            return found
        try:
            return self._value(found.value)
        # The object is the user's, so its `__str__` may raise anything.
        except Exception as error:  # noqa: BLE001
            return NotFound(say("reference.text_failed", error=type(error).__name__), known=True)

    def _value(self, value: Any) -> _Value:
        if self._to_text is not None:
            return _Value(self._to_text(value), is_table(value))
        if not is_table(value):
            return _Value(as_text(value))
        table = markdown_table(value, self._limits)
        return _Value(table.text, True, table)


_INDENT = 100  # characters to check before a table
_REST_OF_LINE = re.compile(r"[^\S\n]*(\S|\n[^\S\n]*\S)?")


def _line_ends(text: str, start: int, end: int) -> tuple[str, str]:
    """Return the line ends before and after a table that separate it from the text around it.

    Args:
        text: The prompt.
        start: Where the reference to the table begins.
        end: Where the text goes on behind it.
    """
    ahead = text[max(start - _INDENT, 0) : start].rstrip(" \t")
    before = "" if not ahead or ahead.endswith("\n") else "\n\n"
    rest = _REST_OF_LINE.match(text, end)
    follows = rest[1] if rest else None
    after = "" if follows is None else "\n" if follows.startswith("\n") else "\n\n"
    return before, after


# Find references ----------------------------------------------------------------------------------

_TOKEN = re.compile(r"\\[A-Za-z]+\*?(?:\[[^\[\]{}\n]*\])*|[{}]")
# Users type these for line ends and tabs; they are not commands of a formula.
_ESCAPES = frozenset({r"\n", r"\t", r"\r"})


def _references(text: str) -> Iterator[Written]:
    """Yield each possible reference."""
    groups: list[bool] = []  # for each open brace: whether it is a group of a formula
    formula_at = -1  # the position where a brace would open a group of a formula
    position = 0
    while token := _TOKEN.search(text, position):
        at, position = token.span()
        if token.group() == "}":
            if groups and groups.pop():
                formula_at = position
        elif token.group() != "{":
            formula_at = -1 if token.group() in _ESCAPES else position
        else:
            surroundings = _surroundings(text, at, formula_at)
            if match := REFERENCE.match(text, at):
                position = match.end()
                formula_at = position if surroundings in (FORMULA, SUBSCRIPT) else -1
                doubled = text.endswith("{", 0, at) and text.startswith("}", position)
                reference = Reference(match["name"], match["path"])
                yield Written(at, position, reference, DOUBLED if doubled else surroundings)
            else:
                groups.append(surroundings in (FORMULA, SUBSCRIPT))


def _surroundings(text: str, at: int, formula_at: int) -> str:
    """Return what surrounds the brace at `at`."""
    before = text[max(at - 3, 0) : at]
    if at == formula_at or before.endswith("^"):
        return FORMULA
    if not before.endswith("_"):
        return PROSE
    if at - 1 == formula_at:
        return FORMULA
    base = before[:-1]
    one_letter = base[-1:].isalnum() and not (base[:-1].isalnum() or base[:-1] == "_")
    return SUBSCRIPT if one_letter or base.endswith((")", "]")) else PROSE
