"""Shells of IPython for the tests of the notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.conversation import names
from tests.gateway import DEFAULT_KEY, Gateway


@pytest.fixture
def configured(gateway: Gateway) -> Iterator[None]:
    """Send the requests of the test to the gateway."""
    cbai.configure(base_url=gateway.base_url, api_key=DEFAULT_KEY, env_id="test-env")
    yield
    cbai.configure(
        base_url=None, api_key=None, env_id=None, provider=None, model=None, history_turns=None,
        table_rows=None, table_columns=None, table_digits=None,
    )  # fmt: skip


@pytest.fixture
def shell(
    configured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TerminalInteractiveShell]:
    """Yield a shell with the extension loaded, in an empty folder and without conversations."""
    monkeypatch.chdir(tmp_path)
    shell = TerminalInteractiveShell.instance()
    shell.reset()
    shell.run_line_magic("load_ext", "cbai_notebook")
    yield shell
    for name in names():
        cbai.chat(name).reset()


@pytest.fixture
def bare_shell() -> Iterator[InteractiveShell]:
    """Yield a shell without the extension."""
    shell = InteractiveShell()
    yield shell
    shell.history_manager.end_session()
