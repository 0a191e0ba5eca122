"""Deltas: the pieces of an answer, as they go to the conversation and to the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.conversation.turn import BETWEEN_STEPS, Turn, step_text

if TYPE_CHECKING:
    from cbai_notebook.client.chat_wire import Chunk


@dataclass(frozen=True)
class Delta:
    """New text of the answer or of the reasoning, or a new state of a tool call."""

    text: str = ""
    reasoning: str = ""
    call: ToolCall | None = None

    @classmethod
    def of(cls, batch: Iterable[Chunk]) -> Delta:
        """Join the chunks of one read of the connection into one delta."""
        chunks = list(batch)
        return cls(
            "".join([chunk.text for chunk in chunks]),
            "".join([chunk.reasoning for chunk in chunks]),
        )

    @classmethod
    def of_refusal(cls, words: str, *, after: str) -> Delta:
        """Return the words of a refusal as text.

        Args:
            words: The words.
            after: The text of the answer before them.
        """
        return cls(f"\n\n{words}" if after.strip() else words)

    def __bool__(self) -> bool:
        return bool(self.text or self.reasoning or self.call)


def deltas_of(turn: Turn) -> Iterator[Delta]:
    """Yield the answer of a turn as deltas: each tool call after the text that led to it."""
    if turn.reasoning:
        yield Delta(reasoning=turn.reasoning)
    calls = {call.id: call for call in turn.calls}
    for step in turn.steps:
        if step.get("role") != "assistant":
            continue
        if text := step_text(step):
            yield Delta(text + BETWEEN_STEPS)
        for call in step.get("tool_calls") or ():
            if call["id"] in calls:
                yield Delta(call=calls[call["id"]])
    if turn.final_text:
        yield Delta(turn.final_text)


Listener = Callable[[Delta], None]
