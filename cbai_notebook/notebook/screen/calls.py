"""Calls of tools: one quiet line each, which unfolds to what was asked and what came back.

Names, arguments and results come from a model or from a tool, so all of them are plain text here, and cut.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from cbai_notebook.conversation.tool_calls import ASKING, RUNNING, ToolCall
from cbai_notebook.notebook.screen import html
from cbai_notebook.notebook.screen.footer import seconds
from cbai_notebook.text import plain

LINE_CHARS = 80
"""Characters of a call's name and arguments in its line."""

FOLD_CHARS = 3_000
"""Characters of a call's arguments, and of its result, in its fold."""

ALL_CHARS = 60_000
"""Characters in all folds of one group: many calls get less each."""

SHORTEST_S = 0.01
"""Seconds below which it is not worth saying how long a call took."""

MOST = 100
"""Calls of one group that have a line; earlier ones are counted."""

_WORDS = {
    "error": "failed",
    "refused": "refused",
    "unknown": "no such tool",
    "invalid": "arguments do not fit",
}


class Calls:
    """The calls of one step, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[ToolCall] = []
        self._ended = False

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def open(self) -> list[ToolCall]:
        """Those without a result."""
        return [call for call in self._calls if call.open]

    def knows(self, call: ToolCall) -> bool:
        """Whether `call` is news of one that is here; one that has ended does not begin again."""
        return self._number(call) is not None

    def take(self, call: ToolCall) -> None:
        """Add a call, or note how one that is here stands now."""
        number = self._number(call)
        if number is None:
            self._calls.append(call)
        else:
            self._calls[number] = call

    def end(self) -> None:
        """Note that nothing more comes: a call that has no result was stopped."""
        self._ended = True

    def _number(self, call: ToolCall) -> int | None:
        # Some providers count the calls of each step from the beginning.
        for number in reversed(range(len(self._calls))):
            one = self._calls[number]
            if one.id == call.id:
                return number if one.open or not call.open else None
        return None

    @property
    def html(self) -> str:
        """The lines as they stand."""
        return calls_html(self._calls, live=not self._ended)

    @property
    def plain(self) -> str:
        """The lines as plain text."""
        return calls_plain(self._calls, live=not self._ended)


def calls_html(calls: Sequence[ToolCall], *, live: bool = False) -> str:
    """Return calls as safe markup, one line each, folded.

    Args:
        calls: The calls, in order.
        live: Whether those without a result still run; otherwise they were stopped.
    """
    if not calls:
        return ""
    shown = calls[-MOST:]
    room = min(FOLD_CHARS, ALL_CHARS // (2 * len(shown)))
    rows = "".join(_row(call, room, live) for call in shown)
    if earlier := _earlier(calls):
        rows = f'<div style="{html.QUIET}"><small>{earlier}</small></div>' + rows
    return html.element("div", rows, name="calls", style="margin:0.3em 0")


def calls_plain(calls: Sequence[ToolCall], *, live: bool = False) -> str:
    """Return calls as plain text, one line each.

    Args:
        calls: The calls, in order.
        live: Whether those without a result still run; otherwise they were stopped.
    """
    earlier = [line] if (line := _earlier(calls)) else []
    return "\n".join(earlier + [call_line(call, live=live) for call in calls[-MOST:]])


def call_line(call: ToolCall, *, live: bool = False) -> str:
    """Return a call as one line of plain text: ``▸ get_weather(city="Paris") · 0.30 s``.

    Args:
        call: The call.
        live: Whether a call without a result still runs; otherwise it was stopped.
    """
    parts = [_title(call), _word(call, live), _took(call)]
    running = " …" if live and call.status == RUNNING else ""
    return "▸ " + " · ".join(part for part in parts if part) + running


def _earlier(calls: Sequence[ToolCall]) -> str:
    hidden = max(0, len(calls) - MOST)
    return f"{hidden:,} earlier call{'' if hidden == 1 else 's'}" if hidden else ""


def _row(call: ToolCall, room: int, live: bool) -> str:
    word = _word(call, live)
    parts = [
        html.escape(_title(call)),
        f"<strong>{html.escape(word)}</strong>" if word else "",
        _took(call),
    ]
    line = " · ".join(part for part in parts if part)
    line += " …" if live and call.status == RUNNING else ""
    body = _block("Arguments", _arguments(call.arguments)[1], room) + _block(
        "Result", call.result or "", room
    )
    small = f"<small>{line}</small>"
    if not body:
        return f'<div style="{html.QUIET};{html.WRAP};padding-left:1em">{small}</div>'
    summary = f'<summary style="{html.QUIET};{html.WRAP};cursor:pointer">{small}</summary>'
    return f"<details>{summary}{body}</details>"


def _block(title: str, text: str, room: int) -> str:
    if not text.strip():
        return ""
    rest = len(text) - room
    shown = text[:room] + f"\n… {rest:,} more characters" if rest > 0 else text
    # A parser drops the first newline of a `pre`, so one more is written than is meant.
    return (
        f'<div style="{html.QUIET};margin:0.2em 0 0 1.2em"><small>{title}</small></div>'
        f'<pre tabindex="0" style="{html.MONO};{html.WRAP};max-height:16em;overflow:auto;margin:0 0 0.4em 1.2em;padding:0.3em 0.7em">'
        f"\n{html.escape(shown)}</pre>"
    )


def _word(call: ToolCall, live: bool) -> str:
    if call.open and not live:
        return "stopped"
    return "waiting for your answer" if call.status == ASKING else _WORDS.get(call.status, "")


def _took(call: ToolCall) -> str:
    is_known = not call.open and call.duration_s is not None and call.duration_s >= SHORTEST_S
    return seconds(call.duration_s or 0.0) if is_known else ""


def _title(call: ToolCall) -> str:
    name = _cut(call.name, LINE_CHARS // 2) or "(no name)"
    return f"{name}({_cut(_arguments(call.arguments)[0], LINE_CHARS - len(name))})"


def _cut(text: str, room: int) -> str:
    # Far more than is shown, so that a long run of spaces does not hide the words.
    line = " ".join(plain(text[: 50 * LINE_CHARS]).split())
    return line if len(line) <= room else line[: room - 1] + "…"


def _arguments(arguments: str) -> tuple[str, str]:
    """Return arguments for a line and for a fold: as written, unless they are an object worth reading."""
    if len(arguments) > 2 * FOLD_CHARS:
        return arguments, arguments
    try:
        values = json.loads(arguments or "{}")
        if not isinstance(values, dict):
            return arguments, arguments
        named = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        laid_out = json.dumps(values, indent=2, ensure_ascii=False) if values else ""
    except (ValueError, RecursionError):
        return arguments, arguments
    return ", ".join(named), laid_out
