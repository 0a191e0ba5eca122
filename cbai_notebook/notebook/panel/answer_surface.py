"""An answer in the panel: one Output widget for each stretch that can no longer change, and one for the tail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.panel.widgets import update
from cbai_notebook.notebook.screen.surfaces import Bundle

if TYPE_CHECKING:
    from ipywidgets import Output

OPEN = "cbai-open"
"""Class of the output that is still painted again. What follows it on the page is not shown."""


class AnswerSurface:
    """Outputs that are painted one by one, so that a paint costs what has changed and not the whole.

    The page makes a new widget in its own time. So one more than is needed stands on the page, unseen
    behind the open one; when a stretch is sealed the tail is written into it, and then one message
    shrinks the open output to what is sealed and lets the tail be seen. Text never goes away between.

    Args:
        make: Makes an Output widget that is open.
        show: Called with the widgets when there are others than before.
    """

    repaints_all = False
    can_replace = True
    # Each is a widget of its own, so no application hides any.
    most_outputs = 120

    def __init__(
        self,
        make: Callable[[], Output],
        show: Callable[[Sequence[Output]], None],
    ) -> None:
        self._make = make
        self._show = show
        self._count = 0
        self._widgets: list[Output] = []
        self._require(1)

    def __len__(self) -> int:
        return self._count

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""
        previous = self._count
        self._count = max(previous, *(slot + 1 for slot in slots))
        self._require(self._count)
        # From the end, so that the old tail is closed when what follows it is in place.
        changed = False
        for slot in reversed(range(self._count)):
            if slot in slots:
                changed |= self._write(slot, outputs_of(slots[slot]))
            elif previous - 1 <= slot:
                self._write(slot)
        # Not together with a seal, which is work enough for one moment, nor at the very end.
        if changed and self._count == previous:
            self._require(self._count + 1)

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""
        self._count = 1
        self._write(0, outputs_of(bundle))
        self._truncate(1)

    def close(self) -> None:
        """Mark the last output as one that stays."""
        self._truncate(self._count)
        for widget in self._widgets:
            update(widget, _dom_classes=_classes(widget, is_open=False))

    def _write(self, slot: int, outputs: tuple[dict[str, Any], ...] | None = None) -> bool:
        widget = self._widgets[slot]
        return update(
            widget,
            outputs=widget.outputs if outputs is None else outputs,
            _dom_classes=_classes(widget, is_open=slot == self._count - 1),
        )

    def _require(self, count: int) -> None:
        missing = [self._make() for _ in range(len(self._widgets), count)]
        if missing:
            self._widgets += missing
            self._show(self._widgets)

    def _truncate(self, count: int) -> None:
        kept, surplus = self._widgets[:count], self._widgets[count:]
        if surplus:
            self._widgets = kept
            self._show(kept)
        for widget in surplus:
            widget.close()


def _classes(widget: Output, *, is_open: bool) -> tuple[str, ...]:
    others = tuple(name for name in widget._dom_classes if name != OPEN)
    return (*others, OPEN) if is_open else others


def outputs_of(bundle: Bundle) -> tuple[dict[str, Any], ...]:
    """Return what the widget of one output holds."""
    # Only what is shown travels: the source stands in the page once, behind the copy button.
    shown = {"text/html": bundle["text/html"]} if "text/html" in bundle else dict(bundle)
    return ({"output_type": "display_data", "data": shown, "metadata": {}},)
