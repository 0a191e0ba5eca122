"""`%cbai batches` and `cbai.batches()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook import errors
from cbai_notebook.batching.answer_store import AnswerStore, current_answers
from cbai_notebook.batching.runs import COMPLETE, STOPPED, RunFacts
from cbai_notebook.conversation import keep_history
from cbai_notebook.i18n import say
from tests.batching.answers import answer, key
from tests.notebook.cells import error_of, must

Run = Callable[[str], str]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    """The store beside the history, with a batch that was stopped and one that is complete."""
    keep_history(tmp_path / "history.sqlite")
    opened = current_answers()
    first = opened.begin_run(RunFacts("reviews", "Translate: {text}", "hy3", 2000))
    opened.add([answer(1), answer(2)], first)
    reason = say("batches.kernel_ended")
    opened.end_run(
        first,
        RunFacts(
            "reviews", "Translate: {text}", "hy3", 2000, 1990, 1988, 10, 612_345, STOPPED, reason
        ),
    )
    second = opened.begin_run(RunFacts("rows.parquet", "Rate {text}", "hy3"))
    opened.add([answer(3)], second)
    opened.end_run(second, RunFacts("rows.parquet", "Rate {text}", "hy3", None, 1, status=COMPLETE))
    yield opened
    opened.close()
    keep_history(None)


@pytest.fixture
def command(shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command and returns what it prints."""

    def run(line: str) -> str:
        capsys.readouterr()
        must(shell, f"%cbai {line}")
        return capsys.readouterr().out

    return run


def cells(line: str) -> list[str]:
    """Return the cells of a line of a table, without the time."""
    found = [cell.strip() for cell in line.split("  ") if cell.strip()]
    return [found[0], *found[2:]]


@pytest.mark.usefixtures("store")
def test_batches_are_listed(command: Run) -> None:
    header, first, second = command("batches").splitlines()
    assert cells(header) == [
        *("number", "frame", "prompt", "model", "rows"),
        *("answered", "failed", "tokens", "status"),
    ]
    assert cells(first) == [
        *("1", "reviews", "Translate: {text}", "hy3", "2,000"),
        *("1,990", "10", "612,345", "stopped"),
    ]
    assert cells(second) == [
        *("2", "rows.parquet", "Rate {text}", "hy3", "1", "0", "0", "complete")
    ]


def test_why_the_newest_was_stopped_is_said_in_the_readers_language(
    store: AnswerStore, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.delete(2)
    assert command("batches").splitlines()[-1] == (
        "Batch 1: The kernel ended before the batch did."
    )
    monkeypatch.setenv("CBAI_LANGUAGE", "zh")
    said = command("batches")
    assert said.splitlines()[-1] == "第 1 个批处理：批处理尚未完成，内核就已结束。"
    assert "已停止" in said


def test_none_and_many(store: AnswerStore, command: Run) -> None:
    for number in range(40):
        run = store.begin_run(RunFacts(f"frame {number}"))
        store.end_run(run, RunFacts(f"frame {number}", status=COMPLETE))
    said = command("batches")
    assert "12 earlier batches are not shown" in said
    assert "frame 39" in said
    assert "reviews" not in said
    store.delete()
    assert command("batches").strip() == "No batch is stored."
    assert command("batches delete all -y").strip() == "No batch is stored."


@pytest.mark.usefixtures("store")
def test_they_are_rows_for_pandas() -> None:
    frame = pd.DataFrame(cbai.batches())
    assert list(frame) == [
        *("number", "started", "ended", "frame", "prompt", "model", "rows"),
        *("answered", "known", "failed", "tokens", "status", "reason"),
        *("kind", "provider"),
    ]
    assert frame["answered"].tolist() == [1990, 1]
    assert frame["status"].tolist() == ["stopped", "complete"]
    assert (frame["ended"] >= frame["started"]).all()


@pytest.mark.parametrize(("reply", "remain"), [("", [1, 2]), ("n", [1, 2]), ("y", [2])])
def test_it_asks_before_it_deletes(
    store: AnswerStore,
    command: Run,
    monkeypatch: pytest.MonkeyPatch,
    reply: str,
    remain: list[int],
) -> None:
    asked: list[str] = []

    def answered(question: str = "") -> str:
        asked.append(question)
        return reply

    monkeypatch.setattr("builtins.input", answered)
    said = command("batches delete 1")
    assert asked == [
        "Forget batch 1 of 'reviews' and its answers for good? "
        "The same requests are paid for again then. [y/N] "
    ]
    assert ("Nothing was forgotten." in said) == (reply != "y")
    assert [run.number for run in store.runs()] == remain
    assert bool(store.find([key(1)])) == (1 in remain)
    assert store.find([key(3)])


def test_all_are_deleted_with_their_answers(store: AnswerStore, command: Run) -> None:
    said = command("batches delete all --yes")
    assert said.strip() == "Forgot 2 batches and their answers."
    assert store.runs() == cbai.batches() == []
    assert store.find([key(1), key(2), key(3)]) == {}


def test_where_nobody_can_answer_nothing_is_deleted(
    shell: TerminalInteractiveShell, store: AnswerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(question: str = "") -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    error = error_of(shell, "%cbai batches delete all")
    assert isinstance(error, errors.UsageError)
    assert "%cbai batches delete all --yes" in str(error)
    assert len(store.runs()) == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("batches delete", "%cbai batches [delete] [N]"),
        ("batches delete -y", "%cbai batches [delete] [N]"),
        ("batches delete 7 -y", "There is no batch 7"),
        (f"batches delete {10**30} -y", "There is no batch 1000"),
        ("batches delete reviews -y", "%cbai batches [delete] [N]"),
        ("batches --all", "%cbai batches [delete] [N]"),
    ],
)
def test_what_is_not_clear_is_not_deleted(
    shell: TerminalInteractiveShell, store: AnswerStore, line: str, says: str
) -> None:
    error = error_of(shell, f"%cbai {line}")
    assert isinstance(error, errors.UsageError)
    assert says in str(error)
    assert len(store.runs()) == 2


def test_a_batch_that_runs_is_not_deleted(
    shell: TerminalInteractiveShell, store: AnswerStore
) -> None:
    running = store.begin_run(RunFacts("more"))
    assert f"Batch {running} still runs" in str(error_of(shell, "%cbai batches delete 1 -y"))
    assert len(store.runs()) == 3
    store.end_run(running, RunFacts("more", status=COMPLETE))
