"""A real kernel in a child process, and the outputs that a frontend would show."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpec

from tests.gateway import DEFAULT_KEY

Message = dict[str, Any]
PATIENCE = 120.0  # seconds that a test waits for an expected event


@dataclass
class Cell:
    """One execute request, as a frontend sees it."""

    id: str
    code: str
    messages: list[Message] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] | None = None
    idle: bool = False
    bytes: int = 0
    _clear_next: bool = False
    _displays: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``ok``, ``error`` or ``aborted``, as the kernel replied."""
        assert self.reply is not None, "the cell has not ended"
        return str(self.reply["status"])

    @property
    def ended(self) -> bool:
        """Return whether the kernel has replied and is idle."""
        return self.reply is not None and (self.idle or self.reply["status"] == "aborted")

    @property
    def stdout(self) -> str:
        """The printed text."""
        return "".join(o["text"] for o in self.outputs if o.get("name") == "stdout")

    @property
    def html(self) -> str:
        """The HTML of the outputs on the screen, in order."""
        return "\n".join(o.get("data", {}).get("text/html", "") for o in self.outputs)

    @property
    def text(self) -> str:
        """The plain text of the outputs on the screen, in order."""
        return "\n".join(
            o.get("text") or o.get("data", {}).get("text/plain", "") for o in self.outputs
        )

    @property
    def error(self) -> dict[str, Any]:
        """The error output; there must be exactly one."""
        (error,) = [o for o in self.outputs if o["output_type"] == "error"]
        return error

    def take(self, message: Message, size: int) -> None:
        """Apply one message of the kernel as the Jupyter messaging protocol says."""
        self.messages.append(message)
        self.bytes += size
        kind, content = message["msg_type"], message["content"]
        if kind == "status":
            self.idle = content["execution_state"] == "idle"
        elif kind == "clear_output":
            self._clear_next = bool(content.get("wait"))
            if not self._clear_next:
                self._clear()
        elif kind == "update_display_data":
            for output in self._displays.get(content["transient"]["display_id"], ()):
                output["data"], output["metadata"] = content["data"], content["metadata"]
        elif kind in {"stream", "display_data", "execute_result", "error"}:
            self._append(message)

    def _clear(self) -> None:
        self.outputs.clear()
        self._displays.clear()

    def _append(self, message: Message) -> None:
        if self._clear_next:
            self._clear_next = False
            self._clear()
        output = nbformat.v4.output_from_msg(message)
        last = self.outputs[-1] if self.outputs else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
            return
        self.outputs.append(output)
        display_id = message["content"].get("transient", {}).get("display_id")
        if display_id:
            self._displays.setdefault(display_id, []).append(output)


def assert_one_readable_line(cell: Cell) -> None:
    """Check that the cell failed without a traceback of ours."""
    assert cell.status == "error"
    (line,) = cell.error["traceback"]
    assert "\n" not in line.strip()
    assert line.strip().startswith(cell.error["ename"])
    for trace in ("Traceback", "File ", "site-packages", "cbai_notebook/", ".py"):
        assert trace not in line
    assert DEFAULT_KEY not in line


def notebook_of(cells: Iterable[Cell]) -> nbformat.NotebookNode:
    """Build the notebook that a frontend would save, and validate it against the format."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(cell.code, outputs=cell.outputs, execution_count=number)
            for number, cell in enumerate(cells, 1)
        ]
    )
    nbformat.validate(notebook)
    return notebook


class Kernel:
    """A running kernel: queue cells, read their outputs while they run, interrupt, kill.

    Args:
        environment: The environment of the kernel process.
        directory: The working directory of the kernel process.

    Attributes:
        names_cells: Whether each request names its cell, as those of a notebook do, or not, as those
            of a console.
        comms: The ids of the comms that are open, as a frontend sees them.
        bytes: The bytes of all outputs and comm messages so far, of cells and of widgets.
    """

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self._sockets = tempfile.TemporaryDirectory(prefix="cbai-kernel-")
        # Over TCP, another process can take a port between its choice and its use.
        self._manager = KernelManager(transport="ipc", ip=str(Path(self._sockets.name, "ipc")))
        # Our own spec, so that the kernels installed on this machine do not matter.
        self._manager._kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="test",
            language="python",
            interrupt_mode="signal",
        )
        self._environment = environment
        self._directory = directory
        self._cells: dict[str, Cell] = {}
        self._replies: dict[str, dict[str, Any]] = {}  # replies to requests other than cells
        self.names_cells = True
        self.comms: set[str] = set()
        self.bytes = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._start(first=True)

    @property
    def pid(self) -> int:
        """The kernel's process id."""
        return int(self._manager.provisioner.pid)  # type: ignore[union-attr]

    def send(self, code: str, cell_id: str | None = None) -> Cell:
        """Queue a cell and return at once.

        Args:
            code: The source of the cell.
            cell_id: The id of the cell; by default another one for each request.
        """
        if cell_id is None and self.names_cells:
            cell_id = uuid.uuid4().hex[:8]
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": True,
            "stop_on_error": True,
        }
        metadata = {"cellId": cell_id} if cell_id else {}
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        with self._changed:
            cell = Cell(message["header"]["msg_id"], code)
            self._cells[cell.id] = cell
            self._client.shell_channel.send(message)
        return cell

    def run(self, code: str, patience: float = PATIENCE, cell_id: str | None = None) -> Cell:
        """Run a cell and wait until it has ended."""
        return self.finish(self.send(code, cell_id), patience)

    def must(self, code: str, cell_id: str | None = None) -> Cell:
        """Run a cell that must succeed."""
        cell = self.run(code, cell_id=cell_id)
        assert cell.status == "ok", cell.outputs
        return cell

    def finish(self, cell: Cell, patience: float = PATIENCE) -> Cell:
        """Wait until a cell has ended."""
        self.wait_for(lambda: cell.ended, f"the end of {cell.code!r}", patience)
        return cell

    def wait_for(self, seen: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Wait until the received messages meet a condition."""
        with self._changed:
            if self._changed.wait_for(seen, patience):
                return
            state = [
                (cell.code, cell.reply and cell.reply["status"]) for cell in self._cells.values()
            ]
        raise AssertionError(f"waited {patience:.0f} s for {what}; cells: {state}")

    def value(self, expression: str) -> Any:
        """Evaluate an expression in the kernel; its value is sent as JSON."""
        cell = self.must(f"import json as _json; print(_json.dumps({expression}))")
        return json.loads(cell.stdout)

    def interrupt(self) -> None:
        """Interrupt the kernel as a frontend's stop button does."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """Restart the kernel as a frontend does: a new process with the same connection."""
        self._stop_reading()
        self._manager.restart_kernel(now=False)
        self._start(first=False)

    def kill(self) -> None:
        """Kill the kernel as the out-of-memory killer does, without any cleanup."""
        process = psutil.Process(self.pid)
        process.kill()
        with contextlib.suppress(psutil.NoSuchProcess):
            process.wait(PATIENCE)

    def children(self) -> list[psutil.Process]:
        """The child processes of the kernel, and their children."""
        return psutil.Process(self.pid).children(recursive=True)

    def complete(self, code: str, cursor: int | None = None) -> list[str]:
        """Return the completions that Tab would offer."""
        request = self._client.complete(code, cursor)
        self.wait_for(lambda: request in self._replies, f"completions of {code!r}")
        return list(self._replies[request]["matches"])

    def inspect(self, code: str, cursor: int | None = None) -> str:
        """Return the help that Shift+Tab would show; empty if there is none."""
        request = self._client.inspect(code, cursor)
        self.wait_for(lambda: request in self._replies, f"the help on {code!r}")
        return str(self._replies[request]["data"].get("text/plain", ""))

    def answer_prompt(self, answer: str) -> tuple[str, bool]:
        """Answer the next input prompt; return its text and whether the input is hidden."""
        request = self._client.get_stdin_msg(timeout=PATIENCE)
        self._client.input(answer)
        return request["content"]["prompt"], request["content"]["password"]

    def close(self) -> None:
        """Stop the kernel and close its channels."""
        self._stop_reading()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        self._sockets.cleanup()

    def _start(self, first: bool) -> None:
        if first:
            self._manager.start_kernel(env=self._environment, cwd=str(self._directory))
        self._client: BlockingKernelClient = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self._closing.clear()
        self._readers = [
            threading.Thread(target=self._read, args=(source, take), daemon=True)
            for source, take in (
                (self._client.get_iopub_msg, self._take_output),
                (self._client.get_shell_msg, self._take_reply),
            )
        ]
        for reader in self._readers:
            reader.start()

    def _stop_reading(self) -> None:
        self._closing.set()
        for reader in self._readers:
            reader.join()
        self._client.stop_channels()

    def _read(self, source: Callable[..., Message], take: Callable[[Message], None]) -> None:
        while not self._closing.is_set():
            try:
                message = source(timeout=0.1)
            except queue.Empty:
                continue
            message["arrived"] = time.monotonic()
            with self._changed:
                take(message)
                self._changed.notify_all()

    def _take_output(self, message: Message) -> None:
        kind, content = message["msg_type"], message["content"]
        size = len(json.dumps(content, ensure_ascii=False).encode())
        size += sum(len(buffer) for buffer in message.get("buffers", ()))
        self.bytes += size
        if kind == "comm_open":
            self.comms.add(content["comm_id"])
        elif kind == "comm_close":
            self.comms.discard(content["comm_id"])
        cell = self._cells.get(message["parent_header"].get("msg_id", ""))
        if cell is not None:
            cell.take(message, size)

    def _take_reply(self, message: Message) -> None:
        request = message["parent_header"].get("msg_id", "")
        cell = self._cells.get(request)
        if cell is None:
            self._replies[request] = message["content"]
        elif message["msg_type"] == "execute_reply":
            cell.reply = message["content"]


def install_old_ipykernel(directory: Path) -> None:
    """Install ipykernel 6 beside the newest one; its folder appears only when it is complete."""
    if directory.exists():
        return
    building = directory.with_name(f"{directory.name}.{time.monotonic_ns()}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*command, "--target", str(building), "ipykernel==6.29.*"], check=True)
    # Workers of a parallel run may do this at the same time; the first one wins.
    try:
        building.rename(directory)
    except OSError:
        if not directory.exists():
            raise
