"""Specs: scenarios as text, so that a model's name or a header can choose one.

A spec is one word, or several joined by ``+``; a word may have arguments after colons::

    echo        blast:20000        paced:60x500+chinese        error:429:EXCEED_TOKEN_QUOTA_LIMIT
    cut:5       hang:headers       midstream-error+upstream    english+crlf+split:1+usage:absent

``%2B`` is a plus inside an argument; ``every:10:pause:headers:1%2Berror:500`` has two words for a
row. ``every`` changes the answer that the words before it describe. ``WORDS`` has all words; ``table()`` returns a list of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.gateway import texts, tools
from tests.gateway.errors import CODES, FORMS, Error, html_page
from tests.gateway.scenario import Fault, RowFault, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Scenario, list[str]], dict[str, Any]]


class SpecError(ValueError):
    """A spec has an unknown word, or a known word with wrong arguments."""


@dataclass(frozen=True)
class Word:
    """One word of a spec."""

    usage: str
    help: str
    change: Change


WORDS: dict[str, Word] = {}


def _word(usage: str, help: str) -> Callable[[Change], Change]:
    def keep(change: Change) -> Change:
        WORDS[usage.partition(":")[0].partition("[")[0]] = Word(usage, help, change)
        return change

    return keep


def _flag(name: str, help: str, **changes: Any) -> None:
    WORDS[name] = Word(name, help, lambda _scenario, _arguments: changes)


def _stage(word: str) -> Any:
    if word in ("headers", "head", "body", "finish", "done"):
        return word
    return int(word)


def _error(arguments: list[str]) -> Error:
    """Parse ``STATUS[:CODE]`` or ``CODE``."""
    first, *rest = arguments
    if not first.isdigit():
        return Error(first)
    if rest:
        return Error(rest[0], status=int(first))
    return Error.of_status(int(first))


# The text

_flag("default", "the Markdown answer, in the language of the prompt (any unknown model, too)")
_flag("english", "the English Markdown answer whatever the prompt", text=texts.ENGLISH)
_flag("chinese", "the Chinese Markdown answer whatever the prompt", text=texts.CHINESE)
_flag("echo", "the last user message", echo=True)
_flag("empty", "no content at all", text=())


@_word("say:TEXT", "this text")
def _say(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"text": ":".join(arguments)}


@_word("tokens:N", "exactly N tokens of the text")
def _tokens(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"tokens": int(arguments[0])}


@_word("long:N", "the text stretched to N characters")
def _long(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"length": int(arguments[0])}


@_word("fat:N", "N characters in one chunk")
def _fat(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"text": ("0123456789abcdef" * (int(arguments[0]) // 16 + 1))[: int(arguments[0])]}


_flag("reason", "reasoning before the content", reasoning="default")
_flag(
    "reason-beside",
    "reasoning and content in the same chunks",
    reasoning="default",
    reasoning_beside=True,
)
_flag(
    "reason-only",
    "reasoning only, the content stays empty, finish reason length",
    reasoning="default",
    text=(),
    finish_reason="length",
)


@_word(
    "thinking:PLACE",
    "reasoning in reasoning_content, reasoning, reasoning_details, both, parts or tags",
)
def _thinking(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    known = ("reasoning_content", "reasoning", "reasoning_details", "both", "parts", "tags")
    place = _one_of(known, arguments[0])
    return {"thinking": place, "reasoning": scenario.reasoning or "default"}


@_word("content:KIND", "the content as text, parts or object")
def _content(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"content_as": _one_of(("text", "parts", "object"), arguments[0])}


@_word("delta:NAMES", "the delta as delta, message, both, or with the message so-far beside it")
def _delta(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"delta_as": _one_of(("delta", "message", "both", "so-far"), arguments[0])}


@_word("refusal:TEXT", "a refusal with these words; without a text there is no content")
def _refusal(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"refusal": ":".join(arguments)}


@_word("field:NAME:JSON", "one more field of the message")
def _field(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    name, *value = arguments
    json.loads(":".join(value))
    return {"message_fields": (*scenario.message_fields, (name, ":".join(value)))}


@_word("finish:REASON", "the finish reason, such as length or content_filter")
def _finish(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"finish_reason": arguments[0]}


@_word("call:NAME[:ARGUMENTS]", "call a tool, with arguments as JSON")
def _call(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return tools.as_asked(tools.Call(arguments[0], ":".join(arguments[1:]) or "{}"))


@_word("calls:N:NAME", "call a tool N times at once, with n from 0 up")
def _calls(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    times = _positive(int(arguments[0]))
    return tools.as_asked(*(tools.Call(arguments[1], {"n": n}) for n in range(times)))


@_word("call-pieces:N:NAME", "call a tool with a text of N characters, one in each chunk")
def _call_pieces(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return tools.as_asked(tools.Call(arguments[1], {"text": "x" * _positive(int(arguments[0]))}))


@_word(
    "usage:HOW",
    "last, asked (when the request asks), finish, first, choice, x-groq, repeated, zero-first, "
    "zero-last or absent",
)
def _usage(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    known = (
        "last", "asked", "finish", "first", "choice", "x-groq", "repeated", "zero-first",
        "zero-last", "absent",
    )  # fmt: skip
    return {"usage": _one_of(known, arguments[0])}


@_word("cached:NAME", "cached tokens in this field of the usage")
def _cached(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"cached": arguments[0]}


_flag("extra-fields", "fields that no standard knows in every object", extra_fields=True)
_flag("no-stream", "a whole JSON completion even when a stream was asked for", answer_as="json")
_flag("always-stream", "a stream even when none was asked for", answer_as="stream")

# The pace


@_word("blast:N", "N tokens as fast as possible, made once and written at once")
def _blast(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"tokens": int(arguments[0]), "rate": None}


@_word("paced:RATE[xN]", "RATE tokens a second, N tokens (without N: the whole text)")
def _paced(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    rate, _, count = arguments[0].partition("x")
    changes: dict[str, Any] = {"rate": float(rate)}
    if count:
        changes["tokens"] = int(count)
    return changes


@_word("burst:N", "with paced: N tokens leave together")
def _burst(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"burst": int(arguments[0])}


# The format of the event stream

_flag("crlf", "line ends CRLF", ends="crlf")
_flag("cr", "line ends CR", ends="cr")
_flag("mixed", "another line end after every line", ends="mixed")
_flag("crlf-first", "the first event CRLF, the others LF", ends="crlf-first")
_flag("bom", "a byte order mark first", bom=True)
_flag("comments", "comment lines between events", comments=True)
_flag("multiline", "the data of an event over several lines", multiline=True)
_flag("ids", "event: and id: lines", ids=True)
_flag("tight", "no space after the colon", tight=True)
_flag("ascii", "JSON escapes for what is not ASCII", ascii=True)
_flag("noblank", "no blank line after the last event", blank_end=False)
_flag("nodone", "no [DONE]", done=False)
_flag("after-done", "a comment and another event after [DONE]", after_done=": bye\n\ndata: {}\n\n")


@_word("flood:N", "N bytes of comments after [DONE]")
def _flood(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    line = f": {'x' * 61}\n"
    return {"after_done": line * (int(arguments[0]) // len(line))}


@_word("split:K[,K…]", "packets of K bytes, or cut at these offsets, or utf8: inside characters")
def _split(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    if arguments[0] == "utf8":
        return {"split": "utf8"}
    offsets = tuple(int(part) for part in arguments[0].split(","))
    return {"split": offsets if len(offsets) > 1 else _positive(offsets[0])}


@_word("wire-split:K", "writes of K bytes, the chunked framing included")
def _wire_split(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"wire_split": _positive(int(arguments[0]))}


@_word("frames:N", "frames of N bytes in the chunked encoding (else one an event)")
def _frames(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"frames": _positive(int(arguments[0]))}


@_word("framing:HOW", "chunked, length or close")
def _framing(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"framing": _one_of(("chunked", "length", "close"), arguments[0])}


_flag("gzip", "a compressed body, asked for or not", gzip=True)


@_word("lost:N", "the last N bytes of the body never come: it ends before HTTP says so")
def _lost(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"lost": _positive(int(arguments[0]))}


# The head


@_word("type:TYPE", "this Content-Type; none for none at all")
def _type(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"content_type": "" if arguments[0] == "none" else arguments[0]}


@_word("header:NAME:VALUE", "one more header")
def _header(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    name, *value = arguments
    return {"headers": (*scenario.headers, (name, ":".join(value)))}


@_word("retry-after:VALUE", "the Retry-After header: seconds, or a date")
def _retry_after(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"headers": (*scenario.headers, ("Retry-After", ":".join(arguments)))}


_flag("no-request-id", "no X-Request-Id header", request_id=False)
_flag("close", "close the connection after the answer, and say so", close="announced")
_flag("close-silently", "close the connection after the answer without a word", close="silent")


@_word("redirect[:STATUS[:WHERE]]", "307 to another host, or to the same (WHERE: stranger, same)")
def _redirect(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    status = int(arguments[0]) if arguments else 307
    where = arguments[1] if len(arguments) > 1 else "stranger"
    return {"status": status, "redirect": _one_of(("stranger", "same"), where)}


@_word("slow-head:SECONDS", "so many seconds before each byte of the head")
def _slow_head(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"slow_head": float(arguments[0])}


# Errors


@_word("error:STATUS[:CODE]", "an HTTP error (error:CODE too)")
def _status_error(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"error": _error(arguments), "error_where": "status"}


@_word("error-in-200:CODE", "a JSON error inside a 200, instead of the answer")
def _body_error(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"error": _error(arguments), "error_where": "body"}


@_word("midstream-error[:N[:CODE]]", "an error event after N tokens (3), then the end")
def _event_error(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    after = int(arguments[0]) if arguments else 3
    code = arguments[1:] or ["EXCEED_TOKEN_QUOTA_LIMIT"]
    return {"error": _error(code), "error_where": "event", "error_after": after}


_flag("error-named", "with the line event: error", error_named=True)
_flag("error-field", "the error event in the field error: in place of data:", error_field=True)
_flag("error-done", "[DONE] after the error event", after_error="done")
_flag("error-goes-on", "the rest of the answer after the error event", after_error="rest")


@_word("upstream", "write the error as an upstream model does")
def _upstream(scenario: Scenario, _arguments: list[str]) -> dict[str, Any]:
    if scenario.error is None:
        raise SpecError("upstream needs an error before it")
    return {"error": replace(scenario.error, upstream=True)}


@_word("form:FORM", f"write the error in another form: {', '.join(FORMS)}")
def _form(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    if scenario.error is None:
        raise SpecError("form needs an error before it")
    return {"error": replace(scenario.error, form=_one_of(FORMS, arguments[0]))}


@_word("refuses:FIELD", "400 that names the field, if the request, a message or a call has it")
def _refuses(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"refuses": (*scenario.refuses, arguments[0])}


@_word("needs:FIELD", "400 that names the field, if a message with tool calls does not have it")
def _needs(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"needs": (*scenario.needs, arguments[0])}


@_word("message:TEXT", "the error's message")
def _message(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    if scenario.error is None:
        raise SpecError("message needs an error before it")
    return {"error": replace(scenario.error, message=":".join(arguments))}


@_word("html:STATUS", "an HTML page with this status")
def _html(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return _html_page(int(arguments[0]))


def _html_page(status: int) -> dict[str, Any]:
    page = html_page(status).encode()
    return {"status": status, "body": page, "content_type": "text/html"}


_flag("html-502", "an HTML page with 502, as html:502", **_html_page(502))


@_word(
    "bad-json[:N]", "an event whose data is no JSON, after N tokens (3); not streamed: half of it"
)
def _bad_json(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"bad_json_after": int(arguments[0]) if arguments else 3}


_flag("garbage", "bytes that are no HTTP", raw=b"\x16\x03\x01 this is no HTTP\r\n\r\n")

# Delays and faults of the connection

_STAGES = "headers, head, body, a number of tokens, finish or done"


def _fault(scenario: Scenario, fault: Fault) -> dict[str, Any]:
    return {"faults": (*scenario.faults, fault)}


@_word("hang:STAGE", f"send nothing more from STAGE on: {_STAGES}")
def _hang(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return _fault(scenario, Fault("pause", _stage(arguments[0])))


@_word("pause:STAGE:SECONDS", "wait so long at STAGE")
def _pause(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return _fault(scenario, Fault("pause", _stage(arguments[0]), float(arguments[1])))


@_word("hold:STAGE", "wait at STAGE until the test calls let_go")
def _hold(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return _fault(scenario, Fault("hold", _stage(arguments[0])))


@_word("heartbeat:SECONDS", "with hang or pause after the head: a comment every so many seconds")
def _heartbeat(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"heartbeat": float(arguments[0])}


@_word("cut:STAGE[:frame]", "close the connection at STAGE; with frame: in the middle of a frame")
def _cut(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return _fault(scenario, Fault("fin", _stage(arguments[0]), None, "frame" in arguments[1:]))


@_word("rst:STAGE[:frame]", "reset the connection at STAGE")
def _rst(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return _fault(scenario, Fault("rst", _stage(arguments[0]), None, "frame" in arguments[1:]))


@_word("stop:N", "end the body properly after N tokens: no finish reason, no [DONE]")
def _stop(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    return {"stop_after": int(arguments[0])}


@_word("first:K:WORD", "so the first K times, then as the rest says")
def _first(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    times, *word = arguments
    return {"first_times": int(times), "first": _apply(Scenario(), ":".join(word))}


@_word(
    "every:K[/R]:WORD",
    "so for every K-th row (numbers with the rest R, 0); first counts each row by itself",
)
def _every(scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    numbers, *word = arguments
    every, _, rest = numbers.partition("/")
    other = replace(scenario, rows=(), after=None, after_answers=0)
    for part in ":".join(word).split("+"):
        other = _apply(other, part)
    fault = RowFault(_positive(int(every)), other, int(rest or 0))
    return {"rows": (*scenario.rows, fault)}


@_word("after:N:WORD", "so for every request after N answers were begun")
def _after(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    answers, *word = arguments
    return {"after_answers": int(answers), "after": _apply(Scenario(), ":".join(word))}


@_word("flaky[:K]", "as first:K:error:503, K is 1")
def _flaky(_scenario: Scenario, arguments: list[str]) -> dict[str, Any]:
    times = int(arguments[0]) if arguments else 1
    return {"first_times": times, "first": Scenario(error=Error.of_status(503))}


def _one_of(known: tuple[str, ...], word: str) -> str:
    if word not in known:
        raise SpecError(f"{word!r} is none of {', '.join(known)}")
    return word


def _positive(number: int) -> int:
    if number < 1:
        raise SpecError(f"{number} is less than 1")
    return number


def _apply(scenario: Scenario, part: str) -> Scenario:
    name, *arguments = part.split(":")
    word = WORDS.get(name)
    if word is None:
        raise SpecError(f"unknown word {name!r}")
    try:
        changes = word.change(scenario, [unquote(argument) for argument in arguments])
    except SpecError as error:
        raise SpecError(f"{part!r}: {error}; usage: {word.usage}") from None
    except (ValueError, IndexError):
        raise SpecError(f"{part!r} does not fit its usage: {word.usage}") from None
    return replace(scenario, **changes)


@lru_cache(maxsize=256)
def parse(spec: str) -> Scenario | None:
    """Parse a spec.

    Returns:
        The scenario, or None if the first word is unknown: then the text is a model's name.

    Raises:
        SpecError: A later word is unknown, or arguments are wrong.
    """
    if spec.partition("+")[0].partition(":")[0] not in WORDS:
        return None
    scenario = Scenario()
    for part in spec.split("+"):
        scenario = _apply(scenario, part)
    return scenario


def table() -> str:
    """Return every word with its meaning, for ``--help``."""
    width = max(len(word.usage) for word in WORDS.values())
    lines = [f"  {word.usage.ljust(width)}  {word.help}" for word in WORDS.values()]
    return "\n".join([*lines, "", "  error codes: " + ", ".join(CODES)])
