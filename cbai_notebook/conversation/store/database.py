"""What a history in a file and a history in memory share: one connection for writing, under a lock."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from cbai_notebook.errors import HistoryError
from cbai_notebook.forks import register_fork_hooks

BUSY_S = 20.0
"""Seconds to wait for another kernel's write lock; one write takes well under a millisecond."""


class Database(ABC):
    """A SQLite database with the tables of :mod:`schema`, safe to use from all threads.

    Attributes:
        contents: An object that is replaced when all that was stored is lost, as in a forked child:
            ids of rows that were read before are then void.
        lost: Why the database cannot be used until the process ends; ``None`` while it can.
    """

    def __init__(self) -> None:
        self.contents = object()
        self.lost: HistoryError | None = None
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        register_fork_hooks(self)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one write transaction.

        Raises:
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

        Raises:
            HistoryError: The database could not be read.
        """

    def data_version(self) -> int:
        """Return a number that changes whenever another connection has written.

        Raises:
            HistoryError: The database cannot be read.
        """
        with self._lock, self._history_errors():
            (number,) = self._writer().execute("PRAGMA data_version").fetchone()
            return int(number)

    @abstractmethod
    def truncate_log(self) -> None:
        """Empty the write-ahead log, which still holds deleted text until it is overwritten.

        Raises:
            HistoryError: The file cannot be written.
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


def connect(place: str) -> sqlite3.Connection:
    """Return a new connection to a file, or to ``":memory:"``."""
    connection = sqlite3.connect(
        place, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection
