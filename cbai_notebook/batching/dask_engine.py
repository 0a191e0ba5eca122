"""Runs parts on the workers of a Dask cluster.

A part is one task for one worker. Its rows come back as events, as soon as they are there, so that they
are not lost with their worker. A task is never run a second time: it is bound to its worker, and what
is left of it when the worker ends goes into another part. So no setting of the cluster, such as
``allowed-failures``, makes rows be paid for twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import itertools
import pickle
import sys
import uuid
import weakref
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from cbai_notebook import bridge
from cbai_notebook.batching.part_sender import Driver, Worker, WorkerLostError
from cbai_notebook.batching.part_worker import check_fit, run_part, stop_batch
from cbai_notebook.batching.parts import BatchSpec, Part, versions
from cbai_notebook.errors import CbaiError, ConfigurationError, UsageError
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.i18n import say

LOOK_EVERY_S = 1.0
"""Seconds between two looks at which workers there are."""

PATIENCE_S = 60.0
"""Seconds without any worker after which a batch stops: a cluster starts new ones meanwhile."""

PACKAGE = "cbai_notebook"

_CACHE = "__msgspec_cache__"
"""Where msgspec keeps what it knows of a dataclass or a TypedDict; it cannot be pickled."""

_topics: weakref.WeakKeyDictionary[Any, set[int]] = weakref.WeakKeyDictionary()
_lock = fork_safe_lock(sys.modules[__name__])


class DaskEngine:
    """Runs parts on the workers of a Dask cluster.

    Args:
        client: A `distributed.Client`.
        patience_s: Seconds without any worker after which the batch stops.

    Raises:
        UsageError: The client is asynchronous.
    """

    most_rows = 64

    def __init__(self, client: Any, patience_s: float = PATIENCE_S) -> None:
        if client.asynchronous:
            raise UsageError(say("batch.client_is_asynchronous", example="Client(address)"))
        self._client = client
        self._patience_s = patience_s
        self._workers: dict[str, Worker] = {}
        self._unfit: set[str] = set()
        self._running: dict[asyncio.Future[None], str] = {}
        self._watching: asyncio.Task[None] | None = None

    @property
    def workers(self) -> Collection[Worker]:
        """The workers that can ask the rows."""
        return self._workers.values()

    def pack(self, spec: BatchSpec) -> bytes:
        """Pickle how to ask, with the functions and types of the notebook.

        Raises:
            UsageError: A type cannot be taken out of the notebook.
        """
        return _pickled(spec)

    async def begin(self, name: str, spec: BatchSpec | bytes, driver: Driver) -> None:
        """Listen to the workers, and make sure that they can ask.

        Raises:
            ConfigurationError: A worker cannot: its versions differ, or it has no key. Or there is
                no worker.
        """
        self._name, self._spec, self._driver = name, spec, driver
        self._loop = asyncio.get_running_loop()
        self._check_client()
        self._number = _take_number(self._client)
        self._client.subscribe_topic(self._topic, self._hear)
        try:
            if problem := await self._look():
                raise problem
            if not self._workers:
                raise ConfigurationError(say("batch.no_workers", example="cluster.scale(2)"))
        except BaseException:
            self._leave()
            raise
        self._watching = self._loop.create_task(self._watch())

    async def run(self, part: Part) -> None:
        """Run a part on its worker.

        Raises:
            WorkerLostError: The worker has ended.
            ConfigurationError: The client has lost its cluster.
        """
        ended: asyncio.Future[None] = self._loop.create_future()
        self._running[ended] = part.worker
        future = None
        try:
            self._check_client()
            future = self._client.submit(
                run_task,
                *(pickle.dumps(part), self._topic),
                key=f"cbai-{uuid.uuid4().hex}",
                workers=[part.worker],
                retries=0,
                pure=False,
            )
            future.add_done_callback(partial(self._task_has_ended, ended))
            await ended
        finally:
            del self._running[ended]
            if future is not None:
                future.release()  # a worker that still runs it stops then

    async def stop(self) -> None:
        """Let the workers send no more rows of the batch."""
        with contextlib.suppress(Exception):  # a worker that cannot be told has ended
            await self._call(stop_batch, self._name, workers=[*self._workers], wait=False)

    async def end(self) -> None:
        """Listen no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        self._leave()

    @property
    def _topic(self) -> str:
        # The scheduler keeps the last events of each topic: few topics, used again and again.
        return f"cbai-notebook-{self._client.id}-{self._number}"

    def _leave(self) -> None:
        if self._client.status == "running":
            self._client.unsubscribe_topic(self._topic)
        with _lock:
            _topics[self._client].discard(self._number)

    def _check_client(self) -> None:
        if self._client.status != "running":
            raise ConfigurationError(say("batch.cluster_is_gone"))

    # From threads of the client

    def _hear(self, event: tuple[float, bytes]) -> None:
        self._tell(self._driver.arrived, event[1])

    def _task_has_ended(self, ended: asyncio.Future[None], future: Any) -> None:
        error: BaseException | None = None
        if future.status == "error":
            error = future.exception()
            if not isinstance(error, CbaiError):
                error = WorkerLostError(f"{type(error).__name__}: {error}")
        elif future.status != "finished":
            error = WorkerLostError()
        self._tell(_settle, ended, error)

    def _tell(self, function: Any, *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(function, *args)

    # Which workers there are

    async def _watch(self) -> None:
        alone_since: float | None = None
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                self._check_client()
                await self._look()
            except Exception:  # noqa: BLE001 - the library has many for a cluster that is gone
                self._driver.failed(ConfigurationError(say("batch.cluster_is_gone")))
                return
            now = self._loop.time()
            alone_since = None if self._workers else alone_since or now
            if alone_since is not None and now - alone_since >= self._patience_s:
                self._driver.failed(ConfigurationError(say("batch.workers_are_gone")))
                return

    async def _look(self) -> CbaiError | None:
        """Note which workers there are; return why one of the new ones cannot ask."""
        info = await asyncio.to_thread(self._client.scheduler_info, n_workers=-1)
        found: Mapping[str, Any] = info["workers"]
        if len(found) < info.get("n_workers", 0):
            return None  # a scheduler that did not answer: these are only the numbers before
        for gone in self._workers.keys() - found.keys():
            del self._workers[gone]
            for ended, worker in self._running.items():
                if worker == gone:
                    _settle(ended, WorkerLostError(say("batch.worker_is_gone", worker=gone)))
        ready = {name for name, each in found.items() if each.get("status") == "running"}
        new = ready - self._workers.keys() - self._unfit
        self._driver.changed()
        if not new:
            return None
        problem = await self._take_in(sorted(new))
        self._driver.changed()
        return problem

    async def _take_in(self, names: Sequence[str]) -> CbaiError | None:
        """Let workers ask rows, if they can; return why one of them cannot."""
        found = await asyncio.to_thread(self._client.get_versions, packages=[PACKAGE])
        known = {name: found["workers"][name] for name in names if name in found["workers"]}
        problems = {name: _difference(name, each) for name, each in known.items()}
        fit = [name for name, problem in problems.items() if problem is None]
        answers = await self._call(check_task, self._name, self._spec, workers=fit)
        for name, answer in answers.items():
            if isinstance(answer, Exception):
                reason = f"{type(answer).__name__}: {answer}"
                answer = (
                    "",
                    ConfigurationError(say("batch.worker_fails", worker=name, reason=reason)),
                )
            process, problems[name] = answer
            if problems[name] is None:
                self._workers[name] = Worker(name, process)
        self._unfit |= {name for name, problem in problems.items() if problem is not None}
        return next(filter(None, problems.values()), None)

    async def _call(self, function: Any, *args: Any, workers: list[str], **how: Any) -> Any:
        """Call a function on workers, each once."""
        run = partial(self._client.run, function, *args, workers=workers, on_error="return", **how)
        return await asyncio.to_thread(run) if workers else {}


def _pickled(spec: BatchSpec) -> bytes:
    cloudpickle, msgspec = import_module("cloudpickle"), import_module("msgspec")

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc, name-defined]
        def reducer_override(self, value: Any) -> Any:
            if value is dataclasses.MISSING:
                return "MISSING"  # by its name: the fields of a dataclass compare it by identity
            if isinstance(value, type) and not _is_importable(value):
                if isinstance(value, type(msgspec.Struct)):  # it would come without its fields
                    raise UsageError(say("batch.struct_stays", name=value.__name__))
                if _CACHE in vars(value):  # made again when it is needed
                    delattr(value, _CACHE)
            return super().reducer_override(value)

    buffer = io.BytesIO()
    Pickler(buffer).dump(spec)
    return buffer.getvalue()


def _is_importable(kind: type) -> bool:
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind and kind.__module__ != "__main__"


def _take_number(client: Any) -> int:
    """Return the smallest number that no other batch of a client has."""
    with _lock:
        taken = _topics.setdefault(client, set())
        number = next(each for each in itertools.count() if each not in taken)
        taken.add(number)
        return number


def _settle(ended: asyncio.Future[None], error: BaseException | None) -> None:
    if ended.done():
        return
    if error is None:
        ended.set_result(None)
    else:
        ended.set_exception(error)


def _difference(worker: str, found: Mapping[str, Any]) -> CbaiError | None:
    """Return why a worker with other versions cannot be used."""
    packages = found["packages"]
    python, here = ".".join(str(packages["python"]).split(".")[:2]), versions()
    if packages.get(PACKAGE) is None:
        return UsageError(say("batch.worker_lacks_package", worker=worker))
    if (python, packages[PACKAGE]) == here:
        return None
    return UsageError(
        say(
            "batch.versions_differ",
            worker=worker,
            python=python,
            version=packages[PACKAGE],
            python_here=here[0],
            version_here=here[1],
        )
    )


# On a worker


def run_task(packed: bytes, topic: str) -> None:
    """Run a part as a task; the replies go to the driver as events.

    Args:
        packed: The `Part`, pickled.
        topic: The topic of the events.
    """
    distributed = import_module("distributed")
    worker = distributed.get_worker()
    key = worker.get_current_task()
    distributed.secede()  # it only waits: another task may use this place of the worker
    call = bridge.submit(run_part(pickle.loads(packed), partial(worker.log_event, topic)))
    while not call.wait(bridge.POLL_S):
        if not _is_wanted(worker, key):
            call.cancel()
            return
    call.result()


def _is_wanted(worker: Any, key: str) -> bool:
    """Return whether the driver waits for a task: it may be dead, or this worker may be closed."""
    task = worker.state.tasks.get(key)
    is_open = worker.status.name in ("running", "paused", "closing_gracefully")
    return is_open and task is not None and task.state != "cancelled"


async def check_task(name: str, spec: bytes, dask_worker: Any) -> tuple[str, CbaiError | None]:
    """Find out whether this worker can ask the rows of a batch.

    Args:
        name: The name of the batch.
        spec: How to ask, pickled.
        dask_worker: The worker; the library passes it.
    """
    checked = asyncio.run_coroutine_threadsafe(
        check_fit(name, spec, dask_worker.address), bridge.background_loop()
    )
    return await asyncio.wrap_future(checked)
