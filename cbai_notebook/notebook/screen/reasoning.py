"""Show a model's reasoning: open while it streams, folded when the answer begins."""

from __future__ import annotations

from cbai_notebook.i18n import say
from cbai_notebook.notebook.screen import html
from cbai_notebook.notebook.screen.footer import seconds
from cbai_notebook.text import plain

WINDOW = 2000
"""Characters of reasoning that are shown while it streams; the closed fold holds all of it."""

# Low, so that the page hardly moves when the fold closes. Reversed, so that it shows the last line.
_LOW = "display:flex;flex-direction:column-reverse;max-height:12em;overflow:auto;"


class Reasoning:
    """The reasoning of one answer."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._recent = ""
        self._length = 0
        self._started: float | None = None
        self._ended: float | None = None

    def __bool__(self) -> bool:
        return self._length > 0

    def __len__(self) -> int:
        return self._length

    @property
    def text(self) -> str:
        """All reasoning so far, unchanged."""
        return "".join(self._parts)

    @property
    def shown(self) -> int:
        """Number of characters that a paint sends while reasoning streams."""
        return len(self._recent)

    def add(self, text: str, now: float) -> None:
        """Append reasoning that arrived at `now` (seconds)."""
        if self._started is None:
            self._started = now
        self._parts.append(text)
        self._length += len(text)
        self._recent = (self._recent + text)[-WINDOW:]

    def end(self, now: float) -> None:
        """Mark the reasoning as ended at `now` (seconds)."""
        if self._started is not None and self._ended is None:
            self._ended = now

    @property
    def html(self) -> str:
        """The fold as markup: open while reasoning streams, then closed."""
        return self.live_html() if self._ended is None else self.closed_html()

    @property
    def plain(self) -> str:
        """Empty: without markup, reasoning is not shown beside an answer."""
        return ""

    @property
    def all_plain(self) -> str:
        """All of the text as plain text, under a heading."""
        return f"Reasoning:\n{plain(self.text.strip())}"

    def live_html(self) -> str:
        """Return the open fold with the most recent text."""
        cut = "… " if self._length > len(self._recent) else ""
        return self._fold(say("answer.thinking"), cut + self._recent.lstrip("\n"), _LOW, " open")

    def closed_html(self) -> str:
        """Return the closed fold with all of the text."""
        duration_s = (self._ended or 0.0) - (self._started or 0.0)
        is_long = duration_s >= 1
        title = (
            say("answer.thought", duration=seconds(duration_s))
            if is_long
            else say("answer.reasoning")
        )
        return self._fold(title, self.text.strip("\n"))

    def _fold(self, title: str, text: str, style: str = "", state: str = "") -> str:
        body = (
            f'<div style="{style}{html.QUIET};{html.WRAP};border-left:2px solid #9e9e9e;'
            f'border-left-color:var(--jp-border-color2,#9e9e9e);margin:0.3em 0;padding-left:0.8em"><small>{html.lines(text)}</small></div>'
        )
        summary = f'<summary style="{html.QUIET};cursor:pointer"><small>{html.escape(title)}</small></summary>'
        return html.element("div", f"<details{state}>{summary}{body}</details>", name="reasoning")
