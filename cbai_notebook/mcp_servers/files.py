"""The servers that are configured in files, as other programs write them: ``{"mcpServers": {…}}``.

Reading a file starts nothing. Each entry has a ``command`` with ``args``, ``env`` and ``cwd``, or a
``url`` with ``headers``. ``${NAME}`` in a value stands for an environment variable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbai_notebook.client.secret_values import texts_in
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.files import user_directory
from cbai_notebook.i18n import listed, say
from cbai_notebook.mcp_servers.target import Target, is_address, target_of

# jupyter-ai keeps its servers in the first of these, beside the notebooks.
_IN_FOLDER = (".jupyter/mcp_settings.json", ".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json")
_OF_USER = (".jupyter/mcp_settings.json", ".cursor/mcp.json", ".claude.json")
_KEYS = ("mcpServers", "mcp_servers", "servers")
_VARIABLE = re.compile(r"\$\{(?:env:)?(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class ConfiguredServer:
    """An entry of a file.

    Args:
        name: Its name.
        path: The file.
        entry: What the file says.
    """

    name: str
    path: Path
    entry: Mapping[str, Any]

    def target(self, environ: Mapping[str, str]) -> Target:
        """Return what to start or to reach.

        Args:
            environ: Environment variables, for ``${NAME}``.

        Raises:
            ConfigurationError: The entry has no usable command and no address, or a variable of it
                is not set.
        """
        try:
            return self._target(environ)
        # A file can hold anything: values of other types, half an address, a thousand brackets.
        except (UsageError, TypeError, ValueError, RecursionError) as error:
            raise _unreadable(self.path, f"{self.name}: {error}") from error

    def _target(self, environ: Mapping[str, str]) -> Target:
        def filled(value: Any) -> Any:
            if isinstance(value, str):
                return _VARIABLE.sub(self._filler(environ), value)
            if isinstance(value, list):
                return [str(filled(inner)) for inner in value]
            if isinstance(value, Mapping):
                return {str(name): str(filled(inner)) for name, inner in value.items()}
            return value

        entry = {key: filled(value) for key, value in self.entry.items()}
        named = {match[1] for text in texts_in(self.entry) for match in _VARIABLE.finditer(text)}
        taken = sorted(named.intersection(environ))
        url = entry.get("url") or entry.get("serverUrl")
        if isinstance(url, str):
            if not is_address(url):
                raise UsageError(say("mcp.no_http_address"))
            return target_of(url, headers=_mapping(entry.get("headers")), filled=taken)
        command, arguments = entry.get("command"), entry.get("args") or []
        if not isinstance(command, str) or not isinstance(arguments, list):
            raise _unreadable(self.path, self.name)
        # In another folder, `python server.py` is another program.
        cwd = Path(entry.get("cwd") or "").resolve()
        env = _mapping(entry.get("env"))
        return target_of([command, *arguments], env=env, cwd=cwd, filled=taken)

    def _filler(self, environ: Mapping[str, str]) -> Any:
        def value_of(match: re.Match[str]) -> str:
            value = environ.get(match[1], match[2])
            if value is None:
                raise ConfigurationError(say("mcp.no_variable", name=self.name, variable=match[1]))
            return value

        return value_of


def configuration_files() -> list[Path]:
    """Return where servers may be configured, the first that counts first; not all exist."""
    found = [Path.cwd() / name for name in _IN_FOLDER]
    found.append(user_directory("config", "CBAI_CONFIG_DIR") / "mcp.json")
    return [*found, *(Path.home() / name for name in _OF_USER)]


def configured_servers() -> dict[str, ConfiguredServer]:
    """Return the servers in all files that can be read; of two with one name, that of the first file."""
    return read_files()[0]


def read_files() -> tuple[dict[str, ConfiguredServer], list[ConfigurationError]]:
    """Return the servers in all files by name, and an error for each file that cannot be read."""
    found: dict[str, ConfiguredServer] = {}
    problems: list[ConfigurationError] = []
    for path in configuration_files():
        try:
            for server in _in_file(path):
                found.setdefault(server.name, server)
        except ConfigurationError as error:
            problems.append(error)
    return found, problems


def configured_server(name: str) -> ConfiguredServer:
    """Return a configured server.

    Raises:
        UsageError: There is no such server.
        ConfigurationError: There is none in the files that can be read, and one cannot be read.
    """
    servers, problems = read_files()
    if name not in servers:
        if problems:
            raise problems[0]
        raise UsageError(
            say(
                "mcp.no_configured_server",
                name=name,
                known=listed(list(servers)) or "—",
                files=", ".join(map(str, _files_with(servers) or configuration_files())),
            )
        )
    return servers[name]


def _files_with(servers: Mapping[str, ConfiguredServer]) -> list[Path]:
    return list(dict.fromkeys(server.path for server in servers.values()))


def _in_file(path: Path) -> Iterator[ConfiguredServer]:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(record, Mapping):
        return
    entries: Any = next(filter(None, map(record.get, _KEYS)), {})
    if isinstance(entries, list):  # jupyter-ai has a list of entries with names
        entries = {str(e.get("name")): e for e in entries if isinstance(e, Mapping)}
    for name, entry in _mapping(entries).items():
        if isinstance(entry, Mapping):
            # An ACP-style list of {"name", "value"} stands for an object.
            plain = {key: _object(value) for key, value in entry.items()}
            yield ConfiguredServer(str(name), path, plain)


def _unreadable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(say("mcp.file_is_unreadable", path=str(path), reason=reason))


def _object(value: Any) -> Any:
    if (
        isinstance(value, list)
        and value
        and all(isinstance(pair, Mapping) and "name" in pair and "value" in pair for pair in value)
    ):
        return {str(pair["name"]): pair["value"] for pair in value}
    return value


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
