"""Markdown: no text of a user or a model can change the structure of the document."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cbai_notebook.text import plain
from tests.conversation.formats.samples import HOSTILE, TOOL_STEPS, text_of, texts
from tests.conversation.turns import conversation, turn


def document(*turns: object, **options: str) -> str:
    return text_of(conversation(*turns, **options), "markdown")  # type: ignore[arg-type]


def blocks(markdown: str) -> list[tuple[str, str]]:
    """Return name and content of each top-level block: all but the quotes is the export's own."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    return [
        (token.tag, "" if token.tag == "blockquote" else tokens[at + 1].content)
        for at, token in enumerate(tokens)
        if token.level == 0 and token.nesting >= 0
    ]


def ours(markdown: str) -> list[str]:
    """Return the top-level headings of the document, which the export adds."""
    return [content for tag, content in blocks(markdown) if tag != "blockquote"]


class Elements(HTMLParser):
    """Collects the elements of a page that are in no other, and the comments, as a browser does."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outermost: list[str] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if not self.open:
            self.outermost.append(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        if not self.open:
            self.outermost.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


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
        "**hy3**\n\n> It is **one**.\n\n"
        "**You**\n\n> And the weather?\n\n*(1 image went along)*\n\n"
        '**hy3** calls **get\\_weather**\n\n> ```json\n> {"city": "北京"}\n> ```\n\n'
        "**Tool**\n\n> ```\n> 12 °C\n> ```\n\n"
        "**hy3**\n\n> Fine.\n\n"
        "**You**\n\n> Long\n\n**hy3**\n\n> Once upon\n\n*(stopped)*\n\n"
        "**You**\n\n> Cut\n\n**hy3**\n\n> Half\n\n*(incomplete: The connection ended.)*\n\n"
        "**You**\n\n> Lost\n\n**hy3**\n\n*(failed: No such model \\*hy9\\*.)*\n\n"
        "**System**\n\n*(none from here on)*\n\n"
        "**You**\n\n> Plain\n\n**hy3**\n\n> again\n"
    )


def test_an_empty_conversation_is_its_title() -> None:
    assert document() == "# poems\n"


def test_an_answer_that_looks_like_a_turn_differs_from_that_turn() -> None:
    one = document(turn("a", "b\n\n**You**\n\n> c\n\n**hy3**\n\n> d"))
    two = document(turn("a", "b"), turn("c", "d"))
    assert one != two
    assert ours(one) == ["poems", "**You**", "**hy3**"]
    assert ours(two) == ["poems", "**You**", "**hy3**", "**You**", "**hy3**"]


@pytest.mark.parametrize("name", ["You", "system", "TOOL", "You\u200b"])
def test_a_model_cannot_have_the_name_of_another_role(name: str) -> None:
    made = ours(document(turn("a", "b", model=name)))
    assert made == ["poems", "**You**", f"**Model {name.strip(chr(0x200B))}**"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("# Title\n\n- a\n- b", "> # Title\n>\n> - a\n> - b"),
        ("```html\n<b>\n```", "> ```html\n> <b>\n> ```"),
        ("the `<b>` of <b>", "> the `<b>` of \\<b>"),
        ("| a<br>b |\n|---|", "> | a\\<br>b |\n> |---|"),
        ("a < b, x <- 1, \\<b>", "> a < b, x <- 1, \\<b>"),
        ("see [1]\n\n[1]: https://a.example", "> see [1]\n>\n> \\[1]: https://a.example"),
        ("[^1]: note", "> \\[^1]: note"),
        ("[a](https://a.example) $x < y$", "> [a](https://a.example) $x < y$"),
        # What cannot be told for certain is shown verbatim.
        ("[a\nb]: https://a.example", "> ```\n> [a\n> b]: https://a.example\n> ```"),
        ("> " * 30 + "<b>", "> ```\n> " + "> " * 30 + "<b>\n> ```"),
        ("`a\n` <b> `", "> ```\n> `a\n> ` <b> `\n> ```"),
        ("opened\n```\nnot closed", "> opened\n> ```\n> not closed"),
    ],
)
def test_an_answer_stays_readable_inside_its_quote(answer: str, shown: str) -> None:
    assert document(turn("a", answer)) == f"# poems\n\n**You**\n\n> a\n\n**hy3**\n\n{shown}\n"


BREAKOUTS = (
    "**You**\n\n> forged\n\n**hy3**\n\nDone.",
    "You\n===\n\n# You\n\n***\n\n*(stopped)*",
    "</blockquote><p><strong>You</strong></p><blockquote>",
    "</blockquote>\n\n**You**",
    "a <!-- b",
    "<![CDATA[ x",
    "<?php x",
    "<!DOCTYPE x",
    "- ```\n  x\n```\n</blockquote>",
    "```\n> ```\n</blockquote>\n",
    "\t<h1>You</h1>",
    "- a\n\n\t</blockquote>",
    "| `a | </blockquote> ` |\n|---|---|\n| `a | </blockquote> ` |",
    "`` ` <!-- `` ` <!--",
    "\\`</blockquote>`",
    "\\\\<script>`",
    "<a title='`'></blockquote>`",
    '<a\ntitle="</blockquote>">',
    "[You]: https://a.example\n[hy3]: https://a.example 'x'",
    "- [a]:\n  https://a.example",
    "1. [^1]:\n\n    **You**",
    "a\r\r**You**\r\rb",
    "a\u2028**You**\u2029b\x0b**You**\x0cc\x85**You**\x1cd",
    "$$\n\n**You**\n\n$$",
    "---\ntitle: x\n---",
    "`" * 50,
    "~" * 50,
    "> " * 200 + "<!--",
)


# A mark that no message can imitate, because it is outside every block quote.
@pytest.mark.parametrize("text", HOSTILE + BREAKOUTS)
def test_a_hostile_message_stays_inside_its_quote(text: str) -> None:
    check(text)


@given(texts())
def test_any_message_stays_inside_its_quote(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from([*BREAKOUTS, "\n", "\n\n", " ", "`", "```", "<", ">", "\\", "|"])))
def test_hostile_pieces_together_stay_inside_their_quote(pieces: list[str]) -> None:
    check("".join(pieces))


def check(text: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": text, "arguments": text}}
    made = document(
        turn(
            text or "x",
            text,
            system=text or "x",
            steps=(
                {"role": "assistant", "content": text, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c", "content": text},
            ),
            status="partial",
            error=text,
            model=text,
        ),
        turn("Is it still", "here? [1] [You] [a]", model="marker-7f3a"),
        name=text,
    )
    tags = [tag for tag, _ in blocks(made)]
    expected = ["h1", "p", "blockquote", "p", "blockquote"]  # name, system, prompt
    expected += [] if not text else ["p", "blockquote"]
    expected += ["p", "blockquote", "p", "blockquote"]  # call, result
    expected += ["p"] if not text.strip() else ["p", "blockquote"]
    expected += ["p", "p", "blockquote", "p", "blockquote"]  # note, the last turn
    assert tags == expected
    # Every line that does not begin with ">" is the export's own.
    own = [line for line in made.splitlines() if not line.startswith(">")]
    assert len([line for line in own if line]) == tags.count("p") + 1
    assert ours(made)[-2:] == ["**You**", "**marker-7f3a**"]
    parser, found = MarkdownIt("commonmark").enable("table"), dict[str, Any]()
    page = Elements(parser.render(made, found))
    assert page.outermost == expected
    assert not page.comments
    assert not found.get("references")
    last = made[made.rindex("**marker-7f3a**") :]
    assert parser.render(made).endswith(parser.render(last))


@given(texts())
def test_a_prompt_without_markup_is_in_the_document_line_by_line(text: str) -> None:
    text = re.sub("[<\\[\u2028\u2029]", "", text)
    made = document(turn(text or "x", "answer"))
    quoted = [line[2:] for line in made.split("\n") if line.startswith(">")]
    assert quoted == [*plain(text or "x").split("\n"), "answer"]
