"""The exported scripts run, and send the same requests to the test gateway as our client."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from cbai_notebook.conversation.formats import export
from cbai_notebook.errors import UsageError
from cbai_notebook.text import without_surrogates
from tests.conversation.formats.samples import (
    HOSTILE,
    HOSTILE_IDS,
    SETTINGS,
    TOOL_STEPS,
    run,
    text_of,
)
from tests.conversation.turns import conversation, turn
from tests.gateway import DEFAULT_KEY, Gateway
from tests.gateway_access import gateway_settings
from tests.require import require

FORMS = ("curl", "python")


def run_script(
    form: str, text: str, folder: Path, gateway: Gateway | None, **variables: str
) -> Any:
    """Run an exported script as a user would."""
    file = folder / ("script.sh" if form == "curl" else "script.py")
    file.write_text(text, "utf-8", newline="")
    if form == "curl":
        require(shutil.which("curl"), "curl is missing: install it with the system's packages")
        command = ["sh", str(file)]
    else:
        command = [sys.executable, "-I", str(file)]
    if gateway is not None:
        variables = {"CBAI_BASE_URL": gateway.base_url, **variables}
    keys = {"CLOUDBASE_API_KEY": "of-another-address", "CBAI_API_KEY": DEFAULT_KEY}
    return run(command, folder, **{**keys, **variables})


async def converse(talk: Conversation, gateway: Gateway, *questions: Prompt) -> None:
    settings = gateway_settings(gateway)
    for question in questions:
        await ask(prepare(talk, question, model=create_model("cloudbase", settings=settings)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_last_request_is_sent_again_as_it_was(
    form: str, stream: bool, gateway: Gateway, tmp_path: Path
) -> None:
    talk = Conversation("poems")
    gateway.always("say:Blossoms fall.")
    await converse(
        talk,
        gateway,
        Prompt("About 'spring'", system="Be a poet.", model="hy3"),
        Prompt('And "autumn"?\n{json}', model="hy3", params={"temperature": 0.8}, stream=stream),
    )
    ours = gateway.last
    text = text_of(talk, form, settings=gateway_settings(gateway))
    done = run_script(form, text, tmp_path, None)
    assert done.returncode == 0, done.stderr
    assert "Blossoms" in done.stdout
    theirs = gateway.last
    assert theirs.number == ours.number + 1
    assert (theirs.method, theirs.target, theirs.json) == (ours.method, ours.target, ours.json)
    for header in ("content-type", "accept", "authorization"):
        assert theirs.headers[header] == ours.headers[header]
    assert DEFAULT_KEY not in text


@pytest.mark.parametrize("form", FORMS)
async def test_every_turn_can_be_sent_again(form: str, gateway: Gateway, tmp_path: Path) -> None:
    talk = Conversation("poems")
    await converse(talk, gateway, *(Prompt(f"Prompt {n}", model="hy3") for n in range(3)))
    ours = [exchange.json for exchange in gateway.requests]
    done = run_script(form, text_of(talk, form, every_turn=True), tmp_path, gateway)
    assert done.returncode == 0, done.stderr
    assert [exchange.json for exchange in gateway.requests[3:]] == ours


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_no_prompt_breaks_out(form: str, text: str, gateway: Gateway, tmp_path: Path) -> None:
    talk = conversation(
        turn("a", text, system=text, steps=TOOL_STEPS),
        turn(text, params={"stop": [text], "user": text, text: text}),
        name=text if text.strip() else "poems",
    )
    done = run_script(form, text_of(talk, form), tmp_path, gateway)
    assert done.returncode == 0, done.stderr
    body = gateway.last.json
    text = without_surrogates(text)  # no request can contain half of a character
    assert body["messages"][-1] == {"role": "user", "content": text}
    assert body["messages"][0] == {"role": "system", "content": text}
    assert body["messages"][-2] == {"role": "assistant", "content": text}
    assert body["messages"][2:4] == [dict(step) for step in TOOL_STEPS]
    assert (body["stop"], body["user"], body[text]) == ([text], text, text)
    assert {file.name for file in tmp_path.iterdir()} <= {"script.sh", "script.py", "home"}


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_ends_the_script_and_says_why(
    form: str, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.always("error:404:AI_MODEL_NOT_FOUND")
    done = run_script(form, text_of(conversation(turn("a", "b")), form), tmp_path, gateway)
    assert done.returncode != 0
    assert "AI_MODEL_NOT_FOUND" in done.stdout + done.stderr


@pytest.mark.parametrize("form", FORMS)
def test_the_key_goes_to_no_other_server(form: str, gateway: Gateway, tmp_path: Path) -> None:
    gateway.always("redirect:302:stranger")
    run_script(form, text_of(conversation(turn("a", "b")), form), tmp_path, gateway)
    assert gateway.requests
    assert gateway.leaks == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("missing", ["CLOUDBASE_API_KEY", "CLOUDBASE_ENV_ID"])
def test_what_is_missing_is_named(form: str, missing: str, tmp_path: Path) -> None:
    text = text_of(conversation(turn("a", "b")), form, settings=Settings(api_key="test-key"))
    given = {"CLOUDBASE_API_KEY": DEFAULT_KEY, "CLOUDBASE_ENV_ID": "env"}
    done = run_script(form, text, tmp_path, None, **{**given, missing: ""})
    assert done.returncode != 0
    assert missing in done.stderr


@pytest.mark.parametrize("form", FORMS)
def test_the_environment_is_in_the_address(form: str) -> None:
    text = text_of(conversation(turn("a", "b")), form)
    assert "https://my-env-1a2b3c.api.tcloudbasegateway.com/v1" in text
    abroad = Settings(region="ap-singapore")
    text = text_of(conversation(turn("a", "b")), form, settings=abroad)
    assert ".api.intl.tcloudbasegateway.com/v1" in text


@pytest.mark.parametrize("form", FORMS)
def test_a_server_of_ones_own_is_asked_where_it_is(
    form: str, gateway: Gateway, tmp_path: Path
) -> None:
    talk = conversation(turn("a", "b", provider="custom", model="qwen"))
    text = text_of(talk, form, settings=Settings(api_key=DEFAULT_KEY))
    assert "CBAI_BASE_URL" in run_script(form, text, tmp_path, None).stderr
    done = run_script(form, text, tmp_path, gateway)
    assert done.returncode == 0, done.stderr
    assert gateway.last.target == "/v1/chat/completions"


@pytest.mark.parametrize("form", FORMS)
def test_each_turn_is_sent_to_its_own_server(form: str, gateway: Gateway, tmp_path: Path) -> None:
    talk = conversation(
        turn("a", "b", provider="my-own.1", model="qwen"), turn("c", "d", model="hy3")
    )
    server = {
        "base_url": gateway.base_url,
        "api_key": DEFAULT_KEY,
        "headers": {"X-Team": "team-secret-81f2"},
    }
    settings = Settings(env_id="my-env", servers={"my-own.1": server})  # type: ignore[dict-item]
    text = text_of(talk, form, settings=settings, every_turn=True)
    variables = {
        "MY_OWN_1_API_KEY": DEFAULT_KEY,
        "MY_OWN_1_HEADER_X_TEAM": "blue $team",
        "CBAI_API_KEY": "of-the-second",
    }
    for missing in list(variables)[:2]:
        assert (
            missing in run_script(form, text, tmp_path, None, **{**variables, missing: ""}).stderr
        )
    run_script(form, text, tmp_path, gateway, **variables)
    own, cloudbase = gateway.requests
    assert own.target == "/v1/chat/completions"
    assert own.headers["x-team"] == "blue $team"
    assert own.headers["authorization"] == f"Bearer {DEFAULT_KEY}"
    assert cloudbase.target == "/v1/ai/cloudbase/chat/completions"
    assert "x-team" not in cloudbase.headers
    assert cloudbase.headers["authorization"] == "Bearer of-the-second"


def test_no_two_servers_share_the_variable_of_a_key() -> None:
    names = ("a-b", "a_b", "A.B", "cbai", "1st")
    talk = conversation(*(turn("a", "b", provider=name, model="m") for name in names))
    server = {"base_url": "http://127.0.0.1:1/v1", "api_key": "sk-3fA9x7Qb2LmZ"}
    settings = Settings(servers=dict.fromkeys(names, server))  # type: ignore[arg-type]
    text = text_of(talk, "python", settings=settings, every_turn=True)
    variables = re.findall(r'KEY = setting\("(\w+)"', text)
    assert len(set(variables)) == len(names)
    assert "CBAI_API_KEY" not in variables
    assert not any(variable[0].isdigit() for variable in variables)


@pytest.mark.parametrize("form", FORMS)
def test_the_key_of_cloudbase_does_not_go_to_another_address(
    form: str, gateway: Gateway, tmp_path: Path
) -> None:
    for provider in ("cloudbase", "custom"):
        text = text_of(conversation(turn("a", "b", provider=provider)), form)
        run_script(form, text, tmp_path, gateway, CBAI_API_KEY="")
        assert "authorization" not in gateway.last.headers


@pytest.mark.parametrize("form", FORMS)
def test_cloudbase_stands_in_for_the_offline_model(form: str) -> None:
    talk = conversation(turn("a", "b", provider="local", model="SmolLM2-135M-Instruct"))
    text = text_of(talk, form)
    assert "SmolLM2" not in text
    assert "hy3" in text
    assert "# This asked local" in text


def test_what_did_not_fit_then_does_not_go_along_now() -> None:
    long_ago = [turn(f"early {n}", "x") for n in range(5)]
    text = text_of(conversation(*long_ago, turn("now", "y", dropped_turns=3)), "python")
    assert "early 2" not in text
    assert "early 3" in text


def test_an_alternative_that_is_not_on_show_stays_out() -> None:
    talk = conversation(turn("first", "x"))
    talk.open(turn("other words", "y"), branch_of=talk.turns[0]).wait(30)
    text = text_of(talk, "python")
    assert "other words" in text
    assert "first" not in text


def test_an_image_goes_along() -> None:
    talk = conversation(turn("What is it?", "A dot.", images=("data:image/png;base64,AAAA",)))
    assert "data:image/png;base64,AAAA" in text_of(talk, "curl")


def test_a_provider_with_an_impossible_name_is_refused() -> None:
    talk = conversation(turn("a", "b", provider="x/../../$(touch broken)"))
    with pytest.raises(UsageError, match="cannot be a provider"):
        export(talk, "curl", settings=SETTINGS)
