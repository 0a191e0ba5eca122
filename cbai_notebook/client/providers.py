"""Providers: their names and models, and the endpoints for requests to them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cbai_notebook.client.secret import Secret
from cbai_notebook.client.servers import PROVIDER_NAME, RESERVED, Server, checked_base_url
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.i18n import Words, joined, say
from cbai_notebook.text import is_mistyped, near_match

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "cbai_notebook.providers"

# Suggestions for Tab completion. Other models are allowed too.
SUGGESTED_MODELS: dict[str, tuple[str, ...]] = {
    "cloudbase": ("hy3", "hy4-preview", "deepseek-v4-pro", "glm-5.3", "kimi-k3"),
    "deepseek": ("deepseek-v4-pro",),
    "demo": (),
    "local": (),
}

LOCAL = "local"
"""The provider of the offline model."""

CLOUDBASE = "cloudbase"
"""The provider of CloudBase's own models."""

DEMO = "demo"
"""The provider of the demo model, which answers by a script in this process."""

AGENT = "agent"
"""The provider part of a model spec that names an agent of CloudBase: ``agent/BOT_ID``."""

_NO_CLOUD_CHAT = frozenset({AGENT, DEMO, "hunyuan-image"})
"""Providers of this package that have no chat completions in the cloud."""

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
        cloud: Whether this is CloudBase's gateway, which ends each stream with ``[DONE]``.
        style: The name of the provider whose own parameters the server takes, such as that for
            thinking; by default the provider's name.
        key_advice: Returns how to set the key, for the message of an error; None for that of
            CloudBase.
        missing: Returns what to do after a 404, for the message of an error; None for that of a
            model.
        at_once: The most requests that it works on at once; None if that is not known.
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
    cloud: bool = False
    style: str = ""
    key_advice: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    missing: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    at_once: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.api_key, Secret):
            object.__setattr__(self, "api_key", Secret(self.api_key))
        if not self.label:
            object.__setattr__(self, "label", self.provider)
        if not self.style:
            object.__setattr__(self, "style", self.provider)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The key and the header values, which must be masked if they are no placeholders."""
        values = (self.api_key, *self.headers.values())
        return tuple(value for value in values if isinstance(value, Secret))


class Provider(Protocol):
    """Provides the endpoint for requests to its models."""

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint for requests to this model, ready for requests.

        Raises:
            CbaiError: The model cannot be used; the message says what is missing.
        """
        ...


@runtime_checkable
class DrawingProvider(Protocol):
    """A provider whose models draw at an address of their own."""

    def image_endpoint(self) -> Endpoint:
        """Return the endpoint for requests to draw."""
        ...


_registered: dict[str, Provider] = {}


def register_provider(name: str, provider: Provider) -> None:
    """Register a provider under a name in this process; replace the one registered before.

    Raises:
        UsageError: The name is not a valid provider name.
    """
    _registered[checked_name(name)] = provider


def registered(name: str) -> Provider | None:
    """Return the provider that was registered under a name in this process, or None."""
    return _registered.get(name)


def check_no_server_is_meant(name: str, settings: Settings | None) -> None:
    """Refuse a mistyped provider's name: the prompt would go to CloudBase instead.

    Raises:
        UsageError: The name is like that of a server or of a provider of this package, or CloudBase
            is not set up.
    """
    if settings is None or _is_of_cloudbase(name):
        return
    own = next((each for each in sorted(RESERVED) if is_mistyped(name, each)), None)
    if own is not None:
        raise UsageError(say("provider.no_such_provider_but", name=name, meant=own))
    if not settings.servers:
        return
    meant = near_match(name.lower(), {server.lower(): server for server in settings.servers})
    if meant is None and settings.env_id:
        return
    server = next((one for one in settings.servers if one.lower() == meant), None)
    known = ", ".join(sorted(settings.servers))
    raise UsageError(
        say("provider.no_such_server_but", name=name, known=known, meant=server)
        if server
        else say("provider.no_such_server", name=name, known=known)
    )


@functools.cache
def announced() -> dict[str, EntryPoint]:
    """Return the providers that installed packages announce; cached: a lookup takes 20 ms."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def parse_model_spec(
    spec: str | None, settings: Settings, *, check_slips: bool = True
) -> tuple[str, str | None]:
    """Parse a model spec as a user writes it.

    Args:
        spec: ``"MODEL"``, ``"PROVIDER/MODEL"`` (split at the first slash), ``"local"``,
            ``"local:/path/to/model.gguf"``, ``"demo"``, the name of a server for its model, or
            None for the model of the settings.
        settings: Where the missing parts come from.
        check_slips: Whether a model's name is refused that is most likely a server's, mistyped.

    Returns:
        The provider's name, and the model's name or None for the provider's default.

    Raises:
        UsageError: The provider's name is not valid, the model is empty, or a model's name is most
            likely the mistyped name of a server.
    """
    spec = (spec or "").strip()
    if not spec:
        spec = "" if settings.provider else (settings.model or "").strip()
    if not spec:
        return settings.default_provider, settings.model if settings.provider else None
    if spec in (LOCAL, DEMO) or spec in settings.servers:
        return spec, None
    if spec.startswith("local:"):
        return "local", _checked_model(spec.removeprefix("local:"), spec)
    if "/" in spec:
        name, _, model = spec.partition("/")
        return checked_name(name), _checked_model(model, spec)
    # A named model is never the offline model, so that the error can say what is missing.
    default = settings.default_provider
    provider = "cloudbase" if default == "local" and not settings.provider else default
    if check_slips:
        check_model_is_no_server(spec, provider, settings)
    return provider, spec


def check_model_is_no_server(model: str, provider: str, settings: Settings) -> None:
    """Refuse a mistyped server's name that was read as a model's: another server would get the prompt.

    Args:
        model: The name, as a user wrote it without a provider.
        provider: The provider that it would be sent to.
        settings: Where the servers are named.

    Raises:
        UsageError: The name is like that of a server and not known as a model's, or it is CloudBase's.
    """
    if model == CLOUDBASE:
        raise UsageError(say("provider.spec_names_no_model", spec=model))
    known = {name for models in SUGGESTED_MODELS.values() for name in models}
    if model in known or any(model == server.model for server in settings.servers.values()):
        return
    servers = (*settings.servers, LOCAL, DEMO, CLOUDBASE)
    meant = next((name for name in servers if is_mistyped(model, name)), None)
    if meant is not None:
        raise UsageError(
            say("provider.server_is_meant", name=model, meant=meant, provider=provider)
        )


def model_label(provider: str | None, model: str | None) -> str:
    """Return a provider and a model for readers: ``"cloudbase/hy3"``.

    One of the two alone where the other is missing or has the same name, as that of ``"demo"``.
    """
    return "/".join(dict.fromkeys(filter(None, (provider, model))))


def suggested_specs(settings: Settings) -> list[str]:
    """Return model specs to suggest: those of the providers, then the servers that the user named.

    A server without a model of its own is written with the slash behind which a model goes.
    """
    specs = [
        f"{provider}/{model}" if model else provider
        for provider, models in SUGGESTED_MODELS.items()
        for model in models or ("",)
    ]
    return [*specs, *(f"{name}/{server.model or ''}" for name, server in settings.servers.items())]


def default_model(provider: str, settings: Settings) -> str | None:
    """Return the model for requests to this provider that name none, or None."""
    if settings.model:
        name, model = parse_model_spec(None, settings, check_slips=False)
        if name == provider and model:
            return model
    server = settings.servers.get(provider)
    return server.model if server else _DEFAULT_MODELS.get(provider)


class CloudBaseProvider:
    """A provider behind the CloudBase gateway; its name is a part of the path."""

    def __init__(self, name: str) -> None:
        self.name = checked_name(name)

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint in the environment of the settings.

        Raises:
            ConfigurationError: The environment or the key is missing or not valid.
        """
        if not settings.base_url:
            try:
                cloudbase(settings)
            except ConfigurationError as error:
                problem = error.words or error.message
                name = model if self.name == CLOUDBASE else self.name
                if name and not settings.env_id and not _is_known(name):
                    problem = say("provider.no_server_and_no_environment", name=name)
                advice = model_name_advice(self.name, model or "")
                raise ConfigurationError(joined(problem, advice)) from None
        # At another address the key is optional: a gateway of a company may add its own.
        return endpoint_below(base_url_of(settings), self.name, settings)


def cloudbase(settings: Settings) -> tuple[str, Secret]:
    """Return the base URL of CloudBase, without a slash at its end, and the API key.

    Raises:
        ConfigurationError: The environment or the key is missing or not valid.
    """
    base = base_url_of(settings)
    if not settings.api_key and not settings.at_gateway:
        raise ConfigurationError(say("provider.no_key_for_base_url"))
    if not settings.api_key:
        raise ConfigurationError(say("provider.no_key"))
    return base, Secret(settings.api_key)


class ServerProvider:
    """A server with the chat completions protocol, at ``{base_url}/chat/completions``.

    Args:
        name: Its name in the settings; ``"custom"`` is the server at their ``base_url``.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def server(self, settings: Settings) -> Server:
        """Return the server, with the key and the headers that belong to its address.

        Raises:
            ConfigurationError: The address is missing or not valid, or the stored key cannot be
                read.
        """
        if self.name == "custom":
            if not settings.base_url:
                raise ConfigurationError(say("provider.custom_needs_an_address"))
            return Server(settings.base_url, Secret(settings.api_key or ""))
        server = settings.servers[self.name]
        if server.problem:
            raise ConfigurationError(server.problem)
        return server

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint at the server's address.

        Raises:
            ConfigurationError: The address is missing or not valid, or the stored key cannot be
                read.
        """
        server = self.server(settings)
        return endpoint_below(server.base_url, self.name, settings, server)


def is_server(name: str, settings: Settings | None) -> bool:
    """Return whether this is ``"custom"`` or a server that the settings name."""
    return name == "custom" or (settings is not None and name in settings.servers)


def in_cloud(name: str, settings: Settings | None = None) -> bool:
    """Return whether this is a provider of chat models behind the CloudBase gateway.

    Args:
        name: The provider's name.
        settings: Where servers are named; a server of that name is not in the cloud.
    """
    elsewhere = is_server(name, settings) or name in _registered or name in announced()
    return not elsewhere and name not in _NO_CLOUD_CHAT


def _is_of_cloudbase(name: str) -> bool:
    """Return whether CloudBase has a provider of this name, as far as this package knows."""
    known = name in SUGGESTED_MODELS or name in _PATHS or name in _ALWAYS_SENDS_USAGE
    return known or name.startswith(("custom-", "hunyuan"))


def _is_known(name: str) -> bool:
    """Return whether this is a provider or a model of CloudBase, as far as this package knows."""
    return _is_of_cloudbase(name) or any(name in models for models in SUGGESTED_MODELS.values())


def model_name_advice(provider: str, model: str) -> str:
    """Return what may be wrong with a provider of CloudBase that is not there; may be empty.

    ``-m ORG/MODEL`` is read as the model MODEL of the provider ORG, but many models have a slash in
    their names.
    """
    if _is_of_cloudbase(provider) or not in_cloud(provider) or not model:
        return ""
    return say("provider.slash_was_read_as_provider", provider=provider, name=f"{provider}/{model}")


def base_url_of(settings: Settings) -> str:
    """Return the base URL of all providers of CloudBase.

    Raises:
        ConfigurationError: The environment or the base URL is missing or not valid.
    """
    return _checked_base_url(settings.base_url or _gateway(settings))


# The same few addresses are checked for every request.
_checked_base_url = functools.lru_cache(maxsize=64)(checked_base_url)


def endpoint_below(
    base: str, name: str, settings: Settings, server: Server | None = None
) -> Endpoint:
    """Return the endpoint of a CloudBase provider or of a server; the API key may be empty.

    Args:
        base: A base URL without a slash at its end.
        name: The provider's name.
        settings: Where the model and CloudBase's key come from.
        server: The server of that name, whose key and headers are sent; None for CloudBase.

    Raises:
        UsageError: The name is not a valid provider name.
    """
    if server:
        # A server with the name of a well-known provider takes the parameters of that provider.
        known = name in {*SUGGESTED_MODELS, *_PATHS}
        path, style = _DEFAULT_PATH, name if known else "custom"
    else:
        path, style = f"ai/{checked_name(name)}/{_PATHS.get(name, _DEFAULT_PATH)}", name
    return Endpoint(
        provider=name,
        url=f"{base}/{path}",
        api_key=(server.api_key if server else settings.api_key) or "",
        default_model=default_model(name, settings),
        usage_in_stream=style not in _ALWAYS_SENDS_USAGE,
        headers=server.headers if server else {},
        cloud=server is None,
        style=style,
        key_advice=(
            functools.partial(key_advice, name, settings)
            if server or not settings.api_key
            else None
        ),
    )


def key_advice(name: str, settings: Settings) -> Words:
    """Return how to set the key of a server, or of the base URL that is asked in place of CloudBase."""
    if name in settings.servers:
        return say("provider.set_key_of_server", name=name)
    advice = say("provider.set_key_of_base_url")
    return joined(advice, say("provider.key_of_cloudbase_stays")) if settings.other_keys else advice


def _gateway(settings: Settings) -> str:
    if not settings.env_id:
        raise ConfigurationError(say("provider.no_environment"))
    if not _ENV_ID.fullmatch(settings.env_id):
        raise ConfigurationError(say("provider.environment_id_is_wrong", env_id=settings.env_id))
    chinese = settings.region is None or settings.region in _REGIONS_IN_CHINA
    domain = "api.tcloudbasegateway.com" if chinese else "api.intl.tcloudbasegateway.com"
    return f"https://{settings.env_id}.{domain}/v1"


def checked_name(name: str) -> str:
    """Return the name of a provider.

    Raises:
        UsageError: It cannot be one.
    """
    if not PROVIDER_NAME.fullmatch(name):
        raise UsageError(say("provider.name_is_wrong", name=name))
    return name


def _checked_model(model: str, spec: str) -> str:
    model = model.strip()
    if not model:
        raise UsageError(say("provider.spec_names_no_model", spec=spec))
    return model
