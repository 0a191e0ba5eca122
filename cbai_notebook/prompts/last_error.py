"""The text of the last error of the session, as a prompt sends it. No IPython."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException
from typing import Any

from cbai_notebook.text import plain

MOST_CHARS = 8_000
"""The most characters; of a longer text the beginning and the end are sent, where its cause is."""

_BEGINNING = MOST_CHARS // 4


def last_error(namespace: Mapping[str, Any]) -> str:
    """Return the traceback of the last error that ended a cell; empty if there was none.

    Frames of this package and of IPython are left out, and a cell is called ``In[3]``.

    Args:
        namespace: The user's variables, with IPython's list of the cells.
    """
    # IPython keeps it here, as Python's own prompt does; `last_exc` is new in Python 3.12.
    error = getattr(sys, "last_value", None)
    if not isinstance(error, BaseException):
        return ""
    found = TracebackException.from_exception(error)
    for each in _all_errors(found):
        each.stack = StackSummary.from_list(_frames_of_the_user(each.stack, namespace))
    text = plain("".join(found.format())).strip()
    if len(text) <= MOST_CHARS:
        return text
    return f"{text[:_BEGINNING]}\n…\n{text[_BEGINNING - MOST_CHARS :]}"


def _all_errors(error: TracebackException) -> Iterator[TracebackException]:
    """Yield an error, its causes, and the errors of a group."""
    errors = [error]
    for each in errors:
        yield each
        inner = (each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ()))
        errors += [one for one in inner if one is not None]


def _frames_of_the_user(
    stack: StackSummary, namespace: Mapping[str, Any]
) -> Iterator[FrameSummary]:
    ours = Path(__file__).parent.parent
    shells = (sys.modules.get(name) for name in ("IPython", "ipykernel"))
    hidden = [ours, *(Path(shell.__file__).parent for shell in shells if shell and shell.__file__)]
    for frame in stack:
        if not any(folder in Path(frame.filename).parents for folder in hidden):
            place = _cell_of(frame.filename, namespace) or frame.filename
            yield FrameSummary(place, frame.lineno, frame.name, lookup_line=False, line=frame.line)


def _cell_of(filename: str, namespace: Mapping[str, Any]) -> str:
    """Return the cell behind the name of a file that does not exist: ``In[3]``; or an empty string."""
    source = "".join(linecache.getlines(filename)).rstrip()
    cells = namespace.get("In")
    if not source or not isinstance(cells, list) or Path(filename).is_file():
        return ""
    numbers = reversed(range(len(cells)))
    number = next((one for one in numbers if str(cells[one]).rstrip() == source), None)
    return "" if number is None else f"In[{number}]"
