"""A complete answer: `raw` as in the Mini Program, the other fields as in the Web SDK."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from cbai_notebook.client import chat_wire
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.chat_wire import Message, Usage, WireToolCall
from cbai_notebook.client.chunk_reader import ChunkReader
from cbai_notebook.client.endings import (
    Ending,
    ending_of,
)
from cbai_notebook.client.providers import AGENT
from cbai_notebook.client.raw_answer import RawAnswer
from cbai_notebook.client.sources import Sources
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.i18n import joined, listed, say
from cbai_notebook.text import cut, one_line

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


@dataclass(frozen=True)
class AnswerFacts:
    """What is known about an answer beside what the server says in its body.

    Args:
        provider: The provider's name.
        label: The provider's name in the footer under an answer.
        model: The model as it was requested, or the id of an agent.
        request_messages: The messages of the request.
        declares_end: Whether the service ends each stream with ``[DONE]``.
        declared_complete: Whether it did, as far as the answer has ended.
        timing: The times of the answer.
        request_id: The server's id of the request, for a support ticket.
    """

    provider: str
    label: str
    model: str = ""
    request_messages: Sequence[dict[str, Any]] = ()
    declares_end: bool = False
    declared_complete: bool = True
    timing: Timing = field(default_factory=Timing)
    request_id: str | None = None


class Answer:
    """The answer of a model or an agent.

    The fields ``id``, ``object``, ``created``, ``model``, ``choices`` and ``usage`` are those of
    the chat completions protocol. ``raw`` is everything that the server sent, unknown fields
    included; for a stream it is the folded chunks. ``text``, ``reasoning``, ``refusal``,
    ``messages`` and ``finish_reason`` belong to the first choice; ``messages`` are the messages of
    the request with the answer added as it was received, ready for the next request.

    An answer that called tools took several requests, its ``steps``: ``text`` is that of the last
    step, ``usage`` is the sum, and ``messages`` contain every tool call with its result. ``parsed``
    is the object of the requested ``response_type``.

    ``str(answer)``, and so ``print(answer)``, is the text, or the words of a refusal.

    ``sources`` and ``record_id`` are those of an agent's answer, empty for a model: the web pages and
    the knowledge bases that it used, and the id to which feedback refers.

    Args:
        accumulator: The sum of the chunks.
        values: Returns the JSON objects of the chunks; called when the raw answer is first needed,
            and again if that was interrupted.
        facts: What else is known.
        replies: Whether there is a message to add to those of the request.
    """

    html_formatter: ClassVar[Callable[[Answer], str] | None] = None
    """Renders an answer as safe HTML; set by a frontend that shows values in formats of their own."""

    def __init__(
        self,
        accumulator: Accumulator,
        values: Callable[[], Iterable[dict[str, Any]]],
        facts: AnswerFacts,
        *,
        replies: bool = True,
    ) -> None:
        choices, fold = accumulator.choices, accumulator.fold
        self._raw = RawAnswer(lambda: fold(values(), choices))
        self._reply = accumulator.reply
        self.id = accumulator.id
        self.object = accumulator.object
        self.created = accumulator.created
        self.model = accumulator.model or facts.model or None
        self.choices = choices
        self.usage = accumulator.usage
        self.sources: Sources = accumulator.sources
        self.record_id = accumulator.record_id
        self._facts = facts
        self._messages: Messages = list(facts.request_messages)
        self._replies = replies
        self.provider = facts.provider
        self.label = facts.label
        self.timing = facts.timing
        self.request_id = facts.request_id
        self.steps: tuple[Step, ...] = ()
        self.parsed: Any = None
        self._finish_reason: str | None = None

    @property
    def raw(self) -> dict[str, Any]:
        """Everything the server sent, as one dict."""
        return self._raw.value

    @property
    def messages(self) -> Messages:
        """The messages of the request, with the answer added as it was received."""
        if self._replies:
            reply = self._reply(self.raw)
            if reply is not None:
                self._messages = [*self._messages, reply]
            self._replies = False
        return self._messages

    @property
    def agent_id(self) -> str | None:
        """The id of the agent that was asked; None for a model."""
        return self._facts.model if self.provider == AGENT else None

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
        ending = "" if self.ending is None else self.ending.note(len(self.steps))
        return joined(ending, *self.hints)

    @property
    def hints(self) -> list[str]:
        """The sentences of `note` without the one about the `ending`."""
        found: list[str] = []
        unmarked = self._facts.declares_end and not self._facts.declared_complete
        if self.ending is None and unmarked:
            found.append(say("request.end_mark_is_missing"))
        if chat_wire.has_half_character(self._messages):
            found.append(say("request.half_character"))
        masked = ((call.name, call.masked) for call in self._calls if call.masked)
        for tool, names in dict.fromkeys(masked):
            found.append(
                say("request.secret_was_masked", tool=one_line(tool, 64), names=listed(names))
            )
        return found

    @property
    def _calls(self) -> list[ToolCall]:
        return [call for step in self.steps for call in step.results]

    def _mime_(self) -> tuple[str, str]:
        """Return the MIME type and the content that marimo shows for this answer."""
        render = type(self).html_formatter
        return ("text/plain", str(self)) if render is None else ("text/html", render(self))

    def __str__(self) -> str:
        return self.text or self.refusal

    def __repr__(self) -> str:
        return (
            f"<Answer {cut(str(self), 60)!r} from {self.provider}/{self.model}, "
            f"finish_reason={self.finish_reason!r}>"
        )


@dataclass(frozen=True)
class Step:
    """One request of an answer that took several requests, with its tool calls.

    Args:
        number: The number of the step, from 1.
        message: The assistant message with every tool call, as the next request sends it.
        results: The tool calls with their results, in the order of the calls. A call that is left to
            the caller has none.
        usage: The token counts of this request.
        finish_reason: The finish reason of this request.
        response: The answer to this request.
    """

    number: int
    message: Mapping[str, Any]
    results: tuple[ToolCall, ...]
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


def from_completion(value: dict[str, Any], facts: AnswerFacts) -> Answer:
    """Make the answer from a completion that was not streamed.

    Args:
        value: The completion, a JSON object.
        facts: What else is known.
    """
    reader = ChunkReader()
    accumulator = Accumulator()
    accumulator.add([reader.chunk(value), reader.flush()])
    return Answer(accumulator, lambda: [value], facts)


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
    answer = copy(last)
    answer._messages, answer._replies = messages, False
    answer.steps, answer.usage, answer.timing = tuple(steps), usage, timing
    answer.parsed, answer._finish_reason = parsed, finish_reason
    return answer


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
