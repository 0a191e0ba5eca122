"""Stored runs of evaluations: the scores of each case, in the database of the answers.

No text of a case or an answer is stored: cases are known again by the hash of their content.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np

from cbai_notebook.batching.answer_store import AnswerStore, current_answers
from cbai_notebook.conversation.secrets import masker
from cbai_notebook.conversation.store import rows
from cbai_notebook.conversation.store.database import PATIENCE_S, MalformedError
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.evaluation.cases import KEY_BYTES
from cbai_notebook.evaluation.intervals import Array
from cbai_notebook.i18n import say
from cbai_notebook.text import without_surrogates

LOOKED_AT = 50
"""So many runs of an evaluation are looked at, the newest first, for one that is different."""

_SCORE = np.dtype("<f4")


@dataclass(frozen=True)
class StoredScores:
    """The scores of one variant by one check.

    Attributes:
        variant: The name of the variant.
        model: The name of its model.
        check: The name of the check.
        value: The mean; NaN without any score.
        low: The lower end of its interval.
        high: The upper end of its interval.
        n: The number of cases with a score.
        errors: The number of answers that failed.
        scores: The score of each case, NaN where there is none; shape (cases,).
    """

    variant: str
    model: str
    check: str
    value: float
    low: float
    high: float
    n: int
    errors: int
    scores: Array


@dataclass(frozen=True)
class StoredEvaluation:
    """One run of an evaluation.

    Attributes:
        number: Its number, 0 if it is not stored yet.
        name: The name of the evaluation.
        ended: When it ended, in UTC.
        keys: What its cases are known by.
        results: The scores of each variant by each check.
    """

    number: int
    name: str
    ended: datetime
    keys: Sequence[bytes]
    results: Sequence[StoredScores]

    def has_scores_of(self, other: StoredEvaluation) -> bool:
        """Return whether another run is equal to this one: the same cases, variants and scores."""
        return list(self.keys) == list(other.keys) and _contents(self) == _contents(other)

    def scores_of(self, variant: str, check: str, keys: Sequence[bytes]) -> Array:
        """Return the scores of a variant for other cases, NaN where a case was not there."""
        for each in self.results:
            if (each.variant, each.check) == (variant, check):
                known = dict(zip(self.keys, each.scores, strict=True))
                return np.array([known.get(key, math.nan) for key in keys])
        return np.full(len(keys), math.nan)


@dataclass(frozen=True)
class Earlier:
    """An earlier run of a variant.

    Attributes:
        ended: When it ended, in UTC.
        scores: Its scores by check for the cases of now, NaN where a case was not there; shape (cases,).
    """

    ended: datetime
    scores: Mapping[str, Array]


def find_earlier(now: StoredEvaluation, store: AnswerStore | None = None) -> dict[str, Earlier]:
    """Return for each variant of a run the newest earlier run of it with other scores.

    Where all earlier runs have the same scores, it is the newest of them: running an evaluation again
    without a change does not hide what the last change has done.

    Args:
        now: The run.
        store: The stored answers; those beside the history by default.

    Raises:
        HistoryError: The stored runs cannot be read.
    """
    current: dict[str, dict[str, Array]] = {}
    for each in now.results:
        current.setdefault(each.variant, {})[each.check] = each.scores
    found: dict[str, Earlier] = {}
    decided: set[str] = set()
    for run in _newest_first(store or current_answers(), now.name):
        variants = {each.variant for each in run.results}
        for variant in variants & current.keys() - decided:
            checks = current[variant]
            scores = {check: run.scores_of(variant, check, now.keys) for check in checks}
            if any(map(_differ, scores.values(), checks.values())):
                decided.add(variant)
                found[variant] = Earlier(run.ended, scores)
            else:
                found.setdefault(variant, Earlier(run.ended, scores))
        if decided >= current.keys():
            break
    return found


def keep(run: StoredEvaluation, store: AnswerStore | None = None) -> None:
    """Store a run, unless the newest one of its name is equal.

    Raises:
        HistoryError: It cannot be stored.
    """
    store = store or current_answers()
    newest = next(_newest_first(store, run.name), None)
    if newest is None or not newest.has_scores_of(run):
        store.writer.call(lambda: _write(store, run))


def evaluations(name: str = "") -> list[dict[str, Any]]:
    """Return the stored runs of evaluations, the newest one last.

    Args:
        name: The name of the evaluation; by default all that are stored.

    Returns:
        Flat dicts, one for each variant and check of a run, with ``number, ended, name, variant,
        model, check, value, low, high, n, errors``, ready for ``pandas.DataFrame``. Times are this
        machine's, with their zone. ``low`` and ``high`` are the interval of 95 % of ``value``, ``n`` is the
        number of cases.

    Raises:
        HistoryError: The stored runs cannot be read.
    """
    where, values = ("WHERE name = ?", (_masked(name),)) if name else ("", ())
    statement = (
        "SELECT evaluations.id AS number, ended_at, name, variant, model, check_name, value, low, high, "
        "n, errors FROM evaluations JOIN evaluation_scores ON evaluation = evaluations.id "
        f"{where} ORDER BY evaluations.id, position"
    )
    with current_answers().database.reading() as connection:
        return [
            {
                "number": rows.number(row["number"]),
                "ended": in_zone(rows.moment(rows.number(row["ended_at"]))),
                **{each: rows.text(row[each]) for each in ("name", "variant", "model")},
                "check": rows.text(row["check_name"]),
                **{each: _real(row[each]) for each in ("value", "low", "high")},
                **{each: rows.number(row[each]) for each in ("n", "errors")},
            }
            for row in connection.execute(statement, values)
        ]


def _differ(one: Array, other: Array) -> bool:
    """Return whether scores of the same cases are not the same; missing ones are not compared."""
    both = ~(np.isnan(one) | np.isnan(other))
    # Stored scores have fewer digits.
    return bool(np.any(np.abs(one[both] - other[both]) > 1e-5))


def _contents(run: StoredEvaluation) -> list[tuple[str, str, str, bytes]]:
    return [
        (each.variant, each.model, each.check, each.scores.astype(_SCORE).tobytes())
        for each in run.results
    ]


def _newest_first(store: AnswerStore, name: str) -> Iterator[StoredEvaluation]:
    """Yield the newest runs of a name.

    Raises:
        HistoryError: They cannot be read.
    """
    with store.database.glancing(PATIENCE_S) as connection:
        numbers = [
            row["id"]
            for row in connection.execute(
                "SELECT id FROM evaluations WHERE name = ? ORDER BY id DESC LIMIT ?",
                (_masked(name), LOOKED_AT),
            )
        ]
    for number in numbers:
        with store.database.glancing(PATIENCE_S) as connection:
            found = connection.execute(
                "SELECT * FROM evaluations WHERE id = ?", (number,)
            ).fetchall()
            results = connection.execute(
                "SELECT * FROM evaluation_scores WHERE evaluation = ? ORDER BY position", (number,)
            ).fetchall()
            for row in found:  # another process may have deleted it
                yield _run_of(row, results)


def _run_of(row: sqlite3.Row, results: Sequence[sqlite3.Row]) -> StoredEvaluation:
    """Return the run of rows of the tables.

    Raises:
        MalformedError: A row is malformed: this package never writes such values.
    """
    every = _blob(row["keys"], KEY_BYTES)
    keys = [every[start : start + KEY_BYTES] for start in range(0, len(every), KEY_BYTES)]
    return StoredEvaluation(
        number=rows.number(row["id"]),
        name=rows.text(row["name"]),
        ended=rows.moment(rows.number(row["ended_at"])),
        keys=keys,
        results=[
            StoredScores(
                variant=rows.text(each["variant"]),
                model=rows.text(each["model"]),
                check=rows.text(each["check_name"]),
                value=_real(each["value"]),
                low=_real(each["low"]),
                high=_real(each["high"]),
                n=rows.number(each["n"]),
                errors=rows.number(each["errors"]),
                scores=_scores(each["scores"], len(keys)),
            )
            for each in results
        ],
    )


def _blob(value: Any, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) % size:
        raise MalformedError(say("history.malformed_text"))
    return value


def _scores(value: Any, count: int) -> Array:
    scores = np.frombuffer(_blob(value, _SCORE.itemsize), _SCORE).astype(float)
    if len(scores) != count:
        raise MalformedError(say("history.malformed_text"))
    return scores


def _real(value: Any) -> float:
    """Return a stored number; SQLite stores NaN as NULL."""
    if value is None:
        return math.nan
    if not isinstance(value, (int, float)):
        raise MalformedError(say("history.malformed_text"))
    return float(value)


def _write(store: AnswerStore, run: StoredEvaluation) -> None:
    with store.database.writing() as connection:
        made = connection.execute(
            "INSERT INTO evaluations (name, ended_at, keys) VALUES (?, ?, ?)",
            (_masked(run.name), rows.microseconds(run.ended), b"".join(run.keys)),
        )
        connection.executemany(
            "INSERT INTO evaluation_scores (evaluation, position, variant, model, check_name, value, "
            "low, high, n, errors, scores) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    made.lastrowid,
                    position,
                    *map(_masked, (each.variant, each.model, each.check)),
                    *(each.value, each.low, each.high, each.n, each.errors),
                    each.scores.astype(_SCORE).tobytes(),
                )
                for position, each in enumerate(run.results)
            ],
        )


def _masked(text: str) -> str:
    return masker(False)(without_surrogates(text))


def current_time() -> datetime:
    """Return the time in UTC."""
    return datetime.now(timezone.utc)
