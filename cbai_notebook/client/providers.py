"""Find the provider of a name, and the endpoint for its requests.

A provider is looked up in this order: those registered in this process; those announced by an
installed package (entry point group ``cbai_notebook.providers``, as for the offline model);
``custom``; every other name is a provider of CloudBase.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from cbai_notebook.client.settings import Secret, Settings
from cbai_notebook.errors import ConfigurationError, MissingDependencyError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "cbai_notebook.providers"

# Suggestions for Tab completion. Other models are allowed too.
SUGGESTED_MODELS: dict[str, tuple[str, ...]] = {
    "cloudbase": ("hy3", "hy4-preview", "deepseek-v4-pro", "glm-5.3", "kimi-k3"),
    "deepseek": ("deepseek-v4-pro",),
    "local": (),
}

AGENT = "agent"
"""The provider part of a model spec that names an agent of CloudBase: ``agent/BOT_ID``."""

NOT_CHAT = frozenset({AGENT, "hunyuan-image"})
"""Providers of CloudBase that have no chat completions."""

# The models for requests that name none, when the settings name none either.
_DEFAULT_MODELS = {"cloudbase": "hy3"}

# Paths below `{base}/ai/{provider}/`, as in the official SDKs. All other providers use the default.
_DEFAULT_PATH = "chat/completions"
_PATHS = {
    "hunyuan-open": "v1/chat/completions",
    "moonshot": "v1/chat/completions",
    "01-ai": "v1/chat/completions",
    "hunyuan-beta": "openapi/v1/chat/completions",
    "zhipu": "api/paas/v4/chat/completions",
    "dashscope": "compatible-mode/v1/chat/completions",
    "ark": "api/v3/chat/completions",
}

# These send usage in every stream, and may reject `stream_options`.
_ALWAYS_SENDS_USAGE = frozenset({"hunyuan-beta", "hunyuan-exp", "hunyuan-open", "zhipu"})

# The regions of the Chinese gateway; all others use the international address.
_REGIONS_IN_CHINA = frozenset(
    f"ap-{name}"
    for name in (
        "beijing", "chengdu", "chongqing", "guangzhou", "hongkong", "nanjing", "shanghai",
        "shanghai-fsi", "shenzhen-fsi",
    )
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ENV_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


@dataclass(frozen=True)
class Endpoint:
    """Where and how to send the requests for one provider.

    Args:
        provider: The provider's name.
        url: The full URL of its chat completions.
        api_key: The key to send; empty sends none.
        default_model: The model of a request that names none.
        always_stream: Whether complete answers are requested as a stream too.
        defaults: Parameters for requests that do not set them.
        system: A system prompt for requests that have none.
        label: The provider's name in the footer under an answer.
        usage_in_stream: Whether to request usage in a stream (``stream_options``).
        headers: Additional headers.
        declares_end: Whether the service ends each stream with ``[DONE]``.
    """

    provider: str
    url: str
    api_key: str = field(default="", repr=False)
    default_model: str | None = None
    always_stream: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None
    label: str = ""
    usage_in_stream: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    declares_end: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.api_key, Secret):
            object.__setattr__(self, "api_key", Secret(self.api_key))
        if not self.label:
            object.__setattr__(self, "label", self.provider)


class Provider(Protocol):
    """Provides the endpoint for requests to its models."""

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint for requests to this model, ready for requests.

        Raises:
            CbaiError: The model cannot be used; the message says what is missing.
        """
        ...


_registered: dict[str, Provider] = {}


def register_provider(name: str, provider: Provider) -> None:
    """Register a provider under a name in this process; replace the one registered before.

    Raises:
        UsageError: The name is not a valid provider name.
    """
    _registered[_checked_name(name)] = provider


def provider_for(name: str, settings: Settings | None = None) -> Provider:
    """Return the provider of this name.

    Args:
        name: Such as ``"cloudbase"``, ``"local"`` or ``"custom"``.
        settings: Not used; for providers that may need it later.

    Raises:
        UsageError: The name is not a valid provider name.
        MissingDependencyError: The package that announces it cannot be loaded.
    """
    _checked_name(name)
    if name in _registered:
        return _registered[name]
    entry = announced().get(name)
    if entry is not None:
        try:
            provider: Provider = entry.load()
        except ImportError as error:
            raise MissingDependencyError(
                f"The provider {name!r} could not be loaded: {error}. Reinstall it with "
                '`python -m pip install -U "cbai-notebook[all]"`.'
            ) from error
        return provider
    if name == "custom":
        return CustomProvider()
    return CloudBaseProvider(name)


@functools.cache
def announced() -> dict[str, EntryPoint]:
    """Return the providers that installed packages announce; cached: a lookup takes 20 ms."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def parse_model_spec(spec: str | None, settings: Settings) -> tuple[str, str | None]:
    """Parse a model spec as a user writes it.

    Args:
        spec: ``"MODEL"``, ``"PROVIDER/MODEL"`` (split at the first slash), ``"local"``,
            ``"local:/path/to/model.gguf"``, or None for the model of the settings.
        settings: Where the missing parts come from.

    Returns:
        The provider's name, and the model's name or None for the provider's default.

    Raises:
        UsageError: The provider's name is not valid, or the model is empty.
    """
    spec = (spec or "").strip()
    if not spec:
        if settings.provider is None and settings.model:
            return parse_model_spec(settings.model, settings)
        name = settings.default_provider
        return name, settings.model if settings.provider else None
    if spec == "local":
        return "local", None
    if spec.startswith("local:"):
        return "local", _checked_model(spec.removeprefix("local:"), spec)
    if "/" in spec:
        name, _, model = spec.partition("/")
        return _checked_name(name), _checked_model(model, spec)
    # A named model is never the offline model, so that the error can say what is missing.
    return settings.provider or "cloudbase", spec


def default_model(provider: str, settings: Settings) -> str | None:
    """Return the model for requests to this provider that name none, or None."""
    name, model = parse_model_spec(None, settings)
    if name == provider and model:
        return model
    return _DEFAULT_MODELS.get(provider)


class CloudBaseProvider:
    """A provider behind the CloudBase gateway; its name is a part of the path."""

    def __init__(self, name: str) -> None:
        self.name = _checked_name(name)

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint in the environment of the settings.

        Raises:
            ConfigurationError: The environment or the key is missing or not valid.
        """
        base, _ = cloudbase(settings)
        return endpoint_below(base, self.name, settings)


def cloudbase(settings: Settings) -> tuple[str, Secret]:
    """Return the base URL of CloudBase, without a slash at its end, and the API key.

    Raises:
        ConfigurationError: The environment or the key is missing or not valid.
    """
    base = base_url_of(settings)
    if not settings.api_key:
        raise ConfigurationError(
            "There is no API key for CloudBase yet. Run `%cbai login`, set CLOUDBASE_API_KEY, "
            "or call cbai.configure(api_key=…). Without an account, `-m local` asks the "
            "offline demo model."
        )
    return base, Secret(settings.api_key)


class CustomProvider:
    """Any server with the chat completions protocol, at ``{base_url}/chat/completions``."""

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint below the base URL of the settings.

        Raises:
            ConfigurationError: The base URL is missing or not valid.
        """
        if not settings.base_url:
            raise ConfigurationError(
                "The provider 'custom' needs an address: set CBAI_BASE_URL or call "
                "cbai.configure(base_url='https://…/v1')."
            )
        return endpoint_below(checked_base_url(settings.base_url), "custom", settings)


def in_cloud(name: str) -> bool:
    """Return whether this is a provider of chat models behind the CloudBase gateway."""
    elsewhere = name == "custom" or name in _registered or name in announced()
    return not elsewhere and name not in NOT_CHAT


def is_known(name: str) -> bool:
    """Return whether this is the name of a provider that is in use, not any word before a slash."""
    known = name in SUGGESTED_MODELS or name in _PATHS or name in _ALWAYS_SENDS_USAGE
    return known or not in_cloud(name) or name.startswith(("custom-", "hunyuan"))


def base_url_of(settings: Settings) -> str:
    """Return the base URL of all providers of CloudBase.

    Raises:
        ConfigurationError: The environment or the base URL is missing or not valid.
    """
    return checked_base_url(settings.base_url or _gateway(settings))


def endpoint_below(base: str, name: str, settings: Settings) -> Endpoint:
    """Return the endpoint of a CloudBase provider or of ``"custom"``; the API key may be empty.

    Args:
        base: A base URL without a slash at its end.
        name: The provider's name.
        settings: Where the key and the model come from.

    Raises:
        UsageError: The name is not a valid provider name.
    """
    path = _DEFAULT_PATH
    if name != "custom":
        path = f"ai/{_checked_name(name)}/{_PATHS.get(name, _DEFAULT_PATH)}"
    return Endpoint(
        provider=name,
        url=f"{base}/{path}",
        api_key=settings.api_key or "",
        default_model=default_model(name, settings),
        usage_in_stream=name not in _ALWAYS_SENDS_USAGE,
        declares_end=name != "custom",
    )


def checked_base_url(url: str) -> str:
    """Return the URL without a slash at its end.

    Raises:
        ConfigurationError: The URL is not a valid http or https base URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or any(c.isspace() for c in url):
        raise ConfigurationError(
            f"The base URL {url!r} cannot be used. It looks like 'https://host/v1', "
            "with nothing after the path."
        )
    if parts.username or parts.password:
        raise ConfigurationError(
            "The base URL holds a user name or a password. Leave them out; the key is sent apart."
        )
    return url.rstrip("/")


def _gateway(settings: Settings) -> str:
    if not settings.env_id:
        raise ConfigurationError(
            "There is no CloudBase environment yet. Run `%cbai login`, set CLOUDBASE_ENV_ID, or "
            "call cbai.configure(env_id=…). Without an account, `-m local` asks the offline "
            "demo model."
        )
    if not _ENV_ID.fullmatch(settings.env_id):
        raise ConfigurationError(
            f"The environment id {settings.env_id!r} cannot be one: letters, digits and hyphens "
            "only. Copy it from the CloudBase console."
        )
    chinese = settings.region is None or settings.region in _REGIONS_IN_CHINA
    domain = "api.tcloudbasegateway.com" if chinese else "api.intl.tcloudbasegateway.com"
    return f"https://{settings.env_id}.{domain}/v1"


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a provider: letters, digits, '.', '_' and '-' only, "
            "as in `-m cloudbase/hy3`."
        )
    return name


def _checked_model(model: str, spec: str) -> str:
    model = model.strip()
    if not model:
        raise UsageError(f"{spec!r} names no model. Write it as PROVIDER/MODEL, or MODEL alone.")
    return model
