"""The two parts of the panel that are written for the browser: the bar above and the composer below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

_FOLDER = Path(__file__).parent


def _source(*names: str) -> str:
    # A module of the browser cannot import its siblings from a notebook, so they are joined here.
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


class Composer(anywidget.AnyWidget):
    """Where the reader writes, and what makes the conversation above it answer to clicks and keys.

    It sends ``send``, ``stop``, ``act``, ``shown`` and ``gone``, and is sent ``sent``, ``refused``,
    ``fill``, ``focus``, ``announce`` and ``transcript``.
    """

    _esm = _source("labels.js", "transcript.js", "pictures.js", "composer.js")
    _css = _source("panel.css")

    uid = traitlets.Unicode().tag(sync=True)
    draft = traitlets.Unicode().tag(sync=True)
    loading = traitlets.Bool(False).tag(sync=True)
    recall = traitlets.List(traitlets.Unicode()).tag(sync=True)
    suggestions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tokens = traitlets.Int(0).tag(sync=True)
    seconds = traitlets.Float(0.0).tag(sync=True)


class Bar(anywidget.AnyWidget):
    """Which conversation, which model, and how to ask it.

    It sends ``pick``, ``new``, ``options`` and ``export``, and is sent ``download``.
    """

    _esm = _source("labels.js", "bar.js")

    uid = traitlets.Unicode().tag(sync=True)
    conversation = traitlets.Unicode().tag(sync=True)
    conversations = traitlets.List(traitlets.Unicode()).tag(sync=True)
    model = traitlets.Unicode().tag(sync=True)
    default_model = traitlets.Unicode().tag(sync=True)
    models = traitlets.List(traitlets.Unicode()).tag(sync=True)
    system = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(None, allow_none=True).tag(sync=True)
    forms = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)


def update(widget: Any, **values: Any) -> bool:
    """Set what differs, in one message; return whether anything did."""
    changes = {name: value for name, value in values.items() if getattr(widget, name) != value}
    if changes:
        with widget.hold_sync():
            for name, value in changes.items():
                setattr(widget, name, value)
    return bool(changes)
