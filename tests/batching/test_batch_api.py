"""The other ways to run a batch: dry, with a model, row by row, and into files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cbai_notebook as cbai
from cbai_notebook.errors import ConfigurationError, UsageError
from tests.batching.batches import batches_of
from tests.gateway import Gateway

PROMPT = "Rate {text}"


@pytest.fixture(autouse=True)
def batches(gateway: Gateway, tmp_path: Path) -> Iterator[None]:
    gateway.always("say:Four stars")
    with batches_of(gateway, tmp_path / "history.sqlite"):
        yield


def reviews(count: int) -> list[dict[str, Any]]:
    return [{"text": f"row-{number}"} for number in range(count)]


# What would be sent


def test_a_dry_run_counts_and_shows_requests_and_sends_none(gateway: Gateway) -> None:
    rows = [*reviews(5), {"text": "row-0"}, {"text": None}]
    cbai.configure(prices={"hy3": (1.0, 2.0)})
    found = cbai.batch(rows, PROMPT, model="hy3", max_tokens=10, dry_run=True)
    assert gateway.requests == []
    assert (found.rows, found.requests, found.missing, found.known) == (7, 5, 1, 0)
    sent = len("messagesroleusercontentRate row-0") // 2
    assert found.tokens == 5 * (sent + 10)
    assert found.cost == pytest.approx(5 * (sent * 1.0 + 10 * 2.0) / 1_000_000)
    assert [each["body"]["messages"][0]["content"] for each in found.first] == [
        "Rate row-0",
        "Rate row-1",
        "Rate row-2",
    ]
    assert gateway.key not in str(found)
    assert "5 requests for 7 rows" in str(found)


def test_a_dry_run_says_what_is_known_by_now(gateway: Gateway) -> None:
    cbai.batch(reviews(2), PROMPT, progress=False)
    found = cbai.batch(reviews(5), PROMPT, dry_run=True)
    assert (found.known, found.requests, len(gateway.requests)) == (2, 3, 2)


def test_rows_that_all_have_the_same_prompt_get_a_hint(gateway: Gateway) -> None:
    rows = [{"text": "same"} for _ in range(4)]
    assert "All 4 prompts are the same" in str(cbai.batch(rows, PROMPT, dry_run=True))
    cbai.batch(rows, PROMPT, progress=False)
    last = cbai.last_batch()
    assert last is not None
    assert [str(hint) for hint in last.hints] == [
        "All 4 prompts are the same. Is a column missing in the template?"
    ]
    assert len(gateway.requests) == 1


def test_a_mistyped_option_is_no_parameter_of_the_requests(gateway: Gateway) -> None:
    with pytest.raises(UsageError, match="Did you mean column"):
        cbai.batch(reviews(1), PROMPT, colum="stars")
    cbai.batch(reviews(1), PROMPT, temperature=0.3, progress=False)
    assert gateway.last.json["temperature"] == 0.3


# With a model, on the loop of the caller


async def test_a_model_runs_a_batch_on_the_loop_of_the_caller(gateway: Gateway) -> None:
    frame = pd.DataFrame({"text": ["row-1", "row-2"]}, index=["a", "b"])
    model = cbai.create_model("deepseek")
    found = await model.batch(frame, PROMPT, model="deepseek-v4-pro", progress=False)
    assert list(found.index) == ["a", "b"]
    assert list(found["answer"]) == ["Four stars"] * 2
    assert {request.provider for request in gateway.requests} == {"deepseek"}
    dry = await model.batch(frame, PROMPT, model="deepseek-v4-pro", dry_run=True)
    assert dry.known == 2
    assert gateway.last.json["model"] == "deepseek-v4-pro"


async def test_what_is_not_set_is_an_error_and_no_table(gateway: Gateway) -> None:
    cbai.configure(model=None)
    with pytest.raises(ConfigurationError, match="Which model"):
        await cbai.create_model("deepseek").batch(reviews(2), PROMPT, progress=False)
    assert gateway.requests == []


async def test_rows_come_as_they_finish_and_closing_stops_the_rest(gateway: Gateway) -> None:
    model = cbai.create_model()
    rows = model.batch_rows(reviews(6), PROMPT, concurrency=1)
    first = await anext(rows)
    assert first == {"row": first["row"], "answer": "Four stars", "error": None}
    await rows.aclose()
    sent = len(gateway.requests)
    assert sent < 6
    found = [row async for row in model.batch_rows(reviews(6), PROMPT)]
    assert sorted(row["row"] for row in found) == list(range(6))
    assert {row["answer"] for row in found} == {"Four stars"}
    assert max(gateway.begun.values()) <= 2  # the one that was under way when the loop was left


# Files


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_a_result_is_written_while_the_rows_come(
    gateway: Gateway, tmp_path: Path, suffix: str
) -> None:
    rows = (dict(row) for row in reviews(700))
    file = tmp_path / f"out.{suffix}"
    assert cbai.batch(rows, PROMPT, to=file, progress=False) == file
    frame = {
        "csv": pd.read_csv,
        "ndjson": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }[suffix](file)
    assert list(frame["text"]) == [f"row-{number}" for number in range(700)]
    assert set(frame["answer"]) == {"Four stars"}


def test_a_batch_that_stops_leaves_a_partial_file(gateway: Gateway, tmp_path: Path) -> None:
    gateway.always("say:Four stars+after:3:error:ACCESS_TOKEN_EXPIRED")
    file = tmp_path / "out.csv"
    with pytest.warns(UserWarning, match="Run this again to go on"):
        found = cbai.batch(reviews(40), PROMPT, to=file, concurrency=1, progress=False)
    assert found == tmp_path / "out.csv.partial"
    assert not file.exists()
    gateway.always("say:Four stars")
    assert cbai.batch(reviews(40), PROMPT, to=file, progress=False) == file
    assert len(pd.read_csv(file)) == 40


def test_a_file_that_does_not_take_a_row_stops_the_batch_and_keeps_what_it_has(
    gateway: Gateway, tmp_path: Path
) -> None:
    rows = reviews(1200)
    rows[700]["more"] = "a key that the first row does not have"
    file = tmp_path / "out.csv"
    with pytest.warns(UserWarning, match="more.*Run this again to go on"):
        found = cbai.batch((row for row in rows), PROMPT, to=file, progress=False)
    assert found == tmp_path / "out.csv.partial"
    assert not file.exists()
    assert [run["status"] for run in cbai.batches()] == ["stopped"]


def test_a_file_that_cannot_be_opened_is_told_before_a_batch_begins(
    gateway: Gateway, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        cbai.batch(reviews(1), PROMPT, to=tmp_path / "file" / "out.csv", progress=False)
    assert gateway.requests == []
    assert cbai.batches() == []


def test_requests_go_through_a_file_and_their_answers_make_rows_known(
    gateway: Gateway, tmp_path: Path
) -> None:
    cbai.batch(reviews(1), PROMPT, progress=False)
    file = cbai.batch(reviews(3), PROMPT, to=tmp_path / "requests.jsonl")
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [line["body"]["messages"][0]["content"] for line in lines] == [
        "Rate row-1",
        "Rate row-2",
    ]
    assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/chat/completions")}
    assert gateway.key not in file.read_text("utf-8")

    def response(number: int, finish_reason: str = "stop") -> dict[str, Any]:
        message = {"role": "assistant", "content": "Five stars"}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        body = {"object": "chat.completion", "model": "hy3", "choices": [choice]}
        return {
            "custom_id": lines[number]["custom_id"],
            "response": {"status_code": 200, "body": body},
        }

    answers = tmp_path / "answers.jsonl"
    answers.write_text(
        "\n".join(map(json.dumps, [response(0), response(1, "length")])), encoding="utf-8"
    )
    imported = cbai.batch_import(answers)
    assert (imported.answered, imported.failed) == (1, 1)
    before = len(gateway.requests)
    found = cbai.batch(reviews(3), PROMPT, progress=False)
    assert [row["answer"] for row in found] == ["Four stars", "Five stars", "Four stars"]
    assert len(gateway.requests) == before + 1


@pytest.mark.parametrize("line", ["{", "[]", '{"custom_id": "zz"}', '{"response": {}}'])
def test_another_file_is_not_imported(tmp_path: Path, line: str) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"answers\.jsonl:1 is no answer of a batch"):
        cbai.batch_import(file)
    assert cbai.batches() == []


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        cbai.batch_import(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="cannot be written"):
        (tmp_path / "file").touch()
        cbai.batch(reviews(1), PROMPT, to=tmp_path / "file" / "requests.jsonl")
