"""No secret is written to the file, in any field and however the text is split into deltas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cbai_notebook as cbai
from cbai_notebook.conversation import Conversation
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import turn

API_KEY = "cb-key-4f9a8b7c6d5e4f3a2b1c"
TOKEN = "tok_9f8e7d6c5b4a39281706"
PASSPHRASE = "Tr0ub4dor & the 3 horses!"
FOREIGN = "pässwörd–123–geheim"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow1BAAKCAQEA7x9q\nZm9vYmFyYmF6\n"
    "-----END RSA PRIVATE KEY-----"
)
SHAPED = "sk-Abcdefghijklmnop0123456789"
SECRETS = (API_KEY, TOKEN, PASSPHRASE, FOREIGN, SHAPED, "MIIEow1BAAKCAQEA7x9q")


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBASE_API_KEY", API_KEY)
    monkeypatch.setenv("SERVICE_TOKEN", TOKEN)
    monkeypatch.setenv("VAULT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("OTHER_PASSWORD", FOREIGN)


@pytest.fixture
def talk(file: Path) -> Conversation:
    return open_registry(file).get("talk")


def stored(file: Path) -> bytes:
    """Return all bytes of the history files."""
    return b"".join(each.read_bytes() for each in file.parent.glob("history.sqlite*"))


def secrets_in(data: bytes) -> list[str]:
    return [secret for secret in SECRETS if secret.encode() in data]


ALL = f"{API_KEY} and {TOKEN}, {PASSPHRASE}; {FOREIGN} {SHAPED}\n{PEM}\nthe end."


def test_wherever_it_stands(talk: Conversation, file: Path) -> None:
    step = {
        "role": "assistant",
        "content": ALL,
        "tool_calls": [
            {"id": "1", "function": {"name": "f", "arguments": json.dumps({"key": ALL, ALL: 1})}}
        ],
    }
    made = turn(
        ALL,
        ALL,
        system=ALL,
        error=ALL,
        error_details=ALL,
        model=ALL,
        asked_model=ALL,
        finish_reason=ALL,
        provider=ALL,
        cell_id=ALL,
        params={"stop": [ALL], ALL: ALL, "n": 1},
        steps=(step, {"role": "tool", "content": ALL, "tool_call_id": "1"}),
        images=(f"https://example.org/?key={API_KEY}",),
    )
    made.add("", ALL)
    talk.open(made).wait(30)
    assert talk.not_stored == ""
    assert secrets_in(stored(file)) == []
    (again,) = open_registry(file).get("talk").turns
    assert again.params["n"] == 1
    assert "the end." in again.text


@pytest.mark.parametrize("size", [1, 3, 7, 20])
@pytest.mark.parametrize("where", ["text", "reasoning"])
def test_in_whatever_pieces_it_comes(talk: Conversation, file: Path, size: int, where: str) -> None:
    answer = turn("a", status="streaming")
    talk.open(answer).wait(30)
    for start in range(0, len(ALL), size):
        piece = ALL[start : start + size]
        talk.grow(answer, *((piece, "") if where == "text" else ("", piece)))
        talk.checkpoint(answer).wait(30)
        assert secrets_in(stored(file)) == []
    (seen,) = open_registry(file).get("talk").turns
    assert getattr(seen, where).endswith("the end.")
    talk.close(answer, "complete").wait(30)
    assert secrets_in(stored(file)) == []


def test_a_secret_without_an_end_breaks_no_conversation(talk: Conversation, file: Path) -> None:
    told = "-----BEGIN PRIVATE KEY-----\nMIIEow1BAAKCAQEA7x9q"
    step = {"role": "assistant", "content": "", "tool_calls": []}
    result = {"role": "tool", "content": told, "tool_call_id": "1"}
    talk.open(turn("a", told, params={"stop": told}, steps=(step, result))).wait(30)
    (again,) = open_registry(file).get("talk").turns
    assert again.steps[1]["tool_call_id"] == "1"
    assert secrets_in(stored(file)) == []


def test_what_is_sent_on_purpose_is_kept_but_for_the_api_key(
    talk: Conversation, file: Path
) -> None:
    talk.open(turn(ALL, ALL, allow_secrets=True)).wait(30)
    kept = secrets_in(stored(file))
    assert set(kept) == {*SECRETS} - {API_KEY}


def test_the_names_of_conversations_hold_none(file: Path) -> None:
    registry = open_registry(file)
    talk = registry.get(f"about {TOKEN}")
    talk.open(turn("a", "1")).wait(30)
    registry.rename(talk, f"on {API_KEY}")
    assert secrets_in(stored(file)) == []
    assert [each.prompt for each in open_registry(file).get(f"on {API_KEY}").turns] == ["a"]


def test_a_key_that_is_configured_is_masked_as_well(talk: Conversation, file: Path) -> None:
    key = "configured-key-0a1b2c3d4e5f"
    try:
        cbai.configure(api_key=key)
        talk.open(turn("a", f"It is {key}.")).wait(30)
        assert key.encode() not in stored(file)
    finally:
        cbai.configure(api_key=None)
