"""The type of a structured answer: the JSON Schema for the model, and the validation."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cbai_notebook.errors import StructuredAnswerError, UsageError

FENCE = re.compile(r"```[^\n`]*\n(.*?)```", re.S)
OPENING = re.compile(r"[{\[]")

# The most opening brackets of a text at which JSON is tried.
MAX_CANDIDATES = 20


@dataclass(frozen=True)
class ResponseType:
    """The type that an answer must have.

    Args:
        name: The type's name.
        schema: Its JSON Schema.
        decode: Turns JSON text into the object; raises `ValueError` if the text does not fit.
    """

    name: str
    schema: dict[str, Any]
    decode: Callable[[str], Any] = field(repr=False)

    @property
    def format(self) -> dict[str, Any]:
        """The request's ``response_format``."""
        return {"type": "json_schema", "json_schema": {"name": self.name, "schema": self.schema}}

    def parse(self, text: str, finish_reason: str | None = None) -> Any:
        """Return the object in an answer, also from a code fence or from prose.

        Args:
            text: The text of the answer.
            finish_reason: The finish reason, for the error message.

        Raises:
            StructuredAnswerError: No JSON in the text fits; ``partial`` is the text.
        """
        first: ValueError | None = None
        for candidate in _candidates(text):
            try:
                return self.decode(candidate)
            except (ValueError, RecursionError) as error:
                if first is None and isinstance(error, ValueError):
                    first = error
        why = " ".join(str(first).split()) if first is not None else "it is nested too deeply"
        if finish_reason == "length":
            what_next = "It was cut off: allow more with max_tokens=…."
        else:
            what_next = "Its text is in the error's .partial. Ask more precisely, or another model."
        raise StructuredAnswerError(
            f"The answer is no {self.name}: {why[:300].rstrip('.')}. {what_next}",
            code="structured_answer",
            partial=text,
        ) from first

    def repair(self, text: str, error: StructuredAnswerError) -> list[dict[str, Any]]:
        """Return the messages that show the model its answer and the error."""
        why = str(error.__cause__ or error)
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


@functools.lru_cache(maxsize=64)
def response_type_of(kind: Any) -> ResponseType:
    """Return the response type of a Python type; the result is cached.

    Args:
        kind: A dataclass, a msgspec Struct, a TypedDict, a pydantic model, or another type that
            msgspec knows.

    Raises:
        UsageError: JSON cannot represent the type.
    """
    if any(
        base.__name__ == "BaseModel" and base.__module__.startswith("pydantic.")
        for base in getattr(kind, "__mro__", ())
    ):
        return _of_pydantic(kind)
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", getattr(kind, "__name__", str(kind)))[:64]
    try:
        (own,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
        decoder = msgspec.json.Decoder(kind, strict=False)
    except (TypeError, ValueError, NameError, RecursionError) as error:
        raise UsageError(
            f"response_type={name} has no JSON form: {error} Use a dataclass, a TypedDict, a "
            "msgspec Struct or a pydantic model."
        ) from error
    return ResponseType(name, _at_root(own, definitions), decoder.decode)


def _of_pydantic(kind: Any) -> ResponseType:
    return ResponseType(kind.__name__, kind.model_json_schema(), kind.model_validate_json)


def _at_root(own: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Replace a reference at the root by the type itself: many providers need an object there."""
    name = own.get("$ref", "").removeprefix("#/$defs/")
    root = definitions.get(name, own)
    needed = dict(definitions)
    if name and not _refers(name, definitions):
        del needed[name]
    return {**root, "$defs": needed} if needed else root


def _refers(name: str, definitions: dict[str, Any]) -> bool:
    return json.dumps(f"#/$defs/{name}") in json.dumps(definitions)


def _candidates(text: str) -> Iterator[str]:
    """Yield the possible JSON texts of an answer: the answer, its fences, its bracketed parts."""
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
            position = opening.end()
        else:
            yield text[opening.start() : position]
