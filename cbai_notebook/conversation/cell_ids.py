"""The ids of the cells in a notebook's file, read without parsing a large file."""

from __future__ import annotations

import functools
import json
import os
import re
import stat
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

LARGEST_FILE = 512 * 1024 * 1024
"""Bytes; a larger notebook is not read."""

LARGEST_PARSED = 4 * 1024 * 1024
"""Bytes; of a larger file the ids are found only if its lines are indented, as Jupyter writes them."""

MOST_CELLS = 10_000

_PIECE = 4 * 1024 * 1024
# The ids that the notebook format allows: https://nbformat.readthedocs.io/en/latest/format_description.html
_ID = r"[a-zA-Z0-9_-]{1,64}"
_FIRST_KEY = re.compile(rb'\{\r?\n( {1,8}|\t)"')
_LONGEST_MATCH = 256


def is_cell_id(value: Any) -> TypeGuard[str]:
    """Return whether a cell in a file can have this id."""
    return isinstance(value, str) and re.fullmatch(_ID, value) is not None


def cell_ids(file: Path) -> frozenset[str]:
    """Return the ids of the cells in a notebook's file.

    Only an id of a cell counts: an output or metadata may hold ids of another notebook.

    Returns:
        The ids, at most :data:`MOST_CELLS`; empty if the file cannot be read, is not complete, or has
        none, as before version 4.5 of the format.
    """
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST_FILE:
            return frozenset()
        with file.open("rb") as opened:
            if about.st_size <= LARGEST_PARSED:
                return _ids_in(json.loads(opened.read(LARGEST_PARSED)))
            if first := _FIRST_KEY.match(opened.read(_LONGEST_MATCH)):
                opened.seek(0)
                return _ids_by_indent(opened, about.st_size, first[1])
    except (OSError, ValueError, RecursionError):  # ValueError: also a path with a null character
        pass
    return frozenset()


def _ids_by_indent(opened: BinaryIO, size: int, indent: bytes) -> frozenset[str]:
    """Find ids by their depth: parsing would take seconds for a notebook with many figures.

    A text in the file has no real line breaks, so the indent of a line is its depth: one for the
    keys of the notebook, three for those of a cell.
    """
    pattern = re.compile(
        rb'\n(?:%b"(\w{1,64})":|%b"id": {0,8}"(%b)")' % (indent, 3 * indent, _ID.encode())
    )
    ids: set[str] = set()
    rest, in_cells = b"", False
    for piece in iter(functools.partial(opened.read, _PIECE), b""):
        text, end = rest + piece, 0
        for match in pattern.finditer(text):
            end = match.end()
            if match[1] is not None:
                in_cells = match[1] == b"cells"
            elif in_cells:
                ids.add(match[2].decode())
        if len(ids) >= MOST_CELLS:
            break
        rest = text[max(end, len(text) - _LONGEST_MATCH) :]
    opened.seek(-min(size, _LONGEST_MATCH), os.SEEK_END)
    return frozenset(ids if opened.read().rstrip().endswith(b"}") else ())


def _ids_in(notebook: Any) -> frozenset[str]:
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    cells = cells if isinstance(cells, list) else []
    found = [each.get("id") for each in cells if isinstance(each, dict)]
    return frozenset([id for id in found if is_cell_id(id)][:MOST_CELLS])
