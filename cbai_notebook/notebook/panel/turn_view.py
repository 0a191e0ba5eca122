"""One turn in the panel: the prompt, the streaming answer, and the buttons of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation import Delta, Turn
from cbai_notebook.conversation.delta import deltas_of
from cbai_notebook.conversation.turn import STREAMING
from cbai_notebook.i18n import language
from cbai_notebook.notebook.panel import markup
from cbai_notebook.notebook.panel.answer_surface import OPEN, AnswerSurface, outputs_of
from cbai_notebook.notebook.panel.approvals import APPROVALS
from cbai_notebook.notebook.panel.rendered import answer_html, reasoning_html
from cbai_notebook.notebook.render_loop import render_answer_async
from cbai_notebook.notebook.screen import Facts, Screen
from cbai_notebook.notebook.screen.pace import PACE

if TYPE_CHECKING:
    from ipywidgets import Output

    from cbai_notebook.notebook.panel.widgets import Look


FRAME_S = 0.05
"""Seconds that a browser needs to draw received content when nothing else follows at once."""


class TurnView:
    """The widgets of a turn. Every method runs on the background loop.

    Args:
        turn: The turn; a streaming turn is followed to its end.
        key: The panel's key of the turn.
        look: The look that all widgets of the panel share.
        position: The turn's number among its alternatives (from 1), and the number of alternatives.
        on_end: Called when a streaming turn has ended and its final form is on the page.

    Attributes:
        stopped_following: Whether the turn was left before its end, so that it may have gone on.
    """

    def __init__(
        self,
        turn: Turn,
        key: str,
        look: Look,
        position: tuple[int, int],
        on_end: Callable[[Turn], None],
    ) -> None:
        from ipywidgets import VBox

        self.turn = turn
        self.key = key
        self._layout = look.layout
        self._position = position
        self._others: tuple[str, ...] = ()
        self._on_end = on_end
        self._updated = asyncio.Event()
        self._streamed: list[str] = []
        self._asked: list[str] = []
        self._prompt = look.html(markup.prompt(turn, key))
        self._footer = look.html(markup.footer(turn, key, position))
        self._prompt.add_class("cbai-ask")
        self._footer.add_class("cbai-foot")
        self.box = VBox(layout=look.layout)
        self.box.add_class("cbai-turn")
        self.stopped_following = False
        self._task: asyncio.Task[None] | None = None
        if turn.status == STREAMING:
            self._task = asyncio.get_running_loop().create_task(self._follow())
        else:
            self._show_final()

    def notify(self) -> None:
        """Signal that the turn has new content or has ended."""
        self._updated.set()

    def set_position(self, position: tuple[int, int], others: tuple[str, ...] = ()) -> None:
        """Show the turn's number among its alternatives; update the footer of an ended turn.

        Args:
            position: The number, from 1, and the number of alternatives.
            others: The models that are offered to answer its prompt too.
        """
        self._others, self._position = others, position
        if self._task is None or self._task.done():
            self._show_footer()

    def _show_footer(self) -> None:
        self._footer.value = markup.footer(self.turn, self.key, self._position, others=self._others)

    def stop_following(self) -> None:
        """Stop following the turn; the widgets stay as they are."""
        if self._task and not self._task.done():
            self._task.cancel()
            self.stopped_following = True

    def close(self) -> None:
        """Close the widgets."""
        self.stop_following()
        # A turn that was followed only for a moment has nothing in its box yet.
        for widget in (*self.box.children, self._prompt, self._footer, self.box):
            widget.close()

    def say_again(self) -> None:
        """Show a finished answer again, in the language of now."""
        if self._task is None or self._task.done():
            self._replace_outputs()

    async def _follow(self) -> None:
        began_in = language()
        surface = AnswerSurface(self._make_open_output, self._show_outputs)
        screen = Screen(surface, share=PACE.share)
        with PACE.joined():
            await render_answer_async(self._listen, screen)
            # The browser draws the end of the answer before buttons and notices give it more work.
            screen.flush()
            await asyncio.sleep(FRAME_S)
        if "".join(self._streamed) != self.turn.text or language() != began_in:
            self._replace_answer(surface)
        # The footer says how the turn ended, in the user's language.
        elif self.turn.text or self.turn.reasoning or not self.turn.error:
            screen.finish("complete", footer=Facts(shown_elsewhere=True))
        else:
            surface.close()
        self._show_footer()
        self._on_end(self.turn)

    async def _listen(self, listener: Callable[[Delta], None]) -> None:
        seen, seen_calls = (0, 0), (0, 0)
        if self.turn.steps:  # the turn continues an answer, or it began in another kernel
            text, _, seen = self.turn.text_since(seen)
            self._streamed.append(text)
            _, seen_calls = self.turn.calls_since(seen_calls)
            for delta in deltas_of(self.turn):
                listener(delta)
        while True:
            # Read the status before the text: then text that arrived before the end is not missed.
            ended = self.turn.status != STREAMING
            text, reasoning, seen = self.turn.text_since(seen)
            self._streamed.append(text)
            if text or reasoning:
                listener(Delta(text, reasoning))
            states, seen_calls = self.turn.calls_since(seen_calls)
            for call in states:
                listener(Delta(call=call))
            self._show_approvals()
            if ended:
                return
            await self._updated.wait()
            self._updated.clear()

    def _show_approvals(self) -> None:
        waiting = APPROVALS.waiting(self.turn)
        ids = [call.id for call in waiting]
        if ids != self._asked:
            self._asked = ids
            self._footer.value = markup.footer(self.turn, self.key, waiting=waiting)

    def _replace_answer(self, surface: AnswerSurface) -> None:
        """Replace what was streamed by a final answer that differs: repaired, or in another language."""
        surface.close()
        self._replace_outputs()

    def _replace_outputs(self) -> None:
        previous = self.box.children[1:-1]
        self._show_final()
        for widget in previous:
            widget.close()

    def _show_final(self) -> None:
        html = reasoning_html(self.turn.reasoning) + answer_html(self.turn)
        outputs = [self._make_output(outputs_of({"text/html": html}))] if html else []
        self._show_outputs(outputs)

    def _make_output(self, outputs: tuple[dict[str, Any], ...]) -> Output:
        from ipywidgets import Output

        return Output(outputs=outputs, layout=self._layout, _dom_classes=("cbai-answer",))

    def _make_open_output(self) -> Output:
        from ipywidgets import Output

        return Output(layout=self._layout, _dom_classes=("cbai-answer", OPEN))

    def _show_outputs(self, outputs: Sequence[Output]) -> None:
        self.box.children = (self._prompt, *outputs, self._footer)
