"""Turns and tables for the tests that convert conversations to tables and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from cbai_notebook.conversation import Turn
from cbai_notebook.conversation.records import Records
from cbai_notebook.conversation.turn import join_steps

NOW = datetime(2026, 11, 22, 10, 30, 0, 123456, tzinfo=timezone.utc)

# Without lone surrogates, which Arrow does not allow; other tests cover them.
TEXT = st.text(max_size=12)
NAME = st.none() | st.text(min_size=1, max_size=8)
COUNT = st.none() | st.integers(0, 2**40)
SECONDS = st.none() | st.floats(0, 1e6)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)

# As a turn holds them: the fields of a request or message that stand elsewhere are not among them,
# and `think` is true or false. Names of the code are drawn, too.
PARAMS = st.dictionaries(
    TEXT.filter(
        lambda name: name not in {"model", "messages", "stream", "tools", "prompt", "data", "think"}
    ),
    JSON,
    max_size=3,
)
REPLY = st.dictionaries(
    TEXT.filter(lambda name: name not in {"role", "tool_calls", "tool_call_id", "content"}),
    JSON,
    max_size=2,
)


@st.composite
def steps(draw: st.DrawFn) -> tuple[dict[str, Any], ...]:
    """Draw up to two steps, each with up to three tool calls and their results in any order."""
    made: list[dict[str, Any]] = []

    def extra() -> dict[str, Any]:
        return draw(
            st.dictionaries(st.sampled_from(["reasoning", "extra_content"]), JSON, max_size=2)
        )

    for _ in range(draw(st.integers(0, 2))):
        ids = draw(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=3, unique=True))
        calls = [
            {
                "id": id,
                "type": "function",
                "function": {"name": draw(TEXT), "arguments": draw(TEXT)},
            }
            for id in ids
        ]
        made.append({"role": "assistant", "content": draw(TEXT), "tool_calls": calls, **extra()})
        made += [
            {"role": "tool", "content": draw(TEXT), "tool_call_id": id, **extra()}
            for id in draw(st.permutations(ids))
        ]
    return tuple(made)


@st.composite
def turns(draw: st.DrawFn, text: st.SearchStrategy[str] = TEXT) -> Turn:
    """Draw any turn that a conversation can have."""
    made = Turn(
        prompt=draw(text),
        created_at=draw(
            st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(
                lambda moment: moment.replace(tzinfo=timezone.utc)
            )
        ),
        system=draw(st.none() | text),
        provider=draw(NAME),
        model=draw(NAME),
        params=draw(PARAMS),
        images=tuple(draw(st.lists(TEXT, max_size=2))),
        steps=draw(steps()),
        status=draw(
            st.sampled_from(["asked", "streaming", "complete", "partial", "cancelled", "failed"])
        ),
        finish_reason=draw(NAME),
        error=draw(st.none() | text),
        duration_s=draw(SECONDS),
        first_token_s=draw(SECONDS),
        prompt_tokens=draw(COUNT),
        completion_tokens=draw(COUNT),
        total_tokens=draw(COUNT),
        cached_tokens=draw(COUNT),
        reply=draw(REPLY),
        cell_id=draw(NAME),
        stale=draw(st.booleans()),
    )
    made.add(join_steps(made.steps, draw(text)), draw(text))
    return made


def records_of(made: Iterable[Turn], name: str = "poems") -> Records:
    """Return the records of the turns, in order."""
    return Records(
        record for number, turn in enumerate(made) for record in turn.records(name, number)
    )


def many(messages: int) -> Records:
    """Return the records of a long conversation.

    Args:
        messages: The number of messages; even.
    """
    made = []
    for number in range(messages // 2):
        turn = Turn(
            prompt=f"What of number {number}? 第{number}号呢？",
            created_at=NOW + timedelta(seconds=number),
            provider="cloudbase",
            model="hy3",
            params={"temperature": 0.7},
            status="complete",
            finish_reason="stop",
            duration_s=1.5,
            first_token_s=0.25,
            prompt_tokens=20,
            completion_tokens=number,
            total_tokens=20 + number,
            cell_id=f"cell-{number}",
        )
        turn.add(f"Number {number} is a number like others. " * 10, "")
        made.append(turn)
    return records_of(made, "long")


def _through_json_lines(records: Sequence[dict[str, Any]]) -> Any:
    lines = [json.dumps(record, default=datetime.isoformat) for record in records]
    return [json.loads(line) for line in lines]


def _guessed(records: Sequence[dict[str, Any]]) -> Any:
    import pandas as pd

    return pd.DataFrame(list(records))


FORMS: dict[str, Callable[[Records], Any]] = {
    "list": list,
    "generator": lambda records: (record for record in records),
    "JSON Lines": _through_json_lines,
    "pandas": Records.to_pandas,
    "pandas, as it guesses": _guessed,
    "pandas, row by row": lambda records: records.to_pandas().to_dict("records"),
    "pandas, other index": lambda records: records.to_pandas().set_axis(
        [f"row {number}" for number in range(len(records))]
    ),
    "polars": Records.to_polars,
    "polars, row by row": lambda records: records.to_polars().to_dicts(),
    "Arrow": Records.to_arrow,
    "Arrow through pandas": lambda records: records.to_arrow().to_pandas(),
}
"""Forms of message records from which the same turns must be read again."""
