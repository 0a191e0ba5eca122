"""Check the settings that limit what requests may use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cbai_notebook.errors import ConfigurationError
from cbai_notebook.i18n import say


def checked(name: str, value: Any) -> Any:
    """Return a limit or the prices in the form of the settings.

    Args:
        name: ``"max_total_tokens"``, ``"max_cost"`` or ``"prices"``.
        value: What the user gave; text from a variable of the environment too.

    Raises:
        ConfigurationError: The value is not valid.
    """
    if name == "prices":
        return checked_prices(value)
    number = _number(value)
    if number is None or (name == "max_total_tokens" and number != int(number)):
        raise ConfigurationError(say(f"budget.{name}_is_wrong", value=repr(value)))
    return int(number) if name == "max_total_tokens" else number


def checked_prices(value: Any) -> dict[str, tuple[float, float]]:
    """Return the prices of models.

    Args:
        value: For each model the prices of a million tokens: ``{"hy3": (0.8, 2.0)}``.

    Raises:
        ConfigurationError: It is no such mapping.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(say("budget.prices_are_no_dict", kind=type(value).__name__))
    found: dict[str, tuple[float, float]] = {}
    for model, pair in value.items():
        numbers = [_number(each) for each in pair] if isinstance(pair, (tuple, list)) else []
        match numbers:
            case [float(sent), float(answered)] if isinstance(model, str):
                found[model] = sent, answered
            case _:
                raise ConfigurationError(say("budget.price_is_wrong", model=repr(model)))
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
