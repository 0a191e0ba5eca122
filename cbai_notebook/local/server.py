"""The model's server: one child process for each GGUF file, started by the first request.

A child process protects the kernel from a crash of the native code. It ends with this process, and
when it was not used for :data:`IDLE_SECONDS`. If it has ended, the next request starts a new one.
"""

from __future__ import annotations

import atexit
import http.client
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cbai_notebook.errors import LocalModelError
from cbai_notebook.i18n import say
from cbai_notebook.local.child import READY, ServeConfig

POLL_SECONDS = 0.05
START_SECONDS = 600.0
"""Seconds to wait for a start: a big file on a slow disk takes minutes to load."""

IDLE_SECONDS = 600.0
"""Seconds without use after which a server ends; the next request starts it again."""

CONTEXT_TOKENS = 8192
"""The context length that SmolLM2 was trained with; it takes 190 MB of memory."""

MOST_THREADS = 4
"""More threads do not make a small model faster, and the notebook needs some too."""

_ILLEGAL_INSTRUCTION = (-4, 0xC000001D)  # exit codes on POSIX and Windows


@dataclass(frozen=True)
class Address:
    """The address and the key of a server.

    Attributes:
        url: Base URL, without a path.
        key: Key for the ``Authorization: Bearer`` header.
    """

    url: str
    key: str = field(repr=False)


class _Server:
    """A child process that serves one file."""

    def __init__(self, gguf: Path, name: str) -> None:
        self.gguf = gguf
        self.key = secrets.token_urlsafe(32)
        self.url = ""
        self._tail: deque[str] = deque(maxlen=20)
        # Set when the child has reported its URL, or has ended.
        self._ready_or_ended = threading.Event()
        child_input, self.lifeline = os.pipe()
        output, child_output = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("child.py")), "serve"],
                stdin=child_input,
                stdout=child_output,
                stderr=child_output,
                cwd=gguf.parent,
                # If waiting threads spin, a busy machine drops to 2 tokens a second.
                env={**os.environ, "OMP_WAIT_POLICY": "passive"},
                start_new_session=True,  # an interrupt of the kernel must not reach the child
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except BaseException:
            os.close(self.lifeline)
            os.close(output)
            raise
        finally:
            os.close(child_input)
            os.close(child_output)
        # Descriptors, not file objects: a forked process could inherit their locks locked.
        threading.Thread(target=self._listen, args=(output,), daemon=True).start()
        config: ServeConfig = {
            "gguf": str(gguf),
            "name": name,
            "key": self.key,
            "threads": min(_processors(), MOST_THREADS),
            "context": CONTEXT_TOKENS,
            "idle_s": IDLE_SECONDS,
        }
        os.write(self.lifeline, json.dumps(config).encode() + b"\n")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def announce_request(self) -> bool:
        """Tell the child that a request follows; return whether it is there to answer."""
        try:
            os.write(self.lifeline, b"\n")
        except OSError:  # it has ended
            return False
        return self.alive

    def wait_until_ready(self, cancel: threading.Event) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready_or_ended.wait(POLL_SECONDS):
            if cancel.is_set():
                raise LocalModelError(say("offline.start_stopped"))
            if time.monotonic() > deadline:
                raise LocalModelError(say("offline.start_too_slow", seconds=f"{START_SECONDS:.0f}"))
        if not self.url:
            self.process.wait()
            raise self._start_error()
        while not _is_healthy(self.url):
            if not self.alive or time.monotonic() > deadline:
                raise self._start_error()
            cancel.wait(POLL_SECONDS)
            if cancel.is_set():
                raise LocalModelError(say("offline.start_stopped"))

    def stop(self) -> None:
        """Kill the child and wait until it has ended."""
        self.process.kill()
        self.process.wait()
        os.close(self.lifeline)

    def _listen(self, output: int) -> None:
        """Read the child's output until it ends, so that a full pipe never blocks it."""
        with open(output, "rb", buffering=0) as raw:
            rest = b""
            while data := raw.read(65536):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._handle_line(line.decode("utf-8", "replace").strip())
            self._handle_line(rest.decode("utf-8", "replace").strip())
        self._ready_or_ended.set()

    def _handle_line(self, line: str) -> None:
        if line.startswith(READY):
            self.url = json.loads(line.removeprefix(READY))["url"]
            self._ready_or_ended.set()
        elif line:
            self._tail.append(line)

    def _start_error(self) -> LocalModelError:
        output_tail = "\n".join(self._tail)
        if "libgomp" in output_tail:
            return LocalModelError(say("offline.no_openmp", command="apt-get install libgomp1"))
        code = self.process.poll()
        if code in _ILLEGAL_INSTRUCTION:
            return LocalModelError(
                say("offline.old_processor", command="python -m pip install -U xllamacpp")
            )
        return LocalModelError(
            say(
                "offline.did_not_start",
                name=self.gguf.name,
                code=code,
                output=output_tail or say("offline.nothing"),
            )
        )


_servers: dict[Path, _Server] = {}
_starting = threading.Lock()
_inherited: list[dict[Path, _Server]] = []


def serving(gguf: Path) -> Address | None:
    """Return the address for a request to a file's server if it runs already; do not wait."""
    server = _servers.get(gguf)
    return Address(server.url, server.key) if server and server.announce_request() else None


def ensure(gguf: Path, name: str, cancel: threading.Event) -> Address:
    """Start the server of a file unless it runs, wait until it is ready, return its address.

    Args:
        gguf: Absolute path of the weights.
        name: Name of the model in responses.
        cancel: An event that another thread sets to stop waiting and end the starting child.

    Raises:
        LocalModelError: It does not start; the message holds the end of the child's output.
    """
    while not _starting.acquire(timeout=POLL_SECONDS):
        if cancel.is_set():
            raise LocalModelError(say("offline.start_stopped"))
    try:
        if address := serving(gguf):
            return address
        if ended := _servers.pop(gguf, None):
            ended.stop()
        try:
            server = _Server(gguf, name)
        except OSError as error:
            raise LocalModelError(say("offline.cannot_start", error=error)) from error
        try:
            server.wait_until_ready(cancel)
        except BaseException:
            server.stop()
            raise
        _servers[gguf] = server
        return Address(server.url, server.key)
    finally:
        _starting.release()


def stop_all() -> None:
    """Stop every server that this process started."""
    while _servers:
        _servers.popitem()[1].stop()


def _forget_inherited() -> None:
    """In a forked process, release the parent's servers, so that they end with the parent."""
    global _starting
    _starting = threading.Lock()
    for server in _servers.values():
        os.close(server.lifeline)
    _inherited.append(dict(_servers))  # kept, or their finalisers would run in this process
    _servers.clear()


def _processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_healthy(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


atexit.register(stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_inherited)
