"""The arguments of a call that waits for approval: all is visible, and nothing passes for ours."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.notebook.screen.approval import (
    ALL_CHARS,
    FEWEST_CHARS,
    MOST_CHARS,
    left_to_right,
    shown_arguments,
)


def lines(**arguments: Any) -> list[str]:
    call = ToolCall("c1", "run", "{}", "asking", parsed=arguments)
    return ["".join(map(str, line)) for line in shown_arguments(call)]


@dataclass
class Place:
    name: str
    at: tuple[float, float] = (22.5, 114.1)


class Odd:
    def __repr__(self) -> str:
        return "<odd\n>"

    def __str__(self) -> str:
        raise RuntimeError


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError

    @property
    def model_dump(self) -> Any:
        raise OSError


class Sealed(pydantic.BaseModel):
    path: str
    data: bytes = pydantic.Field(b"\xff", exclude=True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ls", '"ls"'),
        ("", '""'),
        (None, "null"),
        (True, "true"),
        (10**40, "1" + "0" * 40),
        (float("inf"), "Infinity"),
        (Decimal("1.50"), '"1.50"'),
        ([1, {"a": [" "]}], '[1, {"a": [" "]}]'),
        (Place("Shenzhen"), '{"name": "Shenzhen", "at": [22.5, 114.1]}'),
        (Odd(), r'"<odd\n>"'),
        (Silent(), '"<Silent>"'),
        (["rm", Silent()], '["rm", "<Silent>"]'),
        (Sealed(path="a"), r"""{"path": "a", "data": b'\xff'}"""),
        (b"", "b''"),
        (b"it's \"\\\x00\n\xff", r"""b'it\'s "\\\x00\n\xff'"""),
        (b"ls" + b" " * 300 + b"; rm", "b'ls' ⟨300 blanks⟩ b'; rm'"),
        (b"ls" + b"\0" * 300, r"b'ls' ⟨300 times \x00⟩"),
        ([bytearray(b"a"), {"b": memoryview(b"c")}], "[b'a', {\"b\": b'c'}]"),
        ({b"k": 1}, "\"{b'k': 1}\""),
        ("你好 é ß 😀", '"你好 é ß 😀"'),
        ('a "quote" \\', r'"a \"quote\" \\"'),
        ("a\tb\r\nc", r'"a\tb\r\nc"'),
        ("\x1b[2J\x9b1A\x00", r'"\u001b[2J\u009b1A\u0000"'),
        ("\u202eevil\u2066\u200b\u2028", r'"\u202eevil\u2066\u200b\u2028"'),
        ("\ud800", r'"\ud800"'),
        ("\U000e0041\ufe0f\u3164\u2800", r'"\udb40\udc41\ufe0f\u3164\u2800"'),
        ("⟨5 blanks⟩", r'"\u27e85 blanks\u27e9"'),
        ("\u2329\u232a\u3008\u3009\u276c\u276d", r'"\u2329\u232a\u3008\u3009\u276c\u276d"'),
        ("\uff02\u201c\u201d\u201e\u201f", r'"\uff02\u201c\u201d\u201e\u201f"'),
        ("\ufffc\U0001d159", r'"\ufffc\ud834\udd59"'),
        ("《书》", '"《书》"'),
        ("\u0301x" + "\u0301" * 5, '"\\u0301x' + "\u0301" * 3 + '\\u0301\\u0301"'),
        ("ls" + " " * 300 + "; rm", '"ls" ⟨300 blanks⟩ "; rm"'),
        ("ls" + "\n" * 300 + "; rm", r'"ls" ⟨300 times \n⟩ "; rm"'),
        (" " * 20, "⟨20 blanks⟩"),
        (["a" + "\u3000" * 40 + "b"], r'["a" ⟨40 times \u3000⟩ "b"]'),
        ("ls" + " " * 8 + "x", '"ls        x"'),
    ],
)
def test_every_character_of_a_value_is_visible(value: Any, shown: str) -> None:
    assert lines(value=value) == [f'"value": {shown}']


def test_a_name_is_shown_like_a_value() -> None:
    assert lines(**{'a": "b"\n': 1}) == [r'"a\": \"b\"\n": 1']
    assert lines(**{"a” 〈b〉": 1}) == [r'"a\u201d \u3008b\u3009": 1']


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.lists(st.text())))
def test_what_a_model_writes_is_one_line_and_stands_in_quotes(arguments: dict[str, Any]) -> None:
    call = ToolCall("c1", "run", "{}", "asking", parsed=arguments)
    for line in shown_arguments(call):
        text = "".join(map(str, line))
        assert text.isprintable()
        assert len(text.splitlines()) == 1
        own = "".join(piece for piece in line if isinstance(piece, str))
        assert "⟨" not in own
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", own)
        assert re.fullmatch(r"[\s:,\[\]0-9-]*", outside)


@given(st.text(max_size=40))
def test_a_short_value_is_shown_in_full(value: str) -> None:
    (line,) = shown_arguments(ToolCall("c1", "run", "{}", "asking", parsed={"value": value}))
    if all(isinstance(piece, str) for piece in line):
        assert json.loads("".join(map(str, line)).removeprefix('"value": ')) == value


def test_of_what_is_long_the_beginning_and_the_end_are_shown() -> None:
    for value in ("begin " + "x" * 9_000 + " end", ["begin", *["x" * 50] * 200, "end"]):
        (line,) = lines(value=value)
        assert len(line) < MOST_CHARS + 100
        first, hidden, last = re.split(r" ⟨([\d,]+) characters left out⟩ ", line)
        assert "begin" in first
        assert last.endswith(('end"', 'end"]'))
        assert int(hidden.replace(",", "")) > 8_000
    (line,) = lines(value="x" * 5_000)
    assert line.count("x") + int("".join(re.findall(r"⟨([\d,]+)", line)).replace(",", "")) == 5_000


@pytest.mark.parametrize("others", [0, 4, 7, 30])
@pytest.mark.parametrize("depth", [1, 14, 200])
@pytest.mark.parametrize(
    "long", ["begin" + "é" * 2_000 + "the end", b"begin" + b"x" * 2_000 + b"the end"]
)
def test_the_first_and_the_last_text_in_a_list_are_never_left_out(
    others: int, depth: int, long: str | bytes
) -> None:
    value: Any = [long, *["y" * 50] * 100, long]
    for _ in range(depth):
        value = [value]
    many = {f"a{number}": 1 for number in range(others)}
    for shown in (lines(**many, value=value)[-1], lines(**many, value=[value, {"k": value}])[-1]):
        assert shown.index("begin") < 60
        assert shown.rindex("the end") > len(shown) - 60
        assert len(shown) < MOST_CHARS + 200


@given(
    st.recursive(
        st.text(max_size=400) | st.binary(max_size=400) | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.integers(0, 12),
)
def test_no_value_takes_much_more_than_its_share(value: Any, others: int) -> None:
    shown = lines(**{f"a{number}": 1 for number in range(others)}, value=value)[-1]
    assert len(shown) < max(FEWEST_CHARS, min(MOST_CHARS, ALL_CHARS // (others + 1))) + 200


def test_an_int_that_python_does_not_write_is_named() -> None:
    assert lines(value=10**5_000, more=1) == ['"value": "<int>"', '"more": 1']


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"א": 100, "ב": 999}', r'{"\u05d0": 100, "\u05d1": 999}'),
        ("ا١b", r"\u0627\u0661b"),
        ("\u05d0\u05b0\u0301b", r"\u05d0\u05b0\u0301b"),
        ("\U0001e900", r"\ud83a\udd00"),
        ("e\u0301 ⟨5 blanks⟩ 你好 12", "e\u0301 ⟨5 blanks⟩ 你好 12"),
    ],
)
def test_plain_text_has_one_reading_direction(text: str, shown: str) -> None:
    assert left_to_right(text) == shown


def test_of_many_arguments_the_first_and_the_last_are_shown() -> None:
    shown = lines(**{f"a{number}": "x" * 9_000 for number in range(500)})
    assert len(shown) == 21
    assert shown[10] == "⟨480 arguments left out⟩"
    assert shown[-1].startswith('"a499": "xxx')
    assert sum(map(len, shown)) < 6_000


def test_a_secret_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghx-0123456789abcdef")
    (line,) = lines(command="curl -H ghx-0123456789abcdef example.com")
    assert line == '"command": "curl -H " ⟨the value of GITHUB_TOKEN⟩ " example.com"'
