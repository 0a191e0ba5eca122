"""Shapes of thinking: every field for it, and tags in the content."""

from __future__ import annotations

from typing import Any

from tests.client.shapes.shape import STOP, Shape, delta, stream, whole

TEA = "Green tea."
WHY = "The water is at 80 degrees."
HALVES = ("The water is ", "at 80 degrees.")


def _detail(text: str, kind: str = "text", **fields: Any) -> dict[str, Any]:
    return {"type": f"reasoning.{kind}", kind: text, "index": 0, **fields}


def _streamed(name: str, *deltas: dict[str, Any], **expected: Any) -> Shape:
    """Return the shape of a stream whose thinking is in `deltas`, before the content."""
    chunks = [delta(**fields) for fields in deltas]
    body = stream(delta(role="assistant", content=""), *chunks, delta(content=TEA), STOP)
    return Shape(name, body, **{"text": TEA, "reasoning": WHY, **expected})


FIELDS = [
    *(
        _streamed(f"thinking as {name}", *({name: half} for half in HALVES), message={name: WHY})
        for name in ("reasoning_content", "reasoning")
    ),
    *(
        Shape(
            f"{name} in one piece",
            whole(content=TEA, **{name: WHY}),
            text=TEA,
            reasoning=WHY,
            message={name: WHY},
        )
        for name in ("reasoning_content", "reasoning")
    ),
    _streamed(
        "thinking as reasoning_details",
        *({"reasoning_details": [_detail(half)]} for half in HALVES),
    ),
    _streamed(
        "thinking as a summary",
        *({"reasoning_details": [_detail(half, "summary")]} for half in HALVES),
    ),
    _streamed(
        "encrypted thinking",
        {"reasoning_details": [_detail("c2VjcmV0", "encrypted", data="c2VjcmV0")]},
        reasoning="",
    ),
    Shape(
        "reasoning_details in one piece",
        whole(
            content=TEA,
            reasoning_details=[_detail(WHY, signature="s"), _detail("x", "encrypted", data="x")],
        ),
        text=TEA,
        reasoning=WHY,
        message={
            "reasoning_details": [_detail(WHY, signature="s"), _detail("x", "encrypted", data="x")]
        },
    ),
    _streamed(
        "reasoning beside reasoning_details",
        *({"reasoning": half, "reasoning_details": [_detail(half)]} for half in HALVES),
        message={"reasoning": WHY},
    ),
    _streamed(
        "the same thinking in two fields",
        *({"reasoning": half, "reasoning_content": half} for half in HALVES),
        message={"reasoning": WHY, "reasoning_content": WHY},
    ),
    _streamed(
        "the same thinking in three fields",
        *(
            {"reasoning": half, "reasoning_content": half, "reasoning_details": [_detail(half)]}
            for half in HALVES
        ),
    ),
    Shape(
        "the same thinking in two fields in one piece",
        whole(content=TEA, reasoning=WHY, reasoning_content=WHY),
        text=TEA,
        reasoning=WHY,
    ),
    _streamed(
        "one field empty, the other full",
        *({"reasoning": half, "reasoning_content": ""} for half in HALVES),
    ),
    _streamed(
        "one field null, the other full",
        *({"reasoning": None, "reasoning_content": half} for half in HALVES),
    ),
    Shape(
        "thinking beside content",
        stream(
            delta(reasoning=HALVES[0], content="Green "),
            delta(reasoning=HALVES[1], content="tea."),
            STOP,
        ),
        text=TEA,
        reasoning=WHY,
    ),
    Shape(
        "thinking alone, cut at its length",
        stream(*(delta(reasoning=half) for half in HALVES), delta("length", content="")),
        reasoning=WHY,
        finish_reason="length",
    ),
]


def _tagged(name: str, *pieces: str, **expected: Any) -> Shape:
    """Return the shape of a stream with these pieces of content."""
    body = stream(*(delta(content=piece) for piece in pieces), STOP)
    return Shape(name, body, **{"text": TEA, "reasoning": WHY, **expected})


def _plain(name: str, *pieces: str) -> Shape:
    """Return the shape of a stream whose content has no thinking: it stays as it is."""
    return _tagged(name, *pieces, text="".join(pieces), reasoning="")


TAGGED = f"<think>{WHY}</think>{TEA}"
SAID = {"content": TEA, "<think>": WHY}

TAGS = [
    _tagged("tags in one chunk", TAGGED, message=SAID),
    _tagged("tags as tokens", "<think>", *HALVES, "</think>", "Green ", "tea.", message=SAID),
    _tagged("tags in a chunk for each character", *TAGGED, message=SAID),
    _tagged("tags in two characters a chunk", *(TAGGED[n : n + 2] for n in range(0, 60, 2))),
    Shape(
        "tags in one piece",
        whole(content=TAGGED),
        text=TEA,
        reasoning=WHY,
        message=SAID,
    ),
    Shape(
        "tags after an empty line in one piece",
        whole(content=f"\n{TAGGED}"),
        text=TEA,
        reasoning=WHY,
    ),
    _tagged("tags after empty lines", "\n", " \n", TAGGED),
    _tagged("no tag for the end of the thinking", "<think>", *HALVES, text=""),
    Shape(
        "thinking in tags that is cut at its length",
        stream(delta(content="<think>The water is "), delta("length", content="at 80 degrees.")),
        reasoning=WHY,
        finish_reason="length",
    ),
    Shape(
        "no tag for the end of the thinking, in one piece",
        whole("length", content=f"<think>{WHY}"),
        reasoning=WHY,
        finish_reason="length",
    ),
    _tagged(
        "a half of the end tag at the end",
        f"<think>{WHY} 1 </thi",
        text="",
        reasoning=f"{WHY} 1 </thi",
    ),
    _tagged("signs of less in the thinking", "<think>1 < 2 </b", "> 3</think>Yes.",
            text="Yes.", reasoning="1 < 2 </b> 3"),
    _tagged("empty thinking", "<think></think>", TEA, reasoning="", message={"content": TEA}),
    _tagged(
        "a second pair of tags is text",
        TAGGED,
        " <think>No.</think>",
        text=f"{TEA} <think>No.</think>",
    ),
    _plain("tags in a code fence", "```\n", "<think>", "Hm.</think>\n```"),
    _plain("tags later in the text", "Write <th", "ink>, then", " </think>."),
    _plain("only the tag of the end", "Hm.", "</think>", "\n\nTea."),
    _plain("a longer name of a tag", "<think", "er>Rodin</thinker>"),
    _plain("the beginning of a tag and no more", "<thi"),
    _plain("a sign of less", "<", "3"),
    _plain("an empty line and the beginning of a tag", "\n", "<think"),
    Shape(
        "the beginning of a tag in one piece",
        whole(content="<thi"),
        text="<thi",
    ),
    Shape(
        "tags later in the text in one piece",
        whole(content=f"No. {TAGGED}"),
        text=f"No. {TAGGED}",
    ),
]  # fmt: skip

SHAPES = [*FIELDS, *TAGS]

SPLITS = [
    _tagged(f"tags split after {position} characters", TAGGED[:position], TAGGED[position:])
    for position in range(1, len(TAGGED))
]
"""A stream of two chunks for every position at which they can be split."""
