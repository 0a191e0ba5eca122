"""Keep the transcript below the panel up to date: write only the parts that have changed.

Each part of the transcript is an output of its own, because an output can only be written as a whole.
New turns go into the last part until it is full; then another part begins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.notebook.panel.transcript import MAX_TURNS, Part, part_bundle
from cbai_notebook.notebook.screen.surfaces import Bundle, Surface

PART_TURNS = 20
"""The most turns of a part that may still grow."""

PART_BYTES = 24_000
"""A part of this size does not grow any more."""

RECENT_TURNS = 5
"""Turns of a long conversation that stand in a part of their own, so that this part can grow."""


class TranscriptWriter:
    """Writes a transcript to a surface, on a separate thread.

    Rendering a long conversation takes time, and a streaming answer must be painted meanwhile.

    Args:
        surface: The surface of the transcript; it accepts paints from any thread.
        read: Returns the conversation and the language of the headings, ``"en"`` or ``"zh"``.
        css_class: The class of the part in output N is this class, ``-`` and N.
        on_written: Called with the number of an output and the part that was written there.
    """

    def __init__(
        self,
        surface: Surface,
        read: Callable[[], tuple[Conversation, str]],
        css_class: str,
        *,
        on_written: Callable[[int, Bundle], None],
    ) -> None:
        self._surface = surface
        self._read = read
        self._css_class = css_class
        self._on_written = on_written
        self._parts: list[Part] = []
        self._first_slot = 0
        self._painted: list[Bundle] = []
        # What the thread has to do, and the thread
        self._lock = threading.Lock()
        self._requested = False
        self._changed: set[Turn] | None = set()
        self._repeat = False
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()

    def write_now(self) -> None:
        """Write the whole transcript and return when it is written."""
        with self._writing:
            self._write(None, repeat=False)

    def write(self, turn: Turn | None = None, *, repeat: bool = False) -> None:
        """Request a rewrite on the thread; several requests in a row lead to one rewrite.

        Args:
            turn: The turn that has changed, where turns were at most added besides; ``None`` if any
                turn may have changed.
            repeat: Whether `on_written` is called with all parts, also with those that are written.
        """
        with self._lock:
            self._requested = True
            self._repeat |= repeat
            if turn is None:
                self._changed = None
            elif self._changed is not None:
                self._changed.add(turn)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="cbai-notebook transcript", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._requested:
                    self._thread = None
                    return
                changed, repeat = self._changed, self._repeat
                self._requested, self._changed, self._repeat = False, set(), False
            with self._writing:
                self._write(changed, repeat=repeat)

    def _write(self, changed: set[Turn] | None, *, repeat: bool) -> None:
        conversation, language = self._read()
        turns = conversation.turns
        before = dict(enumerate(self._parts, self._first_slot))
        last_before = max(before, default=None)
        self._arrange(turns)
        after = dict(enumerate(self._parts, self._first_slot))
        new: dict[int, Bundle] = {}
        for slot in range(max(len(self._painted), self._first_slot + len(self._parts))):
            part = after.get(slot)
            if part is None:
                new[slot] = self._empty(slot)
            elif (
                changed is None
                or part != before.get(slot)
                or part.end == len(turns)
                or not changed.isdisjoint(part.turns)
                or slot == last_before  # the last part names the number of all turns
            ):
                new[slot] = part_bundle(
                    conversation.name,
                    part,
                    self._parts[0].first,
                    len(turns),
                    self._class_of(slot),
                    language,
                )
        # Repainting would close a part that the user has opened.
        differing = {
            slot: bundle
            for slot, bundle in new.items()
            if slot >= len(self._painted) or bundle != self._painted[slot]
        }
        if differing:
            self._surface.paint(differing)
        for slot, bundle in differing.items():
            self._painted[slot : slot + 1] = [bundle]
        for slot in range(len(self._painted)) if repeat else differing:
            self._on_written(slot, self._painted[slot])

    def _arrange(self, turns: Sequence[Turn]) -> None:
        """Divide the turns into parts; parts that are full stay as they are."""
        kept = []
        for part in self._parts:
            if tuple(turns[part.first : part.end]) != part.turns:
                break
            kept.append(part)
        if not kept or not kept[-1].turns:
            self._arrange_anew(turns)
            return
        if not self._is_full(kept[-1], self._first_slot + len(kept) - 1):
            start = kept.pop().first
        else:
            start = kept[-1].end
        rest = tuple(turns[start:])
        if len(rest) > PART_TURNS or self._first_slot + len(kept) >= self._surface.max_outputs:
            self._arrange_anew(turns)
            return
        self._parts = [*kept, Part(start, rest)] if rest else kept
        while len(self._parts) > 1 and len(turns) - self._parts[1].first >= MAX_TURNS:
            del self._parts[0]
            self._first_slot += 1

    def _arrange_anew(self, turns: Sequence[Turn]) -> None:
        first = max(0, len(turns) - MAX_TURNS)
        whole = Part(first, tuple(turns[first:]))
        self._first_slot = 0
        if len(whole.turns) <= PART_TURNS and self._size(whole) <= PART_BYTES:
            self._parts = [whole]
            return
        recent = RECENT_TURNS
        while recent > 1 and self._size(Part(0, tuple(turns[-recent:]))) > PART_BYTES:
            recent -= 1
        end = len(turns) - recent
        parts = (Part(first, tuple(turns[first:end])), Part(end, tuple(turns[end:])))
        self._parts = [part for part in parts if part.turns]

    def _is_full(self, part: Part, slot: int) -> bool:
        return len(part.turns) >= PART_TURNS or _bytes(self._painted[slot]) > PART_BYTES

    def _size(self, part: Part) -> int:
        return _bytes(part_bundle("", part, 0, 0, ""))

    def _class_of(self, slot: int) -> str:
        return f"{self._css_class}-{slot}"

    def _empty(self, slot: int) -> Bundle:
        return {"text/html": f'<span class="{self._class_of(slot)}"></span>', "text/plain": ""}


def _bytes(bundle: Bundle) -> int:
    return sum(len(text.encode("utf-8", "replace")) for text in bundle.values())
