"""What a panel does behind marimo's chat, without marimo itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from markdown_it import MarkdownIt

import cbai_notebook as cbai
from cbai_notebook.conversation import Conversation
from cbai_notebook.conversation.formats.markdown import harmless
from cbai_notebook.notebook.panel.marimo_chat import Replies
from cbai_notebook.notebook.panel.marimo_markdown import marimo_markdown
from tests.gateway import Gateway, Scenario
from tests.gateway.tools import Call, calling

pytestmark = pytest.mark.usefixtures("configured")

DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


@dataclass
class Part:
    """A part of a message of marimo's chat."""

    type: str
    text: str = ""
    url: str = ""


@dataclass
class Message:
    """A message of marimo's chat."""

    role: str
    content: str
    parts: list[Part] = field(default_factory=list)
    attachments: list[Any] | None = None


def user(text: str, *parts: Part) -> Message:
    """Return a message of the user."""
    return Message("user", text, [*parts])


async def collected(replies: Replies, *messages: Message) -> str:
    """Return a whole reply."""
    return "".join([text async for text in replies.answer(messages)])


def test_messages_become_turns_and_a_message_sent_again_another_version(gateway: Gateway) -> None:
    gateway.script("say:one", "say:two", "say:two again")
    panel = cbai.ChatPanel(Conversation("in-marimo"))
    replies = Replies(panel)
    first, second = user("a"), user("", Part("text", "b"), Part("file", url=DOT))
    assert asyncio.run(collected(replies, first)) == "one"
    talk = (first, Message("assistant", "one"), second)
    assert asyncio.run(collected(replies, *talk)) == "two"
    assert panel.conversation.turns[1].images == (DOT,)
    assert asyncio.run(collected(replies, *talk)) == "two again"
    assert [m["content"] for m in panel.messages] == ["a", "one", "b", "two again"]
    assert len(panel.conversation.alternatives(panel.conversation.turns[1])) == 2
    panel.close()


def test_a_block_is_shown_when_it_is_whole_and_a_failure_is_a_sentence(gateway: Gateway) -> None:
    panel = cbai.ChatPanel(Conversation("in-marimo"))
    text = "# Title\n\n<script>x</script> ![y](https://example.com/y.png)\n\n```html\n<b>\n```\n"
    gateway.always(Scenario(text=tuple(text)))
    reply = asyncio.run(collected(Replies(panel), user("Hi")))
    assert reply == text.replace("<script>x</script> !", r"\<script>x\</script> \!") + "\n"
    gateway.always("error:404:AI_MODEL_NOT_FOUND")
    assert "There is no model" in asyncio.run(collected(Replies(panel), user("Hi")))
    gateway.always(Scenario(text="Once upon a", finish_reason="length"))
    assert "token limit" in asyncio.run(collected(Replies(panel), user("Hi")))
    panel.close()


async def test_a_stop_ends_the_request_and_keeps_the_text(gateway: Gateway) -> None:
    gateway.always("english+hang:60")
    panel = cbai.ChatPanel(Conversation("in-marimo"))
    shown = asyncio.Event()

    async def reply() -> None:
        async for _ in Replies(panel).answer([user("Count")]):
            shown.set()

    task = asyncio.create_task(reply())
    await asyncio.wait_for(shown.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(gateway.wait_until, lambda: gateway.last.disconnected)
    assert panel.messages[-1]["content"].startswith("# How a hash")
    panel.close()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b, `<b>` and 1<2", "a < b, `<b>` and 1<2"),
        ("<img src=x>", r"\<img src=x>"),
        ("![x](https://example.com/x.png)", r"\![x](https://example.com/x.png)"),
        ("[x]: https://example.com", r"\[x]: https://example.com"),
        ("```html\n<b>![x](y)</b>\n```", "```html\n<b>![x](y)</b>\n```"),
        ("a ` b\nc ` <img src=x> `", "```\na ` b\nc ` <img src=x> `\n```"),
        ("- a\n\n  ```\n  <b>\n  ```\n<img src=x>", "- a\n\n  ```\n  <b>\n  ```\n\\<img src=x>"),
        ("$$x$$ costs $5, `$5` and `$$`", r"\$\$x\$\$ costs $5, `$5` and \`\$\$\`"),
        ("$$ ` $$ ![x](u) $$ ` $$", r"\$\$ \` \$\$ \!\[x\]\(u\) \$\$ \` \$\$"),
        ("$$\n```\n$$\n![x](u)\n```", "\\$\\$\n```\n$$\n![x](u)\n```"),
        ("~~~sh x\necho $$", "```sh\necho $$\n```"),
        ("    ![x](u)", "```\n![x](u)\n```"),
        ("- ```\n  ![x](u)\n  ```", "````\n- ```\n  ![x](u)\n  ```\n````"),
        ("- ```\n  <b>", "````\n- ```\n  <b>\n````"),
    ],
)
def test_what_could_load_or_run_becomes_text(source: str, expected: str) -> None:
    assert harmless(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$E=mc^2$ costs $5 or $10", "$$E=mc^2$$ costs $5 or $10"),
        ("# \\(x\\) and `$x$`", "# $$x$$ and `$x$`"),
        ("**$x$**\n> $y$", "**$$x$$**\n> $$y$$"),
        ("| $x$ | y |\n|---|---|", "| $$x$$ | y |\n|---|---|"),
        ("So:\n\\[\na < b\n= c\n\\]\nthen", "So:\n\n$$\na < b = c\n$$\n\nthen"),
        ("$$\n- x\n$$", "\n$$\n{}- x\n$$\n\n"),
        ("1. $$\n   x\n   $$\n2. y", "1. $$\n   x\n   $$\n   \n2. y"),
        ("> a `\n> $$\n> x\n> $$\n> ` b", "> a `\n> \n> $$\n> x\n> $$\n> \n> ` b"),
        (r"\begin{cases}a\end{cases}", "\n$$\n\\begin{cases}a\\end{cases}\n$$\n\n"),
        # These stay text.
        (r"$\href{javascript:alert(1)}{x}$", r"$\href{javascript:alert(1)}{x}$"),
        (r"$\alpha$$\beta$", r"$\alpha\$\$\beta$"),
        ("a ` b $x$\nc ` <img src=x> `", "```\na ` b $x$\nc ` <img src=x> `\n```"),
        ("\ue0000\ue001 $x$", "\ue0000\ue001 $x$"),
        # These are no longer HTML, a picture or a comment.
        ("$a<b>c$ <b> ![x](u)", r"$$a< b>c$$ \<b> \![x](u)"),
        ("$n![x](u)$", "$$n! [x](u)$$"),
        ("$x % y$ and $50\\%$", "$x % y$ and $$50\\%$$"),
    ],
)
def test_a_formula_is_written_as_marimo_reads_one(source: str, expected: str) -> None:
    assert marimo_markdown(source) == expected


def test_a_tool_that_must_be_confirmed_is_not_run_and_the_chat_says_so(gateway: Gateway) -> None:
    ran = []

    @cbai.tool(confirm=True)
    def drop(path: str) -> str:
        """Delete a file."""
        ran.append(path)
        return "gone"

    panel = cbai.ChatPanel(Conversation("in-marimo"), tools=[drop])
    gateway.script(calling(Call("drop", {"path": "a"}), Call("drop", {"path": "b"})), "say:Sorry.")
    reply = asyncio.run(collected(Replies(panel), user("Clean up")))
    assert ran == []
    assert reply.startswith("Sorry.\n\n*Not run: drop. This has to be confirmed first")
    panel.close()


def test_blocks_that_are_given_one_by_one_do_not_open_each_other(gateway: Gateway) -> None:
    panel = cbai.ChatPanel(Conversation("in-marimo"))
    fence, tick = "$$\n```\n$$\n", "a `\n$$\nx\n$$\nc ` <img src=x> `\n"
    gateway.always(Scenario(text=tuple(f"{fence}![x](u)\n\n```\n![y](u)\n```\n\n{tick}")))
    reply = asyncio.run(collected(Replies(panel), user("Hi")))
    shown = MarkdownIt("commonmark").parse(reply)
    kinds = {part.type for token in shown for part in (token, *(token.children or ()))}
    assert not kinds & {"image", "html_inline", "html_block"}
    paragraphs = [token.content for token in shown if token.type == "inline"]
    assert [each for each in paragraphs if "$$" in each] == ["$$\nx\n$$"]
    panel.close()
