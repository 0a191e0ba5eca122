"""Ask the user before a source of tools starts what a file names, or sends what has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cbai_notebook.client.tools.source import UnconfirmedError
from cbai_notebook.notebook.frontend import NO_INPUT
from cbai_notebook.text import is_yes

T = TypeVar("T")


def asking_first(make: Callable[[], T]) -> T:
    """Return what a function makes of sources of tools; ask the user what has to be confirmed.

    Args:
        make: Called again after each confirmation.

    Raises:
        UnconfirmedError: The user did not agree, or nobody can answer.
    """
    while True:
        try:
            return make()
        except UnconfirmedError as error:
            try:
                agreed = is_yes(input(f"{error.question} "))
            except NO_INPUT:
                agreed = False
            if not agreed:
                raise
            error.source.confirm()
