"""``cbai.show``: a stream made by hand, shown as a cell shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from cbai_notebook.bridge import background_loop
from cbai_notebook.conversation import Delta
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.render_loop import play, play_here
from cbai_notebook.notebook.screen import Screen
from cbai_notebook.notebook.showing import finishing, surface_here, surface_of

if TYPE_CHECKING:
    from ipywidgets import Output

    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.notebook.screen import Surface, TerminalSurface


def show(
    stream: TextStream, *, into: Output | None = None, format: str = "markdown"
) -> Answer | asyncio.Task[Answer]:
    """Show a stream as it comes, under the running cell or in an Output widget.

    A stream that was made with ``cbai.run(…)`` is shown here and now. One that was made with
    ``await`` belongs to the cell's own event loop, which cannot run while this call waits: a task shows
    it, so write ``await cbai.show(stream)``.

    Args:
        stream: From ``model.stream_text(…)``.
        into: An ``ipywidgets.Output`` of yours; what it held is replaced.
        format: ``"markdown"``, ``"text"``, ``"code"`` or ``"json"``.

    Returns:
        The whole answer, or a task that returns it.

    Raises:
        CbaiError: The stream failed; what had arrived stays on the screen.
        UsageError: The stream belongs to an event loop that is not running, or `into` is no Output.
    """
    here = stream.loop is _running_loop()
    if not here and stream.loop is not background_loop():
        raise UsageError("This stream's event loop is not running any more. Make a new stream.")
    screen = Screen(_surface(into), format=format)

    async def start(listener: Callable[[Delta], None]) -> Answer:
        async for batch in stream.batches():
            if delta := Delta.of(batch):
                listener(delta)
        return await stream.finish()

    async def show_here() -> Answer:
        with finishing(screen) as ending:
            answer = ending.answer = await play_here(start, screen)
        return answer

    if here:
        return asyncio.ensure_future(show_here())
    with finishing(screen) as ending:
        answer = ending.answer = play(lambda listener, _: start(listener), screen)
    return answer


def _surface(into: Output | None) -> Surface | TerminalSurface:
    if into is not None:
        return surface_of(into, "into")
    from IPython.core.getipython import get_ipython

    return surface_here(get_ipython())


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
