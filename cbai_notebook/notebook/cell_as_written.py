"""``%%cbai`` cells that reach the magic as they are written.

IPython cleans every cell before any magic sees it: it removes ``>>> ``, ``... `` and ``In [1]: `` from the
beginnings of lines, and blanks from blank lines. In a prompt they are part of the text. This
transformer runs first, and makes a cell that begins with ``%%cbai`` one call of the magic.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Blank lines, and then `%%cbai` on the first line, or below other cell magics such as `%%time`, which
# run the rest of the cell as a cell.
# Compiled with the first such cell, not when the extension is loaded.
_BEGINNING = (
    r"(?:[^\S\n]*\n)*(?P<cell>(?P<indent>[ \t]*)(?:%%\w[^\n]*\n(?P=indent))*?%%cbai(?=\s).*)"
)
_FIRST_LINE = r"%%(?P<name>\S+)\s*(?P<line>.*)"


def register(shell: InteractiveShell) -> None:
    """Keep ``%%cbai`` cells as they are written; a second call changes nothing."""
    unregister(shell)
    shell.input_transformer_manager.cleanup_transforms.insert(0, keep_as_written)


def unregister(shell: InteractiveShell) -> None:
    """Remove the transformer from a shell."""
    transforms = shell.input_transformer_manager.cleanup_transforms
    transforms[:] = [each for each in transforms if each is not keep_as_written]


def keep_as_written(lines: list[str]) -> list[str]:
    """Return the call of the magic for a ``%%cbai`` cell, and the lines of any other cell unchanged.

    Args:
        lines: The lines of the cell with their ends; the last one has an end too.
    """
    if not any("%%cbai" in line for line in lines):
        return lines
    beginning = re.match(_BEGINNING, "".join(lines), re.DOTALL)
    if not beginning:
        return lines
    cell = beginning["cell"]
    if indent := beginning["indent"]:
        if not all(line.startswith(indent) or not line.strip() for line in cell.split("\n")):
            return lines  # not a magic: IPython reports it
        cell = re.sub(f"^{indent}", "", cell, flags=re.MULTILINE)
    first, _, body = cell.partition("\n")
    magic = re.match(_FIRST_LINE, first.rstrip())
    assert magic
    call = f"get_ipython().run_cell_magic({magic['name']!r}, {magic['line']!r}, {body!r})\n"
    return [call]


# `check_complete` skips such a transformer. It has to see the `%%`, so that a console waits for a blank
# line before it runs the cell.
keep_as_written.has_side_effects = True  # type: ignore[attr-defined]
