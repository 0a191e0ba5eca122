"""What a server is: a command to start, an address to reach, or a session that the user has opened."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cbai_notebook.client.secret_values import known_secrets
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.mcp_servers.confirmed import digest


@dataclass(frozen=True)
class Command:
    """A program that talks over its input and output.

    Args:
        words: The program and its arguments.
        env: Variables beside those that every server gets, such as PATH and HOME; secret.
        cwd: Its working directory; None is ours.
        filled: The names of the environment variables whose values a file puts into it.
    """

    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str | None = None
    filled: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The command as one types it, without secrets."""
        return without_secrets(shlex.join(self.words))

    @property
    def hidden(self) -> Mapping[str, str]:
        """The values that no text may hold, by name."""
        return self.env


@dataclass(frozen=True)
class Address:
    """A server that is reached over HTTP.

    Args:
        url: Its address.
        headers: The headers of each request; secret.
        filled: The names of the environment variables whose values a file puts into it.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    filled: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The address, without secrets: what follows a ``?`` may be one."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        query = "?…" if parts.query else ""
        return without_secrets(f"{parts.scheme}://{host}{parts.path}{query}")

    @property
    def hidden(self) -> Mapping[str, str]:
        """The values that no text may hold, by name."""
        return self.headers


@dataclass(frozen=True)
class OpenSession:
    """A session that the user has opened, on the user's event loop."""

    session: Any

    @property
    def text(self) -> str:
        """What the session is."""
        return type(self.session).__name__

    @property
    def hidden(self) -> Mapping[str, str]:
        """The values that no text may hold, by name."""
        return {}


Target = Command | Address | OpenSession


def target_of(
    given: Any,
    *,
    env: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    filled: Sequence[str] = (),
) -> Target:
    """Read what a caller calls a server.

    Args:
        given: A command as one string or as a list of words, an ``http`` address, or a session.
        env: Variables of a command.
        headers: Headers of an address.
        cwd: The working directory of a command.
        filled: The names of the environment variables whose values are in it.

    Raises:
        UsageError: It is none of these, or an argument does not belong to it.
    """
    if isinstance(given, str) and is_address(given):
        try:
            urlsplit(given)
        except ValueError as error:
            raise UsageError(say("mcp.no_http_address")) from error
        found: Target = Address(given, dict(headers or {}), tuple(filled))
    elif isinstance(given, str) or _is_words(given):
        folder = os.fspath(cwd) if cwd else None
        found = Command(_words(given), dict(env or {}), folder, tuple(filled))
    elif hasattr(given, "call_tool") and hasattr(given, "list_tools"):
        found = OpenSession(given)
    else:
        raise UsageError(say("mcp.no_target", kind=type(given).__name__))
    if headers and not isinstance(found, Address):
        raise UsageError(say("mcp.only_of_an_address", name="headers"))
    for name, value in {"env": env, "cwd": cwd}.items():
        if value and not isinstance(found, Command):
            raise UsageError(say("mcp.only_of_a_command", name=name))
    return found


def is_address(text: str) -> bool:
    """Return whether a text is an address and not a command."""
    return text.lower().startswith(("http://", "https://"))


def identity(
    target: Command | Address, *, file: Path | None = None, with_values: bool = False
) -> str:
    """Return what stands for a target in a file: the same for the same command or address.

    Args:
        target: The target.
        file: The file that names it; it counts too.
        with_values: Whether the values of variables and headers count, and not only their names. A
            variable can change what a program does.
    """
    hidden = dict(target.hidden) if with_values else dict.fromkeys(target.hidden)
    facts: list[Any] = (
        [list(target.words), target.cwd, hidden]
        if isinstance(target, Command)
        else [target.url, hidden]
    )
    if file is not None:
        facts.append(str(file.resolve()))
    return digest(facts)


def short_name(target: Target) -> str:
    """Return a name for a server that has none: the host, or the program that is run."""
    if isinstance(target, Address):
        return urlsplit(target.url).hostname or "server"
    if isinstance(target, OpenSession):
        return "session"
    # `npx -y @scope/server-files` is known as its package, and `python server.py` as its file.
    launchers = ("npx", "uvx", "python", "python3", "node", "uv", "docker", "bunx", "deno", "run")
    for word in target.words:
        stem = Path(word).stem
        if not word.startswith("-") and stem not in launchers and "python" not in stem:
            return stem
    return Path(target.words[0]).name


def _words(given: str | Sequence[str]) -> tuple[str, ...]:
    # On Windows a backslash is part of a path.
    words = shlex.split(given, posix=os.name == "posix") if isinstance(given, str) else given
    found = tuple(map(str, words))
    if not found:
        raise UsageError(say("mcp.empty_command"))
    return found


def _is_words(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and all(
        isinstance(word, (str, os.PathLike)) for word in given
    )


def without_secrets(text: str) -> str:
    """Return a text with a mask in place of each secret that is known."""
    return known_secrets(None, os.environ).masked(text)[0]
