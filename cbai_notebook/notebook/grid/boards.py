"""Boards: where the answers of a comparison are shown while they come.

Each board is painted by the thread of the cell, on one clock for all answers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from cbai_notebook.comparison.candidate import Candidate
from cbai_notebook.comparison.comparison import Comparison
from cbai_notebook.conversation import Delta
from cbai_notebook.i18n import say
from cbai_notebook.notebook.grid.ends import finish
from cbai_notebook.notebook.grid.static import BORDER, StaticGrid, gap, heading, template, title
from cbai_notebook.notebook.render_loop import feed
from cbai_notebook.notebook.screen import (
    CellSurface,
    OutputSurface,
    Screen,
    TerminalSurface,
)
from cbai_notebook.notebook.screen.pace import PAINTS_PER_S

if TYPE_CHECKING:
    from ipywidgets import GridBox

Item = tuple[Candidate, Delta | None]
"""A delta of an answer, or ``None`` when it has ended."""

TOGETHER_PER_S = 10
"""The most paints a second of all answers together."""

_TICK_S = 0.02
"""Seconds between two looks at which answers are due: every delta of every answer would cost more."""

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Board(Protocol):
    """A canvas for the answers of a comparison."""

    def begin(self) -> None:
        """Paint what stands there before the first answer."""

    def take(self, item: Item) -> None:
        """Take a delta or the end of an answer."""

    def due(self) -> float | None:
        """Return the seconds until the next paint is due, or None if there is nothing to paint."""

    def tick(self) -> None:
        """Paint what is due."""

    def end(self, grid: StaticGrid) -> None:
        """Show the end of all answers: the grid that stays."""


class TerminalBoard:
    """Shows the answers one after the other: the first one streams, the others wait for their turn.

    Args:
        comparison: The comparison.
        surface: Makes the surface of one answer.
        format: The format of the answers.
    """

    def __init__(
        self, comparison: Comparison, surface: Callable[[], TerminalSurface], format: str
    ) -> None:
        self._waiting = list(comparison.candidates)
        self._surface = surface
        self._format = format
        self._screen: Screen | None = None
        self._ended: set[Candidate] = set()
        self._held: dict[Candidate, list[Delta]] = {each: [] for each in self._waiting}

    def begin(self) -> None:
        """Do nothing: a line in a terminal cannot be removed again."""

    def take(self, item: Item) -> None:
        candidate, delta = item
        if delta is None:
            self._ended.add(candidate)
        elif candidate is self._waiting[0]:
            feed(self._shown(candidate), delta)
        else:
            self._held[candidate].append(delta)
        while self._waiting and self._waiting[0] in self._ended:
            self._finish_first()

    def due(self) -> float | None:
        return None

    def tick(self) -> None:
        """Do nothing: what may be shown is written already."""

    def end(self, grid: StaticGrid) -> None:
        while self._waiting:
            self._finish_first()
        if lines := grid.lines():
            surface = self._surface()
            surface.close("\n" + "\n".join(lines))

    def _shown(self, candidate: Candidate) -> Screen:
        """Return the screen of the first answer, with what it has held back."""
        if self._screen is None:
            surface = self._surface()
            surface.line(heading(candidate))
            self._screen = Screen(surface, format=self._format)
            for delta in self._held[candidate]:
                feed(self._screen, delta)
        return self._screen

    def _finish_first(self) -> None:
        candidate = self._waiting[0]
        finish(self._shown(candidate), candidate)
        self._screen = None
        del self._waiting[0], self._held[candidate]


class StaticBoard:
    """Shows the grid when all answers have ended, where the frontend cannot change an output.

    Args:
        surface: Where it is shown.
    """

    def __init__(self, surface: CellSurface) -> None:
        self._surface = surface

    def begin(self) -> None:
        """Do nothing: what is shown once stays."""

    def take(self, item: Item) -> None:
        """Do nothing: the answers are in the comparison."""

    def due(self) -> float | None:
        return None

    def tick(self) -> None:
        """Do nothing: there is one paint, at the end."""

    def end(self, grid: StaticGrid) -> None:
        self._surface.paint({0: grid.bundle()})


class WidgetBoard:
    """Shows the answers side by side, each in an Output widget, which the grid replaces at the end.

    Args:
        comparison: The comparison.
        surface: Where it is shown.
        format: The format of the answers.
        clock: Returns seconds that never run backwards.
    """

    def __init__(
        self,
        comparison: Comparison,
        surface: CellSurface,
        format: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from ipywidgets import HTML, GridBox, Layout, Output, VBox

        self._surface = surface
        self._clock = clock
        self._looked_at = -math.inf
        self._running = dict.fromkeys(comparison.candidates)
        self._screens: dict[Candidate, Screen] = {}
        boxes = []
        for each in comparison.candidates:
            output = Output()
            layout = Layout(min_width="0", overflow="auto", padding="8px 10px", border=BORDER)
            box = VBox([HTML(title(each)), output], layout=layout)
            box.add_class("cbai-grid-cell")
            boxes.append(box)
            self._screens[each] = Screen(
                OutputSurface(output, stays=False), format=format, clock=clock, share=self._share
            )
        columns = template(comparison.axes.columns)
        layout = Layout(grid_template_columns=columns, grid_gap=gap(), width="100%")
        self._root: GridBox = GridBox(boxes, layout=layout)
        self._number = len(boxes)

    def begin(self) -> None:
        for screen in self._screens.values():
            screen.wait()
        view = {"version_major": 2, "version_minor": 0, "model_id": self._root.model_id}
        plain = str(say("compare.running", n=self._number))
        bundle: dict[str, Any] = {_WIDGET: view, "text/plain": plain}
        self._surface.paint({0: bundle})

    def take(self, item: Item) -> None:
        candidate, delta = item
        if delta is not None:
            feed(self._screens[candidate], delta)
        elif candidate in self._running:
            del self._running[candidate]
            finish(self._screens[candidate], candidate)

    def due(self) -> float | None:
        return max(0.0, self._looked_at + _TICK_S - self._clock()) if self._running else None

    def tick(self) -> None:
        if (now := self._clock()) < self._looked_at + _TICK_S:
            return
        self._looked_at = now
        for each in self._running:
            self._screens[each].tick()

    def end(self, grid: StaticGrid) -> None:
        self._surface.paint({0: grid.bundle()})
        self.close()

    def close(self) -> None:
        """Close every widget."""
        boxes = self._root.children
        for widget in (*(inner for box in boxes for inner in box.children), *boxes, self._root):
            widget.close()
            # ipywidgets makes these for each widget, and does not close them with it.
            widget.layout.close()
            if (style := getattr(widget, "style", None)) is not None:
                style.close()

    def _share(self) -> int:
        """Return by how much less often one answer is painted than a single one would be."""
        return math.ceil(PAINTS_PER_S / TOGETHER_PER_S * max(1, len(self._running)))
