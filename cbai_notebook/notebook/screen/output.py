"""An answer in an ``ipywidgets.Output`` of the user's own, wherever they placed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.screen.surfaces import Bundle

if TYPE_CHECKING:
    from ipywidgets import Output


class OutputSurface:
    """The outputs of an Output widget; what it held before is replaced.

    Only the ``outputs`` trait is assigned, which is safe from any thread and needs no cell that runs.
    Every assignment sends all outputs, so while the answer comes they travel in the one form that is
    shown; the others follow when it is complete.

    Args:
        output: The widget.
    """

    repaints_all = True
    can_replace = True
    most_outputs = 40

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bundles: list[Bundle] = []

    def __len__(self) -> int:
        return len(self._bundles)

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""
        for slot, bundle in slots.items():
            self._bundles[slot : slot + 1] = [bundle]
        self._assign(light=True)

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""
        self._bundles = [bundle]
        self._assign(light=False)

    def close(self) -> None:
        """Send the outputs in all their forms."""
        self._assign(light=False)

    def _assign(self, *, light: bool) -> None:
        self._output.outputs = tuple(_record(bundle, light=light) for bundle in self._bundles)


def _record(bundle: Bundle, *, light: bool) -> dict[str, Any]:
    shown = {"text/html": bundle["text/html"]} if light and "text/html" in bundle else dict(bundle)
    return {"output_type": "display_data", "data": shown, "metadata": {}}
