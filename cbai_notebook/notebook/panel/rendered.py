"""Finished answers as safe HTML, cached because panel and transcript show the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cbai_notebook.client.sources import Sources
from cbai_notebook.conversation import ToolCall, Turn
from cbai_notebook.conversation.turn import step_text
from cbai_notebook.notebook.screen import sources
from cbai_notebook.notebook.screen.calls import calls_html
from cbai_notebook.notebook.screen.reasoning import Reasoning

CACHED_ANSWERS = 512
"""The most answers whose HTML is cached."""


@lru_cache(maxsize=CACHED_ANSWERS)
def markdown_html(text: str) -> str:
    """Return an answer's Markdown as safe HTML."""
    from cbai_notebook.notebook.markdown import render

    return render(text) if text else ""


def reasoning_html(reasoning: str) -> str:
    """Return a model's reasoning as collapsed safe HTML."""
    if not reasoning:
        return ""
    fold = Reasoning()
    fold.add(reasoning, 0.0)
    fold.end(0.0)
    return fold.closed_html()


def answer_html(turn: Turn) -> str:
    """Return a turn's answer as safe HTML: text and tool calls in their order of arrival."""
    parts = []
    calls = turn.calls
    by_id = {call.id: call for call in calls}
    for step in turn.steps:
        if step.get("role") == "assistant":
            parts += [markdown_html(step_text(step)), calls_html(_calls_of_step(step, by_id))]
    if not turn.steps:
        parts.append(calls_html(calls))
    return "".join(parts) + markdown_html(turn.final_text)


def source_lines(turn: Turn, labels: tuple[str, str] | None = None) -> list[str]:
    """Return lines of safe HTML with the web pages and the knowledge bases that an agent used.

    Args:
        turn: The turn.
        labels: The labels of the two lines, as safe HTML.
    """
    return [line.html for line in sources.lines(Sources.from_stored(turn.sources), labels)]


def _calls_of_step(step: Mapping[str, Any], calls: Mapping[str, ToolCall]) -> list[ToolCall]:
    ids = dict.fromkeys(call.get("id") for call in step.get("tool_calls") or ())
    return [calls[id] for id in ids if id in calls]
