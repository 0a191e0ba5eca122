"""The session with a server: one task on the background loop opens it, keeps it and closes it.

The session's library opens and closes its task groups in the task that entered them, so a session
cannot be closed by the task of another request. It must not be cancelled from outside either: the
library would then leave the server's process behind. So the task is asked to end by an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbai_notebook.client import tasks
from cbai_notebook.errors import MissingDependencyError, ToolServerError
from cbai_notebook.i18n import say
from cbai_notebook.local import child
from cbai_notebook.mcp_servers.target import Address, Command, without_secrets
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    import httpx2
    from mcp.client import Client, ClientSession
    from mcp.client.session import IncomingMessage
    from mcp_types import CallToolResult
    from mcp_types import Tool as ServerTool

MOST_TOOLS = 1_000
"""The most tools that are read from one server."""

_REASON_CHARS = 300
_CLOSED, _TIMED_OUT = -32000, -32001
"""The library's error codes of a connection that was closed, and of a request that was not answered."""

_CLOSED_TEXT = "Connection closed"
_TIMED_OUT_TEXT = re.compile(r"Request '[\w/]+' timed out")
"""The library's messages with these codes: servers use the codes for errors of their own too."""

_SESSION_CODES = (-32600, -32001, -32000)
_SESSION_ENDED = re.compile(
    r"session (?:terminated|not found|expired)|no valid session", re.IGNORECASE
)
"""What the library and servers say over HTTP of a session that the server does not know any more."""

_OLDEST = 2
"""The oldest version of the library that has this interface."""

_LAST_WORDS_S = 1.0
"""Seconds to wait for what a process has written before it ended."""

_CONNECT_S, _READ_S = 30.0, 300.0
"""Seconds for a connection over HTTP, and between two pieces of a response."""


def require_mcp() -> None:
    """Check that the library of the protocol is installed, in a version that this room knows.

    Raises:
        MissingDependencyError: It is not.
    """
    try:
        usable = int(version("mcp").partition(".")[0]) >= _OLDEST
    except (PackageNotFoundError, ValueError):
        usable = False
    if not usable:
        raise MissingDependencyError(
            say("mcp.not_installed", command='pip install "cbai-notebook[mcp]"')
        )


class Connection:
    """A session with a server; `open`, `call` and `close` run on the background loop.

    Args:
        target: The server.
        name: Its name for the user.

    Attributes:
        list_changed: Whether the tools may be others since they were last read: the server has said
            so, or could not have said it.
        calls: The number of calls that are under way.
    """

    def __init__(self, target: Command | Address, name: str) -> None:
        self.list_changed = False
        self.calls = 0
        self._tools_read = asyncio.Event()
        self._target = target
        self._name = name
        self._client: Client | None = None
        self._closing = asyncio.Event()
        self._heard = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._scope: Any = None
        self._last_words = ""
        self._pid = os.getpid()

    @property
    def alive(self) -> bool:
        """Whether calls can be sent; a forked process has no connection."""
        return self._client is not None and self._pid == os.getpid()

    async def open(self, seconds: float) -> None:
        """Start or reach the server.

        Args:
            seconds: How long that may take.

        Raises:
            ToolServerError: It did not start, or could not be reached; no process is left.
        """
        await asyncio.to_thread(_import_library)  # seconds, in which other requests go on
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._own(opened), name=f"mcp {self._name}")
        try:
            await asyncio.wait({opened}, timeout=seconds)
        except BaseException:
            self._abandon(opened)
            raise
        if not opened.done():
            self._abandon(opened)
            raise ToolServerError(
                say("mcp.no_start", name=self._name, seconds=f"{seconds:g}", what=self._target.text)
            )
        opened.result()

    def _abandon(self, opened: asyncio.Future[None]) -> None:
        opened.cancel()
        if self._scope is not None:
            self._scope.cancel()

    def end(self) -> None:
        """End the session soon, and the process with all that it started."""
        self._client = None
        self._closing.set()

    def end_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do as `end`, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self.end)

    async def close(self) -> None:
        """Do as `end`, and wait for it."""
        self.end()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _own(self, opened: asyncio.Future[None]) -> None:
        import anyio

        with anyio.CancelScope() as self._scope:
            try:
                async with self._connected() as client:
                    self._client = client
                    if not opened.done():
                        opened.set_result(None)
                    async with anyio.create_task_group() as group:
                        group.start_soon(self._listen_to_changes, client)
                        await self._closing.wait()
                        group.cancel_scope.cancel()
            # Whatever the library raises is the reason why the server cannot be used.
            except Exception as error:  # noqa: BLE001
                if not opened.done():
                    await self._hear_last_words()
                if not opened.done():
                    opened.set_exception(self._start_error(error))
                    tasks.mark_retrieved(opened)
            finally:
                self._client = None
        if not opened.done():
            opened.cancel()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Client]:
        from mcp.client import Client

        transport = (
            self._process(self._target)
            if isinstance(self._target, Command)
            else _over_http(self._target)
        )
        async with Client(transport, message_handler=self._note) as client:
            yield client

    async def _note(self, message: IncomingMessage) -> None:
        """Note what the server tells without being asked."""
        from mcp_types import ToolListChangedNotification

        if isinstance(message, ToolListChangedNotification):
            self.list_changed = True

    async def _listen_to_changes(self, client: Client) -> None:
        """Subscribe to changes of the tools, which a server of the newest protocol tells only then."""
        from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost

        again = False
        while True:
            self._tools_read.clear()
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    # What changed before the server took a later subscription, it did not tell.
                    self.list_changed |= again
                    async for _ in changes:
                        self.list_changed = True
            except ListenNotSupportedError:
                return  # an older protocol tells it to `_note`
            except SubscriptionLost:
                pass
            # A server may refuse this in any way, and still be of use. One that took it before may be
            # starting anew.
            except Exception:  # noqa: BLE001
                if not again:
                    return
            again = True
            self.list_changed = True
            # One subscription for each prompt at most, however often the server drops it.
            await self._tools_read.wait()

    @contextlib.asynccontextmanager
    async def _process(self, command: Command) -> AsyncIterator[Any]:
        """Start the program, below a process of ours that ends when this one does."""
        from mcp.client.stdio import StdioServerParameters, stdio_client

        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-S", "-E", str(Path(child.__file__)), "command", *command.words],
            env=dict(command.env),
            cwd=command.cwd or Path.cwd(),
        )
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        listener = threading.Thread(target=self._listen, args=(reading, loop), daemon=True)
        with os.fdopen(writing, "w") as errors:
            listener.start()
            async with stdio_client(parameters, errlog=errors) as streams:
                errors.close()  # so that the end of the process is the end of the pipe
                yield streams

    def _listen(self, errors: int, loop: asyncio.AbstractEventLoop) -> None:
        """Read the last words of the process; its end closes the session."""
        words = b""
        while piece := os.read(errors, 65_536):
            words = (words + piece)[-4_000:]
        os.close(errors)
        self._last_words = words.decode("utf-8", "replace")
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._heard.set)
        self.end_soon(loop)

    async def tools(self) -> list[ServerTool]:
        """Return the tools that the server lists, `MOST_TOOLS` at most.

        Raises:
            ToolServerError: It ended, or refused to list them.
        """
        client = self._open_client()
        self._tools_read.set()
        try:
            return await tools_of_session(client.session)
        # Whatever the library raises is the reason why the server cannot be used.
        except Exception as error:
            raise await self._call_error(error, "tools/list", None) from error

    async def call(
        self, tool: str, arguments: Mapping[str, Any], seconds: float | None
    ) -> CallToolResult:
        """Call a tool.

        Args:
            tool: Its name at the server.
            arguments: Its arguments.
            seconds: How long the answer may take; None is as long as it takes.

        Raises:
            ToolServerError: The server ended, did not answer, or refused the call.
        """
        client = self._open_client()
        self.calls += 1
        try:
            return await client.call_tool(tool, dict(arguments), read_timeout_seconds=seconds)
        # Whatever the library raises is a failed call, which the model reads.
        except Exception as error:
            raise await self._call_error(error, tool, seconds) from error
        finally:
            self.calls -= 1

    async def _hear_last_words(self) -> None:
        """Wait a moment for what the process has written before it ended."""
        if isinstance(self._target, Command):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._heard.wait(), _LAST_WORDS_S)

    def _open_client(self) -> Client:
        if self._client is None:
            raise self._ended()
        return self._client

    def _ended(self) -> ToolServerError:
        return ToolServerError(
            say("mcp.ended_because", name=self._name, reason=reason)
            if (reason := _last_line(self._last_words))
            else say("mcp.ended", name=self._name)
        )

    def _start_error(self, error: BaseException) -> ToolServerError:
        reason = _last_line(self._last_words) or _reason(error)
        facts = {"name": self._name, "what": self._target.text, "reason": reason}
        return ToolServerError(
            say("mcp.not_started", **facts)
            if isinstance(self._target, Command)
            else say("mcp.not_reached", **facts)
        )

    async def _call_error(
        self, error: Exception, tool: str, seconds: float | None
    ) -> ToolServerError:
        code, text = getattr(error, "code", None), str(error)
        if code == _TIMED_OUT and _TIMED_OUT_TEXT.fullmatch(text):
            return ToolServerError(
                say("mcp.no_answer", name=self._name, tool=tool, seconds=f"{seconds or 0:g}")
            )
        closed = code == _CLOSED and text == _CLOSED_TEXT
        if code is None or closed or self._session_has_ended(code, text):
            self.end()  # the next call makes a new connection
        if closed:
            await self._hear_last_words()
            return self._ended()
        return ToolServerError(
            say("mcp.call_failed", name=self._name, tool=tool, reason=_reason(error))
        )

    def _session_has_ended(self, code: int, text: str) -> bool:
        is_address = isinstance(self._target, Address)
        return is_address and code in _SESSION_CODES and bool(_SESSION_ENDED.search(text))


@cache
def _import_library() -> None:
    # The library reports lines that are no messages with their traceback.
    for name in ("mcp", "client"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    # The last of these checks results.
    for module in ("mcp.client.stdio", "mcp.client.streamable_http", "jsonschema"):
        import_module(module)


async def tools_of_session(session: ClientSession) -> list[ServerTool]:
    """Return the tools that a server lists, `MOST_TOOLS` at most."""
    from mcp_types import PaginatedRequestParams

    found: list[ServerTool] = []
    cursor: str | None = None
    while len(found) < MOST_TOOLS:
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        found += page.tools
        if not (cursor := page.next_cursor):
            break
    return found[:MOST_TOOLS]


@contextlib.asynccontextmanager
async def _over_http(address: Address) -> AsyncIterator[Any]:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    timeout = httpx2.Timeout(_CONNECT_S, read=_READ_S)
    # A few compressed bytes can be any number of bytes of an answer.
    headers = {"Accept-Encoding": "identity", **address.headers}
    hooks = {"response": [_limit]}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout, event_hooks=hooks) as http,
        streamable_http_client(address.url, http_client=http) as streams,
    ):
        yield streams


async def _limit(response: httpx2.Response) -> None:
    """Let the reading of a response fail at `child.LONGEST_LINE` bytes: the library keeps all of it.

    It limits the events of a stream itself.
    """
    import httpx2

    class Limited(httpx2.AsyncByteStream):
        """The bytes of another stream, up to the limit."""

        def __init__(self, stream: httpx2.AsyncByteStream) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            if response.headers.get("content-encoding", "").lower() not in ("", "identity"):
                raise httpx2.StreamError(say("mcp.compressed"))
            size = 0
            async for piece in self._stream:
                size += len(piece)
                if size > child.LONGEST_LINE and not is_stream:
                    raise httpx2.StreamError(say("mcp.too_long", bytes=f"{child.LONGEST_LINE:,}"))
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    is_stream = response.headers.get("content-type", "").lower().startswith("text/event-stream")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = Limited(response.stream)


def _reason(error: BaseException) -> str:
    """Return the first error of a group in one line."""
    while inner := getattr(error, "exceptions", ()):
        error = inner[0]
    return one_line(without_secrets(str(error)), _REASON_CHARS) or type(error).__name__


def _last_line(text: str) -> str:
    """Return the last line that is not empty: in a traceback, the error."""
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(without_secrets(lines[-1]), _REASON_CHARS) if lines else ""
