"""Tool calls: one dimmed line each, which unfolds to the arguments and the result.

Names, arguments and results come from a model or a tool, so they are shown as plain text, and cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.i18n import say
from cbai_notebook.notebook.screen import html
from cbai_notebook.notebook.screen.footer import seconds
from cbai_notebook.text import plain, shortened

LINE_CHARS = 80
"""Maximum number of characters of a call's name and arguments in its line."""

FOLD_CHARS = 3_000
"""Maximum number of characters of a call's arguments, and of its result, in its fold."""

ALL_CHARS = 60_000
"""Maximum number of characters in all folds of one group: with many calls each gets less."""

MIN_SHOWN_S = 0.01
"""Shorter durations, in seconds, are not shown."""

MAX_LINES = 100
"""Maximum number of lines in one group; earlier calls are only counted."""

_FAILED = ("error", "refused", "unknown", "invalid")
"""The statuses of calls that did not work."""

_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")

_FAILED_MARK = "✗"


class Calls:
    """The tool calls of one step, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[ToolCall] = []
        self._last: dict[str, int] = {}  # the position of the last call with each id
        self._ended = False

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def open(self) -> list[ToolCall]:
        """The calls without a result."""
        return [call for call in self._calls if call.open]

    def knows(self, call: ToolCall) -> bool:
        """Return whether `call` updates a known call; a finished call cannot become open again."""
        return self._index(call) is not None

    def update(self, call: ToolCall) -> None:
        """Add a call, or replace its former state."""
        index = self._index(call)
        if index is None:
            self._last[call.id] = len(self._calls)
            self._calls.append(call)
        else:
            self._calls[index] = call

    def end(self) -> None:
        """Mark the step as ended: a call without a result was stopped."""
        self._ended = True

    def _index(self, call: ToolCall) -> int | None:
        # Some providers number the calls of each step from the beginning, so ids may repeat.
        index = self._last.get(call.id)
        if index is None or (call.open and not self._calls[index].open):
            return None
        return index

    @property
    def html(self) -> str:
        """The current lines as safe markup."""
        return calls_html(self._calls, live=not self._ended)

    @property
    def plain(self) -> str:
        """The current lines as plain text."""
        return calls_plain(self._calls, live=not self._ended)


def calls_html(calls: Sequence[ToolCall], *, live: bool = False) -> str:
    """Return calls as safe markup: one folded line each.

    Args:
        calls: The calls, in order.
        live: Whether calls without a result still run; otherwise they were stopped.
    """
    if not calls:
        return ""
    shown = calls[-MAX_LINES:]
    max_chars = min(FOLD_CHARS, ALL_CHARS // (2 * len(shown)))
    rows = "".join(_row(call, max_chars, live) for call in shown)
    if earlier := _earlier_line(calls):
        rows = f'<div style="{html.QUIET}"><small>{earlier}</small></div>' + rows
    return html.element("div", rows, name="calls", style="margin:0.3em 0")


def calls_plain(calls: Sequence[ToolCall], *, live: bool = False) -> str:
    """Return calls as plain text, one line each.

    Args:
        calls: The calls, in order.
        live: Whether calls without a result still run; otherwise they were stopped.
    """
    earlier = [line] if (line := _earlier_line(calls)) else []
    return "\n".join(earlier + [call_line(call, live=live) for call in calls[-MAX_LINES:]])


def call_line(call: ToolCall, *, live: bool = False) -> str:
    """Return a call as one line of plain text: ``▸ get_weather(city="Paris") · 0.30 s``.

    A call that did not work begins with ``✗``.

    Args:
        call: The call.
        live: Whether a call without a result still runs; otherwise it was stopped.
    """
    parts = [_title(call), _status_text(call, live), _duration(call)]
    running = " …" if live and call.status == "running" else ""
    return (
        f"{_FAILED_MARK if call.status in _FAILED else '▸'} "
        + " · ".join(part for part in parts if part)
        + running
    )


def _earlier_line(calls: Sequence[ToolCall]) -> str:
    hidden = max(0, len(calls) - MAX_LINES)
    return say("answer.earlier_calls", n=hidden) if hidden else ""


def _row(call: ToolCall, max_chars: int, live: bool) -> str:
    status = _status_text(call, live)
    mark = f"<strong>{_FAILED_MARK}</strong> " if call.status in _FAILED else ""
    parts = [
        mark + html.escape(_title(call)),
        f"<strong>{html.escape(status)}</strong>" if status else "",
        _duration(call),
    ]
    line = " · ".join(part for part in parts if part)
    line += " …" if live and call.status == "running" else ""
    body = _block(say("answer.arguments"), _arguments(call.arguments)[1], max_chars) + _block(
        say("answer.result"), call.result or "", max_chars
    )
    small = f"<small>{line}</small>"
    images = "".join(map(_image, call.images))
    if not body:
        row = f'<div style="{html.QUIET};{html.WRAP};padding-left:1em">{small}</div>'
        return row + images
    summary = f'<summary style="{html.QUIET};{html.WRAP};cursor:pointer">{small}</summary>'
    return f"<details>{summary}{body}</details>{images}"


def _image(url: str) -> str:
    """Return an image of a result; only a picture inside the page, so that nothing is fetched."""
    if not _PICTURE.fullmatch(url):
        return ""
    style = "display:block;max-width:100%;max-height:20em;margin:0.3em 0 0.3em 1.2em"
    return f'<img alt="" style="{style}" src="{html.escape(url)}">'


def _block(title: str, text: str, max_chars: int) -> str:
    if not text.strip():
        return ""
    rest = len(text) - max_chars
    shown = f"{text[:max_chars]}\n{say('answer.more_characters', n=rest)}" if rest > 0 else text
    # HTML parsers drop the first newline in a `pre`, so one more is written.
    return (
        f'<div style="{html.QUIET};margin:0.2em 0 0 1.2em"><small>{title}</small></div>'
        f'<pre tabindex="0" style="{html.MONO};{html.WRAP};max-height:16em;overflow:auto;margin:0 0 0.4em 1.2em;padding:0.3em 0.7em">'
        f"\n{html.escape(shown)}</pre>"
    )


def _status_text(call: ToolCall, live: bool) -> str:
    if call.open and not live:
        return say("answer.call_stopped")
    shown = call.status == "asking" or call.status in _FAILED
    return say(f"answer.call_{call.status}") if shown else ""


def _duration(call: ToolCall) -> str:
    is_known = not call.open and call.duration_s is not None and call.duration_s >= MIN_SHOWN_S
    return seconds(call.duration_s or 0.0) if is_known else ""


def _title(call: ToolCall) -> str:
    name = _shortened(call.name, LINE_CHARS // 2) or say("answer.no_name")
    return f"{name}({_shortened(_arguments(call.arguments)[0], LINE_CHARS - len(name))})"


def _shortened(text: str, longest: int) -> str:
    # Arguments may be long: clean no more of them than one line can need.
    return shortened(plain(text[: 50 * LINE_CHARS]), longest)


def _arguments(arguments: str) -> tuple[str, str]:
    """Return arguments for a line and for a fold, formatted if they are a JSON object."""
    if len(arguments) > 2 * FOLD_CHARS:
        return arguments, arguments
    try:
        values = json.loads(arguments or "{}")
        if not isinstance(values, dict):
            return arguments, arguments
        named = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        indented = json.dumps(values, indent=2, ensure_ascii=False) if values else ""
    except (ValueError, RecursionError):
        return arguments, arguments
    return ", ".join(named), indented
