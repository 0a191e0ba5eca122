"""The types of the chat completions protocol, and their JSON decoders.

Decoding is typed first, because that is fast. A value of an unexpected type is then decoded
leniently, so that one wrong field of one provider does not lose the answer.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from cbai_notebook.errors import InvalidResponseError


class FunctionCall(msgspec.Struct, omit_defaults=True, gc=False):
    """The function of a tool call; ``arguments`` is JSON text."""

    name: str | None = None
    arguments: str | None = None


class WireToolCall(msgspec.Struct, omit_defaults=True, gc=False):
    """A tool call or, in a chunk, a fragment of a tool call."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None


class Message(msgspec.Struct, omit_defaults=True, gc=False):
    """A message of a model or, in a chunk, a delta of a message."""

    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[WireToolCall] | None = None


class Usage(msgspec.Struct, gc=False):
    """The token counts of a request; 0 when the server sent none."""

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    total_tokens: int | None = 0


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
    error: msgspec.Raw | None = None
    code: str | int | None = None
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


DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

chunk_decoder = msgspec.json.Decoder(Chunk)
_any_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


# JSON escapes. A match consumes a whole escape, so that the second backslash of `\\` begins none.
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\[^u]"
)


def _replace_lone_surrogate(escape: re.Match[str]) -> str:
    """Return the escape of U+FFFD for a lone surrogate, and every other escape unchanged."""
    text = escape.group()
    return "\\ufffd" if len(text) == 6 else text


def load(body: bytes) -> Any:
    """Parse any JSON value.

    Raises:
        InvalidResponseError: The bytes are not JSON.
    """
    try:
        return _any_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        # Bytes that are not UTF-8 become U+FFFD, as in the event stream standard. So do lone
        # surrogates: JSON can escape them, but UTF-8 cannot encode them.
        return _any_decoder.decode(
            _ESCAPES.sub(_replace_lone_surrogate, body.decode("utf-8", "replace"))
        )
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidResponseError(
            "The server sent something that is not JSON where an answer was expected. "
            "Check the base URL and the provider."
        ) from error


def load_object(body: bytes) -> dict[str, Any]:
    """Parse the JSON object of one event.

    Raises:
        InvalidResponseError: The bytes are not a JSON object.
    """
    value = load(body)
    if not isinstance(value, dict):
        raise InvalidResponseError(
            "The server sent an event that is no JSON object. Check the base URL and the provider."
        )
    return value


def dump(body: Any) -> bytes:
    """Encode a request body as JSON.

    Raises:
        TypeError: A value cannot be written as JSON.
    """
    return _encoder.encode(body)


def decode_chunk(body: bytes) -> Chunk:
    """Parse the data of one event; leniently when the typed decoder rejects it.

    Raises:
        InvalidResponseError: The data is not a JSON object.
    """
    try:
        chunk = chunk_decoder.decode(body)
    except DECODE_ERRORS:
        chunk = _lenient_chunk(body)
    chunk.source = body
    return chunk


def usage_of(value: Any) -> Usage | None:
    """Decode a usage object leniently; None when it is not an object."""
    if not isinstance(value, dict):
        return None
    return Usage(
        prompt_tokens=int_of(value.get("prompt_tokens")) or 0,
        completion_tokens=int_of(value.get("completion_tokens")) or 0,
        total_tokens=int_of(value.get("total_tokens")) or 0,
    )


def message_of(value: Any) -> Message:
    """Decode a message or a delta leniently."""
    if not isinstance(value, dict):
        return Message()
    calls = value.get("tool_calls")
    return Message(
        role=text_of(value.get("role")),
        content=content_text(value.get("content")),
        reasoning_content=content_text(value.get("reasoning_content")),
        tool_calls=[_tool_call(call) for call in calls if isinstance(call, dict)]
        if isinstance(calls, list)
        else None,
    )


def choices_of(value: Any) -> list[Choice]:
    """Decode the choices of a completion leniently."""
    if not isinstance(value, list):
        return []
    return [
        Choice(
            index=int_of(choice.get("index")) or 0,
            message=message_of(choice.get("message")),
            finish_reason=text_of(choice.get("finish_reason")),
        )
        for choice in value
        if isinstance(choice, dict)
    ]


def content_text(value: Any) -> str | None:
    """Return content as text; join the text parts of a list of parts."""
    if isinstance(value, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in value]
        return "".join(part for part in parts if isinstance(part, str))
    return text_of(value)


def _lenient_chunk(body: bytes) -> Chunk:
    value = load_object(body)
    choices = value.get("choices")
    error = value.get("error")
    code = value.get("code")
    return Chunk(
        id=text_of(value.get("id")),
        model=text_of(value.get("model")),
        created=int_of(value.get("created")),
        usage=usage_of(value.get("usage")),
        error=None if error is None else msgspec.Raw(dump(error)),
        code=code if isinstance(code, (str, int)) else None,
        choices=[
            ChunkChoice(
                index=int_of(choice.get("index")) or 0,
                delta=message_of(choice.get("delta")),
                finish_reason=text_of(choice.get("finish_reason")),
            )
            for choice in choices
            if isinstance(choice, dict)
        ]
        if isinstance(choices, list)
        else None,
    )


def _tool_call(value: dict[str, Any]) -> WireToolCall:
    function = value.get("function")
    if isinstance(function, dict):
        arguments = function.get("arguments")
        if isinstance(arguments, (dict, list)):
            arguments = dump(arguments).decode()
        function = FunctionCall(name=text_of(function.get("name")), arguments=text_of(arguments))
    else:
        function = None
    return WireToolCall(
        index=int_of(value.get("index")),
        id=text_of(value.get("id")),
        type=text_of(value.get("type")),
        function=function,
    )


def text_of(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) else None


def int_of(value: Any) -> int | None:
    if isinstance(value, (int, float)) and value == value and abs(value) < 2**63:
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None
