"""The demo model's side of the protocol: it answers a request as a server of chat completions does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cbai_notebook.client import chat_wire
from cbai_notebook.client.demo import pictures, simple_rules
from cbai_notebook.client.demo.request import DemoRequest, text_of
from cbai_notebook.client.demo.script import IMAGES_PATH, DemoAnswer, model_named
from cbai_notebook.client.demo.words import pieces
from cbai_notebook.client.secret import Secret
from cbai_notebook.client.transport import InProcessResponse
from cbai_notebook.i18n import say

_JSON = "application/json"
_ID = "chatcmpl-demo"
_CHUNK = "chat.completion.chunk"


async def serve(path: str, headers: Mapping[str, str], body: bytes) -> InProcessResponse:
    """Answer a request for a chat completion or for pictures.

    Args:
        path: The path of the URL.
        headers: The headers of the request.
        body: The body of the request.

    Raises:
        UsageError: A function of the script failed.
    """
    value = chat_wire.load(body) if body else {}
    request = DemoRequest(
        value if isinstance(value, dict) else {},
        {name.lower(): Secret(text) for name, text in headers.items()},
    )
    if path.endswith(IMAGES_PATH):
        return InProcessResponse(200, _JSON, _whole(chat_wire.dump(pictures.drawn(request.body))))
    model = model_named(str(request.body.get("model") or ""))
    answer = model.answer(request) or simple_rules.answer(request)
    if answer.status != 200:
        message = answer.text or str(say("demo.told_status", status=answer.status))
        error = {"error": {"message": message, "type": "demo_error"}}
        return InProcessResponse(answer.status, _JSON, _whole(chat_wire.dump(error)))
    output = _Output.of(answer, request)
    if request.body.get("stream"):
        return InProcessResponse(200, "text/event-stream", _events(output, model.pace))
    return InProcessResponse(200, _JSON, _completion(output, model.pace))


@dataclass(frozen=True)
class _Output:
    """An answer in the pieces in which it is sent."""

    deltas: list[dict[str, Any]]
    message: dict[str, Any]
    finish_reason: str
    is_broken: bool
    model: str
    usage: dict[str, int]

    @classmethod
    def of(cls, answer: DemoAnswer, request: DemoRequest) -> _Output:
        parts = [
            (name, piece)
            for name, text in (
                ("reasoning_content", "" if request.think is False else answer.thinking),
                ("content", answer.text),
                ("refusal", answer.refusal),
            )
            for piece in pieces(text)
        ]
        sent = parts[: request.most_tokens]
        is_whole = len(sent) == len(parts)
        calls = list(_calls(answer, request.calls_before)) if is_whole else []
        finish = answer.finish if is_whole else "length"
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        for name, piece in sent:
            message[name] = message.get(name, "") + piece
        if calls:
            message["tool_calls"] = calls
        deltas: list[dict[str, Any]] = [{name: piece} for name, piece in sent]
        deltas += [{"tool_calls": [{"index": at, **call}]} for at, call in enumerate(calls)]
        read = sum(len(pieces(text_of(each))) for each in request.sent)
        return cls(
            deltas,
            message,
            "tool_calls" if calls and finish == "stop" else finish,
            finish == "broken",
            str(request.body.get("model") or ""),
            {
                "prompt_tokens": read,
                "completion_tokens": len(deltas),
                "total_tokens": read + len(deltas),
            },
        )

    def envelope(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {"id": _ID, "object": kind, "model": self.model, **fields}


def _calls(answer: DemoAnswer, before: int) -> Iterator[dict[str, Any]]:
    """Yield the tool calls; no other call of the conversation has their ids."""
    for number, (name, arguments) in enumerate(answer.call_list, before + 1):
        text = chat_wire.dump(arguments).decode()
        function = {"name": name, "arguments": text}
        yield {"id": f"call_{number}", "type": "function", "function": function}


async def _whole(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _completion(output: _Output, pace: float) -> AsyncGenerator[bytes, None]:
    await asyncio.sleep(pace * len(output.deltas))
    choice = {"index": 0, "message": output.message, "finish_reason": output.finish_reason}
    body = chat_wire.dump(output.envelope("chat.completion", choices=[choice], usage=output.usage))
    if output.is_broken:
        yield body[: len(body) // 2]
        raise _broken()
    yield body


async def _events(output: _Output, pace: float) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, delta in enumerate([{"role": "assistant", "content": ""}, *output.deltas]):
        # Against the clock, so that what a piece costs does not slow the pace down.
        await asyncio.sleep(max(0.0, began + number * pace - loop.time()))
        yield _event(output.envelope(_CHUNK, choices=[{"index": 0, "delta": delta}]))
    if output.is_broken:
        raise _broken()
    ended = {"index": 0, "delta": {}, "finish_reason": output.finish_reason}
    yield _event(output.envelope(_CHUNK, choices=[ended]))
    yield _event(output.envelope(_CHUNK, choices=[], usage=output.usage)) + b"data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + chat_wire.dump(value) + b"\n\n"


def _broken() -> ConnectionResetError:
    return ConnectionResetError(say("demo.breaks_connection"))
