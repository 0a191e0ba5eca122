"""A conversation: turns in order, seen as a list of messages, and what of it goes along with a prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, overload

from cbai_notebook.conversation.tree import TurnTree
from cbai_notebook.conversation.turn import CANCELLED, FAILED, Turn
from cbai_notebook.conversation.watching import Change, Watcher, Watchers
from cbai_notebook.errors import UsageError

Message = dict[str, Any]


@dataclass(frozen=True)
class Bounds:
    """How much of the past goes along with a prompt: at most so many turns and so many characters."""

    turns: int = 20
    chars: int = 24_000


@dataclass(frozen=True)
class Context:
    """The past that goes along with a prompt.

    Attributes:
        messages: What is sent ahead of the prompt: the system prompt and past turns.
        left_out: Past turns that did not fit the bounds.
    """

    messages: list[Message]
    left_out: int


class Conversation:
    """A named list of turns.

    A prompt that is asked anew, or in other words, keeps its first turn as an alternative. Everything
    but :meth:`alternatives` is about the turns that are on show.

    ``messages`` is a list of flat dicts with the same keys in every record, so that
    ``pd.DataFrame(conversation.messages)`` needs no help. ``len``, iteration and indexing work on it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tree = TurnTree()
        self._watchers = Watchers()
        # The background loop writes turns while a cell reads them.
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Conversation {self.name!r}: {len(self.turns)} turns>"

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, oldest first."""
        with self._lock:
            return tuple(self._tree.path())

    @property
    def messages(self) -> list[Message]:
        """The messages as flat dicts, oldest first; a copy, so changing it changes nothing here.

        Keys: ``conversation, turn, role, content, reasoning, provider, model, status, finish_reason,
        error, created_at`` (UTC)``, duration_s, first_token_s, prompt_tokens, completion_tokens,
        total_tokens, cell_id, stale, params, images, tool_calls, tool_call_id``.
        """
        return [
            record
            for number, turn in enumerate(self.turns)
            for record in turn.records(self.name, number)
        ]

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...

    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        return self.messages[index]

    @property
    def system(self) -> str | None:
        """The system prompt in force, or ``None``."""
        return _system(self.turns)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell `watcher` of every change, at once and on the thread that makes it.

        Args:
            watcher: Called with a :class:`Change`; must be quick and must not fail.

        Returns:
            What ends the watch.
        """
        return self._watchers.add(watcher)

    def reset(self) -> None:
        """Forget every turn, alternatives included."""
        with self._lock:
            self._tree.clear()
        self._watchers.tell(Change("arranged"))

    def open(self, turn: Turn, beside: Turn | None = None) -> None:
        """Add a turn that is about to be asked.

        A prompt that failed without an answer and is asked again takes the place of the failed turn,
        so the user's message stands once, never twice in a row.

        Args:
            turn: The new turn.
            beside: The turn to stand beside as an alternative; at the end by default.

        Raises:
            UsageError: `beside` is not in this conversation.
        """
        with self._lock:
            if beside is not None:
                self._must_hold(beside)
            *_, last = (None, *self._tree.path()) if beside is None else (beside,)
            if last and _is_retry(last, turn):
                self._tree.replace(last, turn)
            elif beside:
                self._tree.add_beside(turn, beside)
            else:
                self._tree.append(turn)
        self._watchers.tell(Change("opened", turn))

    def grow(self, turn: Turn, text: str, reasoning: str) -> None:
        """Add what has just arrived to a turn."""
        turn.add(text, reasoning)
        self._watchers.tell(Change("grown", turn))

    def close(self, turn: Turn, status: str) -> None:
        """Say how a turn ended; whatever else is known of it must be in it by then."""
        turn.status = status
        self._watchers.tell(Change("closed", turn))

    def alternatives(self, turn: Turn) -> tuple[Turn, ...]:
        """Return a turn and those that were asked in its place, oldest first."""
        with self._lock:
            return self._tree.beside(turn)

    def choose(self, turn: Turn) -> None:
        """Show a turn, and what followed it, in place of its alternatives.

        Raises:
            UsageError: The turn is not in this conversation.
        """
        with self._lock:
            self._must_hold(turn)
            self._tree.choose(turn)
        self._watchers.tell(Change("arranged"))

    def delete(self, turn: Turn) -> None:
        """Forget a turn. What follows moves up; an alternative goes with what follows it.

        Raises:
            UsageError: The turn is not in this conversation.
        """
        with self._lock:
            self._must_hold(turn)
            self._tree.remove(turn)
        self._watchers.tell(Change("arranged"))

    def _must_hold(self, turn: Turn) -> None:
        if turn not in self._tree:
            raise UsageError(f"That turn is no longer in the conversation {self.name!r}.")

    def system_for(self, beside: Turn | None) -> str | None:
        """Return the system prompt that a prompt asked in the place of `beside` starts from."""
        if beside is None:
            return self.system
        return _system((*self._before(beside), beside))

    def _before(self, turn: Turn | None) -> tuple[Turn, ...]:
        with self._lock:
            return tuple(self._tree.path(before=turn))

    def context(
        self, prompt: str, system: str | None, bounds: Bounds, beside: Turn | None = None
    ) -> Context:
        """Return what goes ahead of a prompt: the system prompt and the newest turns that fit.

        Turns without an answer are left out, so that roles alternate.

        Args:
            prompt: The prompt that is about to be asked.
            system: A system prompt that replaces the one in force; ``""`` for none.
            bounds: How many turns and characters may go along.
            beside: The turn that the prompt is an alternative to; only what stands before it goes along.
        """
        answered = [turn for turn in self._before(beside) if turn.text]
        chosen: list[Turn] = []
        room = bounds.chars
        for turn in reversed(answered):
            room -= len(turn.prompt) + len(turn.text)
            if len(chosen) == bounds.turns or room < 0:
                break
            chosen.insert(0, turn)
        in_force = self.system_for(beside) if system is None else system
        messages: list[Message] = [{"role": "system", "content": in_force}] if in_force else []
        for turn in chosen:
            messages += turn.sent()
        return Context(messages, left_out=len(answered) - len(chosen))


def _system(turns: tuple[Turn, ...]) -> str | None:
    return next((turn.system or None for turn in reversed(turns) if turn.system is not None), None)


def _is_retry(last: Turn, turn: Turn) -> bool:
    return last.status in (FAILED, CANCELLED) and not last.text and last.prompt == turn.prompt
