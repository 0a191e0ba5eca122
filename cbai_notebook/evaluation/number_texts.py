"""Numbers of an evaluation as texts: shares in percent, differences in percentage points."""

from __future__ import annotations

import math

from cbai_notebook.i18n import Words, say

NO_VALUE = "–"

_SMALLEST_P = 0.001
_THREE_DIGITS_BELOW = 0.1


def estimate_text(value: float, low: float, high: float, *, is_share: bool) -> str:
    """Return a mean with its interval: ``"78 % [72–83]"``, ``"3.42 [3.10–3.74]"`` if no share."""
    if math.isnan(value):
        return NO_VALUE
    if is_share:
        return f"{percent_text(value)} [{100 * low:.0f}–{100 * high:.0f}]"
    digits = _decimals(high - low)
    return f"{value:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def percent_text(share: float) -> str:
    """Return a share in percent: ``"78 %"``."""
    return f"{100 * share:.0f} %"


def difference_text(difference: float, low: float, high: float, *, is_share: bool) -> str:
    """Return a difference with its interval, in points for shares: ``"+6.0 [+1.2, +10.9]"``."""
    if math.isnan(difference):
        return NO_VALUE
    factor, digits = (100, 1) if is_share else (1, _decimals(high - low))
    value, start, end = (_signed(factor * each, digits) for each in (difference, low, high))
    return f"{value} [{start}, {end}]"


def size_text(size: float, *, is_share: bool) -> Words | str:
    """Return the size of a difference, rounded up: ``"6 points"``, ``"0.25"`` if no share."""
    if not is_share:
        return f"{_rounded_up(size):g}"
    points = _rounded_up(100 * size)
    return say("evaluation.points", n=points, count=f"{points:g}")


def p_text(p: float) -> str:
    """Return a p value: ``".017"``, ``".23"``, ``"< .001"``."""
    if p < _SMALLEST_P:
        return "< .001"
    return f"{p:.3f}".lstrip("0") if p < _THREE_DIGITS_BELOW else f"{p:.2f}".lstrip("0")


def about(count: float) -> str:
    """Return a number with two digits, rounded up: ``"470"``, ``"12,000"``, ``"∞"``."""
    return "∞" if math.isinf(count) else f"{int(_rounded_up(count)):,}"


def _rounded_up(number: float) -> float:
    """Return a number with two digits at most, not smaller than it."""
    if number <= 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(number)) - 1)
    return round(math.ceil(number / step - 1e-6) * step, 12)


def _decimals(width: float) -> int:
    """Return how many decimals show an interval of such a width with two digits."""
    return max(0, 1 - math.floor(math.log10(width))) if width > 0 else 2


def _signed(number: float, digits: int) -> str:
    text = f"{number:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]
