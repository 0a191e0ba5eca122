"""Everything that a user reads is in the tables, in English and in Chinese, and every text is used."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import pickle
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import cbai_notebook
from cbai_notebook import i18n
from cbai_notebook.conversation.formats.export import export
from cbai_notebook.conversation.formats.export_files import Export
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import (
    CELL,
    PANEL,
    PYTHON,
    Counted,
    Placed,
    Words,
    joined,
    listed,
    say,
    spelled,
)
from cbai_notebook.i18n.spellings import SPELLINGS
from cbai_notebook.i18n.words import Entry, language, note_page_language, table
from cbai_notebook.mcp_servers.server import McpServer
from cbai_notebook.notebook.command_line.commands import COMMANDS
from cbai_notebook.notebook.command_line.options import OPTIONS

PACKAGE = Path(cbai_notebook.__file__).parent
TABLES = sorted(
    file.stem for file in (PACKAGE / "i18n" / "tables").glob("*.py") if file.stem != "__init__"
)
AREAS = {area: {f"{area}.{name}": entry for name, entry in table(area).items()} for area in TABLES}
ENTRIES = {key: entry for entries in AREAS.values() for key, entry in entries.items()}
SOURCES = {
    file.relative_to(PACKAGE).as_posix(): file.read_text("utf-8")
    for file in sorted(PACKAGE.rglob("*.py"))
    if file.relative_to(PACKAGE).parts[0] != "i18n"
}
CHINESE = "[\u4e00-\u9fff]"
SCRIPTS = "\n".join(file.read_text("utf-8") for file in PACKAGE.rglob("*.js"))


# The tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [key for key in ENTRIES if "{-m " in str(ENTRIES[key][1])])
def test_a_choice_in_the_model_menu_stands_behind_a_colon_in_chinese(key: str) -> None:
    assert not re.search(r"[^：]\{-m ", str(ENTRIES[key][1])), (
        "在模型菜单中填写 … is a whole sentence"
    )


def in_braces(text: str) -> set[str]:
    """Return the names in braces of a text: values and spellings."""
    return {
        name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name
    }


def placeholders(text: str) -> set[str]:
    """Return the names of the values of a text, also of those within its spellings."""
    names = in_braces(text)
    used = names & SPELLINGS.keys()
    return (names - used).union(
        *(
            in_braces(way)
            for spelling in map(SPELLINGS.__getitem__, used)
            for way in (spelling.cell, spelling.python, *(spelling.panel or ()))
        )
    )


def forms(entry: str | Counted | Placed) -> tuple[str, ...]:
    """Return the forms of an entry in one language."""
    return (entry,) if isinstance(entry, str) else tuple(text for text in entry if text is not None)


def english(entry: Entry) -> tuple[str, ...]:
    return forms(entry[0])


def chinese(entry: Entry) -> tuple[str, ...]:
    return forms(entry[1])


# A test for each table, not for each text: there are many, and a test costs more than what it does.
@pytest.mark.parametrize("area", AREAS)
def test_a_text_says_the_same_in_both_languages(area: str) -> None:
    for key, entry in AREAS[area].items():
        for text in (*english(entry), *chinese(entry)):
            assert text.strip() == text, f"{key}: no blanks around it"
            assert text, key
        assert isinstance(entry[0], Placed) == isinstance(entry[1], Placed), key
        if isinstance(entry[0], Placed):
            pairs = list(zip(english(entry), chinese(entry), strict=True))
        else:
            pairs = [(text, entry[1]) for text in english(entry)][-1:]
        for text, translated in pairs:
            assert in_braces(text) - {"n"} == in_braces(translated) - {"n"}, key
        letters = re.sub(r"\{[^{}]*\}|`[^`]*`|%%?\w+|--?\w[\w-]*", "", english(entry)[0])
        if len(re.findall(r"[A-Za-z]{2,}", letters)) > 3:
            assert re.search(CHINESE, chinese(entry)[0]), f"{key} is not translated"


# Chinese -----------------------------------------------------------------------------------------

LATIN = "[A-Za-z0-9]"
FULL_WIDTH = "[\uff0c\u3002\uff1a\uff1b\uff01\uff1f\uff08\uff09\u3001\u201c\u201d]"
WRONG_BLANKS = re.compile(
    rf"{CHINESE}{LATIN}|{LATIN}{CHINESE}|{FULL_WIDTH} (?!\s)|(?<=\S) {FULL_WIDTH}"
)


def latin_values(text: str) -> dict[str, object]:
    """Return values for a text that begin and end with a Latin letter, or are numbers."""
    numbers = set(re.findall(r"\{(\w+):[^{}]*\}", text))
    return {name: 5 if name in numbers or name == "n" else "Ab" for name in placeholders(text)}


@pytest.mark.parametrize("area", AREAS)
def test_chinese_has_one_blank_beside_latin_words_and_none_beside_its_punctuation(
    area: str,
) -> None:
    for key, entry in AREAS[area].items():
        for text in chinese(entry):
            assert not WRONG_BLANKS.search(text), key
        values = {"n": 5} | dict(
            pair for text in chinese(entry) for pair in latin_values(text).items()
        )
        for place in (CELL, PANEL, PYTHON):
            assert not WRONG_BLANKS.search(Words(key, values).in_language("zh", place)), key


def test_a_chinese_list_has_blanks_beside_latin_names_only() -> None:
    assert listed(["code", "json"], "or").in_language("zh") == "code 或 json"
    assert listed(["a", "b", "天气"]).in_language("zh") == "a、b 和天气"
    assert listed(["天气", "地图"]).in_language("zh") == "天气和地图"
    assert listed(["a", listed(["b", "c"])]).in_language("zh") == "a 和 b 和 c"
    assert listed(["a"]).in_language("zh") == "a"
    assert listed([]).in_language("zh") == ""
    assert say("import_file.not_a_list", kind="null").in_language("zh") == (
        "消息应为列表，而不是 null。"
    )
    assert say("import_file.not_a_list", kind="对象").in_language("zh") == (
        "消息应为列表，而不是对象。"
    )


# Where they are read -----------------------------------------------------------------------------

OF_CELLS = frozenset(
    ["answer", "app", "cell", "command", "help", "option", "page", "secret", "service", "terminal"]
)
"""The areas whose texts only a cell, the panel or a terminal shows. They write options as they are."""

AS_WRITTEN = frozenset(["demo.help", "tool.tools_are_no_list"])
"""Texts that name options as they are: what the demo model answers, and what only Python code reads."""

NO_ARGUMENT = re.compile(r"%cbai (models|reset)|--no-history or -c NAME|--no-history 或 -c NAME")
"""What has no pair: commands without a function, and what a text for cells alone names."""


def read_texts(area: str) -> Iterator[tuple[str, str]]:
    """Yield each text of a table in both languages with its key, but those that stay as written."""
    for key, entry in AREAS[area].items():
        if key not in AS_WRITTEN:
            yield from ((key, text) for text in (*english(entry), *chinese(entry)))


@pytest.mark.parametrize("area", [area for area in AREAS if area not in OF_CELLS])
def test_an_option_is_named_by_its_pair_where_python_reads_too(area: str) -> None:
    for key, text in read_texts(area):
        outside = NO_ARGUMENT.sub(
            "", re.sub(r"\{[-%][^{}]*\}|python -m pip install(?: -U)?|%%cbai (?:cell|单)", "", text)
        )
        assert not re.search(r"(?<![\w-])--?[a-zA-Z][\w-]*|%cbai \w", outside), f"{key}: {outside}"


ARGUMENTS = {
    name
    for spelling in SPELLINGS.values()
    if "(" not in spelling.python
    for name in re.findall(r"(\w+)=", spelling.python)
}


@pytest.mark.parametrize("area", AREAS)
def test_an_argument_is_named_by_its_pair_where_a_cell_reads_too(area: str) -> None:
    for key, text in read_texts(area):
        outside = re.sub(r"\{[-%][^{}]*\}|(?:configure|ChatPanel)\([^()]*\)", "", text)
        assert not ARGUMENTS & set(re.findall(r"(\w+)=", outside)), f"{key}: {outside}"


FLAGS = {
    flag
    for options in (OPTIONS, *(syntax.options for syntax in COMMANDS))
    for option in options
    for flag in option.flags
}


@pytest.mark.parametrize("key", SPELLINGS)
def test_the_option_of_a_pair_is_one_of_the_command_line(key: str) -> None:
    first, *rest = SPELLINGS[key].cell.split()
    if first == "%cbai":
        assert rest[0] in {syntax.name for syntax in COMMANDS}
    else:
        assert {word for word in (first, *rest) if word.startswith("-")} <= FLAGS


@pytest.mark.parametrize("key", SPELLINGS)
def test_every_pair_is_used(key: str) -> None:
    in_tables = any(key in in_braces(text) for entry in ENTRIES.values() for text in english(entry))
    assert in_tables or f'"{key}"' in "\n".join(SOURCES.values())


def parameters(function: Callable[..., object]) -> set[str]:
    """Return the parameters of a function, with those that its description lists."""
    described = re.findall(r"``(\w+)``", function.__doc__ or "")
    return {*inspect.signature(function).parameters, *described}


PUBLIC: dict[str, tuple[Callable[..., object], ...]] = {
    "batches": (cbai_notebook.batches,),
    "configure": (cbai_notebook.configure,),
    "create_model": (cbai_notebook.create_model,),
    "create_image_model": (cbai_notebook.create_image_model,),
    "generate_text": (cbai_notebook.Model.generate_text,),
    "prepare": (cbai_notebook.Model.prepare,),
    # an argument alone: of the call that the user has written
    "confirm": (McpServer.confirm,),
    "call": (
        cbai_notebook.Model.generate_text,
        cbai_notebook.Agent.send_message,
        cbai_notebook.batch,
        cbai_notebook.compare,
        export,
        Export.write,
    ),
}


@pytest.mark.parametrize(
    # A command without a function is written as a command in Python too.
    "key",
    [key for key in SPELLINGS if SPELLINGS[key].python != SPELLINGS[key].cell],
)
def test_the_argument_of_a_pair_is_one_of_a_public_function(key: str) -> None:
    code = SPELLINGS[key].python.format(
        name="name", provider="deepseek", column="'answer_2'", example="'v2_'"
    )
    code = code.replace(", …)", ", **rest)").replace("…", "...")
    if "(" not in code:
        code = f"call({code})"
    used = [node for node in ast.walk(ast.parse(code, mode="eval")) if isinstance(node, ast.Call)]
    assert used
    for node in used:
        known = set().union(*map(parameters, PUBLIC[called(node)]))
        assert {keyword.arg for keyword in node.keywords if keyword.arg} <= known


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


def uses(name: str) -> Iterator[Said]:
    """Yield the uses of texts in a file of the package."""
    for node in calls_in(SOURCES[name]):
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


USES = {name: found for name in SOURCES if (found := list(uses(name)))}


@pytest.mark.parametrize("name", USES)
def test_a_text_that_is_said_is_in_the_tables(name: str) -> None:
    for said in USES[name]:
        assert said.key != "?", f"{said.place}: write the key, or at least its beginning"
        if said.key.endswith("*"):
            assert any(key.startswith(said.key[:-1]) for key in ENTRIES), said
            continue
        assert said.key in ENTRIES, said
        if said.values is not None:
            entry = ENTRIES[said.key]
            needed = set().union(*map(placeholders, (*english(entry), *chinese(entry))))
            is_counted = isinstance(entry[0], Counted)
            assert said.values == needed | ({"n"} if is_counted else set()), said


@pytest.mark.parametrize("area", AREAS)
def test_every_text_of_the_tables_is_said(area: str) -> None:
    keys = {said.key for found in USES.values() for said in found}
    begins = tuple(key[:-1] for key in keys if key[-1] == "*")
    literals = "\n".join(SOURCES.values())
    for key in AREAS[area].keys() - keys:
        name = key.partition(".")[2]
        assert (
            key.startswith(begins)
            or f'"{key}"' in literals
            or (area == "page" and re.search(rf"\b{name}\b", SCRIPTS))
        ), key


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
    assert "en 和 zh" in text.in_language("zh")
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


def test_a_text_is_said_for_a_cell_and_for_python_in_each_language_also_after_it_was_stored() -> (
    None
):
    inner = say("tool.answer_was_cut", name="City")
    text = say("cell.option_problem", option="-x", name="a", problem=joined(inner, "Yes."))
    stored = Words.from_json(json.loads(json.dumps(text.as_json())))
    assert stored is not None
    for same in (text, stored, copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert same == same.in_language("en") == same.in_language("en", PYTHON)
        assert "max_tokens=… allows more. Yes." in same
        assert "--max-tokens" not in same
        assert "--max-tokens allows more. Yes." in same.in_language("en", CELL)
        assert "可用 --max-tokens 提高上限。Yes." in same.in_language("zh", CELL)
        assert "可用 max_tokens=… 提高上限。Yes." in same.in_language("zh", PYTHON)
        assert 'ChatPanel(params={"max_tokens": …}) allows more' in same.in_language("en", PANEL)


# What a panel has not: options, and commands but in a cell beside it.
NOT_IN_A_PANEL = re.compile(r"(?<![\w-])--?[a-z][\w-]*|%cbai (?:reset|models|continue)")
IN_A_CELL = re.compile(r"%%?cbai [^ ]*(?: [^ ]*)? in a cell|单元格中的 %%?cbai [^ ]+")
OF_A_REQUEST = ("advice", "ending", "offline", "provider", "request", "secret")


@pytest.mark.parametrize("area", OF_A_REQUEST)
def test_a_panel_advises_what_a_panel_has(area: str) -> None:
    for key, entry in AREAS[area].items():
        for name, texts in (("en", english(entry)), ("zh", chinese(entry))):
            values = {each: 5 for text in texts for each in placeholders(text)}
            said = Words(key, values).in_language(name, PANEL)
            outside = re.sub(r"pip install.*|python -m \S+", "", IN_A_CELL.sub("", said))
            assert not NOT_IN_A_PANEL.search(outside), f"{key}: {said}"


def test_a_spelling_has_the_values_of_its_text() -> None:
    text = say("provider.set_key_of_server", name="mine")
    assert text == "Set the key of 'mine' with cbai.configure(servers={'mine': …})."
    assert text.in_language("en", CELL) == "Set the key of 'mine' with %cbai login mine."


def test_an_option_is_a_value_of_a_text() -> None:
    text = say("export.option_not_taken", option=spelled("--every-turn"), forms="curl", form="web")
    again = Words.from_json(text.as_json())
    assert again is not None
    assert again == text == "every_turn=True is for curl; web does not take it."
    assert again.in_language("zh", CELL) == "--every-turn 只用于 curl，web 不支持。"


def test_an_error_can_be_spelled_for_a_cell() -> None:
    error = UsageError(say("provider.name_another_model_or_connect"))
    error.spell_for(CELL)
    assert "with -m, or" in str(error)
    assert "with -m, or" in pickle.loads(pickle.dumps(error)).line
    assert error.words is not None
    assert "model=…" in error.words
    other = UsageError("of the user")
    other.spell_for(CELL)
    assert str(other) == "of the user"


def test_an_error_is_read_in_both_languages() -> None:
    error = pickle.loads(pickle.dumps(UsageError(say(KEY, **VALUES))))
    assert str(error) == error.in_language("en") != error.in_language("zh")
    assert UsageError("of the user").in_language("zh") == "of the user"
