"""An answer of known and unknown fields comes back whole, and its message goes on unchanged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cbai_notebook.client.answer import Answer
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.transport import HTTPTransport
from tests.client.shapes.reading import next_message, with_ids
from tests.client.shapes.shape import stream, write
from tests.gateway import Gateway, Scenario
from tests.gateway_access import gateway_settings

# A prefix keeps the random names apart from every name that a server gives a meaning.
names = st.text(max_size=6).map(lambda text: f"_{text}")
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = st.dictionaries(names, values, max_size=3)
# "<" could begin a tag of thinking.
texts = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), max_size=20)
arguments = st.dictionaries(st.text(max_size=5), values, max_size=3)
functions = st.builds(
    lambda more, given: {"name": "serve", "arguments": json.dumps(given), **more}, fields, arguments
)
tool_calls = st.lists(
    st.builds(
        lambda more, function: {"type": "function", "function": function, **more}, fields, functions
    ),
    min_size=1,
    max_size=3,
).map(lambda calls: [{"id": f"id_{number}", **call} for number, call in enumerate(calls)])


@st.composite
def messages(draw: st.DrawFn, with_calls: bool) -> dict[str, Any]:
    """Return a message of known fields, of which some are left out, and unknown ones."""
    message: dict[str, Any] = {"role": "assistant", "content": draw(texts), **draw(fields)}
    for name in ("reasoning_content", "refusal"):
        if draw(st.booleans()):
            message[name] = draw(texts.filter(bool))
    if with_calls:
        message["tool_calls"] = draw(tool_calls)
    return message


@st.composite
def completions(draw: st.DrawFn, with_calls: bool = False) -> dict[str, Any]:
    """Return a completion of known and unknown fields."""
    count = 1 if with_calls else draw(st.integers(1, 2))
    choices = [
        {
            "index": index,
            "message": draw(messages(with_calls)),
            "finish_reason": "tool_calls" if with_calls else "stop",
            **draw(fields),
        }
        for index in range(count)
    ]
    completion = {"object": "chat.completion", "choices": choices, **draw(fields)}
    known = {"id": "tea-7", "created": 7, "model": "kettle", "system_fingerprint": "fp"}
    completion.update({name: known[name] for name in draw(st.sets(st.sampled_from(sorted(known))))})
    if draw(st.booleans()):
        counts = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        completion["usage"] = {**counts, **draw(fields)}
    return completion


class Cutter:
    """Cuts a completion into the chunks of a stream, at random places.

    Text is cut into pieces. Each unknown field is in one chunk, at its own place.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def chunks(self, completion: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the chunks of a completion."""
        parts = [part for choice in completion["choices"] for part in self._choice(choice)]
        found = [{"object": "chat.completion.chunk", "choices": [part]} for part in parts]
        known = {"id", "created", "model", "system_fingerprint"}
        for name in completion:
            if name in known:
                for chunk in found:
                    chunk[name] = completion[name]
            elif name == "usage" and self._draw(st.booleans()):
                found.append({"choices": [], "usage": completion["usage"]})
            elif name not in ("object", "choices"):
                self._draw(st.sampled_from(found))[name] = completion[name]
        return found

    def _choice(self, choice: dict[str, Any]) -> list[dict[str, Any]]:
        deltas = list(self._deltas(choice["message"]))
        found = [{"index": choice["index"], "delta": delta} for delta in deltas]
        found.append({"index": choice["index"], "delta": {}})
        found[-1]["finish_reason"] = choice["finish_reason"]
        self._scatter(choice, found, ("index", "message", "finish_reason"))
        return found

    def _deltas(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        texts = ("reasoning_content", "content", "refusal")
        found: list[dict[str, Any]] = [{"role": message["role"]}]
        for name in texts:
            if name in message:
                found += [{name: piece} for piece in self._pieces(message[name])]
        for index, call in enumerate(message.get("tool_calls", ())):
            found += [{"tool_calls": [part]} for part in self._call(index, call)]
        self._scatter(message, found, ("role", "tool_calls", *texts))
        yield from found

    def _call(self, index: int, call: dict[str, Any]) -> list[dict[str, Any]]:
        function = call["function"]
        pieces = self._pieces(function["arguments"])
        functions = [{"arguments": piece} for piece in pieces]
        functions[0]["name"] = function["name"]
        self._scatter(function, functions, ("name", "arguments"))
        found = [{"index": index, "function": one} for one in functions]
        found[0].update({"id": call["id"], "type": call["type"]})
        self._scatter(call, found, ("id", "type", "function"))
        return found

    def _scatter(
        self, source: dict[str, Any], places: list[dict[str, Any]], known: tuple[str, ...]
    ) -> None:
        """Put each unknown field of `source` into one of the places."""
        for name, value in source.items():
            if name not in known:
                self._draw(st.sampled_from(places))[name] = value

    def _pieces(self, text: str) -> list[str]:
        cuts = sorted(self._draw(st.sets(st.integers(0, len(text)), max_size=4)))
        return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def cut_completions(draw: st.DrawFn, with_calls: bool = False) -> tuple[dict[str, Any], bytes]:
    """Return a completion, and the body of a stream that says the same."""
    completion = draw(completions(with_calls))
    return completion, stream(*Cutter(draw).chunks(completion))


def asked(body: bytes, streamed: bool, **params: Any) -> tuple[Answer, list[dict[str, Any]]]:
    """Ask a server that sends a body first; return the answer, and the messages of the last request."""

    async def run() -> tuple[Answer, list[dict[str, Any]]]:
        async with Gateway(default="say:Served.") as gateway:
            gateway.script(Scenario(body=body, content_type=content_type))
            settings = gateway_settings(gateway)
            model = create_model("custom", settings=settings, transport=HTTPTransport(fast=False))
            ask: dict[str, Any] = {"messages": [{"role": "user", "content": "Tea?"}], **params}
            if streamed:
                answer = await (await model.stream_text(model="m", **ask)).finish()
            else:
                answer = await model.generate_text(model="m", **ask)
            return answer, gateway.last.json["messages"]

    content_type = "text/event-stream" if body.startswith(b"data:") else "application/json"
    return asyncio.run(run())


def without_index(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a raw answer without what only its stream has: the index of each call."""
    for choice in raw["choices"]:
        for call in choice["message"].get("tool_calls", ()):
            call.pop("index", None)
    return raw


ways = pytest.mark.parametrize(
    ("streamed", "cut"),
    [(False, False), (False, True), (True, False), (True, True)],
    ids=["whole", "whole from a stream", "stream from a whole", "stream"],
)
often = settings(max_examples=30, suppress_health_check=list(HealthCheck))


@ways
@often
@given(cut_completions() | cut_completions(with_calls=True))
def test_every_field_comes_back(
    streamed: bool, cut: bool, sent: tuple[dict[str, Any], bytes]
) -> None:
    completion, chunks = sent
    answer, _ = asked(chunks if cut else write(completion).encode(), streamed)
    assert without_index(answer.raw) == completion


@ways
@often
@given(cut_completions(with_calls=True))
def test_the_message_goes_on_unchanged(
    streamed: bool, cut: bool, sent: tuple[dict[str, Any], bytes]
) -> None:
    completion, chunks = sent
    served = []

    def serve(**given: Any) -> str:
        served.append(given)
        return "done"

    tool = {"fn": serve, "name": "serve", "description": "Serve.", "parameters": {"type": "object"}}
    answer, messages = asked(chunks if cut else write(completion).encode(), streamed, tools=[tool])
    assert answer.text == "Served."
    _, passed_on, *results = messages
    received = next_message(completion["choices"][0]["message"])
    assert next_message(passed_on) == with_ids(received, next_message(passed_on))
    calls = completion["choices"][0]["message"]["tool_calls"]
    assert [one["tool_call_id"] for one in results] == [call["id"] for call in calls]
    given = [json.loads(call["function"]["arguments"]) for call in calls]
    assert sorted(served, key=repr) == sorted(given, key=repr)
