"""``cbai.configure`` takes all settings; an invalid value changes none of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cbai_notebook as cbai
from cbai_notebook.client.settings import settings
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.preferences import preferences


@pytest.fixture(autouse=True)
def reset_configuration() -> Iterator[None]:
    yield
    cbai.configure(env_id=None, timeout=None, servers=None, history_turns=None)


def test_settings_reach_their_rooms() -> None:
    cbai.configure(env_id="my-env", timeout=5, history_turns=3)
    assert settings().env_id == "my-env"
    assert settings().timeout.first_token == 5
    assert preferences().history_turns == 3


def test_servers_are_among_the_settings() -> None:
    cbai.configure(servers={"mine": {"base_url": "http://127.0.0.1:1/v1"}})
    assert settings().servers["mine"].base_url == "http://127.0.0.1:1/v1"
    assert settings().default_provider == "mine"


@pytest.mark.parametrize(
    "bad",
    [{"history_turns": "few"}, {"timeout": -1}, {"colour": "red"}, {"servers": {"local": {}}}],
)
def test_a_bad_setting_changes_none_of_them(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        cbai.configure(**{"env_id": "my-env", "history_turns": 3, **bad})
    assert settings().env_id is None
    assert preferences().history_turns == 20


def test_a_mistyped_setting_is_named() -> None:
    with pytest.raises(UsageError, match=r"no setting 'modle'\. Did you mean model\?"):
        cbai.configure(modle="hy3")
    with pytest.raises(UsageError, match=r"no setting 'colour'\. Settings: env_id, "):
        cbai.configure(colour="red")
