"""Send the panel's prompts on the background loop: at most one at a time for each conversation."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cbai_notebook.bridge import CANCEL_GRACE_S, PROMPT_BACK_S, background_loop, leave
from cbai_notebook.client.tasks import mark_retrieved
from cbai_notebook.client.tools import left_running
from cbai_notebook.conversation import (
    Conversation,
    PreparedPrompt,
    Prompt,
    Turn,
    ask,
    prepare,
)
from cbai_notebook.conversation.ask import close_stopped
from cbai_notebook.conversation.prompt import continuing
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import joined
from cbai_notebook.notebook import offline_hints
from cbai_notebook.notebook.panel.approvals import APPROVALS
from cbai_notebook.notebook.screen import endings

if TYPE_CHECKING:
    from cbai_notebook.client.model import Model
    from cbai_notebook.client.tools.tool_calls import ToolCall


@dataclass(frozen=True)
class PanelOptions:
    """The options of a panel's next prompt.

    Attributes:
        model: ``MODEL`` or ``PROVIDER/MODEL``; empty for the default.
        system: The system prompt from now on; ``""`` removes it, ``None`` keeps the current one.
        temperature: The temperature; ``None`` for the model's default.
        params: Other request parameters.
        client: Options that the client handles itself: ``tools``, ``max_steps``, ``think``.
    """

    model: str = ""
    system: str | None = None
    temperature: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)


def prepare_text(
    conversation: Conversation,
    text: str,
    options: PanelOptions,
    branch_of: Turn | None,
    images: Sequence[str] = (),
) -> PreparedPrompt[Model]:
    """Prepare a prompt for :class:`PromptRunner`.

    Raises:
        UsageError: The model's name, an option or an image is not valid, or the model cannot do
            what is requested.
        SecretRefusedError: The request would contain a secret.
    """
    temperature = {} if options.temperature is None else {"temperature": options.temperature}
    prompt = Prompt(
        text=text,
        system=options.system,
        model=options.model or None,
        params={**options.params, **temperature},
        branch_of=branch_of,
        images=tuple(map(_image_url, images)),
        options=options.client,
    )
    return _checked(prepare(conversation, prompt))


def prepare_continuation(conversation: Conversation, turn: Turn) -> PreparedPrompt[Model]:
    """Prepare the request for the rest of a turn's answer, from the model that began it.

    Raises:
        UsageError: The answer cannot be continued.
        SecretRefusedError: The request would contain a secret.
    """
    return _checked(prepare(conversation, continuing(turn, params={})))


def _checked(prepared: PreparedPrompt[Model]) -> PreparedPrompt[Model]:
    prepared.model.check(prepared.params, **prepared.prompt.options)
    return prepared


def _image_url(image: str) -> str:
    from cbai_notebook.client.images.part import image_part

    return str(image_part(image)["image_url"]["url"])


@dataclass(eq=False)
class _Running:
    """A prompt that is running.

    Attributes:
        prepared: The prompt.
        task: The task that asks it.
        turns: Its turn, once there is one.
        left: The functions of the user that did not end with it.
    """

    prepared: PreparedPrompt[Model]
    task: asyncio.Task[None] | None = None
    turns: list[Turn] = field(default_factory=list)
    left: list[left_running.LeftRunning] = field(default_factory=list)


class PromptRunner:
    """Run prompts, at most one at a time in each conversation: a second one is refused.

    Args:
        on_end: Called on the background loop when a prompt has ended.
        on_error: Called on the background loop with a prompt that failed before it became a turn,
            and with the error.
    """

    def __init__(
        self,
        on_end: Callable[[], None],
        on_error: Callable[[PreparedPrompt[Model], BaseException], None],
    ) -> None:
        self._on_end = on_end
        self._on_error = on_error
        self._lock = threading.Lock()
        self._loop = background_loop()
        self._busy: set[Conversation] = set()
        self._running: dict[Conversation, _Running] = {}

    def is_busy(self, conversation: Conversation) -> bool:
        """Return whether a prompt is running in a conversation."""
        return conversation in self._busy

    def start(self, prepared: PreparedPrompt[Model]) -> bool:
        """Start a prompt if none is running in its conversation; return whether it was started."""
        with self._lock:
            if prepared.conversation in self._busy:
                return False
            self._busy.add(prepared.conversation)
        self._loop.call_soon_threadsafe(self._start, prepared)
        return True

    def stop(self, conversation: Conversation | None = None) -> None:
        """Stop the prompt of a conversation; without one, stop all prompts."""
        self._loop.call_soon_threadsafe(self._cancel, conversation)

    async def wait_until_idle(self) -> None:
        """Wait until no prompt is running. Call this on the background loop."""
        if tasks := [running.task for running in self._running.values() if running.task]:
            await asyncio.wait(tasks)

    def _start(self, prepared: PreparedPrompt[Model]) -> None:
        running = _Running(prepared)
        running.task = self._loop.create_task(self._ask(running))
        self._running[prepared.conversation] = running
        running.task.add_done_callback(lambda task: self._end(running, task))

    def _cancel(self, conversation: Conversation | None) -> None:
        for chosen, running in self._running.items():
            if conversation in (None, chosen):
                # One step later: a prompt that is stopped right after it was sent still becomes a
                # turn.
                self._loop.call_soon(self._stop, running)

    def _stop(self, running: _Running) -> None:
        assert running.task is not None
        running.task.cancel()
        self._loop.call_later(PROMPT_BACK_S, self._leave, running, running.task)

    def _leave(self, running: _Running, task: asyncio.Task[None]) -> None:
        """Free the conversation of a prompt that was stopped and cleans up in the background."""
        if self._running.get(running.prepared.conversation) is not running:
            return
        leave(task)
        self._loop.call_later(CANCEL_GRACE_S, task.cancel)
        self._tell(running, asyncio.CancelledError())
        for turn in running.turns:
            close_stopped(running.prepared, turn)
        self._free(running)

    async def _ask(self, running: _Running) -> None:
        prepared, turns = running.prepared, running.turns
        left_running.collect_into(running.left)

        async def approve(call: ToolCall) -> bool:
            # With the turn: models number their calls anew in each answer, so ids repeat.
            turn = turns[0]
            # A view may have looked for the question already, when the call's state changed.
            return await APPROVALS.request(
                turn, call, on_wait=lambda: prepared.conversation.grow(turn, "", "")
            )

        def opened(turn: Turn) -> None:
            turn.note = joined(*prepared.hints, *offline_hints.knows_english_only(prepared))
            turns.append(turn)

        if prepared.prompt.options.get("tools"):
            prepared = prepared.with_options({"approve": approve})
        try:
            await ask(prepared, opened=opened)
        except BaseException as error:
            self._tell(running, error)
            raise  # once there is a turn, the turn holds the error

    def _tell(self, running: _Running, error: BaseException) -> None:
        """Tell the user what a turn cannot: that there is none, or what still runs."""
        prepared = running.prepared
        if self._running.get(prepared.conversation) is not running:
            return  # told when it was left
        if not running.turns:
            self._on_error(prepared, error)
        elif names := left_running.names(running.left):
            turn = running.turns[0]
            turn.note = joined(turn.note, endings.left_running(names))
            with contextlib.suppress(UsageError):  # it was deleted meanwhile
                prepared.conversation.keep(turn)

    def _end(self, running: _Running, task: asyncio.Task[None]) -> None:
        mark_retrieved(task)
        if self._running.get(running.prepared.conversation) is running:
            self._free(running)

    def _free(self, running: _Running) -> None:
        conversation = running.prepared.conversation
        with self._lock:
            self._running.pop(conversation)
            self._busy.discard(conversation)
        self._on_end()
