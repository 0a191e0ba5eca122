"""Answers whose chunks a test writes itself, for fields that no scenario has."""

from __future__ import annotations

import json
from typing import Any

from tests.gateway.scenario import Scenario


def streamed(
    *deltas: dict[str, Any],
    finish_reason: str | None = "stop",
    usage: dict[str, Any] | None = None,
    done: bool = True,
) -> Scenario:
    """Return a stream with a chunk for each delta, then the finish reason, the usage, and ``[DONE]``."""

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    chunks = [chunk(delta) for delta in deltas]
    if finish_reason is not None:
        chunks.append(chunk({}, finish_reason))
    if usage is not None:
        chunks.append({"model": "m", "choices": [], "usage": usage})
    payloads = [json.dumps(each, ensure_ascii=False) for each in chunks]
    return Scenario(payloads=(*payloads, *(["[DONE]"] if done else [])))
