"""The difference of two answers on the screen: safe, and visible without colours."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.conversation.diff import compare
from cbai_notebook.notebook.diff_view import bundle, show, terminal_text
from cbai_notebook.text import plain

CHANGE = compare("the red fox", "the blue fox\nran")


class Reader(HTMLParser):
    """A parser for what a reader sees: the elements, and the text inside each of them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.told = {"del": "", "ins": ""}
        self._open: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag != "br":
            self._open.append(tag)
        else:
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in {*self._open} & {*self.told}:
            self.told[tag] += data


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_cell_shows_what_was_removed_and_added_as_elements() -> None:
    shown = Reader(bundle(CHANGE)["text/html"])
    assert shown.told == {"del": "red", "ins": "blue\nran"}
    assert bundle(CHANGE)["text/plain"] == "the [-red-]{+blue+} fox{+\nran+}"


def test_names_stand_above_in_the_same_colours() -> None:
    shown = Reader(bundle(CHANGE, "hy3 <1>", "glm")["text/html"])
    assert shown.told == {"del": "hy3 <1>red", "ins": "glmblue\nran"}
    assert bundle(CHANGE, "hy3", "glm")["text/plain"].startswith("- hy3\n+ glm\n\nthe ")


def test_colours_are_tints_under_the_pages_own_text() -> None:
    styles = re.findall(r'<(?:del|ins) style="([^"]*)"', bundle(CHANGE)["text/html"])
    assert styles
    assert all("rgba(" in style and not re.search(r"(^|;)color:", style) for style in styles)


@given(st.text(st.characters(), max_size=40), st.text(st.characters(), max_size=40))
def test_nothing_that_a_model_writes_becomes_markup(old: str, new: str) -> None:
    markup = bundle(compare(f"<script>{old}", f"<img src=x onerror=y>{new}"), old, new)["text/html"]
    assert Reader(markup).names <= {"div", "small", "del", "ins", "br"}


def test_a_formula_is_not_typeset() -> None:
    assert "mathjax_ignore" in bundle(compare("$x$", "$y$"))["text/html"]


def test_a_terminal_shows_colours_and_other_streams_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = terminal_text(CHANGE, Terminal())
    assert "\x1b[31;9mred\x1b[0m" in coloured
    assert plain(coloured) == "the redblue fox\nran"
    assert terminal_text(CHANGE, io.StringIO()) == "the [-red-]{+blue+} fox{+\nran+}"
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in terminal_text(CHANGE, Terminal())


def test_an_answer_cannot_steer_the_terminal() -> None:
    hostile = compare("\x1b[2Jold\u202e", "\x1b]0;title\x07new\r")
    assert terminal_text(hostile, io.StringIO()) == "[-old-]{+new\n+}"
    assert re.sub(r"\x1b\[[\d;]*m", "", terminal_text(hostile, Terminal())).count("\x1b") == 0


def test_the_same_answer_twice_is_said() -> None:
    same = compare("a", "a")
    assert (
        bundle(same)["text/plain"]
        == terminal_text(same, Terminal())
        == "Both answers read the same."
    )
    assert "Both answers read the same." in bundle(same)["text/html"]


def test_outside_of_a_notebook_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    show("the red fox", "the blue fox")
    assert capsys.readouterr().out == "the [-red-]{+blue+} fox\n"
