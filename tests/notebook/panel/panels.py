"""Talk with a panel, and read what its widgets show."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Box, Output

import cbai_notebook as cbai


def eventually(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a condition holds that another thread makes true."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come about")


def converse(panel: cbai.ChatPanel, prompt: str) -> None:
    """Send a prompt and wait for the end of its answer."""
    assert panel.send(prompt)
    eventually(lambda: not panel.isLoading)


def shown(widget: Any) -> str:
    """Return the markup of a widget and everything in it."""
    if isinstance(widget, Box):
        return "".join(map(shown, widget.children))
    if isinstance(widget, HTML):
        return str(widget.value)
    if isinstance(widget, Output):
        return "".join(output["data"]["text/html"] for output in widget.outputs)
    return ""
