"""Keeps secrets out of prompts and out of the history.

`cbai_notebook.client.secret_values` says which values are secret. In the history, text with the shape
of a well-known kind of key is masked too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from cbai_notebook.client.before_send import BeforeSend, screened
from cbai_notebook.client.secret import SHORTEST
from cbai_notebook.client.secret_values import (
    Keys,
    KnownSecrets,
    known_secrets,
    texts_in,
)
from cbai_notebook.client.settings import settings
from cbai_notebook.errors import SecretRefusedError
from cbai_notebook.i18n import listed, say
from cbai_notebook.text import MASK


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
    return known_secrets(api_key, environ).names_in(text)


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
    known = known_secrets(api_key, environ)
    if not known.names_in(texts_in(request)):
        return
    for part, place, name in _parts(request):
        if names := known.names_in(texts_in(part)):
            # A name can be the secret itself.
            name = known.masked(repr(name))[0]
            raise SecretRefusedError(say(f"secret.in_{place}", name=name, names=listed(names)))


def guarded(before_send: BeforeSend, *, api_key: Keys) -> BeforeSend:
    """Return ``before_send`` with a check of what it returns: it may add a secret.

    Args:
        before_send: The user's function.
        api_key: The API key, or all keys and header values that are known, by their names.
    """

    async def checked(messages: list[Any]) -> list[Any]:
        sent = await screened(messages, before_send)
        if names := known_secrets(api_key, os.environ).names_in(texts_in(sent)):
            raise SecretRefusedError(say("secret.in_before_send", names=listed(names)))
        return sent

    return checked


def _parts(request: Mapping[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """Yield each part of a request, what it is, and the name of a tool or of a parameter."""
    messages = list(request.get("messages") or ())
    if messages:
        yield messages[-1], "prompt", ""
    for message in messages[:-1]:
        if message.get("role") == "system":
            yield message, "system_prompt", ""
        else:
            yield message, "earlier_message", ""
    for tool in request.get("tools") or ():
        name = _name_of_tool(tool)
        yield (tool, "parameter", "tools") if name is None else (tool, "tool", name)
    for name, value in request.items():
        if name == "response_type":
            yield value, "schema", ""
        elif name not in ("messages", "tools"):
            yield {name: value}, "parameter", name


def _name_of_tool(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None


# Masking what is stored ---------------------------------------------------------------------------

# Kinds of keys that can be recognized by their shape. The patterns take time that is linear in the
# text: no attempt reads further than one word, and no word is read by many attempts.
_TOKEN = re.compile(
    # A JSON Web Token. The word before its first dot is read once, from its beginning; the token
    # may begin inside that word, behind what group 1 holds.
    r"(?<![\w-])(?=([\w-]*?)\beyJ[\w-]{8})[\w-]+\.eyJ[\w-]{8,}\.[\w-]{8,}"
)
_SHAPES = re.compile(
    r"\b(?:sk-[\w-]{20,}|gh[pousr]_\w{30,}|github_pat_\w{30,}|xox[abeprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AKID\w{28,}|LTAI\w{12,}|AIza[\w-]{35})"
    r"|-----BEGIN [A-Z ]{0,64}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,64}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_KEY_BEGINS = "-----BEGIN "
# Without one of these there is no match. They are searched first: few texts have one, and the search
# takes a tenth of the time of the patterns.
_TOKEN_BEGINS = "eyJ"
_BEGINNINGS = (
    *("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox"),
    *("AKIA", "AKID", "LTAI", "AIza", _KEY_BEGINS),
)
# The first line of a private key, or the beginning of a line that may become one.
_KEY_HEADER = re.compile(r"-----BEGIN [A-Z ]{0,64}(?:PRIVATE KEY-----|-{0,4}\Z)")
_KEY_ENDS = re.compile(r"-----END [A-Z ]{0,64}-----")
_VISIBLE = "".join(map(chr, range(ord("!"), ord("~") + 1)))

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
        replaced = (self._pattern.sub(MASK, text) for text in texts) if self._values else texts
        return [_without_shapes(text) if self._shapes else text for text in replaced]

    def split(self, text: str) -> tuple[str, str]:
        """Split a growing text into the part that can be masked for good, and the rest.

        Give the rest back, in front of the text that follows. Of a long key that may still go on,
        all of which is masked, the rest has only the beginning and the end, so it stays short.
        """
        end = self.settled(text)
        rest = text[end:]
        if self._shapes and len(rest) > 2 * LONGEST:
            for pattern in (_SHAPES, _TOKEN):
                key = pattern.match(rest)
                if key and key.end() == len(rest) and pattern.match(rest, 0, LONGEST):
                    rest = rest[:LONGEST] + rest[-LONGEST:]
        return text[:end], rest

    def settled(self, text: str) -> int:
        """Return how many characters of a growing text can be masked for good.

        The rest may be the beginning of a secret: the last word or an unclosed private key (if
        shapes are masked), or a suffix of the text that is a prefix of a known secret.
        """
        end = len(text)
        if self._shapes:
            end = max(0, end - LONGEST) + len(text[-LONGEST:].rstrip(_VISIBLE))
            unclosed = text.rfind(_KEY_BEGINS)
            if unclosed >= 0 and _KEY_HEADER.match(text, unclosed) and _is_unclosed(text, unclosed):
                end = min(end, unclosed)
        for value in self._values:
            end = min(end, _beginning(value, text))
        # The cut must not be inside a secret.
        secrets = [found.span() for found in self._pattern.finditer(text)]
        for spans in (secrets, _shapes(text) if self._shapes else ()):
            for start, stop in spans:
                if start < end < stop:
                    end = start
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


def _shapes(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each part with the shape of a key, in order; some may touch."""
    keys, tokens = [], []
    if any(beginning in text for beginning in _BEGINNINGS):
        keys = [found.span() for found in _SHAPES.finditer(text)]
    if _TOKEN_BEGINS in text:
        tokens = [(found.end(1), found.end()) for found in _TOKEN.finditer(text)]
    last = 0
    for start, end in sorted(keys + tokens):
        if end > last:
            yield max(start, last), end
            last = end


def _without_shapes(text: str) -> str:
    pieces: list[str] = []
    last = 0
    for start, end in _shapes(text):
        pieces += (text[last:start], MASK)
        last = end
    return "".join([*pieces, text[last:]])


def _is_unclosed(text: str, start: int = 0) -> bool:
    return _KEY_ENDS.search(text, start) is None


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
    return _masker(known_secrets(keys, {} if allowed else os.environ), not allowed)


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
def _masker(known: KnownSecrets, shapes: bool) -> Masker:
    return Masker((form for forms in known.forms.values() for form in forms), shapes=shapes)
