"""The settings: explicit values, then environment variables, then the stored credentials.

Only cheap modules are imported, so that loading the extension stays cheap.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from cbai_notebook.errors import ConfigurationError
from cbai_notebook.text import MASK

# The variables of the official tools come first, in their order; then those of this package.
_ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "env_id": ("CLOUDBASE_ENV_ID", "TCB_ENV"),
    "api_key": ("CLOUDBASE_API_KEY", "CLOUDBASE_APIKEY"),
    "region": ("TCB_REGION",),
    "base_url": ("CBAI_BASE_URL",),
    "provider": ("CBAI_PROVIDER",),
    "model": ("CBAI_MODEL",),
}


class Secret(str):
    """A string that is masked when it is printed, formatted or shown in a traceback.

    It compares, joins and hashes as the plain string; `reveal` returns the plain string.
    """

    __slots__ = ()

    def __new__(cls, value: str = "") -> Secret:
        # str() of a Secret is its mask.
        return super().__new__(cls, value.reveal() if isinstance(value, Secret) else value)

    def reveal(self) -> str:
        """Return the plain string, for the code that sends it."""
        return "".join(self)

    def __repr__(self) -> str:
        return repr(MASK) if self else "''"

    def __str__(self) -> str:
        return MASK if self else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


@dataclass(frozen=True)
class Timeout:
    """Time limits in seconds.

    Args:
        connect: Until the connection is made, TLS included.
        first_token: From the request to the first token of its stream.
        between_tokens: From one event of a stream to the next.
        answer: Until an answer that is not streamed is complete.
    """

    connect: float = 10.0
    first_token: float = 120.0
    between_tokens: float = 60.0
    answer: float = 600.0

    def __post_init__(self) -> None:
        for each in fields(self):
            seconds = getattr(self, each.name)
            number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
            if not number or not seconds > 0:
                raise ConfigurationError(
                    f"The timeout {each.name!r} must be a number of seconds above 0, not {seconds!r}."
                )

    @classmethod
    def of(cls, value: Timeout | float | Mapping[str, float] | None) -> Timeout:
        """Return the timeout for a value that a user gives.

        Args:
            value: A `Timeout`; a mapping with some of its fields; or one number of seconds for
                every limit (``connect`` stays at most at its default of 10 s).

        Raises:
            ConfigurationError: A name is unknown or a value is not a positive number.
        """
        if value is None:
            return cls()
        if isinstance(value, Timeout):
            return value
        if isinstance(value, Mapping):
            known = [each.name for each in fields(cls)]
            unknown = [name for name in value if name not in known]
            if unknown:
                raise ConfigurationError(
                    f"There is no timeout {unknown[0]!r}. The names are {', '.join(known)}."
                )
            return cls(**value)
        base = cls(first_token=value, between_tokens=value, answer=value)
        return replace(base, connect=min(base.connect, value))


@dataclass(frozen=True)
class Settings:
    """The settings of a request, resolved at one moment.

    ``sources`` names for each field where its value came from.
    """

    env_id: str | None = None
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    region: str | None = None
    provider: str | None = None
    model: str | None = None
    timeout: Timeout = field(default_factory=Timeout)
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.api_key is not None and not isinstance(self.api_key, Secret):
            object.__setattr__(self, "api_key", Secret(self.api_key.strip()))
        object.__setattr__(self, "timeout", Timeout.of(self.timeout))

    @property
    def configured(self) -> bool:
        """Whether the settings say where to send prompts; if not, the offline model is used."""
        return bool(self.env_id or self.api_key or self.base_url or self.provider)

    @property
    def default_provider(self) -> str:
        """The provider for prompts that name none."""
        return self.provider or ("cloudbase" if self.configured else "local")


_NOT_GIVEN: Any = object()
_explicit: dict[str, Any] = {}
_lock = threading.Lock()


def configure(
    *,
    env_id: str | None = _NOT_GIVEN,
    api_key: str | None = _NOT_GIVEN,
    base_url: str | None = _NOT_GIVEN,
    provider: str | None = _NOT_GIVEN,
    model: str | None = _NOT_GIVEN,
    timeout: Timeout | float | Mapping[str, float] | None = _NOT_GIVEN,
    region: str | None = _NOT_GIVEN,
) -> None:
    """Set the provider, its address and its key for this process. Only the given values change.

    None clears a value.

    Args:
        env_id: The CloudBase environment, such as ``"my-env-1a2b3c"``.
        api_key: The API key of that environment. It is masked in every output.
        base_url: Another base URL, up to and including its ``/v1``.
        provider: The provider for prompts that name none, such as ``"cloudbase"``.
        model: The model for prompts that name none.
        timeout: Seconds: one number, a `Timeout`, or a dict with some of its fields.
        region: The environment's region; outside China the international address is used.

    Raises:
        ConfigurationError: A value is not valid.
    """
    given = {
        name: value
        for name, value in {
            "env_id": env_id,
            "api_key": api_key,
            "base_url": base_url,
            "provider": provider,
            "model": model,
            "timeout": timeout,
            "region": region,
        }.items()
        if value is not _NOT_GIVEN
    }
    changes = {name: _checked(name, value) for name, value in given.items()}
    with _lock:
        _explicit.update(changes)
        for name, value in changes.items():
            if value is None:
                del _explicit[name]


def settings() -> Settings:
    """Return the current settings.

    An explicit value overrides an environment variable, which overrides the stored credentials.
    """
    with _lock:
        values = dict(_explicit)
    sources = dict.fromkeys(values, "argument")
    for name, variables in _ENVIRONMENT.items():
        for variable in variables:
            value = os.environ.get(variable, "").strip()
            if name not in values and value:
                values[name] = _checked(name, value)
                sources[name] = f"environment {variable}"
    if "api_key" not in values or not ("env_id" in values or "base_url" in values):
        # Only when something is missing: a keyring can be slower than the model.
        _add_stored(values, sources)
    for each in fields(Settings):
        sources.setdefault(each.name, "default")
    del sources["sources"]
    return Settings(**values, sources=sources)


def request_settings(
    given: Settings | None, timeout: Timeout | float | Mapping[str, float] | None
) -> Settings:
    """Return the settings of one request.

    Args:
        given: The settings; the current ones by default.
        timeout: Seconds to wait, for this request only.
    """
    current = given or settings()
    return current if timeout is None else replace(current, timeout=Timeout.of(timeout))


def _add_stored(values: dict[str, Any], sources: dict[str, str]) -> None:
    from cbai_notebook.client.credentials import load

    stored = load()
    # A region belongs to its environment.
    names = ("api_key",) if "env_id" in values else ("env_id", "api_key", "region")
    for name in names:
        value = stored.get(name)
        if name not in values and value:
            values[name] = _checked(name, value)
            sources[name] = f"stored in {stored.get('where') or 'your user configuration'}"


def _checked(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "timeout":
        return Timeout.of(value)
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}.")
    if name == "api_key":
        return _checked_key(value)
    return value.strip() or None


def _checked_key(value: str) -> Secret | None:
    key = value.reveal() if isinstance(value, Secret) else value
    key = key.strip()
    if not all("!" <= character <= "~" for character in key):
        # The message must not contain the key.
        raise ConfigurationError(
            "The API key holds a space, a line break or a character that no key has. "
            "Copy it again from the CloudBase console."
        )
    return Secret(key) if key else None
