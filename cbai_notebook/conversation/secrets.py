"""Keeps secrets out of prompts and out of the history: the API keys and the values of servers' own
headers, and the values of environment variables that look secret. In the history, text with the shape of a well-known kind of key is
masked too.

A variable looks secret when its name says so (``GITHUB_TOKEN``, ``DB_PASSWORD``,
``OPENAI_API_KEY``) or its value is a URL with a password (``postgres://user:password@host``).
Values that a prompt may contain by chance are ignored: those shorter than 8 characters, plain
words, numbers, paths, and URLs without a password or a long random part. Names of public values,
such as ``GPG_KEY``, are ignored too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cbai_notebook.client.secret import SHORTEST, real_secrets
from cbai_notebook.client.settings import settings
from cbai_notebook.errors import SecretRefusedError
from cbai_notebook.text import MASK

API_KEY = "the API key"
"""The name under which an API key is reported when no environment variable holds it."""

Pairs = tuple[tuple[str, str], ...]
Keys = str | Mapping[str, str] | None
"""An API key, or several secrets by the names under which they are reported."""


def find_secrets(
    text: str | Iterable[str], *, api_key: Keys, environ: Mapping[str, str]
) -> list[str]:
    """Return the names of the secrets whose values are in a text.

    Args:
        text: The text that would be sent, as one string or several.
        api_key: The API key, or all keys and header values that are known, by their names.
        environ: Environment variables.

    Returns:
        Names of variables, sorted; the name of the key when no variable holds it.
    """
    return _found(
        text if isinstance(text, str) else "\0".join(text),
        _needles(_pairs(api_key), tuple(environ.items())),
    )


def check_request(request: Mapping[str, Any], *, api_key: Keys, environ: Mapping[str, str]) -> None:
    """Raise an error if a request contains a secret.

    Args:
        request: The parameters of the request: the messages and everything else that would be sent.
        api_key: The API key, or all keys and header values that are known, by their names.
        environ: Environment variables.

    Raises:
        SecretRefusedError: A secret would be sent; the message gives its name and place, never its
            value.
    """
    needles = _needles(_pairs(api_key), tuple(environ.items()))
    if not _found("\0".join(_texts(request)), needles):
        return
    for part, place, way_out in _parts(request):
        if names := _found("\0".join(_texts(part)), needles):
            raise SecretRefusedError(
                f"Not sent: {place} holds the value of {_listed(names)}. "
                f"{way_out}, or send it on purpose with --allow-secrets."
            )


# Masking what is stored ---------------------------------------------------------------------------

# Kinds of keys that can be recognized by their shape.
_SHAPES = re.compile(
    r"\b(?:sk-[\w-]{20,}|gh[pousr]_\w{30,}|github_pat_\w{30,}|xox[abeprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AKID\w{28,}|LTAI\w{12,}|AIza[\w-]{35}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_KEY_BEGINS = "-----BEGIN "
_KEY_ENDS = re.compile(r"-----END [A-Z ]*-----")
_VISIBLE_END = re.compile(r"[!-~]*\Z")

LONGEST = 4_096
"""The most characters of the last word of a growing text: it may be the beginning of a secret."""


class Masker:
    """Masks the secrets in a text.

    Args:
        values: The secrets, in every form in which they may be written.
        shapes: Whether to mask text with the shape of a key, too.
    """

    def __init__(self, values: Iterable[str], *, shapes: bool) -> None:
        self._values = sorted(filter(None, values), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._values)) or r"(?!)")
        self._shapes = shapes

    def __call__(self, text: str) -> str:
        """Return the text with secrets replaced by `MASK`."""
        (masked,) = self.masked((text,))
        return masked

    def masked(self, texts: Iterable[str]) -> list[str]:
        """Return each text with secrets replaced by `MASK`."""
        replaced = (self._pattern.sub(MASK, text) for text in texts)
        return [_SHAPES.sub(MASK, text) if self._shapes else text for text in replaced]

    def settled(self, text: str) -> int:
        """Return how many characters of a growing text can be masked for good.

        The rest may be the beginning of a secret: the last word or an unclosed private key (if
        shapes are masked), or a suffix of the text that is a prefix of a known secret.
        """
        end = len(text)
        if self._shapes:
            word = _VISIBLE_END.search(text, max(0, end - LONGEST))
            end = word.start() if word else end
            unclosed = text.rfind(_KEY_BEGINS)
            if unclosed >= 0 and not _KEY_ENDS.search(text, unclosed):
                end = min(end, unclosed)
        for value in self._values:
            end = min(end, _beginning(value, text))
        # The cut must not be inside a secret.
        patterns = (self._pattern, _SHAPES) if self._shapes else (self._pattern,)
        for pattern in patterns:
            for found in pattern.finditer(text):
                if found.start() < end < found.end():
                    end = found.start()
        return end

    def tail(self, text: str) -> str:
        """Return the rest of a growing text, masked.

        A suffix that is a prefix of a known secret is masked too, from 6 characters on.
        """
        masked = self(text)
        for value in self._values:
            for length in range(min(len(value) - 1, len(masked)), SHORTEST - 3, -1):
                if masked.endswith(value[:length]):
                    return masked[:-length] + MASK
        return masked


def _beginning(value: str, text: str) -> int:
    """Return where the longest suffix of `text` starts that is a prefix of `value`.

    If there is none, return ``len(text)``.
    """
    start = max(0, len(text) - len(value) + 1)
    while (start := text.find(value[0], start)) >= 0:
        if value.startswith(text[start:]):
            return start
        start += 1
    return len(text)


def masker(allowed: bool = False) -> Masker:
    """Return the masker for the secrets that are known now.

    Args:
        allowed: Whether the user allows secrets to be stored; API keys are masked anyway.
    """
    keys = _known_keys.get()
    keys = settings().secrets if keys is None else keys
    return _masker(tuple(keys.items()), () if allowed else tuple(os.environ.items()))


_known_keys: ContextVar[Mapping[str, str] | None] = ContextVar("_known_keys", default=None)


@contextmanager
def known_keys(keys: Mapping[str, str]) -> Iterator[None]:
    """Mask these keys in what is stored while a prompt is asked; its settings name them.

    Args:
        keys: All keys and header values that are known, by their names.
    """
    token = _known_keys.set(keys)
    try:
        yield
    finally:
        _known_keys.reset(token)


@lru_cache(maxsize=8)
def _masker(keys: Pairs, environ: Pairs) -> Masker:
    needles = _needles(keys, environ)
    return Masker((form for forms in needles.values() for form in forms), shapes=bool(environ))


# Searching a request ------------------------------------------------------------------------------


def _texts(value: Any) -> Iterator[str]:
    """Yield every string in a request, the keys of its dicts included."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += (*value.keys(), *value.values())
        elif isinstance(value, (list, tuple)):
            waiting += value


def _parts(request: Mapping[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """Yield each part of a request, its name for the user, and how to remove a secret from it."""
    messages = list(request.get("messages") or ())
    if messages:
        yield messages[-1], "the prompt", "Take it out"
    for message in messages[:-1]:
        if message.get("role") == "system":
            yield message, "the system prompt", "Set another one with -s"
        else:
            yield (
                message,
                "an earlier message of this conversation",
                "Leave it behind with --no-history or %cbai reset",
            )
    for name, value in request.items():
        if name != "messages":
            yield {name: value}, f"the parameter {name!r}", "Take it out"


def _found(text: str, needles: Mapping[str, set[str]]) -> list[str]:
    return sorted(name for name, forms in needles.items() if any(form in text for form in forms))


# Which values are secret --------------------------------------------------------------------------


def _pairs(keys: Keys) -> Pairs:
    return tuple(keys.items()) if isinstance(keys, Mapping) else ((API_KEY, keys or ""),)


@lru_cache(maxsize=8)
def _needles(known: Pairs, environment: Pairs) -> Mapping[str, set[str]]:
    """Return the strings to search for, by the names under which they are reported.

    Cached, because an environment has many variables, and seldom changes between two prompts.
    """
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
    return {
        name: {form for value in values for form in _forms(value)} for name, values in found.items()
    }


def _key_values(key: str) -> list[str]:
    return [value.reveal() for value in real_secrets((key,))]


def _secret_values(name: str, value: str) -> list[str]:
    """Return the secrets in a variable's value; none if it looks harmless."""
    if re.match(r"[A-Za-z][\w+.-]*://", value):
        return _secrets_of_address(value, _sounds_secret(name))
    if not _sounds_secret(name):
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
        own = [one for name, one in value.items() if isinstance(one, str) and _sounds_secret(name)]
        inner = [secret for one in value.values() for secret in _secrets_of_json(one)]
        return [one for one in own if _looks_secret(one)] + inner
    if isinstance(value, list):
        return [secret for one in value for secret in _secrets_of_json(one)]
    return []


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


def _sounds_secret(name: str) -> bool:
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


def _forms(value: str) -> set[str]:
    """Return the forms in which a value may be written: plain, JSON, Python, URL, Markdown."""
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        quote(value, safe=""),
        value.replace("|", "\\|"),
    }


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
