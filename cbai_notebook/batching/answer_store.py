"""The store of answers: what batches have paid for, in SQLite, shared by many kernels.

A file of its own beside the history, so that a million answers slow no search in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import product
from pathlib import Path
from types import NoneType
from typing import Any

from cbai_notebook.batching.answer_schema import ANSWERS
from cbai_notebook.batching.outcome import StoredAnswer
from cbai_notebook.batching.runs import INTERRUPTED, RunFacts, StoredRun
from cbai_notebook.conversation.secrets import Masker, masker
from cbai_notebook.conversation.store import history_file, rows
from cbai_notebook.conversation.store.database import (
    PATIENCE_S,
    BusyError,
    Database,
    MalformedError,
)
from cbai_notebook.conversation.store.file_database import FileDatabase
from cbai_notebook.conversation.store.memory_database import MemoryDatabase
from cbai_notebook.conversation.store.processes import LiveProcesses, OnlyThisProcess
from cbai_notebook.conversation.store.writer import Transaction, Writer
from cbai_notebook.errors import HistoryError, UsageError
from cbai_notebook.forks import fork_safe_lock, register_fork_hooks
from cbai_notebook.i18n import say
from cbai_notebook.text import without_surrogates

KEYS_AT_ONCE = 500
"""How many keys one query asks for; SQLite's limit of placeholders was 999 in older versions."""

DELETED_AT_ONCE = 5000
"""How many answers one transaction deletes, so that others can write in between."""

MASKER_S = 1.0
"""Seconds for which one masker is used: it takes longer to make than a group of answers to store."""

_FIELDS = StoredAnswer._fields
_MAYBE_TEXT, _MAYBE_NUMBER, _MAYBE_SECONDS = (str, NoneType), (int, NoneType), (float, NoneType)
_TYPES = frozenset(
    product(
        *((bytes,), (str,), _MAYBE_TEXT, _MAYBE_TEXT),
        *(_MAYBE_NUMBER, _MAYBE_NUMBER, _MAYBE_NUMBER, _MAYBE_SECONDS, (int,), (int,)),
    )
)
"""The types that the fields can have; SQLite lets any column hold any type."""

_FIND = f"SELECT {', '.join(_FIELDS)} FROM answers WHERE key IN "
_ADD = (
    f"INSERT INTO answers (run, {', '.join(_FIELDS)}) VALUES (?{', ?' * len(_FIELDS)}) "
    "ON CONFLICT (key) DO UPDATE SET run = excluded.run, "
    + ", ".join(f"{name} = excluded.{name}" for name in _FIELDS if name != "key")
)

Done = Callable[[HistoryError | None], None]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run may send of the requests that it has asked for: those that are in neither.

    Attributes:
        answered: The answers that are stored already, by key.
        taken: Keys of requests that another run is sending.
    """

    answered: dict[bytes, StoredAnswer]
    taken: set[bytes]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Answers on their way to the store."""

    answers: Sequence[StoredAnswer]
    run: int
    mask: Masker
    done: Done
    until: float

    def end(self, error: HistoryError | None) -> None:
        # What is told may have ended, as a closed event loop; others wait for the thread.
        with contextlib.suppress(Exception):
            self.done(error)


class AnswerStore:
    """Answers by the hash of their requests, in one SQLite database; safe to use from all threads.

    Unlike a history, a store whose file cannot be used does not go on in memory: what was paid for
    would be lost without a word. Every call fails then.

    Args:
        file: The path of the file; ``None`` for a private database in memory.
        masks: Returns the masker for secrets; its argument says whether the user allows secrets.
    """

    def __init__(
        self, file: Path | None = None, *, masks: Callable[[bool], Masker] = masker
    ) -> None:
        self.file = file
        self.writer = Writer(ANSWERS)
        self._masks = masks
        self._lock = fork_safe_lock(self)
        self._waiting: list[_Waiting] = []
        self._masker: tuple[float, Masker] | None = None
        self._database: Database
        self._processes: LiveProcesses | OnlyThisProcess
        if file is None:
            self._database, self._processes = MemoryDatabase(ANSWERS), OnlyThisProcess()
        else:
            self._database = FileDatabase(file, ANSWERS)
            self._processes = LiveProcesses(file.parent / f"{file.stem}-kernels")
        register_fork_hooks(self)

    def __repr__(self) -> str:
        return f"<AnswerStore {str(self.file or 'in memory')!r}>"

    @property
    def database(self) -> Database:
        """The database, for what is stored beside answers; it is written on the thread of `writer`."""
        return self._database

    # Answers

    def find(self, keys: Sequence[bytes]) -> dict[bytes, StoredAnswer]:
        """Return the stored answers of requests, by key.

        Args:
            keys: Hashes of requests, of 16 bytes each.

        Raises:
            HistoryError: The database cannot be read.
        """
        with self._database.glancing(PATIENCE_S) as connection:
            return _found(connection, keys)

    def claim(self, keys: Sequence[bytes], run: int) -> Claim:
        """Take the requests that nobody has answered and no other run is sending, in one transaction.

        A run whose process has ended holds nothing.

        Args:
            keys: Hashes of requests.
            run: The number of the run that wants to send them.

        Raises:
            HistoryError: The database cannot be used; nothing was taken.
        """

        def claim() -> Claim:
            with self._database.writing() as connection:
                answered = _found(connection, keys)
                free = [key for key in dict.fromkeys(keys) if key not in answered]
                holders = {
                    key: holder for key, holder in _leases(connection, free) if holder != run
                }
                alive = {each for each in set(holders.values()) if self._runs(connection, each)}
                taken = {key for key, holder in holders.items() if holder in alive}
                connection.executemany(
                    "INSERT OR REPLACE INTO leases (key, run) VALUES (?, ?)",
                    [(key, run) for key in free if key not in taken],
                )
                return Claim(answered, taken)

        return self.writer.call(claim)

    def release(self, run: int) -> None:
        """Give back the requests that a run has taken and not answered.

        Raises:
            HistoryError: The database cannot be written.
        """
        self._change("DELETE FROM leases WHERE run = ?", (run,))

    def add(self, answers: Sequence[StoredAnswer], run: int) -> None:
        """Store answers in one transaction, and wait until they are.

        An answer to the same request takes the place of the one before.

        Raises:
            HistoryError: Nothing was stored.
        """
        added = [_Waiting(answers, run, self._mask(), _ignore, 0.0)]
        self.writer.call(lambda: self._add(added))

    def request_add(self, answers: Sequence[StoredAnswer], run: int, done: Done) -> None:
        """Let the store's thread store answers soon, and return at once.

        Args:
            answers: The answers; they are masked in the store, not here.
            run: The number of the run.
            done: Called on that thread: with ``None`` after the commit, or with the error for which
                the answers were not stored. Another process's lock is one only after
                :data:`PATIENCE_S` seconds.
        """
        until = time.monotonic() + PATIENCE_S
        waiting = _Waiting(answers, run, self._mask(), done, until)
        with self._lock:
            self._waiting.append(waiting)
        self.writer.request(self)

    def write(self) -> None:
        """Store the answers that wait; on the store's thread.

        Raises:
            BusyError: Another process has a lock, and some answers still wait for it.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, []
        error: HistoryError | None = None
        try:
            self._add(waiting)
        except BusyError as busy:
            error, now = busy, time.monotonic()
            patient = [each for each in waiting if now < each.until]
            waiting = [each for each in waiting if now >= each.until]
            with self._lock:
                self._waiting = patient + self._waiting
        except HistoryError as failed:
            error = failed
        except Exception as fault:  # noqa: BLE001 - the thread writes for other runs too
            reason = f"{type(fault).__name__}: {fault}"
            error = HistoryError(say("history.not_written", reason=reason))
        for each in waiting:
            each.end(error)
        if isinstance(error, BusyError) and self._waiting:
            raise error

    def _add(self, waiting: Sequence[_Waiting]) -> None:
        stored = [(each.run, _values(each.answers, each.mask)) for each in waiting if each.answers]
        if not stored:
            return
        with self._database.writing() as connection:
            for run, values in stored:
                connection.executemany(_ADD, [(run, *row) for row in values])
                connection.executemany(
                    "DELETE FROM leases WHERE key = ?", [(row[0],) for row in values]
                )
                _count(connection, run, values)
                tokens = sum(max(0, row[_TOTAL] or 0) for row in values)
                connection.execute(
                    "UPDATE runs SET answered = answered + ?, tokens = min(tokens + ?, ?) "
                    "WHERE id = ? AND ended_at IS NULL",
                    (len(values), min(tokens, rows.LARGEST), rows.LARGEST, run),
                )

    # Runs

    def begin_run(self, facts: RunFacts) -> int:
        """Store that a run begins, and return its number.

        Raises:
            HistoryError: The database cannot be used.
        """
        columns = facts.columns(self._mask())

        def begin() -> int:
            with self._database.writing() as connection:
                self._close_ended(connection)
                values = {"process": self._processes.name, "started_at": _now(), **columns}
                made = connection.execute(
                    f"INSERT INTO runs ({', '.join(values)}) "
                    f"VALUES ({', '.join('?' * len(values))})",
                    tuple(values.values()),
                )
                assert made.lastrowid is not None
                return made.lastrowid

        return self.writer.call(begin)

    def end_run(self, run: int, facts: RunFacts) -> None:
        """Store the answers that wait and what became of a run; give back what it had taken.

        Args:
            run: The number of the run.
            facts: All that is known of it; the status says how it ended.

        Raises:
            HistoryError: The database cannot be written.
        """
        columns = facts.columns(self._mask())

        def end() -> None:
            self.write()
            with self._database.writing() as connection:
                _end(connection, run, columns)

        self.writer.call(end)

    def runs(self) -> list[StoredRun]:
        """Return all runs, the newest one last. One whose process has ended was interrupted.

        Raises:
            HistoryError: The database cannot be read.
        """
        with self._database.reading() as connection:
            return [
                _interrupted(StoredRun.of(row)) if self._has_ended(row) else StoredRun.of(row)
                for row in connection.execute("SELECT * FROM runs ORDER BY id")
            ]

    def delete(self, run: int | None = None) -> None:
        """Delete a run with the answers that it paid for, so that none of their text is in any file.

        Args:
            run: Its number; ``None`` for all runs and everything else that is stored.

        Raises:
            UsageError: There is no such run, or some run goes on, which could not store its answers
                meanwhile; nothing was deleted.
            HistoryError: Nothing, or not everything, was deleted; call again to delete the rest.
        """
        values: tuple[int, ...]
        of_run, values = ("", ()) if run is None else (" WHERE run = ?", (run,))
        self.writer.call(partial(self._check_deletable, run))
        some = f"SELECT id FROM answers{of_run} LIMIT {DELETED_AT_ONCE}"
        while self._change(f"DELETE FROM answers WHERE id IN ({some})", values):
            pass

        def finish() -> None:
            with self._database.writing() as connection:
                connection.execute(f"DELETE FROM leases{of_run}", values)
                if run is None:
                    connection.execute("DELETE FROM runs")
                    connection.execute("DELETE FROM limits")
                    connection.execute("DELETE FROM evaluation_scores")
                    connection.execute("DELETE FROM evaluations")
                else:
                    connection.execute("DELETE FROM runs WHERE id = ?", values)

        self.writer.call(finish)
        # Not on the store's thread, which nobody waits for so long.
        self._database.compact()

    def _check_deletable(self, run: int | None) -> None:
        with self._database.writing() as connection:
            self._close_ended(connection)
            found = {
                row["id"]: row["ended_at"]
                for row in connection.execute("SELECT id, ended_at FROM runs")
            }
        if run is not None and run not in found:
            raise UsageError(say("batches.no_batch", number=run))
        for number, ended in found.items():
            if ended is None:
                raise UsageError(say("batches.still_runs", number=number))

    # Limits

    def limit(self, address: str) -> int | None:
        """Return how many requests at once an address has taken when it was last asked.

        Raises:
            HistoryError: The database cannot be read.
        """
        with self._database.glancing() as connection:
            found = connection.execute(
                "SELECT requests FROM limits WHERE address = ?", (address,)
            ).fetchall()
        return rows.number(found[0]["requests"]) if found else None

    def keep_limit(self, address: str, limit: int) -> None:
        """Store, soon, how many requests at once an address takes.

        Args:
            address: The address without any key.
            limit: The number.
        """
        statement = "INSERT OR REPLACE INTO limits (address, requests) VALUES (?, ?)"

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(statement, (address, limit))

        self.writer.request(Transaction(self._database, keep))

    # The database

    def close(self) -> None:
        """Store what waits, close the database and remove the lock file of this process."""
        self.writer.finish(PATIENCE_S)
        self._database.close()
        self._processes.close()

    def before_fork(self) -> None:
        """Do nothing: the parent goes on."""

    def after_fork(self, *, in_child: bool) -> None:
        """Forget in the child what the parent is going to store."""
        if in_child:
            self._waiting = []

    def _mask(self) -> Masker:
        """Return the masker for the secrets that were known within the last moment."""
        now = time.monotonic()
        if self._masker is None or now - self._masker[0] > MASKER_S:
            self._masker = now, self._masks(False)
        return self._masker[1]

    def _change(self, statement: str, values: tuple[int, ...]) -> int:
        """Run one statement as a transaction; return how many rows it has changed."""

        def change() -> int:
            with self._database.writing() as connection:
                return connection.execute(statement, values).rowcount

        return self.writer.call(change)

    def _runs(self, connection: sqlite3.Connection, run: int) -> bool:
        """Return whether a run goes on."""
        row = connection.execute(
            "SELECT process, ended_at FROM runs WHERE id = ?", (run,)
        ).fetchone()
        return row is not None and row["ended_at"] is None and not self._has_ended(row)

    def _has_ended(self, row: sqlite3.Row) -> bool:
        """Return whether a run was ended by the end of its process."""
        process = rows.text(row["process"])
        if row["ended_at"] is not None or self._processes.is_me(process):
            return False
        return self._processes.has_ended(process)

    def _close_ended(self, connection: sqlite3.Connection) -> None:
        """Store that runs whose processes have ended were interrupted."""
        for row in connection.execute("SELECT * FROM runs WHERE ended_at IS NULL").fetchall():
            if self._has_ended(row):
                facts = _interrupted(StoredRun.of(row)).facts
                _end(connection, row["id"], facts.columns(self._mask()))


_TOTAL = _FIELDS.index("total_tokens")
_COUNTED = {
    "prompt_tokens": _FIELDS.index("prompt_tokens"),
    "completion_tokens": _FIELDS.index("completion_tokens"),
    "answer_tokens": _TOTAL,
    "duration_s": _FIELDS.index("duration_s"),
}
"""The columns of a run that are sums over its answers, with the places of their fields."""


def _count(connection: sqlite3.Connection, run: int, answers: Sequence[tuple[Any, ...]]) -> None:
    """Count what answers have cost, in the run that got them; some arrive after its end."""
    sums = [
        min(sum(max(0, answer[place] or 0) for answer in answers), rows.LARGEST)
        for place in _COUNTED.values()
    ]
    added = ", ".join(f"{name} = min({name} + ?, {rows.LARGEST})" for name in _COUNTED)
    connection.execute(
        f"UPDATE runs SET requests = requests + ?, {added} WHERE id = ?",
        (len(answers), *sums, run),
    )


def _ignore(error: HistoryError | None) -> None:
    """Do nothing: the caller waits."""


def _now() -> int:
    return rows.microseconds(datetime.now(timezone.utc))


def _end(connection: sqlite3.Connection, run: int, columns: dict[str, object]) -> None:
    values = {"ended_at": _now(), **columns}
    assignments = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE runs SET {assignments} WHERE id = ?", (*values.values(), run))
    connection.execute("DELETE FROM leases WHERE run = ?", (run,))


def _interrupted(run: StoredRun) -> StoredRun:
    facts = dataclasses.replace(run.facts, status=INTERRUPTED, reason=say("batches.kernel_ended"))
    return dataclasses.replace(run, facts=facts)


def _groups(keys: Sequence[bytes]) -> Iterator[tuple[str, Sequence[bytes]]]:
    """Yield groups of keys, each with the placeholders for it."""
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[start : start + KEYS_AT_ONCE]
        yield f"({', '.join('?' * len(some))})", some


def _found(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, StoredAnswer]:
    """Return the stored answers.

    Raises:
        MalformedError: A row is malformed: this package never writes such values.
    """
    answers: dict[bytes, StoredAnswer] = {}
    cursor = connection.cursor()
    cursor.row_factory = None  # tuples are made faster than rows
    for placeholders, some in _groups(keys):
        found = cursor.execute(_FIND + placeholders, some).fetchall()
        if not _TYPES.issuperset({tuple(map(type, row)) for row in found}):
            raise MalformedError(say("history.malformed_text"))
        answers.update({row[0]: StoredAnswer(*row) for row in found})
    return answers


def _leases(connection: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    for placeholders, some in _groups(keys):
        for key, run in connection.execute(
            f"SELECT key, run FROM leases WHERE key IN {placeholders}", some
        ):
            yield key, rows.number(run)


def _values(answers: Iterable[StoredAnswer], mask: Masker) -> list[tuple[Any, ...]]:
    """Return the values of answers in the order of their fields, with secrets masked."""
    answers = list(answers)
    texts = mask.masked([without_surrogates(each.text) for each in answers])
    # Servers write these; there are few different ones.
    names = {name for each in answers for name in (each.model, each.finish_reason)}
    written = {name: name and mask(without_surrogates(name)) for name in names}
    return [
        (
            each.key,
            text,
            written[each.model],
            written[each.finish_reason],
            rows.storable(each.prompt_tokens),
            rows.storable(each.completion_tokens),
            rows.storable(each.total_tokens),
            each.duration_s,
            each.attempts,
            each.answered_at,
        )
        for each, text in zip(answers, texts, strict=True)
    ]


# The store in use ---------------------------------------------------------------------------------

_open_lock = fork_safe_lock(sys.modules[__name__], "_open_lock")
_open: dict[Path | None, AnswerStore] = {}


def answers_file() -> Path | None:
    """Return the path of the stored answers; ``None`` when they are kept in memory only.

    They are beside the history: ``answers.sqlite`` beside ``history.sqlite``, ``work-answers.sqlite``
    beside ``work.sqlite``.

    Raises:
        UsageError: The path of the history begins with ``~``, and there is no such home directory.
    """
    history = history_file()
    if history is None:
        return None
    stem = "answers" if history.name == "history.sqlite" else f"{history.stem}-answers"
    return history.with_name(f"{stem}{history.suffix}")


def current_answers() -> AnswerStore:
    """Return the store of answers beside the history, which opens at first use.

    Raises:
        UsageError: As for :func:`answers_file`.
    """
    file = answers_file()
    with _open_lock:
        if file not in _open:
            _open[file] = AnswerStore(file)
        return _open[file]
