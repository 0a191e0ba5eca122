"""How many bytes are sent from the kernel to the browser."""

from __future__ import annotations

import inspect
import re
import textwrap

import pytest

from cbai_notebook.notebook.screen import Facts, Screen
from tests.notebook.screen.recording import Clock, RecordingSurface, markdown, play, tokens

MB = 1_000_000

PROSE = re.sub("[\u3000-\uffff]+", "Li Bai wrote about a thousand poems. ", markdown(12_000))[
    :10_500
]
CHINESE = "李白是唐代的诗人，人称**诗仙**。他的诗想象丰富，语言清新。\n\n" * 130
LINES = inspect.getsource(textwrap).splitlines(keepends=True)
CODES = "\n".join(
    f"```python\n{''.join(LINES[start : start + 30])}```\n" for start in range(0, len(LINES), 30)
)
ONE_CODE = f"```python\n{''.join(LINES)}"
TABLE = "| city | people |\n|---|---|\n" + "| Aachen | 249,070 |\n" * 480


def wire_bytes(source: str, *, count: int, per_s: float, form: str = "markdown") -> int:
    clock, surface = Clock(), RecordingSurface()
    screen = Screen(surface, format=form, clock=clock)
    screen.wait()
    play(screen, clock, tokens(source, count), per_s)
    screen.finish("complete", footer=Facts(label="cloudbase/hy3"))
    return surface.wire_bytes


@pytest.mark.parametrize("form", ["markdown", "text", "code"])
def test_an_ordinary_answer_is_light(form: str) -> None:
    assert wire_bytes(PROSE, count=1500, per_s=60, form=form) <= 0.8 * MB


@pytest.mark.parametrize(
    "source", [CHINESE, CODES, ONE_CODE, TABLE], ids=["chinese", "code", "one block", "table"]
)
def test_no_answer_of_that_length_is_heavy(source: str) -> None:
    assert wire_bytes(source[:10_500], count=1500, per_s=60) <= 0.8 * MB


@pytest.mark.parametrize("per_s", [60, 500])
def test_a_character_of_a_long_answer_costs_little_more(per_s: float) -> None:
    short = wire_bytes(markdown(10_000), count=1430, per_s=per_s) / 10_000
    long = wire_bytes(markdown(100_000), count=14_300, per_s=per_s) / 100_000
    assert long <= 2 * short


def test_a_long_reasoning_is_light() -> None:
    clock, surface = Clock(), RecordingSurface()
    screen = Screen(surface, clock=clock)
    for token in tokens("I consider this, and then that. " * 330, 1500):
        clock.now += 1 / 60
        screen.reasoning(token)
    screen.text("42")
    screen.finish("complete")
    assert surface.wire_bytes <= 0.8 * MB
