"""A growing text: its pieces, its tail and its end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.notebook.markdown import Document, Piece, fragment, render, wrap
from tests.notebook.markdown.answers import ANSWERS, TRICKY, splits
from tests.notebook.markdown.corpus import ATOMS
from tests.notebook.markdown.walk import walk

PARAGRAPH = "A paragraph says *something* of some length, and goes on for a while about it.\n\n"
ANSWER = "# Title\n\n" + "".join(
    f"Paragraph {n} says *something* of some length, and goes on for a while about it.\n\n"
    f"- one\n\n- two\n\n```python\nprint({n})\n\nprint()\n```\n\n"
    for n in range(120)
)
JUNK = st.lists(ATOMS, max_size=60).map("".join)


def stream(parts: list[str], *, smallest: int = 1, paint: bool = True) -> list[Piece]:
    """Feed parts, paint after each, and return all pieces in their final state."""
    document = Document(smallest=smallest)
    shown: dict[int, Piece] = {}
    for part in parts:
        document.feed(part)
        for piece in document.take_sealed():
            assert piece.index not in shown
            shown[piece.index] = piece
        if paint:
            document.tail_html()
    final = document.finish()
    assert all(index in shown for index in final.changed)
    shown.update(final.changed)
    assert not any(piece.index in shown for piece in final.pieces)
    shown.update({piece.index: piece for piece in final.pieces})
    pieces = [shown[index] for index in range(len(shown))]
    assert pieces == document.pieces
    return pieces


def normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def assert_whole(source: str, pieces: list[Piece]) -> None:
    assert "".join(piece.source for piece in pieces) == normal(source)
    assert "".join(piece.body for piece in pieces) == fragment(source)
    for piece in pieces:
        walk(piece.html)


@pytest.mark.parametrize("source", TRICKY)
def test_tricky_pieces_joined_are_the_whole(source: str) -> None:
    by_character = stream(list(source))
    assert_whole(source, by_character)
    assert stream([source]) == by_character
    assert stream(source.splitlines(keepends=True), paint=False) == by_character


@settings(max_examples=300)
@given(ANSWERS, st.data())
def test_pieces_joined_are_the_whole_however_it_is_fed(source: str, data: st.DataObject) -> None:
    parts = data.draw(splits(source))
    pieces = stream(parts)
    assert_whole(source, pieces)
    assert stream([source], paint=False) == pieces


@settings(max_examples=300)
@given(st.one_of(JUNK, st.lists(JUNK, max_size=4).map("\n\n".join)), st.data())
def test_junk_joined_is_the_whole_however_it_is_fed(source: str, data: st.DataObject) -> None:
    pieces = stream(data.draw(splits(source)))
    assert_whole(source, pieces)
    assert stream([source]) == pieces


def test_a_long_answer_is_sealed_while_it_arrives() -> None:
    document = Document()
    sealed = []
    for start in range(0, len(ANSWER), 7):
        document.feed(ANSWER[start : start + 7])
        sealed += document.take_sealed()
        assert document.tail_characters == len(document.tail_source)
    assert len(sealed) > 5
    assert "".join(piece.source for piece in sealed) + document.tail_source == ANSWER
    assert len(document.tail_source) < 3_000
    document.finish()
    assert_whole(ANSWER, document.pieces)


def test_pieces_are_as_long_as_asked() -> None:
    document = Document()
    document.feed(PARAGRAPH * 2_000)
    pieces = document.take_sealed()
    end = 0
    for piece in pieces:
        end += len(piece.source)
        assert len(piece.source) >= max(2_500, end // 15)
    assert len(pieces[0].source) < 2_500 + len(PARAGRAPH)


@pytest.mark.parametrize("characters", [10_000, 100_000, 1_000_000])
def test_jupyter_shows_every_piece(characters: int) -> None:
    document = Document()
    document.feed(PARAGRAPH * (characters // len(PARAGRAPH)))
    assert len(document.take_sealed()) + len(document.finish().pieces) < 45


def test_the_shortest_pieces_are_still_few() -> None:
    document = Document(smallest=1)
    document.feed("a\n\n" * 30_000)
    document.take_sealed()
    document.finish()
    assert len(document.pieces) < 45


def test_a_fence_a_list_a_table_and_a_formula_are_never_cut() -> None:
    blocks = [
        "```\n" + "code\n\n" * 20 + "```\n",
        "- item\n\n" * 20 + "  more\n",
        "| a |\n|---|\n" + "| b |\n" * 40,
        "$$\n" + "x\n\n" * 20 + "$$\n",
    ]
    document = Document(smallest=10)
    source = "\n".join(f"Text.\n\n{block}" for block in blocks)
    for character in source:
        document.feed(character)
        document.take_sealed()
        document.tail_html()
    document.finish()
    for block in blocks:
        assert any(block in piece.source for piece in document.pieces)


def test_the_tail_shows_what_is_not_taken() -> None:
    document = Document(smallest=10)
    document.feed("First block.\n\nSecond block.\n\nThird")
    assert document.tail_html() == wrap("<p>First block.</p>\n<p>Second block.</p>\n<p>Third</p>\n")
    assert [piece.source for piece in document.take_sealed()] == ["First block.\n\n"]
    document.feed(" block.")
    assert document.tail_html() == wrap("<p>Second block.</p>\n<p>Third block.</p>\n")


def test_a_definition_at_the_end_changes_the_pieces_that_use_it() -> None:
    document = Document(smallest=10)
    document.feed("See [this page].\n\nNothing to see here.\n\nAnd [this page] again.\n\nMore.\n")
    taken = document.take_sealed()
    assert [len(walk(piece.html).links) for piece in taken] == [0, 0, 0]
    document.feed("\n[this page]: https://a.test\n")
    final = document.finish()
    assert sorted(final.changed) == [0, 2]
    assert walk(final.changed[0].html).links == [("https://a.test", "this page")]
    assert document.pieces[0] == final.changed[0]
    assert taken[1] == document.pieces[1]


def test_a_definition_counts_in_later_pieces_at_once() -> None:
    document = Document(smallest=10)
    document.feed("[page]: https://a.test\n\nSee [page] now.\n\nSee [page] later")
    assert len(walk(document.tail_html()).links) == 2
    assert document.finish().changed == {}


def test_the_first_definition_wins_across_pieces() -> None:
    document = Document(smallest=1)
    document.feed("[x]\n\n[x]: https://first.test\n\n[x]\n\n[x]: https://second.test\n\n[x]\n")
    document.take_sealed()
    document.finish()
    links = [link for piece in document.pieces for link, _ in walk(piece.html).links]
    assert links == ["https://first.test"] * 3


def test_an_unfinished_definition_is_not_used_yet() -> None:
    document = Document(smallest=1)
    document.feed("a\n\n[x]: https://a.test\n")
    document.tail_html()
    document.feed("'title'\n\n[x]\n")
    document.finish()
    assert walk(wrap(document.pieces[-1].body)).titles == ["title (https://a.test)"]


def test_an_empty_answer_has_no_pieces() -> None:
    document = Document()
    assert document.tail_html() == wrap("")
    assert document.finish().pieces == []
    assert render("") == wrap("")


def test_a_finished_text_takes_no_more() -> None:
    document = Document()
    document.feed("a")
    assert len(document.finish().pieces) == 1
    assert document.finish().pieces == []
    with pytest.raises(ValueError, match="finished"):
        document.feed("b")


def test_a_line_end_that_is_cut_is_one_line_end() -> None:
    document = Document()
    for part in ("a\r", "\nb\r", "", "\r", "\nc\r"):
        document.feed(part)
    document.finish()
    assert [piece.source for piece in document.pieces] == ["a\nb\n\nc\n"]
