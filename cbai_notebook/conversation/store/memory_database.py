"""A database in memory, for ``history="off"`` and for a file that cannot be used any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from cbai_notebook.conversation.store.database import QUICK_S, Database, connect, reason_of
from cbai_notebook.errors import HistoryError


class MemoryDatabase(Database):
    """A private SQLite database in memory; it ends with the process and leaves no file.

    A second connection would open a second, empty database. So readers and writers share one
    connection, one at a time.
    """

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run a block with the only connection; writers wait until the block ends."""
        with self._lock, self._history_errors():
            yield self._writer()

    def glancing(self, wait_s: float = QUICK_S) -> AbstractContextManager[sqlite3.Connection]:
        """Run a block with the only connection, as :meth:`reading` does."""
        return self.reading()

    def truncate_log(self) -> None:
        """Do nothing: there is no file."""

    def compact(self) -> None:
        """Do nothing: there is no file."""

    def before_fork(self) -> None:
        """Hold the lock, so that no transaction is open in the child. The parent goes on with it."""
        self._lock.acquire()

    def after_fork(self, *, in_child: bool) -> None:
        """Begin a new, empty database in the child: SQLite must not use a connection after a fork."""
        try:
            if in_child:
                self.close()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection and lose the contents; the next use begins an empty database."""
        super().close()
        self.contents = object()

    def _writer(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = connect(":memory:")
            # By default SQLite sorts large results in files on disk.
            connection.execute("PRAGMA temp_store = MEMORY")
            self._schema.migrate(connection)
            self._connection = connection
        return self._connection

    @contextmanager
    def _history_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise HistoryError(
                self._schema.text("memory_unusable", reason=reason_of(error))
            ) from error
