"""A plot of means with their intervals: as SVG for every frontend, or as axes of matplotlib.

The SVG needs no script, no font and no file from elsewhere. Its colour is ``currentColor``, that of
the text around it, so it is readable on light and on dark pages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from cbai_notebook.conversation.frames.to_frame import import_optional
from cbai_notebook.evaluation.number_texts import estimate_text
from cbai_notebook.i18n import say
from cbai_notebook.text import one_line, shortened_inside

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class PlotRow:
    """One dot with its interval.

    Attributes:
        label: The name of the variant.
        value: The mean, in the units of the values: a share is 0 to 1. NaN leaves the row empty.
        low: The lower end of its interval.
        high: The upper end of its interval.
        is_baseline: Whether the other rows are compared with this one. Its dot is hollow, and a
            dashed line goes through it.
    """

    label: str
    value: float
    low: float
    high: float
    is_baseline: bool = False

    @property
    def name(self) -> str:
        """The label in one line, with a remark if it is the baseline."""
        label = one_line(self.label)
        return say("evaluation.baseline_row", label=label) if self.is_baseline else label

    @property
    def is_empty(self) -> bool:
        """Whether there is no value."""
        return math.isnan(self.value)


# As SVG -------------------------------------------------------------------------------------------

_WIDTH = 360  # pixels, as all lengths below
_SIDE = 14
_ROW_HEIGHT = 40
_LABEL_Y = 16
_DOT_Y = 28
_FOOT_HEIGHT = 36

_WIDEST_LABEL = 30
"""So many columns of text fit beside the numbers; a Chinese character takes two."""

_MOST_STEPS = 5


def interval_svg(rows: Sequence[PlotRow], *, title: str, is_share: bool = True) -> str:
    """Return a plot as inline SVG, 360 pixels wide or narrower.

    Args:
        rows: The dots, from top to bottom.
        title: What is plotted. A screen reader reads it, with all numbers.
        is_share: Whether values are shares of 0 to 1, which are written in percent.

    Returns:
        Safe markup.
    """
    axis = _Axis.over(rows)
    foot = _ROW_HEIGHT * len(rows) + 8
    height = foot + _FOOT_HEIGHT
    parts = _grid(axis, len(rows), foot, is_share)
    for number, row in enumerate(rows):
        parts += _row(row, axis, _ROW_HEIGHT * number, len(rows), is_share)
    parts.append(_text(_SIDE, height - 6, say("evaluation.interval_note"), _SMALL))
    described = "; ".join(f"{row.name}: {_numbers(row, is_share)}" for row in rows)
    name = escape(one_line(title))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" '
        f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="currentColor" stroke="currentColor" '
        'style="max-width:100%;height:auto;overflow:visible">'
        f"<title>{name}</title><desc>{escape(described)}</desc>{''.join(parts)}</svg>"
    )


@dataclass(frozen=True)
class _Axis:
    """The horizontal axis: its ends and marks are round numbers."""

    marks: tuple[float, ...]

    @classmethod
    def over(cls, rows: Sequence[PlotRow]) -> _Axis:
        """Return the shortest axis over all intervals."""
        ends = [end for row in rows if not row.is_empty for end in (row.low, row.high)]
        low, high = min(ends, default=0.0), max(ends, default=1.0)
        step = _round_number((high - low or abs(high) or 1.0) / _MOST_STEPS)
        # A little tolerance, since 0.3 / 0.1 is less than 3.
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        return cls(tuple(step * number for number in range(first, max(last, first + 1) + 1)))

    def x(self, value: float) -> float:
        """Return where a value is, in pixels."""
        share = (value - self.marks[0]) / (self.marks[-1] - self.marks[0])
        return round(_SIDE + share * (_WIDTH - 2 * _SIDE), 1)


def _round_number(least: float) -> float:
    """Return the smallest of 1, 2, 5 and 10 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power > least * (1 - 1e-9))


_SMALL = 'font-size="10" fill-opacity="0.75"'


def _grid(axis: _Axis, rows: int, foot: int, is_share: bool) -> list[str]:
    parts = []
    for mark in axis.marks:
        text = f"{100 * mark:.6g} %" if is_share else f"{mark:.6g}"
        parts += _upright(axis.x(mark), rows, 'stroke-opacity="0.2"')
        parts.append(_text(axis.x(mark), foot + 12, text, f'text-anchor="middle" {_SMALL}'))
    return parts


def _upright(x: float, rows: int, attributes: str) -> list[str]:
    """Return a line through all rows, with a gap at each label: it may stand at the same place."""
    tops = range(0, _ROW_HEIGHT * rows, _ROW_HEIGHT)
    below_label, next_label = _LABEL_Y + 5, _ROW_HEIGHT + 3
    return [_line(x, top + below_label, x, top + next_label, attributes) for top in tops]


def _row(row: PlotRow, axis: _Axis, top: int, rows: int, is_share: bool) -> list[str]:
    label = shortened_inside(row.name, _WIDEST_LABEL)
    parts = [
        _text(_SIDE, top + _LABEL_Y, label),
        _text(_WIDTH - _SIDE, top + _LABEL_Y, _numbers(row, is_share), 'text-anchor="end"'),
    ]
    if row.is_empty:
        return parts
    x, y = axis.x(row.value), top + _DOT_Y
    if row.is_baseline:
        parts += _upright(x, rows, 'stroke-dasharray="3 3" stroke-opacity="0.6"')
    # A line through a hollow dot is drawn in two parts: the colour of the page is not known.
    parts.append(_line(axis.x(row.low), y, max(x - _RADIUS, axis.x(row.low)), y, _THICK))
    parts.append(_line(min(x + _RADIUS, axis.x(row.high)), y, axis.x(row.high), y, _THICK))
    fill = ' fill="none"' if row.is_baseline else ""
    parts.append(f'<circle cx="{x}" cy="{y}" r="{_RADIUS}"{fill} stroke-width="2"/>')
    return parts


_RADIUS = 4
_THICK = 'stroke-width="2"'


def _line(x1: float, y1: float, x2: float, y2: float, attributes: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {attributes}/>'


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x}" y="{y}" stroke="none" {attributes}>{escape(text)}</text>'


def _numbers(row: PlotRow, is_share: bool) -> str:
    return estimate_text(row.value, row.low, row.high, is_share=is_share)


# With matplotlib ----------------------------------------------------------------------------------


def plot_axes(
    rows: Sequence[PlotRow], *, title: str, is_share: bool = True, axes: Axes | None = None
) -> Axes:
    """Plot with matplotlib.

    Args:
        rows: The dots, from top to bottom.
        title: What is plotted.
        is_share: Whether values are shares of 0 to 1, which are written in percent.
        axes: Where to plot; a new figure by default.

    Returns:
        The axes.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    import_optional("matplotlib", "matplotlib")
    from matplotlib import pyplot, ticker

    found: Axes = pyplot.subplots(layout="constrained")[1] if axes is None else axes
    for place, row in enumerate(rows):
        if row.is_empty:
            continue
        found.errorbar(
            row.value,
            place,
            xerr=[[row.value - row.low], [row.high - row.value]],
            fmt="o",
            color="C0",
            markerfacecolor="none" if row.is_baseline else "C0",
        )
        if row.is_baseline:
            found.axvline(row.value, color="0.5", linestyle="--", linewidth=1)
    found.set_yticks(range(len(rows)), [shortened_inside(row.name, _WIDEST_LABEL) for row in rows])
    found.set_ylim(len(rows) - 0.5, -0.5)
    found.set_title(title)
    if is_share:
        found.xaxis.set_major_formatter(ticker.PercentFormatter(1.0))
    return found
