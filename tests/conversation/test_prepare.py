"""A prompt is prepared in one place: parameters, model, context, secrets and fingerprint."""

from __future__ import annotations

import asyncio

import pytest

import cbai_notebook as cbai
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Prompt, ask, prepare, prepare_drawing
from cbai_notebook.errors import SecretRefusedError, UsageError
from tests.conversation.turns import conversation, turn
from tests.gateway import Gateway, Scenario
from tests.gateway_access import gateway_settings

SETTINGS = Settings(env_id="e", api_key="a-key-of-the-cloud-1")


def test_a_prompt_without_a_conversation_is_asked_alone(gateway: Gateway) -> None:
    gateway.script(Scenario(text="Yes"))
    prepared = prepare(None, Prompt("Really?"), settings=gateway_settings(gateway))
    assert asyncio.run(ask(prepared)).text == "Yes"
    assert gateway.last.json["messages"] == [{"role": "user", "content": "Really?"}]
    assert prepared.conversation.turns == ()


@pytest.mark.parametrize(
    ("model", "provider", "name", "asked"),
    [
        (None, "cloudbase", None, "hy3"),
        ("m", "cloudbase", "m", "m"),
        ("deepseek/d", "deepseek", "d", "d"),
        ("ark/x/y", "ark", "x/y", "x/y"),
    ],
)
def test_the_model_is_resolved(
    model: str | None, provider: str, name: str | None, asked: str
) -> None:
    prepared = prepare(None, Prompt("Hi", model=model), settings=SETTINGS)
    assert (prepared.provider, prepared.prompt.model) == (provider, name)
    assert prepared.asked_model == prepared.params["model"] == asked


def test_equal_requests_have_one_fingerprint_and_others_another() -> None:
    talk = conversation(turn("a", "1"))

    def fingerprint(prompt: Prompt, settings: Settings = SETTINGS) -> str:
        prepared = prepare(talk, prompt, settings=settings)
        return prepared.fingerprint(prepared.params)

    first = fingerprint(Prompt("Hi"))
    assert first == fingerprint(Prompt("Hi", model="hy3"))
    others = [
        fingerprint(Prompt("Hi", model="hy4-preview")),
        fingerprint(Prompt("Hi", params={"temperature": 0.1})),
        fingerprint(Prompt("Hi", options={"think": True})),
        fingerprint(Prompt("Hi", remember=False)),
        fingerprint(Prompt("Hi"), Settings(env_id="other", api_key="k")),
    ]
    assert len({first, *others}) == 1 + len(others)


@pytest.mark.parametrize("make", [prepare, prepare_drawing], ids=["text", "drawing"])
def test_a_secret_is_refused_whoever_prepares(make: type) -> None:
    prompt = Prompt(f"It is {SETTINGS.secrets['the API key'].reveal()}")  # type: ignore[attr-defined]
    with pytest.raises(SecretRefusedError):
        make(None, prompt, settings=SETTINGS)
    make(None, Prompt(prompt.text, allow_secrets=True), settings=SETTINGS)


def test_a_turn_that_is_gone_cannot_be_replaced() -> None:
    with pytest.raises(UsageError, match="no longer in the conversation"):
        prepare(conversation(), Prompt("Hi", replaces=turn("a", "1")), settings=SETTINGS)


def test_a_key_of_the_usual_settings_is_neither_sent_nor_stored(gateway: Gateway) -> None:
    usual = "Zq8-vT3x-Lm92-pRw7"
    cbai.configure(env_id="usual", api_key=usual)
    own = gateway_settings(gateway)
    try:
        with pytest.raises(SecretRefusedError, match="the API key of the usual settings"):
            prepare(None, Prompt(f"My key: {usual}"), settings=own)
        gateway.script(Scenario(text=f"The key is {usual}."))
        talk = cbai.chat("with settings of its own")
        asyncio.run(ask(prepare(talk, Prompt("Tell me"), settings=own)))
        stored = cbai.history(search="key", role="assistant")
        assert [each["content"] for each in stored] == ["The key is ••••••."]
    finally:
        cbai.configure(env_id=None, api_key=None)
