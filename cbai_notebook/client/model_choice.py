"""What a user may give as the model of many requests: a spec, a `Model`, or what `demo` returned."""

from __future__ import annotations

from collections.abc import Iterable

from cbai_notebook.client.model import Model
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.i18n import joined, say


def spec_or_model(given: object) -> str | Model | None:
    """Return a spec or a `Model` as it is, and the spec of a demo model.

    Args:
        given: What the user gave; None leaves the choice to the settings.

    Raises:
        UsageError: It is no model.
    """
    from cbai_notebook.client.demo.script import DemoModel

    if isinstance(given, DemoModel):
        return given.spec
    if given is None or isinstance(given, (str, Model)):
        return given
    raise UsageError(say("provider.no_model", kind=type(given).__name__))


def one_or_several(given: object) -> list[object]:
    """Return models as a list; one alone, as a spec, is a list of one."""
    return [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)


def named_models(given: object) -> dict[str, Model | None]:
    """Return models by the names that tell them apart; of a spec, which is its own name, None.

    Args:
        given: Specs, models, and what `demo` returned, or one of them. A model is named by its
            provider, and the second one of a provider gets a number.

    Raises:
        UsageError: One of them is no model.
    """
    found: dict[str, Model | None] = {}
    for choice in map(spec_or_model, one_or_several(given)):
        if not isinstance(choice, Model):
            found.setdefault(choice or "", None)
        elif not any(choice is known for known in found.values()):
            name, number = choice.provider, 1
            while name in found:
                number += 1
                name = f"{choice.provider} {number}"
            found[name] = choice
    return found


def with_offline_model(error: ConfigurationError, option: str) -> ConfigurationError:
    """Return an error that also says how the offline model is named.

    Args:
        error: The error.
        option: The argument that names it, such as ``"models=['local']"``.
    """
    hint = say("provider.offline_model_here", option=option)
    return type(error)(joined(error.words or error.message, hint))
