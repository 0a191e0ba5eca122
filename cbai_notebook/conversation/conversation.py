"""A conversation: turns in order, seen as a list of messages, and what of it goes along with a prompt."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, overload

from cbai_notebook.conversation.turn import CANCELLED, FAILED, Turn

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

    ``messages`` is a list of flat dicts with the same keys in every record, so that
    ``pd.DataFrame(conversation.messages)`` needs no help. ``len``, iteration and indexing work on it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._turns: list[Turn] = []
        # The background loop writes turns while a cell reads them.
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Conversation {self.name!r}: {len(self._turns)} turns>"

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, oldest first."""
        with self._lock:
            return tuple(self._turns)

    @property
    def messages(self) -> list[Message]:
        """The messages as flat dicts, oldest first; a copy, so changing it changes nothing here.

        Keys: ``conversation, turn, role, content, reasoning, provider, model, status, finish_reason,
        error, created_at`` (UTC)``, duration_s, first_token_s, prompt_tokens, completion_tokens,
        total_tokens, cell_id``.
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

    def reset(self) -> None:
        """Forget every turn."""
        with self._lock:
            self._turns.clear()

    def open(self, turn: Turn) -> None:
        """Add a turn that is about to be asked.

        A prompt that failed without an answer and is asked again takes the place of the failed turn,
        so the user's message stands once, never twice in a row.
        """
        with self._lock:
            if self._turns and _is_retry(self._turns[-1], turn):
                self._turns[-1] = turn
            else:
                self._turns.append(turn)

    def context(self, prompt: str, system: str | None, bounds: Bounds) -> Context:
        """Return what goes ahead of a prompt: the system prompt and the newest turns that fit.

        Turns without an answer are left out, so that roles alternate.

        Args:
            prompt: The prompt that is about to be asked.
            system: A system prompt that replaces the one in force; ``""`` for none.
            bounds: How many turns and characters may go along.
        """
        answered = [turn for turn in self.turns if turn.text]
        chosen: list[Turn] = []
        room = bounds.chars
        for turn in reversed(answered):
            room -= len(turn.prompt) + len(turn.text)
            if len(chosen) == bounds.turns or room < 0:
                break
            chosen.insert(0, turn)
        in_force = self.system if system is None else system
        messages: list[Message] = [{"role": "system", "content": in_force}] if in_force else []
        for turn in chosen:
            messages.append({"role": "user", "content": turn.prompt})
            messages.append({"role": "assistant", "content": turn.text})
        return Context(messages, left_out=len(answered) - len(chosen))


def _system(turns: tuple[Turn, ...]) -> str | None:
    return next((turn.system or None for turn in reversed(turns) if turn.system is not None), None)


def _is_retry(last: Turn, turn: Turn) -> bool:
    return last.status in (FAILED, CANCELLED) and not last.text and last.prompt == turn.prompt
