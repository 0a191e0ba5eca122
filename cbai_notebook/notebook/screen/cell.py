"""An answer under a notebook cell."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.screen.surfaces import Bundle

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class CellSurface:
    """The outputs of the cell in which this object was made, however long ago and from any thread.

    Args:
        owns_cell: Whether everything under the cell is ours, so that it may be cleared for one clean
            output at the end.
        shell: The IPython shell; the running one by default.
    """

    repaints_all = False
    # JupyterLab hides what comes after the fiftieth output of a cell.
    most_outputs = 40

    def __init__(self, *, owns_cell: bool, shell: InteractiveShell | None = None) -> None:
        if shell is None:
            from IPython.core.interactiveshell import InteractiveShell

            shell = InteractiveShell.instance()
        self.can_replace = owns_cell
        self._ids: list[str] = []
        self._prefix = uuid.uuid4().hex[:12]
        self._publisher: Any = shell.display_pub
        # Kernels route an output by the request that it answers. Outside a kernel there is no such thing.
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
                self._add(bundle, f"{self._prefix}-{slot}")

    def replace(self, bundle: Bundle) -> None:
        """Make `bundle` the only output of the cell."""
        # With `wait` the old outputs stand until the new one comes, so the page does not jump.
        self._clear()
        self._ids = []
        self._add(bundle, f"{self._prefix}-whole")

    def close(self) -> None:
        """Do nothing: every output is already in its last state."""

    def _add(self, bundle: Bundle, display_id: str) -> None:
        self._show(bundle, display_id)
        # Only now, so that an output whose sending was interrupted is sent again, not updated.
        self._ids.append(display_id)

    def _show(self, bundle: Bundle, display_id: str, *, update: bool = False) -> None:
        transient = {"display_id": display_id}
        if not self._is_elsewhere():
            self._publisher.publish(data=bundle, metadata={}, transient=transient, update=update)
            return
        if not update:
            sys.stdout.flush()
        self._send(
            "update_display_data" if update else "display_data",
            {"data": bundle, "metadata": {}, "transient": transient},
        )

    def _clear(self) -> None:
        if self._is_elsewhere():
            self._send("clear_output", {"wait": True})
        else:
            self._publisher.clear_output(wait=True)

    def _is_elsewhere(self) -> bool:
        """Whether an ordinary publish from here could reach another cell.

        Kernels before 7 keep one current cell for all threads, later ones one for each context.
        """
        if not self._cell:
            return False
        return threading.get_ident() != self._thread or self._publisher.parent_header != self._cell

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        publisher = self._publisher
        publisher.session.send(
            publisher.pub_socket, kind, content, parent=self._cell, ident=publisher.topic
        )
