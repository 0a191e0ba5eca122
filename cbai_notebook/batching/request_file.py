"""The requests of a batch as a file in the form of the OpenAI batch API, and the answers from one.

A service that takes such files answers them within hours and for less money. The file carries the key of
each request, by which its answer finds its rows when the batch is run again.

Source: https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from cbai_notebook.batching.answer_store import AnswerStore, current_answers
from cbai_notebook.batching.dry_run import Counts
from cbai_notebook.batching.outcome import StoredAnswer
from cbai_notebook.batching.plan import Plan
from cbai_notebook.batching.runs import COMPLETE, IMPORT, RunFacts
from cbai_notebook.client.answer import AnswerFacts, from_completion
from cbai_notebook.client.model import Model
from cbai_notebook.conversation.row_requests import KEY_BYTES, RowRequests
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.files import expanded, temporary_path
from cbai_notebook.i18n import say

STORED_AT_ONCE = 500
"""The answers of one transaction."""


@dataclass(frozen=True)
class Imported:
    """What a file with answers held.

    Attributes:
        answered: The answers that were stored.
        failed: The requests that the service could not answer; they are not known.
    """

    answered: int
    failed: int

    def __str__(self) -> str:
        return say(
            "batch.imported", n=self.answered, count=f"{self.answered:,}", failed=f"{self.failed:,}"
        )


async def write_requests(
    path: str | os.PathLike[str], plan: Plan, requests: RowRequests, model: Model
) -> Path:
    """Write the requests whose answers are not stored to a file; nothing is sent.

    Args:
        path: The path of the file; it is written as a whole or not at all.
        plan: The requests.
        requests: Makes their parameters.
        model: The model.

    Raises:
        UsageError: The file cannot be written.
    """
    target = expanded(path).absolute()
    temporary = temporary_path(target)
    encoder = msgspec.json.Encoder()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            async for unit in plan.drafts(Counts().sink()):
                request = await model.prepare(False, requests.options(unit.messages))
                body = {name: each for name, each in request.body.items() if name != "stream"}
                line = {
                    "custom_id": unit.key.hex(),
                    "method": request.method,
                    "url": "/v1/chat/completions",
                    "body": body,
                }
                file.write(encoder.encode(line) + b"\n")
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise UsageError(say("batch.file_not_written", file=target, reason=reason)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return target


def batch_import(path: str | os.PathLike[str], *, store: AnswerStore | None = None) -> Imported:
    """Store the answers of a file that a batch service has written.

    Run the batch again afterwards: its rows are known.

    Args:
        path: The file, JSON Lines with ``custom_id`` and ``response`` or ``error``.
        store: Where they are stored; beside the history by default.

    Returns:
        How many answers were stored, and how many requests failed.

    Raises:
        UsageError: The file cannot be read, or a line is none of such a file; nothing was stored
            of it.
        HistoryError: They cannot be stored.
    """
    source = expanded(path)
    answers: list[StoredAnswer] = []
    failed = 0
    for number, line in _lines(source):
        answer = _answer_of(line, f"{source.name}:{number}")
        if answer is None:
            failed += 1
        else:
            answers.append(answer)
    store = store or current_answers()
    facts = RunFacts(frame=source.name, rows=len(answers) + failed, failed=failed, kind=IMPORT)
    run = store.begin_run(facts)
    for start in range(0, len(answers), STORED_AT_ONCE):
        store.add(answers[start : start + STORED_AT_ONCE], run)
    tokens = sum(each.total_tokens or 0 for each in answers)
    store.end_run(run, replace(facts, answered=len(answers), tokens=tokens, status=COMPLETE))
    return Imported(len(answers), failed)


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each line of a file."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    try:
                        yield number, msgspec.json.decode(line)
                    except (ValueError, RecursionError) as error:
                        where = f"{path.name}:{number}"
                        raise UsageError(say("batch.no_answer_line", place=where)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(say("batch.file_not_read", file=path, reason=reason)) from error


def _answer_of(line: Any, place: str) -> StoredAnswer | None:
    """Return the answer in a line; None if its request has failed.

    Raises:
        UsageError: It is no line of such a file.
    """
    key = _key_of(line)
    if key is None:
        raise UsageError(say("batch.no_answer_line", place=place))
    response = line.get("response")
    if not isinstance(response, dict) or response.get("status_code", 200) != 200:
        return None
    body = response.get("body")
    if not isinstance(body, dict):
        return None
    try:
        answer = from_completion(body, AnswerFacts("", ""))
    except CbaiError:
        return None
    if answer.ending is not None or not answer.text:
        return None
    usage = answer.usage
    return StoredAnswer(
        key=key,
        text=answer.text,
        model=answer.model,
        finish_reason=answer.finish_reason,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        total_tokens=usage.total_tokens if usage else None,
        duration_s=None,
        attempts=1,
        answered_at=time.time_ns() // 1000,
    )


def _key_of(line: Any) -> bytes | None:
    try:
        key = bytes.fromhex(line["custom_id"])
    except (TypeError, ValueError, LookupError):
        return None
    return key if len(key) == KEY_BYTES else None
