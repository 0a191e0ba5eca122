"""Export a conversation as a Markdown document to read.

The headings between the messages are added by this module. No message can imitate or hide a
heading: prompts are quoted, and the arguments and results of tools are fenced. An answer is written
unchanged if it closes every block that it opens; otherwise it is quoted too, because the end of a
block quote closes every block inside it (CommonMark 0.31, 5.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.formats.escaping import in_markdown, model_label
from cbai_notebook.conversation.turn import (
    ASKED,
    CANCELLED,
    FAILED,
    PARTIAL,
    STREAMING,
    step_text,
)
from cbai_notebook.text import counted

if TYPE_CHECKING:
    from cbai_notebook.conversation.conversation import Conversation
    from cbai_notebook.conversation.turn import Turn

_STATUS_NOTES = {
    ASKED: "not asked yet",
    STREAMING: "still being answered",
    PARTIAL: "incomplete",
    CANCELLED: "stopped",
    FAILED: "failed",
}
_LINE_END = re.compile(r"\r\n|\r|\n")
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)")
_FENCE_END = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*")
_NESTED_FENCE = re.compile(r"(?:[\s>*+-]|\d+[.)])+(?:`{3}|~{3})")
_TAG = re.compile(r"<[A-Za-z/!?]")


def markdown(conversation: Conversation) -> str:
    """Return the conversation as a Markdown document."""
    blocks = [f"# {in_markdown(conversation.name)}"]
    for turn in conversation.turns:
        blocks += _turn(turn)
    return "\n\n".join(blocks) + "\n"


def _turn(turn: Turn) -> Iterator[str]:
    name = f"**{in_markdown(model_label(turn))}**"
    if turn.system is not None:
        yield "**System**"
        yield _quoted(turn.system) if turn.system else "*(none from here on)*"
    yield "**You**"
    yield _quoted(turn.prompt)
    if turn.images:
        yield f"*({counted(len(turn.images), 'image')} went along)*"
    for step in turn.steps:
        yield from _step(step, name)
    yield name
    if turn.final_text.strip():
        yield _answer(turn.final_text.strip())
    note = _status_note(turn)
    if note or not turn.final_text.strip():
        yield f"*({note or 'no answer'})*"


def _step(step: Mapping[str, Any], name: str) -> Iterator[str]:
    content = step_text(step)
    if step.get("role") == "tool":
        yield "**Tool**"
        yield _fenced(content)
        return
    if content:
        yield name
        yield _answer(content.strip())
    for call in step.get("tool_calls") or ():
        function = call.get("function") or {}
        yield f"{name} calls **{in_markdown(str(function.get('name')))}**"
        yield _fenced(str(function.get("arguments") or ""), "json")


def _status_note(turn: Turn) -> str:
    ending = turn.ending.value if turn.ending else ""
    parts = (_STATUS_NOTES.get(turn.status, ending), in_markdown(turn.error or ""))
    return ": ".join(part for part in parts if part)


def _answer(text: str) -> str:
    return text if _is_self_contained(text) else _quoted(text)


def _is_self_contained(text: str) -> bool:
    """Return whether the text closes every fence and has no HTML outside them; in doubt, False."""
    open_fence = ""
    for line in _LINE_END.split(text):
        fence = _FENCE.match(line)
        if open_fence:
            ends = _FENCE_END.fullmatch(line)
            if ends and ends[1].startswith(open_fence):
                open_fence = ""
        elif fence and not (fence[1][0] == "`" and "`" in fence[2]):
            open_fence = fence[1]
        elif fence or _NESTED_FENCE.match(line) or _TAG.search(line):
            return False
    return not open_fence


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in _LINE_END.split(text))


def _fenced(text: str, language: str = "") -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
