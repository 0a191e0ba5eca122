"""The language of the user, and the texts of the tables, which can be said in every language."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from string import Formatter
from typing import Any, Literal, NamedTuple

from cbai_notebook.i18n.spellings import CELL, PANEL, PYTHON, SPELLINGS, Place

LANGUAGES = ("en", "zh")
"""The languages of the tables: English and simplified Chinese."""

VARIABLE = "CBAI_LANGUAGE"
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # POSIX: the first that is set decides

_chosen: str | None = None
_page: str | None = None
_listeners: list[Callable[[], None]] = []


def language(environ: Mapping[str, str] | None = None) -> str:
    """Return the language of the user: one of `LANGUAGES`.

    In this order: :func:`choose`, the variable ``CBAI_LANGUAGE``, the language of the page that a
    panel has told last, the locale (``LC_ALL``, ``LC_MESSAGES``, ``LANG``), English.

    Args:
        environ: Environment variables; those of the process by default.
    """
    environ = os.environ if environ is None else environ
    locale = next(filter(None, map(environ.get, _LOCALE)), None)
    for name in (_chosen, environ.get(VARIABLE), _page, locale):
        if name and (found := _known(name)):
            return found
    return "en"


def configured_language(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the language that the user has set, or ``None``: then a page has its own."""
    environ = os.environ if environ is None else environ
    return _chosen or _known(environ.get(VARIABLE) or "")


def checked(name: str) -> str | None:
    """Return the language of the tables for a name such as ``"zh"``, ``"zh-CN"`` or ``"en_US.UTF-8"``.

    ``None`` if there is none.
    """
    return _known(name)


def choose(name: str | None) -> None:
    """Set the language for the rest of this process; ``None`` leaves it to the surroundings.

    Args:
        name: One of `LANGUAGES`.
    """
    global _chosen
    _chosen = name
    _tell_listeners()


def note_page_language(name: str) -> None:
    """Remember the language of the page that shows a panel, as browsers name it: ``"zh-CN"``."""
    global _page
    _page = _known(name)
    _tell_listeners()


def watch_language(listener: Callable[[], None]) -> Callable[[], None]:
    """Call a function whenever the language may have changed; return a function that ends this.

    Args:
        listener: Called on the thread that changes the language.
    """
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def _tell_listeners() -> None:
    for listener in tuple(_listeners):
        listener()


def _known(name: str) -> str | None:
    short = name.strip().lower()[:2]
    rest = name.strip()[2:3]
    return short if short in LANGUAGES and rest in ("", "-", "_", ".") else None


# The texts ------------------------------------------------------------------------------------------


class Counted(NamedTuple):
    """An English text that depends on a number, which is the value ``n``.

    Attributes:
        one: The text for 1.
        other: The text for all other numbers.
    """

    one: str
    other: str


class Placed(NamedTuple):
    """A text that gives other advice at each place, where other spellings are not enough.

    Attributes:
        cell: The text for a cell.
        python: The text for Python code; None is that for a cell, with its own spellings.
        panel: The text for a panel; None as well.
    """

    cell: str
    python: str | None = None
    panel: str | None = None

    def at(self, place: Place) -> str:
        """Return the text for a place."""
        return {PANEL: self.panel, PYTHON: self.python}.get(place) or self.cell


Entry = tuple[str | Counted | Placed, str | Placed]
"""A text in English and in Chinese, with values in braces as in ``str.format``: ``"{name} is empty."``

A key of :data:`~cbai_notebook.i18n.spellings.SPELLINGS` in braces becomes what its place writes."""

Table = Mapping[str, Entry]
"""Texts by their names within an area."""

_JOINED, _LISTED, _SPELLED = "joined", "listed", "spelled"


class Words(str):
    """A text of the tables with its values, in one language; a usual string otherwise.

    The string is the one for Python code; :func:`said_now` and :meth:`in_language` say it for other places.

    Attributes:
        key: ``AREA.NAME`` in the tables.
        values: The values of the text, by name; they may be texts of the tables too.
    """

    __slots__ = ("key", "values")

    key: str
    values: Mapping[str, Any]

    def __new__(cls, key: str, values: Mapping[str, Any], text: str | None = None) -> Words:
        """Make a text in the current language, unless `text` has it already."""
        made = super().__new__(
            cls, _rendered(key, values, language(), PYTHON) if text is None else text
        )
        made.key, made.values = key, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Words, (self.key, dict(self.values), str(self))

    def in_language(self, name: str, place: Place = PYTHON) -> str:
        """Return the text in a language of `LANGUAGES`, with the spellings of a place."""
        return _rendered(self.key, self.values, name, place)

    def as_json(self) -> dict[str, Any]:
        """Return the key and the values as plain JSON, from which :meth:`from_json` makes the text again."""
        return {"key": self.key, "values": {name: _plain(v) for name, v in self.values.items()}}

    @classmethod
    def from_json(cls, stored: Any) -> Words | None:
        """Return a stored text in the current language; ``None`` if the tables do not have it."""
        try:
            values = {str(name): _restored(v) for name, v in stored["values"].items()}
            return cls(str(stored["key"]), values)
        except (LookupError, TypeError, AttributeError, ValueError, ImportError):
            return None


def say(key: str, /, **values: Any) -> Words:
    """Return a text of the tables in the current language.

    Args:
        key: ``AREA.NAME``: the text `NAME` in ``tables/AREA.py``.
        values: The values of the text. ``n`` decides between the two forms of a `Counted` text.
    """
    return Words(key, values)


def joined(*parts: str) -> Words:
    """Return sentences one after the other; empty ones are left out."""
    return Words(_JOINED, {"parts": [part for part in parts if part]})


def listed(items: Iterable[str], last: Literal["and", "or"] = "and") -> Words:
    """Return names as a part of a sentence: ``"A, B and C"``, or ``"A, B or C"``."""
    return Words(_LISTED, {"items": list(items), "last": last})


def spelled(option: str) -> Words:
    """Return an option as a part of a sentence, as the place of the sentence writes it.

    Args:
        option: A key of :data:`~cbai_notebook.i18n.spellings.SPELLINGS`.
    """
    return Words(_SPELLED, {"option": option})


def entry(key: str) -> Entry:
    """Return a text in all languages.

    Raises:
        KeyError: There is no such text.
    """
    area, _, name = key.partition(".")
    return table(area)[name]


@cache
def table(area: str) -> Table:
    """Return the texts of one area, which is a module of ``tables``."""
    try:
        found: Table = import_module(f"cbai_notebook.i18n.tables.{area}").WORDS
    except ModuleNotFoundError as error:
        raise KeyError(area) from error
    return found


def said_now(text: str, place: Place = PYTHON) -> str:
    """Return a text in the current language if it is of the tables, else unchanged.

    Args:
        text: The text.
        place: Where it is shown.
    """
    return text.in_language(language(), place) if isinstance(text, Words) else text


def template(key: str, name: str, n: Any = None, place: Place = CELL) -> str:
    """Return a text in a language with the names of its values in braces.

    Args:
        key: ``AREA.NAME`` in the tables.
        name: The language.
        n: The number that decides between the two forms of a `Counted` text.
        place: The place that decides between the forms of a `Placed` text.
    """
    text = entry(key)[LANGUAGES.index(name)]
    if isinstance(text, Counted):
        return text.one if n == 1 else text.other
    if isinstance(text, Placed):
        return text.at(place)
    return text


def texts(area: str) -> dict[str, dict[str, str]]:
    """Return the texts of an area that have one form, by language and name; for JavaScript."""
    return {
        language_name: {
            name: text
            for name, found in table(area).items()
            if isinstance(text := found[number], str) and isinstance(found[0], str)
        }
        for number, language_name in enumerate(LANGUAGES)
    }


def _rendered(key: str, values: Mapping[str, Any], name: str, place: Place) -> str:
    if key == _JOINED:
        parts = [_said(part, name, place) for part in values["parts"]]
        return _adjoined(parts, name) if name == "zh" else " ".join(parts)
    if key == _LISTED:
        items = [_said(item, name, place) for item in values["items"]]
        comma, last = _LIST[name, values["last"]]
        before = comma.join(items[:-1])
        return _adjoined((before, last if before else "", *items[-1:]), name)
    if key == _SPELLED:
        return SPELLINGS[values["option"]].at(place, name)
    said = _Values({each: _said(value, name, place) for each, value in values.items()})
    said.place, said.language = place, name
    return _filled(template(key, name, values.get("n"), place), said, name)


class _Values(dict[str, Any]):
    """The values of a text, and the spellings of its place in its language."""

    place: Place
    language: str

    def __missing__(self, key: str) -> str:
        return SPELLINGS[key].at(self.place, self.language).format_map(self)


def _filled(text: str, values: Mapping[str, Any], name: str) -> str:
    """Return a text with its values filled in."""
    if name != "zh":
        return text.format_map(values)
    pieces: list[str] = []
    for before, field, form, conversion in Formatter().parse(text):
        pieces.append(before)
        if field is not None:
            how = (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            pieces.append(f"{{{field}{how}}}".format_map(values))
    return _adjoined(pieces, name)


def _adjoined(pieces: Iterable[str], name: str) -> str:
    """Return pieces of a text one after the other.

    In Chinese a blank stands beside a Latin word or number, and none between two Chinese characters.
    """
    text = ""
    for piece in filter(None, pieces):
        following = piece
        if name == "zh" and text:
            if _are_chinese(text[-2:-1], piece[0]) and text[-1] == " ":
                text = text[:-1]
            elif _are_chinese(text[-1], piece[1:2]) and piece[0] == " ":
                following = piece[1:]
            elif _needs_blank(text[-1], piece[0]):
                text += " "
        text += following
    return text


def _are_chinese(left: str, right: str) -> bool:
    return bool(left and right) and _is_chinese(left) and _is_chinese(right)


def _needs_blank(left: str, right: str) -> bool:
    """Return whether one character is Chinese and the other a Latin letter or a digit."""
    return (_is_chinese(left) and _is_latin(right)) or (_is_latin(left) and _is_chinese(right))


def _is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


_LIST = {
    ("en", "and"): (", ", " and "),
    ("en", "or"): (", ", " or "),
    ("zh", "and"): ("、", "和"),
    ("zh", "or"): ("、", "或"),
}
"""What stands between the names of a list, and before the last one."""


def _said(value: Any, name: str, place: Place) -> Any:
    return value.in_language(name, place) if isinstance(value, Words) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Words):
        return {"words": value.as_json()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float)) or value is None else str(value)


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        restored = Words.from_json(value["words"])
        if restored is None:
            raise KeyError(value["words"])
        return restored
    return [_restored(item) for item in value] if isinstance(value, list) else value
