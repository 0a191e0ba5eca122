"""Everything that a user reads is in the tables, in English and in Chinese, and every text is used."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import cbai_notebook
from cbai_notebook import i18n
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import Counted, Words, joined, listed, say
from cbai_notebook.i18n.words import Entry, language, note_page_language, table

PACKAGE = Path(cbai_notebook.__file__).parent
TABLES = sorted(
    file.stem for file in (PACKAGE / "i18n" / "tables").glob("*.py") if file.stem != "__init__"
)
ENTRIES = {f"{area}.{name}": entry for area in TABLES for name, entry in table(area).items()}
SOURCES = {
    file.relative_to(PACKAGE).as_posix(): file.read_text("utf-8")
    for file in sorted(PACKAGE.rglob("*.py"))
    if file.relative_to(PACKAGE).parts[0] != "i18n"
}
SCRIPTS = "\n".join(file.read_text("utf-8") for file in PACKAGE.rglob("*.js"))


# The tables -------------------------------------------------------------------------------------


def placeholders(text: str) -> set[str]:
    """Return the names in braces of a text."""
    return {
        name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name
    }


def english(entry: Entry) -> tuple[str, ...]:
    return tuple(entry[0]) if isinstance(entry[0], Counted) else (entry[0],)


@pytest.mark.parametrize("key", ENTRIES)
def test_a_text_says_the_same_in_both_languages(key: str) -> None:
    entry = ENTRIES[key]
    chinese = entry[1]
    for text in (*english(entry), chinese):
        assert text.strip() == text, "no blanks around it"
        assert text
    names = set().union(*map(placeholders, english(entry)))
    assert names - {"n"} == placeholders(chinese) - {"n"}
    letters = re.sub(r"\{[^{}]*\}|`[^`]*`|%%?\w+|--?\w[\w-]*", "", english(entry)[0])
    if len(re.findall(r"[A-Za-z]{2,}", letters)) > 3:
        assert re.search("[\u4e00-\u9fff]", chinese), "it is not translated"


# Their use --------------------------------------------------------------------------------------


class Said(NamedTuple):
    """One use of a text: where, its key (or the beginning of it, with a star), and its values."""

    place: str
    key: str
    values: frozenset[str] | None


def calls_in(source: str) -> Iterator[ast.Call]:
    """Yield the calls with arguments in a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            yield node


def called(node: ast.Call) -> str:
    """Return the last name of what is called: ``say`` of ``i18n.say(…)``."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def uses() -> Iterator[Said]:
    for name, source in SOURCES.items():
        for node in calls_in(source):
            if called(node) not in ("say", "both"):
                continue
            first, place = node.args[0], f"{name}:{node.lineno}"
            names = [keyword.arg for keyword in node.keywords]
            values = None if None in names else frozenset(filter(None, names))
            if isinstance(first, ast.Constant):
                yield Said(place, str(first.value), values)
            elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                yield Said(place, f"{first.values[0].value}*", None)
            else:
                yield Said(place, "?", None)


USES = list(uses())


@pytest.mark.parametrize("said", USES, ids=lambda said: f"{said.place} {said.key}")
def test_a_text_that_is_said_is_in_the_tables(said: Said) -> None:
    assert said.key != "?", "write the key, or at least its beginning, where it is said"
    if said.key.endswith("*"):
        assert any(key.startswith(said.key[:-1]) for key in ENTRIES)
        return
    assert said.key in ENTRIES
    if said.values is not None:
        needed = set().union(
            *map(placeholders, (*english(ENTRIES[said.key]), ENTRIES[said.key][1]))
        )
        is_counted = isinstance(ENTRIES[said.key][0], Counted)
        assert said.values == needed | ({"n"} if is_counted else set())


@pytest.mark.parametrize("key", ENTRIES)
def test_every_text_of_the_tables_is_said(key: str) -> None:
    area, _, name = key.partition(".")
    literals = "\n".join(SOURCES.values())
    assert (
        any(
            said.key == key or (said.key[-1] == "*" and key.startswith(said.key[:-1]))
            for said in USES
        )
        or f'"{key}"' in literals
        or (area == "page" and re.search(rf"\b{name}\b", SCRIPTS))
    )


def raised() -> Iterator[str]:
    """Yield the places where an error of ours gets a text that is not of the tables."""
    for name, source in SOURCES.items():
        for node in calls_in(source):
            if called(node) in ERRORS and _is_prose(node.args[0]):
                yield f"{name}:{node.lineno}"


def _is_prose(node: ast.expr) -> bool:
    texts = [
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    inside_say = isinstance(node, ast.Call) and called(node) in ("say", "joined")
    return not inside_say and any(re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", text) for text in texts)


def subclasses(kind: type) -> Iterator[str]:
    yield kind.__name__
    for each in kind.__subclasses__():
        yield from subclasses(each)


ERRORS = set(subclasses(CbaiError))


def test_every_error_is_a_text_of_the_tables() -> None:
    assert list(raised()) == []


# The language -----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    i18n.choose(None)
    note_page_language("")


def test_the_language_is_the_nearest_that_is_known() -> None:
    assert language({}) == "en"
    assert language({"LANG": "zh_CN.UTF-8"}) == "zh"
    assert language({"LANG": "de_DE.UTF-8"}) == "en"
    assert language({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}) == "en"
    note_page_language("zh-CN")
    assert language({"LANG": "en_US.UTF-8"}) == "zh"
    assert language({"CBAI_LANGUAGE": "en"}) == "en"
    i18n.choose("zh")
    assert language({"CBAI_LANGUAGE": "en"}) == "zh"


def test_a_language_can_be_configured() -> None:
    cbai_notebook.configure(language="zh-CN")
    assert language({}) == "zh"
    cbai_notebook.configure(language=None)
    assert language({}) == "en"
    with pytest.raises(UsageError, match="en"):
        cbai_notebook.configure(language="Klingon")
    assert language({}) == "en"


# A text -----------------------------------------------------------------------------------------

KEY, VALUES = (
    "python.not_one_of",
    {"where": "language", "value": "'xx'", "known": listed(["en", "zh"])},
)


def test_a_text_is_said_again_in_the_other_language() -> None:
    text = say(KEY, **VALUES)
    i18n.choose("zh")
    assert say(KEY, **VALUES) == text.in_language("zh") != text
    assert "en、zh" not in text
    assert "en和zh" in text.in_language("zh")
    assert joined(text, text).in_language("en") == f"{text} {text}"


def test_a_text_can_be_stored_and_copied() -> None:
    text = say(KEY, **VALUES)
    again = Words.from_json(text.as_json())
    assert again is not None
    assert again.in_language("zh") == text.in_language("zh")
    for same in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert same == text
        assert same.in_language("zh") == text.in_language("zh")
    assert Words.from_json({"key": "python.gone", "values": {}}) is None
    assert Words.from_json("nonsense") is None


def test_an_error_is_read_in_both_languages() -> None:
    error = pickle.loads(pickle.dumps(UsageError(say(KEY, **VALUES))))
    assert str(error) == error.in_language("en") != error.in_language("zh")
    assert UsageError("of the user").in_language("zh") == "of the user"
