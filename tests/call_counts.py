"""Count the package's own function calls from the start of a prompt until its request is sent."""

from __future__ import annotations

import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import cbai_notebook
from cbai_notebook import bridge

_PACKAGE = str(Path(cbai_notebook.__file__).parent) + "/"


ONCE = {
    "settings": ("client/settings", "settings"),
    "context": ("conversation/context", "context_of_turns"),
    "model spec": ("client/providers", "parse_model_spec"),
}
"""What is to be done once for a prompt, and the function that does it."""


class CallCounts:
    """The calls of functions of the package, in the order in which they are made.

    Args:
        port: The port of the server; counting ends when something is written to it.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.sent = False
        self.calls: list[tuple[str, str]] = []
        self._files: dict[int, list[str]] = {}
        # A coroutine or generator that goes on is no new call. Kept, so that no frame is reused.
        self._frames: set[FrameType] = set()

    @property
    def changes_of_file(self) -> int:
        """How often a call is in another file than the call before it on the same thread.

        How two threads alternate is chance, and no reader has to follow it.
        """
        return sum(one != other for files in self._files.values() for one, other in pairwise(files))

    @property
    def files(self) -> int:
        """The number of files with a call."""
        return len({file for file, _ in self.calls})

    def of(self, module: str, function: str) -> int:
        """Return how often a function was called: ``of("client/settings", "settings")``."""
        return Counter(self.calls)[f"{module}.py", function]

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        """Count one event; this is a function for `sys.setprofile`."""
        if self.sent:
            return
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(_PACKAGE):
            if frame in self._frames:
                return
            self._frames.add(frame)
            file = code.co_filename.removeprefix(_PACKAGE)
            self.calls.append((file, code.co_name))
            self._files.setdefault(threading.get_ident(), []).append(file)
        elif event == "c_call" and argument.__name__ in ("send", "sendall", "sendmsg"):
            to = getattr(argument, "__self__", None)
            # Other sockets wake up event loops.
            self.sent = isinstance(to, socket.socket) and _port_of(to) == self._port


def _port_of(connection: socket.socket) -> int | None:
    name = connection.getpeername() if connection.family == socket.AF_INET else None
    return name[1] if name else None


@contextmanager
def counting(port: int) -> Iterator[CallCounts]:
    """Count the calls on this thread and on the background loop, until a request is sent.

    Args:
        port: The port of the server that the request is sent to.
    """
    counts = CallCounts(port)
    _profile(counts.note)
    try:
        yield counts
    finally:
        _profile(None)


def _profile(function: Callable[[FrameType, str, Any], None] | None) -> None:
    async def there() -> None:
        sys.setprofile(function)

    sys.setprofile(None)
    bridge.run(there(), nested=False)
    sys.setprofile(function)
