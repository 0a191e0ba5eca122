"""Shapes of usage: its place in the answer, repeated or followed by zeros, and cached tokens."""

from __future__ import annotations

from typing import Any

from tests.client.shapes.shape import STOP, Shape, choice, delta, stream, whole

TEA = "Two cups."
COUNTS = (9, 4, 13)


def _usage(prompt: int = 9, completion: int = 4, **more: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        **more,
    }


def _with(chunk: dict[str, Any], usage: Any = None, **more: Any) -> dict[str, Any]:
    return {**chunk, "usage": _usage() if usage is None else usage, **more}


ONE, TWO = delta(content="Two "), delta(content="cups.")
ALONE = {"choices": [], "usage": _usage()}
ZEROS = {"choices": [], "usage": _usage(0, 0)}


def _streamed(name: str, *chunks: dict[str, Any], **expected: Any) -> Shape:
    return Shape(name, stream(*chunks), **{"text": TEA, "usage": COUNTS, **expected})


PLACES = [
    _streamed("no usage", ONE, TWO, STOP, usage=None),
    _streamed("usage null", _with(ONE, {}) | {"usage": None}, TWO, STOP, usage=None),
    _streamed("usage in the first chunk", _with(ONE), TWO, STOP),
    _streamed("usage in a middle chunk", ONE, _with(TWO), STOP),
    _streamed("usage in the last chunk", ONE, TWO, _with(STOP)),
    _streamed("usage in a separate chunk", ONE, TWO, STOP, ALONE),
    _streamed("usage in a separate chunk without choices", ONE, TWO, STOP, {"usage": _usage()}),
    _streamed("usage in a separate chunk before the end", ONE, ALONE, TWO, STOP),
    _streamed(
        "usage that grows",
        _with(ONE, _usage(9, 1)),
        _with(TWO, _usage(9, 3)),
        _with(STOP),
    ),
    _streamed("usage three times", _with(ONE), _with(TWO), _with(STOP), ALONE),
    _streamed("zeros after the usage", ONE, TWO, _with(STOP), ZEROS),
    _streamed("zeros before the usage", _with(ONE, _usage(0, 0)), TWO, STOP, ALONE),
    _streamed(
        "usage in the choice",
        ONE,
        TWO,
        choice("stop", delta={}, usage=_usage()),
    ),
    _streamed(
        "usage in x_groq",
        {**ONE, "x_groq": {"id": "r"}},
        TWO,
        {**STOP, "x_groq": {"id": "r", "usage": _usage()}},
    ),
    _streamed(
        "the same usage in x_groq and in its own chunk",
        ONE,
        TWO,
        {**STOP, "x_groq": {"usage": _usage()}},
        ALONE,
    ),
    Shape(
        "usage in one piece", whole(content=TEA, top={"usage": _usage()}), text=TEA, usage=COUNTS
    ),
    Shape(
        "usage in the choice in one piece",
        b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Two cups."},'
        b'"finish_reason":"stop","usage":{"prompt_tokens":9,"completion_tokens":4,'
        b'"total_tokens":13}}]}',
        text=TEA,
        usage=COUNTS,
    ),
]

_CACHED: dict[str, dict[str, Any]] = {
    "prompt_tokens_details": {"prompt_tokens_details": {"cached_tokens": 6, "audio_tokens": 0}},
    "prompt_cache_hit_tokens": {"prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 3},
    "cached_tokens": {"cached_tokens": 6},
    "cache_read_input_tokens": {"cache_read_input_tokens": 6, "cache_creation_input_tokens": 0},
}

CACHED = [
    shape
    for name, fields in _CACHED.items()
    for shape in (
        Shape(
            f"cached tokens as {name}",
            stream(ONE, TWO, STOP, {"choices": [], "usage": _usage(**fields)}),
            text=TEA,
            usage=COUNTS,
            cached_tokens=6,
            top={"usage": _usage(**fields)},
        ),
        Shape(
            f"cached tokens as {name} in one piece",
            whole(content=TEA, top={"usage": _usage(**fields)}),
            text=TEA,
            usage=COUNTS,
            cached_tokens=6,
            top={"usage": _usage(**fields)},
        ),
    )
] + [
    _streamed(
        "details of the prompt that are null",
        ONE,
        TWO,
        _with(STOP, _usage(prompt_tokens_details=None, completion_tokens_details=None)),
    ),
    _streamed(
        "cached tokens, then zeros",
        ONE,
        TWO,
        _with(STOP, _usage(cached_tokens=6)),
        {"choices": [], "usage": _usage(0, 0, cached_tokens=0)},
        cached_tokens=6,
    ),
]

SHAPES = [*PLACES, *CACHED]
