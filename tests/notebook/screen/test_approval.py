"""The arguments of a call that waits for approval: all is visible, and nothing passes for ours."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.notebook.screen.approval import MOST_CHARS, shown_arguments


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
        ("你好 é ß 😀", '"你好 é ß 😀"'),
        ('a "quote" \\', r'"a \"quote\" \\"'),
        ("a\tb\r\nc", r'"a\tb\r\nc"'),
        ("\x1b[2J\x9b1A\x00", r'"\u001b[2J\u009b1A\u0000"'),
        ("\u202eevil\u2066\u200b\u2028", r'"\u202eevil\u2066\u200b\u2028"'),
        ("\ud800", r'"\ud800"'),
        ("\U000e0041\ufe0f\u3164\u2800", r'"\udb40\udc41\ufe0f\u3164\u2800"'),
        ("⟨5 blanks⟩", r'"\u27e85 blanks\u27e9"'),
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
