"""Turns rows into the requests that are still to be sent: equal ones once, known ones not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cbai_notebook.batching.answer_store import AnswerStore
from cbai_notebook.batching.outcome import StoredAnswer
from cbai_notebook.batching.row_errors import reason_of
from cbai_notebook.batching.row_prompt import RowPrompt, RowText
from cbai_notebook.batching.row_slice import SLICE_ROWS, Rows, RowSlice
from cbai_notebook.client.images.part import image_part
from cbai_notebook.client.loop_waiters import Stop
from cbai_notebook.conversation.row_requests import RowRequests
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import say

CLAIMED_AT_ONCE = 32
"""So many requests are taken from the store in one transaction."""

ROWS_WITH_IMAGES = 4
"""The rows of a slice whose images are read before they are sent: they need memory."""

LOOK_AGAIN_S = 0.5
"""Seconds until a request that another kernel is sending is looked for again."""


@dataclass(eq=False)
class Unit:
    """One request, and the rows that it answers.

    Attributes:
        key: The key of the request.
        messages: What is sent.
        places: For each row its position and the number of its sample.
    """

    key: bytes
    messages: list[Any]
    places: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Sink:
    """Where rows go that are not sent.

    Args:
        missing: Gets a row's place and what has no value.
        failed: Gets a row's place and why it has no prompt.
        known: Gets requests with their stored answers; returns for each whether the answer still fits.
    """

    missing: Callable[[tuple[int, int], str], None]
    failed: Callable[[tuple[int, int], str], None]
    known: Callable[[Sequence[tuple[Unit, StoredAnswer]]], list[bool]]


class Plan:
    """The requests of a batch.

    Args:
        rows: The rows.
        prompt: The prompt of each row.
        requests: The requests of the rows.
        store: The stored answers.
        samples: How many answers each row gets.
        dedupe: Whether equal rows share one answer.
    """

    def __init__(
        self,
        rows: Rows,
        prompt: RowPrompt,
        requests: RowRequests,
        store: AnswerStore,
        *,
        samples: int = 1,
        dedupe: bool = True,
    ) -> None:
        self.rows = rows
        self.prompt = prompt
        self.requests = requests
        self.store = store
        self._samples = samples
        self._dedupe = dedupe
        self._waiting: dict[bytes, Unit] = {}
        self._failed: dict[bytes, str] = {}
        self._seen: dict[bytes, int] = {}
        self._first: bytes | None = None
        self._differ = False
        self.read = 0
        self.on_slice: Callable[[Any], None] = lambda rows: None

    def end(self, unit: Unit, error: str = "") -> list[tuple[int, int]]:
        """Note that a request has ended, and return the places of its rows.

        Args:
            unit: The request.
            error: Why it failed: rows that are equal to this one fail with it.
        """
        del self._waiting[unit.key]
        if error:
            self._failed[unit.key] = error
        return unit.places

    async def units(self, run: int, sink: Sink, stop: Stop) -> AsyncGenerator[Unit, None]:
        """Yield the requests that are to be sent, in the order of the rows.

        Those that another kernel is sending come last, if it has not answered them by then.

        Args:
            run: The number of the run.
            sink: Gets the rows that are not sent.
            stop: Ends the wait for another kernel.

        Raises:
            UsageError: All prompts are equal, or a value is missing and that is to raise.
            HistoryError: The stored answers cannot be read.
        """
        taken: list[Unit] = []
        async for units in self._groups(sink):
            for start in range(0, len(units), CLAIMED_AT_ONCE):
                some = units[start : start + CLAIMED_AT_ONCE]
                async for unit in self._claimed(some, run, sink, taken):
                    yield unit
        while taken and not stop.is_set:
            await asyncio.sleep(LOOK_AGAIN_S)
            some, taken = taken, []
            async for unit in self._claimed(some, run, sink, taken):
                yield unit

    async def drafts(self, sink: Sink) -> AsyncGenerator[Unit, None]:
        """Yield the requests that would be sent; nothing is taken from the store."""
        async for units in self._groups(sink):
            for unit in units:
                yield unit

    async def _claimed(
        self, units: list[Unit], run: int, sink: Sink, taken: list[Unit]
    ) -> AsyncGenerator[Unit, None]:
        claim = await asyncio.to_thread(self.store.claim, [unit.key for unit in units], run)
        for unit in self._unknown(units, claim.answered, sink):
            if unit.key in claim.taken:
                taken.append(unit)
            else:
                yield unit

    async def _groups(self, sink: Sink) -> AsyncGenerator[list[Unit], None]:
        """Yield the new requests of each slice whose answers are not stored."""
        size = ROWS_WITH_IMAGES if self.prompt.has_images else SLICE_ROWS
        async for rows in self._slices(size):
            self.on_slice(rows)
            made = await self._of_slice(rows, sink)
            self.read += rows.count
            self._compare(made)
            found = await self._find(list(made))
            if new := self._unknown(made.values(), found, sink):
                yield new
            else:
                await asyncio.sleep(0)

    async def _slices(self, size: int) -> AsyncGenerator[RowSlice, None]:
        slices = self.rows.slices(self.prompt.used, size)
        while True:
            if self.rows.is_slow:
                rows = await asyncio.to_thread(next, slices, None)
            else:
                rows = next(slices, None)
            if rows is None:
                return
            yield rows

    def _compare(self, keys: Iterable[bytes]) -> None:
        """Notice that the first rows all have the same prompt."""
        for key in keys:
            self._first = key if self._first is None else self._first
            self._differ = self._differ or key != self._first

    @property
    def hints(self) -> list[str]:
        """Sentences about the prompts that were read."""
        if self.read > 1 and self._first is not None and not self._differ:
            return [say("batch.all_equal", count=f"{self.read:,}")]
        return []

    async def _find(self, keys: list[bytes]) -> dict[bytes, StoredAnswer]:
        return await asyncio.to_thread(self.store.find, keys) if keys else {}

    def _unknown(
        self, units: Iterable[Unit], found: Mapping[bytes, StoredAnswer], sink: Sink
    ) -> list[Unit]:
        """Return the requests without a stored answer that fits; the others are at their end."""
        answered = [(unit, found[unit.key]) for unit in units if unit.key in found]
        if not answered:
            return list(units)
        ended = set()
        for (unit, _), fits in zip(answered, sink.known(answered), strict=True):
            if fits:
                ended.add(unit.key)
                self._waiting.pop(unit.key, None)
        return [unit for unit in units if unit.key not in ended]

    async def _of_slice(self, rows: Any, sink: Sink) -> dict[bytes, Unit]:
        """Return the requests of a slice that are new in this run, by key."""
        made: dict[bytes, Unit] = {}
        names = list(rows.values)
        columns = [rows.values[name] for name in names]
        of_row = self.prompt.of_row
        for at in range(rows.count):
            position = rows.start + at
            text = of_row({name: column[at] for name, column in zip(names, columns, strict=True)})
            if text.missing is not None:
                for sample in range(self._samples):
                    sink.missing((position, sample), text.missing)
                continue
            try:
                if text.error:
                    raise UsageError(text.error)
                messages = await self.requests.messages(await _own(text), text.system)
            except CbaiError as error:
                for sample in range(self._samples):
                    sink.failed((position, sample), reason_of(error))
                continue
            for sample in range(self._samples):
                self._add(made, messages, (position, sample), sink)
        return made

    def _add(
        self, made: dict[bytes, Unit], messages: list[Any], place: tuple[int, int], sink: Sink
    ) -> None:
        key = self.requests.key(messages, place[1])
        if not self._dedupe:
            count = self._seen[key] = self._seen.get(key, -1) + 1
            if count:
                key = self.requests.key(messages, place[1] + count * self._samples)
        if (unit := self._waiting.get(key)) is not None:
            unit.places.append(place)
        elif (error := self._failed.get(key)) is not None:
            sink.failed(place, error)
        else:
            made[key] = self._waiting[key] = Unit(key, messages, [place])


async def _own(text: RowText) -> list[dict[str, Any]]:
    """Return the messages of a row, with its images.

    Raises:
        CbaiError: An image cannot be read.
    """
    if text.messages is not None:
        return text.messages
    content: Any = text.text or ""
    if text.images:
        images = [await asyncio.to_thread(image_part, image) for image in text.images]
        content = [{"type": "text", "text": content}, *images] if content else images
    return [{"role": "user", "content": content}]
