"""The types of the chat completions protocol, and their JSON decoders.

`plain_chunks` decodes the usual chunk, a delta of text, and nothing else, because that is fast. Every
other chunk is parsed as JSON and read by `ChunkReader`, which knows the shapes of many servers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from cbai_notebook.errors import InvalidResponseError
from cbai_notebook.i18n import say
from cbai_notebook.text import has_lone_surrogate, without_surrogates


class FunctionCall(msgspec.Struct, omit_defaults=True, gc=False):
    """The function of a tool call; ``arguments`` is JSON text."""

    name: str | None = None
    arguments: str | None = None


class WireToolCall(msgspec.Struct, omit_defaults=True, gc=False):
    """A tool call or, in a chunk, a fragment of a tool call.

    ``raw`` is the call as the server sent it, unknown fields included.
    """

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None
    raw: dict[str, Any] = msgspec.field(default_factory=dict, name="⌀raw")


class Message(msgspec.Struct, omit_defaults=True, gc=False):
    """A message of a model or, in a chunk, a delta of a message.

    ``content`` is the text alone, and ``reasoning_content`` the thinking, under whatever name and in
    whatever shape the server sent them.
    """

    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[WireToolCall] | None = None
    refusal: str | None = None


class Usage(msgspec.Struct, gc=False):
    """The token counts of a request; 0 when the server sent none.

    ``cached_tokens`` are those of the ``prompt_tokens`` that the server read from its cache.
    """

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    total_tokens: int | None = 0
    cached_tokens: int = 0


class Choice(msgspec.Struct, omit_defaults=True, gc=False):
    """One choice of a completion."""

    index: int = 0
    message: Message = msgspec.field(default_factory=Message)
    finish_reason: str | None = None


class ChunkChoice(msgspec.Struct, omit_defaults=True, gc=False):
    """One choice of a chunk."""

    index: int = 0
    delta: Message | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct, omit_defaults=True, gc=False):
    """One parsed event of a stream.

    ``raw`` is the complete JSON object, unknown fields included.
    """

    id: str | None = None
    model: str | None = None
    choices: list[ChunkChoice] | None = None
    usage: Usage | None = None
    created: int | None = None
    # Set after decoding. The name on the wire is one that no server sends.
    source: bytes | None = msgspec.field(default=None, name="⌀source")

    @property
    def text(self) -> str:
        """The content that the first choice's delta adds; often empty."""
        # This is read for every chunk, so `delta` is not called.
        for choice in self.choices or ():
            if choice.index == 0:
                return (choice.delta.content or "") if choice.delta is not None else ""
        return ""

    @property
    def reasoning(self) -> str:
        """The reasoning that the first choice's delta adds; often empty."""
        delta = self.delta
        return (delta.reasoning_content or "") if delta is not None else ""

    @property
    def delta(self) -> Message | None:
        """The first choice's delta, or None."""
        for choice in self.choices or ():
            if choice.index == 0:
                return choice.delta
        return None

    @property
    def finish_reason(self) -> str | None:
        """The finish reason of the first choice; None until it has ended."""
        for choice in self.choices or ():
            if choice.index == 0:
                return choice.finish_reason
        return None

    @property
    def raw(self) -> dict[str, Any]:
        """The event's JSON object as the server sent it."""
        value = load(self.source or b"{}")
        return value if isinstance(value, dict) else {}

    def __repr__(self) -> str:
        return f"Chunk(text={self.text!r}, reasoning={self.reasoning!r}, finish_reason={self.finish_reason!r})"


# The plain chunk: the types below accept null and nothing else where a server may send something that
# takes more reading. A chunk that has it is rejected at once, at no cost for all others.

_Empty = Annotated[list[Any], msgspec.Meta(max_length=0)] | None


class _PlainDelta(Message, omit_defaults=True, gc=False):
    tool_calls: _Empty = None
    refusal: None = None
    reasoning: None = None
    reasoning_details: None = None
    function_call: None = None


class _PlainChoice(ChunkChoice, omit_defaults=True, gc=False):
    delta: _PlainDelta | None = None
    finish_reason: None = None
    message: None = None
    usage: None = None


class _PlainChunk(Chunk, omit_defaults=True, gc=False):
    choices: list[_PlainChoice] | None = None  # type: ignore[assignment]
    usage: None = None
    error: None = None
    code: None = None


DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

plain_chunks: msgspec.json.Decoder[Chunk] = msgspec.json.Decoder(_PlainChunk)
_any_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


# Values below this depth are left as they are: no answer is that deep, and the stack has an end.
_DEEPEST = 100

# A JSON escape of half a surrogate pair.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def load(body: bytes) -> Any:
    """Parse any JSON value.

    Raises:
        InvalidResponseError: The bytes are not JSON.
    """
    try:
        return _any_decoder.decode(body)
    except DECODE_ERRORS:
        return _load_leniently(body, whole_characters)


def load_pieces(body: bytes) -> Any:
    """Parse any JSON value, in whose texts half a surrogate pair may stand.

    JSON can escape one half alone, and some servers split a character between two chunks.

    Raises:
        InvalidResponseError: The bytes are not JSON.
    """
    try:
        return _any_decoder.decode(body)
    except DECODE_ERRORS:
        return _load_leniently(body, lambda value: value)


def _load_leniently(body: bytes, mend: Callable[[Any], Any]) -> Any:
    # Bytes that are not UTF-8 become U+FFFD, and a byte order mark is skipped, as in the event stream
    # standard.
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        return mend(json.loads(text)) if _SURROGATE.search(body) else _any_decoder.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidResponseError(say("request.answer_is_no_json")) from error


def whole_characters(value: Any, depth: int = 0) -> Any:
    """Return a JSON value with surrogate pairs joined, and U+FFFD in place of each lone half."""
    if isinstance(value, str):
        return without_surrogates(value)
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {
            without_surrogates(name): whole_characters(part, depth + 1)
            for name, part in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [whole_characters(part, depth + 1) for part in value]
    return value


def has_half_character(value: Any, depth: int = 0) -> bool:
    """Return whether a text in a JSON value has half of a surrogate pair without the other half."""
    if isinstance(value, str):
        return has_lone_surrogate(value)
    if depth > _DEEPEST or not isinstance(value, (dict, list, tuple)):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return any(has_half_character(part, depth + 1) for part in parts)


def load_object(body: bytes) -> dict[str, Any]:
    """Parse the JSON object of one event, in whose texts half a surrogate pair may stand.

    Raises:
        InvalidResponseError: The bytes are not a JSON object.
    """
    value = load_pieces(body)
    if not isinstance(value, dict):
        raise InvalidResponseError(say("request.event_is_no_object"))
    return value


def load_beginning(body: bytes) -> dict[str, Any]:
    """Parse the beginning of a JSON object as far as it goes; empty when it is none."""
    import jiter

    try:
        value = jiter.from_json(body, partial_mode="trailing-strings")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def dump(body: Any) -> bytes:
    """Encode a request body as JSON; half of a surrogate pair becomes U+FFFD.

    Raises:
        TypeError: A value cannot be written as JSON.
    """
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:  # UTF-8 has no form for half of a surrogate pair
        return _encoder.encode(whole_characters(body))


def text_of(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) else None


def int_of(value: Any) -> int | None:
    if isinstance(value, (int, float)) and value == value and abs(value) < 2**63:
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None
