"""Text that is fit for a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.text import plain
from tests.notebook.markdown.corpus import EVERYTHING

UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;196mred\x1b[m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;ZXZpbA==\x07", ""),
        ("\x1bP1;2q...\x1b\\x", "x"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cx", "x"),
        ("\x1bc\x1b7\x1b(Bx", "x"),
        ("\x1b]0;never ends\nnext line", "0;never ends\nnext line"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("over\rwritten", "over\nwritten"),
        ("a\r\nb", "a\nb"),
        ("a\x08b\x07c\x00d\x7fe\x85f", "abcdef"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2066a\u2069", "a"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d", "\ufffd"),
        ("中文 😀 \u200d é", "中文 😀 \u200d é"),
    ],
)
def test_what_steers_is_gone(source: str, expected: str) -> None:
    assert plain(source) == expected


@pytest.mark.parametrize("source", EVERYTHING)
def test_a_hostile_answer_is_fit_for_a_terminal(source: str) -> None:
    assert not UNFIT.search(plain(source))


@given(st.text(st.sampled_from("ab\n\t\r\x1b[]\\0;m\x07\x9b\x9c\x9d\u202e\ud83d\ude00")))
def test_any_text_becomes_fit_and_stays_so(source: str) -> None:
    text = plain(source)
    assert not UNFIT.search(text)
    assert plain(text) == text


@given(st.lists(st.text(st.sampled_from("ab\x1b[]\\0;m\x07\x9b\x9c\x9d\u202e")), max_size=5))
def test_lines_are_cleaned_alike_alone_and_together(lines: list[str]) -> None:
    assert plain("\n".join(lines)) == "\n".join(map(plain, lines))
