"""Where settings come from, and that the key is never shown."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator

import pytest

from cbai_notebook.client import credentials
from cbai_notebook.client.secret import is_placeholder
from cbai_notebook.client.settings import Secret, Settings, Timeout, configure, settings
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.text import MASK


@pytest.fixture(autouse=True)
def nothing_configured() -> Iterator[None]:
    """Clear the settings that a test configures."""
    yield
    configure(
        env_id=None, api_key=None, base_url=None, provider=None, model=None, timeout=None,
        region=None, servers=None,
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


# Which key belongs to which address

HERE = "http://127.0.0.1:8000/v1"
GATEWAY = "https://my-env.api.tcloudbasegateway.com/v1"


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"CBAI_BASE_URL": HERE, "CLOUDBASE_API_KEY": "cloud"}, None),
        ({"CBAI_BASE_URL": HERE, "CLOUDBASE_APIKEY": "cloud", "CLOUDBASE_ENV_ID": "e"}, None),
        ({"CBAI_BASE_URL": HERE, "CBAI_API_KEY": "here"}, "here"),
        ({"CBAI_BASE_URL": HERE, "CBAI_API_KEY": "here", "CLOUDBASE_API_KEY": "cloud"}, "here"),
        ({"CBAI_API_KEY": "here", "CLOUDBASE_API_KEY": "cloud"}, "cloud"),
        ({"CBAI_API_KEY": "here", "CLOUDBASE_ENV_ID": "my-env"}, None),
        ({"CBAI_BASE_URL": GATEWAY, "CLOUDBASE_API_KEY": "cloud"}, "cloud"),
        ({"CBAI_BASE_URL": GATEWAY, "CLOUDBASE_API_KEY": "cloud", "TCB_ENV": "my-env"}, "cloud"),
        ({"CBAI_BASE_URL": GATEWAY, "CLOUDBASE_API_KEY": "cloud", "TCB_ENV": "other"}, None),
        ({"CBAI_BASE_URL": GATEWAY.replace("https", "http"), "CLOUDBASE_API_KEY": "c"}, None),
        ({"CBAI_BASE_URL": GATEWAY.replace(".com", ".com:8443"), "CLOUDBASE_API_KEY": "c"}, None),
        (
            {"CBAI_BASE_URL": GATEWAY.replace(".com", ".com.evil.io"), "CLOUDBASE_API_KEY": "c"},
            None,
        ),
        ({"CBAI_BASE_URL": "https://evil.io/" + GATEWAY, "CLOUDBASE_API_KEY": "c"}, None),
    ],
)
def test_a_variable_with_a_key_belongs_to_its_address(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], key: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert settings().api_key == key


@pytest.mark.parametrize(
    ("calls", "key"),
    [
        ([{"base_url": HERE, "api_key": "k"}], "k"),
        ([{"base_url": HERE, "api_key": "k", "env_id": "e"}], "k"),
        ([{"api_key": "k"}], "k"),
        ([{"api_key": "k"}, {"base_url": HERE}], None),
        ([{"env_id": "e", "api_key": "k"}, {"base_url": HERE}], None),
        ([{"api_key": "k"}, {"base_url": HERE}, {"base_url": None}], "k"),
        ([{"base_url": HERE}, {"api_key": "k"}], "k"),
        ([{"base_url": HERE}, {"env_id": "e", "api_key": "k"}], None),
        ([{"base_url": HERE, "api_key": "k"}, {"api_key": "new"}], "new"),
        ([{"base_url": HERE, "api_key": "k"}, {"base_url": HERE}], "k"),
        ([{"base_url": HERE, "api_key": "k"}, {"base_url": "http://127.0.0.1:9/v1"}], None),
        ([{"base_url": HERE, "api_key": "k"}, {"base_url": None}], None),
        ([{"base_url": HERE, "api_key": "k"}, {"api_key": None}], None),
        ([{"api_key": "k"}, {"base_url": HERE, "api_key": "here"}, {"base_url": None}], "k"),
    ],
)
def test_an_argument_with_a_key_belongs_to_its_address(
    calls: list[dict[str, str | None]], key: str | None
) -> None:
    for call in calls:
        configure(**call)  # type: ignore[arg-type]
    assert settings().api_key == key


def test_an_address_of_the_environment_gets_no_key_of_an_argument(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CBAI_BASE_URL", HERE)
    configure(api_key="k")
    assert settings().api_key is None
    monkeypatch.setenv("CBAI_API_KEY", "here")
    assert settings().api_key == "here"
    configure(base_url="http://127.0.0.1:9/v1")
    assert settings().api_key is None


def test_a_stored_key_goes_to_the_gateway_of_its_environment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credentials.save("my-env", "stored-key-1")
    assert settings().api_key == "stored-key-1"
    configure(env_id="my-env")
    assert settings().api_key == "stored-key-1"
    configure(env_id="other-env")
    assert settings().api_key is None
    configure(env_id=None)
    monkeypatch.setenv("CBAI_BASE_URL", GATEWAY)
    assert settings().api_key == "stored-key-1"
    for elsewhere in (HERE, GATEWAY.replace("my-env", "other-env")):
        monkeypatch.setenv("CBAI_BASE_URL", elsewhere)
        assert settings().api_key is None
        # It is still known, so that a prompt that holds it is refused.
        assert settings().secrets == {"the API key of CloudBase": "stored-key-1"}


def test_servers_are_added_by_name_and_removed_by_none() -> None:
    configure(servers={"one": {"base_url": HERE, "api_key": "k1"}})
    configure(servers={"two": {"base_url": HERE, "api_key": "k2"}})
    assert {name: server.api_key for name, server in settings().servers.items()} == {
        "one": "k1",
        "two": "k2",
    }
    configure(servers={"one": {"base_url": "http://127.0.0.1:9/v1"}})
    assert settings().servers["one"].api_key is None, "a key stays with its address"
    configure(servers={"one": None})
    assert list(settings().servers) == ["two"]
    with pytest.raises(ConfigurationError):
        configure(servers={"three": {"base_url": HERE}, "custom": {"base_url": HERE}})
    assert list(settings().servers) == ["two"]
    configure(servers=None)
    assert not settings().servers


def test_stored_servers_are_there_beside_those_of_arguments() -> None:
    credentials.save_server("mine", HERE, "stored-key-1")
    credentials.save_server("other", HERE)
    configure(servers={"mine": {"base_url": "http://127.0.0.1:9/v1"}})
    found = settings().servers
    assert found["mine"].base_url == "http://127.0.0.1:9/v1"
    assert found["mine"].api_key is None, "a stored key stays with its stored address"
    assert found["other"].source.startswith("stored in ")
    assert settings().default_provider == "mine"
    configure(env_id="e")
    assert settings().default_provider == "cloudbase"


def test_a_server_of_a_login_stays_the_default_when_configure_adds_one() -> None:
    credentials.save_server("work", HERE)
    configure(servers={"bad": {"base_url": HERE}})
    configure(servers={"other": {"base_url": HERE}})
    assert list(settings().servers) == ["work", "bad", "other"]
    assert settings().default_provider == "work"
    assert settings().default_origin.kind == "store"
    configure(provider="bad")
    assert settings().default_provider == "bad"
    assert settings().default_origin.kind == "argument"


def test_a_server_of_configure_stays_the_default_when_a_login_adds_one() -> None:
    configure(servers={"mine": {"base_url": HERE}})
    credentials.save_server("work", HERE)
    configure(servers={"other": {"base_url": HERE}})
    assert list(settings().servers) == ["mine", "other", "work"]
    configure(servers=None)
    assert settings().default_provider == "work"


@pytest.mark.parametrize(
    "value",
    [
        "x", "1", "test", "EMPTY", "none", "ollama", "dummy", "sk-xxx", "not-needed", "lm-studio",
        "sk-no-key-required", "YOUR_API_KEY", "<your-api-key>", "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
        "token-abc123", "00000000000000000000", "12345678", "placeholder", "whatever", "",
    ],
)  # fmt: skip
def test_a_placeholder_is_no_secret(value: str) -> None:
    assert is_placeholder(value)
    assert is_placeholder(Secret(value))


@pytest.mark.parametrize(
    "value",
    [
        "sk-0123456789abcdef0123", "sk-3fA9x7Qb2LmZ", "cb-key-4f9a8b7c6d5e", "AbCdEfGhIjKlMnOp",
        "x7k2p9q4", "qwhzkjdfpoiuztrmnb", "ollama-4f9a8b7c6d5e", "Tr0ub4dor", "sk-ünïcode1",
    ],
)  # fmt: skip
def test_a_real_key_is_a_secret(value: str) -> None:
    assert not is_placeholder(value)
