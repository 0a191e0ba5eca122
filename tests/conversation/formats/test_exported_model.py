"""An export requests the model that the user requested, not the name that the server reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from cbai_notebook.conversation.formats import export
from tests.conversation.formats.samples import SETTINGS
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import conversation, turn
from tests.gateway import DEFAULT_KEY, Gateway, Scenario
from tests.gateway_access import gateway_settings

FORMS = ("notebook", "curl", "python", "mini-program", "web")
ALIAS, REPORTED = "poet", "poet-20261101"

CHUNK = {
    "id": "1",
    "model": REPORTED,
    "choices": [{"index": 0, "delta": {"content": "Blossoms"}, "finish_reason": "stop"}],
}


def written(talk: Conversation, form: str, settings: Settings = SETTINGS) -> str:
    """Return the text of all files of an export."""
    return "".join(map(str, export(talk, form, settings=settings).files.values()))


async def ask_gateway(gateway: Gateway, talk: Conversation, model: str | None) -> None:
    gateway.always(Scenario(payloads=(json.dumps(CHUNK),)))
    settings = gateway_settings(gateway)
    question = Prompt("About spring", model=model)
    await ask(prepare(talk, question, model=create_model("cloudbase", settings=settings)))
    assert talk.messages[-1]["model"] == REPORTED


def as_asked(talk: Conversation, file: Path) -> Conversation:
    return talk


def from_disk(talk: Conversation, file: Path) -> Conversation:
    return open_registry(file).get(talk.name)


def forked(talk: Conversation, file: Path) -> Conversation:
    return from_disk(talk, file).copy("fork")


@pytest.mark.parametrize("again", [as_asked, from_disk, forked])
async def test_the_model_is_the_one_that_was_asked_for(
    again: Callable[[Conversation, Path], Conversation], gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "history.sqlite"
    talk = open_registry(file).get("poems")
    await ask_gateway(gateway, talk, ALIAS)
    for form in FORMS:
        text = written(again(talk, file), form)
        assert ALIAS in text, form
        assert REPORTED not in text, form


async def test_where_none_was_named_it_is_the_usual_one_of_then(gateway: Gateway) -> None:
    talk = Conversation("poems")
    await ask_gateway(gateway, talk, None)
    for form in FORMS:
        text = written(talk, form)
        assert "hy3" in text, form
        assert REPORTED not in text, form


@pytest.mark.parametrize("form", FORMS)
async def test_where_nobody_knows_it_is_the_one_that_was_reported(
    form: str, gateway: Gateway
) -> None:
    talk = Conversation("poems")
    await ask_gateway(gateway, talk, ALIAS)
    assert REPORTED in written(Conversation.from_messages(talk.messages), form)


@pytest.mark.parametrize("form", FORMS)
def test_no_model_that_was_asked_for_takes_the_key_along(form: str) -> None:
    talk = conversation(turn("a", "b", asked_model=DEFAULT_KEY))
    assert DEFAULT_KEY not in written(talk, form)
