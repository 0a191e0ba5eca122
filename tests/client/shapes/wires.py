"""Shapes of the stream itself: line ends, comments, labels, JSON lines, and errors in the stream."""

from __future__ import annotations

import json

from tests.client.shapes.shape import STOP, Shape, delta, stream, whole, write

TEA = "Oolong, 乌龙。"
ONE, TWO = delta(content="Oolong, "), delta(content="乌龙。")
PLAIN = stream(ONE, TWO, STOP)
LINES = "".join(f"{write(one)}\n" for one in (ONE, TWO, STOP)).encode()


def _shape(name: str, body: bytes, content_type: str | None = None) -> Shape:
    return Shape(name, body, text=TEA, content_type=content_type)


FORMS = [
    _shape("lines that end in CRLF", PLAIN.replace(b"\n", b"\r\n")),
    _shape("lines that end in CR", PLAIN.replace(b"\n", b"\r")),
    _shape("a byte order mark", b"\xef\xbb\xbf" + PLAIN),
    _shape("no space after data", PLAIN.replace(b"data: ", b"data:")),
    _shape("no blank line at the end", PLAIN[:-1]),
    _shape("no line end at the end", PLAIN[:-2]),
    _shape(
        "no blank line after a finish reason without [DONE]",
        stream(ONE, TWO, STOP, done=False)[:-1],
    ),
    _shape(
        "comments before, between and after events",
        b": hello\n\n:\n\n" + PLAIN.replace(b"\n\n", b"\n: wait\n\n: wait\n\n"),
    ),
    _shape(
        "empty chunks to keep the connection",
        stream("data: {}\n\n", delta(), ONE, "data:\n\n", {"choices": []}, "\n\n", TWO, delta(), STOP),
    ),
    _shape(
        "an id, a name and a status in a comment",
        PLAIN.replace(b"data: {", b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:{"),
    ),
    _shape("the name message and a time to reconnect", b"retry: 9\n" + PLAIN.replace(
        b"data: {", b"event: message\ndata: {")),
    _shape("pings", stream("event: ping\ndata: {}\n\n", ONE, "event: ping\ndata:\n\n", TWO, STOP)),
    _shape("data in several lines", PLAIN.replace(b',"finish', b',\ndata: "finish')),
]  # fmt: skip

LABELS = [
    *(
        _shape(f"events that are called {label}", PLAIN, label)
        for label in (
            "application/json",
            "application/json; charset=utf-8",
            "application/x-ndjson",
            "text/plain",
            "TEXT/EVENT-STREAM;charset=UTF-8",
            "",
        )
    ),
    _shape(
        "comments before events that are called application/json",
        b": wait\n\n" + PLAIN,
        "application/json",
    ),
    _shape("objects in lines", LINES, "application/x-ndjson"),
    _shape(
        "objects in lines that end in CRLF, with empty lines",
        b"\r\n" + LINES.replace(b"\n", b"\r\n\r\n"),
        "application/x-ndjson",
    ),
    _shape("objects in lines, the last one without an end", LINES[:-1], "application/x-ndjson"),
    *(
        _shape(f"one object that is called {label}", whole(content=TEA), label)
        for label in ("application/x-ndjson", "text/event-stream", "text/plain", "")
    ),
    _shape("one object after empty lines", b"\n\r\n \n" + whole(content=TEA)),
    _shape(
        "one object in many lines", json.dumps(json.loads(whole(content=TEA)), indent=1).encode()
    ),
    _shape(
        "one object in many lines that is called application/x-ndjson",
        json.dumps(json.loads(whole(content=TEA)), indent=1).encode(),
        "application/x-ndjson",
    ),
]

_BOILED = {"message": "the kettle is dry", "type": "server_error", "code": "dry"}


def _error(name: str, body: bytes, text: str = "", content_type: str | None = None) -> Shape:
    return Shape(name, body, text=text, content_type=content_type, error="the kettle is dry")


ERRORS = [
    shape
    for name, event in {
        "an error in data": f"data: {write({'error': _BOILED})}\n\n",
        "an error that is text": f"data: {write({'error': 'the kettle is dry'})}\n\n",
        "an error in the field error": f"error: {write(_BOILED)}\n\n",
        "a whole error body in the field error": f"error: {write({'error': _BOILED})}\n\n",
        "text in the field error": "error: the kettle is dry\n\n",
        "an event named error": f"event: error\ndata: {write(_BOILED)}\n\n",
        "text in an event named error": "event: error\ndata: the kettle is dry\n\n",
        "an error beside choices": "data: "
        + write({"error": _BOILED, "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]})
        + "\n\n",
        "an error of a base_resp": "data: "
        + write({"base_resp": {"status_code": 1004, "status_msg": "the kettle is dry"}})
        + "\n\n",
    }.items()
    for shape in (
        _error(f"{name}, first", stream(event, done=False)),
        _error(f"{name}, after text", stream(ONE, event, done=False), "Oolong, "),
        _error(f"{name}, before [DONE]", stream(ONE, event), "Oolong, "),
        _error(
            f"{name}, without an end", stream(ONE, event, done=False).rstrip(b"\n"), "Oolong, "
        ),
    )
] + [
    _error(
        "an error in a line of objects",
        LINES.splitlines(keepends=True)[0] + write({"error": _BOILED}).encode() + b"\n",
        "Oolong, ",
        "application/x-ndjson",
    ),
    _error(
        "a list with an error", write([{"error": _BOILED}]).encode(), "", "application/json"
    ),
    _error("an error in one object", write({"error": _BOILED}).encode()),
    _error(
        "an error of a base_resp in one object",
        write(
            {"choices": None, "base_resp": {"status_code": 1004, "status_msg": "the kettle is dry"}}
        ).encode(),
    ),
    _error(
        "a message in place of an error",
        write({"error_msg": "the kettle is dry", "error_code": 17}).encode(),
    ),
]  # fmt: skip

FINE = [
    Shape(
        "a base_resp that reports no error",
        stream(
            ONE,
            TWO,
            {**STOP, "base_resp": {"status_code": 0, "status_msg": ""}},
        ),
        text=TEA,
        top={"base_resp": {"status_code": 0, "status_msg": ""}},
    ),
    Shape(
        "a base_resp that reports no error in one piece",
        whole(content=TEA, top={"base_resp": {"status_code": 0, "status_msg": "success"}}),
        text=TEA,
    ),
    Shape("an error that is null", stream({**ONE, "error": None}, {**TWO, "code": None}, STOP), text=TEA),
]  # fmt: skip

SHAPES = [*FORMS, *LABELS, *FINE]
