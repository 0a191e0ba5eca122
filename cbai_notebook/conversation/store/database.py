"""One SQLite file: opened when it is first needed, never overwritten when something is wrong with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cbai_notebook.conversation.store import schema
from cbai_notebook.conversation.store.processes import register_fork_hooks
from cbai_notebook.errors import HistoryError

BUSY_S = 20.0
"""Seconds to wait while another kernel writes; each write takes well under a thousandth of one."""

EXCLUSIVE_S = 0.2
"""Seconds to wait for a moment in which no other kernel reads or writes, where that is wanted but not needed."""

RETRY_S = 0.02
"""Seconds until what SQLite refused at once is tried again."""

_DAMAGED = ("not a database", "malformed", "file is encrypted")


class Database:
    """A file with the tables of :mod:`schema`, for all threads of this process.

    Writes go over one connection, one after the other; each reader has a connection of its own, so
    that a long look at the history holds up no answer.

    Args:
        file: Where it is; made with its folder when it does not exist.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened_file: tuple[int, int] | None = None
        register_fork_hooks(self)
        self._broken: HistoryError | None = None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one transaction.

        Raises:
            HistoryError: It could not be written; nothing of it was.
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

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run a block with a connection of its own that sees one moment of the file.

        Raises:
            HistoryError: It could not be read.
        """
        with self._history_errors():
            with self._lock:
                self._writer()  # the tables are there and up to date
            connection = _connect(self.file)
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def data_version(self) -> int:
        """Return a number that changes when another connection has written.

        Raises:
            HistoryError: The file cannot be read.
        """
        with self._lock, self._history_errors():
            (number,) = self._writer().execute("PRAGMA data_version").fetchone()
            return int(number)

    def truncate_log(self) -> None:
        """Leave nothing in the log, which keeps what was deleted until it is written over.

        Where another kernel reads or writes just then, it stays until the last one lets go of the file.

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

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def before_fork(self) -> None:
        """Let go of the file; parent and child open it again, each for itself."""
        self._lock.acquire()
        self.close()

    def after_fork(self, *, in_child: bool) -> None:
        """Go on."""
        self._lock.release()

    def _writer(self) -> sqlite3.Connection:
        if self._broken is not None:
            raise self._broken
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
        connection = _connect(self.file)
        try:
            if schema.version(connection) > len(schema.STEPS):
                self._broken = HistoryError(
                    f"The history in {self.file} was written by a newer cbai-notebook. It was left as "
                    "it is, and this session is kept in memory only: update with "
                    "`python -m pip install -U cbai-notebook`."
                )
                raise self._broken
            _use_write_ahead_log(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            # What is deleted is overwritten with zeros: https://www.sqlite.org/pragma.html#pragma_secure_delete
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
            if any(word in str(error) for word in _DAMAGED):
                self._broken = self._damaged(error)
                raise self._broken from error
            raise self._unusable(str(error)) from error
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def _unusable(self, reason: str) -> HistoryError:
        return HistoryError(
            f"The history in {self.file} cannot be used: {reason}. Make room or allow writing there, or "
            'choose another place: cbai.configure(history="…"), or history="off".'
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
    """Have writes go to a log, so that nobody who reads waits for them.

    A new file is switched by whoever comes first, and SQLite makes the others wait for nothing then: it
    refuses at once (https://www.sqlite.org/c3ref/busy_handler.html).
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


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection


def _identity(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one at the same place."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _make_private(file: Path) -> None:
    if not file.parent.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its side files the mode of the file itself.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _copy(file: Path) -> Path:
    """Keep a copy of a file and its side files, once for each state that it was found in."""
    found = datetime.fromtimestamp(file.stat().st_mtime)
    copy = file.with_name(f"{file.stem}.damaged-{found:%Y%m%d-%H%M%S}{file.suffix}")
    if not copy.exists():
        for ending in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(f"{file}{ending}", f"{copy}{ending}")
    return copy
