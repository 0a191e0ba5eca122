"""Text helpers: safe text for a terminal, text on one line, and small rules about words."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.text import (
    CJK,
    HANGUL,
    IDEOGRAPHS,
    KANA,
    MASK,
    MOST_MARKS,
    columns,
    counted,
    cut,
    first_words,
    is_yes,
    masked,
    near_match,
    normalized,
    one_line,
    plain,
    shortened,
    split_lines,
    without_controls,
    without_surrogates,
)
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


# Controls, surrogates and lines


@given(st.text(st.sampled_from("ab\n\t\r\x1b[m\x07\x9b\u202e\u2069é😀")))
def test_control_characters_go_one_by_one(source: str) -> None:
    text = without_controls(source)
    assert not UNFIT.search(text)
    assert without_controls(source[:3]) + without_controls(source[3:]) == text


def test_without_its_control_character_a_sequence_is_text() -> None:
    assert without_controls("\x1b[31mred\x1b[0m\ta\nb") == "[31mred[0m\ta\nb"


ANY_TEXT = st.text(st.characters(codec=None))
"""Any text that Python can hold, lone surrogates included."""


@given(ANY_TEXT)
def test_text_without_surrogates_has_a_utf8_form(source: str) -> None:
    text = without_surrogates(source)
    text.encode()
    assert without_surrogates(text) == text
    if text == source:
        source.encode()


@given(st.text())
def test_text_that_has_a_utf8_form_is_left_alone(source: str) -> None:
    assert without_surrogates(source) is source


def test_surrogate_pairs_are_joined_and_lone_ones_replaced() -> None:
    assert without_surrogates("a\ud83d\ude00b\ude00c\ud83d") == "a😀b\ufffdc\ufffd"


@given(st.text(st.sampled_from("ab\n\r\x0b\x0c\x1c\x85\u2028")))
def test_lines_end_at_newlines_only(source: str) -> None:
    lines = split_lines(source)
    assert "".join(lines) == source
    assert len(lines) == source.count("\n") + 1
    assert all(line.endswith("\n") for line in lines[:-1])
    assert "\n" not in lines[-1]


# Shortening


@given(st.text(), st.integers(1, 20))
def test_a_cut_text_is_never_longer_than_allowed(text: str, longest: int) -> None:
    short = cut(text, longest)
    assert len(short) <= longest
    if len(text) <= longest:
        assert short == text
    else:
        assert short == text[: longest - 1] + "…"


@given(st.text(st.sampled_from("ab \t\n\u3000é好")), st.integers(1, 20))
def test_a_shortened_text_has_single_blanks(text: str, longest: int) -> None:
    short = shortened(text, longest)
    assert len(short) <= longest
    assert not re.search(r"[^\S ]|  |^ ", short)
    assert short == cut(" ".join(text.split()), longest)


@given(ANY_TEXT, st.one_of(st.none(), st.integers(1, 20)))
def test_one_line_is_one_printable_line(text: str, longest: int | None) -> None:
    line = one_line(text, longest)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert "  " not in line
    if longest is None:
        assert line == line.strip()
    else:
        assert len(line) <= longest


@pytest.mark.parametrize(
    ("text", "longest", "line"),
    [
        ("a\n\n b\tc ", None, "a b c"),
        ("a\x00b\u2028c\u202ed", None, "a b c d"),
        ("\n" * 300 + "words after many lines", 10, "words aft…"),
        ("好" * 20, 5, "好好好好…"),
        ("", 5, ""),
    ],
)
def test_a_text_on_one_line(text: str, longest: int | None, line: str) -> None:
    assert one_line(text, longest) == line


@pytest.mark.parametrize("shorten", [shortened, one_line])
def test_shortening_a_huge_text_takes_as_long_as_a_small_one(shorten: Any) -> None:
    class Recorder(str):
        """Text that counts the characters that were taken out of it."""

        taken = 0

        def __getitem__(self, key: Any) -> str:
            part = super().__getitem__(key)
            Recorder.taken += len(part)
            return part

        def split(self, *_: Any) -> list[str]:
            raise AssertionError("all of the text was split")

        def __iter__(self) -> Any:
            raise AssertionError("all of the text was read")

    assert shorten(Recorder("word " * 1_000_000), 10) == "word word…"
    assert Recorder.taken <= 1_000


# Small rules


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 turns"), (1, "1 turn"), (2, "2 turns"), (1000, "1,000 turns")]
)
def test_a_number_agrees_with_its_noun(number: int, text: str) -> None:
    assert counted(number, "turn") == text


@pytest.mark.parametrize(
    ("word", "match"),
    [
        ("histroy", "history"),
        ("his", None),
        ("exprot", "export"),
        ("banana", None),
        ("", None),
    ],
)
def test_a_mistyped_word_is_recognised(word: str, match: str | None) -> None:
    assert near_match(word, (name for name in ("history", "export", "use"))) == match


def test_a_beginning_of_four_letters_or_more_wins_if_wanted() -> None:
    names = ("temp", "temperature", "top_p")
    assert near_match("tempe", names) == "temp"
    assert near_match("tempe", names, beginning=True) == "temperature"
    assert near_match("hist", ("history",), beginning=True) == "history"
    assert near_match("his", ("history",), beginning=True) is None
    assert near_match("anything", []) is None


def test_a_secret_is_masked_wherever_it_stands() -> None:
    assert masked("key sk-1, key sk-1", "sk-1") == f"key {MASK}, key {MASK}"
    assert masked("no key", "sk-1") == "no key"
    assert masked("text", None) == masked("text", "") == "text"


@given(st.text(), st.text(st.characters(exclude_characters=MASK), min_size=1))
def test_no_secret_stays(text: str, secret: str) -> None:
    assert secret not in masked(text + secret + text, secret)


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("你好", 4), ("a，b", 4), ("é", 1), ("e\u0301", 1), ("… —", 3)],
)
def test_a_chinese_character_takes_two_columns(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize("answer", ["y", "Y ", "yes", " YES\n", "是", "好", " 好 "])
def test_a_yes_is_a_yes(answer: str) -> None:
    assert is_yes(answer)


@pytest.mark.parametrize("answer", ["", " ", "n", "no", "yesterday", "y?", "不", "不是", "不好"])
def test_anything_else_is_a_no(answer: str) -> None:
    assert not is_yes(answer)


@pytest.mark.parametrize(
    ("script", "characters"),
    [(IDEOGRAPHS, "好龘一𠀀"), (KANA, "のノー"), (HANGUL, "한글"), (CJK, "好龘𠀀のノ한글。，《！")],
    ids=["ideographs", "kana", "hangul", "cjk"],
)
def test_a_script_holds_its_characters_and_no_latin_ones(script: str, characters: str) -> None:
    assert re.fullmatch(f"[{script}]+", characters)
    assert not re.search(f"[{script}]", "A1 é.,–😀")


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
@pytest.mark.parametrize(
    "text", ["é", "e\u0301", "ﾊﾟ", "각", "Ａ…—「中」", "क्षि", "a" + "\u0316\u0301" * 15]
)
def test_ordinary_text_is_normalised_completely(form: Any, text: str) -> None:
    assert normalized(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("mark", ["\u0301\u0316", "\u0344", "\u0f73", "\uff9e\u0301"])
def test_marks_without_end_are_cut(mark: str) -> None:
    found = normalized("NFKC", f"a{mark * 1_000}b{mark * 1_000}c")
    assert [char for char in found if char.isascii()] in (["a", "b", "c"], ["b", "c"], ["c"])
    assert len(found) < 3 + 2 * 2 * MOST_MARKS + 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello", "Hello"),
        ("  What is it?\n\nMore ", "What is it? More"),
        ("## A title, and", "A title, and"),
        (
            "How does a hash table work, in detail and with examples?",
            "How does a hash table work, in",
        ),
        ("x" * 100, "x" * 36),
        ("请用中文详细介绍一下哈希表的工作原理和它的应用", "请用中文详细介绍一下哈希表的工作原理"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_first_words_make_a_name(text: str, words: str) -> None:
    assert first_words(text) == words
