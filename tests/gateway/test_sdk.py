"""The official JavaScript SDK works with the gateway: both use the same protocol.

Needs Node.js with npm; the SDK is installed once, below ``sdk/node_modules``.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.gateway import Gateway
from tests.gateway.javascript import SDK, node_with_sdk
from tests.provider_paths import PATHS

pytestmark = pytest.mark.sdk

PROMPT = "介绍一下李白 🌙"
MESSAGES = [{"role": "user", "content": PROMPT}]


@pytest.fixture(scope="module")
def node() -> str:
    """Return the path of Node.js, with the SDK installed."""
    return node_with_sdk()


def _call(node: str, gateway: Gateway, calls: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Make calls of ``(provider, method, model)`` and return the result of the SDK for each."""
    return run(
        node,
        gateway,
        [
            {
                "provider": provider,
                "method": method,
                "input": {"model": model, "messages": MESSAGES},
            }
            for provider, method, model in calls
        ],
    )


def run(node: str, gateway: Gateway, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make calls in the format of ``sdk/calls.mjs`` and return the result of the SDK for each."""
    request = {"baseUrl": gateway.base_url, "apiKey": gateway.key, "calls": calls}
    done = subprocess.run(
        [node, "calls.mjs"],
        cwd=SDK,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_it_generates_and_streams_with_every_provider(node: str, gateway: Gateway) -> None:
    methods = ("generateText", "streamText")
    calls = [(provider, method, "echo") for provider in PATHS for method in methods]
    answers = _call(node, gateway, calls)
    for (provider, method, _), answer, seen in zip(calls, answers, gateway.requests, strict=True):
        assert answer.get("text") == PROMPT, (provider, method, answer)
        assert answer["messages"][-1] == {"role": "assistant", "content": PROMPT}
        assert seen.path == f"/v1/ai/{PATHS[provider]}"
        assert seen.provider == provider
        assert seen.headers["authorization"] == "Bearer test-key"
        assert seen.json["model"] == "echo"
        assert seen.json["messages"] == MESSAGES
        assert seen.json["stream"] is (method == "streamText")
        if method == "streamText":
            assert seen.headers["accept"] == "text/event-stream"
            assert len([text for text in answer["texts"] if text]) > 3
    assert gateway.connections < len(calls) / 2


def test_it_reads_what_is_written_otherwise(node: str, gateway: Gateway) -> None:
    models = ["echo+split:1", "echo+crlf", "echo+mixed+multiline", "echo+bom+comments+ids+tight"]
    calls = [("cloudbase", "streamText", model) for model in (*models, "blast:2000")]
    *echoes, blast = _call(node, gateway, calls)
    for echo in echoes:
        assert echo.get("text") == PROMPT, echo
        assert echo["usage"]["total_tokens"] > 0
    assert blast.get("usage", {}).get("completion_tokens") == 2000, blast.get("error")


def test_it_fails_when_the_gateway_refuses(node: str, gateway: Gateway) -> None:
    models = ["error:429:EXCEED_TOKEN_QUOTA_LIMIT", "error-in-200:AI_MODEL_NOT_FOUND"]
    answers = _call(node, gateway, [("cloudbase", "streamText", model) for model in models])
    assert "EXCEED_TOKEN_QUOTA_LIMIT" in answers[0]["error"]
    assert "AI_MODEL_NOT_FOUND" in answers[1]["error"]


def test_the_faults_are_the_ones_that_it_stumbles_over(node: str, gateway: Gateway) -> None:
    """The faults of the gateway are hard: this version of the SDK handles each of them wrongly."""
    models = [
        "echo+crlf-first",
        "midstream-error:2",
        "echo+stop:2",
        "echo+nodone+cut:2+framing:close",
    ]
    answers = _call(node, gateway, [("cloudbase", "streamText", model) for model in models])
    assert answers[0]["text"] == ""
    assert "reading 'map'" in answers[1]["error"]
    for cut_short in answers[2:]:
        assert "error" not in cut_short
        assert PROMPT.startswith(cut_short["text"])
        assert cut_short["text"] != PROMPT
