"""A surface that records its paints, a clock that only tests move, and answers to play."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import cycle, islice

from cbai_notebook.notebook.screen import Bundle, Screen

MESSAGE_BYTES = 1000
"""Bytes of the headers of one Jupyter message, in addition to its content."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class RecordingSurface:
    """Record the outputs as a notebook keeps them, and every message that changed them."""

    max_outputs = 40

    def __init__(
        self, *, can_replace: bool = True, repaints_all: bool = False, live: bool = True
    ) -> None:
        self.can_replace = can_replace
        self.repaints_all = repaints_all
        self.live = live
        self.outputs: list[Bundle] = []
        self.paints: list[dict[int, Bundle]] = []
        self.messages: list[Bundle] = []
        self.replaced = 0
        self.closed = 0
        self.most = 0

    def __len__(self) -> int:
        return len(self.outputs)

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        assert not self.closed
        self.paints.append(dict(slots))
        for slot, bundle in slots.items():
            assert slot <= len(self.outputs), "an output was left out"
            self.outputs[slot : slot + 1] = [bundle]
            self.messages.append(bundle)
        self.most = max(self.most, len(self.outputs))

    def replace(self, bundle: Bundle) -> None:
        assert self.can_replace
        assert not self.closed
        self.replaced += 1
        self.outputs = [bundle]
        self.messages += [{}, bundle]

    def close(self) -> None:
        self.closed += 1

    @property
    def html(self) -> str:
        return "".join(bundle.get("text/html", "") for bundle in self.outputs)

    @property
    def plain(self) -> str:
        return "".join(bundle.get("text/plain", "") for bundle in self.outputs)

    @property
    def wire_bytes(self) -> int:
        """Bytes from the kernel to the browser, headers included."""
        return sum(MESSAGE_BYTES + size(message) for message in self.messages)


def size(bundle: Bundle) -> int:
    return len(json.dumps(bundle, ensure_ascii=False).encode())


def play(screen: Screen, clock: Clock, tokens: Iterable[str], per_s: float) -> None:
    """Feed tokens at a steady pace, and tick when the screen asks for it."""
    start = clock.now
    for number, token in enumerate(tokens):
        wait_until(screen, clock, start + number / per_s)
        screen.text(token)


def wait_until(screen: Screen, clock: Clock, when: float) -> None:
    """Move the clock like a caller that waits exactly as long as the screen asks."""
    while (due := screen.due()) is not None and clock.now + due <= when:
        clock.now += due
        screen.tick()
    clock.now = max(clock.now, when)


_BLOCKS = (
    "## Section {n}: what the figures say\n\n",
    "The model reads a **prompt** and writes one token after the other; each token is a few characters "
    "long, and nothing that was written is taken back. See [the notes](https://example.org/{n}) and "
    "`value = {n}` for more, or $E = mc^{n}$ for less.\n\n",
    "李白是唐代的诗人，人称诗仙，与杜甫并称李杜。他的诗想象丰富，语言清新，流传至今的约有一千首。\n\n",
    "- first item of {n}\n- second item, a little longer than the first\n- third item\n\n",
    "```python\nfor number in range({n}):\n    print(number, number ** 2)  # squares\n```\n\n",
    "| city | people |\n|---|---|\n| Aachen | 249,070 |\n| Xi'an | 12,952,907 |\n\n",
)


def markdown(length: int) -> str:
    """Return an answer of `length` characters as a model writes it."""
    parts: list[str] = []
    total = 0
    for number, block in enumerate(cycle(_BLOCKS)):
        parts.append(block.replace("{n}", str(number)))
        total += len(parts[-1])
        if total >= length:
            return "".join(parts)[:length]
    raise AssertionError


def tokens(text: str, count: int) -> Iterable[str]:
    """Return `text` in `count` nearly equal pieces."""
    limits = [round(number * len(text) / count) for number in range(count + 1)]
    return (text[start:end] for start, end in zip(limits, islice(limits, 1, None), strict=False))
