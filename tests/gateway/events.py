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
CACHED_TOKENS = 2
_EXTRA = {"system_fingerprint": "fp_gateway", "x_gateway": {"unknown": ["field", 1, None]}}


@dataclass(frozen=True)
class Ask:
    """The fields of a request that an answer depends on."""

    stream: bool
    model: str
    prompt: str
    include_usage: bool = False

    @classmethod
    def parse(cls, body: bytes) -> Ask:
        """Parse the body of a request.

        Raises:
            ValueError: It is no request for a chat completion; TypeError too.
        """
        value = json.loads(body)
        messages = value.get("messages") if isinstance(value, dict) else None
        if not isinstance(messages, list) or not messages:
            raise ValueError("messages must be a list that is not empty")
        if not all(isinstance(message, dict) for message in messages):
            raise ValueError("a message must be an object")
        users = (m.get("content") for m in reversed(messages) if m.get("role") == "user")
        prompt = next(users, "")
        if isinstance(prompt, list):
            prompt = "".join(part.get("text", "") for part in prompt)
        options = value.get("stream_options") or {}
        if not isinstance(options, dict):
            raise ValueError("stream_options must be an object")
        return cls(
            stream=value.get("stream") is True,
            model=str(value.get("model") or ""),
            prompt=str(prompt or ""),
            include_usage=options.get("include_usage") is True,
        )


@dataclass(frozen=True)
class Event:
    """The data of one event, its name and field, and the stage and tokens reached after it."""

    data: str
    stage: Stage | None
    tokens: int
    name: str = ""
    field: str = "data"


@dataclass(frozen=True)
class Saying:
    """The reasoning, the content and the refusal of an answer, in tokens."""

    reasoning: tuple[str, ...]
    content: tuple[str, ...]
    refusal: tuple[str, ...] = ()

    @classmethod
    def of(cls, scenario: Scenario, ask: Ask) -> Saying:
        """Return the texts for a scenario and a request."""
        chinese = texts.is_chinese(ask.prompt)
        text = scenario.text
        if scenario.echo:
            text = ask.prompt
        if text is None and scenario.refusal:
            text = ()
        if text is None:
            text = texts.CHINESE if chinese else texts.ENGLISH
        reasoning = scenario.reasoning or ()
        if reasoning == "default":
            reasoning = texts.REASONING_CHINESE if chinese else texts.REASONING_ENGLISH
        if isinstance(reasoning, str):
            reasoning = texts.tokens(reasoning)
        if scenario.thinking == "tags" and reasoning:
            first, *rest = reasoning
            *rest, last = [f"<think>{first}", *rest]
            reasoning = (*rest, f"{last}</think>")
        return cls(reasoning, _pieces(text, scenario), texts.tokens(scenario.refusal))

    @property
    def count(self) -> int:
        """Return the number of tokens, reasoning and refusal included."""
        return len(self.reasoning) + len(self.content) + len(self.refusal)


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
        self._so_far = ""

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
        if self.scenario.cached == "prompt_tokens_details":
            usage["prompt_tokens_details"] = {"cached_tokens": CACHED_TOKENS}
        elif self.scenario.cached:
            usage[self.scenario.cached] = CACHED_TOKENS
        return usage

    def zero_usage(self) -> dict[str, int]:
        return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    def envelope(self, kind: str) -> dict[str, Any]:
        head = {"id": ANSWER_ID, "object": kind, "created": CREATED, "model": self.model}
        return {**head, **_EXTRA} if self.scenario.extra_fields else head

    def chunk(self, delta: dict[str, Any], tokens: int, finish_reason: str | None = None) -> str:
        """Return one chunk."""
        value = self.envelope("chat.completion.chunk")
        choice: dict[str, Any] = {"index": 0, **self._named(delta), "finish_reason": finish_reason}
        value["choices"] = [choice]
        place = self.scenario.usage
        if place == "repeated" or (finish_reason and place == "finish"):
            value["usage"] = self.usage(tokens)
        elif place == "first" and "role" in delta:
            value["usage"] = self.usage()
        elif place == "choice" and finish_reason:
            choice["usage"] = self.usage(tokens)
        elif place == "x-groq" and finish_reason:
            value["x_groq"] = {"id": "req_gateway", "usage": self.usage(tokens)}
        elif place == "zero-first":
            value["usage"] = self.zero_usage()
        return self.dump(value)

    def _named(self, delta: dict[str, Any]) -> dict[str, Any]:
        """Return a delta under the names that the scenario gives it."""
        name = self.scenario.delta_as
        if name == "so-far":
            content = delta.get("content")
            self._so_far += content if isinstance(content, str) else ""
            return {"delta": delta, "message": {"role": "assistant", "content": self._so_far}}
        return dict.fromkeys(("delta", "message") if name == "both" else (name,), delta)

    def token(self, delta: dict[str, Any], tokens: int) -> str:
        """Return the chunk of a text delta; reuse the JSON around the text, for speed."""
        scenario = self.scenario
        if scenario.usage == "repeated" or scenario.delta_as != "delta" or len(delta) != 1:
            return self.chunk(delta, tokens)
        ((field, text),) = delta.items()
        if not isinstance(text, str):
            return self.chunk(delta, tokens)
        if field not in self._halves:
            mark = "\ue000"
            before, _, after = self.chunk({field: mark}, tokens).partition(self.dump(mark))
            self._halves[field] = (before, after)
        before, after = self._halves[field]
        return before + self.dump(text) + after

    def usage_chunk(self, usage: dict[str, Any]) -> str:
        value = self.envelope("chat.completion.chunk")
        return self.dump({**value, "choices": [], "usage": usage})


def deltas(scenario: Scenario, saying: Saying) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the delta of every chunk with text, and the number of tokens sent after it."""
    count = 0
    if scenario.reasoning_beside and scenario.thinking not in ("parts", "tags"):
        for number in range(max(len(saying.reasoning), len(saying.content))):
            delta = {}
            if number < len(saying.reasoning):
                delta.update(_reasoning(scenario, saying.reasoning[number]))
                count += 1
            if number < len(saying.content):
                delta["content"] = _content(scenario, saying.content[number])
                count += 1
            yield delta, count
    else:
        for thought in saying.reasoning:
            count += 1
            yield _reasoning(scenario, thought), count
        for token in saying.content:
            count += 1
            yield {"content": _content(scenario, token)}, count
    for token in saying.refusal:
        count += 1
        yield {"refusal": token}, count


def _text_part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _content(scenario: Scenario, text: str) -> Any:
    """Return the value of ``content``."""
    if scenario.content_as == "text":
        return text
    return [_text_part(text)] if scenario.content_as == "parts" else _text_part(text)


def _reasoning(scenario: Scenario, text: str) -> dict[str, Any]:
    """Return the fields of a delta or a message with reasoning."""
    if scenario.thinking == "both":
        return {"reasoning_content": text, "reasoning": text}
    if scenario.thinking == "reasoning_details":
        return {"reasoning_details": [{"type": "reasoning.text", "text": text, "index": 0}]}
    if scenario.thinking == "parts":
        return {"content": [{"type": "thinking", "thinking": [_text_part(text)]}]}
    return {"content" if scenario.thinking == "tags" else scenario.thinking: text}


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
    begin = {"role": "assistant", "content": "", **_fields(scenario)}
    yield Event(write.chunk(begin, 0), 0, 0)
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
    wanted = scenario.usage in ("last", "zero-first", "zero-last")
    if scenario.usage == "asked":
        wanted = ask.include_usage
    if wanted:
        yield Event(write.usage_chunk(write.usage()), None, sent)
    if scenario.usage == "zero-last":
        yield Event(write.usage_chunk(write.zero_usage()), None, sent)
    if scenario.done:
        yield Event("[DONE]", "done", sent)


def _fields(scenario: Scenario) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in scenario.message_fields}


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
            field = "error" if scenario.error_field else "data"
            extra.append(Event(self._error.body(self._request_id), None, sent, name, field))
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
    choice = {
        "index": 0,
        "message": _message(scenario, saying),
        "finish_reason": scenario.finish_reason,
    }
    if scenario.delta_as in ("both", "so-far"):
        choice["delta"] = {"role": "assistant", "content": ""}
    value = {**write.envelope("chat.completion"), "choices": [choice]}
    if scenario.usage == "choice":
        choice["usage"] = write.usage()
    elif scenario.usage == "x-groq":
        value["x_groq"] = {"id": "req_gateway", "usage": write.usage()}
    elif scenario.usage != "absent":
        value["usage"] = write.usage()
    text = write.dump(value)
    return text if scenario.bad_json_after is None else text[: len(text) // 2]


def _message(scenario: Scenario, saying: Saying) -> dict[str, Any]:
    """Return the message of an answer without streaming."""
    content = _content(scenario, "".join(saying.content))
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if saying.refusal:
        message["refusal"] = "".join(saying.refusal)
        message["content"] = content if saying.content else None
    if saying.reasoning:
        thoughts = _reasoning(scenario, "".join(saying.reasoning))
        if scenario.thinking == "tags":
            thoughts = {
                "content": _content(scenario, thoughts["content"] + "".join(saying.content))
            }
        elif scenario.thinking == "parts":
            parts = content if isinstance(content, list) else [_text_part("".join(saying.content))]
            thoughts["content"] += parts
        message.update(thoughts)
    return {**message, **_fields(scenario)}
