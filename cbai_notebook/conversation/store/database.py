"""What a database in a file and one in memory share: one connection for writing, under a lock."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from cbai_notebook.conversation.store.migration import Schema
from cbai_notebook.conversation.store.waiting import while_waiting
from cbai_notebook.errors import HistoryError
from cbai_notebook.forks import register_fork_hooks
from cbai_notebook.i18n import Words

TRY_S = 0.02
"""Seconds that SQLite itself waits for another process's lock; it holds up other threads meanwhile."""

QUICK_S = 0.3
"""Seconds that a prompt waits: for its being stored, and for news of other kernels."""

CHANGE_S = 2.0
"""Seconds that a change by hand waits until it is stored, such as the deletion of a turn."""

PATIENCE_S = 5.0
"""Seconds that reading the past waits, and what cannot be done later, such as a new name."""

_PAUSES_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)

T = TypeVar("T")


class BusyError(HistoryError):
    """Another process holds the lock that is needed: the same call may succeed later."""


class MalformedError(sqlite3.DatabaseError):
    """A stored value that this package never writes: SQLite does not notice a changed byte in it."""

    def __init__(self, problem: Words) -> None:
        super().__init__(problem)
        self.problem = problem


def reason_of(error: sqlite3.Error) -> str:
    """Return what is wrong, as a part of a sentence."""
    return error.problem if isinstance(error, MalformedError) else str(error)


class Database(ABC):
    """A SQLite database, safe to use from all threads.

    Args:
        schema: Its tables.

    Attributes:
        contents: An object that is replaced when all that was stored is lost, as in a forked child:
            ids of rows that were read before are then void.
        lost: Why the database cannot be used until the process ends; ``None`` while it can.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self.contents = object()
        self.lost: HistoryError | None = None
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_patient = True
        register_fork_hooks(self)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one write transaction; only on the thread of a :class:`Writer`.

        Raises:
            BusyError: Another process writes just now.
            HistoryError: The transaction failed and was rolled back.
        """
        with self._lock, self._history_errors():
            connection = self._writer()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @abstractmethod
    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Run a block with a connection that sees one snapshot of the database.

        Waits up to :data:`PATIENCE_S` seconds, once, and tells the user.

        Raises:
            HistoryError: The database could not be read.
        """

    @abstractmethod
    def glancing(self, wait_s: float = QUICK_S) -> AbstractContextManager[sqlite3.Connection]:
        """Run a block with a connection for quick queries.

        Args:
            wait_s: The most seconds to wait for the lock of another process.

        Raises:
            HistoryError: The database could not be read.
        """

    @abstractmethod
    def truncate_log(self) -> None:
        """Empty the write-ahead log, which still holds deleted text until it is overwritten.

        Raises:
            HistoryError: The file cannot be written.
        """

    @abstractmethod
    def compact(self) -> None:
        """Write the file anew, as small as it can be and with nothing of what was deleted.

        Where rows that stay are moved, SQLite leaves copies of them in the gaps between others; these
        outlive the rows. It takes about a second for 100 MB, in which nobody else can write.

        Raises:
            HistoryError: The file could not be written; it is as it was.
        """

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @abstractmethod
    def before_fork(self) -> None:
        """Prepare for a fork, and hold the lock until it is done; runs in the parent."""

    @abstractmethod
    def after_fork(self, *, in_child: bool) -> None:
        """Release the lock after a fork; runs once in the parent and once in the child."""

    @abstractmethod
    def _writer(self) -> sqlite3.Connection:
        """Return the connection for writing, opened if it is not open yet."""

    @abstractmethod
    def _history_errors(self) -> AbstractContextManager[None]:
        """Turn errors of SQLite and of the file system in a block into a :class:`HistoryError`."""

    def _patiently(self, attempt: Callable[[], T], wait_s: float) -> T:
        """Return the result of a function, which is tried again while another process has a lock.

        After a wait that was in vain, later calls do not wait until one of them succeeds.
        """
        until = time.monotonic() + (wait_s if self._is_patient else 0.0)
        pauses = iter(_PAUSES_S)
        with while_waiting() as waiting:
            while True:
                try:
                    with self._history_errors():
                        result = attempt()
                except BusyError as error:
                    if time.monotonic() >= until:
                        self._is_patient = self._is_patient and wait_s < PATIENCE_S
                        raise
                    waiting.tell(error)
                    time.sleep(next(pauses, _PAUSES_S[-1]))
                else:
                    self._is_patient = True
                    return result


def connect(place: str) -> sqlite3.Connection:
    """Return a new connection to a file, or to ``":memory:"``."""
    connection = sqlite3.connect(
        place, timeout=TRY_S, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection
