"""What the gateway is to answer: one frozen value that holds the text, the wire and the faults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.gateway.errors import Error

#: Where in an answer something happens: before its first byte (``headers``), in the middle of its
#: head, after its head (``body``), after so many tokens, after the finish reason, after ``[DONE]``.
Stage = int | Literal["headers", "head", "body", "finish", "done"]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at one stage of the answer.

    Args:
        kind: ``pause`` waits; ``hold`` waits until ``Gateway.let_go``; ``fin`` closes the
            connection; ``rst`` resets it.
        stage: Where it happens. A number counts tokens, reasoning included; an answer with fewer
            tokens does not reach it.
        seconds: How long a pause lasts; None is for ever.
        in_frame: For a cut: send the first half of the next frame before it.
    """

    kind: Literal["pause", "hold", "fin", "rst"]
    stage: Stage
    seconds: float | None = None
    in_frame: bool = False


@dataclass(frozen=True)
class Scenario:
    """One way to answer. Everything left alone gives a plain, correct, immediate answer.

    What is said:

    Args:
        text: The answer, cut into tokens; or a tuple with one string a chunk; None is a Markdown
            answer in the language of the prompt.
        echo: Answer with the last user message instead.
        tokens: Exactly so many tokens, the text from its start again when it runs out.
        length: Stretch the text to so many characters.
        reasoning: As ``text``, for ``reasoning_content``; ``"default"`` is a fitting one.
        reasoning_beside: Put reasoning and content into the same chunks.
        finish_reason: What the last chunk says.
        usage: ``last``: in a chunk of its own at the end. ``asked``: that, when the request asks for
            it. ``finish``: in the chunk with the finish reason. ``repeated``: growing, in every
            chunk. ``zero-first``: zeros in every chunk, then the figures. ``zero-last``: the
            figures, then zeros. ``absent``.
        extra_fields: Add fields that no standard knows to every object.
        payloads: The data of every event, word for word, instead of an answer made from ``text``.
        completion: The JSON of the whole answer, word for word, for a request without a stream.
        answer_as: ``stream`` or ``json`` whatever the request asked for.

    How fast:

    Args:
        rate: Tokens a second; None is as fast as possible.
        burst: Tokens that leave together when there is a rate.

    How the event stream is written:

    Args:
        ends: Line ends: ``lf``, ``crlf``, ``cr``, ``mixed`` (another after every line), or
            ``crlf-first`` (the first event CRLF, the others LF).
        bom: Begin with a byte order mark.
        comments: Put comment lines between events.
        multiline: Spread the data of an event over several ``data:`` lines.
        ids: Give events an ``event:`` and an ``id:`` line.
        tight: No space after the colon.
        ascii: Escape what is not ASCII in JSON.
        blank_end: Write the blank line after the last event.
        done: Send ``[DONE]``.
        after_done: Text sent after ``[DONE]``.
        split: Cut the body into packets: of so many bytes, at these offsets, or ``"utf8"``, inside
            every character of several bytes.
        wire_split: Cut everything after the head, the chunked framing included, into writes of so
            many bytes.
        frames: Bytes in a frame of the chunked encoding; None is one frame an event.
        framing: ``chunked``, ``length`` (Content-Length) or ``close`` (until the connection ends).
        gzip: Compress the body, though nobody asked for it.

    The head:

    Args:
        status: HTTP status.
        content_type: None is the right one; ``""`` is none at all.
        headers: More headers, as pairs.
        request_id: Send ``X-Request-Id``.
        body: The whole body, word for word.
        raw: The whole answer, head included, word for word; the connection is closed after it.
        redirect: Where to: ``"stranger"`` (another host), ``"same"`` (this one) or a URL.
        close: ``announced`` closes the connection after the answer and says so in the head,
            ``silent`` closes it without a word.

    What goes wrong:

    Args:
        error: The refusal.
        error_where: ``status`` (an HTTP status instead of an answer), ``body`` (a JSON body inside a
            200) or ``event`` (one event in the middle of the stream).
        error_after: Tokens before an error event.
        error_named: Give an error event the line ``event: error``.
        after_error: What follows an error event: the ``end`` of the body, ``[DONE]`` alone, or the
            ``rest`` of the answer.
        bad_json_after: Tokens before an event whose data is no JSON.
        stop_after: End the body, properly, after so many tokens: no finish reason, no ``[DONE]``.
        slow_head: Seconds before each byte of the head.
        faults: Pauses, holds and cuts.
        heartbeat: Seconds between comments that are sent while a stream pauses after its head; for
            chunked framing without compression.
        first: Answer so the first ``first_times`` times, and then as this scenario says.
    """

    text: str | tuple[str, ...] | None = None
    echo: bool = False
    tokens: int | None = None
    length: int | None = None
    reasoning: str | tuple[str, ...] | None = None
    reasoning_beside: bool = False
    finish_reason: str = "stop"
    usage: Literal["last", "asked", "finish", "repeated", "zero-first", "zero-last", "absent"] = (
        "last"
    )
    extra_fields: bool = False
    payloads: tuple[str, ...] | None = None
    completion: str | None = None
    answer_as: Literal["asked", "stream", "json"] = "asked"

    rate: float | None = None
    burst: int = 1

    ends: Literal["lf", "crlf", "cr", "mixed", "crlf-first"] = "lf"
    bom: bool = False
    comments: bool = False
    multiline: bool = False
    ids: bool = False
    tight: bool = False
    ascii: bool = False
    blank_end: bool = True
    done: bool = True
    after_done: str = ""
    split: int | tuple[int, ...] | Literal["utf8"] | None = None
    wire_split: int | None = None
    frames: int | None = None
    framing: Literal["chunked", "length", "close"] = "chunked"
    gzip: bool = False

    status: int = 200
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    request_id: bool = True
    body: bytes | None = None
    raw: bytes | None = None
    redirect: str | None = None
    close: Literal["announced", "silent"] | None = None

    error: Error | None = None
    error_where: Literal["status", "body", "event"] = "status"
    error_after: int = 3
    error_named: bool = False
    after_error: Literal["end", "done", "rest"] = "end"
    bad_json_after: int | None = None
    stop_after: int | None = None
    slow_head: float | None = None
    faults: tuple[Fault, ...] = ()
    heartbeat: float | None = None
    first: Scenario | None = None
    first_times: int = 0

    def faults_at(self, stage: Stage) -> list[Fault]:
        """Return what goes wrong at ``stage``, in order."""
        return [fault for fault in self.faults if fault.stage == stage]

    def faults_between(self, before: int, tokens: int) -> list[Fault]:
        """Return what goes wrong after more than ``before`` tokens and at most ``tokens``."""
        return [
            fault
            for fault in self.faults
            if isinstance(fault.stage, int) and before < fault.stage <= tokens
        ]

    def but(self, **changes: object) -> Scenario:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
