"""The type of a structured answer: the JSON Schema for the model, and the validation."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

import msgspec

from cbai_notebook.client.endings import Ending, ending_of
from cbai_notebook.client.json_schema import TYPE_ERRORS, first_line, json_type
from cbai_notebook.errors import StructuredAnswerError, UsageError
from cbai_notebook.i18n import Words, say
from cbai_notebook.text import cut, one_line

FENCE = re.compile(r"```[^\n`]*\n(.*?)```", re.S)
OPENING = re.compile(r"[{\[]")

# A string, or the beginning of one at the end of the text.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
_BEGINS_AN_OBJECT = re.compile(rf"\[?\s*\{{\s*{_STRING}\s*:", re.S)
_STRING_OR_BRACKET = re.compile(rf"{_STRING}|[{{}}\[\]]", re.S)

# The most opening brackets of a text at which JSON is tried.
MAX_CANDIDATES = 20

# Before version 0.20, the errors of msgspec were no ValueError.
DOES_NOT_FIT = (ValueError, msgspec.MsgspecError)

MISFIT = "structured_answer"
"""The error code of an answer that does not fit; the model gets a second attempt."""

WRAPPER = "value"
"""The only member of the object around a value that is no object itself."""

_LONGEST_NAME = 64
_LONGEST_REASON = 300
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")  # the rule of the OpenAI API
_MODULES = re.compile(r"(?<!['\"\w])(?:[\w<>]+\.)+(?=\w)")


@dataclass(frozen=True)
class ResponseType:
    """The type that an answer must have.

    Args:
        name: The type's name.
        schema: Its JSON Schema. Its root is an object, because many providers need one.
        decode: Turns JSON text into the value; raises `DOES_NOT_FIT` if the text does not fit.
        wrapped: Whether the schema is that of an object with the value as its only member; so it
            is for a list, a union or a number.
    """

    name: str
    schema: dict[str, Any]
    decode: Callable[[str | bytes], Any] = field(repr=False)
    wrapped: bool = False

    @property
    def format(self) -> dict[str, Any]:
        """The request's ``response_format``."""
        name = _NOT_IN_NAMES.sub("_", self.name).strip("_")[:_LONGEST_NAME]
        return {"type": "json_schema", "json_schema": {"name": name, "schema": self.schema}}

    def parse(self, text: str, finish_reason: str | None = None, refusal: str = "") -> Any:
        """Return the object in an answer, also from a code fence or from prose.

        Args:
            text: The text of the answer.
            finish_reason: The finish reason of the answer.
            refusal: The words with which the model refused to answer.

        Raises:
            StructuredAnswerError: No JSON in the text fits; ``partial`` is the text. ``code`` tells
                why: `MISFIT`, or ``"refusal"``, ``"content_filter"`` or ``"length"``, where the
                same request again would end in the same way.
        """
        first: Exception | None = None
        for candidate in _candidates(text):
            try:
                return self.decode(candidate)
            except (*DOES_NOT_FIT, RecursionError) as error:
                if first is None and not isinstance(error, RecursionError):
                    first = error
        if first is None:
            reason: str = say("tool.is_nested_too_deeply")
        else:
            reason = cut(" ".join(str(first).split()), _LONGEST_REASON).rstrip(".")
        code, message = self._problem(reason, finish_reason, refusal)
        raise StructuredAnswerError(message, code=code, partial=text) from first

    def _problem(self, reason: str, finish_reason: str | None, refusal: str) -> tuple[str, Words]:
        """Return the code and the message of the error for an answer that does not fit."""
        refused = bool(refusal.strip())
        ending = ending_of(finish_reason, text="", reasoning="", refused=refused)
        if ending is Ending.REFUSED:
            words = one_line(refusal, _LONGEST_REASON)
            return "refusal", (
                say("tool.model_refused_with_words", words=words)
                if refused
                else say("tool.model_refused")
            )
        if ending is Ending.FILTERED:
            return "content_filter", say("tool.answer_was_filtered", name=self.name)
        if ending is Ending.CUT:
            return "length", say("tool.answer_was_cut", name=self.name)
        return MISFIT, say("tool.answer_does_not_fit", name=self.name, reason=reason)

    def resembles(self, value: Any) -> bool:
        """Return whether JSON that is still incomplete can be of this type, by its names."""
        if not isinstance(value, dict):
            return holds_an_object(value)
        names = self.schema.get("properties")
        return not names.keys().isdisjoint(value) if names else bool(value)

    def unwrap(self, value: Any) -> Any:
        """Return the value in the object around it, None before it has begun; see ``wrapped``."""
        if not self.wrapped or not isinstance(value, dict):
            return value
        return value.get(WRAPPER) if value.keys() <= {WRAPPER} else value

    def repair(self, text: str, error: StructuredAnswerError) -> list[dict[str, Any]]:
        """Return the messages that show the model its answer and the error.

        The list is empty where a second attempt would not help: the model refused, or the answer
        was ended by a filter or by the token limit.
        """
        if error.code != MISFIT:
            return []
        # The model reads English, in whatever language the user reads.
        why = str(error.__cause__ or error.in_language("en"))
        return [
            {"role": "assistant", "content": text},
            {"role": "user", "content": f"This does not fit: {why}\n{self.instruction}"},
        ]

    @property
    def instruction(self) -> str:
        """The schema as an instruction in the prompt."""
        return (
            "Answer with JSON only, without a fence and without a word around it, that fits this "
            f"JSON Schema:\n{msgspec.json.encode(self.schema).decode()}"
        )


def response_type_of(kind: Any) -> ResponseType:
    """Return the response type of a Python type; the result is cached.

    Args:
        kind: A dataclass, a msgspec Struct, a TypedDict, a pydantic model, or another type that
            msgspec or pydantic knows, such as a list or a union of them.

    Raises:
        UsageError: JSON cannot represent the type.
    """
    try:
        return _cached_response_type(kind)
    except TypeError:  # an annotation of the type cannot be hashed
        return _response_type(kind)


def _response_type(kind: Any) -> ResponseType:
    name = type_name(kind)
    try:
        found = json_type(kind)
    except TYPE_ERRORS as error:
        raise UsageError(
            say("tool.response_type_cannot_be_json", name=name, reason=first_line(error))
        ) from error
    if found.schema.get("type") == "object":
        return ResponseType(name, found.schema, found.decode)
    return ResponseType(name, _wrapped(found.schema), _unwrapping(found.decode), wrapped=True)


_cached_response_type = functools.lru_cache(maxsize=64)(_response_type)


def type_name(kind: Any) -> str:
    """Return a type's name as code has it, without modules: ``list[City]``."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    return cut(_MODULES.sub("", repr(kind)), _LONGEST_NAME)


def _wrapped(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with the value as its only member."""
    schema = dict(schema)
    definitions = schema.pop("$defs", None)
    return {
        "type": "object",
        "properties": {WRAPPER: schema},
        "required": [WRAPPER],
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }


def _unwrapping(decode: Callable[[str | bytes], Any]) -> Callable[[str | bytes], Any]:
    """Return a decoder that also takes the value alone, which a model without a schema writes."""

    def decode_member(text: str | bytes) -> Any:
        try:
            members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        except msgspec.ValidationError:
            return decode(text)
        if members.keys() != {WRAPPER}:
            return decode(text)
        try:
            return decode(bytes(members[WRAPPER]))
        except DOES_NOT_FIT as error:
            try:
                return decode(text)
            except DOES_NOT_FIT:
                raise error from None

    return decode_member


def holds_an_object(value: Any) -> bool:
    """Return whether the value is an object with a member, or an array with such an object."""
    values = value if isinstance(value, list) else [value]
    return any(isinstance(item, dict) and item for item in values)


def _candidates(text: str) -> Iterator[str]:
    """Yield the possible JSON texts of an answer: the answer, its fences, its bracketed parts.

    The objects inside damaged JSON are no answers, although one of them may fit the type.
    """
    yield text.strip()
    for fenced in FENCE.finditer(text):
        yield fenced.group(1)
    decoder = json.JSONDecoder()
    position = 0
    for _ in range(MAX_CANDIDATES):
        opening = OPENING.search(text, position)
        if opening is None:
            return
        try:
            _, position = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            damaged = _BEGINS_AN_OBJECT.match(text, opening.start())
            position = _closing(text, opening.start()) if damaged else opening.end()
        else:
            yield text[opening.start() : position]


def _closing(text: str, opening: int) -> int:
    """Return the position behind the bracket that closes the one at `opening`, or the end."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, opening):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token.group(), 0)
        if depth == 0:
            return token.end()
    return len(text)
