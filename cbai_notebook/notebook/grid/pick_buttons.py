"""The buttons under the answers of a grid: each does what ``%cbai pick`` does.

The grid is plain HTML, and so are its buttons. A widget without a view listens for them in the page;
nothing of it is in the file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from cbai_notebook.comparison.comparison import Comparison
from cbai_notebook.errors import CbaiError


class PickButtons(anywidget.AnyWidget):
    """Hears the buttons of one grid.

    Message to the kernel: ``pick``. Message to the browser: ``picked``.
    """

    _esm = (Path(__file__).parent / "pick_buttons.js").read_text(encoding="utf-8")

    uid = traitlets.Unicode().tag(sync=True)


_of_cells: dict[str, PickButtons] = {}


def listen(
    made: Comparison, uid: str, cell_id: str | None, failed: Callable[[CbaiError], None]
) -> None:
    """Pick an answer when its button is pressed, until the cell runs again.

    Args:
        made: The comparison.
        uid: The name by which the buttons of its grid are found.
        cell_id: The id of its cell.
        failed: Called with the error of a pick that is not possible any more; on any thread.
    """
    buttons = PickButtons(uid=uid)
    if cell_id is not None:
        _close(_of_cells.pop(cell_id, None))
        _of_cells[cell_id] = buttons

    def pick(number: int) -> None:
        try:
            made.pick(made.candidates[number - 1])
        except CbaiError as error:
            failed(error)
        else:
            buttons.send({"type": "picked", "number": number})

    def hear(_: Any, content: Any, __: Any) -> None:
        number = content.get("number") if isinstance(content, dict) else None
        if isinstance(number, int) and 0 < number <= len(made.candidates):
            # A pick waits for the disk, and the kernel must not.
            threading.Thread(target=pick, args=(number,), daemon=True).start()

    buttons.on_msg(hear)


def _close(buttons: PickButtons | None) -> None:
    if buttons is not None:
        buttons.close()
        buttons.layout.close()
