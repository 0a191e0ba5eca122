"""Keep the transcript below the panel up to date: write only the parts that have changed.

Each part of the transcript is an output of its own, because an output can only be written as a whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.notebook.panel.arrangement import Arrangement
from cbai_notebook.notebook.panel.transcript import part_bundle
from cbai_notebook.notebook.screen.surfaces import Bundle, Surface


class TranscriptWriter:
    """Writes a transcript to a surface, on a separate thread.

    Rendering a long conversation takes time, and a streaming answer must be painted meanwhile.

    Args:
        surface: The surface of the transcript; it accepts paints from any thread.
        read: Returns the conversation.
        css_class: The class of the part in output N is this class, ``-`` and N.
        on_written: Called with the number of an output and the part that was written there.
    """

    def __init__(
        self,
        surface: Surface,
        read: Callable[[], Conversation],
        css_class: str,
        *,
        on_written: Callable[[int, Bundle], None],
    ) -> None:
        self._surface = surface
        self._read = read
        self._css_class = css_class
        self._on_written = on_written
        self._painted: list[Bundle] = []
        self._arrangement = Arrangement(
            surface.max_outputs,
            lambda part: _bytes(part_bundle("", part, 0, 0, "")),
            lambda slot: _bytes(self._painted[slot]),
        )
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
        conversation = self._read()
        turns = conversation.turns
        arranged = self._arrangement
        before, last_before = dict(arranged.parts), arranged.last_output
        arranged.update(turns)
        new: dict[int, Bundle] = {}
        for slot in range(max(len(self._painted), arranged.last_output + 1)):
            part = arranged.parts.get(slot)
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
                    arranged.first,
                    len(turns),
                    self._class_of(slot),
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

    def _class_of(self, slot: int) -> str:
        return f"{self._css_class}-{slot}"

    def _empty(self, slot: int) -> Bundle:
        return {"text/html": f'<span class="{self._class_of(slot)}"></span>', "text/plain": ""}


def _bytes(bundle: Bundle) -> int:
    return sum(len(text.encode("utf-8", "replace")) for text in bundle.values())
