"""A screen whose surface records what is painted, with a clock that only the test moves."""

from __future__ import annotations

import pytest

from cbai_notebook.notebook.screen import Screen
from tests.notebook.screen.recording import Clock, RecordingSurface


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the screen."""
    return Clock()


@pytest.fixture
def surface() -> RecordingSurface:
    """Return the surface of the screen."""
    return RecordingSurface()


@pytest.fixture
def screen(surface: RecordingSurface, clock: Clock) -> Screen:
    """Return a screen that renders Markdown."""
    return Screen(surface, clock=clock)


@pytest.fixture
def text_screen(surface: RecordingSurface, clock: Clock) -> Screen:
    """Return a screen that shows plain text."""
    return Screen(surface, format="text", clock=clock)
