"""Any rows, of any kind: each keeps its place and gets its answer, and each distinct one is paid once."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cbai_notebook as cbai
from cbai_notebook.batching.answer_store import AnswerStore
from cbai_notebook.batching.job import Batch, BatchOptions
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Settings
from cbai_notebook.client.transport import Response

Row = dict[str, Any]

SCHEMA = pa.schema([("text", pa.string()), ("n", pa.int64())])
ports = itertools.count(10_000)

texts = st.sampled_from(["good", "fine", "bad", "", " ", "{n}", "好", "a\nb"]) | st.none()
rows_of_any_kind = st.lists(
    st.builds(lambda text, n: {"text": text, "n": n}, texts, st.integers(0, 2)), max_size=12
)


class Echo:
    """A server in this process: it answers with the prompt, and refuses those with ``bad``."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def send(
        self, request: Request, error_context: ErrorContext, *, connect_timeout: float
    ) -> Response:
        """Answer a request."""
        prompt = json.loads(request.content())["messages"][-1]["content"]
        self.asked[prompt] += 1
        if "bad" in prompt:
            status, body = 400, {"code": "AI_MODEL_PARAM_INVALID", "message": "bad"}
        else:
            message = {"role": "assistant", "content": f"<{prompt}>"}
            usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            status, body = 200, {"model": "hy3", "choices": [choice], "usage": usage}
        return Response(httpx.Response(status, json=body), error_context)


class Server:
    """An in-process server with its model and the answers that are stored."""

    def __init__(self) -> None:
        self.echo = Echo()
        # An address of its own has a gate of its own.
        address = f"http://127.0.0.1:{next(ports)}/v1"
        given = Settings(base_url=address, api_key="key", model="hy3")
        self.model = create_model(settings=given, transport=self.echo)
        self.store = AnswerStore()

    def run(self, data: Any, **options: Any) -> Batch:
        """Run a batch."""
        chosen = BatchOptions(model=self.model, progress=False, **options)
        batch = Batch(data, "Rate {text} of {n}", chosen, self.store)
        cbai.run(batch.run())
        assert batch.status == "complete"
        return batch


def as_pandas(rows: list[Row], index: Any = None) -> pd.DataFrame:
    columns = {
        "text": pd.array([row["text"] for row in rows], dtype="string"),
        "n": pd.array([row["n"] for row in rows], dtype="Int64"),
    }
    return pd.DataFrame(columns, index=index)


def from_pandas(frame: pd.DataFrame) -> list[Row]:
    return [
        {name: None if value is pd.NA else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


KINDS: dict[str, tuple[Callable[[list[Row]], Any], Callable[[Any], list[Row]]]] = {
    "list": (list, list),
    "pandas": (as_pandas, from_pandas),
    "polars": (
        lambda rows: pl.DataFrame(rows, schema={"text": pl.String, "n": pl.Int64}),
        lambda frame: frame.to_dicts(),
    ),
    "arrow": (
        lambda rows: pa.Table.from_pylist(rows, schema=SCHEMA),
        lambda table: table.to_pylist(),
    ),
}


def prompt_of(row: Row) -> str | None:
    return None if row["text"] is None else f"Rate {row['text']} of {row['n']}"


def check(rows: list[Row], found: list[Row]) -> None:
    """Check that each row is in its place, with the answer to its own prompt or an error."""
    assert len(found) == len(rows)
    for row, got in zip(rows, found, strict=True):
        assert list(got) == ["text", "n", "answer", "error"]
        assert {name: got[name] for name in row} == row
        prompt = prompt_of(row)
        if prompt is None or "bad" in prompt:
            assert got["answer"] is None
            assert got["error"]
        else:
            assert got["answer"] == f"<{prompt}>"
            assert got["error"] is None


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(rows_of_any_kind, st.integers(1, 5), st.randoms(use_true_random=False))
def test_each_row_gets_its_answer_and_each_distinct_one_is_paid_once(
    kind: str, rows: list[Row], lanes: int, dice: Any
) -> None:
    server = Server()
    make, rows_in = KINDS[kind]
    data = make(rows)
    batch = server.run(data, concurrency=lanes)
    assert type(batch.frame) is type(data)
    check(rows, rows_in(batch.frame))
    prompts = {prompt for row in rows if (prompt := prompt_of(row)) is not None}
    assert server.echo.asked == dict.fromkeys(prompts, 1)
    progress = batch.progress
    assert progress.done == len(rows)
    assert progress.missing == sum(row["text"] is None for row in rows)
    # In another order, without some rows and with new ones: what is known costs nothing.
    others = [*dice.sample(rows, dice.randint(0, len(rows))), {"text": "new", "n": 7}]
    dice.shuffle(others)
    again = server.run(make(others), concurrency=lanes)
    check(others, rows_in(again.frame))
    good = {prompt: count for prompt, count in server.echo.asked.items() if "bad" not in prompt}
    assert good == dict.fromkeys((prompts | {"Rate new of 7"}) - {p for p in prompts if "bad" in p}, 1)  # fmt: skip


@settings(max_examples=25)
@given(rows_of_any_kind, st.data())
def test_any_index_of_pandas_is_kept(rows: list[Row], data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    index: Any = pd.Index(labels, name="id", dtype="int64")
    if data.draw(st.booleans()) and rows:
        index = pd.MultiIndex.from_arrays([labels, ["a"] * len(rows)], names=["id", "part"])
    frame = as_pandas(rows, index)
    before = frame.copy()
    found = Server().run(frame).frame
    assert found.index.equals(index)
    assert list(found.index.names) == list(index.names)
    check(rows, from_pandas(found.reset_index(drop=True)))
    pd.testing.assert_frame_equal(frame, before)


@settings(max_examples=25)
@given(rows_of_any_kind, st.integers(1, 3), st.booleans())
def test_samples_and_rows_of_their_own_are_paid_each(
    rows: list[Row], samples: int, dedupe: bool
) -> None:
    server = Server()
    batch = server.run(rows, samples=samples, dedupe=dedupe)
    sent = [prompt for row in rows if (prompt := prompt_of(row)) is not None]
    each = Counter(sent) if not dedupe else Counter(dict.fromkeys(sent, 1))
    assert server.echo.asked == {prompt: count * samples for prompt, count in each.items()}
    for row, got in zip(rows, batch.frame, strict=True):
        prompt = prompt_of(row)
        answer = got["answer"]
        if prompt is None or "bad" in prompt:
            assert got["error"]
            assert answer is None or answer == [None] * samples
        else:
            assert got["error"] is None
            assert answer == (f"<{prompt}>" if samples == 1 else [f"<{prompt}>"] * samples)
