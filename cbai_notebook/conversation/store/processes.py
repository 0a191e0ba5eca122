"""Processes that share one history: which of them are alive."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from cbai_notebook.files import try_lock
from cbai_notebook.forks import register_fork_hooks


class LiveProcesses:
    """Lock files that show which processes are alive.

    Each process locks a file named after it; the system releases the lock when the process ends,
    however it ends.

    Args:
        folder: The folder of the lock files; made with the first of them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._name = ""
        register_fork_hooks(self)

    @property
    def name(self) -> str:
        """The name of this process; its lock file is made when the name is first read."""
        while not self._name:
            name = uuid.uuid4().hex
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._file(name), os.O_RDWR | os.O_CREAT, 0o600)
            with contextlib.suppress(OSError):  # a file system without locks
                try_lock(descriptor)
            # Another process may have removed the file in `remove_ended` before it was locked.
            if self._file(name).exists():
                self._name, self._descriptor = name, descriptor
            else:
                os.close(descriptor)
        return self._name

    def remove_ended(self) -> None:
        """Remove the lock files of processes that have ended."""
        for file in self._folder.glob("*.lock"):
            self.has_ended(file.stem)

    def is_me(self, name: str | None) -> bool:
        """Return whether a name is that of this process."""
        return bool(name) and name == self._name

    def has_ended(self, name: str) -> bool:
        """Return whether the process of a name has ended; if so, remove its lock file."""
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
            # Without locks this is unknown. An answer that still streams corrects it when it ends.
            return True
        finally:
            os.close(descriptor)
        if free:
            with contextlib.suppress(OSError):
                file.unlink()
        return free

    def close(self) -> None:
        """Release the lock of this process and remove its file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            with contextlib.suppress(OSError):
                self._file(self._name).unlink()
        self._descriptor, self._name = None, ""

    def before_fork(self) -> None:
        """Do nothing: the parent keeps its lock."""

    def after_fork(self, *, in_child: bool) -> None:
        """Close the lock file in the child, which would hold the lock after the parent's end."""
        if in_child and self._descriptor is not None:
            os.close(self._descriptor)
        if in_child:
            self._descriptor, self._name = None, ""

    def _file(self, name: str) -> Path:
        # The name is read from the history file, which anyone could have written.
        return self._folder / f"{Path(name).name}.lock"


class OnlyThisProcess:
    """The only process that uses a history in memory; the same methods as :class:`LiveProcesses`."""

    name = "this process"

    def remove_ended(self) -> None:
        """Do nothing: there are no lock files."""

    def is_me(self, name: str | None) -> bool:
        """Return whether a name is that of this process."""
        return name == self.name

    def has_ended(self, name: str) -> bool:
        """Return False: this process runs."""
        return False

    def close(self) -> None:
        """Do nothing: there is no lock."""
