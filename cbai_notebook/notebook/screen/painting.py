"""An answer painted on outputs that can be painted again: what is sent, and when.

The browser is the bottleneck, not the wire: an answer that is painted as a whole on every token falls
behind for good. So what can no longer change is sealed into an output and never sent again, and the open
tail behind it is painted at a pace that the browser keeps up with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cbai_notebook.notebook.screen.bodies import Body, Part
from cbai_notebook.notebook.screen.footer import Closing, Facts, Status, closing
from cbai_notebook.notebook.screen.notice import Notice, waiting
from cbai_notebook.notebook.screen.reasoning import Reasoning
from cbai_notebook.notebook.screen.slots import Slots
from cbai_notebook.notebook.screen.surface import Bundle, Surface

PAINTS_PER_S = 12
"""Paints in a second, at most."""

CHARS_PER_S = 20_000
"""Characters of the answer that a second of repainting covers, at most; browsers keep up with that."""

BYTES_PER_S = 18_500
"""Bytes that a second of repainting sends, where that does not make the pace slower than the next."""

SLOW_S = 1.0
"""Seconds between two paints that no mark-up, however heavy, makes longer; only the text's length does."""

MESSAGE_BYTES = 1_000
"""What the headers of one message weigh."""

MERGE_CHARS = 20_000
"""An answer below this many characters becomes one output at the end, so that a saved notebook is clean."""


_BLANK: Bundle = {"text/html": "", "text/plain": ""}


class Painting:
    """One answer on a surface whose outputs can be painted again.

    An interrupt may come anywhere. One that hits a paint leaves it to :meth:`finish` to put things
    right: it shows the answer anew, from its source.

    Args:
        surface: Where to paint.
        body: Makes an empty body, for the answer's form.
        clock: Returns seconds that never run backwards.
        share: Returns among how many answers the browser's time is divided, this one included.
    """

    def __init__(
        self,
        surface: Surface,
        body: Callable[[], Body],
        clock: Callable[[], float],
        share: Callable[[], int],
    ) -> None:
        self._surface = surface
        self._make_body = body
        self._body = body()
        self._clock = clock
        self._share = share
        self._source: list[str] = []
        self._total = 0
        self._visible = False
        self._reasoning = Reasoning()
        self._fold_first = False
        self._folded_chars: int | None = None
        self._slots = Slots(surface.most_outputs)
        self._tail_shown: str | None = ""
        self._sizes: dict[int, int] = {}
        self._last_paint: float | None = None
        self._pace = 0.0
        self._dirty = False
        self._broken = False

    def wait(self, message: str) -> None:
        """Show that the answer is on its way, until something of it comes."""
        if not len(self._surface):
            self._surface.paint({0: waiting(message)})

    def text(self, text: str) -> None:
        """Take a part of the answer and paint it if its time has come."""
        self._source.append(text)
        self._total += len(text)
        with self._breakable():
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
        if not self._dirty or self._broken:
            return None
        if self._last_paint is None:
            return 0.0
        return max(0.0, self._last_paint + self._pace - self._clock())

    def tick(self) -> None:
        """Paint if it is time."""
        if self.due() == 0.0:
            self._paint()

    def flush(self) -> None:
        """Paint what has not been painted."""
        if self.due() is not None:
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
        if self._dirty and len(self._surface) > 1 and not self._broken:
            self._paint()  # the last words are seen before the work on the whole begins
        complete = status == "complete"
        came = "text" if self._visible else "reasoning" if self._reasoning else ""

        def end(remark: str) -> Closing:
            said = [remark, *hints] if remark else hints
            return closing(status, footer, hints=said, note=note, came=came)

        is_short = self._total < MERGE_CHARS and self._surface.can_replace
        if len(self._surface) <= 1 or is_short or self._broken:
            self._finish_as_one(complete, end)
        else:
            self._finish_in_parts(complete, end)
        self._surface.close()

    def _finish_as_one(self, complete: bool, end: Callable[[str], Closing]) -> None:
        body: Bundle = {}
        remark = ""
        if self._broken:
            self._body = self._make_body()
            self._body.feed("".join(self._source))
        if self._visible:
            with self._breakable():
                body, remark = self._body.whole(complete)
        fold = self._reasoning.closed_html() if self._reasoning else ""
        bundle = _joined(body, end(remark), before=fold)
        if self._surface.can_replace and (len(self._surface) > 1 or self._broken):
            self._surface.replace(bundle)
        else:
            rest = range(1, len(self._surface))
            self._surface.paint({0: bundle, **{slot: dict(_BLANK) for slot in rest}})

    def _finish_in_parts(self, complete: bool, end: Callable[[str], Closing]) -> None:
        changes: dict[int, Bundle] = {}
        late_fold = ""
        if not self._fold_first:
            late_fold = self._reasoning.closed_html() if self._reasoning else ""
        elif self._folded_chars != len(self._reasoning):
            changes.update(self._fold())
        # An interrupt in here is followed by another call, which starts from the source.
        with self._breakable():
            ending = self._body.finish(complete)
            for number, part in ending.changed.items():
                slot = self._slots.change(number, part)
                changes[self._offset + slot] = self._body.bundle(self._slots.held(slot))
            for part in ending.parts[:-1]:
                changes.update(self._seal(part))
            tail: Bundle = self._body.bundle(ending.parts[-1:]) if ending.parts else {}
            bundle = _joined(tail, end(ending.note), between=late_fold)
            if bundle["text/html"] or self._tail_slot < len(self._surface):
                changes[self._tail_slot] = bundle
            self._send(changes)

    @property
    def _offset(self) -> int:
        return 1 if self._fold_first else 0

    @property
    def _tail_slot(self) -> int:
        return self._offset + len(self._slots)

    def _paint(self) -> None:
        with self._breakable():
            changes: dict[int, Bundle] = {}
            if self._fold_first and self._folded_chars is None:
                changes.update(self._fold())
            if self._visible:
                for part in self._body.take_sealed():
                    changes.update(self._seal(part))
                changes.update(self._open_tail())
            self._send(changes)
        self._dirty = False
        self._last_paint = self._clock()
        self._pace = self._wanted_pace()

    def _wanted_pace(self) -> float:
        """Return the seconds until a paint like the last one should follow it."""
        if self._surface.repaints_all:
            chars, size = self._total, sum(self._sizes.values())
        elif self._visible:
            chars, size = self._body.open_chars, self._sizes.get(self._tail_slot, 0)
        else:
            chars, size = self._reasoning.shown, self._sizes.get(0, 0)
        by_weight = min(SLOW_S, (MESSAGE_BYTES + size) / BYTES_PER_S)
        share = self._share()
        return max(share / PAINTS_PER_S, share * chars / CHARS_PER_S, by_weight)

    def _fold(self) -> dict[int, Bundle]:
        if not self._visible:
            return {0: {"text/html": self._reasoning.live_html()}}
        self._folded_chars = len(self._reasoning)
        return {0: {"text/html": self._reasoning.closed_html()}}

    def _seal(self, part: Part) -> dict[int, Bundle]:
        slot = self._slots.add(part)
        self._tail_shown = None
        return {self._offset + slot: self._body.bundle(self._slots.held(slot))}

    def _open_tail(self) -> dict[int, Bundle]:
        tail = self._body.tail_html()
        shown, self._tail_shown = self._tail_shown, tail
        is_stale = shown is None and self._tail_slot < len(self._surface)
        if tail != shown and (tail or is_stale):
            return {self._tail_slot: {"text/html": tail}}
        return {}

    def _send(self, changes: dict[int, Bundle]) -> None:
        for slot, bundle in changes.items():
            self._sizes[slot] = len(bundle["text/html"].encode())
        if changes:
            self._surface.paint(dict(sorted(changes.items())))

    @contextmanager
    def _breakable(self) -> Iterator[None]:
        """Hold the painting for broken if the block does not come to its end."""
        before, self._broken = self._broken, True
        yield
        self._broken = before


def _joined(body: Bundle, end: Closing, *, before: str = "", between: str = "") -> Bundle:
    """Return an output of the answer's text with what stands around it."""
    joined = dict(body)
    joined["text/html"] = before + body.get("text/html", "") + between + end.html
    plain = [body.get("text/plain", "").rstrip("\n"), end.plain]
    joined["text/plain"] = "\n\n".join(part for part in plain if part)
    return joined
