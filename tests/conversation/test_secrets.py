"""Secrets are kept out of prompts, and ordinary words do not count as secrets."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.client.settings import Secret
from cbai_notebook.conversation.secrets import Masker, check_request, find_secrets
from cbai_notebook.errors import SecretRefusedError
from cbai_notebook.i18n import CELL
from cbai_notebook.prompts.template import expand
from cbai_notebook.text import MASK

KEY = "sk-3fA9x7Qb2LmZ"
TOKEN = 'gh"p_\\9aX|7/Qé+2='


def found(text: str, **environ: str) -> list[str]:
    return find_secrets(text, api_key=None, environ=environ)


def refusal(request: dict[str, Any], api_key: str | None = KEY, **environ: str) -> str:
    with pytest.raises(SecretRefusedError) as refused:
        check_request(request, api_key=api_key, environ=environ)
    assert str(refused.value).endswith("or send it on purpose with allow_secrets=True.")
    message = refused.value.in_language("en", CELL)
    assert KEY not in message
    assert not any(value in message for value in environ.values())
    assert message.endswith("or send it on purpose with --allow-secrets.")
    return message


def asking(prompt: str, **more: Any) -> dict[str, Any]:
    return {"model": "hy3", "messages": [{"role": "user", "content": prompt}], **more}


def test_the_api_key_is_found_wherever_it_came_from() -> None:
    assert find_secrets(f"My key is {KEY}.", api_key=KEY, environ={}) == ["the API key"]
    assert find_secrets(f"My key is {KEY}.", api_key=Secret(KEY), environ={}) == ["the API key"]
    named = {"CLOUDBASE_API_KEY": f" {KEY}\n"}
    assert find_secrets(f"x{KEY}y", api_key=KEY, environ=named) == ["CLOUDBASE_API_KEY"]
    assert find_secrets(f"x{KEY}y", api_key=KEY, environ={"PLAIN": KEY}) == ["PLAIN"]
    assert find_secrets(f"x{KEY[:-1]}", api_key=KEY, environ=named) == []


@pytest.mark.parametrize("key", ["", "k", "none", "EMPTY", "ollama", "lm-studio", "not-needed"])
def test_a_key_that_is_no_secret_blocks_no_word(key: str) -> None:
    assert find_secrets(f"Tell me about {key}!", api_key=key, environ={"OPENAI_API_KEY": key}) == []


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "OPENAI_API_KEY",
        "APIKEY",
        "apiKey",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "DB_PASSWORD",
        "DB_PASSWORD_2",
        "MYSQL_PWD",
        "FTP_PASS",
        "MY_PASSWD",
        "GPG_PASSPHRASE",
        "GPG_PRIVATE_KEY",
        "AZURE_CREDENTIALS",
        "CLIENT_SECRET",
        "npm_config_//registry.npmjs.org/:_authToken",
        "JUPYTERHUB_API_TOKEN",
    ],
)
def test_names_that_sound_secret(name: str) -> None:
    assert found("Use 9aX7Qe2f to log in", **{name: "9aX7Qe2f"}) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "MONKEY",
        "TURKEY_RECIPE",
        "KEYBOARD_LAYOUT",
        "HOTKEYS",
        "GPG_KEY",
        "SSH_PUBLIC_KEY",
        "PWD",
        "OLDPWD",
        "BYPASS",
        "COMPASS",
        "TOKENIZERS_PARALLELISM",
        "SECRET_NAME",
        "TOKEN_LIMIT",
        "KEY_FILE",
        "SSH_AUTH_SOCK",
        "XAUTHORITY",
        "CLOUDBASE_ENV_ID",
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert found("Use 9aX7Qe2f to log in", **{name: "9aX7Qe2f"}) == []


@pytest.mark.parametrize(
    "value",
    [
        "short1",
        "postgres",
        "changeme",
        "Change Me",
        "created_at",
        "us-east",
        "ctrl+shift+p",
        "localhost:postgres",
        "12345678",
        "2026-11-22",
        "10.0.0.12:8080",
        "/run/secrets/db_password1",
        "~/.ssh/id_ed25519",
        "./keys/k8s.pem",
        "C:\\Users\\JohnSmith\\AppData\\key2.txt",
        "/Users/me/Library/MyKeys2",
        "https://example.com/v1/token?kind=refresh",
        "tcp://10.0.0.1:443",
        "postgres://postgres:postgres@localhost/app1",
        '{"mode": "none", "level": 12}',
    ],
)
def test_values_that_a_prompt_may_hold_by_chance(value: str) -> None:
    assert found(f"It is {value} here", MY_PASSWORD=value) == []


@pytest.mark.parametrize(
    ("value", "leaked"),
    [
        ("hunter22", "hunter22"),
        ("correct horse battery staple 9", "correct horse battery staple 9"),
        ("1234567812345678", "1234567812345678"),
        ("/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        ("qwertyuiopasdfghjklzxcvbnmqwerty", "qwertyuiopasdfghjklzxcvbnmqwerty"),
        ("https://x.cn/a?sig=Ab1Cd2Ef3Gh4Ij5Kl6", "Ab1Cd2Ef3Gh4Ij5Kl6"),
        ('{"type": "account", "private_key": "-----BEGIN x1"}', "-----BEGIN x1"),
        ('{"auths": [{"auth": "dXNlcjpwYXNz1"}]}', "dXNlcjpwYXNz1"),
        ("two\nlines-1", "two\nlines-1"),
    ],
)
def test_values_that_are_secret(value: str, leaked: str) -> None:
    assert found(f"It is {leaked} here", MY_SECRET=value) == ["MY_SECRET"]


@pytest.mark.parametrize(
    ("address", "leaked"),
    [
        ("postgres://me:s3cr%3Ft-pw@db.example.com/app", "s3cr?t-pw"),
        ("postgres://me:s3cr%3Ft-pw@db.example.com/app", "s3cr%3Ft-pw"),
        ("http://me:pass-word1@proxy:8080", "http://me:pass-word1@proxy:8080"),
        ("https://0123456789abcdef0123@sentry.example.com/1", "0123456789abcdef0123"),
    ],
)
def test_an_address_with_a_password_in_it_is_secret_under_any_name(
    address: str, leaked: str
) -> None:
    assert found(f"See {leaked}.", DATABASE_URL=address) == ["DATABASE_URL"]
    assert found("See https://[::1/x", DATABASE_URL="https://[::1/x") == []


@pytest.mark.parametrize(
    "write",
    [
        str,
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        lambda value: json.dumps({"deep": [value]}),
        repr,
        lambda value: urllib.parse.quote(value, safe=""),
        lambda value: expand("{v}", {"v": [value]}).text,
        lambda value: expand("{v}", {"v": (value, 1)}).text,
        lambda value: expand("{v.a}", {"v": pd.DataFrame({"a": [value]})}).text,
    ],
)
def test_a_secret_is_found_however_it_is_written(write: Any) -> None:
    assert found(write(TOKEN), GITHUB_TOKEN=TOKEN) == ["GITHUB_TOKEN"]


@given(st.text(min_size=8), st.text(), st.text())
def test_a_secret_is_found_anywhere(value: str, before: str, after: str) -> None:
    secret = f"{value}9aX7Qe2f"
    assert found(before + secret.strip() + after, SOME_TOKEN=secret) in (["SOME_TOKEN"], [])
    assert found(before + "9aX7Qe2f" + after, SOME_TOKEN="9aX7Qe2f") == ["SOME_TOKEN"]


def test_several_secrets_are_named_in_order() -> None:
    message = refusal(asking("a1b2c3d4 and e5f6g7h8"), B_TOKEN="a1b2c3d4", A_TOKEN="e5f6g7h8")
    assert "the prompt holds the value of A_TOKEN and B_TOKEN." in message


def test_a_prompt_without_secrets_passes() -> None:
    request = asking("What is a token?", temperature=0.5, stop=None, tools=[{"a": 1}])
    check_request(request, api_key=KEY, environ={"GITHUB_TOKEN": TOKEN, "HOME": "/home/me"})
    check_request({}, api_key=None, environ={})


@pytest.mark.parametrize(
    ("request_", "place", "way_out"),
    [
        (asking(f"My key is {KEY}"), "the prompt", "Take it out"),
        (
            {"messages": [{"role": "system", "content": KEY}, {"role": "user", "content": "Hi"}]},
            "the system prompt",
            "Set another one with -s",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": KEY},
                    {"role": "user", "content": "Hi"},
                ]
            },
            "an earlier message of this conversation",
            "Leave it behind with --no-history or %cbai reset",
        ),
        (asking("Hi", user=KEY), "the parameter 'user'", "Take it out"),
        (
            asking("Hi", tools=[{"function": {"name": {KEY: 1}}}]),
            "the parameter 'tools'",
            "Take it",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": KEY}]}]},
            "the prompt",
            "Take it out",
        ),
    ],
)
def test_a_refusal_says_where_the_secret_is_and_what_to_do(
    request_: dict[str, Any], place: str, way_out: str
) -> None:
    message = refusal(request_)
    assert message.startswith(f"Not sent: {place} holds the value of the API key. {way_out}")


def test_a_megabyte_of_text_among_many_secrets() -> None:
    environ = {f"SERVICE_{number}_TOKEN": f'abc{number}defghij"|é{number}' for number in range(200)}
    environ["LAST_TOKEN"] = "zz9zz9zz9"
    request = asking("lorem ipsum " * 90_000 + "zz9zz9zz9")
    request["messages"] = [{"role": "user", "content": "hello"}] * 3_000 + request["messages"]
    assert "LAST_TOKEN" in refusal(request, api_key=KEY, **environ)


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"a {JWT} b", f"a {MASK} b"),
        (f"token-{JWT}", f"token-{MASK}"),
        (f"x.{JWT}", f"x.{MASK}"),
        (f"-eyJ-{JWT}", f"-{MASK}"),
        (f"{JWT}\n{JWT}", f"{MASK}\n{MASK}"),
        (f"x{JWT}", f"x{JWT}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0"),
        (f"sk-{'a' * 20} {JWT}", f"{MASK} {MASK}"),
    ],
)
def test_a_web_token_is_masked_wherever_it_begins(text: str, masked: str) -> None:
    assert Masker((), shapes=True)(text) == masked


@pytest.mark.parametrize("length", [10, 100, 20_000])
@pytest.mark.parametrize("closed", [True, False])
def test_a_private_key_that_streams_is_masked_and_little_of_it_is_held(
    length: int, closed: bool
) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE\n" * (length // 5)
    text = f"Here: {key}" + ("-----END RSA PRIVATE KEY-----\nThat is all." if closed else "")
    mask = Masker((), shapes=True)
    stored = rest = ""
    for start in range(0, len(text), 7):
        settled, rest = mask.split(rest + text[start : start + 7])
        stored += mask(settled)
        assert "MIIE" not in stored + mask.tail(rest)
        assert len(rest) <= 2 * 4_096 + 100
    assert stored + mask.tail(rest) == f"Here: {MASK}" + ("\nThat is all." if closed else "")


def test_a_certificate_that_streams_is_not_held() -> None:
    _, rest = Masker((), shapes=True).split("-----BEGIN CERTIFICATE-----\n" + "MIIE\n" * 1_000)
    assert rest == ""


@pytest.mark.parametrize("beginning", ["sk-", f"{JWT}-"])
def test_little_is_held_of_a_key_that_does_not_end(beginning: str) -> None:
    mask = Masker((), shapes=True)
    stored = rest = ""
    for piece in [beginning, *["a1b2c3d4e5f6" * 20] * 200, " end"]:
        settled, rest = mask.split(rest + piece)
        stored += mask(settled)
        assert len(rest) <= 3 * 4_096
    assert stored + mask.tail(rest) == f"{MASK} end"
