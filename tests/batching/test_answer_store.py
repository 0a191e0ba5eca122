"""Answers that were paid for are stored once, found by their requests, and deleted without a trace."""

from __future__ import annotations

import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cbai_notebook.batching.answer_store import (
    DELETED_AT_ONCE,
    KEYS_AT_ONCE,
    AnswerStore,
    answers_file,
    current_answers,
)
from cbai_notebook.batching.outcome import StoredAnswer
from cbai_notebook.batching.runs import COMPLETE, RUNNING, STOPPED, RunFacts
from cbai_notebook.conversation.store import keep_history
from cbai_notebook.errors import HistoryError, UsageError
from cbai_notebook.text import MASK
from tests.batching.answers import answer, count, key

FACTS = RunFacts("reviews", "Translate to English: {text}", "hy3", 2000)


class Told:
    """What a store has told of an answer that was handed over."""

    def __init__(self) -> None:
        self._is_told = threading.Event()
        self._error: HistoryError | None = None
        self.thread = ""

    def __call__(self, error: HistoryError | None) -> None:
        self._error, self.thread = error, threading.current_thread().name
        self._is_told.set()

    def wait(self) -> HistoryError | None:
        """Wait until it is told."""
        assert self._is_told.wait(30)
        return self._error


# Answers ------------------------------------------------------------------------------------------


def test_an_answer_is_found_by_its_request(any_store: AnswerStore) -> None:
    run = any_store.begin_run(FACTS)
    answers = [answer(number) for number in range(2 * KEYS_AT_ONCE + 1)]
    any_store.add(answers, run)
    keys = [key(number) for number in range(-3, len(answers) + 3)]
    assert any_store.find(keys) == {each.key: each for each in answers}
    assert any_store.find([]) == {}


def test_what_a_server_did_not_say_stays_unsaid(any_store: AnswerStore) -> None:
    plain = StoredAnswer(key(1), "", None, None, None, None, None, None, 3, 5)
    any_store.add([plain], any_store.begin_run(FACTS))
    assert any_store.find([key(1)]) == {key(1): plain}


def test_another_kernel_finds_it(store: AnswerStore, file: Path) -> None:
    store.add([answer(1, "好评 🙂")], store.begin_run(FACTS))
    store.close()
    other = AnswerStore(file)
    assert other.find([key(1)])[key(1)].text == "好评 🙂"
    other.close()


def test_a_newer_answer_to_a_request_takes_the_place_of_the_older(any_store: AnswerStore) -> None:
    first, second = any_store.begin_run(FACTS), any_store.begin_run(FACTS)
    any_store.add([answer(1, "old")], first)
    any_store.add([answer(1, "new"), answer(2)], second)
    assert any_store.find([key(1)])[key(1)] == answer(1, "new")
    for run in (first, second):
        any_store.end_run(run, replace(FACTS, status=COMPLETE))
    any_store.delete(first)
    assert set(any_store.find([key(1), key(2)])) == {key(1), key(2)}


def test_what_no_database_can_hold_is_stored_as_far_as_it_goes(any_store: AnswerStore) -> None:
    hostile = answer(1, "half \ud83d of it", total_tokens=10**30, prompt_tokens=-(10**30))
    any_store.add([hostile] * 2, any_store.begin_run(FACTS))
    any_store.add([answer(2, total_tokens=2**63 - 1)] * 3, 1)
    found = any_store.find([key(1), key(2)])
    assert found[key(1)].total_tokens is found[key(1)].prompt_tokens is None
    assert found[key(1)].text.startswith("half ")
    assert found[key(1)].text.endswith(" of it")
    (run,) = any_store.runs()
    assert run.facts.tokens == 2**63 - 1


# Handing over -------------------------------------------------------------------------------------


def test_answers_that_are_handed_over_are_stored_when_it_is_told(
    store: AnswerStore, file: Path
) -> None:
    run = store.begin_run(FACTS)
    told = [Told() for _ in range(20)]
    for number, each in enumerate(told):
        store.request_add([answer(2 * number), answer(2 * number + 1)], run, each)
    assert [each.wait() for each in told] == [None] * 20
    assert count(file) == 40
    assert {each.thread for each in told} == {"cbai-notebook answers"}


def test_who_is_told_may_fail(store: AnswerStore) -> None:
    run, told = store.begin_run(FACTS), Told()

    def fail(error: HistoryError | None) -> None:
        raise RuntimeError("Event loop is closed")

    store.request_add([answer(1)], run, fail)
    store.request_add([answer(2)], run, told)
    assert told.wait() is None
    assert set(store.find([key(1), key(2)])) == {key(1), key(2)}


def test_the_end_of_a_run_waits_for_all_that_was_handed_over(
    any_store: AnswerStore,
) -> None:
    run = any_store.begin_run(FACTS)
    told = [Told() for _ in range(50)]
    for number, each in enumerate(told):
        any_store.request_add([answer(number)], run, each)
    any_store.end_run(run, replace(FACTS, status=COMPLETE, answered=50))
    assert len(any_store.find([key(number) for number in range(50)])) == 50


def test_closing_stores_what_was_handed_over(store: AnswerStore, file: Path) -> None:
    run = store.begin_run(FACTS)
    for number in range(50):
        store.request_add([answer(number)], run, lambda error: None)
    store.close()
    assert count(file) == 50


# Claims -------------------------------------------------------------------------------------------


def test_a_request_is_sent_by_one_run_only(any_store: AnswerStore) -> None:
    first, second = any_store.begin_run(FACTS), any_store.begin_run(FACTS)
    any_store.add([answer(0)], first)
    keys = [key(number) for number in range(4)]
    mine = any_store.claim([*keys[:3], key(1)], first)
    assert mine.answered == {key(0): answer(0)}
    assert mine.taken == set()
    theirs = any_store.claim(keys, second)
    assert theirs.answered == {key(0): answer(0)}
    assert theirs.taken == {key(1), key(2)}
    # Its own requests are not taken from a run that asks again.
    assert any_store.claim(keys, first).taken == {key(3)}


def test_an_answer_gives_the_request_back(any_store: AnswerStore) -> None:
    first, second = any_store.begin_run(FACTS), any_store.begin_run(FACTS)
    any_store.claim([key(1), key(2)], first)
    any_store.add([answer(1)], first)
    claim = any_store.claim([key(1), key(2)], second)
    assert (set(claim.answered), claim.taken) == ({key(1)}, {key(2)})


@pytest.mark.parametrize("way", ["release", "end"])
def test_a_run_gives_back_what_it_has_not_answered(any_store: AnswerStore, way: str) -> None:
    first, second = any_store.begin_run(FACTS), any_store.begin_run(FACTS)
    any_store.claim([key(1)], first)
    assert any_store.claim([key(1)], second).taken == {key(1)}
    if way == "release":
        any_store.release(first)
    else:
        any_store.end_run(first, replace(FACTS, status=STOPPED))
    assert any_store.claim([key(1)], second).taken == set()


# Runs ---------------------------------------------------------------------------------------------


def test_a_run_is_stored_with_what_became_of_it(any_store: AnswerStore) -> None:
    run = any_store.begin_run(replace(FACTS, prompt="\n\n  Translate:\n{text}"))
    any_store.add([answer(1), answer(2)], run)
    (stored,) = any_store.runs()
    assert (stored.number, stored.ended) == (run, None)
    assert stored.facts == RunFacts(
        "reviews", "Translate:", "hy3", 2000, answered=2, tokens=100, status=RUNNING
    )
    facts = RunFacts("reviews", "T", "hy3", 2000, 1990, 311, 10, 5000, STOPPED, "The key expired.")
    any_store.end_run(run, facts)
    any_store.add([answer(3)], run)  # what comes late is stored, and changes no counts
    (stored,) = any_store.runs()
    assert stored.facts == facts
    assert stored.ended is not None
    assert stored.started <= stored.ended


def test_numbers_of_runs_are_given_once(any_store: AnswerStore) -> None:
    first = any_store.begin_run(FACTS)
    any_store.end_run(first, replace(FACTS, status=COMPLETE))
    any_store.delete(first)
    assert any_store.begin_run(FACTS) > first


# Deletion -----------------------------------------------------------------------------------------

TRACE = "qzxylophonist"


def traces(file: Path) -> list[str]:
    """Return the names of the files that hold the word."""
    return [
        each.name
        for each in file.parent.rglob("*")
        if each.is_file() and TRACE[2:].encode() in each.read_bytes()
    ]


@pytest.fixture
def spoken(store: AnswerStore) -> Iterator[int]:
    """A run that has ended, with the word in everything that it has stored, among others."""
    harmless = store.begin_run(FACTS)
    facts = RunFacts(TRACE, f"{TRACE} {{text}}", TRACE, reason=TRACE)
    run = store.begin_run(facts)
    for number in range(DELETED_AT_ONCE + 100):
        long = "It goes on. " * (1000 if number % 500 == 0 else 1)
        store.request_add([answer(-number - 1)], harmless, lambda error: None)
        spoken = answer(number, f"{TRACE} {number} {long}", model=TRACE, finish_reason=TRACE)
        store.request_add([spoken], run, lambda error: None)
    store.end_run(run, replace(facts, status=COMPLETE))
    store.end_run(harmless, replace(FACTS, status=COMPLETE))
    yield run


def test_nothing_of_a_deleted_run_is_in_any_file(
    store: AnswerStore, file: Path, spoken: int
) -> None:
    other = AnswerStore(file)
    other.runs()  # another kernel that is idle
    assert traces(file)
    store.delete(spoken)
    assert traces(file) == []
    assert count(file) == DELETED_AT_ONCE + 100
    assert [run.facts.frame for run in store.runs()] == ["reviews"]
    assert store.find([key(-1), key(1)]) == {key(-1): answer(-1)}
    other.close()


def test_nothing_is_left_when_all_is_deleted(store: AnswerStore, file: Path, spoken: int) -> None:
    store.keep_limit(f"https://{TRACE}.example.com", 5)
    assert store.limit(f"https://{TRACE}.example.com") in (5, None)
    store.delete()
    assert traces(file) == []
    assert store.runs() == []
    assert store.limit(f"https://{TRACE}.example.com") is None


def test_runs_that_were_mixed_leave_nothing_after_the_last_is_deleted(
    store: AnswerStore, file: Path, spoken: int
) -> None:
    store.delete(spoken - 1)  # what stays is moved
    assert traces(file)
    store.delete(spoken)
    assert traces(file) == []
    assert store.runs() == []
    assert file.stat().st_size < 100_000, "the room is given back"


@pytest.mark.parametrize("number", [7, None])
def test_what_cannot_be_deleted_is_said_and_all_is_left(
    any_store: AnswerStore, number: int | None
) -> None:
    run = any_store.begin_run(FACTS)
    any_store.add([answer(1)], run)
    with pytest.raises(UsageError, match="There is no batch 7" if number else "still runs"):
        any_store.delete(number)
    with pytest.raises(UsageError, match=f"Batch {run} still runs"):
        any_store.delete(run)
    ended = any_store.begin_run(FACTS)
    any_store.end_run(ended, replace(FACTS, status=COMPLETE))
    with pytest.raises(UsageError, match=f"Batch {run} still runs"):
        any_store.delete(ended)
    assert any_store.find([key(1)])


# Limits -------------------------------------------------------------------------------------------


def test_a_limit_is_kept_for_the_next_run(store: AnswerStore, file: Path) -> None:
    assert store.limit("https://one.example.com/v1") is None
    store.keep_limit("https://one.example.com/v1", 5)
    store.keep_limit("https://one.example.com/v1", 3)
    store.keep_limit("https://two.example.com/v1", 64)
    store.close()
    other = AnswerStore(file)
    assert other.limit("https://one.example.com/v1") == 3
    assert other.limit("https://two.example.com/v1") == 64
    other.close()


# Secrets ------------------------------------------------------------------------------------------


def test_no_secret_is_stored(
    store: AnswerStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "tok_9f8e7d6c5b4a39281706"
    shaped = "sk-Abcdefghijklmnop0123456789"
    monkeypatch.setenv("SERVICE_TOKEN", token)
    said = f"{token} {shaped}"
    # The template's first line is cut, but not in the middle of a secret that is then not seen.
    prompt = f"\n{'x' * 190} {said}\n{said}"
    facts = RunFacts(said, prompt, said, reason=said)
    run = store.begin_run(facts)
    store.add([answer(1, said, model=said, finish_reason=said)], run)
    told = Told()
    store.request_add([answer(2, said)], run, told)
    assert told.wait() is None
    store.end_run(run, facts)
    written = b"".join(each.read_bytes() for each in file.parent.glob("answers.sqlite*"))
    for secret in (token, shaped):
        assert secret[:12].encode() not in written
    assert store.find([key(2)])[key(2)].text == f"{MASK} {MASK}"


# Where it is --------------------------------------------------------------------------------------


@pytest.fixture
def history() -> Iterator[None]:
    yield
    keep_history(None)


@pytest.mark.usefixtures("history")
def test_the_answers_are_beside_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CBAI_DATA_DIR", str(tmp_path / "data"))
    keep_history("on")
    assert answers_file() == tmp_path / "data" / "answers.sqlite"
    keep_history(tmp_path / "work.db")
    assert answers_file() == tmp_path / "work-answers.db"
    keep_history(tmp_path)
    assert answers_file() == tmp_path / "answers.sqlite"
    assert current_answers() is current_answers()
    keep_history("off")
    assert answers_file() is None
    run = current_answers().begin_run(FACTS)
    current_answers().add([answer(1)], run)
    assert current_answers().find([key(1)])
    current_answers().end_run(run, replace(FACTS, status=COMPLETE))
    current_answers().delete()
    assert list(tmp_path.iterdir()) == []


def test_a_visitor_of_an_app_stores_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CBAI_HISTORY", str(tmp_path / "history.sqlite"))
    assert answers_file() == tmp_path / "answers.sqlite"
    monkeypatch.setenv("VOILA_PREHEAT", "1")
    assert answers_file() is None


@pytest.mark.skipif(sys.platform == "win32", reason="has no modes of files")
def test_only_the_user_may_read_them(store: AnswerStore, file: Path) -> None:
    store.add([answer(1)], store.begin_run(FACTS))
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    files = [each for each in file.parent.rglob("*") if each.is_file()]
    assert {each.name for each in files} >= {"answers.sqlite", "answers.sqlite-wal"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_a_value_that_nobody_wrote_is_damage(store: AnswerStore, file: Path) -> None:
    store.add([answer(1)], store.begin_run(FACTS))
    store.close()
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE answers SET total_tokens = 'many'")
    connection.close()
    with pytest.raises(HistoryError, match="are damaged"):
        AnswerStore(file).find([key(1)])
