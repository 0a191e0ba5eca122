"""Work grows no faster than the text. It is counted in calls, which no busy machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from cbai_notebook.notebook.markdown import Document, render
from tests.notebook.markdown.heavy import heavy
from tests.notebook.markdown.walk import walk

NAMES = [name for name, _ in heavy(100)]


def calls(work: Callable[[], object]) -> int:
    """Count the calls of Python functions and built-in functions that `work` makes."""
    count = 0

    def count_call(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def heavy_text(name: str, size: int) -> str:
    return dict(heavy(size))[name]


@pytest.mark.parametrize("name", NAMES)
def test_twice_the_text_is_no_more_than_twice_the_work(name: str) -> None:
    short, long = heavy_text(name, 2_000), heavy_text(name, 4_000)
    render(short), render(long)
    growth = len(long) / len(short)
    # A limit or a table may begin between the lengths and add a step; a square would be twice this.
    allowed = 1.6 * growth * calls(lambda: render(short)) + 20_000
    assert calls(lambda: render(long)) < allowed


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NAMES)
def test_a_long_heavy_text_renders_and_is_safe(name: str) -> None:
    text = heavy_text(name, 12_000)
    page = render(text)
    walk(page)
    assert len(page) < 60 * len(text) + 1_000


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NAMES)
def test_a_heavy_text_streams_and_is_whole(name: str) -> None:
    text = heavy_text(name, 2_500)
    document = Document(smallest=50)
    for start in range(0, len(text), 250):
        document.feed(text[start : start + 250])
        document.take_sealed()
        walk(document.tail_html())
    document.finish()
    assert (
        "".join(piece.body for piece in document.pieces) == render(text)[len(render("")) - 6 : -6]
    )


@pytest.mark.parametrize(
    "block",
    [
        "```\n" + "code\n\n" * 20_000,
        "- item\n\n" * 15_000,
        "> quote\n>\n" * 12_000,
        "word word\n" * 12_000,
        "word " * 24_000,
        "| a |\n|---|\n" + "| b |\n" * 20_000,
        "$$\n" + "x\n\n" * 30_000,
        "\\[\n\n" * 20_000,
        "A paragraph of some words.\n\n" * 4_000,
        "1) a\n\n" * 16_000,
        "|-" * 50_000,
        "> - a\n" * 16_000,
    ],
    ids=lambda block: block[:8],
)
def test_feeding_by_token_reads_a_text_a_few_times_at_most(block: str) -> None:
    def stream(text: str) -> None:
        document = Document()
        for start in range(0, len(text), 4):
            document.feed(text[start : start + 4])
            document.take_sealed()

    half = block[: len(block) // 16]
    stream(half)
    work, twice = calls(lambda: stream(half)), calls(lambda: stream(block[: len(block) // 8]))
    assert twice < 3 * work


@pytest.mark.parametrize("most", [40, 120])
def test_the_tail_stays_short_and_the_pieces_few(most: int) -> None:
    document, paragraph = Document(most=most), "Some words of a paragraph.\n\n"
    longest = 0
    for _ in range(6_000):
        document.feed(paragraph)
        document.take_sealed()
        longest = max(longest, document.tail_characters)
        if len(document.pieces) < most * 2 // 3:
            total = sum(len(piece.source) for piece in document.pieces) + document.tail_characters
            assert document.tail_characters <= max(2_500, total / (most * 3 / 8)) + 100
    document.finish()
    assert len(document.pieces) <= most + 1
    assert longest < len(paragraph) * 6_000 / 4


def test_a_block_that_is_too_long_is_shown_as_its_source() -> None:
    page = walk(render("Before.\n\n" + "*a* " * 60_000 + "\n\nAfter *it*."))
    assert page.tags == ["p", "pre", "code", "p", "em"]


def test_a_paragraph_that_is_too_long_is_plain() -> None:
    page = walk(render("*a* " * 10_000 + "\n\n*b*"))
    assert page.tags == ["p", "p", "em"]
