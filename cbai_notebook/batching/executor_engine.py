"""Runs parts by an executor of the standard library: threads, processes, or any other one."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections.abc import Collection
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor

from cbai_notebook import bridge
from cbai_notebook.batching.part_sender import Driver, Worker, WorkerLostError
from cbai_notebook.batching.part_worker import run_part, stop_batch
from cbai_notebook.batching.parts import BatchSpec, Part
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.i18n import say


class ExecutorEngine:
    """Runs parts by an executor. A part is small, for its replies come only when it has ended.

    Args:
        executor: The executor.
    """

    most_rows = 16

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        count = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        self.workers: Collection[Worker] = [Worker(str(number)) for number in range(count)]

    def pack(self, spec: BatchSpec) -> BatchSpec | bytes:
        """Return the beginning of all parts; threads need no copy of it."""
        if isinstance(self._executor, ThreadPoolExecutor):
            return spec
        return pickle.dumps(spec)

    async def begin(self, name: str, spec: BatchSpec | bytes, driver: Driver) -> None:
        """Note where the replies go."""
        self._name, self._driver = name, driver

    async def run(self, part: Part) -> None:
        """Run a part.

        Raises:
            ConfigurationError: The executor takes no more parts.
            WorkerLostError: The part failed.
        """
        try:
            running = asyncio.wrap_future(self._executor.submit(run_here, part))
        except RuntimeError as error:  # it was shut down, or is broken
            raise _is_gone(error) from error
        try:
            await asyncio.wait({running})
        finally:
            running.cancel()  # one that has not begun yet
        if running.cancelled():  # by the executor
            raise _is_gone("cancelled")
        failure = running.exception()
        if isinstance(failure, BrokenExecutor):
            raise _is_gone(failure) from failure
        if failure is not None:
            raise WorkerLostError(f"{type(failure).__name__}: {failure}") from failure
        for message in running.result():
            self._driver.arrived(message)

    async def stop(self) -> None:
        """Let threads send no more rows of the batch; other processes end their parts."""
        stop_batch(self._name)

    async def end(self) -> None:
        """Let threads send no more rows of the batch."""
        stop_batch(self._name)


def _is_gone(reason: object) -> ConfigurationError:
    return ConfigurationError(say("batch.executor_is_gone", reason=str(reason).rstrip(".")))


def run_here(part: Part) -> list[bytes]:
    """Run a part in this process, and return the messages for the driver."""
    messages: list[bytes] = []
    bridge.submit(run_part(part, messages.append)).result()
    return messages
