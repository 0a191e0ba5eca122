"""One turn in the panel: the prompt, the answer as it comes, and what can be done with both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation import Delta, ToolCall, Turn
from cbai_notebook.conversation.tool_calls import ASKING
from cbai_notebook.conversation.turn import STREAMING
from cbai_notebook.notebook.panel import markup
from cbai_notebook.notebook.panel.answer_surface import OPEN, AnswerSurface, outputs_of
from cbai_notebook.notebook.panel.approvals import APPROVALS
from cbai_notebook.notebook.panel.pace import PACE
from cbai_notebook.notebook.panel.rendered import answered, folded
from cbai_notebook.notebook.render_loop import play_here
from cbai_notebook.notebook.screen import Facts, Screen

if TYPE_CHECKING:
    from ipywidgets import Layout, Output


A_FRAME_S = 0.05
"""Seconds in which a browser puts on the screen what it has got, if nothing else follows at once."""


class TurnView:
    """Widgets that show a turn. Everything here runs on the background loop.

    Args:
        turn: The turn; one that is under way is followed to its end.
        key: How the panel calls the turn.
        layout: Shared by all widgets, since each of its own would be one more thing to send.
        place: The turn's number among its alternatives, and how many there are.
        ended: Called when a turn that was under way stands on the page as it will stay.
    """

    def __init__(
        self,
        turn: Turn,
        key: str,
        layout: Layout,
        place: tuple[int, int],
        ended: Callable[[Turn], None],
    ) -> None:
        from ipywidgets import HTML, VBox

        self.turn = turn
        self.key = key
        self._layout = layout
        self._place = place
        self._ended = ended
        self._news = asyncio.Event()
        self._heard: list[str] = []
        self._prompt = HTML(markup.prompt(turn, key, *place), layout=layout)
        self._foot = HTML(markup.foot(turn, key), layout=layout)
        self._prompt.add_class("cbai-ask")
        self._foot.add_class("cbai-foot")
        self.box = VBox(layout=layout)
        self.box.add_class("cbai-turn")
        self._task: asyncio.Task[None] | None = None
        if turn.status == STREAMING:
            self._task = asyncio.get_running_loop().create_task(self._follow())
        else:
            self._show_settled()

    def notice(self) -> None:
        """Look at the turn again: something came, or it has ended."""
        self._news.set()

    def set_position(self, place: tuple[int, int]) -> None:
        """Show the turn's number among its alternatives."""
        if place != self._place:
            self._place = place
            self._prompt.value = markup.prompt(self.turn, self.key, *place)
        if self._task is None or self._task.done():
            self._foot.value = markup.foot(self.turn, self.key)

    def stop_following(self) -> None:
        """Leave the widgets as they are."""
        if self._task:
            self._task.cancel()

    def close(self) -> None:
        """Take the widgets away."""
        self.stop_following()
        for widget in (*self.box.children, self.box):
            widget.close()

    async def _follow(self) -> None:
        surface = AnswerSurface(self._make_open_output, self._show_outputs)
        screen = Screen(surface, share=PACE.share)
        with PACE.joined():
            await play_here(self._listen, screen)
            # The last words are seen before the page has work with all that stands around them.
            screen.flush()
            await asyncio.sleep(A_FRAME_S)
        if "".join(self._heard) != self.turn.text:
            self._show_again(surface)
        # How the turn ended stands in the foot, in the reader's language.
        elif self.turn.text or self.turn.reasoning or not self.turn.error:
            screen.finish("complete", footer=Facts(elsewhere=True))
        else:
            surface.close()
        self._foot.value = markup.foot(self.turn, self.key)
        self._ended(self.turn)

    async def _listen(self, listener: Callable[[Delta], None]) -> None:
        seen, calls = (0, 0), list[ToolCall]()
        while True:
            # Looked at first, so that what came before the end is not left behind.
            ended = self.turn.status != STREAMING
            text, reasoning, seen = self.turn.text_since(seen)
            self._heard.append(text)
            if text or reasoning:
                listener(Delta(text, reasoning))
            if (now := self.turn.calls) != calls:
                for call in now:
                    if call not in calls:
                        listener(Delta(call=call))
                calls = now
                self._show_questions(calls)
            if ended:
                return
            await self._news.wait()
            self._news.clear()

    def _show_questions(self, calls: Sequence[ToolCall]) -> None:
        asks = [
            call for call in calls if call.status == ASKING and APPROVALS.waits(self.turn, call.id)
        ]
        self._foot.value = markup.foot(self.turn, self.key, asks)

    def _show_again(self, surface: AnswerSurface) -> None:
        """Show what the turn says now, in the place of what was said on the way."""
        before = self.box.children[1:-1]
        surface.close()
        self._show_settled()
        for widget in before:
            widget.close()

    def _show_settled(self) -> None:
        markup = folded(self.turn.reasoning) + answered(self.turn)
        outputs = [self._make_output(outputs_of({"text/html": markup}))] if markup else []
        self._show_outputs(outputs)

    def _make_output(self, outputs: tuple[dict[str, Any], ...]) -> Output:
        from ipywidgets import Output

        return Output(outputs=outputs, layout=self._layout, _dom_classes=("cbai-answer",))

    def _make_open_output(self) -> Output:
        from ipywidgets import Output

        return Output(layout=self._layout, _dom_classes=("cbai-answer", OPEN))

    def _show_outputs(self, outputs: Sequence[Output]) -> None:
        self.box.children = (self._prompt, *outputs, self._foot)
