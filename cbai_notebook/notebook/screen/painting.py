"""Paint an answer on outputs that can be painted again: decide what is sent, and when.

The bottleneck is the browser, not the network: when the whole answer is painted again on every
token, the browser falls behind for good. So the parts that can no longer change are sealed into
outputs and never sent again. The open tail is painted at a pace that the browser keeps up with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.notebook.screen.bodies import Body, Ending, Part
from cbai_notebook.notebook.screen.footer import Closing, Facts, Status, closing
from cbai_notebook.notebook.screen.layout import COLLAPSIBLE, Collapsible, Slots, Step, joined
from cbai_notebook.notebook.screen.notice import Notice, waiting
from cbai_notebook.notebook.screen.pace import Pace
from cbai_notebook.notebook.screen.surfaces import Bundle, Surface

MERGE_CHARS = 20_000
"""A shorter answer becomes one output at the end, so that a saved notebook is clean."""

STEPS_AT_ONCE = 20
"""The beginnings of as many steps are painted at once; later ones wait until a paint is due."""

_BLANK: Bundle = {"text/html": "", "text/plain": ""}


class Painting:
    """One answer on a surface whose outputs can be painted again.

    An answer is a sequence of steps: reasoning, text, and the tool calls that they led to. New
    content is always painted at the end, so nothing that was painted moves.

    An interrupt (KeyboardInterrupt) may come at any line. After one during a paint, nothing more is
    painted until :meth:`finish`, which paints the answer again from its source.

    Args:
        surface: Where to paint.
        body: Makes an empty body, in the answer's format.
        clock: Returns seconds that never run backwards.
        share: Returns the number of answers that share the browser, this one included.
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
        self._clock = clock
        self._pace = Pace(clock, share)
        self._steps = [Step()]
        self._step_of_call: dict[str, Step] = {}
        self._total = 0
        self._slots = Slots(surface.max_outputs)
        # The number of the part that holds it, and the markup that was painted.
        self._collapsibles: dict[Collapsible, tuple[int, str]] = {}
        self._to_repaint: dict[Collapsible, None] = {}
        # None: the output after the last part holds something else than the tail.
        self._tail_shown: str | None = ""
        self._body = body()
        self._visible = False
        self._sealed: list[int] = []
        self._sizes: dict[int, int] = {}
        self._dirty = False
        self._broken = False

    def wait(self, message: Callable[[], str]) -> None:
        """Show a waiting line until the first content arrives."""
        if self._surface.live and not len(self._surface):
            self._surface.paint({0: waiting(message())})

    def text(self, text: str) -> None:
        """Add text to the answer, and paint if a paint is due."""
        if self._steps[-1].calls:
            # The lines of the calls already separate this text from the text before them.
            text = text.lstrip("\n")
        if not text:
            return
        with self._broken_until_done() as intact:
            step = self._step_after_calls()
            step.text.append(text)
            self._total += len(text)
            if intact and self._surface.live:
                self._body.feed(text)
            first = not self._visible and bool(text.strip())
            if first:
                self._visible = True
                self._close_reasoning(step)
            self._dirty = self._dirty or self._visible
        if self._visible:
            self._paint() if first and self._has_few_steps else self.tick()

    def reasoning(self, text: str) -> None:
        """Add reasoning, and paint if a paint is due."""
        with self._broken_until_done():
            reasoning = self._step_after_calls().reasoning
            first = not reasoning
            reasoning.add(text, self._clock())
            if not self._visible:
                self._repaint_later(reasoning)
        if not self._visible:  # else the fold is closed, and gets the rest of its text at the end
            self._paint() if first and self._has_few_steps else self.tick()

    def call(self, call: ToolCall) -> None:
        """Add or update a call; paint at once if it begins one of the first steps or asks the user."""
        with self._broken_until_done():
            step = self._step_of_call.get(call.id, self._steps[-1])
            if not step.calls.knows(call):
                step = self._step_of_call[call.id] = self._steps[-1]
            first = not step.calls
            if first:
                self._close_reasoning(step)
            step.calls.update(call)
            self._repaint_later(step.calls)
        at_once = call.status == "asking" or (first and self._has_few_steps)
        self._paint() if at_once else self.tick()

    def due(self) -> float | None:
        """Return the seconds until the next paint is due, or None if there is nothing to paint."""
        can_paint = self._surface.live and not self._broken
        return self._pace.due() if self._dirty and can_paint else None

    def tick(self) -> None:
        """Paint if a paint is due."""
        if self.due() == 0.0:
            self._paint()

    def flush(self) -> None:
        """Paint all content that is not painted yet."""
        if self.due() is not None:
            self._paint()

    def finish(
        self,
        status: Status,
        footer: Facts | None,
        hints: Sequence[str],
        note: Notice | str | None,
    ) -> None:
        """Paint the answer for the last time, with its footer."""
        for step in self._steps:
            step.end(self._clock())
        if self._dirty and len(self._surface) > 1:
            self._paint()  # show the last words before the longer work on the whole answer
        complete = status == "complete"
        received = "reasoning" if any(step.reasoning for step in self._steps) else ""
        if any(step.has_words for step in self._steps):
            received = "text"

        def end(format_note: str) -> Closing:
            all_hints = [format_note, *hints] if format_note else hints
            return closing(status, footer, hints=all_hints, note=note, received=received)

        may_merge = self._total < MERGE_CHARS and self._surface.can_replace
        if len(self._surface) <= 1 or may_merge or self._broken:
            self._finish_as_one(complete, end)
        else:
            self._finish_in_parts(complete, end)
        self._surface.close()

    def _finish_as_one(self, complete: bool, end: Callable[[str], Closing]) -> None:
        bundles: list[Bundle] = []
        format_note = ""
        has_words = any(step.has_words for step in self._steps)
        for step in self._steps:
            is_last = step is self._steps[-1]
            if has_words:
                bundles += self._collapsible_bundles(step.reasoning)
            elif step.reasoning:  # all that came: without markup, it is shown as well
                part = Part(step.reasoning.all_plain, step.reasoning.html)
                bundles.append(COLLAPSIBLE.bundle([part]))
            if step.has_words:
                body = self._body
                if not is_last or step.calls or self._broken or not self._surface.live:
                    body = self._make_body()
                    # The old body is finished, may be inconsistent, or has no text.
                    body.feed(step.source)
                with self._broken_until_done():
                    text, format_note = body.merged(complete and is_last)
                bundles.append(text)
            bundles += self._collapsible_bundles(step.calls)
        bundle = _closed(joined(bundles), end(format_note))
        if self._surface.can_replace and (len(self._surface) > 1 or self._broken):
            self._surface.replace(bundle)
        else:
            rest = range(1, len(self._surface))
            self._surface.paint({0: bundle, **{slot: dict(_BLANK) for slot in rest}})

    def _finish_in_parts(self, complete: bool, end: Callable[[str], Closing]) -> None:
        # After an interrupt in this block, the next call to finish starts from the source.
        with self._broken_until_done():
            changed: list[int] = []
            for collapsible in self._collapsibles:
                changed += self._change_collapsible(collapsible)
            tail: list[Bundle] = []
            format_note = ""
            if self._text_is_open:
                ending = self._body.finish(complete)
                format_note = ending.note
                changed += self._seal_rest(replace(ending, parts=ending.parts[:-1]))
                tail += [self._body.bundle(ending.parts[-1:])] if ending.parts else []
            if (reasoning := self._steps[-1].reasoning) not in self._collapsibles:
                tail += self._collapsible_bundles(reasoning)
            changes = self._slots.outputs(changed)
            bundle = _closed(joined(tail), end(format_note))
            if bundle["text/html"] or len(self._slots) < len(self._surface):
                changes[len(self._slots)] = bundle
            self._send(changes)

    def _step_after_calls(self) -> Step:
        """Return the step of new text or reasoning: a new one after tool calls."""
        if self._steps[-1].calls:
            self._body = self._make_body()
            self._visible = False
            self._sealed = []
            self._steps.append(Step())
        return self._steps[-1]

    def _close_reasoning(self, step: Step) -> None:
        step.reasoning.end(self._clock())
        if step.reasoning:
            self._repaint_later(step.reasoning)

    def _repaint_later(self, collapsible: Collapsible) -> None:
        """Paint reasoning or tool calls with the next paint."""
        self._to_repaint[collapsible] = None
        self._dirty = True

    def _paint(self) -> None:
        if self._broken or not self._surface.live:
            return
        with self._broken_until_done():
            changed: list[int] = []
            step = self._steps[-1]
            if self._visible and step.calls and step.calls not in self._collapsibles:
                ending = self._body.finish(complete=False)
                parts = [part for part in ending.parts if part.source.strip()]
                changed += self._seal_rest(replace(ending, parts=parts))
            for collapsible in self._to_repaint:
                changed += self._change_collapsible(collapsible)
            self._to_repaint = {}
            if self._text_is_open:
                changed += map(self._seal, self._body.take_sealed())
            # An output is written once, however many of its parts have changed.
            self._send({**self._slots.outputs(changed), **self._open_tail()})
        self._dirty = False
        self._pace.painted(*self._repainted())

    def _repainted(self) -> tuple[int, int]:
        """Return the characters and the bytes that the next such paint sends again."""
        if self._surface.repaints_all:
            return self._total, sum(self._sizes.values())
        if self._text_is_open:
            return self._body.open_chars, self._sizes.get(len(self._slots), 0)
        shown = max(self._steps[-1].reasoning.shown, self._slots.last_chars)
        return shown, self._sizes.get(len(self._slots) - 1, 0)

    @property
    def _text_is_open(self) -> bool:
        """Whether the answer ends with text, which may still grow."""
        return self._visible and not self._steps[-1].calls

    @property
    def _has_few_steps(self) -> bool:
        return len(self._steps) <= STEPS_AT_ONCE

    def _change_collapsible(self, collapsible: Collapsible) -> list[int]:
        """Return the number of the part of reasoning or tool calls, if its markup has changed."""
        part = Part(collapsible.plain, collapsible.html)
        number, shown = self._collapsibles.get(collapsible, (None, ""))
        if part.html == shown:
            return []
        if number is None:
            number = self._slots.add(COLLAPSIBLE, part)
            self._tail_shown = None
        else:
            self._slots.change(number, part)
        self._collapsibles[collapsible] = (number, part.html)
        return [number]

    def _collapsible_bundles(self, collapsible: Collapsible) -> list[Bundle]:
        if not collapsible:
            return []
        return [COLLAPSIBLE.bundle([Part(collapsible.plain, collapsible.html)])]

    def _seal(self, part: Part) -> int:
        """Add a part that no longer changes; return its number."""
        self._sealed.append(self._slots.add(self._body, part))
        self._tail_shown = None
        return self._sealed[-1]

    def _seal_rest(self, ending: Ending) -> list[int]:
        """Add the last parts of a text; return the numbers of the parts that are new or changed."""
        for number, part in ending.changed.items():
            self._slots.change(self._sealed[number], part)
        changed = [self._sealed[number] for number in ending.changed]
        return [*changed, *map(self._seal, ending.parts)]

    def _open_tail(self) -> dict[int, Bundle]:
        tail = self._body.tail_html() if self._text_is_open else ""
        shown, self._tail_shown = self._tail_shown, tail
        slot = len(self._slots)
        must_be_cleared = shown is None and slot < len(self._surface)
        if tail != shown and (tail or must_be_cleared):
            return {slot: {"text/html": tail}}
        return {}

    def _send(self, changes: dict[int, Bundle]) -> None:
        for slot, bundle in changes.items():
            self._sizes[slot] = len(bundle["text/html"].encode())
        if changes:
            self._surface.paint(dict(sorted(changes.items())))

    @contextmanager
    def _broken_until_done(self) -> Iterator[bool]:
        """Mark the painting as broken until the block completes; yield whether it was intact."""
        before, self._broken = self._broken, True
        yield not before
        self._broken = before


def _closed(body: Bundle, end: Closing) -> Bundle:
    """Return an output of the answer with its footer."""
    closed = dict(body)
    closed["text/html"] = body.get("text/html", "") + end.html
    plain = [body.get("text/plain", "").rstrip("\n"), end.plain]
    closed["text/plain"] = "\n\n".join(part for part in plain if part)
    return closed
