"""Run the gateway next to the code under test: on a thread, or in a separate process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from tests.gateway.gateway import Gateway
from tests.gateway.log import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def serve(**options: Any) -> Iterator[Gateway]:
    """Run a gateway on a new event loop in a new thread.

    Args:
        options: As for ``Gateway``.

    Returns:
        The gateway; its public members may be used from this thread.
    """
    gateway = Gateway(**options)
    ready: concurrent.futures.Future[None] = concurrent.futures.Future()
    ended: concurrent.futures.Future[None] = concurrent.futures.Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with gateway:
            ready.set_result(None)
            await stop.wait()

    def host() -> None:
        try:
            loop.run_until_complete(run())
        except (OSError, RuntimeError) as error:
            (ended if ready.done() else ready).set_exception(error)
        else:
            ended.set_result(None)
        finally:
            loop.close()

    thread = threading.Thread(target=host, name="gateway", daemon=True)
    thread.start()
    ready.result()
    try:
        yield gateway
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
    ended.result()


@dataclass(frozen=True)
class GatewayProcess:
    """A gateway in a separate process, which is read and changed over its control port."""

    base_url: str
    control_url: str
    pid: int

    def report(self) -> dict[str, Any]:
        """Return the log: ``requests``, ``connections``, ``in_flight``, ``leaks`` and more."""
        report: dict[str, Any] = self._ask("/log")
        return report

    def state(self) -> dict[str, Any]:
        """Return the numbers of the log, without the requests."""
        state: dict[str, Any] = self._ask("/state")
        return state

    def begun(self) -> Counter[str]:
        """Return for each row how many answers were begun, as ``Gateway.begun``."""
        return Counter(self._ask("/begun"))

    def change(self, **changes: Any) -> None:
        """Change what ``control.CHANGES`` names: ``concurrency=1``, ``always="echo"``, and more.

        Raises:
            ValueError: A name or a value is wrong.
        """
        self._ask("/change", json.dumps(changes).encode())

    def wait_until(
        self, condition: Callable[[dict[str, Any]], object], timeout: float = PATIENCE
    ) -> dict[str, Any]:
        """Wait until ``condition(state)`` holds; return that state.

        Raises:
            TimeoutError: It is still false after ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        while not condition(state := self.state()):
            if time.monotonic() > end:
                raise TimeoutError(f"still not so after {timeout} s: {state}")
            time.sleep(0.005)
        return state

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        # Ignore proxies of the environment for the loopback interface.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(urljoin(self.control_url, path), data=body, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)) from None


@contextlib.contextmanager
def unreachable() -> Iterator[str]:
    """Open a port on which connecting neither succeeds nor fails.

    Returns:
        A base URL on that port.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # The system queues a few connections for a server that never accepts them, then no more.
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@contextlib.contextmanager
def serve_process(*arguments: str) -> Iterator[GatewayProcess]:
    """Run a gateway in a separate process, so that it uses no CPU time of this one.

    Args:
        arguments: More arguments for ``python -m tests.gateway``.

    Returns:
        The process; it ends with the block, or with this process.
    """
    command = [sys.executable, "-m", "tests.gateway", "--port", "0", "--with-parent", *arguments]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            base_url = process.stdout.readline().strip()
            control_url = process.stdout.readline().strip()
            if not control_url:
                raise RuntimeError(f"the gateway ended with exit status {process.wait()}")
            yield GatewayProcess(base_url, control_url, process.pid)
        finally:
            process.stdin.close()
            process.wait()
