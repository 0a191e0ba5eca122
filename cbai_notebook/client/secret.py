"""Keys and other secret values: they print as dots, and a placeholder is not taken for a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from cbai_notebook.errors import ConfigurationError
from cbai_notebook.i18n import say
from cbai_notebook.text import MASK


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


def checked_key(value: object, name: str = "api_key") -> Secret | None:
    """Return a key without white space around it; None for an empty one.

    Args:
        value: What the user gave.
        name: The name of the setting, for the message.

    Raises:
        ConfigurationError: It is no string, or holds a character that no key has.
    """
    if not isinstance(value, str):
        raise ConfigurationError(
            say("client.must_be_a_string", name=name, kind=type(value).__name__)
        )
    key = Secret(value).reveal().strip()
    if not all("!" <= character <= "~" for character in key):
        # The message must not contain the key.
        raise ConfigurationError(say("client.key_holds_a_wrong_character"))
    return Secret(key) if key else None


# Placeholders -------------------------------------------------------------------------------------

SHORTEST = 8
"""The fewest characters of a value that counts as a secret."""

_LONG = 16
_FEWEST_DIFFERENT = 6

# The words that people and servers put in the place of a key. "test" is not among them, because keys
# of test accounts hold it.
_WORDS = frozenset({
    "a", "any", "anything", "api", "apikey", "auth", "bar", "change", "changeme", "cpp", "custom",
    "default", "demo", "dummy", "empty", "endpoint", "enter", "example", "fake", "false", "foo",
    "for", "free", "gateway", "generation", "gpt", "here", "ignore", "ignored", "inference",
    "insert", "is", "it", "jan", "key", "keys", "kobold", "koboldcpp", "lcpp", "litellm", "llama",
    "llamacpp", "llamafile", "llm", "lm", "lmstudio", "local", "localai", "localhost", "me",
    "mlx", "mock", "model", "my", "na", "need", "needed", "needs", "nil", "no", "nokey", "none",
    "not", "nothing", "null", "oai", "of", "ollama", "open", "openai", "or", "pass", "password",
    "placeholder", "proj", "proxy", "put", "replace", "require", "required", "sample", "secret",
    "server", "set", "sglang", "sk", "some", "string", "studio", "tbd", "tgi", "the", "this",
    "to", "todo", "token", "true", "undefined", "unset", "unused", "use", "used", "user", "vllm",
    "want", "webui", "with", "without", "xinference", "you", "your",
})  # fmt: skip
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SEQUENCES = ("abcdefghijklmnopqrstuvwxyz", "0123456789" * 4)
_PLAIN_WORDS = re.compile(r"[A-Za-z]{1,24}(?:[-_./:,+ ]+[A-Za-z]{1,24})*")


def is_placeholder(value: str) -> bool:
    """Return whether a value is too plain to be a secret, such as ``"x"``, ``"EMPTY"`` or ``"sk-xxx"``.

    Many servers take any key, and people give them a word. Such a word is everywhere in ordinary
    text, so it is never looked for and never masked. A placeholder is a value

    - of fewer than 8 characters, or of fewer than 6 different ones;
    - that is made of placeholder words and simple sequences alone (``"not-needed"``), unless it has
      16 characters or more with letters and digits among them;
    - that is one plain word or number of fewer than 16 characters.
    """
    text = "".join(value)
    if len(text) < SHORTEST or len(set(text)) < _FEWEST_DIFFERENT:
        return True
    if len(text) >= _LONG and any(map(str.isalpha, text)) and any(map(str.isdigit, text)):
        return False
    if text.isascii() and all(map(_is_filler, _PIECE.findall(text))):
        return True
    return len(text) < _LONG and (text.isalpha() or text.isdigit())


def is_plain_words(value: str) -> bool:
    """Return whether a value is made of words alone, as the name of a team in a header is.

    Such a value is masked where its server repeats it, but a prompt may hold it by chance.
    """
    return bool(_PLAIN_WORDS.fullmatch("".join(value)))


def _is_filler(piece: str) -> bool:
    piece = piece.lower()
    if piece.isdigit() and len(piece) <= 5:
        return True
    repeated = len(set(piece)) == 1 and (len(piece) > 1 or piece == "x")
    return repeated or piece in _WORDS or (len(piece) > 2 and any(piece in s for s in _SEQUENCES))


def real_secrets(values: Iterable[str | None]) -> tuple[Secret, ...]:
    """Return the values that are no placeholders, the longest first, for masking.

    The words of a value count too: a server may repeat the token of ``Bearer TOKEN`` alone.
    """
    return _real_secrets(tuple(values))


# Cached, because every response of a server is looked through, and the keys stay the same.
@lru_cache(maxsize=16)
def _real_secrets(values: tuple[str | None, ...]) -> tuple[Secret, ...]:
    found: dict[str, None] = {}
    for value in values:
        text = "".join(value or "").strip()
        found |= dict.fromkeys(each for each in (text, *text.split()) if not is_placeholder(each))
    return tuple(map(Secret, sorted(found, key=len, reverse=True)))
