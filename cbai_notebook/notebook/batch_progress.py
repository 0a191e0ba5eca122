"""Shows how far a batch is, below the cell that runs it: one output of a constant size.

A frontend that cannot change an output gets the last state only.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cbai_notebook.batching.progress import Progress
from cbai_notebook.batching.progress_line import done_of, facts_of, percent_of, sentences_of
from cbai_notebook.batching.reporters import EVERY_S, Reporter, show_in
from cbai_notebook.i18n import CELL, PYTHON, say
from cbai_notebook.notebook.frontend import is_kernel, names_cell
from cbai_notebook.session import ipython_shell
from cbai_notebook.text import plain, shortened

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.notebook.screen import Bundle, Surface

_PACE = ((10.0, EVERY_S), (60.0, 1.0))
_SLOWEST_S = 2.0
"""The seconds between two paints in the first 10 s, up to a minute, and from then on: ten minutes are
about 370 paints of less than a kilobyte."""

_NAME_CHARS = 100
_TOLD_PERCENT = 25
_BAR = "max-width:40em;height:8px;border:1px solid #888;border-radius:4px;margin:4px 0"
_FILL = "height:8px;border-radius:3px;background-color:#1976d2"


def register() -> None:
    """Show the batches of this kernel below their cells, also without ``%load_ext``."""
    show_in(_reporter_of_running_cell)


def _reporter_of_running_cell() -> Reporter | None:
    shell = ipython_shell()
    return None if shell is None else reporter_in(shell)


def reporter_in(
    shell: InteractiveShell, *, into: str = "", of_magic: bool = False
) -> CellReporter | None:
    """Return what shows a batch below the running cell; None in a terminal.

    Args:
        shell: The shell.
        into: The variable for the result.
        of_magic: Whether ``%%cbai`` runs the batch, which fails with the reason why it stopped.
    """
    if not is_kernel(shell):
        return None
    # Imported when first used: the screen imports the Markdown renderer.
    from cbai_notebook.notebook.screen import CellSurface

    surface = CellSurface(owns_cell=False, live=names_cell(shell), shell=shell)
    return CellReporter(surface, into=into, of_magic=of_magic)


class CellReporter:
    """Shows one batch on one output.

    It is painted at most five times a second, and less often as the batch goes on, so that ten
    minutes send less than a megabyte to the browser.

    Args:
        surface: Where it is shown.
        into: The variable for the result.
        of_magic: Whether ``%%cbai`` runs the batch, which fails with the reason why it stopped.
    """

    def __init__(self, surface: Surface, *, into: str = "", of_magic: bool = False) -> None:
        self._surface = surface
        self._into = into
        self._of_magic = of_magic
        self._told = ("running", 0)
        self._next_s = 0.0
        # An interrupted batch ends on its event loop, after its cell has shown the end.
        self._lock = threading.Lock()
        self._ended = False

    def show(self, progress: Progress) -> None:
        """Paint the state, if a paint is due."""
        with self._lock:
            if self._ended or not self._surface.live or progress.seconds < self._next_s:
                return
            self._next_s = progress.seconds + _pause(progress.seconds)
            self._paint(progress)

    def end(self, progress: Progress) -> None:
        """Paint the last state, which stays in the notebook."""
        with self._lock:
            self._ended = True
            self._paint(progress)

    def _paint(self, progress: Progress) -> None:
        ended = progress.status != "running"
        title = shortened(
            f"{progress.name} → {self._into}" if self._into else progress.name, _NAME_CHARS
        )
        facts = facts_of(progress)
        sentences = self._sentences(progress) if ended else []
        html = _html(title, facts, sentences, progress, aloud=self._has_news(progress))
        bundle: Bundle = {"text/html": html}
        if ended:
            line = say("batch.titled", title=title, facts=" · ".join(facts))
            bundle["text/plain"] = plain("\n".join([line, *sentences]))
        self._surface.paint({0: bundle})

    def _sentences(self, progress: Progress) -> list[str]:
        place = CELL if self._of_magic else PYTHON
        found = sentences_of(progress, place, with_reason=not self._of_magic)
        if progress.status == "interrupted" or (self._of_magic and progress.status == "stopped"):
            found.append(say("batch.rows_so_far_in", place=self._into or "cbai.last_batch().frame"))
        return found

    def _has_news(self, progress: Progress) -> bool:
        """Return whether a screen reader is to read the line aloud: at each quarter, and at the end.

        Every paint makes the elements anew, so a line that is always read would never stop.
        """
        quarter = int(percent_of(progress)) // _TOLD_PERCENT
        told, self._told = self._told, (progress.status, quarter)
        return told != self._told and self._told != ("running", 0)


def _pause(seconds: float) -> float:
    """Return the seconds until the next paint."""
    return next((pause for end, pause in _PACE if seconds < end), _SLOWEST_S)


def _html(
    title: str, facts: list[str], sentences: list[str], progress: Progress, *, aloud: bool
) -> str:
    from cbai_notebook.notebook.screen import html

    status = ' role="status"' if aloud else ""
    rows = [
        f"<div{status}>{html.escape(title)} "
        f'<small style="{html.QUIET}">{html.escape(" · ".join(facts))}</small></div>',
        _bar(progress, html.escape(title), html.escape(done_of(progress))),
        *(f"<div><small>{html.lines(sentence)}</small></div>" for sentence in sentences),
    ]
    return html.element("div", "".join(rows), name="batch")


def _bar(progress: Progress, label: str, text: str) -> str:
    """Return the bar as safe markup; nothing where the number of rows is not known.

    Args:
        progress: The counts.
        label: What it is the progress of, as safe markup.
        text: How far it is, in words, as safe markup.
    """
    if progress.rows is None:
        return ""
    return (
        f'<div role="progressbar" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="{progress.rows}" aria-valuenow="{progress.done}" aria-valuetext="{text}" '
        f'style="{_BAR}"><div style="{_FILL};width:{percent_of(progress):.1f}%"></div></div>'
    )
