"""Surfaces that a screen paints on: the outputs of a cell, or those of an Output widget."""

from __future__ import annotations

import sys
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from ipywidgets import Output

Bundle = dict[str, str]
"""One output in several formats: MIME type to text."""


class Surface(Protocol):
    """An ordered list of outputs, each of which can be painted again.

    Attributes:
        live: Whether what is painted can still be changed. If not, an answer is painted once, whole,
            at its end.
        repaints_all: Whether every paint sends all outputs again, so that its cost depends on the
            length of the whole answer, not of the part that changed.
        can_replace: Whether :meth:`replace` may be called.
        max_outputs: The maximum number of outputs for the sealed parts of an answer.
    """

    live: bool
    repaints_all: bool
    can_replace: bool
    max_outputs: int

    def __len__(self) -> int:
        """Return the number of outputs."""

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""

    def close(self) -> None:
        """Bring all outputs into their final state; nothing is painted afterwards."""


class CellSurface:
    """The outputs of the cell in which this object was made, also later and from any thread.

    Args:
        owns_cell: Whether all outputs of the cell are ours, so that they may be replaced by a
            single one at the end.
        live: Whether the frontend can change an output that it shows. Consoles such as Jupyter Console
            and Qt Console print each output once, as plain text, and ignore all updates.
        shell: The IPython shell; the running one by default.
    """

    repaints_all = False
    # JupyterLab hides the outputs of a cell after the fiftieth.
    max_outputs = 40

    def __init__(
        self, *, owns_cell: bool, live: bool = True, shell: InteractiveShell | None = None
    ) -> None:
        if shell is None:
            from IPython.core.interactiveshell import InteractiveShell

            shell = InteractiveShell.instance()
        self.live = live
        self.can_replace = owns_cell and live
        self._ids: list[str] = []
        self._id_prefix = uuid.uuid4().hex[:12]
        self._publisher: Any = shell.display_pub
        # Kernels route an output by the header of the request; outside a kernel there is no header.
        self._cell: dict[str, Any] | None = dict(
            getattr(self._publisher, "parent_header", None) or {}
        )
        self._thread = threading.get_ident()

    def __len__(self) -> int:
        return len(self._ids)

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""
        for slot, bundle in slots.items():
            if slot < len(self._ids):
                self._show(bundle, self._ids[slot], update=True)
            else:
                self._add(bundle, f"{self._id_prefix}-{slot}")

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output of the cell."""
        # With `wait` the old outputs stay until the new one arrives, so the page does not jump.
        self._clear()
        self._ids = []
        self._add(bundle, f"{self._id_prefix}-whole")

    def close(self) -> None:
        """Do nothing: every output is already in its final state."""

    def _add(self, bundle: Bundle, display_id: str) -> None:
        self._show(bundle, display_id)
        # After sending, so that an output whose sending was interrupted is sent again, not updated.
        self._ids.append(display_id)

    def _show(self, bundle: Bundle, display_id: str, *, update: bool = False) -> None:
        transient = {"display_id": display_id}
        if not self._could_reach_another_cell():
            self._publisher.publish(data=bundle, metadata={}, transient=transient, update=update)
            return
        if not update:
            sys.stdout.flush()
        self._send(
            "update_display_data" if update else "display_data",
            {"data": bundle, "metadata": {}, "transient": transient},
        )

    def _clear(self) -> None:
        if self._could_reach_another_cell():
            self._send("clear_output", {"wait": True})
        else:
            self._publisher.clear_output(wait=True)

    def _could_reach_another_cell(self) -> bool:
        """Return whether an ordinary publish from this thread could reach another cell.

        ipykernel before 7 keeps one current cell for all threads, later versions one per context.
        """
        if not self._cell:
            return False
        return threading.get_ident() != self._thread or self._publisher.parent_header != self._cell

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        publisher = self._publisher
        publisher.session.send(
            publisher.pub_socket, kind, content, parent=self._cell, ident=publisher.topic
        )


class RepaintedSurface(ABC):
    """Outputs that are shown all together: every paint sends all of them."""

    live = True
    repaints_all = True
    can_replace = True
    max_outputs = 40

    def __init__(self) -> None:
        self._bundles: list[Bundle] = []

    def __len__(self) -> int:
        return len(self._bundles)

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Paint outputs, lowest number first; the number one past the last adds an output."""
        for slot, bundle in slots.items():
            self._bundles[slot : slot + 1] = [bundle]
        self._show(is_final=False)

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output."""
        self._bundles = [bundle]
        self._show(is_final=True)

    @abstractmethod
    def close(self) -> None:
        """Show the outputs in their final state, if they are not yet."""

    @abstractmethod
    def _show(self, *, is_final: bool) -> None:
        """Show all outputs; other paints may follow unless they are final."""


class OutputSurface(RepaintedSurface):
    """The outputs of an Output widget; its former outputs are replaced.

    Only the ``outputs`` trait is assigned, which is safe from any thread and needs no running cell.
    Every assignment sends all outputs, so while the answer streams only the format that is shown is
    sent; the other formats follow at the end.

    Args:
        output: The widget.
        stays: Whether its content stays; if it will be replaced, the other formats are never sent.
    """

    def __init__(self, output: Output, *, stays: bool = True) -> None:
        super().__init__()
        self._output = output
        self._stays = stays

    def close(self) -> None:
        """Send the outputs in all their formats, if they stay."""
        if self._stays:
            self._show(is_final=True)

    def _show(self, *, is_final: bool) -> None:
        html_only = not (is_final and self._stays)
        self._output.outputs = tuple(
            widget_output(bundle, html_only=html_only) for bundle in self._bundles
        )


class BundleSurface:
    """A surface that is painted once, and keeps what was painted."""

    live = False
    repaints_all = False
    can_replace = False
    max_outputs = 40

    def __init__(self) -> None:
        self._bundles: list[Bundle] = []

    @property
    def bundle(self) -> Bundle:
        """What was painted, as one output."""
        names = dict.fromkeys(name for each in self._bundles for name in each)
        return {name: "".join(each.get(name, "") for each in self._bundles) for name in names}

    def __len__(self) -> int:
        return len(self._bundles)

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        """Keep outputs."""
        self._bundles += slots.values()

    def replace(self, bundle: Bundle) -> None:
        """Do nothing: what is painted once is never replaced."""

    def close(self) -> None:
        """Do nothing: all is kept already."""


def widget_output(bundle: Bundle, *, html_only: bool) -> dict[str, Any]:
    """Return a bundle as an element of ``Output.outputs``.

    Args:
        bundle: The bundle.
        html_only: Whether the other formats are omitted when there is HTML.
    """
    shown = (
        {"text/html": bundle["text/html"]} if html_only and "text/html" in bundle else dict(bundle)
    )
    return {"output_type": "display_data", "data": shown, "metadata": {}}
