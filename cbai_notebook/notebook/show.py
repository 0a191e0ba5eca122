"""``cbai.show``; and for every prompt, the surface of its answer and the end of its screen."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.bridge import background_loop
from cbai_notebook.conversation import Delta
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import PYTHON, Place, say
from cbai_notebook.notebook import answer_formatters
from cbai_notebook.notebook.answer_display import note_shown
from cbai_notebook.notebook.frontend import is_kernel, names_cell, owns_cell
from cbai_notebook.notebook.held_interrupts import HeldInterrupts
from cbai_notebook.notebook.marimo_output import MarimoSurface, is_marimo
from cbai_notebook.notebook.render_loop import render_answer, render_answer_async
from cbai_notebook.notebook.screen import (
    CellSurface,
    Facts,
    OutputSurface,
    Screen,
    Status,
    Surface,
    TerminalSurface,
)
from cbai_notebook.session import ipython_shell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from ipywidgets import Output

    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.stream import TextStream


def show(
    stream: TextStream, *, into: Output | None = None, format: str = "markdown"
) -> Answer | asyncio.Task[Answer]:
    """Show a stream while it arrives, below the running cell or in an Output widget.

    A stream from ``cbai.run(…)`` is shown before this call returns. A stream from ``await`` belongs
    to the cell's own event loop, which cannot run while this call waits, so a task shows it: write
    ``await cbai.show(stream)``.

    Args:
        stream: A stream from ``model.stream_text(…)``.
        into: An ``ipywidgets.Output``; its content is replaced.
        format: ``"markdown"``, ``"text"``, ``"code"`` or ``"json"``.

    Returns:
        The complete answer, or a task that returns it. A cell that ends with it does not show it a
        second time.

    Raises:
        CbaiError: The stream failed; the received text stays on the screen.
        UsageError: The stream's event loop is not running, or `into` is not an Output.
    """
    on_this_loop = stream.loop is _running_loop()
    if not on_this_loop and stream.loop is not background_loop():
        raise UsageError(say("cell.stream_is_over"))
    screen = Screen(_surface(into), format=format)

    async def start(listener: Callable[[Delta], None]) -> Answer:
        try:
            async for batch in stream.batches():
                if delta := Delta.of(batch):
                    listener(delta)
        finally:
            if stream.refusal:
                listener(Delta.of_refusal(stream.refusal, after=stream.text))
        return await stream.finish()

    async def show_async() -> Answer:
        with finishing(screen) as outcome:
            answer = outcome.answer = await render_answer_async(start, screen)
        _note_shown(answer)
        return answer

    if on_this_loop:
        return _ShowTask(show_async(), loop=asyncio.get_running_loop())
    with finishing(screen) as outcome:
        answer = outcome.answer = render_answer(lambda listener, _: start(listener), screen)
    _note_shown(answer)
    return answer


def _note_shown(answer: Answer) -> None:
    shell = ipython_shell()
    if shell is not None and is_kernel(shell):
        answer_formatters.register(shell)
        note_shown(shell, answer)


class _ShowTask(asyncio.Task["Answer"]):
    """Shows a stream; as the last value of a cell it shows nothing of its own."""

    def _ipython_display_(self) -> None:
        return


def _surface(into: Output | None) -> Surface | TerminalSurface:
    if into is not None:
        return output_surface(into, "into")
    return default_surface(ipython_shell())


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def default_surface(shell: InteractiveShell | None) -> Surface | TerminalSurface:
    """Return the surface of the running cell, or of the terminal outside a notebook."""
    if shell is not None and is_kernel(shell):
        return CellSurface(owns_cell=owns_cell(shell), live=names_cell(shell), shell=shell)
    if is_marimo():
        return MarimoSurface()
    return TerminalSurface(sys.stdout)


def output_surface(output: object, name: str) -> Surface:
    """Return the surface of an ``ipywidgets.Output``.

    Raises:
        UsageError: `output` is not an ``ipywidgets.Output``.
    """
    from ipywidgets import Output

    if not isinstance(output, Output):
        raise UsageError(
            say(
                "cell.no_output",
                name=name,
                type=type(output).__name__,
                example=f"{name} = ipywidgets.Output(); display({name})",
            )
        )
    return OutputSurface(output)


def named_surface(
    shell: InteractiveShell, into: str | None, variables: Mapping[str, Any]
) -> Surface | TerminalSurface:
    """Return the surface that ``--into`` names, or the surface of the running cell.

    Raises:
        UsageError: There is no such variable, or it is not an ``ipywidgets.Output``.
    """
    if into is None:
        return default_surface(shell)
    if into not in variables:
        raise UsageError(
            say(
                "cell.no_output_variable",
                name=repr(into),
                example=f"{into} = ipywidgets.Output(); display({into})",
            )
        )
    return output_surface(variables[into], into)


@dataclass
class Outcome:
    """What the end of a screen shows: the caller sets the answer and adds hints.

    Attributes:
        answer: The complete answer.
        note: How the answer ended; the answer's own note if ``None``.
        has_text: Whether the screen had text before the request, which an error leaves there.
        hints: Sentences for the user.
    """

    answer: Answer | None = None
    note: str | None = None
    has_text: bool = False
    hints: list[str] = field(default_factory=list)


@contextmanager
def finishing(
    screen: Screen,
    *,
    label: str = "",
    hints: Sequence[str] = (),
    dropped: str = "",
    place: Place = PYTHON,
) -> Iterator[Outcome]:
    """Finish a screen when the block ends, also by an exception, which is raised again.

    Args:
        screen: The answer's screen.
        label: The provider and model of the request, shown when there is no complete answer.
        hints: Sentences about the prompt for the user.
        dropped: One sentence about turns that were dropped from the context.
        place: Who reads the end of the screen.
    """
    outcome = Outcome(hints=list(hints))
    known = Facts(label=label, dropped=dropped, place=place)

    def finish(status: Status, facts: Facts = known) -> None:
        with HeldInterrupts():
            screen.finish(status, footer=facts, hints=outcome.hints)

    try:
        yield outcome
    except (KeyboardInterrupt, asyncio.CancelledError):
        finish("cancelled")
        raise
    except CbaiError as error:
        finish("partial" if error.partial or outcome.has_text else "failed")
        raise
    except BaseException:
        finish("failed")
        raise
    facts = known
    if outcome.answer:
        facts = Facts.of(outcome.answer, dropped, place)
        facts = facts if outcome.note is None else replace(facts, note=outcome.note)
    finish("complete", facts)
