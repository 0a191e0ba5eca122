"""A complete answer: `raw` as in the Mini Program, the other fields as in the Web SDK."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cbai_notebook.client import chat_wire
from cbai_notebook.client.accumulator import Accumulator, fold
from cbai_notebook.client.chat_wire import Choice, Message, Usage, WireToolCall
from cbai_notebook.client.chunk_reader import ChunkReader
from cbai_notebook.client.endings import (
    END_MARK_MISSING,
    HALF_CHARACTER,
    Ending,
    ending_of,
)
from cbai_notebook.client.raw_answer import RawAnswer
from cbai_notebook.client.reply import reply_of
from cbai_notebook.client.tools.tool_calls import CallResult
from cbai_notebook.text import cut

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Timing:
    """The times of an answer, in seconds from the call.

    Args:
        first_token_s: Time to the first token; None without a token or without a stream.
        duration_s: Time to the end of the answer; None until it has ended.
        attempts: How often the request was sent.
    """

    first_token_s: float | None = None
    duration_s: float | None = None
    attempts: int = 1

    def unfinished(self) -> Timing:
        """Return these times without `duration_s`, for an answer that has not ended."""
        return replace(self, duration_s=None)


class Answer:
    """The answer of a model.

    The fields ``id``, ``object``, ``created``, ``model``, ``choices`` and ``usage`` are those of
    the chat completions protocol. ``raw`` is everything that the server sent, unknown fields
    included; for a stream it is the folded chunks. ``text``, ``reasoning``, ``refusal``,
    ``messages`` and ``finish_reason`` belong to the first choice; ``messages`` are the messages of
    the request with the answer added as it was received, ready for the next request.

    An answer that called tools took several requests, its ``steps``: ``text`` is that of the last
    step, ``usage`` is the sum, and ``messages`` contain every tool call with its result. ``parsed``
    is the object of the requested ``response_type``.
    """

    def __init__(
        self,
        *,
        raw: RawAnswer,
        id: str | None,
        created: int | None,
        model: str | None,
        choices: list[Choice],
        usage: Usage | None,
        request_messages: Sequence[dict[str, Any]],
        provider: str,
        label: str,
        timing: Timing,
        request_id: str | None,
        replies: bool = True,
        declared_complete: bool = True,
        steps: Sequence[Step] = (),
        parsed: Any = None,
        finish_reason: str | None = None,
    ) -> None:
        self._raw = raw
        self.id = id
        self.object = "chat.completion"
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
        self._messages: Messages = list(request_messages)
        self._replies = replies
        self._declared_complete = declared_complete
        self.provider = provider
        self.label = label
        self.timing = timing
        self.request_id = request_id
        self.steps = tuple(steps)
        self.parsed = parsed
        self._finish_reason = finish_reason

    @property
    def raw(self) -> dict[str, Any]:
        """Everything the server sent, as one dict."""
        return self._raw.value

    @property
    def messages(self) -> Messages:
        """The messages of the request, with the answer added as it was received."""
        if self._replies:
            reply = self._reply()
            if reply is not None:
                self._messages = [*self._messages, reply]
            self._replies = False
        return self._messages

    def _reply(self) -> dict[str, Any] | None:
        return reply_of(self.raw)

    @property
    def raw_responses(self) -> list[dict[str, Any]]:
        """The raw answer of each request, one for each step."""
        return [step.response.raw for step in self.steps] or [self.raw]

    @property
    def message(self) -> Message:
        """The message of the first choice; an empty message when there is no choice."""
        for choice in self.choices:
            if choice.index == 0:
                return choice.message
        return self.choices[0].message if self.choices else Message()

    @property
    def text(self) -> str:
        """The content; empty when the model sent only reasoning or tool calls."""
        return self.message.content or ""

    @property
    def reasoning(self) -> str:
        """The reasoning; empty when the model sent none."""
        return self.message.reasoning_content or ""

    @property
    def refusal(self) -> str:
        """The words in which the model refuses to answer; empty when it does not."""
        return self.message.refusal or ""

    @property
    def tool_calls(self) -> list[WireToolCall]:
        """The tool calls that the model requests."""
        return self.message.tool_calls or []

    @property
    def finish_reason(self) -> str | None:
        """The reason for the end, such as ``"stop"``, ``"length"`` or ``"max_steps"``."""
        if self._finish_reason is not None:
            return self._finish_reason
        return self.choices[0].finish_reason if self.choices else None

    @property
    def ending(self) -> Ending | None:
        """How the answer ended; None if it simply ended."""
        return ending_of(
            self.finish_reason, text=self.text, reasoning=self.reasoning, refused=bool(self.refusal)
        )

    @property
    def note(self) -> str:
        """Hints for the user about how the answer ended and about the prompt; usually empty."""
        ending = [self.ending.note(len(self.steps))] if self.ending is not None else []
        return " ".join([*ending, *self.hints])

    @property
    def hints(self) -> list[str]:
        """The sentences of `note` without the one about the `ending`."""
        found = []
        if self.ending is None and not self._declared_complete:
            found.append(END_MARK_MISSING)
        if chat_wire.has_half_character(self._messages):
            found.append(HALF_CHARACTER)
        return found

    def __repr__(self) -> str:
        return (
            f"<Answer {cut(self.text, 60)!r} from {self.provider}/{self.model}, "
            f"finish_reason={self.finish_reason!r}>"
        )


@dataclass(frozen=True)
class Step:
    """One request of an answer that took several requests, with its tool calls.

    Args:
        number: The number of the step, from 1.
        message: The assistant message with every tool call, as the next request sends it.
        results: The results of the tool calls, in the order of the calls. A call that is left to
            the caller has none.
        usage: The token counts of this request.
        finish_reason: The finish reason of this request.
        response: The answer to this request.
    """

    number: int
    message: Mapping[str, Any]
    results: tuple[CallResult, ...]
    usage: Usage | None
    finish_reason: str | None
    response: Answer = field(repr=False)

    @property
    def text(self) -> str:
        """The content of this step."""
        return self.response.text

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages for the next request: the assistant message, then one for each result."""
        return [dict(self.message), *(result.message for result in self.results)]


SendStep = Callable[[Messages, int], Awaitable[Answer]]
"""Sends the messages as the step with this number, from 1; returns the answer of that step."""


def from_completion(
    value: dict[str, Any],
    *,
    request_messages: Sequence[dict[str, Any]],
    provider: str,
    label: str,
    timing: Timing,
    request_id: str | None,
    make: Callable[..., Answer] | None = None,
) -> Answer:
    """Make the answer from a completion that was not streamed.

    Args:
        value: The completion, a JSON object.
        request_messages: The messages of the request.
        provider: The provider's name.
        label: The provider's name in the footer under an answer.
        timing: The times of the request.
        request_id: The server's id of the request.
        make: The class of the answer, or a function that makes it; `Answer` by default.
    """
    reader = ChunkReader()
    accumulator = Accumulator()
    accumulator.add([reader.chunk(value), reader.flush()])
    return (make or Answer)(
        **facts_of(accumulator, lambda choices: fold([value], choices)),
        request_messages=request_messages,
        provider=provider,
        label=label,
        timing=timing,
        request_id=request_id,
    )


def facts_of(
    accumulator: Accumulator, fold: Callable[[list[Choice]], dict[str, Any]]
) -> dict[str, Any]:
    """Return the arguments of `Answer` that the server's words decide.

    Args:
        accumulator: The sum of the chunks.
        fold: Folds the chunks into the raw answer; gets the choices.
    """
    choices = accumulator.choices
    return {
        "raw": RawAnswer(lambda: fold(choices)),
        "id": accumulator.id,
        "created": accumulator.created,
        "model": accumulator.model,
        "choices": choices,
        "usage": accumulator.usage,
    }


def over_steps(
    last: Answer,
    steps: Sequence[Step],
    *,
    messages: Messages,
    usage: Usage | None,
    timing: Timing,
    parsed: Any = None,
    finish_reason: str | None = None,
) -> Answer:
    """Make the one answer of several requests.

    Args:
        last: The answer to the last request.
        steps: All steps.
        messages: The messages for the next request.
        usage: The token counts of all steps.
        timing: The times of all steps together.
        parsed: The object of the requested `response_type`.
        finish_reason: The finish reason; by default that of the last request.
    """
    return Answer(
        raw=last._raw,
        id=last.id,
        created=last.created,
        model=last.model,
        choices=last.choices,
        usage=usage,
        request_messages=messages,
        replies=False,
        declared_complete=last._declared_complete,
        provider=last.provider,
        label=last.label,
        timing=timing,
        request_id=last.request_id,
        steps=steps,
        parsed=parsed,
        finish_reason=finish_reason,
    )


def sum_usage(usages: Iterable[Usage | None]) -> Usage | None:
    """Return the sum of the token counts; None when there are none."""
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens or 0 for usage in known),
        completion_tokens=sum(usage.completion_tokens or 0 for usage in known),
        total_tokens=sum(usage.total_tokens or 0 for usage in known),
        cached_tokens=sum(usage.cached_tokens for usage in known),
    )
