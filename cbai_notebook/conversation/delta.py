"""Deltas: the pieces of an answer, as they go to the conversation and to the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbai_notebook.conversation.tool_calls import ToolCall

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

    def __bool__(self) -> bool:
        return bool(self.text or self.reasoning or self.call)


Listener = Callable[[Delta], None]
