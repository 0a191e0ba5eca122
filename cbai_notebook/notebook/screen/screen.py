"""Show one answer on one surface."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.screen.bodies import FORMATS, body_of
from cbai_notebook.notebook.screen.calls import Calls, call_line
from cbai_notebook.notebook.screen.footer import Facts, Status, closing
from cbai_notebook.notebook.screen.notice import Notice
from cbai_notebook.notebook.screen.painting import Painting
from cbai_notebook.notebook.screen.surfaces import Surface
from cbai_notebook.notebook.screen.terminal import TerminalSurface


class Screen:
    """Show one answer while it streams.

    A screen does not wait and starts no thread: its caller calls :meth:`tick` after the seconds
    that :meth:`due` returns. Only one thread at a time may use it.

    Args:
        surface: Where the answer is shown.
        format: ``"markdown"``, ``"text"``, ``"code"`` or ``"json"``.
        clock: Returns seconds that never run backwards.
        share: Returns the number of answers that share the browser, this one included.

    Raises:
        UsageError: There is no such format.
    """

    def __init__(
        self,
        surface: Surface | TerminalSurface,
        *,
        format: str = "markdown",
        clock: Callable[[], float] = time.monotonic,
        share: Callable[[], int] = lambda: 1,
    ) -> None:
        if format not in FORMATS:
            known = ", ".join(FORMATS)
            raise UsageError(say("answer.no_format", name=repr(format), known=known))
        self._finished = False
        self._output: Painting | _TerminalWriter
        if isinstance(surface, TerminalSurface):
            self._output = _TerminalWriter(surface)
        else:
            self._output = Painting(surface, body_of(format, surface.max_outputs), clock, share)

    @property
    def finished(self) -> bool:
        """Whether :meth:`finish` has completed."""
        return self._finished

    def wait(self, message: Callable[[], str] = lambda: say("answer.waiting")) -> None:
        """Show a waiting line until the first token arrives or :meth:`finish` is called.

        Args:
            message: Returns the line; called where one is shown.
        """
        self._output.wait(message)

    def text(self, text: str) -> None:
        """Add text to the answer; the first text is painted at once."""
        if text and not self._finished:
            self._output.text(text)

    def reasoning(self, text: str) -> None:
        """Add reasoning of the model; the first is painted at once."""
        if text and not self._finished:
            self._output.reasoning(text)

    def call(self, call: ToolCall) -> None:
        """Add or update a tool call; the first is painted at once."""
        if not self._finished:
            self._output.call(call)

    def due(self) -> float | None:
        """Return the seconds until the next paint is due, or None if there is nothing to paint."""
        return None if self._finished else self._output.due()

    def tick(self) -> None:
        """Paint if a paint is due."""
        if not self._finished:
            self._output.tick()

    def flush(self) -> None:
        """Paint all content that is not painted yet, without regard to the pace."""
        if not self._finished:
            self._output.flush()

    def finish(
        self,
        status: Status,
        *,
        footer: Facts | None = None,
        hints: Sequence[str] = (),
        note: Notice | str | None = None,
    ) -> None:
        """Paint for the last time, without regard to the pace; a second call does nothing.

        Args:
            status: How the answer ended: complete, partial, cancelled or failed.
            footer: The known facts about the answer.
            hints: Sentences about the prompt, plain text, each shown on a separate line.
            note: The error, if there was one.
        """
        if not self._finished:
            self._output.finish(status, footer, hints, note)
            self._finished = True


class _TerminalWriter:
    """Write one answer to a terminal as it streams."""

    def __init__(self, surface: TerminalSurface) -> None:
        self._surface = surface
        self._received = ""

    @cached_property
    def _calls(self) -> Calls:
        return Calls()

    def wait(self, message: Callable[[], str]) -> None:
        """Do nothing: a line in a terminal cannot be removed again."""

    def text(self, text: str) -> None:
        if text.strip():
            self._received = "text"
        self._surface.text(text)

    def reasoning(self, text: str) -> None:
        self._received = self._received or "reasoning"
        self._surface.reasoning(text)

    def call(self, call: ToolCall) -> None:
        is_new = not self._calls.knows(call)
        self._calls.update(call)
        # A call that waits for the user has no line: the question follows.
        if not call.open or (is_new and call.status == "running"):
            self._surface.line(call_line(call, live=True))

    def due(self) -> float | None:
        return None

    def tick(self) -> None:
        """Do nothing: all text is written already."""

    def flush(self) -> None:
        """Do nothing: all text is written already."""

    def finish(
        self,
        status: Status,
        footer: Facts | None,
        hints: Sequence[str],
        note: Notice | str | None,
    ) -> None:
        for stopped in self._calls.open:
            self._surface.line(call_line(stopped))
        end = closing(status, footer, hints=hints, note=note, received=self._received)
        self._surface.close(end.plain)
