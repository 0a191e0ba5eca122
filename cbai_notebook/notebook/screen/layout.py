"""How an answer is laid out: its steps, and the outputs that hold their parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Protocol

from cbai_notebook.notebook.screen.bodies import Part
from cbai_notebook.notebook.screen.calls import Calls
from cbai_notebook.notebook.screen.reasoning import Reasoning
from cbai_notebook.notebook.screen.surfaces import Bundle

SINGLE_SHARE = 3 / 4
"""This share of the outputs hold one part each, however small the part is."""

LAST_SHARE = 1 / 4
"""Each of the other outputs is filled until it holds this share of the answer."""


class Step:
    """One step of an answer: reasoning, text, and the tool calls that they led to.

    An answer without tool calls is one step. Text or reasoning after tool calls begins another.
    """

    def __init__(self) -> None:
        self.reasoning = Reasoning()
        self.text: list[str] = []
        self.calls = Calls()

    @property
    def source(self) -> str:
        """The text so far."""
        return "".join(self.text)

    @property
    def has_words(self) -> bool:
        """Whether the text has anything but white space."""
        return any(text.strip() for text in self.text)

    def end(self, now: float) -> None:
        """Mark the step as ended at `now` (seconds)."""
        self.reasoning.end(now)
        self.calls.end()


class Collapsible(Protocol):
    """Reasoning or tool calls: folded between the text, and painted again when they change."""

    def __len__(self) -> int:
        """Return 0 when there is nothing to show."""

    @property
    def html(self) -> str:
        """Its current state as safe markup."""

    @property
    def plain(self) -> str:
        """Its plain text, which may be empty."""


class _CollapsibleBundler:
    def bundle(self, parts: Sequence[Part]) -> Bundle:
        bundle = {"text/html": "".join(part.html for part in parts)}
        if plain := "\n".join(part.source for part in parts if part.source):
            bundle["text/plain"] = plain
        return bundle


COLLAPSIBLE = _CollapsibleBundler()
"""Makes outputs of reasoning and tool calls, as a body makes outputs of text."""


class Bundler(Protocol):
    """Makes one output of several parts, such as a :class:`.bodies.Body`."""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return consecutive parts as one output."""


class Slots:
    """Spread the parts of an answer over a limited number of outputs.

    Args:
        max_outputs: The maximum number of outputs.

    Attributes:
        last_chars: Characters of the parts in the last output.
    """

    def __init__(self, max_outputs: int) -> None:
        self._max_outputs = max_outputs
        self._singles = int(max_outputs * SINGLE_SHARE)
        self._parts: list[tuple[Bundler, Part]] = []
        self._starts: list[int] = []
        self.last_chars = 0
        self._total = 0

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, bundler: Bundler, part: Part) -> int:
        """Append a part; return its number."""
        size = len(part.source)
        if self._may_start_another():
            self._starts.append(len(self._parts))
            self.last_chars = 0
        self._parts.append((bundler, part))
        self.last_chars += size
        self._total += size
        return len(self._parts) - 1

    def change(self, number: int, part: Part) -> None:
        """Replace part `number`."""
        self._parts[number] = (self._parts[number][0], part)

    def outputs(self, numbers: Iterable[int]) -> dict[int, Bundle]:
        """Return the outputs that hold parts, by their slots.

        Args:
            numbers: The numbers of the parts.
        """
        slots = {bisect_right(self._starts, number) - 1 for number in numbers}
        return {slot: self._output(slot) for slot in slots}

    def _output(self, slot: int) -> Bundle:
        ends = [*self._starts[1:], len(self._parts)]
        parts = self._parts[self._starts[slot] : ends[slot]]
        groups = groupby(parts, key=lambda pair: id(pair[0]))
        return joined([_bundle(list(group)) for _, group in groups])

    def _may_start_another(self) -> bool:
        if len(self._starts) < self._singles:
            return True
        last_is_full = self.last_chars >= self._total * LAST_SHARE
        return last_is_full and len(self._starts) < self._max_outputs


def _bundle(parts: Sequence[tuple[Bundler, Part]]) -> Bundle:
    return parts[0][0].bundle([part for _, part in parts])


def joined(bundles: Sequence[Bundle]) -> Bundle:
    """Join consecutive outputs into one."""
    if len(bundles) == 1:
        return dict(bundles[0])
    merged: Bundle = {"text/html": "".join(bundle.get("text/html", "") for bundle in bundles)}
    for kind in ("text/markdown", "text/plain"):
        texts = [bundle[kind] for bundle in bundles if bundle.get(kind)]
        if len(texts) > 1:
            texts = [text.rstrip("\n") for text in texts]
        if texts:
            merged[kind] = "\n\n".join(texts)
    return merged
