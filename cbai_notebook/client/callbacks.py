"""The Mini Program's callbacks of a stream: ``onText``, ``onEvent`` and ``onFinish``."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.sse import Event

Callback = Callable[[Any], Awaitable[None] | None]


@dataclass(frozen=True)
class StreamCallbacks:
    """Functions that a stream calls while it runs, whether anybody reads it or not.

    Each may be asynchronous. The stream waits for it, so it must not wait for the stream's end. What
    a function raises ends the stream, and its readers get it.

    Args:
        on_event: Called with each event of `TextStream.event_stream`, ``[DONE]`` included.
        on_text: Called with each text of `TextStream.text_stream`, after its event.
        on_finish: Called once with the whole text, when the answer is complete.
    """

    on_event: Callback | None = None
    on_text: Callback | None = None
    on_finish: Callback | None = None

    async def report(self, pairs: Iterable[tuple[Event | None, Chunk | None]]) -> None:
        """Call `on_event` and `on_text` for events and their chunks, in order."""
        for event, chunk in pairs:
            if event is not None:
                await _call(self.on_event, event)
            if chunk is not None and (text := chunk.text):
                await _call(self.on_text, text)

    async def finish(self, text: str) -> None:
        """Call `on_finish` with the whole text."""
        await _call(self.on_finish, text)


async def _call(callback: Callback | None, value: Any) -> None:
    if callback is not None:
        outcome = callback(value)
        if inspect.isawaitable(outcome):
            await outcome
