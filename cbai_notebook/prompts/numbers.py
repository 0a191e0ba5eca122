"""Write floats with few digits: the integer part is always exact, only fractions are shortened."""

from __future__ import annotations

import math
import struct

ALL_DIGITS = 17
"""The significant digits that tell all floats of 64 bits apart (IEEE 754)."""

_EXPONENT_FROM = 1e21
"""Larger numbers are written with an exponent, as in JavaScript."""

_NOISE = 1e-12
"""The relative error of calculations that is left aside, as in 129.99000000000001."""


def number_text(number: float, digits: int) -> str:
    """Return a number, no NaN, with few significant digits but a whole integer part.

    - A whole number is written as an integer: ``12``.
    - A number with at most two decimals is kept, for amounts of money: ``129.99``, ``1234.56``.
    - Any other number gets `digits` significant digits; the integer part is always whole, and
      decimals fill it up: ``0.1235``, ``12.35``, ``1234567``.
    - A number whose integer part rounding would change is cut instead: 999.987 gives ``999.9``
      and 0.99996 gives ``0.9999``. So the error is always less than one unit of the last place.
    - A number below 0.0001 has an exponent, ``1.2e-9``, and so has a whole number from 1e21 on,
      with all its digits.

    Args:
        number: The number.
        digits: The most significant digits, 1 or more; from :data:`ALL_DIGITS` on nothing is
            rounded.
    """
    if number.is_integer():
        return str(int(number)) if abs(number) < _EXPONENT_FROM else _short_exponent(repr(number))
    if digits >= ALL_DIGITS or math.isinf(number):
        return _short_exponent(repr(number))
    hundredths = number * 100
    nearest = round(hundredths)
    tolerance = _NOISE if digits < 12 else 10.0**-digits
    if abs(hundredths - nearest) <= abs(hundredths) * tolerance and nearest % 100:
        return f"{number:.2f}".rstrip("0")
    if -1 < number < 1:
        places = digits
        text = f"{number:.{digits}g}"
        if text not in ("1", "-1"):
            return _short_exponent(text)
    else:
        whole = str(int(number))
        places = max(digits - len(whole.lstrip("-")), 0)
        text = f"{number:.{places}f}"
        if text.startswith(whole):
            return _without_zeros(text)
    integer, _, fraction = repr(number).partition(".")
    return _without_zeros(f"{integer}.{fraction[:places]}")


def widened(number: float, code: str) -> float:
    """Return a number of 16 or 32 bits as its shortest decimal: 0.1 for 0.10000000149011612.

    Args:
        number: A finite number that is not whole.
        code: The format of the number for :mod:`struct`, ``"e"`` or ``"f"``.
    """
    packed = struct.pack(code, number)
    candidates = (float(f"{number:.{digits}g}") for digits in range(3, 10))
    return next(one for one in candidates if struct.pack(code, one) == packed)


def _short_exponent(text: str) -> str:
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if exponent else text


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
