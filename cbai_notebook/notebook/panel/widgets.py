"""The parts of the panel that are written in JavaScript: the bar (top), the composer (bottom)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import HTML, Layout

from cbai_notebook.i18n import texts

_FOLDER = Path(__file__).parent


def _read(*names: str) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def _script(*names: str) -> str:
    # In a notebook, a JavaScript module cannot import other files of its folder, so they are joined.
    words = json.dumps(texts("page"), ensure_ascii=False)
    return f"const WORDS = {words};\n{_read(*names)}"


class Composer(anywidget.AnyWidget):
    """The message box; its JavaScript also handles clicks and keys in the conversation above it.

    Messages to the kernel: ``send``, ``stop``, ``act``, ``shown``, ``gone``.
    Messages to the browser: ``sent``, ``refused``, ``undone``, ``fill``, ``focus``, ``announce``, ``transcript``.
    """

    _esm = _script("labels.js", "transcript.js", "pictures.js", "composer.js")
    _css = _read("panel.css")

    uid = traitlets.Unicode().tag(sync=True)
    draft = traitlets.Unicode().tag(sync=True)
    loading = traitlets.Bool(False).tag(sync=True)
    suggestions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tokens = traitlets.Int(0).tag(sync=True)
    seconds = traitlets.Float(0.0).tag(sync=True)
    language = traitlets.Unicode().tag(sync=True)


class Bar(anywidget.AnyWidget):
    """The bar with the conversation, the model and the options of the next prompt.

    Messages to the kernel: ``pick``, ``rename``, ``delete``, ``new``, ``options``, ``export``.
    Message to the browser: ``download``.
    """

    _esm = _script("labels.js", "picker.js", "bar.js")

    uid = traitlets.Unicode().tag(sync=True)
    conversation = traitlets.Unicode().tag(sync=True)
    conversations = traitlets.List(traitlets.Unicode()).tag(sync=True)
    model = traitlets.Unicode().tag(sync=True)
    default_model = traitlets.Unicode().tag(sync=True)
    models = traitlets.List(traitlets.Unicode()).tag(sync=True)
    system = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(None, allow_none=True).tag(sync=True)
    forms = traitlets.List(traitlets.Unicode()).tag(sync=True)
    language = traitlets.Unicode().tag(sync=True)


class Look:
    """The layout and the style that all widgets of a panel share.

    ipywidgets makes them for each widget otherwise, sends them to the browser as widgets of their
    own, and does not close them with the widget.
    """

    def __init__(self) -> None:
        self.layout = Layout()
        self._style: Any = None
        self._limit: Layout | None = None

    def html(self, value: str = "") -> HTML:
        """Return a widget that shows safe HTML."""
        shared = {} if self._style is None else {"style": self._style}
        widget = HTML(value, layout=self.layout, **shared)
        self._style = widget.style
        return widget

    def limited(self, height: int | None) -> Layout:
        """Return a layout for the whole panel: the shared one, or one with a most height in pixels."""
        if height is None:
            return self.layout
        self._limit = Layout(max_height=f"{height}px")
        return self._limit

    def close(self) -> None:
        """Close layouts and style; close the widgets before."""
        self.layout.close()
        if self._limit is not None:
            self._limit.close()
        if self._style is not None:
            self._style.close()


def update(widget: Any, **values: Any) -> bool:
    """Set the values that differ, in one message; return whether any value differed."""
    changes = {name: value for name, value in values.items() if getattr(widget, name) != value}
    if changes:
        with widget.hold_sync():
            for name, value in changes.items():
                setattr(widget, name, value)
    return bool(changes)
