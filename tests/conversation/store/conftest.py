"""Fixtures for the tests of the store: a file, a model of the gateway, and a function that asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.client.answer import Answer
from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from cbai_notebook.conversation.store import Store, keep_history
from tests.gateway import Gateway
from tests.gateway_access import gateway_settings

Ask = Callable[..., Answer]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of the history file, which does not exist yet."""
    return tmp_path / "data" / "history.sqlite"


@pytest.fixture
def current_store(file: Path) -> Iterator[Store]:
    """The store of the history file."""
    opened = Store(file)
    yield opened
    opened.close()


@pytest.fixture
def kept(file: Path) -> Iterator[Path]:
    """Let ``chat`` and ``history`` use the history file."""
    keep_history(file)
    yield file
    keep_history(None)


@pytest.fixture
def model(gateway: Gateway) -> Model:
    """A model that sends to the test gateway."""
    settings = gateway_settings(gateway)
    return create_model("cloudbase", settings=settings, transport=HTTPTransport(fast=False))


@pytest.fixture
def ask_prompt(model: Model) -> Ask:
    """Return a function that asks a prompt and waits for the answer."""

    def run(talk: Conversation, prompt: str, **values: Any) -> Answer:
        return asyncio.run(ask(prepare(talk, Prompt(prompt, **values), model=model)))

    return run
