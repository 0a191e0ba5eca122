"""An answer in the panel: one Output widget for each stretch that can no longer change, and one for the tail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.screen.surface import Bundle

if TYPE_CHECKING:
    from ipywidgets import Output

OPEN = "cbai-open"
"""Class of the output that is still painted again."""


class AnswerSurface:
    """Outputs that are painted one by one, so that a paint costs what has changed and not the whole.

    Args:
        make: Makes an Output widget out of its first outputs.
        show: Called with the widgets when there are others than before.
    """

    repaints_all = False
    can_replace = True
    # Each is a widget of its own, so no application hides any.
    most_outputs = 120

    def __init__(
        self,
        make: Callable[[tuple[dict[str, Any], ...]], Output],
        show: Callable[[Sequence[Output]], None],
    ) -> None:
        self._make = make
        self._show = show
        self._bundles: list[Bundle] = []
        self._widgets: list[Output] = []

    def __len__(self) -> int:
        return len(self._bundles)

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""
        for slot, bundle in slots.items():
            self._bundles[slot : slot + 1] = [bundle]
        self._send(slots)

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""
        self._bundles = [bundle]
        self._send({0: bundle})

    def close(self) -> None:
        """Mark the last output as one that stays."""
        for widget in self._widgets:
            _mark(widget, is_open=False)

    def _send(self, slots: Mapping[int, Bundle]) -> None:
        before = list(self._widgets)
        for slot, bundle in slots.items():
            outputs = outputs_of(bundle)
            if slot < len(self._widgets):
                self._widgets[slot].outputs = outputs
            else:
                self._widgets.append(self._make(outputs))
        surplus = self._widgets[len(self._bundles) :]
        del self._widgets[len(self._bundles) :]
        for widget in self._widgets:
            _mark(widget, is_open=widget is self._widgets[-1])
        if self._widgets != before:
            self._show(self._widgets)
        for widget in surplus:
            widget.close()


def _mark(widget: Output, *, is_open: bool) -> None:
    if is_open != (OPEN in widget._dom_classes):
        (widget.add_class if is_open else widget.remove_class)(OPEN)


def outputs_of(bundle: Bundle) -> tuple[dict[str, Any], ...]:
    """Return what the widget of one output holds."""
    # Only what is shown travels: the source stands in the page once, behind the copy button.
    shown = {"text/html": bundle["text/html"]} if "text/html" in bundle else dict(bundle)
    return ({"output_type": "display_data", "data": shown, "metadata": {}},)
