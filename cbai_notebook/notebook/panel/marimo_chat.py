"""A panel in marimo, which has no ipywidgets: marimo's own chat, with our model and conversation.

marimo shows the answers as Markdown. What a model writes is changed before it gets there, so that it
holds no HTML, loads no picture, defines no link for another answer, and has only formulas that may be
typeset.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from cbai_notebook.bridge import background_loop
from cbai_notebook.conversation import Conversation, Delta, Turn, ask
from cbai_notebook.conversation.formats.escaping import in_markdown
from cbai_notebook.conversation.formats.markdown import harmless
from cbai_notebook.errors import CbaiError
from cbai_notebook.i18n import listed, say
from cbai_notebook.notebook.markdown.document import Document
from cbai_notebook.notebook.panel.marimo_markdown import marimo_markdown
from cbai_notebook.notebook.panel.prompt_runner import PanelOptions, prepare_text
from cbai_notebook.notebook.panel.transcript import bundle

if TYPE_CHECKING:
    from cbai_notebook.conversation import ToolCall

PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"]
"""The MIME types of the files that can go along with a prompt."""


class MarimoPanel(Protocol):
    """The part of a panel that its chat in marimo uses."""

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""

    @property
    def options(self) -> PanelOptions:
        """The options of the next prompt."""

    @property
    def examples(self) -> tuple[str, ...] | None:
        """The prompts that an empty conversation offers."""

    @property
    def height(self) -> int | None:
        """The most pixels that the chat is high."""


def chat_output(panel: MarimoPanel) -> Any:
    """Return what marimo shows for a panel: the conversation so far, and a ``mo.ui.chat`` below it."""
    import marimo

    answer: Any = Replies(panel).answer
    chat = marimo.ui.chat(
        answer,
        prompts=list(panel.examples or ()),
        allow_attachments=PICTURES,
        max_height=panel.height,
    )
    if not panel.conversation.turns:
        return chat
    past = bundle(panel.conversation, "cbai-past")["text/html"]  # safe HTML, by our own renderer
    return marimo.vstack([marimo.Html(past), chat])


class Replies:
    """Answers the messages of one chat in marimo.

    Args:
        panel: The panel; its conversation gets the turns.
    """

    def __init__(self, panel: MarimoPanel) -> None:
        self._panel = panel
        self._turns: list[Turn] = []

    async def answer(self, messages: Sequence[Any]) -> AsyncIterator[str]:
        """Ask the last message, and yield the answer as harmless Markdown, block by block.

        When this is cancelled, the request ends and the turn keeps its text. marimo 0.25 has Stop cancel
        it, but handles the click only after the answer: its kernel awaits one message after the other,
        and the click is one. Nothing else tells a model of the click.

        Args:
            messages: The messages of marimo's chat; the last one is the user's.
        """
        deltas: asyncio.Queue[Delta] = asyncio.Queue()
        here = asyncio.get_running_loop()

        def listen(delta: Delta) -> None:
            here.call_soon_threadsafe(deltas.put_nowait, delta)

        # A message that was sent again, or edited, is an alternative to the turn that it had.
        number = sum(message.role == "user" for message in messages) - 1
        branch_of = self._turns[number] if number < len(self._turns) else None
        turns: list[Turn] = []
        denied: dict[str, None] = {}  # names of tools, each once, in their order

        async def deny(call: ToolCall) -> bool:
            """Refuse a tool that must be confirmed: marimo's chat cannot ask."""
            denied[call.name] = None
            return False

        document = Document(smallest=1, most=100_000)
        answering: asyncio.Future[Any] | None = None
        try:
            prepared = prepare_text(
                self._panel.conversation,
                _text(messages[-1]),
                self._panel.options,
                branch_of,
                _pictures(messages[-1]),
            )
            if prepared.prompt.options.get("tools"):
                prepared = prepared.with_options({"approve": deny})
            answering = asyncio.wrap_future(
                asyncio.run_coroutine_threadsafe(
                    ask(
                        prepared,
                        listener=listen,
                        opened=turns.append,
                    ),
                    background_loop(),
                )
            )
            answering.add_done_callback(lambda _: deltas.put_nowait(Delta()))
            while not (answering.done() and deltas.empty()):
                document.feed((await deltas.get()).text)
                for piece in document.take_sealed():
                    yield marimo_markdown(piece.source)
            for piece in document.finish().pieces:
                yield marimo_markdown(piece.source)
            await answering
            if denied:
                note = say("tool.marimo_cannot_ask", names=listed(denied), confirm="confirm=True")
                yield f"\n\n{harmless(f'*{in_markdown(note)}*')}"
            if turns and turns[0].ending is not None:
                yield f"\n\n*{turns[0].ending.mark}*"
        except CbaiError as error:
            yield f"\n\n{harmless(str(error))}"
        finally:
            if answering is not None:
                answering.cancel()
            self._turns[number:] = turns


def _text(message: Any) -> str:
    if isinstance(message.content, str) and message.content:
        return message.content
    return "".join(part.text for part in message.parts or () if _kind(part) == "text")


def _pictures(message: Any) -> list[str]:
    """Return the files of a message, as data: a page must not have files of this machine read."""
    files = [part for part in message.parts or () if _kind(part) == "file"]
    files += getattr(message, "attachments", None) or []
    return [file.url for file in files if file.url.startswith("data:image/")]


def _kind(part: Any) -> str:
    return str(getattr(part, "type", ""))
