"""The gateway beside the code under test: on a thread, or in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.gateway.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def serve(**options: Any) -> Iterator[Gateway]:
    """Run a gateway on an event loop and a thread of its own.

    Args:
        options: As for ``Gateway``.

    Returns:
        The gateway, whose public face may be used from this thread.
    """
    gateway = Gateway(**options)
    started: list[BaseException | None] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with gateway:
            ready.set()
            await stop.wait()

    def host() -> None:
        try:
            loop.run_until_complete(run())
        except OSError as error:
            started.append(error)
            ready.set()
        finally:
            loop.close()

    thread = threading.Thread(target=host, name="gateway", daemon=True)
    thread.start()
    ready.wait()
    if started:
        raise RuntimeError("the gateway cannot listen") from started[0]
    try:
        yield gateway
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@contextlib.contextmanager
def serve_process(*arguments: str) -> Iterator[str]:
    """Run a gateway in a process of its own, so that it takes no CPU time of this one.

    Args:
        arguments: More arguments for ``python -m tests.gateway``.

    Returns:
        Its base URL. The log is at ``/_gateway/log`` of the same host.
    """
    command = [sys.executable, "-m", "tests.gateway", "--port", "0", "--with-parent", *arguments]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            base_url = process.stdout.readline().strip()
            if not base_url:
                raise RuntimeError(f"the gateway ended with exit status {process.wait()}")
            yield base_url
        finally:
            process.stdin.close()
            process.wait()
