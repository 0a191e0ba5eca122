"""Hostile answers become safe pages, in every place and cut at every character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.notebook.markdown import Document, render
from tests.notebook.markdown import corpus
from tests.notebook.markdown.corpus import ATOMS
from tests.notebook.markdown.walk import walk

PLACES = {
    "a list": "- x\n- {}\n",
    "a list, below": "1. x\n\n   {}\n",
    "a quote": "> {}\n",
    "a heading": "# {}\n",
    "a cell": "| a | b |\n|---|---|\n| {} | x |\n",
    "emphasis": "**{}**",
    "a link": "[{}](https://a.test)",
    "a link's title": '[x](https://a.test "{}")',
    "a picture": "![{}](https://a.test/x.png)",
    "code": "`{}`",
    "a formula": "${}$",
    "a fence": "```{}\nx\n```\n",
    "code in a fence": "```html\n{}\n```\n",
    "a definition": "[x]\n\n[x]: {}\n",
}


def test_there_are_enough_payloads() -> None:
    assert len(corpus.EVERYTHING) >= 200


@pytest.mark.parametrize("payload", corpus.EVERYTHING)
def test_a_page_holds_nothing_that_runs_or_loads(payload: str) -> None:
    walk(render(payload))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_payload_is_safe_in_every_place(place: str) -> None:
    for payload in corpus.EVERYTHING:
        walk(render(place.replace("{}", payload)))
        walk(render(place.replace("{}", payload.replace("\n", " "))))


def test_a_payload_is_safe_while_it_arrives() -> None:
    for payload in corpus.EVERYTHING:
        document = Document(smallest=1)
        for character in payload:
            document.feed(character)
            for piece in document.take_sealed():
                walk(piece.html)
            walk(document.tail_html())
        for piece in document.finish().pieces:
            walk(piece.html)


@pytest.mark.parametrize("payload", corpus.RAW_HTML)
def test_html_is_shown_as_text(payload: str) -> None:
    page = walk(render(payload))
    assert not page.links
    assert not page.pictures


@pytest.mark.parametrize("payload", corpus.PICTURES)
def test_a_picture_from_elsewhere_is_never_loaded(payload: str) -> None:
    page = walk(render(payload))
    assert all(corpus.PNG in picture for picture in page.pictures)


@pytest.mark.parametrize("payload", corpus.FORMULAS)
def test_tex_that_does_more_than_draw_is_not_typeset(payload: str) -> None:
    assert not walk(render(payload)).formulas


@pytest.mark.parametrize("payload", corpus.CODE)
def test_a_fence_is_only_text(payload: str) -> None:
    page = walk(render(payload))
    assert set(page.tags) <= {"pre", "code", "span", "p"}
    assert not page.formulas


@settings(max_examples=400)
@given(st.lists(ATOMS, max_size=60).map("".join), st.booleans())
def test_no_text_makes_an_unsafe_page(source: str, final: bool) -> None:
    walk(render(source, final=final))


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_any_text_renders(source: str) -> None:
    walk(render(source))
