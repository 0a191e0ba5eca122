"""A diff contains both texts completely, and marks the changes that a reader would name."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.conversation.alignment import EXACT, pairs
from cbai_notebook.conversation.diff import compare, words

WORDS = st.lists(
    st.sampled_from(["the", "fox", "的", "狐狸", "==", "\n", "3.14", "**", "a"]), max_size=40
)


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60))
def test_kept_and_added_are_the_new_text_kept_and_removed_the_old_one(old: str, new: str) -> None:
    difference = compare(old, new)
    assert (difference.old, difference.new) == (old, new)
    assert bool(difference) == (old != new)


@given(WORDS, WORDS)
def test_texts_that_share_words_are_whole_as_well(old: list[str], new: list[str]) -> None:
    difference = compare(" ".join(old), " ".join(new))
    assert (difference.old, difference.new) == (" ".join(old), " ".join(new))
    kinds = [piece.kind for piece in difference.pieces]
    assert all(piece.text for piece in difference.pieces)
    assert all(a != b for a, b in pairwise(kinds))
    assert ("added", "removed") not in list(pairwise(kinds))


@given(WORDS, WORDS)
def test_pairs_are_of_equal_words_in_order(old: list[str], new: list[str]) -> None:
    found = pairs(old, new)
    assert all(old[i] == new[j] for i, j in found)
    for places in zip(*found, strict=True):
        assert list(places) == sorted(set(places))


@given(WORDS)
def test_a_text_against_itself_is_kept(text: list[str]) -> None:
    assert pairs(text, text) == [(place, place) for place in range(len(text))]


@given(st.text(st.characters(), max_size=80))
def test_words_joined_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop", ["Don't", " ", "stop"]),
        ("春眠，不觉", ["春", "眠", "，", "不", "觉"]),
        ("カタカナ", ["カ", "タ", "カ", "ナ"]),
        ("한국어 좋아", ["한국어", " ", "좋아"]),
        ("x_1==3.14", ["x_1", "==", "3.14"]),
        ("1,000.5 m", ["1,000.5", " ", "m"]),
        ("```py\n**a**", ["```", "py", "\n", "**", "a", "**"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("नमस्ते!", ["नमस्ते", "!"]),
        ("👨‍👩‍👧👍🏽", ["👨‍👩‍👧", "👍🏽"]),
    ],
)
def test_words_are_what_a_reader_takes_for_one(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "The quick brown fox jumps.",
            "The quick red fox jumps over.",
            "The quick [-brown-]{+red+} fox jumps{+ over+}.",
        ),
        ("春眠不觉晓，啼鸟。", "春眠不觉晚，啼鸟！", "春眠不觉[-晓-]{+晚+}，啼鸟[-。-]{+！+}"),
        ("return x == 3.14", "return x == 3.15", "return x == [-3.14-]{+3.15+}"),
        ("the red fox", "a blue fox", "[-the red-]{+a blue+} fox"),
        ("red\nfox", "blue\ncat", "[-red-]{+blue+}\n[-fox-]{+cat+}"),
        ("a **b** c", "a b c", "a [-**-]b[-**-] c"),
        ("", "a b", "{+a b+}"),
        ("a b", "", "[-a b-]"),
        ("", "", ""),
        ("same", "same", "same"),
    ],
)
def test_changes_read_as_a_person_would_tell_them(old: str, new: str, expected: str) -> None:
    assert str(compare(old, new)) == expected


def numbered(count: int) -> list[str]:
    return [f"word{number}" for number in range(count)]


def test_a_change_in_a_very_long_text_is_found_alone() -> None:
    text = numbered(30_000)
    changed = [*text[:15_000], "different", *text[15_001:]]
    difference = compare(" ".join(text), " ".join(changed))
    assert [piece.text for piece in difference.pieces if piece.kind != "kept"] == [
        "word15000",
        "different",
    ]


def test_many_changes_in_a_very_long_text_are_found_each() -> None:
    text = numbered(30_000)
    changed = ["different" if number % 50 == 7 else word for number, word in enumerate(text)]
    difference = compare(" ".join(text), " ".join(changed))
    added = [piece.text for piece in difference.pieces if piece.kind == "added"]
    assert added == ["different"] * 600


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a b " * 20_000, "b a a " * 15_000),
        ("春" * 50_000, "夏春" * 25_000),
        (" ".join(numbered(20_000)), " ".join(reversed(numbered(20_000)))),
        ("(" * 50_000, ")" * 50_000),
        # Each cut at an anchor makes the next word an anchor.
        (
            " ".join(f"x{n} x{n + 1}" for n in range(10_000)),
            " ".join(f"x{n + 1} x{n}" for n in range(10_000)),
        ),
    ],
    ids=["repeating", "one character", "reversed", "signs", "nested"],
)
def test_hostile_pairs_of_long_texts_end_and_are_whole(old: str, new: str) -> None:
    assert len(words(old)) * len(words(new)) > EXACT or len(words(old)) == 1
    difference = compare(old, new)
    assert (difference.old, difference.new) == (old, new)
