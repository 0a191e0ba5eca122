"""Code is highlighted in Jupyter's colours."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from cbai_notebook.notebook.markdown import fragment, render
from cbai_notebook.notebook.markdown.highlight import highlight
from tests.notebook.markdown.walk import walk

PYTHON = 'def f(x):\n    # why\n    return {"a": x, 1: [None]}\n'


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", PYTHON),
        ("py", PYTHON),
        ("javascript", "const a = `b${c}`; // d\n"),
        ("json", '{"a": [1, true, null]}\n'),
        ("bash", 'for f in *; do echo "$f"; done\n'),
        ("html", '<a href="x">y</a><script>z()</script>\n'),
        ("sql", "SELECT * FROM t WHERE a = 'b';\n"),
        ("console", "$ ls -l\na\n"),
        ("pycon", ">>> 1 + 1\n2\n"),
        ("diff", "-a\n+b\n"),
        ("c++", "int main() { return 0; }\n"),
        ("C", "int main(void) { return 0; }\n"),
        ("jsonc", '{"a": 1}\n'),
    ],
)
def test_code_keeps_every_character_and_gets_colours(language: str, code: str) -> None:
    coloured = highlight(code, language)
    assert text_of(coloured) == code
    assert "var(--jp-mirror-editor-" in coloured
    walk(render(f"```{language}\n{code}```\n"))


@pytest.mark.parametrize("language", ["", "nosuch", "../x", "a" * 100, "<b>", "text", "plaintext"])
def test_unknown_code_has_one_colour(language: str) -> None:
    assert highlight("x = <1>\n", language) == "x = &lt;1&gt;\n"


def test_neighbours_of_one_colour_are_one_element() -> None:
    assert highlight("a = 'b' 'c'\n", "python").count("<span") == 2


def test_code_begins_and_ends_as_written() -> None:
    for code in ("\n\n  x\n\n\n", "x", "\tx\n", "\r"):
        assert text_of(highlight(code, "python")) == code


def test_the_colours_that_stand_in_read_on_white_and_on_black() -> None:
    def luminance(tone: str) -> float:
        parts = [int(tone[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    from cbai_notebook.notebook.markdown.highlight import _COLOURS

    for name, tone in _COLOURS.items():
        bright = luminance(tone)
        assert 1.05 / (bright + 0.05) >= 4, (name, "on white")
        assert (bright + 0.05) / 0.05 >= 4, (name, "on black")


def test_code_that_is_too_long_has_one_colour() -> None:
    assert "<span" in highlight("x = 1\n" * 1_000, "python")
    assert "<span" not in highlight("x = 1\n" * 10_000, "python")
    assert "<span" not in highlight("x = '" + "a" * 1_000 + "'\n", "python")


def test_code_that_takes_too_long_has_one_colour_from_then_on() -> None:
    def slow() -> Iterator[float]:
        seconds = 0.0
        while True:
            yield seconds
            seconds += 10

    code = "a_slow_one = 1\n" * 20
    time = slow()
    assert "<span" not in highlight(code, "python", clock=lambda: next(time))
    assert "<span" not in highlight(code + "more = 2\n", "python", clock=lambda: 0.0)
    assert "<span" in highlight("a_fast_one = 1\n", "python", clock=lambda: 0.0)


def test_the_info_string_leaves_no_trace() -> None:
    assert fragment('```nosuch" onclick="x\na\n```') == "<pre><code>a\n</code></pre>\n"
