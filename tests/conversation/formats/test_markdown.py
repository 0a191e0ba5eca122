"""Markdown: no text of a user or a model can change the structure of the document."""

from __future__ import annotations

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from tests.conversation.formats.samples import HOSTILE, HOSTILE_IDS, TOOL_STEPS, text_of, texts
from tests.conversation.turns import conversation, turn


def document(*turns: object, **options: str) -> str:
    return text_of(conversation(*turns, **options), "markdown")  # type: ignore[arg-type]


def ours(markdown: str) -> list[str]:
    """Return the top-level paragraphs of the document: the headings that the export adds."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    return [
        tokens[at + 1].content
        for at, token in enumerate(tokens)
        if token.type == "paragraph_open" and token.level == 0
    ]


def test_a_conversation_reads_as_a_document() -> None:
    made = document(
        turn("What is `x`?\n\nTell me.", "It is **one**.", system="Be brief."),
        turn("And the weather?", "Fine.", steps=TOOL_STEPS, images=("data:image/png;base64,AA",)),
        turn("Long", "Once upon", status="cancelled"),
        turn("Cut", "Half", status="partial", error="The connection ended."),
        turn("Lost", status="failed", error="No such model *hy9*."),
        turn("Plain", "again", system=""),
    )
    assert made == (
        "# poems\n\n"
        "**System**\n\n> Be brief.\n\n"
        "**You**\n\n> What is `x`?\n>\n> Tell me.\n\n"
        "**hy3**\n\nIt is **one**.\n\n"
        "**You**\n\n> And the weather?\n\n*(1 image went along)*\n\n"
        '**hy3** calls **get\\_weather**\n\n```json\n{"city": "北京"}\n```\n\n'
        "**Tool**\n\n```\n12 °C\n```\n\n"
        "**hy3**\n\nFine.\n\n"
        "**You**\n\n> Long\n\n**hy3**\n\nOnce upon\n\n*(stopped)*\n\n"
        "**You**\n\n> Cut\n\n**hy3**\n\nHalf\n\n*(incomplete: The connection ended.)*\n\n"
        "**You**\n\n> Lost\n\n**hy3**\n\n*(failed: No such model \\*hy9\\*.)*\n\n"
        "**System**\n\n*(none from here on)*\n\n"
        "**You**\n\n> Plain\n\n**hy3**\n\nagain\n"
    )


def test_an_empty_conversation_is_its_title() -> None:
    assert document() == "# poems\n"


@pytest.mark.parametrize(
    "answer",
    [
        "```python\nprint('<b>')\n```",
        "~~~\n```\n~~~",
        "````\n```\n````\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "1. one\n2. two\n\n$$x < y$$",
    ],
)
def test_an_answer_that_ends_what_it_begins_stands_as_it_is(answer: str) -> None:
    assert f"**hy3**\n\n{answer}\n\n**You**" in document(turn("a", answer), turn("b", "c"))


@pytest.mark.parametrize(
    "answer",
    [
        "```\nopened",
        "````\n```",
        "~~~\n```",
        "- ```\n  x\n```",
        "```\nx\n   ```\n```",
        "> ```\n\n```",
        "<!-- opened",
        "<script>\nx",
        "a <details> b",
        "<pre>",
        "<![CDATA[",
        "<?php",
    ],
)
def test_an_answer_that_could_reach_beyond_its_end_is_quoted(answer: str) -> None:
    made = document(turn("a", answer), turn("b", "c"))
    assert ours(made)[-4:] == ["**hy3**", "**You**", "**hy3**", "c"]


# A line that no message can imitate, because it is outside every block quote.
MARK = "**marker-7f3a**"


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_nothing_swallows_what_follows(text: str) -> None:
    check(text)


@given(texts())
def test_no_text_at_all_swallows_what_follows(text: str) -> None:
    check(text)


def check(text: str) -> None:
    steps = tuple({**step, "content": text} for step in TOOL_STEPS)
    made = document(
        turn(text, text, system=text, steps=steps, status="partial", error=text),
        turn("Is it still", "here?", model="marker-7f3a"),
        name=text,
    )
    tokens = MarkdownIt("commonmark").enable("table").parse(made)
    levels = [
        tokens[at - 1].level
        for at, token in enumerate(tokens)
        if token.type == "inline" and token.content == MARK
    ]
    assert levels == [0]
    if "You" not in text:
        assert ours(made).count("**You**") == 2


@given(texts())
def test_a_prompt_is_in_the_document_line_by_line(text: str) -> None:
    made = document(turn(text, "answer"))
    quoted = [line[2:] for line in made.split("\n") if line.startswith(">")]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    encoded = [line.encode("utf-8", "replace").decode() for line in lines]
    assert quoted == encoded
