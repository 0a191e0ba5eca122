"""The child process: the model's server, pip, or a command. It ends when its parent ends; the model's
server also when it is not used.

The parent starts this file by its path, ``child.py serve``, ``child.py pip ARGUMENTS…`` or ``child.py
command WORDS…``, so that neither the package nor the user's working directory has to be importable.

The parent keeps the other end of standard input open while it lives. The first line of the input of
``serve`` is the configuration as JSON, so that the key is visible neither in ``ps`` nor in the
environment; each later line says that a request follows. When the server is ready, it writes one line
``READY`` + JSON to standard output.

``command`` runs another program, which reads the parent's input itself. Of the program's output only
the lines that are JSON objects reach the parent: the messages of a server of the Model Context
Protocol, without what it prints beside them.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import TypedDict

READY = "cbai-local-server-ready "


class ServeConfig(TypedDict):
    """The configuration of the server.

    Keys:
        gguf: Path of the weights.
        name: Name of the model in responses.
        key: API key that every request must send.
        threads: Number of CPU threads.
        context: Tokens of prompt and answer together.
        idle_s: Seconds without use after which the server ends.
    """

    gguf: str
    name: str
    key: str
    threads: int
    context: int
    idle_s: float


# Parameters that were renamed or added after the oldest supported version. The key protects the
# server already; the page, the address and the origins are a second protection.
_NOT_IN_EVERY_VERSION: dict[str, object] = {
    "hostname": "127.0.0.1",
    "hostnames": ["127.0.0.1"],
    "webui": False,
    "ui": False,
    # By default any web page may send requests; "null" is the origin of a sandboxed page.
    # Nobody can own this domain (RFC 2606).
    "cors_origins": "https://nobody.invalid",
}


_COMPUTED_S = 0.05
_COMPUTED_SHARE = 0.01
"""An answer takes more processor time than this since the last use, and than this share of the time
since; waiting takes much less."""

_GRACE_S = 0.5
"""Seconds for the line of a request that was on its way when the time without use ended."""


class Idleness:
    """Knows how long the server was not used: no request was announced, and nothing was computed."""

    def __init__(self) -> None:
        self.use()

    def use(self) -> None:
        """Note that a request follows."""
        self._used_at = time.monotonic()
        self._computed_s = time.process_time()

    def seconds(self) -> float:
        """Return the seconds since the last use; an answer that is being generated is one."""
        unused_s = time.monotonic() - self._used_at
        computed_s = time.process_time() - self._computed_s
        if computed_s > max(_COMPUTED_S, _COMPUTED_SHARE * unused_s):
            self.use()
            return 0.0
        return unused_s


def end_when_idle(idleness: Idleness, limit_s: float) -> None:
    """End this process when it was not used for some seconds."""

    def watch() -> None:
        while True:
            time.sleep(max(limit_s / 20, 0.05))
            if idleness.seconds() > limit_s:
                time.sleep(_GRACE_S)
                if idleness.seconds() > limit_s:
                    os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def end_with_parent(on_line: Callable[[], None] = lambda: None) -> None:
    """End this process when its parent ends for any reason.

    Args:
        on_line: Called when the parent has written to standard input.

    Standard input reaches its end when the parent dies, on every system. A process that the parent
    forked can keep it open longer, so on POSIX the parent's id is watched too: it changes when the
    parent dies. The kernel's death signal is not usable: it is sent when the *thread* that started
    the child ends (prctl(2), PR_SET_PDEATHSIG).
    """

    def watch_input() -> None:
        # os.read, not sys.stdin: a blocked buffered reader is a fatal error at interpreter exit.
        while os.read(0, 4096):
            on_line()
        os._exit(0)

    threading.Thread(target=watch_input, daemon=True).start()
    when_parent_ends(lambda: os._exit(0))


def when_parent_ends(act: Callable[[], None]) -> None:
    """Call a function on a thread when the parent has ended; on POSIX only."""

    def watch(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(1)
        act()

    if os.name == "posix":
        threading.Thread(target=watch, args=(os.getppid(),), daemon=True).start()


def serve(config: ServeConfig, idleness: Idleness) -> None:
    """Serve one model on a free loopback port until the parent ends, or nobody uses it."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = config["gguf"]
    params.model_alias = {config["name"]}
    params.port = 0
    params.api_keys = [config["key"]]
    params.endpoint_slots = False
    params.n_ctx = config["context"]
    params.cache_ram_mib = 0  # the cache of other conversations' prompts; up to 8 GB by default
    params.cpuparams.n_threads = config["threads"]
    params.cpuparams_batch.n_threads = config["threads"]
    params.verbosity = 2  # errors and warnings
    for name, value in _NOT_IN_EVERY_VERSION.items():
        if hasattr(params, name):
            setattr(params, name, value)
    server = xllamacpp.Server(params)
    # The runtime may have left a line unfinished on the shared pipe.
    sys.stdout.write("\n" + READY + json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    idleness.use()
    end_when_idle(idleness, config["idle_s"])
    threading.Event().wait()


LONGEST_LINE = 32 * 1024 * 1024
"""The most bytes of a line that a command may write; the parent would keep it in memory."""

_LAST_WORDS = 4_000
"""The most bytes of the errors of a command that are passed on when it has ended."""

FLOODED, NOT_FOUND = 75, 127
"""The exit codes of a command that wrote a line that is too long, and of one that does not exist."""

_END_S = 2.0
"""Seconds that a command has to end by itself after the parent: it reads the end of its input."""

_KILL_S = 0.5
"""Seconds that what a command has started has to end after SIGTERM."""


def run_command(words: list[str]) -> int:
    """Run a program, pass its messages on, and return its exit code.

    This process leads a process group, which ends with it: the program and all that it started.
    """
    try:
        program = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        os.write(2, f"{error.strerror}: {words[0]}".encode("utf-8", "replace"))
        return NOT_FOUND
    assert program.stdout is not None and program.stderr is not None
    output, errors = program.stdout, program.stderr.fileno()
    when_parent_ends(lambda: _end_group(program, signal.SIGKILL))
    last_words = bytearray()
    flooded = threading.Event()

    def pass_messages_on() -> None:
        told = _Told()
        while line := output.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                flooded.set()
                program.kill()
                return
            if line.startswith(b"{"):
                for message in told.passed_on(line):
                    while message:
                        message = message[os.write(1, message) :]

    def keep_last_words() -> None:
        while piece := os.read(errors, 65_536):
            last_words[:] = (last_words + piece)[-_LAST_WORDS:]

    readers = [
        threading.Thread(target=read, daemon=True) for read in (pass_messages_on, keep_last_words)
    ]
    for reader in readers:
        reader.start()
    code = program.wait()
    for reader in readers:
        reader.join(_END_S / 10)  # what the program has started may hold its pipes open
    if flooded.is_set():
        last_words[:] = f"it wrote a line of more than {LONGEST_LINE:,} bytes".encode()
    os.write(2, bytes(last_words))
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_group(program, signal.SIGTERM)
        with contextlib.suppress(OSError):
            _kill_the_rest()
    if flooded.is_set():
        return FLOODED
    return code if code >= 0 else 128 - code


_OF_USE = frozenset(
    {"notifications/tools/list_changed", "notifications/subscriptions/acknowledged"}
)
"""The notifications that the parent has a use for."""


class _Told:
    """What a program tells without being asked, such as lines of its log: any number of messages.

    Of those that the parent has a use for, one of each kind is passed on, and the newest of the
    others behind the next answer.
    """

    def __init__(self) -> None:
        self._passed: set[str] = set()
        self._held: dict[str, bytes] = {}

    def passed_on(self, line: bytes) -> list[bytes]:
        """Return the messages that the parent gets when a program writes this one."""
        kind = _kind_of(line)
        if kind is None:
            self._passed = set(self._held)
            lines, self._held = [line, *self._held.values()], {}
            return lines
        if kind not in _OF_USE:
            return []
        if kind in self._passed:
            self._held[kind] = line
            return []
        self._passed.add(kind)
        return [line]


def _kind_of(line: bytes) -> str | None:
    """Return which notification a message is, ``""`` for an unknown one, and None for an answer."""
    if b'"notifications/' not in line:
        return None
    try:
        message = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(message, dict) or "id" in message:
        return None
    return str(message.get("method") or "")


def _end_group(program: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(_END_S)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, number)


def _kill_the_rest() -> None:
    """Kill what has not ended in this process group after `_KILL_S`.

    A process outside the group waits for it: this one belongs to the group and need not wait.
    """
    if sys.platform == "win32" or (group := os.getpgrp()) != os.getpid():
        return
    with warnings.catch_warnings():
        # Since Python 3.12 it warns of threads; the new process takes no lock of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        if os.fork():
            return
    try:
        os.setpgid(0, 0)
        os.closerange(0, 3)  # the parent reads them to their end
        deadline = time.monotonic() + _KILL_S
        while time.monotonic() < deadline:
            os.killpg(group, 0)  # an error if nobody is left
            time.sleep(0.01)
        os.killpg(group, signal.SIGKILL)
    finally:
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Run the program that the first argument names."""
    if arguments[0] == "command":
        # The program may leave processes behind that hold the pipes: no clean-up, which could wait.
        os._exit(run_command(arguments[1:]))
    if arguments[0] == "serve":
        config: ServeConfig = json.loads(sys.stdin.buffer.readline())
        idleness = Idleness()
        end_with_parent(idleness.use)
        serve(config, idleness)
    else:
        end_with_parent()
        sys.argv = arguments
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
