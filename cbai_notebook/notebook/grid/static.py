"""The grid of a comparison that has ended, as one output: what the notebook file keeps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from cbai_notebook.comparison.candidate import Candidate
from cbai_notebook.comparison.comparison import Comparison
from cbai_notebook.conversation.delta import deltas_of
from cbai_notebook.i18n import say
from cbai_notebook.notebook.grid.ends import finish
from cbai_notebook.notebook.render_loop import feed
from cbai_notebook.notebook.screen import Bundle, BundleSurface, Screen, html

STACKED_BELOW_PX = 700
"""A narrower page shows the answers one below the other."""

_GAP_PX = 12
_NARROWEST_PX = 200
"""With many models, a column is not narrower than this: fewer then stand in a row."""

BORDER = "1px solid rgba(128,128,128,0.35)"
"""The line around an answer, which is seen on light and dark pages."""

_CELL = (
    "box-sizing:border-box;min-width:0;overflow-x:auto;padding:8px 10px;border-radius:6px;"
    f"border:{BORDER}"
)
_CHOSEN = ";border-color:#1976d2;box-shadow:inset 3px 0 0 #1976d2"
# Not shown without the style of a living page; an untrusted page drops the attribute `hidden`.
_BUTTON = (
    "display:none;margin-top:6px;padding:2px 10px;border:1px solid currentColor;border-radius:4px;font:inherit;"
    "font-size:smaller;background:transparent;color:inherit;cursor:pointer"
)


def template(columns: int) -> str:
    """Return the columns of the grid in CSS, without a media query, which no saved output may have.

    On a page of at least `STACKED_BELOW_PX` a column gets its share; on a narrower one the second
    term becomes larger than the page, so that each answer has a row of its own.

    Args:
        columns: The number of models.
    """
    share = f"calc((100% - {(columns - 1) * _GAP_PX}px) / {columns})"
    stacked = f"calc(({STACKED_BELOW_PX}px - 100%) * 1000)"
    widest = f"max({share}, {_NARROWEST_PX}px, {stacked})"
    return f"repeat(auto-fill, minmax(min(100%, {widest}), 1fr))"


def gap() -> str:
    """Return the space between the answers in CSS."""
    return f"{_GAP_PX}px"


def title(candidate: Candidate) -> str:
    """Return the line above an answer as safe markup: its number, and what tells it from the others."""
    return (
        f"<div><strong>{candidate.number}</strong> "
        f'<span style="{html.QUIET}">{html.escape(candidate.label)}</span></div>'
    )


class StaticGrid:
    """Makes the output of a comparison; each answer is rendered once.

    Args:
        comparison: The comparison, which has ended.
        format: The format of its answers.
        uid: The name by which a page finds the buttons of this grid; ``""`` for none.
        hints: Sentences about the prompt for the user.

    Attributes:
        problem: Why the last pick was not possible.
    """

    def __init__(
        self, comparison: Comparison, *, format: str, uid: str = "", hints: Sequence[str] = ()
    ) -> None:
        self._comparison = comparison
        self._uid = uid
        self._hints = hints
        self.problem = ""
        self._format = format

    @cached_property
    def _answers(self) -> list[Bundle]:
        return [_answer(each, self._format) for each in self._comparison.candidates]

    def bundle(self) -> Bundle:
        """Return the output, with the answer that counts now marked."""
        pairs = zip(self._comparison.candidates, self._answers, strict=True)
        cells = "".join(self._cell(each, answer["text/html"]) for each, answer in pairs)
        style = f"display:grid;gap:{gap()};grid-template-columns:"
        grid = f'<div style="{style}{template(self._comparison.axes.columns)}">{cells}</div>'
        lines = self.lines()
        foot = "".join(
            f'<div style="{html.QUIET}"><small>{html.lines(line)}</small></div>' for line in lines
        )
        return {
            "text/html": html.element("div", grid + foot, name="grid"),
            "text/plain": "\n\n".join([*self._plain(), "\n".join(lines)]).strip(),
        }

    def _cell(self, candidate: Candidate, answer: str) -> str:
        is_chosen = (
            self._comparison.conversation is not None and candidate is self._comparison.chosen
        )
        label = html.escape(f"{candidate.number} {candidate.label}")
        below = ""
        if is_chosen:
            mark = f' tabindex="-1" data-cbai-chosen="{self._uid}-{candidate.number}"'
            words = html.escape(say("compare.chosen"))
            below = f"<div{mark if self._uid else ''}><small><strong>{words}</strong></small></div>"
        elif self._uid and candidate.text:
            # Hidden where no kernel listens: the page of a living kernel shows the buttons.
            below = (
                f'<button type="button" hidden class="cbai-pick" data-cbai-grid="{self._uid}" '
                f'data-cbai-number="{candidate.number}" data-lm-suppress-shortcuts="true" '
                f'aria-label="{html.escape(say("compare.pick_number", number=candidate.number))}" '
                f'style="{_BUTTON}">{html.escape(say("compare.pick"))}</button>'
            )
        return (
            f'<div class="cbai-grid-cell" role="group" aria-label="{label}" '
            f'style="{_CELL}{_CHOSEN if is_chosen else ""}">'
            f"{title(candidate)}{answer}{below}</div>"
        )

    def lines(self) -> list[str]:
        """Return the hints, and the sentence about the answer that counts in the conversation."""
        hints = [*self._hints, *filter(None, [self.problem])]
        chosen = self._comparison.chosen
        others = [each for each in self._comparison.candidates if each is not chosen and each.text]
        if self._comparison.conversation is None or chosen is None or not others:
            return hints
        label = f"{chosen.number} ({chosen.label})"
        command = f"%cbai pick {others[0].number}"
        return [*hints, say("compare.goes_on_with", label=label, command=command)]

    def _plain(self) -> list[str]:
        return [
            f"{heading(candidate)}\n{answer.get('text/plain', '')}"
            for candidate, answer in zip(self._comparison.candidates, self._answers, strict=True)
        ]


def heading(candidate: Candidate) -> str:
    """Return the line above an answer as plain text."""
    return f"── {candidate.number} · {candidate.label} ──"


def _answer(candidate: Candidate, format: str) -> Bundle:
    """Return an answer with its footer."""
    surface = BundleSurface()
    screen = Screen(surface, format=format, clock=lambda: 0.0)
    if candidate.turn is not None:
        for delta in deltas_of(candidate.turn):
            feed(screen, delta)
    finish(screen, candidate)
    return surface.bundle
