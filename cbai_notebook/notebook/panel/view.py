"""The widgets of the panel and their callbacks.

The kernel decides on which thread a widget callback runs: the main thread or another one. So a
callback takes a lock, passes the work to the background event loop and returns. Widgets are changed on
that loop, so the changes run one after another, also while a cell is running.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ipywidgets import VBox

from cbai_notebook.bridge import background_loop
from cbai_notebook.conversation import Change, Conversation, Turn, conversations
from cbai_notebook.conversation.formats import FORMS, export
from cbai_notebook.conversation.turn import COMPLETE
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import (
    configured_language,
    language,
    note_page_language,
    say,
    watch_language,
)
from cbai_notebook.notebook.panel import agent_actions, markup
from cbai_notebook.notebook.panel.approvals import APPROVALS
from cbai_notebook.notebook.panel.prompt_runner import PanelOptions
from cbai_notebook.notebook.panel.transcript_writer import TranscriptWriter
from cbai_notebook.notebook.panel.turn_view import TurnView
from cbai_notebook.notebook.panel.widgets import Bar, Composer, Look, update
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.session import is_app

if TYPE_CHECKING:
    from cbai_notebook.client.agents.values import AgentInfo

PAGE_TURNS = 20
"""Turns on the page at first, and turns that one click on "Show earlier messages" adds."""

MAX_TURNS = 40
"""With more turns than this on the page, only the newest `PAGE_TURNS` stay."""


class PanelController(Protocol):
    """The part of a panel that the view uses: its state, and the methods for clicks and typing."""

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that the picker offers."""

    @property
    def options(self) -> PanelOptions:
        """The options of the next prompt."""

    @property
    def height(self) -> int | None:
        """The most pixels that the panel is high; None for the usual limit."""

    @property
    def examples(self) -> tuple[str, ...] | None:
        """The prompts that an empty conversation offers; None for the usual ones."""

    @property
    def inputValue(self) -> str:
        """The text in the message box."""

    @property
    def isLoading(self) -> bool:
        """Whether an answer that this panel requested is streaming."""

    def note_draft(self, text: str) -> None:
        """Remember the text that the user typed into the message box."""

    def send(self, text: str, *, branch_of: Turn | None = None, images: Sequence[Any] = ()) -> bool:
        """Send a prompt; return whether it was sent."""

    def regenerate(self, turn: Turn | None = None) -> bool:
        """Send the prompt of a turn again; return whether it was sent."""

    def ask_model(self, model: str, turn: Turn | None = None) -> bool:
        """Send the prompt of a turn to another model too; return whether it was sent."""

    def continue_answer(self, turn: Turn | None = None) -> bool:
        """Go on with an unfinished answer; return whether the request was sent."""

    def stop(self) -> None:
        """Stop the answer of this conversation."""

    def pick(self, name: str) -> None:
        """Show a conversation of the picker."""

    def rename_conversation(self, name: str, to: str) -> None:
        """Rename a conversation of the picker."""

    def delete_conversation(self, name: str) -> None:
        """Delete a conversation of the picker for good."""

    def undo(self) -> Turn | None:
        """Undo one step; the prompt goes into the message box if nothing is in it."""

    def new_conversation(self) -> None:
        """Show a new, empty conversation."""

    def set_options(self, options: PanelOptions) -> None:
        """Set the options of the next prompt."""


class PanelView:
    """The widgets of one panel.

    Args:
        panel: The panel: it carries out the user's actions, and its state is shown.
    """

    def __init__(self, panel: PanelController) -> None:
        self._panel = panel
        self._loop = background_loop()
        self._lock = threading.RLock()
        self._keys = itertools.count(1)
        self._turns: dict[str, Turn] = {}
        self._views: dict[Turn, TurnView] = {}
        self._conversation = panel.conversation
        self._authors_model = panel.options.model
        self._first_shown = len(panel.conversation.turns)
        self._unwatch: Callable[[], None] | None = None
        self._transcript: TranscriptWriter | None = None
        self._closed = False
        self._times_shown = 0
        self._tells_of_store = ""
        self._language = language()
        self._tasks: set[asyncio.Task[None]] = set()
        self._agents: dict[str, AgentInfo | None] = {}

        uid = self._uid = uuid.uuid4().hex[:8]
        look = self._look = Look()
        forms = [form.name for form in FORMS]
        chosen = configured_language() or ""
        self._bar = Bar(uid=uid, forms=forms, language=chosen, layout=look.layout)
        self._composer = Composer(
            uid=uid, draft=panel.inputValue, language=chosen, layout=look.layout
        )
        self._earlier = look.html()
        self._notice = look.html()
        self._welcome = look.html()
        self._list = VBox((self._earlier, self._notice), layout=look.layout)
        self._scroll = VBox((self._list,), layout=look.layout)
        self.root = VBox(
            (self._bar, self._scroll, self._composer), layout=look.limited(panel.height)
        )
        self._list.add_class("cbai-list")
        self._scroll.add_class("cbai-scroll")
        self.root.add_class("cbai-panel")

        self._bar.on_msg(self._on_bar)
        self._composer.on_msg(self._on_composer)
        self._composer.observe(lambda change: panel.note_draft(change["new"]), "draft")
        self._unwatch_language = watch_language(lambda: self._post(self._say_again))
        self._show_state()
        self._post(self._start_watching)

    # Display and close

    def display(self) -> None:
        """Show the panel in the running cell, and below it the transcript that is saved."""
        from IPython.display import display

        from cbai_notebook.notebook.screen.surfaces import CellSurface

        view = {"version_major": 2, "version_minor": 0, "model_id": self.root.model_id}
        plain = str(say("page.alternative"))
        display(  # type: ignore[no-untyped-call]
            {"application/vnd.jupyter.widget-view+json": view, "text/plain": plain}, raw=True
        )
        if is_app():
            return  # an app saves no notebook file
        self._transcript = TranscriptWriter(
            CellSurface(owns_cell=False),
            lambda: self._conversation,
            f"cbai-of-{self._uid}",
            on_written=self._send_transcript,
        )
        if len(self._conversation.turns) <= PAGE_TURNS:
            self._transcript.write_now()
        else:
            self._transcript.write()

    def close(self) -> None:
        """Close every widget. Call this on the background loop."""
        self._stop_watching()
        self._unwatch_language()
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for view in self._views.values():
            view.close()
        for widget in (
            self.root,
            self._scroll,
            self._list,
            self._earlier,
            self._notice,
            self._welcome,
            self._bar,
            self._composer,
        ):
            widget.close()
        self._look.close()

    def _start_watching(self) -> None:
        if self._unwatch is None and not self._closed:
            self._unwatch = self._conversation.watch(
                lambda change: self._post(self._on_change, change)
            )
            self._update_list()
            self._show_totals()

    def _stop_watching(self) -> None:
        if self._unwatch:
            self._unwatch()
            self._unwatch = None
        for view in self._views.values():
            view.stop_following()

    def _post(self, work: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(work, *arguments)

    # Called by the panel

    def fill(self, text: str) -> None:
        """Write a text into the message box."""
        self._composer.draft = text
        self._composer.send({"type": "fill", "text": text})

    def give_back(self, turn: Turn) -> None:
        """Write the prompt of a deleted turn into the message box, if nothing is in it."""
        images = list(turn.images)
        self._composer.send({"type": "undone", "text": turn.prompt, "images": images})

    def show_earlier_version(self) -> None:
        """Have the page say that an undo has brought the version before back."""
        self._announce("undone_version")

    def restore_prompt(self, prompt: str, images: Sequence[str], error: BaseException) -> None:
        """Write a prompt that was not sent back into the message box, and show the error."""
        self._composer.send({"type": "refused", "text": prompt, "images": list(images)})
        self.show_error(error)

    def show_error(self, error: BaseException) -> None:
        """Show the error of a request that became no turn."""
        if isinstance(error, Exception):
            known = error if isinstance(error, CbaiError) else CbaiError(repr(error))
            self._post(self._show_error, known)

    def show_conversation(self, conversation: Conversation) -> None:
        """Show another conversation."""
        self._post(self._show_conversation, conversation)

    def show_state(self) -> None:
        """Update the bar and the composer: the options, and whether an answer is streaming."""
        self._post(self._show_state)

    def _show_conversation(self, conversation: Conversation) -> None:
        self._stop_watching()
        self._conversation = conversation
        self._first_shown = len(conversation.turns)
        self._notice.value = ""
        update(self._composer, suggestions=[])
        self._start_watching()
        self._show_state()
        self._write_transcript()

    def _show_state(self) -> None:
        if self._closed:
            return
        options, conversation = self._panel.options, self._conversation
        system = conversation.system if options.system is None else options.system
        update(
            self._bar,
            conversation=conversation.name,
            conversations=list(self._panel.choices),
            model=options.model,
            default_model=_default_model(),
            models=_offered_models(),
            system=system or "",
            temperature=options.temperature,
        )
        update(
            self._composer,
            loading=self._panel.isLoading,
        )
        if self._unwatch and not self._conversation.turns:
            self._show_welcome()

    def _show_totals(self) -> None:
        turns = self._conversation.turns
        if len(turns) == 1:  # its own line says the same
            turns = ()
        update(
            self._composer,
            tokens=sum(turn.total_tokens or 0 for turn in turns),
            seconds=round(sum(turn.duration_s or 0.0 for turn in turns), 1),
        )

    # Changes of the conversation

    def _on_change(self, change: Change) -> None:
        if self._unwatch is None:
            return
        if change.kind == "grown":
            if view := self._views.get(change.turn) if change.turn else None:
                view.notify()
            return
        if change.kind == "opened":
            self._notice.value = ""
            update(self._composer, suggestions=[])
            if len(self._conversation.turns) - self._first_shown > MAX_TURNS:
                self._first_shown = len(self._conversation.turns) - PAGE_TURNS
            self._update_list()
            self._announce("started")
        elif change.kind == "stored":
            self._show_not_stored()
            return
        elif change.kind == "closed" and change.turn:
            if view := self._views.get(change.turn):
                # The answer is painted first; `_on_painted` then does the rest.
                view.notify()
                return
            self._write_transcript(change.turn)
            self._show_totals()
        else:
            self._update_list()
            self._show_totals()
            self._write_transcript()
        self._show_state()

    def _on_painted(self, turn: Turn) -> None:
        self._announce(turn.status)
        self._show_state()
        self._show_totals()
        self._show_not_stored()
        self._write_transcript(turn)
        if agent_actions.agent_of(turn) is not None and turn.status == COMPLETE:
            self._start_task(self._suggest(turn))

    def _show_not_stored(self) -> None:
        if problem := self._conversation.not_stored:
            self._notice.value = markup.problem(say("page.not_stored", problem=problem))
            self._tells_of_store = self._notice.value
        elif self._notice.value == self._tells_of_store:
            self._notice.value = ""

    async def _suggest(self, turn: Turn) -> None:
        if self._conversation.turns[-1:] != (turn,):
            return
        found = await agent_actions.suggested_questions(self._conversation.turns)
        if self._conversation.turns[-1:] == (turn,) and not self._closed:
            update(self._composer, suggestions=found)

    async def _send_feedback(self, turn: Turn, opinion: Literal["up", "down"]) -> None:
        try:
            await agent_actions.send_feedback(turn, opinion)
        except CbaiError as error:
            self._show_error(error)
        else:
            self._announce("thanks")

    def _give_feedback(self, turn: Turn, opinion: Literal["up", "down"]) -> None:
        self._start_task(self._send_feedback(turn, opinion))

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _announce(self, what: str, **values: str) -> None:
        """Have a text of the page read out; one with values is shown for a moment too."""
        self._composer.send({"type": "announce", "what": what, "values": values})

    def _update_list(self) -> None:
        if self._closed:
            return  # a click that was on its way when the panel was closed
        turns = self._conversation.turns
        self._first_shown = max(0, min(self._first_shown, len(turns) - PAGE_TURNS))
        previous, self._views = self._views, {}
        for turn in turns[self._first_shown :]:
            position = self._position(turn)
            view = previous.get(turn)
            if view is not None and not view.stopped_following:
                del previous[turn]
            else:
                key = f"t{next(self._keys)}"
                self._turns[key] = turn
                view = TurnView(turn, key, self._look, position, self._on_painted)
            view.set_position(position, _other_models(turn) if turn is turns[-1] else ())
            self._views[turn] = view
        self._earlier.value = markup.earlier(self._first_shown)
        boxes = [view.box for view in self._views.values()]
        if not boxes:
            self._show_welcome()
            boxes = [self._welcome]
        children = (self._earlier, *boxes, self._notice)
        if children != self._list.children:
            self._list.children = children
        for removed in previous.values():
            del self._turns[removed.key]
            removed.close()

    def _show_welcome(self) -> None:
        is_current = self._conversation is conversations().current()
        agent = agent_actions.agent_of_model(self._panel.options.model)
        if agent is not None and agent not in self._agents:
            self._agents[agent] = None
            self._start_task(self._look_up(agent))
        known = self._agents.get(agent) if agent is not None else None
        examples = self._panel.examples
        if examples is None and agent is not None:
            examples = known.questions if known else ()
        self._welcome.value = markup.welcome(
            None if is_current else self._conversation.name,
            greeting=known.welcome_message if known else "",
            examples=examples,
            offline=self._is_offline(),
            cells=not is_app(),
        )

    async def _look_up(self, agent: str) -> None:
        self._agents[agent] = await agent_actions.about(agent)
        if not (self._views or self._closed):
            self._show_welcome()

    def _position(self, turn: Turn) -> tuple[int, int]:
        alternatives = self._conversation.alternatives(turn)
        return alternatives.index(turn) + 1, len(alternatives)

    def _is_offline(self) -> bool:
        from cbai_notebook.client.settings import settings

        return not settings().configured and not self._panel.options.model

    def _write_transcript(self, turn: Turn | None = None, *, repeat: bool = False) -> None:
        if self._transcript:
            self._transcript.write(turn, repeat=repeat)

    def _send_transcript(self, slot: int, bundle: Bundle) -> None:
        # A reloaded page no longer knows which output is which part: send it as a message too.
        if self._times_shown > 1:
            self._composer.send({"type": "transcript", "slot": slot, "data": bundle})

    # Actions of the user

    def _on_composer(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        with self._lock:
            match message.get("type"):
                case "send":
                    self._send(message)
                case "stop":
                    self._panel.stop()
                case "act":
                    self._act(message)
                case "shown":
                    self._times_shown += 1
                    note_page_language(str(message.get("language")))
                    if self._times_shown > 1:
                        self._write_transcript(repeat=True)
                    self._post(self._start_watching)
                    self.show_state()
                case "gone":
                    self._panel.stop()
                    self._post(self._stop_watching)

    def _on_bar(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        with self._lock:
            match message.get("type"):
                case "pick":
                    self._panel.pick(str(message["name"]))
                case "rename" | "delete":
                    self._arrange(message)
                case "new":
                    self._panel.new_conversation()
                    self._composer.send({"type": "focus"})
                case "options":
                    self._choose_options(message)
                case "export":
                    self._export(str(message["form"]))

    def _arrange(self, message: dict[str, Any]) -> None:
        name = str(message["name"])
        try:
            if message["type"] == "rename":
                self._panel.rename_conversation(name, str(message["to"]))
            else:
                self._panel.delete_conversation(name)
        except CbaiError as error:
            self._post(self._show_error, error)

    def _send(self, message: dict[str, Any]) -> None:
        text, key = str(message["text"]), message.get("branch_of")
        branch_of = self._turns.get(key) if key else None
        images = [str(image) for image in message.get("images") or ()]
        sent = False
        try:
            _check_images(images)
            sent = self._panel.send(text, branch_of=branch_of, images=images)
        except CbaiError as error:
            self._post(self._show_error, error)
        if sent:
            outcome: dict[str, Any] = {"type": "sent"}
        else:
            outcome = {"type": "refused", "text": text, "images": images, "turn": key}
        self._composer.send({**outcome, "id": str(message["id"])})

    def _act(self, message: dict[str, Any]) -> None:
        action, turn = str(message["action"]), self._turns.get(str(message.get("turn")))
        if action == "earlier":
            self._post(self._show_earlier)
        if action == "undo":
            self._panel.undo()
        if turn is None:
            return
        try:
            match action:
                case "again" | "retry":
                    self._panel.regenerate(turn)
                case "ask_model":
                    self._ask_model(str(message.get("model")), turn)
                case "continue":
                    self._panel.continue_answer(turn)
                case "delete":
                    self._conversation.delete(turn)
                case "allow" | "refuse":
                    APPROVALS.answer(turn, str(message.get("call")), action == "allow")
                case "up" | "down":
                    self._post(self._give_feedback, turn, action)
                case "back" | "next":
                    alternatives = self._conversation.alternatives(turn)
                    index = alternatives.index(turn) + (1 if action == "next" else -1)
                    if 0 <= index < len(alternatives):
                        self._conversation.choose(alternatives[index])
        except CbaiError as error:
            self._post(self._show_error, error)

    def _ask_model(self, model: str, turn: Turn) -> None:
        if is_app() and not self._may_choose(model):
            raise UsageError(say("page.offered_models_only"))
        self._panel.ask_model(model, turn)

    def _choose_options(self, message: dict[str, Any]) -> None:
        changes: dict[str, Any] = {}
        if "model" in message:
            changes["model"] = str(message["model"]).strip()
            if is_app() and not self._may_choose(changes["model"]):
                self._post(self._show_error, UsageError(say("page.offered_models_only")))
                return
        if "system" in message:
            system = str(message["system"])
            changes["system"] = None if system == (self._conversation.system or "") else system
        if "temperature" in message:
            temperature = message["temperature"]
            changes["temperature"] = None if temperature is None else float(temperature)
        self._panel.set_options(replace(self._panel.options, **changes))

    def _may_choose(self, model: str) -> bool:
        """Return whether a visitor may have a model; any other name may be a file of this machine."""
        own = ("", self._authors_model, self._panel.options.model)
        return model in own or model in _offered_models()

    def _export(self, form: str) -> None:
        try:
            file = export(self._conversation, form)
        except CbaiError as error:
            self._post(self._show_error, error)
            return
        message = {"type": "download", "name": file.download_name, "mime": file.mime}
        self._bar.send(message, buffers=[file.data])
        self._announce("exported", name=file.download_name)

    def _say_again(self) -> None:
        """Say everything in the language of now: on the page, in the answers and the transcript."""
        if self._closed:
            return
        chosen = configured_language() or ""
        update(self._bar, language=chosen)
        update(self._composer, language=chosen)
        if self._language == language():
            return
        self._language = language()
        for view in self._views.values():
            view.say_again()
        self._write_transcript(repeat=True)

    def _show_earlier(self) -> None:
        self._first_shown = max(0, self._first_shown - PAGE_TURNS)
        self._update_list()

    def _show_error(self, error: CbaiError) -> None:
        self._notice.value = markup.problem(error.words or str(error), error.details)


def _check_images(images: Sequence[str]) -> None:
    """Refuse a path: a page may send pictures, but must not have files of this machine read."""
    if not all(image.startswith(("data:", "https://")) for image in images):
        raise UsageError(say("page.pasted_pictures_only"))


def _offered_models() -> list[str]:
    from cbai_notebook.client.providers import suggested_specs
    from cbai_notebook.client.settings import settings

    return suggested_specs(settings())


def _other_models(turn: Turn) -> tuple[str, ...]:
    """Return the models that can answer a turn's prompt too."""
    used = {turn.asked_model, turn.model, f"{turn.provider}/{turn.asked_model or turn.model}"}
    # A server without a model of its own is offered with a slash, behind which a name is missing.
    offered = (name for name in _offered_models() if not name.endswith("/"))
    return tuple(name for name in offered if name not in used)


def _default_model() -> str:
    from cbai_notebook.client.providers import default_model, model_label, parse_model_spec
    from cbai_notebook.client.settings import settings

    now = settings()
    # It is only shown here. A prompt that goes to a mistyped server says so itself.
    provider, model = parse_model_spec(None, now, check_slips=False)
    return model_label(provider, model or default_model(provider, now))
