"""Find out which engine an object is: a client of Dask, or an executor."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from cbai_notebook.batching.part_sender import Engine
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say


def engine_of(given: Any) -> Engine:
    """Return what runs parts on other machines, processes or threads; nothing is started.

    Args:
        given: A `distributed.Client`, or a `concurrent.futures.Executor`.

    Raises:
        UsageError: It is something else, or an asynchronous client.
    """
    if isinstance(given, Executor):
        from cbai_notebook.batching.executor_engine import ExecutorEngine

        return ExecutorEngine(given)
    for base in type(given).__mro__:
        if (base.__module__.partition(".")[0], base.__name__) == ("distributed", "Client"):
            from cbai_notebook.batching.dask_engine import DaskEngine

            return DaskEngine(given)
    raise UsageError(say("batch.no_engine", kind=type(given).__name__, example="Client(cluster)"))
