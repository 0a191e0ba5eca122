"""Where settings come from, and that the key is never shown."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator

import pytest

from cbai_notebook.client import credentials
from cbai_notebook.client.settings import Secret, Settings, Timeout, configure, settings
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.text import MASK


@pytest.fixture(autouse=True)
def nothing_configured() -> Iterator[None]:
    """Clear the settings that a test configures."""
    yield
    configure(
        env_id=None, api_key=None, base_url=None, provider=None, model=None, timeout=None,
        region=None,
    )  # fmt: skip


def test_nothing_is_configured_to_begin_with() -> None:
    now = settings()
    assert not now.configured
    assert now.default_provider == "local"
    assert now.timeout == Timeout(connect=10, first_token=120, between_tokens=60, answer=600)
    assert set(now.sources.values()) == {"default"}


@pytest.mark.parametrize(
    "given", [{"env_id": "e"}, {"api_key": "k"}, {"base_url": "http://h/v1"}, {"provider": "ark"}]
)
def test_anything_that_says_where_to_ask_configures(given: dict[str, str]) -> None:
    configure(**given)
    assert settings().configured
    assert settings().default_provider == given.get("provider", "cloudbase")


def test_an_argument_wins_over_the_environment_and_that_over_what_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = credentials.save("stored-env", "stored-key", "ap-singapore")
    now = settings()
    assert (now.env_id, now.api_key, now.region) == ("stored-env", "stored-key", "ap-singapore")
    assert now.sources["api_key"] == f"stored in {where}"

    monkeypatch.setenv("CLOUDBASE_API_KEY", "environment-key")
    assert settings().api_key == "environment-key"
    assert settings().sources["api_key"] == "environment CLOUDBASE_API_KEY"
    assert settings().env_id == "stored-env"

    configure(api_key="argument-key")
    assert settings().api_key == "argument-key"
    assert settings().sources["api_key"] == "argument"

    configure(api_key=None)
    assert settings().api_key == "environment-key"


def test_a_stored_region_belongs_to_the_stored_environment() -> None:
    credentials.save("stored-env", "stored-key", "ap-singapore")
    configure(env_id="other-env")
    assert settings().region is None


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ("CLOUDBASE_ENV_ID", "TCB_ENV", "env_id"),
        ("CLOUDBASE_API_KEY", "CLOUDBASE_APIKEY", "api_key"),
    ],
)
def test_of_two_variables_the_first_counts(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str, field: str
) -> None:
    monkeypatch.setenv(second, "two")
    assert getattr(settings(), field) == "two"
    assert settings().sources[field] == f"environment {second}"
    monkeypatch.setenv(first, " one ")
    assert getattr(settings(), field) == "one"


def test_an_empty_variable_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBAI_PROVIDER", "")
    assert not settings().configured


def test_only_what_is_given_changes() -> None:
    configure(provider="cloudbase", model="hy3")
    configure(model="glm-5.3")
    assert (settings().provider, settings().model) == ("cloudbase", "glm-5.3")


def test_timeouts_are_a_number_a_dict_or_a_timeout() -> None:
    configure(timeout=5)
    assert settings().timeout == Timeout(connect=5, first_token=5, between_tokens=5, answer=5)
    configure(timeout=30)
    assert settings().timeout.connect == 10
    configure(timeout={"first_token": 7})
    assert settings().timeout == Timeout(first_token=7)
    configure(timeout=Timeout(answer=1))
    assert settings().timeout.answer == 1
    configure(timeout=None)
    assert settings().timeout == Timeout()


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": {"frist_token": 3}},
        {"timeout": 0},
        {"timeout": "10"},
        {"timeout": float("nan")},
        {"timeout": True},
        {"model": 3},
        {"api_key": "sk-1 2"},
        {"api_key": "sk-1\nX-Evil: 1"},
        {"api_key": "密钥"},
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_changes_nothing(
    wrong: dict[str, object],
) -> None:
    before = settings()
    with pytest.raises(ConfigurationError) as raised:
        configure(**{"provider": "ark", **wrong})  # type: ignore[arg-type]
    assert settings() == before
    assert "sk-1" not in str(raised.value)


def test_the_key_hides_itself_everywhere() -> None:
    configure(api_key=" sk-very-secret\n")
    now = settings()
    assert now.api_key == "sk-very-secret"
    shown = [
        repr(now), str(now), repr(now.api_key), str(now.api_key), f"{now.api_key}",
        f"{now.api_key:>40}", repr([now.api_key]), repr(vars(now)), f"{now.api_key}",
    ]  # fmt: skip
    assert all("sk-very-secret" not in one for one in shown)
    assert str(now.api_key) == MASK


def test_a_secret_is_the_string_that_it_is() -> None:
    key = Secret("abc")
    assert key == "abc"
    assert hash(key) == hash("abc")
    assert type(key.reveal()) is str
    assert key.reveal() == "abc"
    assert "Bearer " + key == "Bearer abc"
    for again in (Secret(key), copy.deepcopy(key), pickle.loads(pickle.dumps(key))):
        assert again.reveal() == "abc"
    assert str(Secret("")) == ""
    assert json.dumps(key) == '"abc"'


def test_settings_made_by_hand_hide_their_key_too() -> None:
    assert "sk-1" not in repr(Settings(api_key="sk-1").api_key)
