"""The JSON objects that a model sends: chunks of a stream, and complete completions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.gateway import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.scenario import Scenario, Stage

#: The same for every answer, so that a long answer can be cached.
ANSWER_ID = "chatcmpl-gateway"
CREATED = 1_790_000_000
_EXTRA = {"system_fingerprint": "fp_gateway", "x_gateway": {"unknown": ["field", 1, None]}}


@dataclass(frozen=True)
class Ask:
    """The fields of a request that an answer depends on."""

    stream: bool
    model: str
    prompt: str
    include_usage: bool = False


@dataclass(frozen=True)
class Event:
    """The data of one event, its name, and the stage and the tokens that are reached after it."""

    data: str
    stage: Stage | None
    tokens: int
    name: str = ""


@dataclass(frozen=True)
class Saying:
    """The reasoning and the content of an answer, in tokens."""

    reasoning: tuple[str, ...]
    content: tuple[str, ...]

    @classmethod
    def of(cls, scenario: Scenario, ask: Ask) -> Saying:
        """Return the texts for a scenario and a request."""
        chinese = texts.is_chinese(ask.prompt)
        text = scenario.text
        if scenario.echo:
            text = ask.prompt
        if text is None:
            text = texts.CHINESE if chinese else texts.ENGLISH
        reasoning = scenario.reasoning or ()
        if reasoning == "default":
            reasoning = texts.REASONING_CHINESE if chinese else texts.REASONING_ENGLISH
        if isinstance(reasoning, str):
            reasoning = texts.tokens(reasoning)
        return cls(reasoning, _pieces(text, scenario))

    @property
    def count(self) -> int:
        """Return the number of tokens, reasoning included."""
        return len(self.reasoning) + len(self.content)


def _pieces(text: str | tuple[str, ...], scenario: Scenario) -> tuple[str, ...]:
    if isinstance(text, tuple):
        return text
    if scenario.length is not None:
        text = texts.stretch(text, scenario.length)
    if scenario.tokens is not None:
        return texts.repeat_tokens(text, scenario.tokens)
    return texts.tokens(text)


class _Writer:
    """Returns the objects of one answer as JSON."""

    def __init__(self, scenario: Scenario, ask: Ask, saying: Saying) -> None:
        self.scenario = scenario
        self.model = ask.model
        self.saying = saying
        self._encode = json.JSONEncoder(
            ensure_ascii=scenario.ascii,
            indent=1 if scenario.multiline else None,
            separators=None if scenario.multiline else (",", ":"),
        ).encode
        self.prompt_tokens = len(texts.tokens(ask.prompt))
        self._halves: dict[str, tuple[str, str]] = {}

    def dump(self, value: Any) -> str:
        return self._encode(value)

    def usage(self, completion: int | None = None) -> dict[str, Any]:
        done = self.saying.count if completion is None else completion
        usage: dict[str, Any] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": done,
            "total_tokens": self.prompt_tokens + done,
        }
        if self.saying.reasoning:
            thought = min(done, len(self.saying.reasoning))
            usage["completion_tokens_details"] = {"reasoning_tokens": thought}
        return usage

    def zero_usage(self) -> dict[str, int]:
        return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    def envelope(self, kind: str) -> dict[str, Any]:
        head = {"id": ANSWER_ID, "object": kind, "created": CREATED, "model": self.model}
        return {**head, **_EXTRA} if self.scenario.extra_fields else head

    def chunk(
        self, delta: dict[str, Any] | None, tokens: int, finish_reason: str | None = None
    ) -> str:
        """Return one chunk; without a delta, it has no choices."""
        value = self.envelope("chat.completion.chunk")
        value["choices"] = []
        if delta is not None:
            value["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
        if self.scenario.usage == "repeated" or (finish_reason and self.scenario.usage == "finish"):
            value["usage"] = self.usage(tokens)
        elif self.scenario.usage == "zero-first" and delta is not None:
            value["usage"] = self.zero_usage()
        return self.dump(value)

    def token(self, delta: dict[str, str], tokens: int) -> str:
        """Return the chunk of a text delta; reuse the JSON around the text, for speed."""
        if self.scenario.usage == "repeated" or len(delta) != 1:
            return self.chunk(delta, tokens)
        ((field, text),) = delta.items()
        if field not in self._halves:
            mark = "\ue000"
            before, _, after = self.chunk({field: mark}, tokens).partition(self.dump(mark))
            self._halves[field] = (before, after)
        before, after = self._halves[field]
        return before + self.dump(text) + after

    def usage_chunk(self, usage: dict[str, Any]) -> str:
        value = self.envelope("chat.completion.chunk")
        return self.dump({**value, "choices": [], "usage": usage})


def deltas(scenario: Scenario, saying: Saying) -> Iterator[tuple[dict[str, str], int]]:
    """Yield the delta of every chunk with text, and the number of tokens sent after it."""
    count = 0
    if not scenario.reasoning_beside:
        for thought in saying.reasoning:
            count += 1
            yield {"reasoning_content": thought}, count
        for token in saying.content:
            count += 1
            yield {"content": token}, count
        return
    for number in range(max(len(saying.reasoning), len(saying.content))):
        delta = {}
        if number < len(saying.reasoning):
            delta["reasoning_content"] = saying.reasoning[number]
        if number < len(saying.content):
            delta["content"] = saying.content[number]
        count += len(delta)
        yield delta, count


def stream(scenario: Scenario, ask: Ask, request_id: str) -> Iterator[Event]:
    """Yield every event of a streamed answer, ``[DONE]`` included.

    Rule: the chunks of the chat completions API, as CloudBase AI sends them.
    """
    if scenario.payloads is not None:
        for number, data in enumerate(scenario.payloads, 1):
            yield Event(data, number, number)
        if scenario.done:
            yield Event("[DONE]", "done", len(scenario.payloads))
        return

    saying = Saying.of(scenario, ask)
    write = _Writer(scenario, ask, saying)
    troubles = _Troubles(scenario, saying.count, request_id)
    yield Event(write.chunk({"role": "assistant", "content": ""}, 0), 0, 0)
    sent = 0
    extra, over = troubles.after(0)
    yield from extra
    for delta, count in deltas(scenario, saying):
        if over:
            return
        sent = count
        yield Event(write.token(delta, sent), sent, sent)
        extra, over = troubles.after(sent)
        yield from extra
    if over:
        return

    yield Event(write.chunk({}, sent, scenario.finish_reason), "finish", sent)
    wanted = scenario.usage not in ("absent", "repeated", "finish")
    if scenario.usage == "asked":
        wanted = ask.include_usage
    if wanted:
        yield Event(write.usage_chunk(write.usage()), None, sent)
    if scenario.usage == "zero-last":
        yield Event(write.usage_chunk(write.zero_usage()), None, sent)
    if scenario.done:
        yield Event("[DONE]", "done", sent)


class _Troubles:
    """The faults between tokens: broken JSON, error events, an early end."""

    def __init__(self, scenario: Scenario, total: int, request_id: str) -> None:
        self.scenario = scenario
        # If the answer has fewer tokens than `error_after`, the error comes at its end.
        self._error_after = min(scenario.error_after, total)
        self._bad_json_after = scenario.bad_json_after
        self._error = scenario.error if scenario.error_where == "event" else None
        self._request_id = request_id

    def after(self, sent: int) -> tuple[list[Event], bool]:
        """Return the extra events after ``sent`` tokens, and whether the answer ends with them."""
        scenario = self.scenario
        extra = []
        over = scenario.stop_after is not None and sent >= scenario.stop_after
        if self._bad_json_after is not None and sent >= self._bad_json_after:
            self._bad_json_after = None
            broken = '{"id":"chatcmpl-gateway","choices":[{"delta":{"conte'
            extra.append(Event(broken, None, sent))
        if self._error is not None and sent >= self._error_after:
            name = "error" if scenario.error_named else ""
            extra.append(Event(self._error.body(self._request_id), None, sent, name))
            self._error = None
            over = over or scenario.after_error != "rest"
            if scenario.after_error == "done":
                extra.append(Event("[DONE]", "done", sent))
        return extra, over


def completion(scenario: Scenario, ask: Ask) -> str:
    """Return the JSON text of an answer without streaming."""
    if scenario.completion is not None:
        return scenario.completion
    saying = Saying.of(scenario, ask)
    write = _Writer(scenario, ask, saying)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(saying.content)}
    if saying.reasoning:
        message["reasoning_content"] = "".join(saying.reasoning)
    choice = {"index": 0, "message": message, "finish_reason": scenario.finish_reason}
    value = {**write.envelope("chat.completion"), "choices": [choice]}
    if scenario.usage != "absent":
        value["usage"] = write.usage()
    return write.dump(value)
