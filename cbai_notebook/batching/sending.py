"""What sends the request of one row and returns what became of it: here, from this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cbai_notebook.batching.outcome import StoredAnswer
from cbai_notebook.batching.plan import Unit
from cbai_notebook.client.loop_waiters import StoppedError
from cbai_notebook.errors import AuthenticationError, CbaiError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.batching.answer_store import AnswerStore
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.repeated import RepeatedRequest
    from cbai_notebook.client.structured.response_type import ResponseType

Begin = Callable[[list[Any]], Awaitable["RepeatedRequest"]]
"""Returns what sends the requests, with the settings of this moment; gets the messages of a row."""


class Reply(NamedTuple):
    """What became of one request.

    Attributes:
        answer: The answer; with an error, the text that had arrived.
        value: The parsed answer as plain Python; None without a ``response_type``.
        error: Why the answer cannot be used, or why there is none.
    """

    answer: StoredAnswer | None = None
    value: Any = None
    error: CbaiError | None = None


class Sender(Protocol):
    """Sends the requests of a batch.

    Attributes:
        concurrency: The most requests that run at once.
    """

    concurrency: int

    @property
    def at_once(self) -> int:
        """The most requests that it takes at once, those that do not run yet included; may change."""

    async def begin(self) -> None:
        """Prepare; nothing is sent.

        Raises:
            CbaiError: Requests cannot be sent.
        """

    async def send(self, unit: Unit) -> Reply:
        """Send one request, and return what became of it.

        Raises:
            StoppedError: It was not sent: the batch has stopped.
        """

    async def end(self) -> None:
        """Clean up. Requests that are under way get no reply any more."""


class LocalSender:
    """Sends requests from this process.

    Args:
        begin: Returns what sends them; called again when the key was refused.
        response: The type of the answers.
        concurrency: The most requests at once.
        store: Has the limit that an earlier batch has found; None for none.
    """

    def __init__(
        self,
        begin: Begin,
        response: ResponseType | None,
        concurrency: int,
        store: AnswerStore | None = None,
    ) -> None:
        self.concurrency = self.at_once = concurrency
        self._begin = begin
        self._response = response
        self._store = store
        self._request: RepeatedRequest | None = None
        self._beginning = asyncio.Lock()
        self._generation = 0

    async def begin(self) -> None:
        """Do nothing: the first request finds out whether requests can be sent."""

    async def send(self, unit: Unit) -> Reply:
        """Send one request, and return what became of it.

        Raises:
            StoppedError: It was not sent: the batch has stopped.
        """
        generation = self._generation
        try:
            request = await self._begun(unit, generation)
            return _reply(unit, await request.answer(unit.messages), self._response)
        except AuthenticationError as error:
            if await self._has_new_key(unit, generation):
                return await self.send(unit)
            return _failure(unit, error)
        except CbaiError as error:
            return _failure(unit, error)
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - a tool or a type of the user may raise anything
            message = say("batch.row_raised", error=type(error).__name__, reason=str(error))
            return Reply(error=CbaiError(message))

    async def end(self) -> None:
        """Store the limit that was found, for the next batch."""
        request = self._request
        if self._store is None or request is None:
            return
        if (limit := request.gate.proven) is not None:
            self._store.keep_limit(request.address, limit)

    async def _begun(self, unit: Unit, generation: int) -> RepeatedRequest:
        if self._request is None or self._generation != generation:
            async with self._beginning:
                if self._request is None:
                    self._request = await self._begin(unit.messages)
                    await self._take_limit(self._request)
        return self._request

    async def _take_limit(self, request: RepeatedRequest) -> None:
        if self._store is not None:
            limit = await asyncio.to_thread(self._store.limit, request.address)
            if limit is not None:
                request.gate.begin_with(limit)

    async def _has_new_key(self, unit: Unit, generation: int) -> bool:
        """Take the settings of this moment, once for all rows that were refused with the old key."""
        async with self._beginning:
            if self._generation != generation:
                return True
            old = self._request
            try:
                new = await self._begin(unit.messages)
            except CbaiError:
                return False
            if old is None or new.has_key_of(old):
                return False
            self._request, self._generation = new, self._generation + 1
            return True


def _reply(unit: Unit, answer: Answer, response: ResponseType | None) -> Reply:
    usage = answer.usage
    stored = StoredAnswer(
        key=unit.key,
        text=answer.text,
        model=answer.agent_id or answer.model,
        finish_reason=answer.finish_reason,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        total_tokens=usage.total_tokens if usage else None,
        duration_s=answer.timing.duration_s,
        attempts=answer.timing.attempts,
        answered_at=time.time_ns() // 1000,
    )
    if (ending := answer.ending) is not None:  # it was refused, filtered or cut
        return Reply(stored, error=CbaiError(ending.note(len(answer.steps))))
    if response is None and not answer.text.strip():
        return Reply(stored, error=CbaiError(say("answer.empty")))
    return Reply(stored, None if response is None else plain(answer.parsed))


def _failure(unit: Unit, error: CbaiError) -> Reply:
    """Return the reply for an error, with the text that had arrived; it is shown and never stored."""
    if not error.partial:
        return Reply(error=error)
    now = time.time_ns() // 1000
    partial = StoredAnswer(unit.key, error.partial, None, None, None, None, None, None, 1, now)
    return Reply(partial, error=error)


def plain(value: Any) -> Any:
    """Return a parsed answer as plain Python: dicts, lists, text and numbers."""
    import msgspec

    dump = getattr(value, "model_dump", None)  # pydantic
    if callable(dump):
        return dump(mode="json")
    return msgspec.to_builtins(value)
