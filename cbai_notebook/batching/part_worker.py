"""Asks the rows of parts, in the process of a worker: it has no store and no budget of its own.

Everything here but `stop_batch` runs on the background event loop of that process.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cbai_notebook.batching.lanes import Lanes
from cbai_notebook.batching.parts import Arrived, BatchSpec, Part, PartRow, process_id
from cbai_notebook.batching.plan import Unit
from cbai_notebook.batching.row_errors import is_fatal
from cbai_notebook.batching.sending import LocalSender, Reply
from cbai_notebook.bridge import background_loop
from cbai_notebook.client.budget import Budget, Spending
from cbai_notebook.client.loop_waiters import Stop, StoppedError
from cbai_notebook.client.passage import Traffic
from cbai_notebook.client.providers import DEMO, LOCAL
from cbai_notebook.client.repeated import RepeatedRequest
from cbai_notebook.client.settings import Settings, settings
from cbai_notebook.errors import CbaiError, ConfigurationError
from cbai_notebook.i18n import say

Report = Callable[[bytes], None]
"""Sends a pickled `Arrived` to the driver; must not block."""

GATHER_S = 0.05
"""Seconds between two messages of a batch: each costs about as much as a request."""

MOST_BATCHES = 8
"""So many batches are remembered by a worker, the newest ones."""


class _Batch:
    """A batch, as one worker knows it.

    Args:
        spec: How to ask.
        worker: The name of the worker.
    """

    def __init__(self, spec: BatchSpec, worker: str) -> None:
        self.spec = spec
        self.share = 1
        self.next_at = 0.0  # when the next message may be sent
        self.stop = Stop()
        self.spending = Spending()
        # One part after the other, so that the next one comes while the last one goes on.
        self.turn = asyncio.Lock()
        self.lanes: Lanes[tuple[_Outbox, PartRow]] = Lanes(self._send, lambda: self.share)
        self._worker = worker
        self._sender = LocalSender(self.begin, _response_type(spec), concurrency=0)

    async def begin(self, messages: list[Any]) -> RepeatedRequest:
        """Return what sends the requests, with the key that this process has at the moment.

        Raises:
            ConfigurationError: There is no key here, or the model cannot be used.
        """
        # With a limit that is never reached, an answer without counts costs what it has reserved.
        budget = Budget(self.spending, sys.maxsize if self.spec.is_limited else None)
        model = self.spec.model.with_settings(_settings(self.spec))
        params = {**self.spec.params, "messages": messages}
        traffic = Traffic(True, budget, self.stop, counted=False)
        return await RepeatedRequest.begin(model, params, traffic)

    async def _send(self, item: tuple[_Outbox, PartRow]) -> None:
        outbox, row = item
        reply: Reply | None = None
        with contextlib.suppress(StoppedError):
            reply = await self._sender.send(Unit(row.key, row.messages))
        if reply is not None and reply.error is not None and is_fatal(reply.error):
            self.stop.set()  # before the driver knows it
            reply = reply._replace(error=at_worker(self._worker, reply.error))
        # A row is under way until its reply is: this worker may end at any time.
        await outbox.put(row.number, reply)


class _Outbox:
    """Reports the replies of one part, several together.

    Args:
        batch: The batch.
        count: The number of rows.
        report: Sends a message to the driver.
    """

    def __init__(self, batch: _Batch, count: int, report: Report) -> None:
        self._batch = batch
        self._left = count
        self._report = report
        self._replies: list[tuple[int, Reply | None]] = []
        self._flushed: asyncio.Future[None] | None = None
        self.is_done = asyncio.Event()

    async def put(self, number: int, reply: Reply | None) -> None:
        """Report a reply; return when it is on its way."""
        self._replies.append((number, reply))
        if self._flushed is None:
            loop = asyncio.get_running_loop()
            self._flushed = loop.create_future()
            loop.call_at(self._batch.next_at, self._flush, self._flushed)  # at once if that is over
        await self._flushed

    def _flush(self, flushed: asyncio.Future[None]) -> None:
        replies, self._replies, self._flushed = self._replies, [], None
        self._batch.next_at = asyncio.get_running_loop().time() + GATHER_S
        self._left -= len(replies)
        if not self._left:
            self.is_done.set()
        if not flushed.done():  # else all rows of the batch were cancelled
            flushed.set_result(None)
        used = self._batch.spending.take()
        self._report(_pickled(Arrived(self._batch.spec.batch, replies, used)))


_batches: dict[tuple[str, str], _Batch] = {}
"""The batches by their names and those of the workers: a process may have several workers."""


async def run_part(part: Part, report: Report) -> None:
    """Ask the rows of a part; return when each has its reply, or was not sent.

    A part of another process does nothing: that process has asked some of its rows.

    Args:
        part: The part.
        report: Sends a message to the driver.
    """
    if part.process not in ("", process_id()):
        return
    batch = _batch_of(part.batch, part.spec, part.worker)
    batch.share = part.share
    outbox = _Outbox(batch, len(part.rows), report)
    try:
        async with batch.turn:
            for row in part.rows:
                await batch.lanes.put((outbox, row))
        await outbox.is_done.wait()
    except asyncio.CancelledError:  # the driver has left: nobody wants the other parts either
        batch.stop.set()
        await batch.lanes.cancel()
        raise


def _batch_of(name: str, spec: BatchSpec | bytes, worker: str) -> _Batch:
    if (name, worker) not in _batches:
        while len(_batches) >= MOST_BATCHES:
            del _batches[next(iter(_batches))]
        known: BatchSpec = pickle.loads(spec) if isinstance(spec, bytes) else spec
        _batches[name, worker] = _Batch(known, worker)
    return _batches[name, worker]


async def check_fit(name: str, spec: bytes, worker: str) -> tuple[str, CbaiError | None]:
    """Find out whether a worker can ask the rows of a batch; nothing is sent.

    Args:
        name: The name of the batch.
        spec: How to ask, pickled.
        worker: The name of the worker.

    Returns:
        The name of this process, and why it cannot.
    """
    try:
        await _batch_of(name, spec, worker).begin([{"role": "user", "content": "…"}])
    except CbaiError as error:
        return process_id(), at_worker(worker, error)
    return process_id(), None


def stop_batch(name: str) -> None:
    """Send no more rows of a batch; those that are under way go on to their end. From any thread."""

    def stop() -> None:
        for (batch, _), each in _batches.items():
            if batch == name:
                each.stop.set()

    background_loop().call_soon_threadsafe(stop)


def at_worker(worker: str, error: CbaiError) -> CbaiError:
    """Return an error that names the worker it comes from."""
    if not worker:
        return error
    named = copy.copy(error)
    named.__context__ = None  # it may hold what the server sent
    named.words = say("batch.at_worker", worker=worker, problem=error.words or error.message)
    named.message = named.words
    return named


def _settings(spec: BatchSpec) -> Settings:
    """Return the settings for the requests: the key is that of this process for the same address.

    Raises:
        ConfigurationError: There is none, and the driver has one.
    """
    provider = spec.model.provider
    if provider == DEMO and spec.driver != process_id():
        raise ConfigurationError(say("batch.demo_is_elsewhere"))
    if spec.shares_key or provider in (DEMO, LOCAL):
        return spec.settings
    address, own = spec.settings.address_of(provider), settings()
    is_same = own.address_of(provider) == address
    if spec.has_key and not (is_same and own.has_key_for(provider)):
        raise ConfigurationError(
            say("batch.worker_has_no_key", address=address, example="share_key=True")
        )
    # The texts were screened by the driver.
    found = own if is_same else spec.settings
    return replace(found, timeout=spec.settings.timeout, before_send=None)


def _response_type(spec: BatchSpec) -> Any:
    kind = spec.params.get("response_type")
    if kind is None:
        return None
    from cbai_notebook.client.structured.response_type import response_type_of

    return response_type_of(kind)


def _pickled(message: Arrived) -> bytes:
    try:
        return pickle.dumps(message._replace(replies=[*map(_known, message.replies)]))
    except Exception:  # noqa: BLE001 - an error may hold any object, and an object may raise anything
        return pickle.dumps(message._replace(replies=[*map(_plain, message.replies)]))


def _known(found: tuple[int, Reply | None]) -> tuple[int, Reply | None]:
    """Return a reply whose error is of this package: the driver may not know a class of a tool."""
    reply = found[1]
    if reply is None or reply.error is None:
        return found
    return found if type(reply.error).__module__ == CbaiError.__module__ else _plain(found)


def _plain(found: tuple[int, Reply | None]) -> tuple[int, Reply | None]:
    number, reply = found
    if reply is None or reply.error is None:
        return found
    return number, reply._replace(error=CbaiError(str(reply.error)))
