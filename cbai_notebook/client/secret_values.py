"""Which values are secret, and where a text holds one.

Secret are the API keys, the values of servers' own headers, and the values of environment variables
that look secret. A variable looks secret when its name says so (``GITHUB_TOKEN``, ``DB_PASSWORD``,
``OPENAI_API_KEY``) or its value is a URL with a password (``postgres://user:password@host``).
Values that a text may contain by chance are ignored: those shorter than 8 characters, plain words,
numbers, paths, and URLs without a password or a long random part. Names of public values, such as
``GPG_KEY``, are ignored too.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cbai_notebook.client.secret import SHORTEST, real_secrets
from cbai_notebook.i18n import listed as listed
from cbai_notebook.i18n import say
from cbai_notebook.text import MASK, without_surrogates

Keys = str | Mapping[str, str] | None
"""An API key, or several secrets by the names under which they are reported."""


# eq=False: compared and hashed by identity, as a key of a cache.
@dataclass(frozen=True, eq=False)
class KnownSecrets:
    """The secrets that no text should hold.

    Args:
        forms: Every form in which a secret may be written, by the name that the user is told.
    """

    forms: Mapping[str, frozenset[str]]

    def names_in(self, texts: str | Iterable[str]) -> list[str]:
        """Return the names of the secrets whose values are in a text or in several, sorted."""
        text = texts if isinstance(texts, str) else "\0".join(texts)
        if not any(map(text.__contains__, self._names)):  # nearly every text, and the quickest way
            return []
        return sorted(
            name for name, forms in self.forms.items() if any(form in text for form in forms)
        )

    def split(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield the pieces of a text, each with the name of the secret that it is, or ``""``."""
        end = 0
        for match in self._pattern.finditer(text):
            yield text[end : match.start()], ""
            yield match[0], self._names[match[0]]
            end = match.end()
        yield text[end:], ""

    def masked(self, text: str) -> tuple[str, list[str]]:
        """Return the text with a mask in place of each secret, and the names of those secrets."""
        names = self.names_in(text)
        return (self._pattern.sub(MASK, text) if names else text), names

    @cached_property
    def _names(self) -> dict[str, str]:
        return {form: name for name, forms in self.forms.items() for form in forms}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # The longest first: one secret may be the beginning of another.
        longest_first = sorted(self._names, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def known_secrets(keys: Keys, environ: Mapping[str, str]) -> KnownSecrets:
    """Return the secrets among the keys and in the environment.

    Args:
        keys: The API key, or all keys and header values that are known, by their names.
        environ: Environment variables; empty for the keys alone.
    """
    named: tuple[tuple[str, str], ...] = tuple(_remembered.items())
    if isinstance(keys, Mapping):
        named += tuple(keys.items())
    elif keys:
        named += ((say("key.api_key"), keys),)
    return _known_secrets(named, tuple(environ.items()))


_remembered: dict[str, str] = {}


def remember_secrets(values: Mapping[str, str]) -> None:
    """Count values as secret from now on, such as the environment that a tool server gets.

    A value that a text may contain by chance, such as a path, is left out.

    Args:
        values: The values by the names that the user is told.
    """
    for name, value in values.items():
        text = value.strip()
        found = [text] if _looks_secret(text) else []
        if re.match(_ADDRESS, text):
            found = _secrets_of_address(text, sounds_secret=True)
        for secret in found:
            if secret not in _remembered.values():
                again = f" ({len(_remembered) + 1})" if name in _remembered else ""
                _remembered[name + again] = secret


def is_given_secret(name: str, value: str) -> bool:
    """Return whether a variable or a header that a tool server gets may hold a secret.

    Its name says so, its value is a URL, which may hold a password, or its value has a long part
    that looks random. A prompt holds the name of a model, ``localhost:8080`` and ``zh_CN.UTF-8`` by
    chance.
    """
    return (
        sounds_secret(name)
        or name.lower() in _SECRET_HEADERS
        or re.match(_ADDRESS, value) is not None
        or (may_be_secret(value) and any(map(_is_random, re.findall(r"[A-Za-z0-9]+", value))))
    )


def texts_in(value: Any) -> Iterator[str]:
    """Yield every string and number in a value that is sent as JSON, also the names in objects."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, Mapping)):  # an abstract class alone is asked slowly
            waiting += (*value.keys(), *value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting += value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield str(value)
        elif value is not None and not isinstance(value, bool):
            import msgspec

            # A dataclass or another object; one that cannot become JSON cannot be sent either.
            with contextlib.suppress(TypeError, ValueError, RecursionError):
                waiting.append(msgspec.to_builtins(value, str_keys=True))


# Which values are secret --------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _known_secrets(
    known: tuple[tuple[str, str], ...], environment: tuple[tuple[str, str], ...]
) -> KnownSecrets:
    # Cached, because an environment has many variables, and seldom changes between two prompts.
    # `Secret` hides its text in str(); join() reads the real characters.
    keys = {name: "".join(key).strip() for name, key in known}
    environ = dict(environment)
    found: dict[str, list[str]] = {}
    for name, value in environ.items():
        text = value.strip()
        is_key = bool(text) and text in keys.values()
        if values := _key_values(text) if is_key else _secret_values(name, text):
            found[name] = values
    in_environment = {environ[name].strip() for name in found}
    for name, key in keys.items():
        if key not in in_environment and (values := _key_values(key)):
            found[name] = values
    return KnownSecrets(
        {
            without_surrogates(name): frozenset().union(*map(_forms, values))
            for name, values in found.items()
        }
    )


def _key_values(key: str) -> list[str]:
    return [value.reveal() for value in real_secrets((key,))]


def _secret_values(name: str, value: str) -> list[str]:
    """Return the secrets in a variable's value; none if it looks harmless."""
    if re.match(_ADDRESS, value):
        return _secrets_of_address(value, sounds_secret(name))
    if not sounds_secret(name):
        return []
    if value.startswith(("{", "[")):
        try:
            inside = _secrets_of_json(json.loads(value))
            return [*inside, value] if inside else []
        except (ValueError, RecursionError):
            pass
    return [value] if _looks_secret(value) else []


def _secrets_of_address(value: str, sounds_secret: bool) -> list[str]:
    try:
        address = urlsplit(value)
        user, password = address.username or "", address.password or ""
    except ValueError:
        return []
    secrets = [form for form in {password, unquote(password)} if _looks_secret(form)]
    if not password and len(user) >= 16 and _looks_secret(user):
        secrets.append(user)
    if sounds_secret:
        pairs = re.findall(r"=([^&]{16,})", address.query)
        secrets += [pair for pair in pairs if _looks_secret(pair)]
    return secrets


def _secrets_of_json(value: Any) -> list[str]:
    """Return the values in a JSON document whose keys sound secret."""
    if isinstance(value, dict):
        own = [one for name, one in value.items() if isinstance(one, str) and sounds_secret(name)]
        inner = [secret for one in value.values() for secret in _secrets_of_json(one)]
        return [one for one in own if _looks_secret(one)] + inner
    if isinstance(value, list):
        return [secret for one in value for secret in _secrets_of_json(one)]
    return []


_LONG_WORD = 16
_LONG_PART = 12
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
_ADDRESS = r"[A-Za-z][\w+.-]*://"
_SECRET_WORD = re.compile(
    r"(?:[A-Z0-9]*(?:API|ACCESS|SECRET|PRIVATE|AUTH|ENCRYPTION|SIGNING|MASTER|ACCOUNT))?KEYS?\d*"
    r"|[A-Z0-9]*(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL)S?\d*"
    r"|PASS|PWD|PRIVATE|AUTH"
)
_PUBLIC = re.compile(r"(?:^|_)(?:PUB|PUBLIC|FINGERPRINT)(?:_|$)|(?:^|_)(?:GPG|PGP)_KEYS?(?:_ID)?$")
# The last word of a name decides: `SECRET_NAME` and `TOKEN_LIMIT` hold no secret.
_ABOUT_IT = re.compile(
    r"ALGORITHM|COUNT|DIR|ENABLED|EXPIRY|FILE|HOST|LENGTH|LIMIT|NAME|PATH|PORT|REGION"
    r"|SIZE|SOCK|TTL|TYPE|USER|USERNAME|VERSION"
)


def may_be_secret(value: str) -> bool:
    """Return whether a text is one word that looks random, such as a key that no name gives away."""
    text = value.strip()
    return not re.search(r"\s", text) and len(text) >= _LONG_WORD and _looks_secret(text)


def _is_random(part: str) -> bool:
    """Return whether a part between two signs looks random; ``20241022`` in a model's name is not."""
    has_both = any(map(str.isalpha, part)) and any(map(str.isdigit, part))
    return len(part) >= _LONG_PART and has_both


def sounds_secret(name: str) -> bool:
    """Return whether the name of a variable or of a column says that its value is secret."""
    upper = name.upper()
    words = [word for word in re.split(r"[^A-Z0-9]+", upper) if word]
    if not words or _ABOUT_IT.fullmatch(words[-1]) or words == ["PWD"] or _PUBLIC.search(upper):
        return False
    return any(_SECRET_WORD.fullmatch(word) for word in words)


_WORD = r"(?:[a-z]{1,24}|[A-Z]{1,24}|[A-Z][a-z]{1,24})"
_WORDS = re.compile(rf"{_WORD}(?:[-_./:@,+ ]+{_WORD})*")
_NUMBER = re.compile(r"[\d.,:+\- ]{1,15}")
_PATH_START = re.compile(r"[~.]{0,2}[/\\]|[A-Za-z]:[/\\]")
_CASE_CHANGE = re.compile(r"[a-z][A-Z]")


def _looks_secret(value: str) -> bool:
    if len(value) < SHORTEST or _WORDS.fullmatch(value) or _NUMBER.fullmatch(value):
        return False
    # Random text may begin with a slash too, but its case changes often.
    return not (_PATH_START.match(value) and len(_CASE_CHANGE.findall(value)) <= 3)


def _forms(value: str) -> frozenset[str]:
    """Return the forms in which a value may be written: plain, JSON, Python, URL, Markdown, HTML."""
    spellings = _spellings(value)
    return frozenset(
        form
        for spelling in spellings
        for form in (
            spelling,
            json.dumps(spelling)[1:-1],
            json.dumps(spelling, ensure_ascii=False)[1:-1],
            repr(spelling)[1:-1],
            quote(spelling, safe="", errors="surrogateescape"),
            spelling.replace("|", "\\|"),
            html.escape(spelling),
            json.dumps(json.dumps(spelling)[1:-1])[1:-1],  # JSON text inside JSON
        )
    )


def _spellings(value: str) -> set[str]:
    """Return a value as text in each encoding that it may have.

    A variable whose bytes are not UTF-8 has a lone surrogate for each byte. A prompt may hold the text
    that the bytes mean, or the text that is left when its surrogates are replaced.
    """
    try:
        raw = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other surrogates, as Windows allows them
        raw = value.encode("utf-8", "surrogatepass")
    if raw == value.encode("utf-8", "replace"):
        return {value}
    found = {value, raw.decode("latin-1")}
    for encoding in ("cp1252", "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            found.add(raw.decode(encoding))
    # What is left must still be too special to be in a text by chance.
    if len(_SURROGATE.sub("", value)) >= SHORTEST:
        found |= {
            without_surrogates(value),
            raw.decode("utf-8", "replace"),
            value.encode("utf-8", "replace").decode(),
        }
    return found


_SURROGATE = re.compile("[\ud800-\udfff]")
