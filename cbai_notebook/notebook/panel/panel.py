"""``cbai.ChatPanel``: chat in a notebook without writing cells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cbai_notebook import bridge
from cbai_notebook.client.providers import AGENT
from cbai_notebook.comparison.undo import take_back
from cbai_notebook.conversation import (
    Conversation,
    PreparedPrompt,
    Turn,
    chat,
    names,
    new_conversation,
)
from cbai_notebook.conversation.continuation import turn_to_continue
from cbai_notebook.conversation.records import Messages
from cbai_notebook.conversation.registry import (
    delete,
    is_own,
    name_by_prompt,
    rename,
    shared_chat,
)
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.panel.prompt_runner import (
    PanelOptions,
    PromptRunner,
    prepare_continuation,
    prepare_text,
)
from cbai_notebook.session import ipython_shell, is_app, is_marimo_app

if TYPE_CHECKING:
    import pandas as pd

    from cbai_notebook.client.model import Model
    from cbai_notebook.notebook.panel.view import PanelView


LEAST_HEIGHT = 320
"""The fewest pixels of a panel, as in ``panel.css``: an open menu has room in it."""


def needs_notebook() -> str:
    """Return the advice for a terminal."""
    return say("page.needs_a_notebook", load="%load_ext cbai_notebook", ask="%cbai Hello")


class ChatPanel:
    """Chat in a notebook; make it the last expression of a cell to show it.

    The panel and `%%cbai -c NAME` cells share the conversation: each sees the other's turns at once.

    In an app that Voilà or marimo serves, each visitor has conversations of their own, in memory
    until they leave. A visitor can reach those that their panel has shown, and no other.

    In marimo, which takes no ipywidgets, it is marimo's own chat with the same conversation.

    Args:
        conversation: The conversation or its name; the current one by default.
        model: ``MODEL`` or ``PROVIDER/MODEL``; the configured one by default.
        system: The system prompt of the following prompts.
        temperature: The temperature; the model's default when omitted.
        tools: What the model may call, as :meth:`cbai_notebook.Model.generate_text` takes it:
            functions, servers (:func:`cbai_notebook.mcp`), toolboxes. A tool with ``confirm=True`` runs only after the user has clicked a button.
        max_steps: The most requests for one prompt, when the model calls tools.
        agent: The id of a CloudBase agent that answers instead of a model.
        params: Other request parameters, such as ``{"max_tokens": 500}``, or ``{"search": True}``
            for an agent that may search the web.
        height: The most pixels that the panel is high, at least 320; it grows up to that with the
            conversation. By default 640, and less on a low screen.
        examples: Prompts that an empty conversation offers; a click writes one into the message
            box. By default some of ours, or those of the agent; ``()`` for none.
        shared: Whether all visitors of an app go on with one stored conversation, which must have a
            name: each of them can read, edit, export and delete what the others wrote.

    Raises:
        UsageError: The conversation's name is blank, a tool or the height is not valid, or a
            conversation that is to be shared has no name or cannot be stored.
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
        height: int | None = None,
        examples: Sequence[str] | None = None,
        shared: bool = False,
    ) -> None:
        if height is not None and height < LEAST_HEIGHT:
            raise UsageError(say("page.too_low", height=height, n=LEAST_HEIGHT))
        if agent is not None:
            model = f"{AGENT}/{agent}"
        self._conversation = _conversation_of(conversation, shared=shared)
        self._shown = [self._conversation]
        self._unnamed: set[Conversation] = set()
        client = _client_options(tools, max_steps)
        self._height = height
        self._examples = None if examples is None else tuple(examples)
        self._options = PanelOptions(model or "", system, temperature, dict(params or {}), client)
        self._lock = threading.RLock()
        self._draft = ""
        self._closed = False
        self._view: PanelView | None = None
        self._runner = PromptRunner(self._show_state, self._restore_prompt)

    def __repr__(self) -> str:
        if not _in_notebook():
            return needs_notebook()
        return f"<ChatPanel of {self._conversation.name!r}: {len(self._conversation.turns)} turns>"

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""
        return self._conversation

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that the picker offers, the most recently used ones first: all conversations.

        In an app only those that this panel has shown, and none if the visitor has only one.
        """
        if not is_app():
            found = tuple(reversed(names()))
            own = self._conversation.name
            return found if own in found else (own, *found)
        shown = tuple(each.name for each in reversed(self._shown))
        return shown if len(shown) > 1 else ()

    @property
    def options(self) -> PanelOptions:
        """The options of the next prompt."""
        return self._options

    @property
    def height(self) -> int | None:
        """The most pixels that the panel is high; None for the usual limit."""
        return self._height

    @property
    def examples(self) -> tuple[str, ...] | None:
        """The prompts that an empty conversation offers; None for the usual ones."""
        return self._examples

    @property
    def messages(self) -> Messages:
        """The messages as flat dicts, like :attr:`cbai_notebook.Conversation.messages`."""
        return self._conversation.messages

    @property
    def inputValue(self) -> str:
        """The text in the message box; set it to change the box."""
        return self._draft

    @inputValue.setter
    def inputValue(self, text: str) -> None:
        self._draft = text
        if self._view:
            self._view.fill(text)

    @property
    def isLoading(self) -> bool:
        """Whether an answer that this panel requested is streaming."""
        return self._runner.is_busy(self._conversation)

    def note_draft(self, text: str) -> None:
        """Remember the text that the user typed into the message box."""
        self._draft = text

    def to_pandas(self) -> pd.DataFrame:
        """Return the messages as a DataFrame with proper types.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return self._conversation.to_pandas()

    def send(self, text: str, *, branch_of: Turn | None = None, images: Sequence[Any] = ()) -> bool:
        """Send a prompt and return at once.

        Nothing is sent when the prompt is blank and has no image, while an answer is streaming, or
        after the panel was closed.

        Args:
            text: The prompt.
            branch_of: The turn to which the new one is an alternative, as with Regenerate and Edit.
            images: The images of the prompt, each as :func:`cbai_notebook.image_part` takes it.

        Returns:
            Whether the prompt was sent.

        Raises:
            CbaiError: The prompt is not valid; nothing was sent.
        """
        if not (text.strip() or images):
            return False
        return self._start(
            lambda: prepare_text(self._conversation, text, self._options, branch_of, images)
        )

    def _start(self, make: Callable[[], PreparedPrompt[Model]]) -> bool:
        with self._lock:
            if self.isLoading or self._closed:
                return False
            prepared = make()  # it is checked for secrets before its words become a name
            if prepared.conversation in self._unnamed:
                self._unnamed.discard(prepared.conversation)
                name_by_prompt(prepared.conversation, prepared.prompt.text)
            started = self._runner.start(prepared)
        self._show_state()
        return started

    def regenerate(self, turn: Turn | None = None) -> bool:
        """Send the prompt of a turn again; the old answer is kept as an alternative.

        Args:
            turn: The turn; the last one by default.

        Returns:
            Whether the prompt was sent.
        """
        turn = turn or next(iter(self._conversation.turns[-1:]), None)
        return turn is not None and self.send(turn.prompt, branch_of=turn, images=turn.images)

    def ask_model(self, model: str, turn: Turn | None = None) -> bool:
        """Send the prompt of a turn to another model too; its answer becomes an alternative.

        The model of later prompts stays as it is.

        Args:
            model: The model, as ``-m`` takes it.
            turn: The turn; the last one by default.

        Returns:
            Whether the prompt was sent.

        Raises:
            CbaiError: The model's name is not valid, or it cannot do what is requested.
        """
        turn = turn or next(iter(self._conversation.turns[-1:]), None)
        if turn is None:
            return False
        asked, options = turn, replace(self._options, model=model)
        return self._start(
            lambda: prepare_text(self._conversation, asked.prompt, options, asked, asked.images)
        )

    def continue_answer(self, turn: Turn | None = None) -> bool:
        """Go on with an answer that was stopped, broken off or cut at the token limit.

        The whole answer is a new version of the turn; the old version is kept.

        Args:
            turn: The turn; the last one by default.

        Returns:
            Whether the request was sent.

        Raises:
            CbaiError: The answer cannot be continued; nothing was sent.
        """
        turn = turn or turn_to_continue(self._conversation)
        return self._start(lambda: prepare_continuation(self._conversation, turn))

    def stop(self) -> None:
        """Stop the streaming answer; keep the text received so far and mark the turn as stopped."""
        self._runner.stop(self._conversation)

    def pick(self, name: str) -> None:
        """Show a conversation of the picker; a name that it does not offer changes nothing."""
        if (conversation := self._offered(name)) is not None:
            self.use(conversation)
        else:
            self._show_state()  # a name that is gone leaves the picker

    def _offered(self, name: str) -> Conversation | None:
        for conversation in self._shown:
            if conversation.name == name:
                return conversation
        # The page may still offer a name that was renamed or deleted elsewhere.
        return None if is_app() or name not in names() else chat(name)

    def rename_conversation(self, name: str, to: str) -> None:
        """Rename a conversation of the picker; a name that it does not offer changes nothing.

        Raises:
            UsageError: Another conversation has the name, the name is blank, or visitors of an app
                share the conversation.
            HistoryError: The file could not be written.
        """
        if (conversation := self._offered(name)) is not None:
            _check_own(conversation)
            rename(conversation, to)
            self._unnamed.discard(conversation)
            self._show_state()

    def delete_conversation(self, name: str) -> None:
        """Delete a conversation of the picker for good; an answer that streams there is stopped.

        If it is the one that is shown, the current conversation is shown in its place. A name that
        the picker does not offer changes nothing.

        Raises:
            UsageError: Visitors of an app share the conversation.
            HistoryError: The file could not be written.
        """
        conversation = self._offered(name)
        if conversation is None:
            return
        _check_own(conversation)
        self._runner.stop(conversation)
        delete(conversation)
        with self._lock:
            self._shown = [each for each in self._shown if each is not conversation]
        if conversation is self._conversation:
            self.use(self._shown[-1] if is_app() and self._shown else chat())
        self._show_state()

    def undo(self) -> Turn | None:
        """Undo one step, as ``%cbai undo`` does, and write the prompt into the message box.

        Of the last comparison all answers are taken back. A text in the message box stays as it is.
        Where an earlier version with the same prompt comes back, nothing is written into the box.

        Returns:
            The turn that was taken back; None while an answer is streaming, or when there is no turn.
        """
        taken = None if self.isLoading else take_back(self._conversation)
        if taken is None:
            return None
        turn, earlier = taken.turn, taken.earlier
        if earlier is not None and earlier.prompt == turn.prompt:
            if self._view:
                self._view.show_earlier_version()
        elif self._view:
            self._view.give_back(turn)
        elif not self._draft.strip():
            self._draft = turn.prompt
        return turn

    def use(self, conversation: Conversation | str) -> None:
        """Show another conversation. A streaming answer continues in its own conversation."""
        with self._lock:
            self._conversation = _conversation_of(conversation)
            if self._conversation not in self._shown:
                self._shown.append(self._conversation)
            self._options = replace(self._options, system=None)
        if self._view:
            self._view.show_conversation(self._conversation)

    def new_conversation(self) -> None:
        """Show a new, empty conversation; the previous one is kept.

        The first words of its first prompt become its name.
        """
        made = new_conversation()
        while made.name in [each.name for each in self._shown]:  # the name of a shared one
            made = new_conversation()
        self._unnamed.add(made)
        self.use(made)

    def set_options(self, options: PanelOptions) -> None:
        """Set the options of the next prompt."""
        self._options = options
        self._show_state()

    @property
    def widget(self) -> Any:
        """The panel as an ipywidgets box, for use inside another layout.

        Raises:
            UsageError: The panel is closed.
        """
        return self._open_view().root

    def close(self) -> None:
        """Stop the streaming answer, remove the panel from the page, keep the conversation."""
        with self._lock:
            self._closed = True
            view, self._view = self._view, None

        async def end() -> None:
            self._runner.stop()
            await self._runner.wait_until_idle()
            if view:
                view.close()

        call = bridge.submit(end())
        call.wait(bridge.PROMPT_BACK_S)

    def _ipython_display_(self) -> None:
        if not _in_notebook():
            print(needs_notebook())  # noqa: T201
            return
        from cbai_notebook.notebook.frontend import cell_id

        if (shell := ipython_shell()) is not None:
            cell_id(shell)  # what the panel writes appears in lists, if a frontend has cells
        self._open_view().display()

    def _display_(self) -> Any:
        """Return what marimo shows in place of this panel: its own chat."""
        from cbai_notebook.notebook.panel.marimo_chat import chat_output

        return chat_output(self)

    def _open_view(self) -> PanelView:
        with self._lock:
            if self._closed:
                raise UsageError(say("page.closed", command="cbai.ChatPanel()"))
            if self._view is None:
                from cbai_notebook.notebook.panel.view import PanelView

                self._view = PanelView(self)
            return self._view

    def _restore_prompt(self, prepared: PreparedPrompt[Model], error: BaseException) -> None:
        prompt = prepared.prompt
        if prompt.continues is not None:  # no prompt of the user is lost
            if view := self._view:
                view.show_error(error)
        elif view := self._view:
            view.restore_prompt(prompt.text, prompt.images, error)
        else:
            self._draft = prompt.text

    def _show_state(self) -> None:
        if view := self._view:
            view.show_state()


def _conversation_of(
    conversation: Conversation | str | None, *, shared: bool = False
) -> Conversation:
    if isinstance(conversation, Conversation):
        return conversation
    if is_marimo_app() and not shared:
        return Conversation(conversation or "chat")  # of this visitor, in memory
    if not (shared and (is_app() or is_marimo_app())):
        return chat(conversation)
    if conversation is None:
        example = 'ChatPanel("support", shared=True)'
        raise UsageError(say("page.shared_needs_a_name", example=example))
    return shared_chat(conversation)


def _check_own(conversation: Conversation) -> None:
    if is_app() and not is_own(conversation):
        raise UsageError(say("page.shared_stays"))


def _client_options(tools: Sequence[Any], max_steps: int | None) -> dict[str, Any]:
    if not tools:
        return {}
    from cbai_notebook.client.tools.tool import tools_of
    from cbai_notebook.notebook.tool_sources import asking_first

    asking_first(lambda: tools_of(tools), tools)
    found: dict[str, Any] = {
        # Read anew with each prompt: the tools of a server may change.
        "tools": list(tools) if isinstance(tools, (list, tuple)) else tools,
        "call_nested": bridge.on_this_loop(),
    }
    return found if max_steps is None else {**found, "max_steps": max_steps}


def _in_notebook() -> bool:
    from cbai_notebook.notebook.frontend import is_kernel

    shell = ipython_shell()
    return shell is not None and is_kernel(shell)
