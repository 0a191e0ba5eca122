"""An answer in the panel: an Output widget for each sealed (final) part, and one open one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.panel.widgets import update
from cbai_notebook.notebook.screen.surfaces import Bundle, widget_output

if TYPE_CHECKING:
    from ipywidgets import Output

OPEN = "cbai-open"
"""CSS class of the output that is still repainted. The style sheet hides every output after it."""


class AnswerSurface:
    """Surface with one Output widget for each part: a paint sends only the parts that changed.

    A browser needs some time to create a widget, so a spare one is already on the page, hidden
    after the open one. When a part is sealed, the rest of the text is first written into the spare
    widget; then one message cuts the open output down to the sealed part and shows the spare widget.
    So no text disappears in between.

    Args:
        make: Creates an open Output widget.
        show: Called with all widgets whenever the list of widgets changes.
    """

    live = True
    repaints_all = False
    can_replace = True
    # Each part is a separate widget, so no application hides it as one of too many outputs of a cell.
    max_outputs = 120

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
        # From last to first: an output is closed only when the next one is written.
        changed = False
        for slot in reversed(range(self._count)):
            if slot in slots:
                changed |= self._write(slot, outputs_of(slots[slot]))
            elif previous - 1 <= slot:
                self._write(slot)
        # Not together with a seal, which is already much work for the page, nor at the very end.
        if changed and self._count == previous:
            self._require(self._count + 1)

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""
        self._count = 1
        self._write(0, outputs_of(bundle))
        self._truncate(1)

    def close(self) -> None:
        """Mark the last output as final, and remove the spare widget."""
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
    """Return the value of ``Output.outputs`` for one bundle."""
    # Only the HTML is sent: the page has the source once, for the copy button.
    return (widget_output(bundle, html_only=True),)
