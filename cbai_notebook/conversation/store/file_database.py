"""A SQLite file that kernels share: opened at first use; a damaged file is never overwritten."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cbai_notebook.conversation.store.database import (
    PATIENCE_S,
    QUICK_S,
    TRY_S,
    BusyError,
    Database,
    MalformedError,
    connect,
    reason_of,
)
from cbai_notebook.conversation.store.migration import Schema, version
from cbai_notebook.errors import HistoryError
from cbai_notebook.i18n import Words

EXCLUSIVE_S = 0.2
"""Seconds to wait for exclusive access where it is useful but not required."""

_DAMAGED = ("not a database", "malformed", "file is encrypted", "Could not decode to UTF-8")
_ALTERED = ("no such table", "no such column", "has no column named")
"""Parts of SQLite's messages: the file is of no use to this kernel any more."""

_BUSY = ("is locked", "locking protocol")
"""Parts of SQLite's messages: another process has a lock, or the file system has none."""


@dataclass(frozen=True)
class _Identity:
    """What tells a file from another one at the same path: its device and inode; and its size."""

    device: int
    inode: int
    size: int

    def is_same_file(self, other: _Identity | None) -> bool:
        return other is not None and (self.device, self.inode) == (other.device, other.inode)


class FileDatabase(Database):
    """A SQLite file, which several processes may use at once.

    All writes share one connection under a lock. A long read has a connection of its own and quick
    ones share one, so that a query never blocks an answer that streams.

    Args:
        file: The path; file and folder are made when missing.
        schema: Its tables.
    """

    def __init__(self, file: Path, schema: Schema) -> None:
        super().__init__(schema)
        self.file = file
        self._opened: _Identity | None = None
        self._glance_lock = threading.RLock()
        self._glance: sqlite3.Connection | None = None
        self._has_locks: bool | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run a block with its own connection, which sees one snapshot of the file."""
        connection = self._patiently(self._begin_reading, PATIENCE_S)
        try:
            with self._history_errors():
                yield connection
        finally:
            connection.close()

    def _begin_reading(self) -> sqlite3.Connection:
        with self._lock:
            self._writer()  # creates or migrates the tables
        connection = connect(str(self.file))
        try:
            connection.execute("BEGIN")
            # Until the first read there is no snapshot, and no lock that could be refused.
            self._read_something(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _read_something(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"SELECT 1 FROM {self._schema.first_table} LIMIT 1").fetchall()

    @contextmanager
    def glancing(self, wait_s: float = QUICK_S) -> Iterator[sqlite3.Connection]:
        """Run a block with the connection for quick queries; read all rows inside the block."""
        with self._glance_lock:
            try:
                with self._history_errors():
                    connection = self._begin_glancing()
            except BusyError:
                connection = self._patiently(self._begin_glancing, wait_s)
            with self._history_errors():
                yield connection

    def _begin_glancing(self) -> sqlite3.Connection:
        with self._lock:
            self._writer()
        if self._glance is None:
            self._glance = connect(str(self.file))
        self._read_something(self._glance)
        return self._glance

    def truncate_log(self) -> None:
        """Empty the write-ahead log, which still holds deleted text until it is overwritten.

        If another kernel reads or writes just then, the log stays until the last one closes it.
        """
        with self._lock, self._history_errors():
            connection = self._writer()
            connection.execute(f"PRAGMA busy_timeout = {EXCLUSIVE_S * 1000:.0f}")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.execute(f"PRAGMA busy_timeout = {TRY_S * 1000:.0f}")

    def compact(self) -> None:
        """Write the file anew; waits up to :data:`PATIENCE_S` seconds for the locks of others."""
        self._patiently(self._vacuum, PATIENCE_S)
        self.truncate_log()

    def _vacuum(self) -> None:
        with self._lock:
            self._writer().execute("VACUUM")

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        with self._glance_lock, self._lock:
            for connection in filter(None, (self._glance, self._connection)):
                if self._is_intact():
                    connection.close()
                else:
                    _leave_open(connection)
            self._glance = self._connection = None

    def _is_intact(self) -> bool:
        if self.lost is not None:
            return False
        return self._opened is None or self._opened.is_same_file(_identity(self.file))

    def before_fork(self) -> None:
        """Close the connections, which must not be shared. Hold the locks until the fork is done."""
        self._glance_lock.acquire()
        self._lock.acquire()
        self.close()

    def after_fork(self, *, in_child: bool) -> None:
        """Release the locks. Parent and child each reopen the connections when they next use them."""
        self._lock.release()
        self._glance_lock.release()

    def _writer(self) -> sqlite3.Connection:
        if self.lost is not None:
            raise self.lost
        if self._connection is None:
            self._connection, self._opened = self._open(), _identity(self.file)
        else:
            self._check_file()
        return self._connection

    def _check_file(self) -> None:
        """Raise an error if another program has replaced, emptied or cut the file."""
        now, opened = _identity(self.file), self._opened
        if opened is None or now == opened:
            return
        if now is None or not opened.is_same_file(now):
            raise HistoryError(
                self._schema.text("moved", file=self.file)
                if now is None
                else self._schema.text("replaced", file=self.file)
            )
        if now.size < opened.size and (problem := self._missing(now)):
            self.lost = HistoryError(problem)
            raise self.lost
        self._opened = now

    def _missing(self, now: _Identity) -> Words | None:
        """Return what has happened to a file that is shorter than before; None if it is whole."""
        if now.size == 0:
            return self._schema.text("emptied", file=self.file)
        cut_off = self._schema.text("cut_off", file=self.file)
        with contextlib.closing(connect(str(self.file))) as connection:
            try:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            except sqlite3.DatabaseError as error:
                return None if _is_busy(error) else cut_off
        return None if found == "ok" else cut_off  # another program may have compacted it

    def _open(self) -> sqlite3.Connection:
        _make_private(self.file)
        connection = connect(str(self.file))
        try:
            if version(connection) > len(self._schema.steps):
                self.lost = HistoryError(self._schema.text("newer_version", file=self.file))
                raise self.lost
            if problem := self._schema.problem(connection):
                self.lost = self._altered(problem)
                raise self.lost
            # Readers never wait for writers then.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            # Overwrite deleted text: https://www.sqlite.org/pragma.html#pragma_secure_delete
            connection.execute("PRAGMA secure_delete = ON")
            self._schema.migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _history_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, MalformedError) or _is_damaged(error):
                self.lost = self._damaged(error)
                raise self.lost from error
            if any(words in str(error) for words in _ALTERED):
                self.lost = self._altered(str(error))
                raise self.lost from error
            if _is_busy(error):
                raise self._busy() from error
            raise self._unusable(str(error)) from error
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def _busy(self) -> HistoryError:
        if self._has_locks is None:
            self._has_locks = _has_locks(self.file)
        if not self._has_locks:
            return HistoryError(self._schema.text("no_locks", file=self.file))
        return BusyError(self._schema.text("locked", file=self.file))

    def _unusable(self, reason: str) -> HistoryError:
        return HistoryError(self._schema.text("unusable", file=self.file, reason=reason))

    def _altered(self, problem: str) -> HistoryError:
        return HistoryError(self._schema.text("altered", file=self.file, problem=problem))

    def _damaged(self, error: sqlite3.Error) -> HistoryError:
        reason = reason_of(error)
        try:
            copy = _copy(self.file).name
        except OSError:
            return HistoryError(self._schema.text("damaged", file=self.file, reason=reason))
        return HistoryError(
            self._schema.text("damaged_and_copied", file=self.file, reason=reason, copy=copy)
        )


def _is_damaged(error: sqlite3.Error) -> bool:
    return any(words in str(error) for words in _DAMAGED)


def _is_busy(error: sqlite3.Error) -> bool:
    return any(words in str(error) for words in _BUSY)


def _has_locks(file: Path) -> bool:
    """Return whether the file system of a database has the locks that SQLite needs.

    Another file beside it is locked: closing the database file would release SQLite's locks on it.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where every file system has locks
        return True
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}-locks-") as probe:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _identity(file: Path) -> _Identity | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return _Identity(found.st_dev, found.st_ino, found.st_size)


def _leave_open(connection: sqlite3.Connection) -> None:
    """Never close a connection to a file that another program has changed or replaced.

    SQLite would copy its write-ahead log into the file, and remove the log by its path, which may be
    that of the other file.
    """
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


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
