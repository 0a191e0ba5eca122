"""Shapes of tool calls: fragments with every index and id, arguments in every type, extra fields."""

from __future__ import annotations

from typing import Any

from tests.client.shapes.shape import CALLED, Shape, calls, choice, delta, part, stream, whole

BREW = ("brew", {"cups": 2, "tea": "龙井"})
POUR = ("pour", {"into": "cup"})
BOTH = (BREW, POUR)
ARGUMENTS = '{"cups": 2, "tea": "龙井"}'
PIECES = ('{"cups"', ': 2, "te', 'a": "龙', '井"}')
POURED = '{"into": "cup"}'
SIGNED = {"google": {"thought_signature": "c2lnbmVk"}}


def _shape(
    name: str, *chunks: dict[str, Any], made: tuple[Any, ...] = (BREW,), **more: Any
) -> Shape:
    body = stream(*chunks, CALLED)
    return Shape(name, body, **{"calls": made, "finish_reason": "tool_calls", **more})


def _each(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [calls(one) for one in parts]


def _whole(
    name: str, *parts: dict[str, Any], made: tuple[Any, ...] = (BREW,), **more: Any
) -> Shape:
    body = whole("tool_calls", content=None, tool_calls=list(parts))
    return Shape(name, body, **{"calls": made, "finish_reason": "tool_calls", **more})


FRAGMENTS = [
    _shape("a call in one chunk", calls(part(ARGUMENTS, "brew", index=0, id="a", type="function"))),
    _shape(
        "a call in fragments",
        *_each(part("", "brew", index=0, id="a"), *(part(piece, index=0) for piece in PIECES)),
    ),
    _shape(
        "an index that counts up",
        *_each(
            part("", "brew", index=0, id="a", type="function"),
            *(part(piece, index=number) for number, piece in enumerate(PIECES, 1)),
        ),
    ),
    _shape(
        "an index that counts up over two calls",
        *_each(
            part("", "brew", index=0, id="a"),
            *(part(piece, index=number) for number, piece in enumerate(PIECES, 1)),
            part("", "pour", index=5, id="b"),
            part('{"into"', index=6),
            part(': "cup"}', index=7),
        ),
        made=BOTH,
    ),
    _shape(
        "a tail with another index",
        *_each(part(PIECES[0], "brew", index=0, id="a"), part("".join(PIECES[1:]), index=1)),
    ),
    _shape(
        "a tail with another index and empty fields",
        *_each(
            part(PIECES[0], "brew", index=0, id="a", type="function"),
            part("".join(PIECES[1:]), "", index=1, id="", type="function"),
        ),
    ),
    _shape(
        "a tail with another index after two calls",
        *_each(
            part(ARGUMENTS, "brew", index=0, id="a"),
            part('{"into"', "pour", index=1, id="b"),
            part(': "cup"}', index=2),
        ),
        made=BOTH,
    ),
    _shape(
        "the name again in each fragment",
        *_each(*(part(piece, "brew", index=0, id="a") for piece in PIECES)),
    ),
    _shape(
        "the name again in each fragment, without id",
        *_each(*(part(piece, "brew", index=0) for piece in PIECES)),
    ),
    _shape(
        "no index",
        *_each(part("", "brew", id="a"), *(part(piece) for piece in PIECES)),
    ),
    _shape(
        "two calls without index",
        *_each(
            part(PIECES[0], "brew", id="a"),
            part("".join(PIECES[1:])),
            part(POURED[:5], "pour", id="b"),
            part(POURED[5:]),
        ),
        made=BOTH,
    ),
    _shape(
        "empty ids in the tail",
        *_each(
            part("", "brew", index=0, id="a"),
            *(part(piece, index=0, id="", type="function") for piece in PIECES),
        ),
    ),
    _shape(
        "an empty name in the tail",
        *_each(part("", "brew", index=0, id="a"), *(part(piece, "", index=0) for piece in PIECES)),
    ),
    _shape(
        "an id that comes late",
        *_each(part("", "brew", index=0), part("", index=0, id="a"), part(ARGUMENTS, index=0)),
    ),
    _shape(
        "every index is 0",
        *_each(
            part(PIECES[0], "brew", index=0, id="a"),
            part("".join(PIECES[1:]), index=0),
            part(POURED[:5], "pour", index=0, id="b"),
            part(POURED[5:], index=0),
        ),
        made=BOTH,
    ),
    _shape(
        "two fragments in turns",
        *_each(
            part("", "brew", index=0, id="a"),
            part("", "pour", index=1, id="b"),
            part(PIECES[0], index=0),
            part(POURED[:5], index=1),
            part("".join(PIECES[1:]), index=0),
            part(POURED[5:], index=1),
        ),
        made=BOTH,
    ),
    _shape(
        "two whole calls in one chunk",
        calls(part(ARGUMENTS, "brew", index=0, id="a"), part(POURED, "pour", index=1, id="b")),
        made=BOTH,
    ),
    _shape(
        "two whole calls in two chunks, without index",
        *_each(part(ARGUMENTS, "brew", id="a"), part(POURED, "pour", id="b")),
        made=BOTH,
    ),
    _shape(
        "two whole calls without index and id",
        *_each(part(ARGUMENTS, "brew"), part(POURED, "pour")),
        made=BOTH,
    ),
    _shape(
        "the same whole call twice without index and id",
        calls(part(ARGUMENTS, "brew"), part(ARGUMENTS, "brew")),
        made=(BREW, BREW),
    ),
    _shape(
        "two whole calls with empty ids",
        calls(part(ARGUMENTS, "brew", index=0, id=""), part(POURED, "pour", index=1, id="")),
        made=BOTH,
    ),
    _shape(
        "an index that is null",
        calls(
            part(ARGUMENTS, "brew", index=None, id="a"), part(POURED, "pour", index=None, id="b")
        ),
        made=BOTH,
    ),
    _shape(
        "text, thinking and null beside the calls",
        delta(role="assistant", content="", tool_calls=None),
        delta(reasoning_content="Two guests."),
        delta(content="At once.", tool_calls=None),
        calls(part(ARGUMENTS, "brew", index=0, id="a")),
        delta(content=None, tool_calls=[]),
        text="At once.",
        reasoning="Two guests.",
    ),
    Shape(
        "calls with the finish reason stop",
        stream(calls(part(ARGUMENTS, "brew", index=0, id="a"), finish_reason="stop")),
        calls=(BREW,),
    ),
    _shape(
        "calls in a message in place of the delta",
        choice(message={"tool_calls": [part(ARGUMENTS, "brew", id="a")]}),
    ),
    _shape(
        "the same calls in delta and message",
        choice(
            delta={"tool_calls": [part(ARGUMENTS, "brew", index=0, id="a")]},
            message={"tool_calls": [part(ARGUMENTS, "brew", index=0, id="a")]},
        ),
    ),
]

IN_ONE_PIECE = [
    _whole("two calls", part(ARGUMENTS, "brew", id="a"), part(POURED, "pour", id="b"), made=BOTH),
    _whole(
        "two calls with the same id",
        part(ARGUMENTS, "brew", id="a"),
        part(POURED, "pour", id="a"),
        made=BOTH,
    ),
    _whole(
        "two calls with empty ids and indexes of null",
        part(ARGUMENTS, "brew", id="", index=None),
        part(POURED, "pour", id="", index=None),
        made=BOTH,
    ),
    Shape(
        "an empty function_call beside the calls",
        whole(
            "tool_calls",
            content="",
            function_call={"name": "", "arguments": ""},
            tool_calls=[{**part(ARGUMENTS, "brew", id="a"), "custom": {"name": "", "input": ""}}],
        ),
        calls=(BREW,),
        finish_reason="tool_calls",
    ),
    Shape(
        "an empty list of calls",
        whole(content="No.", tool_calls=[], function_call=None),
        text="No.",
    ),
]

TYPES = [
    _shape(
        f"arguments: {name}",
        calls(part(value, "sip", index=0, id="a")),
        made=(("sip", {}),),
    )
    for name, value in {
        "the text null": "null",
        "empty text": "",
        "an empty object as text": "{}",
        "an empty object": {},
        "left out": None,
    }.items()
] + [
    _shape(
        "arguments: null",
        calls({"index": 0, "id": "a", "function": {"name": "sip", "arguments": None}}),
        made=(("sip", {}),),
    ),
    _shape(
        "arguments: null, then pieces",
        calls({"index": 0, "id": "a", "function": {"name": "brew", "arguments": None}}),
        *_each(*(part(piece, index=0) for piece in PIECES)),
    ),
    _shape("arguments: an object", calls(part(BREW[1], "brew", index=0, id="a"))),
    _whole("arguments in one piece: an object", part(BREW[1], "brew", id="a")),
    _whole(
        "arguments in one piece: null",
        {"id": "a", "function": {"name": "sip", "arguments": None}},
        made=(("sip", {}),),
    ),
    _whole(
        "arguments in one piece: the text null", part("null", "sip", id="a"), made=(("sip", {}),)
    ),
    _shape(
        "arguments: a surrogate pair in two pieces",
        *_each(part('{"mood": "\ud83c', "brew", index=0, id="a"), part('\udf75"}', index=0)),
        made=(("brew", {"mood": "\U0001f375"}),),
    ),
]

# OpenAI's way before tools. The calls are the caller's matter; `raw` and the messages keep them.
LEGACY = [
    Shape(
        "a legacy function_call in one piece",
        whole(
            "function_call", content=None, function_call={"name": "brew", "arguments": ARGUMENTS}
        ),
        finish_reason="function_call",
        message={"function_call": {"name": "brew", "arguments": ARGUMENTS}},
    ),
    Shape(
        "a legacy function_call in fragments",
        stream(
            delta(role="assistant", content=None, function_call={"name": "brew", "arguments": ""}),
            *(delta(function_call={"arguments": piece}) for piece in PIECES),
            delta("function_call"),
        ),
        finish_reason="function_call",
        message={"function_call": {"name": "brew", "arguments": ARGUMENTS}},
    ),
]

FIELDS = [
    _shape(
        "a signature on the call",
        calls(part(ARGUMENTS, "brew", index=0, id="a", extra_content=SIGNED)),
    ),
    _shape(
        "a signature on a later fragment",
        *_each(
            part("", "brew", index=0, id="a"),
            part(ARGUMENTS, index=0, extra_content=SIGNED),
        ),
    ),
    _shape(
        "signatures on two calls",
        calls(
            part(ARGUMENTS, "brew", index=0, id="a", extra_content=SIGNED),
            part(POURED, "pour", index=1, id="b", extra_content={"google": {"seal": 0}}),
        ),
        made=BOTH,
    ),
    _whole("a signature in one piece", part(ARGUMENTS, "brew", id="a", extra_content=SIGNED)),
    _shape(
        "half a character in an id and in more fields",
        delta(role="assistant", content="", mood="calm \ud83c"),
        calls(part(ARGUMENTS, "brew", index=0, id="a\ud83c", extra_content={"seal": "\udf75"})),
        message={"mood": "calm \ufffd"},
    ),
    _whole(
        "half a character in an id and in more fields, in one piece",
        part(ARGUMENTS, "brew", id="a\ud83c", extra_content={"seal": "\udf75"}),
    ),
    _shape(
        "fields on the function and the message",
        delta(role="assistant", content="", cache_hint=[1, {"deep": None}]),
        calls(
            {"index": 0, "id": "a", "function": {"name": "brew", "arguments": "", "strict": False}}
        ),
        *_each(*(part(piece, index=0) for piece in PIECES)),
        message={"cache_hint": [1, {"deep": None}]},
    ),
    _shape(
        "calls after thinking as reasoning",
        delta(role="assistant", content="", reasoning="Two guests."),
        calls(part(ARGUMENTS, "brew", index=0, id="a")),
        reasoning="Two guests.",
    ),
    _shape(
        "calls after thinking as reasoning_details",
        delta(reasoning_details=[{"type": "reasoning.text", "text": "Two ", "index": 0}]),
        delta(reasoning_details=[{"type": "reasoning.text", "text": "guests.", "index": 0}]),
        delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "c2Vl", "index": 1}]),
        calls(part(ARGUMENTS, "brew", index=0, id="a")),
        reasoning="Two guests.",
    ),
    _shape(
        "calls after thinking in tags",
        delta(content="<think>Two guests."),
        delta(content="</think>At once."),
        calls(part(ARGUMENTS, "brew", index=0, id="a")),
        text="At once.",
        reasoning="Two guests.",
        message={"content": "At once.", "<think>": "Two guests."},
    ),
    _shape(
        "calls after thinking as parts of content",
        delta(
            content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Two guests."}]}]
        ),
        delta(content=[{"type": "text", "text": "At once."}]),
        calls(part(ARGUMENTS, "brew", index=0, id="a")),
        text="At once.",
        reasoning="Two guests.",
    ),
]

SHAPES = [*FRAGMENTS, *IN_ONE_PIECE, *TYPES, *LEGACY, *FIELDS]
