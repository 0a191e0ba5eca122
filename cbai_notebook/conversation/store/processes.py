"""Which processes are still there: each holds a lock on a file of its own until it ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from cbai_notebook.conversation.store import forking
from cbai_notebook.files import try_lock


class LiveProcesses:
    """This process's own sign of life, and a look at those of others.

    Args:
        folder: Where the files are; made when the first is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._name = ""
        forking.watch(self)

    @property
    def name(self) -> str:
        """What this process is called; the first look at it makes the file."""
        while not self._name:
            name = uuid.uuid4().hex
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._file(name), os.O_RDWR | os.O_CREAT, 0o600)
            with contextlib.suppress(OSError):  # a file system without locks
                try_lock(descriptor)
            # Another process that tidies up may have taken the file before it was locked.
            if self._file(name).exists():
                self._name, self._descriptor = name, descriptor
            else:
                os.close(descriptor)
        return self._name

    def tidy(self) -> None:
        """Take away the files of processes that are gone."""
        for file in self._folder.glob("*.lock"):
            self.has_ended(file.stem)

    def is_me(self, name: str | None) -> bool:
        """Return whether a name is this process's."""
        return bool(name) and name == self._name

    def has_ended(self, name: str) -> bool:
        """Return whether the process of a name is gone; its file goes with it."""
        if self.is_me(name):
            return False
        file = self._file(name)
        try:
            descriptor = os.open(file, os.O_RDWR)
        except OSError:
            return True
        try:
            free = try_lock(descriptor)
        except OSError:
            # Without locks nobody can tell. An answer that does go on puts this right when it ends.
            return True
        finally:
            os.close(descriptor)
        if free:
            with contextlib.suppress(OSError):
                file.unlink()
        return free

    def close(self) -> None:
        """Take the sign away."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            with contextlib.suppress(OSError):
                self._file(self._name).unlink()
        self._descriptor, self._name = None, ""

    def before_fork(self) -> None:
        """Do nothing yet."""

    def after_fork(self, *, in_child: bool) -> None:
        """Let go of the parent's lock in a child, which would hold it beyond the parent's end."""
        if in_child and self._descriptor is not None:
            os.close(self._descriptor)
        if in_child:
            self._descriptor, self._name = None, ""

    def _file(self, name: str) -> Path:
        # The name comes out of a file that anyone could have written.
        return self._folder / f"{Path(name).name}.lock"
