"""`%cbai usage`: conversations, batches and evaluations together."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.batching.answer_schema import ANSWERS
from cbai_notebook.batching.answer_store import AnswerStore, current_answers
from cbai_notebook.batching.usage import batch_usage
from cbai_notebook.conversation import keep_history
from tests.gateway import Gateway, Scenario
from tests.notebook.cells import error_of, must

ROWS = [{"x": "one", "expected": "one"}, {"x": "two", "expected": "two"}]

Table = Callable[..., dict[str, list[str]]]


@pytest.fixture
def table(
    shell: TerminalInteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Table]:
    """Return a function that reads the table: requests, tokens in and out by the name of the row."""
    keep_history(tmp_path / "history.sqlite")

    def read(options: str = "") -> dict[str, list[str]]:
        capsys.readouterr()
        must(shell, f"%cbai usage {options}")
        found = {}
        for line in capsys.readouterr().out.partition("\n\n")[0].splitlines()[1:]:
            cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
            name, amounts = (cells[0], cells[1:]) if cells[0] == "all" else (cells[1], cells[2:])
            found[name] = [amounts[0], amounts[1], amounts[3]]
        return found

    yield read
    current_answers().close()
    keep_history(None)


def used(sent: int, answered: int, text: str = "one") -> Scenario:
    """Return an answer of the gateway that has used tokens."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {
        "prompt_tokens": sent,
        "completion_tokens": answered,
        "total_tokens": sent + answered,
    }
    completion = {"id": "answer", "model": "hy3", "choices": [choice], "usage": usage}
    return Scenario(body=json.dumps(completion).encode(), content_type="application/json")


def test_batches_and_evaluations_have_rows_of_their_own(
    table: Table, shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always(used(10, 2))
    must(shell, "%cbai --no-stream -m cloudbase/hy3 Hello")
    cbai.batch(ROWS, "Batch: {x}", model="hy3")
    checks = [cbai.check.equals("expected")]
    variants = {"a": "Evaluate: {x}", "b": "Evaluate it: {x}"}
    cbai.evaluate(ROWS, variants, models=["hy3"], checks=checks)
    expected = {
        "cloudbase/hy3": ["1", "10", "2"],
        "cloudbase/hy3 · batch": ["2", "20", "4"],
        "cloudbase/hy3 · evaluation": ["4", "40", "8"],
        "all": ["7", "70", "14"],
    }
    assert table() == expected

    cbai.batch(ROWS, "Batch: {x}", model="hy3")
    cbai.evaluate(ROWS, variants, models=["hy3"], checks=checks)
    assert table() == expected, "answers that are known cost nothing"
    assert [run["tokens"] for run in cbai.batches()] == [24, 24, 24, 0, 0, 0]

    (name,) = {message["conversation"] for message in cbai.history()}
    assert table(f"-c '{name}'") == {"cloudbase/hy3": ["1", "10", "2"], "all": ["1", "10", "2"]}
    must(shell, "%cbai usage --pandas frame")
    assert list(shell.user_ns["frame"]["kind"]) == ["conversation", "batch", "evaluation"]

    must(shell, "%cbai batches delete 1 --yes")
    assert "cloudbase/hy3 · batch" not in table()


def test_an_answer_without_a_reported_model_is_in_the_row_of_the_one_that_was_asked(
    table: Table, shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    for spec in ("demo", "cloudbase/hy3", "cloudbase"):
        cbai.configure(model=None if spec == "demo" else "cloudbase/hy3")
        option = "" if spec == "cloudbase" else f"-m {spec}"
        cbai.demo("Fine.", cbai.DemoAnswer("No.", status=400))
        gateway.always(used(10, 2))
        must(shell, f"%cbai --no-stream {option} Hello")
        gateway.always(Scenario(status=400))
        error_of(shell, f"%cbai --no-stream {option} Refuse this, {spec}")
    cbai.configure(model=None)
    cbai.demo()
    found = table()
    assert {name: amounts[0] for name, amounts in found.items()} == {
        "cloudbase/hy3": "4",
        "demo": "2",
        "all": "6",
    }
    must(shell, "%cbai usage --pandas frame")
    assert list(shell.user_ns["frame"]["model"]) == ["hy3", "demo"]


def test_a_prompt_that_was_never_sent_is_not_counted(
    table: Table, shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    cbai.configure(servers={"down": {"base_url": "http://127.0.0.1:9/v1", "model": "m"}})
    error_of(shell, "%cbai -m down Never sent")
    gateway.always(used(10, 2))
    must(shell, "%cbai --no-stream -m cloudbase/hy3 Hello")
    expected = ["1", "10", "2"]
    assert table() == {"cloudbase/hy3": expected, "all": expected}
    assert cbai.history(role="assistant")[0]["status"] == "failed"
    cbai.configure(servers=None)
    gateway.always(Scenario(status=400))
    error_of(shell, "%cbai --no-stream -m cloudbase/hy3 Refused")
    assert table()["all"][0] == "2", "a request that the server refuses was sent"


def test_the_answers_of_a_comparison_count_once(
    table: Table, shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always(used(10, 2))
    must(shell, "%%cbai --no-stream --models hy3,glm-5.3\nHello")
    assert table() == {"cloudbase/hy3": ["2", "20", "4"], "all": ["2", "20", "4"]}


def test_rows_without_an_answer_are_named(
    table: Table,
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway.always(used(10, 2, "no verdict"))
    cbai.batch(ROWS, "Typed: {x}", model="hy3", response_type=int)
    tokens = 12 * len(gateway.requests)
    must(shell, "%cbai usage")
    shown = capsys.readouterr().out
    assert f"{tokens} tokens of rows without an answer are in the bars only" in shown
    assert "Not counted: what is asked without a conversation" in shown


def test_imported_answers_are_not_counted(table: Table, tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    cbai.batch(ROWS, "Elsewhere: {x}", model="hy3", to=file)
    response = {"status_code": 200, "body": json.loads(used(10, 2).body or b"")}
    asked = [json.loads(line)["custom_id"] for line in file.read_text("utf-8").splitlines()]
    answered = [json.dumps({"custom_id": key, "response": response}) for key in asked]
    file.write_text("\n".join(answered), "utf-8")
    assert cbai.batch_import(file).answered == 2
    assert batch_usage() == []


def test_a_server_that_tells_absurd_numbers_of_tokens_spoils_no_table(
    table: Table, shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always(used(2**63 - 1, 0))
    for prompt in ("One", "Two"):
        must(shell, f"%cbai --no-stream -m cloudbase/hy3 {prompt}")
    for prompt in ("First: {x}", "Second: {x}"):
        cbai.batch(ROWS, prompt, model="hy3")
    found = table()
    largest = f"{2**63 - 1:,}"
    assert found["cloudbase/hy3"] == ["2", largest, "0"]
    assert found["cloudbase/hy3 · batch"] == ["4", largest, "0"]


@pytest.mark.parametrize("told", [7, 2**63 - 1], ids=["a usual number", "an absurd one"])
def test_a_file_of_an_earlier_version_has_its_usage(tmp_path: Path, told: int) -> None:
    file = tmp_path / "answers.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        ANSWERS.migrate(connection, 2)
        for number, model in ((1, "hy3"), (2, None)):
            connection.execute(
                "INSERT INTO runs (id, process, started_at, ended_at, frame, prompt, model, "
                "answered, known, failed, tokens, status, reason) "
                "VALUES (?, '', 0, 1, '', '', ?, 1, 0, 0, 900, 'complete', '')",
                (number, model),
            )
            for key in (bytes([number]) * 16, bytes([number + 2]) * 16):
                connection.execute(
                    "INSERT INTO answers (key, run, text, prompt_tokens, completion_tokens, "
                    "total_tokens, duration_s, attempts, answered_at) "
                    "VALUES (?, ?, 'Fine.', ?, 3, ?, 1.5, 1, 1)",
                    (key, number, told, told),
                )
    with closing(AnswerStore(file)) as store:
        (row,) = batch_usage(store=store)
    assert row["model"] == "hy3", "the other run has imported answers"
    used_in_all = min(2 * told, 2**63 - 1)
    assert [row[key] for key in ("requests", "prompt_tokens", "total_tokens", "duration_s")] == [
        2,
        used_in_all,
        used_in_all,
        3.0,
    ]
