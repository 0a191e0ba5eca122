"""The endpoint of each provider, and model specs."""

from __future__ import annotations

import asyncio

import pytest

from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.provider_registry import provider_for
from cbai_notebook.client.providers import (
    Endpoint,
    parse_model_spec,
    register_provider,
)
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import ConfigurationError, UsageError
from tests.provider_paths import PATHS

ENV = Settings(env_id="my-env-1a", api_key="k")
BASE = "https://my-env-1a.api.tcloudbasegateway.com/v1/ai/"

ALL_PATHS = {**PATHS, "anything": "anything/chat/completions"}


def endpoint(name: str, settings: Settings, model: str | None = "m") -> Endpoint:
    return asyncio.run(provider_for(name, settings).endpoint(model, settings))


@pytest.mark.parametrize(("name", "path"), ALL_PATHS.items())
def test_every_provider_has_its_path(name: str, path: str) -> None:
    assert endpoint(name, ENV).url == BASE + path


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        (None, "api.tcloudbasegateway.com"),
        ("ap-shanghai", "api.tcloudbasegateway.com"),
        ("ap-guangzhou", "api.tcloudbasegateway.com"),
        ("ap-singapore", "api.intl.tcloudbasegateway.com"),
    ],
)
def test_the_region_chooses_the_address(region: str | None, domain: str) -> None:
    settings = Settings(env_id="e", api_key="k", region=region)
    assert endpoint("cloudbase", settings).url.startswith(f"https://e.{domain}/v1/ai/")


def test_a_base_url_wins_over_the_environment() -> None:
    settings = Settings(env_id="e", api_key="k", base_url="http://127.0.0.1:1/v1/")
    assert endpoint("ark", settings).url == "http://127.0.0.1:1/v1/ai/ark/api/v3/chat/completions"


def test_custom_is_any_server_of_the_same_wire() -> None:
    settings = Settings(base_url="http://10.0.0.5:8000/v1")
    found = endpoint("custom", settings)
    assert found.url == "http://10.0.0.5:8000/v1/chat/completions"
    assert found.api_key == ""


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (Settings(env_id="e"), "API key"),
        (Settings(api_key="k"), "environment"),
        (Settings(api_key="k", env_id="evil.com/x"), "cannot be one"),
        (Settings(api_key="k", base_url="ftp://h/v1"), "base URL"),
        (Settings(api_key="k", base_url="https://"), "base URL"),
        (Settings(api_key="k", base_url="https://h/v1?x=1"), "base URL"),
        (Settings(api_key="k", base_url="https://h:port/v1"), "base URL"),
        (Settings(api_key="k", base_url="https://user:pass@h/v1"), "password"),
    ],
)
def test_what_is_missing_or_wrong_is_said(settings: Settings, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        endpoint("cloudbase", settings)
    assert "pass@" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "-x", "é"])
def test_a_name_that_would_change_the_path_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        provider_for(name, ENV)


def test_custom_needs_an_address() -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        endpoint("custom", Settings(api_key="k"))


@pytest.mark.parametrize(
    ("spec", "settings", "found"),
    [
        (None, Settings(), ("local", None)),
        ("", Settings(), ("local", None)),
        (None, ENV, ("cloudbase", None)),
        (None, Settings(provider="ark", model="m"), ("ark", "m")),
        (None, Settings(provider="custom", model="Qwen/Qwen3"), ("custom", "Qwen/Qwen3")),
        (None, Settings(model="deepseek/deepseek-v4-pro"), ("deepseek", "deepseek-v4-pro")),
        ("hy3", ENV, ("cloudbase", "hy3")),
        ("hy3", Settings(), ("cloudbase", "hy3")),
        ("hy3", Settings(provider="hunyuan-exp"), ("hunyuan-exp", "hy3")),
        ("ark/doubao", ENV, ("ark", "doubao")),
        ("custom/Qwen/Qwen3-8B", ENV, ("custom", "Qwen/Qwen3-8B")),
        ("local", ENV, ("local", None)),
        ("local:/models/x.gguf", ENV, ("local", "/models/x.gguf")),
    ],
)
def test_how_a_model_is_written(
    spec: str | None, settings: Settings, found: tuple[str, str | None]
) -> None:
    assert parse_model_spec(spec, settings) == found


@pytest.mark.parametrize("spec", ["/m", "ark/", "a b/c", "local:", "cloudbase"])
def test_what_is_no_model_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        parse_model_spec(spec, ENV)


def test_the_configured_model_belongs_to_the_configured_provider() -> None:
    settings = Settings(env_id="e", api_key="k", provider="ark", model="doubao")
    assert endpoint("ark", settings).default_model == "doubao"
    assert endpoint("moonshot", settings).default_model is None
    assert endpoint("cloudbase", settings).default_model == "hy3"


def test_a_registered_provider_is_asked() -> None:
    class Here:
        async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
            return Endpoint("test-here", f"http://127.0.0.1/{model}", label="here")

    register_provider("test-here", Here())
    assert endpoint("test-here", Settings()).url == "http://127.0.0.1/m"


def test_the_offline_model_is_found_through_its_entry_point() -> None:
    found = provider_for("local", Settings())
    assert type(found).__module__.startswith("cbai_notebook.local")


def test_an_endpoint_hides_its_key() -> None:
    assert "sk-1" not in repr(Endpoint("p", "http://h", api_key="sk-1"))
    assert "sk-1" not in repr(vars(Endpoint("p", "http://h", api_key="sk-1")))


def test_making_a_model_asks_nobody() -> None:
    assert create_model("cloudbase").provider == "cloudbase"
    assert create_model(settings=Settings()).provider == "local"
    assert create_model(settings=ENV).provider == "cloudbase"
