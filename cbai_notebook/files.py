"""Paths as people write them."""

from __future__ import annotations

import os
from pathlib import Path

from cbai_notebook.errors import UsageError


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with ``~`` filled in.

    Raises:
        UsageError: It is in the home of somebody who is not known here.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"{os.fspath(path)}: there is no such home directory. Write the whole path."
        ) from error
