"""Which part of an answer stands in which output, so that there are never too many outputs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

from cbai_notebook.notebook.screen.bodies import Part
from cbai_notebook.notebook.screen.surfaces import Bundle

FREE = 3 / 4
"""The share of the outputs that go to one part each, however small it is."""

SHARE = 4
"""Of the others, the last one is filled up until it holds this part of the answer: a fourth."""


class Form(Protocol):
    """What makes an output of parts; a :class:`~cbai_notebook.notebook.screen.bodies.Body` is one."""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return parts that follow each other as one output."""


class Slots:
    """Parts of an answer, spread over outputs.

    Args:
        most: Outputs for parts at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = int(most * FREE)
        self._parts: list[tuple[Form, Part]] = []
        self._starts: list[int] = []
        self._last_chars = 0
        self._total = 0

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, form: Form, part: Part) -> int:
        """Place a part behind the others; return its number."""
        size = len(part.source)
        if self._has_room_for_another():
            self._starts.append(len(self._parts))
            self._last_chars = 0
        self._parts.append((form, part))
        self._last_chars += size
        self._total += size
        return len(self._parts) - 1

    def change(self, number: int, part: Part) -> None:
        """Put another part in the place of part `number`."""
        self._parts[number] = (self._parts[number][0], part)

    def output(self, number: int) -> dict[int, Bundle]:
        """Return the output in which part `number` stands, by its own number."""
        slot = max(slot for slot, start in enumerate(self._starts) if start <= number)
        ends = [*self._starts[1:], len(self._parts)]
        held = self._parts[self._starts[slot] : ends[slot]]
        groups = groupby(held, key=lambda pair: id(pair[0]))
        return {slot: joined([_bundle(list(group)) for _, group in groups])}

    def _has_room_for_another(self) -> bool:
        if len(self._starts) < self._free:
            return True
        return len(self._starts) < self._most and self._last_chars >= self._total / SHARE


def _bundle(parts: Sequence[tuple[Form, Part]]) -> Bundle:
    return parts[0][0].bundle([part for _, part in parts])


def joined(bundles: Sequence[Bundle]) -> Bundle:
    """Return outputs that follow each other as one."""
    if len(bundles) == 1:
        return dict(bundles[0])
    one: Bundle = {"text/html": "".join(bundle.get("text/html", "") for bundle in bundles)}
    for kind in ("text/markdown", "text/plain"):
        texts = [bundle[kind] for bundle in bundles if bundle.get(kind)]
        if len(texts) > 1:
            texts = [text.rstrip("\n") for text in texts]
        if texts:
            one[kind] = "\n\n".join(texts)
    return one
