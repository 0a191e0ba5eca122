"""An answer written to a terminal."""

from __future__ import annotations

import io

import pytest

from cbai_notebook.notebook.screen import Facts, Screen, TerminalSurface


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen_on(stream: io.TextIOBase) -> Screen:
    return Screen(TerminalSurface(stream))  # type: ignore[arg-type]


def test_tokens_are_written_as_they_come() -> None:
    stream = io.StringIO()
    screen = screen_on(stream)
    screen.wait()
    assert stream.getvalue() == ""
    screen.text("Hel")
    assert stream.getvalue() == "Hel"
    screen.text("lo")
    assert stream.getvalue() == "Hello"
    assert screen.due() is None


def test_the_end_starts_a_line() -> None:
    stream = io.StringIO()
    screen = screen_on(stream)
    screen.text("Hello")
    screen.finish("cancelled", footer=Facts(label="local"))
    assert stream.getvalue() == "Hello\nstopped · local\n"


def test_nothing_is_added_to_an_answer_that_needs_nothing() -> None:
    stream = io.StringIO()
    screen = screen_on(stream)
    screen.text("Hello\n")
    screen.finish("complete")
    assert stream.getvalue() == "Hello\n"


def test_control_characters_do_not_reach_the_terminal() -> None:
    stream = Terminal()
    screen = screen_on(stream)
    screen.text("a\x1b]0;title\x07b\x9b31mc\x08\r\nd\te\u202ef")
    assert stream.getvalue() == "a]0;titleb31mc\nd\tef"


def test_reasoning_is_dim_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    screen = screen_on(stream)
    screen.reasoning("I ")
    screen.reasoning("think")
    screen.text("42")
    screen.finish("complete", footer=Facts(label="local"))
    dim, plain = "\x1b[2m", "\x1b[0m"
    assert stream.getvalue() == (f"{dim}I {plain}{dim}think{plain}\n\n42\n{dim}local{plain}\n")


@pytest.mark.parametrize("quiet", [True, False])
def test_reasoning_is_announced_where_it_cannot_be_dim(
    monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    if quiet:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal() if quiet else io.StringIO()
    screen = screen_on(stream)
    screen.reasoning("I think\n")
    screen.text("42")
    assert stream.getvalue() == "Reasoning:\nI think\n\n42"


def test_a_terminal_that_cannot_write_chinese_says_so_with_marks() -> None:
    raw = io.BytesIO()
    screen = screen_on(io.TextIOWrapper(raw, encoding="ascii"))
    screen.text("李白 wrote")
    assert raw.getvalue() == b"?? wrote"


def test_any_format_is_written_as_it_comes() -> None:
    stream = io.StringIO()
    screen = Screen(TerminalSurface(stream), format="json")
    screen.text('{"a"')
    assert stream.getvalue() == '{"a"'


def test_an_empty_answer_says_so() -> None:
    stream = io.StringIO()
    screen_on(stream).finish("complete")
    assert stream.getvalue() == "The answer is empty.\n"


def test_an_answer_of_reasoning_only_says_so() -> None:
    stream = io.StringIO()
    screen = screen_on(stream)
    screen.reasoning("I think")
    screen.text("\n")
    screen.finish("complete")
    assert stream.getvalue().startswith("Reasoning:\nI think\n")
    assert "only reasoning came" in stream.getvalue()
