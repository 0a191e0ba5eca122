"""The SQLite file of the history: opened at first use; a damaged file is never overwritten."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cbai_notebook.conversation.store import schema
from cbai_notebook.conversation.store.database import BUSY_S, Database, connect
from cbai_notebook.errors import HistoryError

EXCLUSIVE_S = 0.2
"""Seconds to wait for exclusive access where it is useful but not required."""

RETRY_S = 0.02
"""Seconds between two tries where SQLite refuses at once instead of waiting."""

_DAMAGED = ("not a database", "malformed", "file is encrypted", "Could not decode to UTF-8")
_ALTERED = ("no such table", "no such column", "has no column named")
"""Parts of SQLite's messages: the file is of no use to this kernel any more."""


class FileDatabase(Database):
    """A SQLite file, which several processes may use at once.

    All writes share one connection under a lock. Each read opens its own connection, so that a long
    query does not block an answer that streams.

    Args:
        file: The path; file and folder are made when missing.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self._opened_file: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run a block with its own connection, which sees one snapshot of the file.

        Raises:
            HistoryError: The file could not be read.
        """
        with self._history_errors():
            with self._lock:
                self._writer()  # creates or migrates the tables
            connection = connect(str(self.file))
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def truncate_log(self) -> None:
        """Empty the write-ahead log, which still holds deleted text until it is overwritten.

        If another kernel reads or writes just then, the log stays until the last one closes it.

        Raises:
            HistoryError: The file cannot be written.
        """
        with self._lock, self._history_errors():
            connection = self._writer()
            connection.execute(f"PRAGMA busy_timeout = {EXCLUSIVE_S * 1000:.0f}")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000:.0f}")

    def before_fork(self) -> None:
        """Close the connection, which must not be shared. Hold the lock until the fork is done."""
        self._lock.acquire()
        self.close()

    def after_fork(self, *, in_child: bool) -> None:
        """Release the lock. Parent and child each reopen the connection when it is next used."""
        self._lock.release()

    def _writer(self) -> sqlite3.Connection:
        if self.lost is not None:
            raise self.lost
        if self._connection is None:
            self._connection, self._opened_file = self._open(), _identity(self.file)
        elif self._opened_file != _identity(self.file):
            raise HistoryError(
                f"The history {self.file} was moved or deleted while this kernel used it, so this "
                "session is kept in memory. Put the file back, or restart the kernel to begin a new one."
            )
        return self._connection

    def _open(self) -> sqlite3.Connection:
        _make_private(self.file)
        connection = connect(str(self.file))
        try:
            if schema.version(connection) > len(schema.STEPS):
                self.lost = HistoryError(
                    f"The history in {self.file} was written by a newer cbai-notebook. It was left as "
                    "it is, and this session is kept in memory only: update with "
                    "`python -m pip install -U cbai-notebook`."
                )
                raise self.lost
            if problem := schema.problem(connection):
                self.lost = self._altered(problem)
                raise self.lost
            _use_write_ahead_log(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            # Overwrite deleted text: https://www.sqlite.org/pragma.html#pragma_secure_delete
            connection.execute("PRAGMA secure_delete = ON")
            schema.migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _history_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if any(words in str(error) for words in _DAMAGED):
                self.lost = self._damaged(error)
                raise self.lost from error
            if any(words in str(error) for words in _ALTERED):
                self.lost = self._altered(str(error))
                raise self.lost from error
            raise self._unusable(str(error)) from error
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def _unusable(self, reason: str) -> HistoryError:
        return HistoryError(
            f"The history in {self.file} cannot be used: {reason}. Make room or allow writing there, or "
            'choose another place: CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".'
        )

    def _altered(self, problem: str) -> HistoryError:
        return HistoryError(
            f"The history in {self.file} has other tables than cbai-notebook gives it: {problem}. It was "
            "left as it is, and this session is kept in memory only. To begin a new history, move the "
            "file away and restart the kernel."
        )

    def _damaged(self, error: sqlite3.Error) -> HistoryError:
        message = f"The history in {self.file} is damaged ({error}). It was left as it is"
        try:
            message += f", with a copy in {_copy(self.file).name}"
        except OSError:
            message += "; a copy could not be made"
        return HistoryError(
            f"{message}, and this session is kept in memory only. To begin a new history, move the file "
            "away and restart the kernel."
        )


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log, so that readers never wait for writers.

    While another process writes to a file that is not switched yet, SQLite does not use the busy
    timeout but refuses at once (https://www.sqlite.org/c3ref/busy_handler.html), so retry.
    """
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(RETRY_S)


def _identity(file: Path) -> tuple[int, int] | None:
    """Return device and inode, which tell a file from another one at the same path."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _make_private(file: Path) -> None:
    if not file.parent.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its -wal and -shm files the mode of the database file.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _copy(file: Path) -> Path:
    """Copy a file and its write-ahead log, once for each modification time."""
    found = datetime.fromtimestamp(file.stat().st_mtime)
    copy = file.with_name(f"{file.stem}.damaged-{found:%Y%m%d-%H%M%S}{file.suffix}")
    if not copy.exists():
        for ending in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(f"{file}{ending}", f"{copy}{ending}")
    return copy
