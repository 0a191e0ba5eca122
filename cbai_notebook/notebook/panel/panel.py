"""``cbai.ChatPanel``: a conversation that is read and written in a notebook, without cells."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cbai_notebook import bridge
from cbai_notebook.client.providers import AGENT
from cbai_notebook.conversation import Conversation, Turn, chat, fresh
from cbai_notebook.conversation.messages import Messages
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.panel.prompt_queue import (
    PanelOptions,
    PromptQueue,
    QueuedPrompt,
    prepare,
)

if TYPE_CHECKING:
    import pandas as pd

    from cbai_notebook.notebook.panel.view import PanelView

NEEDS_NOTEBOOK = (
    "The chat panel needs a notebook. Here, `%load_ext cbai_notebook` and then `%cbai Hello` "
    "chat in the terminal."
)


class ChatPanel:
    """A chat in a notebook; put it last in a cell to show it.

    It is one more face of a conversation: what `%%cbai -c NAME` says is seen here at once, and the
    other way round.

    Args:
        conversation: The conversation or its name; the current one by default.
        model: ``MODEL`` or ``PROVIDER/MODEL``; the configured one by default.
        system: A system prompt from here on.
        temperature: The temperature, where it should not be the model's own.
        tools: Functions that the model may call, as :meth:`cbai_notebook.Model.generate_text` takes
            them. One with ``confirm=True`` asks with two buttons before it runs.
        max_steps: How many requests the tools may lead to.
        agent: An agent of CloudBase to talk to, in the place of a model.
        params: The request's other parameters, such as ``{"max_tokens": 500}``, or ``{"search": True}``
            for an agent that may look in the web.

    Raises:
        UsageError: The conversation's name is blank, or something can be no tool.
    """

    def __init__(
        self,
        conversation: Conversation | str | None = None,
        *,
        model: str | None = None,
        system: str | None = None,
        temperature: float | None = None,
        tools: Sequence[Any] = (),
        max_steps: int | None = None,
        agent: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        if agent is not None:
            model = f"{AGENT}/{agent}"
        self._conversation = (
            conversation if isinstance(conversation, Conversation) else chat(conversation)
        )
        client = _client_options(tools, max_steps)
        self._options = PanelOptions(model or "", system, temperature, dict(params or {}), client)
        self._lock = threading.RLock()
        self._draft = ""
        self._closed = False
        self._view: PanelView | None = None
        self._queue = PromptQueue(self._show_state, self._restore_prompt)

    def __repr__(self) -> str:
        if not _in_notebook():
            return NEEDS_NOTEBOOK
        return f"<ChatPanel of {self._conversation.name!r}: {len(self._conversation.turns)} turns>"

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""
        return self._conversation

    @property
    def options(self) -> PanelOptions:
        """How the next prompt is asked."""
        return self._options

    @property
    def messages(self) -> Messages:
        """The messages as flat dicts, as :attr:`cbai_notebook.Conversation.messages`."""
        return self._conversation.messages

    @property
    def inputValue(self) -> str:
        """What stands in the message box; setting it writes there."""
        return self._draft

    @inputValue.setter
    def inputValue(self, text: str) -> None:
        self._draft = text
        if self._view:
            self._view.fill(text)

    @property
    def isLoading(self) -> bool:
        """Whether an answer to this panel is under way."""
        return self._queue.is_busy(self._conversation)

    def note_draft(self, text: str) -> None:
        """Take note of what the reader has typed."""
        self._draft = text

    def to_pandas(self) -> pd.DataFrame:
        """Return the messages as a DataFrame with proper types.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return self._conversation.to_pandas()

    def send(self, text: str, *, branch_of: Turn | None = None, images: Sequence[Any] = ()) -> bool:
        """Ask a prompt, and return at once.

        A blank prompt without an image, and a second one while the first is being answered, do nothing.

        Args:
            text: The prompt.
            branch_of: The turn to stand beside as an alternative, as Regenerate and Edit do.
            images: What goes along, each as :func:`cbai_notebook.image_part` takes it.

        Returns:
            Whether it was sent.

        Raises:
            CbaiError: It cannot be sent as it is; nothing was sent.
        """
        with self._lock:
            if not (text.strip() or images) or self.isLoading or self._closed:
                return False
            queued = prepare(self._conversation, text, self._options, branch_of, images)
            started = self._queue.start(queued)
        self._show_state()
        return started

    def regenerate(self, turn: Turn | None = None) -> bool:
        """Ask a prompt again; the answer that it had is kept as an alternative.

        Args:
            turn: The turn; the last one by default.

        Returns:
            Whether it was sent.
        """
        turn = turn or next(iter(self._conversation.turns[-1:]), None)
        return turn is not None and self.send(turn.prompt, branch_of=turn, images=turn.images)

    def stop(self) -> None:
        """Stop the answer that is under way; what has come is kept and marked."""
        self._queue.stop(self._conversation)

    def use(self, conversation: Conversation | str) -> None:
        """Show another conversation. An answer under way goes on in the one it belongs to."""
        with self._lock:
            self._conversation = (
                conversation if isinstance(conversation, Conversation) else chat(conversation)
            )
            self._options = replace(self._options, system=None)
        if self._view:
            self._view.show_conversation(self._conversation)

    def new_conversation(self) -> None:
        """Show a new, empty conversation; the one before stays."""
        self.use(fresh())

    def set_options(self, options: PanelOptions) -> None:
        """Say how the next prompt is asked."""
        self._options = options
        self._show_state()

    @property
    def widget(self) -> Any:
        """The panel as an ipywidgets box, to put into a layout of your own.

        Raises:
            UsageError: The panel is closed.
        """
        return self._open_view().root

    def close(self) -> None:
        """Stop what is under way, and take the panel off the page. The conversation stays."""
        with self._lock:
            self._closed = True
            view, self._view = self._view, None

        async def end() -> None:
            self._queue.stop()
            await self._queue.wait_until_idle()
            if view:
                view.close()

        call = bridge.submit(end())
        call.wait(bridge.CANCEL_GRACE_S)

    def _ipython_display_(self) -> None:
        if not _in_notebook():
            print(NEEDS_NOTEBOOK)  # noqa: T201
            return
        self._open_view().display()

    def _open_view(self) -> PanelView:
        with self._lock:
            if self._closed:
                raise UsageError("This panel is closed. Make another one: cbai.ChatPanel().")
            if self._view is None:
                from cbai_notebook.notebook.panel.view import PanelView

                self._view = PanelView(self)
            return self._view

    def _restore_prompt(self, queued: QueuedPrompt, error: BaseException) -> None:
        prompt = queued.prompt
        if view := self._view:
            view.restore_prompt(prompt.text, prompt.images, error)
        else:
            self._draft = prompt.text

    def _show_state(self) -> None:
        if view := self._view:
            view.show_state()


def _client_options(tools: Sequence[Any], max_steps: int | None) -> dict[str, Any]:
    if not tools:
        return {}
    from cbai_notebook.client.tools.tool import tools_of
    from cbai_notebook.notebook.panel.approvals import APPROVALS

    found: dict[str, Any] = {
        "tools": tools_of(tools),
        "approve": APPROVALS.request,
        "call_nested": bridge.on_this_loop(),
    }
    return found if max_steps is None else {**found, "max_steps": max_steps}


def _in_notebook() -> bool:
    from IPython.core.getipython import get_ipython

    from cbai_notebook.notebook.frontend import is_kernel

    shell = get_ipython()
    return shell is not None and is_kernel(shell)
