"""The table of a comparison: one row for each answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.providers import model_label
from cbai_notebook.comparison.variants import Axes
from cbai_notebook.conversation.frames.to_frame import import_optional
from cbai_notebook.i18n import said_now, say

if TYPE_CHECKING:
    from cbai_notebook.comparison.candidate import Candidate

_TYPES = {
    "model": "string",
    "system": "string",
    "temperature": "float64",
    "sample": "int64",
    "text": "string",
    "reasoning": "string",
    "finish_reason": "string",
    "first_token_s": "float64",
    "duration_s": "float64",
    "prompt_tokens": "Int64",
    "completion_tokens": "Int64",
    "error": "string",
    "chosen": "bool",
}


def record_of(axes: Axes, candidate: Candidate, *, chosen: bool) -> dict[str, Any]:
    """Return the row of an answer as a flat dict.

    Args:
        axes: What is compared: a system prompt and other parameters have columns if they are varied.
        candidate: The answer.
        chosen: Whether the conversation goes on with it.
    """
    variant, answer, turn = candidate.variant, candidate.answer, candidate.turn
    params = candidate.prepared.params
    usage = answer.usage if answer is not None else None
    timing = answer.timing if answer is not None else None
    error = candidate.error
    stopped = say("compare.stopped") if answer is None else None
    problem = stopped if error is None else said_now(error.words or error.message)
    return {
        "model": variant.model
        or model_label(candidate.prepared.provider, candidate.prepared.asked_model),
        **({"system": variant.system} if axes.systems else {}),
        "temperature": params.get("temperature"),
        **variant.params,
        "sample": variant.sample,
        "text": candidate.text or None,
        "reasoning": (turn.reasoning if turn is not None else "") or None,
        "finish_reason": turn.finish_reason if turn is not None else None,
        "first_token_s": timing.first_token_s if timing is not None else None,
        "duration_s": timing.duration_s if timing is not None else None,
        "prompt_tokens": usage.prompt_tokens if usage is not None else None,
        "completion_tokens": usage.completion_tokens if usage is not None else None,
        "error": problem,
        "chosen": chosen,
    }


def check_pandas() -> None:
    """Check that a table can be made, before anything is paid for.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    import_optional("dataframe", "pandas")


def to_pandas(axes: Axes, candidates: Sequence[Candidate], chosen: Candidate | None) -> Any:
    """Return a DataFrame with the numbers of the answers as its index.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    (pandas,) = import_optional("dataframe", "pandas")
    from cbai_notebook.comparison.table import ComparisonTable

    records = [record_of(axes, each, chosen=each is chosen) for each in candidates]
    index = pandas.Index([each.number for each in candidates], name="answer")
    columns = {
        name: pandas.Series([record[name] for record in records], index, dtype=_TYPES.get(name))
        for name in records[0]
    }
    return ComparisonTable(columns)


def mark_chosen(table: Any, chosen: Sequence[bool]) -> None:
    """Set the column ``chosen`` of a table, unless the user has changed its rows or columns."""
    if "chosen" in table.columns and len(table) == len(chosen):
        table["chosen"] = list(chosen)
