"""``cbai.mcp``: the tools of a server of the Model Context Protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import weakref
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cbai_notebook import bridge
from cbai_notebook.client.secret_values import is_given_secret, remember_secrets
from cbai_notebook.client.tools.result import ToolOutput
from cbai_notebook.client.tools.source import ToolSource, UnconfirmedError, names_of
from cbai_notebook.client.tools.tool import Tool, tools_of
from cbai_notebook.errors import ToolServerError, UsageError
from cbai_notebook.i18n import listed, say
from cbai_notebook.mcp_servers.confirmed import Confirmed, digest
from cbai_notebook.mcp_servers.connection import (
    MOST_TOOLS,
    Connection,
    require_mcp,
    tools_of_session,
)
from cbai_notebook.mcp_servers.results import output_of
from cbai_notebook.mcp_servers.schemas import accepted_schema, model_names
from cbai_notebook.mcp_servers.target import (
    Address,
    Command,
    OpenSession,
    Target,
    identity,
    short_name,
    target_of,
    without_secrets,
)
from cbai_notebook.text import visible

if TYPE_CHECKING:
    from mcp_types import Tool as ServerTool

T = TypeVar("T")

CALL_S = 120.0
"""Seconds for the answer to a call, by default."""

START_S = 60.0
"""Seconds for the start of a server: `npx` and `uvx` may have to download it."""

CLOSE_S = 6.0
"""Seconds to wait for the end of a server: one that does not end by itself is ended after 4."""

LOOP_S = 2.0
"""Seconds after which the event loop of a session counts as blocked."""

CHARS_PER_TOKEN = 4
"""Characters of a tool's definition that are about one token."""

_open_servers: weakref.WeakSet[McpServer]


class McpServer(ToolSource):
    """A server and its tools; made by `mcp`.

    The server starts when its tools are first needed, and again when it has ended meanwhile. It ends
    with `close`, when nothing refers to it any more, and with this process.

    Args:
        target: What to start or to reach, or an open session.
        name: Its name for the user.
        trust: Whether its tools run without asking; or the names of those that do.
        allow: The names of the tools that a model may have; all if empty.
        deny: The names of the tools that a model never has.
        prefix: What the names of its tools begin with.
        timeout: Seconds for the answer to a call; None is as long as it takes.
        start_timeout: Seconds for its start.
        file: The file that names it: then it starts only after `confirm`.
        confirmed: What the user has seen.
    """

    def __init__(
        self,
        target: Target,
        *,
        name: str = "",
        trust: bool | Collection[str] = False,
        allow: Collection[str] = (),
        deny: Collection[str] = (),
        prefix: str = "",
        timeout: float | None = CALL_S,
        start_timeout: float = START_S,
        file: Path | None = None,
        confirmed: Confirmed | None = None,
    ) -> None:
        self.target = target
        self.name = name or short_name(target)
        self.is_replaced = False
        self.hints: tuple[str, ...] = ()
        self._new_hints: list[str] = []
        self._trust, self._allow, self._deny = trust, tuple(allow), tuple(deny)
        self._prefix = prefix
        self._timeout, self._start_timeout = timeout, start_timeout
        self.file = file
        self._confirmed = confirmed or Confirmed()
        self._listed: dict[str, ServerTool] = {}
        self._tools: dict[str, Tool] | None = None
        self._digests: dict[str, str] = {}
        # As in the file of what was seen, which may be read-only or lost. None before the first list.
        self._seen: dict[str, str] | None = None
        self._changed: list[str] = []
        self._connection: Connection | None = None
        self._locks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            weakref.WeakKeyDictionary()
        )
        self._session_loop = _running_loop() if isinstance(target, OpenSession) else None
        if file is None:
            self._remember_secrets()
        _open_servers.add(self)

    def __repr__(self) -> str:
        state = "running" if self.running else "not running"
        tools = "" if self._tools is None else f", {len(self._tools)} tools"
        return f"<McpServer {self.name}: {self.target.text}{tools}, {state}>"

    @property
    def running(self) -> bool:
        """Whether it runs, as far as is known; a session that the user opened counts as running."""
        if isinstance(self.target, OpenSession):
            return True
        return self._connection is not None and self._connection.alive

    def known_names(self) -> list[str]:
        """Return the names of its tools; none before it was started."""
        return list(self._tools or ())

    @property
    def starting_name(self) -> str:
        """Its name, visible, if its tools are not known yet and nothing has to be confirmed before."""
        waits = self._tools is None and not self.running and self.unconfirmed() is None
        return visible(self.name) if waits else ""

    def named_tools(self) -> dict[str, Tool]:
        """Return its tools by their names at the server; start it if that was not done yet.

        Raises:
            ToolServerError: It does not start.
            UnconfirmedError: The user has to `confirm` first.
            UsageError: It was not started, and the background loop cannot wait for that.
        """
        # Whoever is on the background loop has awaited `start`.
        if self._tools is None or (self._list_changed() and not bridge.is_background()):
            self._start_and_wait()
        self._check_confirmed()
        assert self._tools is not None
        return dict(self._tools)

    def _list_changed(self) -> bool:
        connection = self._connection
        return connection is not None and connection.alive and connection.list_changed

    def take_hints(self) -> list[str]:
        """Return sentences for the user that were not taken yet: names and schemas that do not fit."""
        hints, self._new_hints = self._new_hints, []
        return hints

    def descriptions(self) -> dict[str, str]:
        """Return the descriptions of its tools for the user, by their names at the server."""
        return {n: without_secrets(tool.description) for n, tool in (self._tools or {}).items()}

    def tokens(self) -> dict[str, int]:
        """Return about how many tokens the definition of each tool takes in every request."""
        return {
            name: -(-len(json.dumps(tool.sent, ensure_ascii=False)) // CHARS_PER_TOKEN)
            for name, tool in (self._tools or {}).items()
        }

    async def start(self) -> None:
        """Start it, and read the list of its tools.

        Raises:
            ToolServerError: It does not start.
            UnconfirmedError: A file names it, and the user has not confirmed it.
        """
        if isinstance(self.target, OpenSession):
            if self._tools is None:
                session = _session_of(self.target)
                self._take(await self._on_its_loop(lambda: tools_of_session(session)))
            return
        await bridge.on_background(self._ready)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another machine would start another process, with secrets that have to be sent there.
        raise UsageError(say("mcp.stays_here", name=self.name))

    def __await__(self) -> Generator[Any, None, McpServer]:
        """Start it: ``server = await cbai.mcp(session)``."""
        yield from self.start().__await__()
        return self

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> ToolOutput:
        """Call one of its tools yourself.

        Args:
            tool: The name of the tool at the server.
            arguments: Its arguments.

        Raises:
            ToolServerError: The server ended, did not answer, or reports an error.
        """
        given = dict(arguments or {})
        if isinstance(self.target, OpenSession):
            session = _session_of(self.target)
            return output_of(
                await self._on_its_loop(
                    lambda: session.call_tool(tool, given, read_timeout_seconds=self._timeout)
                )
            )

        async def send() -> ToolOutput:
            connection = await self._ready()
            if tool in self._changed:  # the others are what the user has seen
                self._check_confirmed()
            return output_of(await connection.call(tool, given, self._timeout))

        return await bridge.on_background(send)

    def confirm(self, asked: UnconfirmedError | None = None) -> None:
        """Say that the command out of a file, and the tools that have changed, are as they should be.

        The question that you confirm is in the error that names this method; `%cbai mcp` shows it too.

        Args:
            asked: That error: what has changed after it stays unconfirmed. None confirms all.
        """
        if isinstance(self.target, OpenSession):
            return
        if self.file is not None and (asked is None or asked.digests is None):
            self._confirmed.add_command(self._identity(self.target, with_values=True))
        digests = self._digests_of_changed() if asked is None else asked.digests
        if digests:
            self._note_seen(digests)
            self._changed = [n for n in self._changed if digests.get(n) != self._digests.get(n)]

    def _digests_of_changed(self) -> dict[str, str]:
        return {name: self._digests[name] for name in self._changed}

    def _note_seen(self, digests: Mapping[str, str]) -> None:
        assert not isinstance(self.target, OpenSession)
        self._seen = {**(self._seen or {}), **digests}
        self._confirmed.add_tools(self._identity(self.target), digests)

    def close(self) -> None:
        """End the server, and the process with all that it started; a later call starts it again."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.alive:
            bridge.submit(connection.close()).wait(0 if bridge.is_background() else CLOSE_S)

    def give_way(self) -> None:
        """End the server without waiting, because the same cell has made it again.

        The old object may still be used: then it starts again.
        """
        self.is_replaced = True
        if self._connection is not None:
            self._connection.end_soon(bridge.background_loop())

    async def _ready(self) -> Connection:
        """Return the connection; make it if there is none.

        The list of tools is read when it is made, and when the server has said that it has changed.
        """
        assert not isinstance(self.target, OpenSession)
        lock = self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with lock:
            if self._connection is not None and self._connection.alive:
                if self._connection.list_changed:
                    await self._read_tools(self._connection)
                return self._connection
            self._check_confirmed()
            self._remember_secrets()
            require_mcp()
            connection = Connection(self.target, self.name)
            await connection.open(self._start_timeout)
            await self._read_tools(connection)
            # The process ends when nothing refers to this server any more.
            weakref.finalize(self, connection.end_soon, bridge.background_loop()).atexit = False
            self._connection = connection
            return connection

    async def _read_tools(self, connection: Connection) -> None:
        connection.list_changed = False  # before: what is told while it is read counts
        try:
            self._take(await asyncio.wait_for(connection.tools(), self._start_timeout))
        except BaseException as error:
            if connection.calls:  # they would end with it
                connection.list_changed = True
            else:
                connection.end()
            if isinstance(error, asyncio.TimeoutError):
                raise ToolServerError(say("mcp.no_tools", name=self.name)) from error
            raise

    def unconfirmed(self) -> UnconfirmedError | None:
        """Return what the user has not confirmed yet: the command out of a file, or changed tools."""
        if (
            self.file is not None
            and not isinstance(self.target, OpenSession)
            and not self._confirmed.knows_command(self._identity(self.target, with_values=True))
        ):
            target = self.target
            facts = {
                "name": self.name,
                "file": str(self.file),
                "what": target.text,
                "folder": (target.cwd if isinstance(target, Command) else "") or "—",
                "names": ", ".join(target.hidden) or "—",
                "filled": ", ".join(target.filled) or "—",
            }
            # A stranger may have written the file.
            facts = {key: visible(value) for key, value in facts.items()}
            return UnconfirmedError(
                say("mcp.command_is_new", **facts), say("mcp.may_start", **facts), self
            )
        if self._changed:
            name = visible(self.name)
            shown = "\n".join(line for tool in self._changed for line in self._shown(tool))
            return UnconfirmedError(
                say("mcp.tools_changed", name=name, tools=listed(map(visible, self._changed))),
                say("mcp.may_use_changed", name=name, shown=shown),
                self,
                self._digests_of_changed(),
            )
        return None

    def _shown(self, name: str) -> tuple[str, str]:
        """Return a tool as the user is asked about it: its description, and its parameters whole.

        A model reads both, so either may tell it what the user would not want.
        """
        schema = json.dumps(self._listed[name].input_schema, ensure_ascii=False)
        about = f"{name}: {self.descriptions()[name]}"
        return f"  {visible(about)}", f"    {visible(without_secrets(schema))}"

    def _check_confirmed(self) -> None:
        if (found := self.unconfirmed()) is not None:
            raise found

    def _take(self, found: Sequence[ServerTool]) -> None:
        """Make our tools of the server's."""
        hints: list[str] = []
        self._listed = {tool.name: tool for tool in found if self._is_allowed(tool.name)}
        every = [tool.name for tool in found]
        for option, patterns in self._named().items():
            for pattern in patterns:
                if not any(fnmatchcase(name, pattern) for name in every):
                    hints.append(
                        say("mcp.matches_nothing", option=option, value=pattern, name=self.name)
                    )
        if len(found) == MOST_TOOLS:
            hints.append(say("mcp.too_many_tools", name=self.name, n=MOST_TOOLS))
        names = model_names(self._listed, self._prefix)
        tools: dict[str, Tool] = {}
        for name, tool in self._listed.items():
            schema, left_out = accepted_schema(tool.input_schema)
            if left_out:
                hints.append(say("mcp.schema_is_reduced", tool=name, keywords=listed(left_out)))
            (read,) = tools_of(
                [
                    {
                        "name": names[name],
                        "description": _description(tool),
                        "parameters": schema,
                        "fn": _ServerFunction(self, name),
                        "confirm": self._asks(tool),
                        "nested": isinstance(self.target, OpenSession),
                    }
                ]
            )
            made = replace(read, server=visible(self.name))
            before = (self._tools or {}).get(name)
            is_same = before is not None and (before.sent, before.confirm) == (
                made.sent,
                made.confirm,
            )
            tools[name] = before if before is not None and is_same else made
        self._new_hints = [hint for hint in hints if hint not in self.hints]
        self.hints = tuple(hints)
        self._tools = tools
        if not isinstance(self.target, OpenSession):
            # Also of the tools that `allow` leaves out: with another `allow` they are not new.
            digests = {tool.name: digest([_description(tool), tool.input_schema]) for tool in found}
            changed = self._confirmed.changed(self._identity(self.target), digests, self._seen)
            self._digests = digests
            self._changed = [name for name in changed if name in self._listed]
            self._note_seen({n: d for n, d in digests.items() if n not in changed})

    def _remember_secrets(self) -> None:
        """Count its secrets as ours; those of a file that nobody has confirmed may be any words."""
        remember_secrets(
            {
                say("mcp.value_of", value=name, name=self.name): value
                for name, value in self.target.hidden.items()
                if is_given_secret(name, value)
            }
        )

    def _identity(self, target: Command | Address, *, with_values: bool = False) -> str:
        return identity(target, file=self.file, with_values=with_values)

    def _named(self) -> dict[str, tuple[str, ...]]:
        trusted = () if isinstance(self._trust, bool) else tuple(self._trust)
        return {"allow": self._allow, "deny": self._deny, "trust": trusted}

    def _is_allowed(self, name: str) -> bool:
        if any(fnmatchcase(name, pattern) for pattern in self._deny):
            return False
        return not self._allow or any(fnmatchcase(name, pattern) for pattern in self._allow)

    def _asks(self, tool: ServerTool) -> bool:
        """Return whether the user is asked before each call.

        What a server says about its own tools counts only if the user trusts the server: then a tool
        that says that it destroys something still asks.
        """
        if not isinstance(self._trust, bool):
            return not any(fnmatchcase(tool.name, pattern) for pattern in self._trust)
        if not self._trust:
            return True
        about = tool.annotations
        return about is not None and about.destructive_hint is True and not about.read_only_hint

    def _start_and_wait(self) -> None:
        if bridge.is_background():
            raise UsageError(say("mcp.start_first", name=self.name, example="await server.start()"))
        on_own_loop = self._session_loop is not None and self._session_loop is _running_loop()
        bridge.run(self.start(), nested=on_own_loop)

    async def _on_its_loop(self, make: Callable[[], Awaitable[T]]) -> T:
        """Run work on the event loop on which the user has opened the session."""
        loop, here = self._session_loop, asyncio.get_running_loop()
        if loop is None or loop is here:
            return await make()
        runs = here.create_future()

        def note() -> None:
            with contextlib.suppress(RuntimeError):
                here.call_soon_threadsafe(runs.cancel)

        async def work() -> T:
            return await make()

        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(note)
        await asyncio.wait({runs}, timeout=LOOP_S)
        if not runs.done():
            raise ToolServerError(say("mcp.loop_is_busy", name=self.name))
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), loop))


class _ServerFunction:
    """The function of a tool: it calls the tool of the server."""

    def __init__(self, server: McpServer, name: str) -> None:
        self._server = server
        self._name = name

    async def __call__(self, /, **arguments: Any) -> ToolOutput:
        return await self._server.call(self._name, arguments)


_open_servers = weakref.WeakSet()


def mcp(
    target: Any = None,
    /,
    *,
    name: str = "",
    headers: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    trust: bool | str | Collection[str] = False,
    allow: str | Collection[str] = (),
    deny: str | Collection[str] = (),
    prefix: str = "",
    timeout: float | None = CALL_S,
    start_timeout: float = START_S,
) -> McpServer:
    """Return a server whose tools a model may call: ``tools=[server]``, ``--tool server``.

    The server starts when its tools are first needed. Each call asks the user first. A server that was
    made before by the same arguments, as when a cell runs again, ends.

    Args:
        target: A command, such as ``"npx -y some-server"`` or a list of words; an address, such as
            ``"https://example.com/mcp"``; or a session of the ``mcp`` package that you have opened.
        name: Its name in messages. Without a target, the name of a server in the files of
            `%cbai mcp`.
        headers: Headers of each request to an address. Values that may be secret are kept so.
        env: Variables of the command, beside PATH, HOME and a few others. Values that may be
            secret are kept so.
        cwd: The working directory of the command.
        trust: True lets all tools run without asking, except those that the server calls
            destructive; names let these tools run without asking. ``*`` stands for any letters.
        allow: The names of the tools that a model may have; all if empty.
        deny: The names of the tools that a model never has.
        prefix: What the names of its tools begin with, for two servers with tools of one name.
        timeout: Seconds for the answer to a call; None is as long as it takes.
        start_timeout: Seconds for the start.

    Raises:
        MissingDependencyError: The extra ``mcp`` is not installed.
        UsageError: An argument is wrong.
    """
    require_mcp()
    file: Path | None = None
    if target is None:
        from cbai_notebook.mcp_servers.files import configured_server

        entry = configured_server(name)
        found, file = entry.target(os.environ), entry.path
    else:
        found = target_of(target, env=env, headers=headers, cwd=cwd)
    name = name or short_name(found)
    for server in open_servers():
        if server.name == name and server.target == found:
            server.give_way()
    return McpServer(
        found,
        name=name,
        trust=trust if isinstance(trust, bool) else names_of(trust),
        allow=names_of(allow),
        deny=names_of(deny),
        prefix=prefix,
        timeout=timeout,
        start_timeout=start_timeout,
        file=file,
    )


def open_servers() -> list[McpServer]:
    """Return the servers that this process has made and that are still in use, by name."""
    in_use = (server for server in _open_servers if server.running or not server.is_replaced)
    return sorted(in_use, key=lambda server: server.name)


def _description(tool: ServerTool) -> str:
    return tool.description or tool.title or ""


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _session_of(target: OpenSession) -> Any:
    # A `Client` of the library holds a session.
    return getattr(target.session, "session", target.session)
