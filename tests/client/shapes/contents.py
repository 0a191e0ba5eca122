"""Shapes of content: parts, objects, messages in place of deltas, refusals, split characters."""

from __future__ import annotations

from typing import Any

from tests.client.shapes.shape import STOP, Shape, choice, delta, stream, whole


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _thinking(*texts: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [_text(text) for text in texts]}


TEA = "Tea is ready."
WEIGHED = "Weigh the leaves first."

PARTS = [
    Shape(
        "a stream of text parts",
        stream(
            delta(content=[_text("Tea ")]), delta(content=[_text("is "), _text("ready.")]), STOP
        ),
        text=TEA,
        message={"content": [_text(TEA)]},
    ),
    Shape(
        "parts of text in one piece",
        whole(content=[_text("Tea "), _text("is ready.")]),
        text=TEA,
        message={"content": [_text("Tea "), _text("is ready.")]},
    ),
    Shape(
        "thinking parts, then text parts",
        stream(
            delta(role="assistant", content=""),
            delta(content=[_thinking("Weigh ")]),
            delta(content=[_thinking("the leaves ", "first.")]),
            delta(content=[_text("Tea is ")]),
            delta(content=[_text("ready.")]),
            STOP,
        ),
        text=TEA,
        reasoning=WEIGHED,
    ),
    Shape(
        "thinking parts, then strings",
        stream(
            delta(content=[_thinking("Weigh the leaves ")]),
            delta(content=[_thinking("first."), _text("Tea ")]),
            delta(content="is "),
            delta(content="ready."),
            STOP,
        ),
        text=TEA,
        reasoning=WEIGHED,
    ),
    Shape(
        "a string, then parts",
        stream(delta(content="Tea "), delta(content=[_text("is ")]), delta(content="ready."), STOP),
        text=TEA,
    ),
    Shape(
        "parts that are strings",
        stream(delta(content=["Tea ", "is "]), delta(content=["ready."]), STOP),
        text=TEA,
    ),
    Shape(
        "thinking and text parts in one piece",
        whole(content=[_thinking("Weigh the leaves ", "first."), _text(TEA)]),
        text=TEA,
        reasoning=WEIGHED,
        message={"content": [_thinking("Weigh the leaves ", "first."), _text(TEA)]},
    ),
    Shape(
        "a thinking part whose thinking is a string",
        stream(
            delta(content=[{"type": "thinking", "thinking": "Weigh the leaves "}]),
            delta(content=[{"type": "thinking", "thinking": "first."}]),
            delta(content=[_text(TEA)]),
            STOP,
        ),
        text=TEA,
        reasoning=WEIGHED,
    ),
    Shape(
        "parts of an unknown kind beside text",
        whole(content=[_text("Tea "), {"type": "picture", "url": "cup.png"}, _text("is ready.")]),
        text=TEA,
        message={
            "content": [_text("Tea "), {"type": "picture", "url": "cup.png"}, _text("is ready.")]
        },
    ),
    Shape("an empty list of parts", stream(delta(content=[]), delta(content=TEA), STOP), text=TEA),
    Shape("content as an object", whole(content=_text(TEA)), text=TEA),
    Shape(
        "a stream of objects as content",
        stream(delta(content=_text("Tea is ")), delta(content={"text": "ready."}), STOP),
        text=TEA,
    ),
]

PLACES = [
    Shape(
        "a message in place of each delta",
        stream(
            choice(message={"role": "assistant", "content": "Tea "}),
            choice(message={"content": "is ready."}),
            choice("stop", message={}),
        ),
        text=TEA,
    ),
    Shape(
        "the same content in delta and message",
        stream(
            *(
                choice(delta={"content": piece}, message={"role": "assistant", "content": piece})
                for piece in ("Tea ", "is ", "ready.")
            ),
            choice("stop", delta={"content": None}, message={"content": None}),
        ),
        text=TEA,
    ),
    Shape(
        "the whole message so far beside each delta",
        stream(
            choice(delta={"role": "assistant", "content": "Tea "}, message={"content": "Tea "}),
            choice(delta={"content": "is "}, message={"content": "Tea is "}),
            choice("stop", delta={"content": "ready."}, message={"content": TEA}),
        ),
        text=TEA,
    ),
    Shape(
        "the whole message once more beside the last, empty delta",
        stream(
            delta(content="Tea is "),
            delta(content="ready."),
            choice("stop", delta={"content": ""}, message={"role": "assistant", "content": TEA}),
        ),
        text=TEA,
    ),
    Shape(
        "one chunk with an empty delta and the whole message",
        stream(choice("stop", delta={"content": ""}, message={"content": TEA})),
        text=TEA,
    ),
    Shape(
        "a whole answer with an empty delta",
        b'{"choices":[{"index":0,"delta":{"role":"assistant","content":""},'
        b'"message":{"role":"assistant","content":"Tea is ready."},"finish_reason":"stop"}]}',
        text=TEA,
    ),
    Shape(
        "a whole answer in a chunk's words",
        b'{"choices":[{"index":0,"delta":{"role":"assistant","content":"Tea is ready."},'
        b'"finish_reason":"stop"}]}',
        text=TEA,
    ),
    Shape(
        "delta null, no choices and choices null",
        stream(
            {"choices": []},
            {"choices": None},
            choice(delta=None),
            {"id": "tea-1"},
            delta(content="Tea is "),
            choice(delta=None),
            {"choices": None, "usage": None},
            delta("stop", content="ready."),
            {"choices": []},
        ),
        text=TEA,
    ),
    Shape(
        "null in every field of a delta",
        stream(
            delta(role="assistant", content=None, refusal=None, reasoning=None, tool_calls=None),
            delta(content=TEA, reasoning_content=None, function_call=None, audio=None),
            STOP,
        ),
        text=TEA,
    ),
    Shape(
        "an empty finish reason in every chunk but the last",
        stream(delta("", content="Tea is "), delta("", content="ready."), delta("stop")),
        text=TEA,
    ),
    Shape(
        "an empty finish reason",
        whole("", content=TEA),
        text=TEA,
        finish_reason=None,
    ),
    Shape(
        "an empty finish reason and [DONE]",
        stream(delta("", content=TEA)),
        text=TEA,
        finish_reason=None,
    ),
    Shape("no finish reason, but [DONE]", stream(delta(content=TEA)), text=TEA, finish_reason=None),
    Shape(
        "the same fields in every chunk",
        stream(
            *(
                {**chunk, "id": "tea-1", "region": "south", "seals": ["a"], "cost": {"cents": 1}}
                for chunk in (delta(content="Tea is "), delta(content="ready."), STOP)
            ),
        ),
        text=TEA,
        top={"id": "tea-1", "region": "south", "seals": ["a"], "cost": {"cents": 1}},
    ),
    Shape(
        "fields that no standard has",
        stream(
            {**delta(content="Tea is "), "region": "south"},
            choice(delta={"content": "ready.", "mood": 0}, seed=7),
            {**STOP, "cost": {"cents": 0.5}},
        ),
        text=TEA,
        message={"mood": 0},
        top={"region": "south", "cost": {"cents": 0.5}},
    ),
]

NO = "That tea is not for sale."
REFUSALS = [
    Shape("a refusal in one piece", whole(content=None, refusal=NO), refusal=NO),
    Shape(
        "a refusal in pieces",
        stream(
            delta(role="assistant", content=None, refusal=""),
            delta(refusal="That tea "),
            delta(refusal="is not for sale."),
            STOP,
        ),
        refusal=NO,
        message={"refusal": NO},
    ),
    Shape(
        "a refusal as a part of content",
        whole(content=[{"type": "refusal", "refusal": NO}]),
        refusal=NO,
    ),
    Shape(
        "a refusal as parts of a stream",
        stream(
            delta(content=[{"type": "refusal", "refusal": "That tea "}]),
            delta(content=[{"type": "refusal", "refusal": "is not for sale."}]),
            STOP,
        ),
        refusal=NO,
    ),
    Shape(
        "text before a refusal",
        stream(delta(content="Let me see. "), delta(refusal=NO), STOP),
        text="Let me see. ",
        refusal=NO,
    ),
    Shape(
        "an empty refusal is none",
        whole(content=TEA, refusal=""),
        text=TEA,
    ),
    Shape(
        "a content filter in the middle",
        stream(delta(content="Tea is "), delta("content_filter")),
        text="Tea is ",
        finish_reason="content_filter",
    ),
    Shape(
        "a content filter with a refusal",
        whole("content_filter", content=None, refusal=NO),
        refusal=NO,
        finish_reason="content_filter",
    ),
]

CUP = "\U0001f375"
HIGH, LOW = "\ud83c", "\udf75"
CHARACTERS = [
    Shape(
        "a surrogate pair in two chunks",
        stream(delta(content=f"Tea {HIGH}"), delta(content=f"{LOW} is"), delta(content="!"), STOP),
        text=f"Tea {CUP} is!",
    ),
    Shape(
        "a surrogate pair around a chunk without content",
        stream(
            delta(content=HIGH),
            delta(),
            delta(content=""),
            {"choices": []},
            delta(content=LOW),
            STOP,
        ),
        text=CUP,
    ),
    Shape(
        "two surrogate pairs, one half in each chunk",
        stream(*(delta(content=half) for half in (HIGH, LOW + HIGH, LOW)), STOP),
        text=CUP * 2,
    ),
    Shape(
        "a surrogate pair of the thinking in two chunks",
        stream(
            delta(reasoning_content=f"Hot {HIGH}"),
            delta(reasoning_content=f"{LOW}."),
            delta(content="Yes."),
            STOP,
        ),
        text="Yes.",
        reasoning=f"Hot {CUP}.",
    ),
    Shape(
        "halves in two fields are no pair",
        stream(delta(reasoning_content=HIGH), delta(content=LOW), STOP),
        text="\ufffd",
        reasoning="\ufffd",
    ),
    Shape(
        "a lone first half",
        stream(delta(content=f"a{HIGH}"), delta(content="b"), STOP),
        text="a\ufffdb",
    ),
    Shape(
        "a lone second half",
        stream(delta(content="a"), delta(content=f"{LOW}b"), STOP),
        text="a\ufffdb",
    ),
    Shape(
        "a first half at the end",
        stream(delta(content="a"), delta(content=HIGH), STOP),
        text="a\ufffd",
    ),
    Shape("a lone half in one piece", whole(content=f"a{HIGH}b"), text="a\ufffdb"),
    Shape(
        "a surrogate pair as parts of content",
        stream(delta(content=[_text(HIGH)]), delta(content=[_text(LOW)]), STOP),
        text=CUP,
    ),
]

SHAPES = [*PARTS, *PLACES, *REFUSALS, *CHARACTERS]
