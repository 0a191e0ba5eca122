"""The command about servers of tools: `%cbai mcp`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import listed, say
from cbai_notebook.notebook.command_line.commands import SYNTAX_OF
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.asking import confirmed
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.mcp_servers.files import ConfiguredServer
    from cbai_notebook.mcp_servers.server import McpServer

_WIDEST = (20, 20, 13, 44, 40)
"""The most columns of a server's name, its variable, its state, what it is and where that stands."""

_WIDEST_TOOL = (32, 6, 78)
"""The most columns of a tool's name, its tokens and its description."""


def mcp_servers(shell: InteractiveShell, command: Command) -> None:
    """Show the servers of tools, confirm what is new of one, or stop one.

    Raises:
        UsageError: The words are incomplete, there is no such server, or nobody can answer.
    """
    if command.word is None:
        _show(shell.user_ns)
    elif len(command.words) == 1:
        raise UsageError(
            say("option.usage", usage=SYNTAX_OF[command.name].usage, name=command.name)
        )
    elif command.word == "stop":
        _stop(command.words[1], shell.user_ns)
    else:
        _confirm(command.words[1], shell.user_ns, yes=bool(command.options.get("yes")))


def _show(namespace: Mapping[str, Any]) -> None:
    from cbai_notebook.mcp_servers.files import configuration_files, read_files
    from cbai_notebook.mcp_servers.server import open_servers

    servers = open_servers()
    configured, problems = read_files()
    for problem in problems:
        write(str(problem))
    if not servers and not configured:
        _show_how_to_begin(configuration_files())
        return
    rows = [
        (
            server.name,
            _variable_of(server, namespace),
            _state(server),
            server.target.text,
            _place(server.file) if server.file else say("mcp.of_the_session"),
        )
        for server in servers
    ]
    is_open = {(server.name, server.file) for server in servers}
    rows += [
        _configured_row(each)
        for name, each in configured.items()
        if (name, each.path) not in is_open
    ]
    write_table(("name", "variable", "status", "what", "from"), rows, _WIDEST)
    for entry in configured.values():
        try:
            entry.target(os.environ)
        except CbaiError as error:
            write(str(error))
    for server in servers:
        if tokens := server.tokens():
            total = f"{sum(tokens.values()):,}"
            write(f"\n{say('mcp.tools_of', name=server.name, n=total)}")
            for hint in server.hints:
                write(f"  {hint}")
            about = server.descriptions()
            write_table(
                ("tool", "tokens", "what"),
                [(name, f"{n:,}", one_line(about[name])) for name, n in tokens.items()],
                _WIDEST_TOOL,
            )


def _show_how_to_begin(files: Sequence[Path]) -> None:
    write(say("mcp.none"))
    write(say("mcp.make_one"))
    write("    files = cbai.mcp('npx -y @modelcontextprotocol/server-filesystem .')")
    write("    %%cbai --tool files")
    write(say("mcp.configure_one", example="cbai.mcp(name='files')"))
    write('    {"mcpServers": {"files": {"command": "npx", "args": ["-y", "…", "."]}}}')
    write(say("mcp.looked_for_in"))
    for file in files:
        write(f"    {file}")


def _place(file: Path) -> str:
    """Return a file as it is seen from the working folder, in which two may differ at their ends."""
    for folder, shown in ((Path.cwd(), Path()), (Path.home(), Path("~"))):
        if file.is_relative_to(folder):
            return str(shown / file.relative_to(folder))
    return str(file)


def _state(server: McpServer) -> str:
    if server.unconfirmed() is not None:
        return say("mcp.is_not_confirmed")
    return say("mcp.is_running") if server.running else say("mcp.is_not_running")


def _configured_row(entry: ConfiguredServer) -> tuple[str, str, str, str, str]:
    from cbai_notebook.mcp_servers.server import McpServer

    try:
        server = McpServer(entry.target(os.environ), name=entry.name, file=entry.path)
    except CbaiError:  # a variable is missing, or the entry has no command
        return entry.name, "", say("mcp.cannot_start"), "—", _place(entry.path)
    return entry.name, "", _state(server), server.target.text, _place(entry.path)


def _variable_of(server: McpServer, namespace: Mapping[str, Any]) -> str:
    """Return the user's variable of a server, by which `--tool` names it; empty if there is none."""
    found = (name for name, value in namespace.items() if value is server and name[:1] != "_")
    return next(found, "")


def _servers_named(name: str, namespace: Mapping[str, Any]) -> list[McpServer]:
    """Return the open servers of a name; if there is none, the one that a variable of it has."""
    from cbai_notebook.mcp_servers.server import open_servers

    servers = open_servers()
    found = [server for server in servers if server.name == name]
    return found or [server for server in servers if namespace.get(name) is server]


def _confirm(name: str, namespace: Mapping[str, Any], *, yes: bool) -> None:
    from cbai_notebook.mcp_servers.files import configured_server, configured_servers
    from cbai_notebook.mcp_servers.server import McpServer

    found = _servers_named(name, namespace)
    if not found or name in configured_servers():
        entry = configured_server(name)
        target = entry.target(os.environ)
        # `mcp` would end the server that is in use.
        if not any((each.target, each.file) == (target, entry.path) for each in found):
            found.append(McpServer(target, name=name, file=entry.path))
    asked = False
    for server in found:
        if (error := server.unconfirmed()) is None:
            continue
        asked = True
        agreed = yes or confirmed(
            error.question,
            say("mcp.nobody_confirms", command=f"%cbai mcp confirm {name} --yes"),
        )
        if agreed:
            server.confirm(error)
        write(
            say("mcp.is_confirmed", name=server.name)
            if agreed
            else say("mcp.is_not_to_start", name=server.name)
        )
    if not asked:
        write(say("mcp.nothing_to_confirm", name=found[0].name))


def _stop(name: str, namespace: Mapping[str, Any]) -> None:
    from cbai_notebook.mcp_servers.server import open_servers

    found = _servers_named(name, namespace)
    if not found:
        known = listed(list(dict.fromkeys(server.name for server in open_servers()))) or "—"
        raise UsageError(say("mcp.no_open_server", name=name, known=known))
    for server in found:
        server.close()
    write(say("mcp.stopped", name=found[0].name))
