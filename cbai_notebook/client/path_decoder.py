"""Decode the answers of a model whose text stands at a path of its own in each event's JSON.

The Mini Program names such paths ``extractPath`` and ``reasoningPath``, as in
``choices[0].delta.content``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cbai_notebook.client import error_mapping
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.chat_wire import Chunk, ChunkChoice, Message
from cbai_notebook.client.chunk_reader import content_text
from cbai_notebook.client.decoder import ChatDecoder
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.sse import DONE, Event
from cbai_notebook.errors import InvalidResponseError, UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import without_surrogates

USUAL_TEXT = "choices[0].delta.content"
"""The path at which chat completions have their text."""

_STEP = re.compile(r"""(?:^|\.)([^.\[\]'"\s]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")
# A stream has a `delta` where a whole answer has a `message`.
_TWINS = {"delta": "message", "message": "delta"}


class ValuePath:
    """A path into JSON: names behind dots, indices and quoted names in brackets.

    Args:
        path: As in ``a.b[0].c`` or ``a["b"]``.
        option: The option that it belongs to, for the error message.

    Raises:
        UsageError: It is no such path.
    """

    def __init__(self, path: Any, option: str) -> None:
        self._steps: list[str | int] = []
        position = 0
        while isinstance(path, str) and (step := _STEP.match(path, position)):
            name = next((text for text in step.group(1, 3, 4) if text is not None), None)
            self._steps.append(int(step.group(2)) if name is None else name)
            position = step.end()
        if not self._steps or position < len(path):
            raise UsageError(
                say("provider.path_is_wrong", option=option, example=USUAL_TEXT, path=repr(path))
            )

    def text(self, value: Any) -> str | None:
        """Return the text at the path; None where there is none."""
        for step in self._steps:
            if isinstance(value, dict):
                name = step if step in value else _TWINS.get(str(step), step)
                value = value.get(name)
            elif isinstance(value, list) and str(step).isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        text = content_text(value)
        return None if text is None else without_surrogates(text)


class PathDecoder(ChatDecoder):
    """Decodes chunks of chat completions, or of any other shape, with the text at a path.

    Args:
        text: Where the text stands; None for the usual place.
        reasoning: Where the thinking stands; None for the usual place.
    """

    def __init__(self, text: ValuePath | None, reasoning: ValuePath | None) -> None:
        super().__init__()
        self._text = text
        self._reasoning = reasoning
        self._has_choices = False

    def read(
        self,
        events: Sequence[Event],
        chunks: list[Chunk | None],
        headers: Mapping[str, str],
        error_context: ErrorContext,
    ) -> bool:
        start = len(chunks)
        try:
            return super().read(events, chunks, headers, error_context)
        finally:
            for chunk in chunks[start:]:
                if chunk is not None:
                    self._extract(chunk)

    def flush(self) -> Chunk | None:
        # What was kept back belongs to the usual place of the text.
        return None if self._text is not None else super().flush()

    def complete_at_end(self, accumulator: Accumulator) -> bool:
        # A service with another shape has no finish reason.
        return super().complete_at_end(accumulator) or (
            not self._has_choices and accumulator.has_token
        )

    def read_completion(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        try:
            value = error_mapping.parse_object(body, headers, error_context)
        except InvalidResponseError:
            return super().read_completion(body, headers, error_context)  # lines of JSON, perhaps
        if isinstance(value.get("choices"), list):
            return super().read_completion(body, headers, error_context)
        if all(path is None or path.text(value) is None for path in (self._text, self._reasoning)):
            raise error_mapping.not_an_answer(headers, body, error_context)
        return [Event(body), Event(DONE)]

    def _extract(self, chunk: Chunk) -> None:
        value = chunk.raw
        choices = chunk.choices = chunk.choices or []
        self._has_choices = self._has_choices or bool(choices)
        first = next((choice for choice in choices if choice.index == 0), None)
        if first is None:
            first = ChunkChoice()
            choices.append(first)
        delta = first.delta = first.delta or Message()
        if self._text is not None:
            delta.content = self._text.text(value)
        if self._reasoning is not None:
            delta.reasoning_content = self._reasoning.text(value)
