"""An answer painted on outputs that can be painted again: what is sent, and when.

The browser is the bottleneck, not the wire: an answer that is painted as a whole on every token falls
behind for good. So what can no longer change is sealed into an output and never sent again, and the open
tail behind it is painted at a pace that the browser keeps up with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cbai_notebook.notebook.screen.bodies import Body, Part
from cbai_notebook.notebook.screen.footer import Closing, Facts, Status, closing
from cbai_notebook.notebook.screen.notice import Notice, waiting
from cbai_notebook.notebook.screen.reasoning import Reasoning
from cbai_notebook.notebook.screen.slots import Slots
from cbai_notebook.notebook.screen.surface import Bundle, Surface

PAINTS_PER_S = 12
"""Paints in a second, at most."""

CHARS_PER_S = 20_000
"""Characters of answer that a second of painting sends, at most."""

REASONING_CHARS_PER_S = 10_000
"""The same for reasoning, which is glanced at and not read."""

MERGE_CHARS = 20_000
"""An answer below this many characters becomes one output at the end, so that a saved notebook is clean."""


class Painting:
    """One answer on a surface whose outputs can be painted again.

    Args:
        surface: Where to paint.
        body: The answer's form.
        clock: Returns seconds that never run backwards.
    """

    def __init__(self, surface: Surface, body: Body, clock: Callable[[], float]) -> None:
        self._surface = surface
        self._body = body
        self._clock = clock
        self._source: list[str] = []
        self._total = 0
        self._visible = False
        self._reasoning = Reasoning()
        self._fold_first = False
        self._folded_chars: int | None = None
        self._slots = Slots()
        self._tail_shown: str | None = None
        self._unsent: dict[int, Bundle] = {}
        self._last_paint: float | None = None
        self._dirty = False

    def wait(self, message: str) -> None:
        """Show that the answer is on its way, until something of it comes."""
        if not len(self._surface):
            self._surface.paint({0: waiting(message)})

    def text(self, text: str) -> None:
        """Take a part of the answer and paint it if its time has come."""
        self._source.append(text)
        self._total += len(text)
        self._body.feed(text)
        first = not self._visible and bool(text.strip())
        if first:
            self._visible = True
            self._reasoning.end(self._clock())
        if self._visible:
            self._dirty = True
            self._paint() if first else self.tick()

    def reasoning(self, text: str) -> None:
        """Take a part of the reasoning and paint it if its time has come."""
        first = not self._reasoning
        self._reasoning.add(text, self._clock())
        if self._visible:
            return  # the fold is closed; its text is completed at the end
        self._fold_first = True
        self._dirty = True
        self._paint() if first else self.tick()

    def due(self) -> float | None:
        """Return the seconds until the next paint is wanted, or None when nothing waits for one."""
        if not self._dirty:
            return None
        if self._last_paint is None:
            return 0.0
        return max(0.0, self._last_paint + self._interval() - self._clock())

    def tick(self) -> None:
        """Paint if it is time."""
        if self.due() == 0.0:
            self._paint()

    def finish(
        self,
        status: Status,
        footer: Facts | None,
        hints: Sequence[str],
        note: Notice | str | None,
    ) -> None:
        """Paint the answer for the last time, with what stands under it."""
        self._reasoning.end(self._clock())
        self._dirty = False
        source = "".join(self._source)
        complete = status == "complete"

        def end(remark: str) -> Closing:
            said = [remark, *hints] if remark else hints
            return closing(status, footer, hints=said, note=note, empty=not self._visible)

        outputs = len(self._surface) + len(self._unsent.keys() - range(len(self._surface)))
        if outputs <= 1 or (self._total < MERGE_CHARS and self._surface.can_replace):
            self._finish_as_one(source, complete, end)
        else:
            self._finish_in_parts(complete, end)
        self._surface.close()

    def _finish_as_one(self, source: str, complete: bool, end: Callable[[str], Closing]) -> None:
        body, remark = self._body.whole(source, complete) if self._visible else ({}, "")
        fold = self._reasoning.closed_html() if self._reasoning else ""
        bundle = _joined(body, end(remark), before=fold)
        if len(self._surface) <= 1:
            self._surface.paint({0: bundle})
        else:
            self._surface.replace(bundle)

    def _finish_in_parts(self, complete: bool, end: Callable[[str], Closing]) -> None:
        ending = self._body.finish(complete)
        late_fold = ""
        if not self._fold_first:
            late_fold = self._reasoning.closed_html() if self._reasoning else ""
        elif self._folded_chars != len(self._reasoning):
            self._fold()
        for number, part in ending.changed.items():
            slot = self._slots.change(number, part)
            self._unsent[self._offset + slot] = self._body.bundle(self._slots.held(slot))
        for part in ending.parts[:-1]:
            self._seal(part)
        tail: Bundle = self._body.bundle(ending.parts[-1:]) if ending.parts else {}
        bundle = _joined(tail, end(ending.note), between=late_fold)
        if bundle["text/html"] or self._tail_slot < len(self._surface):
            self._unsent[self._tail_slot] = bundle
        self._send()

    @property
    def _offset(self) -> int:
        return 1 if self._fold_first else 0

    @property
    def _tail_slot(self) -> int:
        return self._offset + len(self._slots)

    def _interval(self) -> float:
        if self._visible:
            size = self._total if self._surface.repaints_all else self._body.open_chars
            pace = size / CHARS_PER_S
        else:
            pace = self._reasoning.shown / REASONING_CHARS_PER_S
        return max(1 / PAINTS_PER_S, pace)

    def _paint(self) -> None:
        # What is to be sent is kept until it is, so that an interrupt in between loses nothing.
        self._dirty = False
        if self._fold_first and self._folded_chars is None:
            self._fold()
        if self._visible:
            for part in self._body.take_sealed():
                self._seal(part)
            self._show_tail()
        self._send()
        self._last_paint = self._clock()

    def _fold(self) -> None:
        if self._visible:
            self._folded_chars = len(self._reasoning)
            self._unsent[0] = {"text/html": self._reasoning.closed_html()}
        else:
            self._unsent[0] = {"text/html": self._reasoning.live_html()}

    def _seal(self, part: Part) -> None:
        slot = self._slots.add(part)
        self._unsent[self._offset + slot] = self._body.bundle(self._slots.held(slot))
        self._tail_shown = None

    def _show_tail(self) -> None:
        tail = self._body.tail_html()
        if tail != self._tail_shown and (tail or self._tail_slot < len(self._surface)):
            self._unsent[self._tail_slot] = {"text/html": tail}
        self._tail_shown = tail

    def _send(self) -> None:
        if self._unsent:
            self._surface.paint(dict(sorted(self._unsent.items())))
            self._unsent = {}


def _joined(body: Bundle, end: Closing, *, before: str = "", between: str = "") -> Bundle:
    """Return an output of the answer's text with what stands around it."""
    joined = dict(body)
    joined["text/html"] = before + body.get("text/html", "") + between + end.html
    plain = [body.get("text/plain", "").rstrip("\n"), end.plain]
    joined["text/plain"] = "\n\n".join(part for part in plain if part)
    return joined
