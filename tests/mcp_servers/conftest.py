"""Servers for tests: they end with the test."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.mcp_servers.server import McpServer, mcp

FOLDER = Path(__file__).parent
PLAIN = [sys.executable, str(FOLDER / "plain_server.py")]
SDK = [sys.executable, str(FOLDER / "tool_server.py")]

MakeServer = Callable[..., McpServer]


@pytest.fixture(autouse=True)
def nothing_confirmed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give each test settings of its own, in which nothing was confirmed."""
    monkeypatch.setenv("CBAI_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture
def plain() -> Iterator[MakeServer]:
    """Return a function that makes a server of ``plain_server.py``."""
    made: list[McpServer] = []

    def make(*words: str, **options: Any) -> McpServer:
        made.append(mcp([*PLAIN, *words], **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="module")
def sdk() -> Iterator[McpServer]:
    """Return a server of ``tool_server.py`` over its input and output, shared by a file."""
    server = mcp(SDK, name="tools", trust="add", env={"SOME_TOKEN": "k9PqX7vLw2Zt"})
    yield server
    server.close()


@pytest.fixture(scope="module")
def http_url() -> Iterator[str]:
    """Return the address of ``tool_server.py`` over HTTP, shared by a file."""
    with subprocess.Popen([*SDK, "http"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = next(filter(None, (re.search(r"http://[\d.:]+", line) for line in process.stderr)))
        yield f"{found[0]}/mcp"
        process.kill()
