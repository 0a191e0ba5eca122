"""The ways in which one prompt is asked: every combination of what is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

OWN_COLUMNS = frozenset((
    "answer", "model", "system", "temperature", "sample", "text", "reasoning", "finish_reason",
    "first_token_s", "duration_s", "prompt_tokens", "completion_tokens", "error", "chosen",
))  # fmt: skip
"""The names in the table of the answers that a varied parameter cannot have."""


@dataclass(frozen=True)
class Variant:
    """One way to ask the prompt.

    Attributes:
        model: The model as the user has written it; ``None`` for the default.
        temperature: The temperature; ``None`` for the one of the prompt, or of the model.
        system: The name of the system prompt; ``None`` for the one of the prompt.
        params: The varied parameters.
        sample: The number among the answers to the same request, from 1.
    """

    model: str | None = None
    temperature: float | None = None
    system: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    sample: int = 1

    @property
    def request_params(self) -> dict[str, Any]:
        """The parameters of the request that this variant sets."""
        own = {} if self.temperature is None else {"temperature": self.temperature}
        return {**self.params, **own}


@dataclass(frozen=True)
class Axes:
    """What is compared; an empty axis leaves its value to the prompt.

    Attributes:
        models: The models.
        temperatures: The temperatures.
        systems: The system prompts by their names.
        vary: Other parameters, each with its values.
        samples: The number of answers to each request.

    Raises:
        UsageError: A number or a name cannot be used.
    """

    models: Sequence[str] = ()
    temperatures: Sequence[float] = ()
    systems: Mapping[str, str] = field(default_factory=dict)
    vary: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    samples: int = 1

    def __post_init__(self) -> None:
        samples: Any = self.samples
        if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
            raise UsageError(say("compare.no_count", value=repr(samples)))
        for name in self.vary:
            if name in OWN_COLUMNS:
                raise UsageError(say("compare.cannot_vary", name=name))

    @property
    def columns(self) -> int:
        """The number of columns of the grid: one for each model."""
        return max(1, len(dict.fromkeys(self.models)))

    def variants(self) -> list[Variant]:
        """Return every variant, row by row of the grid: the models of a row follow each other."""
        names = list(self.vary)
        return [
            Variant(model, temperature, system, dict(zip(names, values, strict=True)), sample)
            for system, *values, temperature, sample, model in product(
                _or_none(self.systems),
                *(_distinct(self.vary[name]) for name in names),
                _or_none(self.temperatures),
                range(1, self.samples + 1),
                _or_none(self.models),
            )
        ]

    def label(self, variant: Variant, *, with_model: bool = True) -> str:
        """Return what tells a variant from the others, for the user.

        Args:
            variant: The variant.
            with_model: Whether the model is named.
        """
        parts = [variant.model or ""] if with_model else []
        parts += [variant.system or ""]
        parts += [f"{name} {value}" for name, value in variant.params.items()]
        if variant.temperature is not None:
            parts.append(say("compare.temperature", value=f"{variant.temperature:g}"))
        if self.samples > 1:
            parts.append(say("compare.sample", number=variant.sample))
        return " · ".join(filter(None, parts))


def named_systems(systems: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Return system prompts by their names; those of a list are called ``"system 1"``, and so on.

    Args:
        systems: A dict of names and texts, or a list of texts.

    Raises:
        UsageError: It is neither, or it is empty.
    """
    named = systems if isinstance(systems, Mapping) else None
    if named is None and isinstance(systems, (list, tuple)):
        named = {
            say("compare.system", number=number): text for number, text in enumerate(systems, 1)
        }
    if not named or not all(isinstance(text, str) for text in named.values()):
        raise UsageError(say("compare.no_systems", kind=type(systems).__name__))
    return {str(name): text for name, text in named.items()}


def _or_none(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values)) or [None]


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Return values without repetition; lists and dicts are values too."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
