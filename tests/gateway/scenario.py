"""A scenario: one frozen value with the text, the wire format and the faults of an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.gateway.errors import Error

#: A point in an answer: before its first byte (``headers``), in the middle of its head (``head``),
#: after its head (``body``), after a number of tokens, after the finish reason, after ``[DONE]``.
Stage = int | Literal["headers", "head", "body", "finish", "done"]


@dataclass(frozen=True)
class Fault:
    """A fault at one stage of the answer.

    Args:
        kind: ``pause`` waits; ``hold`` waits until ``Gateway.let_go``; ``fin`` closes the
            connection; ``rst`` resets it.
        stage: The stage. A number counts tokens, reasoning included; an answer with fewer tokens
            does not reach it.
        seconds: The length of a pause; None is for ever.
        in_frame: For a cut: send the first half of the next frame before it.
    """

    kind: Literal["pause", "hold", "fin", "rst"]
    stage: Stage
    seconds: float | None = None
    in_frame: bool = False


@dataclass(frozen=True)
class RowFault:
    """The answer to every row whose number divided by ``every`` leaves ``rest``.

    The number is that in the ``row-123`` of the last user message; rows without it are counted from
    0 in the order in which they first came.
    """

    every: int
    scenario: Scenario
    rest: int = 0


@dataclass(frozen=True)
class Scenario:
    """One way to answer. The defaults give a plain, correct, immediate answer.

    The text:

    Args:
        text: The answer, which is cut into tokens; or a tuple with one string for each chunk. None
            is a Markdown answer in the language of the prompt.
        echo: Answer with the last user message instead.
        tokens: The exact number of tokens; the text is repeated if it has fewer.
        length: Repeat or cut the text to this number of characters.
        reasoning: As ``text``, for ``reasoning_content``; ``"default"`` is text in the language of
            the prompt.
        reasoning_beside: Put reasoning and content into the same chunks.
        thinking: Where the reasoning stands: the field ``reasoning_content``, ``reasoning`` or
            ``reasoning_details``, ``both`` of the first two, ``parts`` of the content, or ``tags``
            (``<think>``) at the beginning of the content.
        content_as: The content as ``text``, as a list of ``parts``, or as an ``object``.
        delta_as: The name of a delta: ``delta``, ``message``, ``both`` with the same content, or
            ``so-far`` (beside the delta, a message with the whole content so far).
        refusal: The words of a refusal, which come in tokens after the content.
        message_fields: More fields of the message, as pairs of a name and JSON text.
        finish_reason: The finish reason in the last chunk.
        usage: ``last``: in a separate chunk at the end. ``asked``: the same, if the request asks
            for it. ``finish``: in the chunk with the finish reason. ``first``: in the first chunk.
            ``choice``: in the choice with the finish reason. ``x-groq``: in the field ``x_groq`` of
            the chunk with the finish reason. ``repeated``: growing, in every chunk.
            ``zero-first``: zeros in every chunk, then the numbers. ``zero-last``: the numbers, then
            zeros. ``absent``: none.
        cached: The name of the field with the cached tokens in the usage, which are 2;
            ``prompt_tokens_details`` is the one that has them in an object.
        extra_fields: Add non-standard fields to every object.
        payloads: The exact data of every event, instead of an answer built from ``text``.
        completion: The exact JSON of the answer, for a request without streaming.
        answer_as: ``stream`` or ``json``, whatever the request asked for.

    The pace:

    Args:
        rate: Tokens per second; None is as fast as possible.
        burst: Tokens that are sent together if there is a rate.

    The format of the event stream:

    Args:
        ends: Line ends: ``lf``, ``crlf``, ``cr``, ``mixed`` (a different one after every line), or
            ``crlf-first`` (the first event CRLF, the others LF).
        bom: Begin with a byte order mark.
        comments: Put comment lines between events.
        multiline: Split the data of an event into several ``data:`` lines.
        ids: Give events an ``event:`` and an ``id:`` line.
        tight: No space after the colon.
        ascii: Escape non-ASCII characters in JSON.
        blank_end: Write the blank line after the last event.
        done: Send ``[DONE]``.
        after_done: Text sent after ``[DONE]``.
        split: Cut the body into packets: of this many bytes, at these offsets, or, with ``"utf8"``,
            inside every character of several bytes.
        wire_split: Cut everything after the head, the chunked framing included, into writes of this
            many bytes.
        frames: Bytes in a frame of the chunked encoding; None is one frame for each event.
        framing: ``chunked``, ``length`` (Content-Length) or ``close`` (until the connection ends).
        gzip: Compress the body, even if the request does not allow it.
        lost: So many bytes at the end of the body are never sent: the connection is closed before
            the length that was announced, or without the last chunk. With the framing ``close``
            nothing shows it.

    The head:

    Args:
        status: The HTTP status.
        content_type: None is the right one; ``""`` omits the header.
        headers: More headers, as pairs.
        request_id: Send ``X-Request-Id``.
        body: The exact body.
        raw: The exact answer, head included; the connection is closed after it.
        redirect: The target: ``"stranger"`` (the second server), ``"same"`` (this one) or a URL.
        close: ``announced`` closes the connection after the answer, with ``Connection: close`` in
            the head; ``silent`` closes it without that header.

    Errors and faults:

    Args:
        error: The error.
        error_where: ``status`` (an HTTP status instead of an answer), ``body`` (a JSON body with
            status 200) or ``event`` (one event in the middle of the stream).
        error_after: Tokens before an error event.
        error_named: Give an error event the line ``event: error``.
        error_field: Send an error event in the field ``error:`` instead of ``data:``.
        after_error: After an error event: ``end`` (the end of the body), ``done`` (only ``[DONE]``)
            or ``rest`` (the rest of the answer).
        bad_json_after: Tokens before an event whose data is no JSON. An answer that is not streamed
            is cut to half of its JSON, with the right length.
        stop_after: End the body correctly after this many tokens, without finish reason and
            ``[DONE]``.
        refuses: Fields that the server refuses with a 400 that names them: fields of the request, of
            an assistant message or of its calls.
        needs: Fields that an assistant message with tool calls, or its calls, must have; else the
            server answers with a 400 that names them.
        slow_head: Seconds before each byte of the head.
        faults: Pauses, holds and cuts.
        heartbeat: Seconds between comments that are sent while a stream pauses after its head; only
            for chunked framing without compression.
        first: The scenario of the first ``first_times`` answers. The next answer uses this
            scenario; then the count starts again.
        rows: Scenarios for some rows, in order of precedence; the field ``first`` of such a scenario
            counts the answers of each row by itself, and only once. Only for chat.
        after: The scenario of every request once ``after_answers`` answers of this scenario were
            begun.
    """

    text: str | tuple[str, ...] | None = None
    echo: bool = False
    tokens: int | None = None
    length: int | None = None
    reasoning: str | tuple[str, ...] | None = None
    reasoning_beside: bool = False
    thinking: Literal[
        "reasoning_content", "reasoning", "reasoning_details", "both", "parts", "tags"
    ] = "reasoning_content"
    content_as: Literal["text", "parts", "object"] = "text"
    delta_as: Literal["delta", "message", "both", "so-far"] = "delta"
    refusal: str = ""
    message_fields: tuple[tuple[str, str], ...] = ()
    finish_reason: str = "stop"
    usage: Literal[
        "last", "asked", "finish", "first", "choice", "x-groq", "repeated", "zero-first",
        "zero-last", "absent",
    ] = "last"  # fmt: skip
    cached: str = ""
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
    lost: int = 0

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
    error_field: bool = False
    after_error: Literal["end", "done", "rest"] = "end"
    bad_json_after: int | None = None
    stop_after: int | None = None
    refuses: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    slow_head: float | None = None
    faults: tuple[Fault, ...] = ()
    heartbeat: float | None = None
    first: Scenario | None = None
    first_times: int = 0
    rows: tuple[RowFault, ...] = ()
    after: Scenario | None = None
    after_answers: int = 0

    @property
    def answers(self) -> bool:
        """Return whether a model is at work: the request gets no HTTP error and no redirect."""
        failed = self.error is not None and self.error_where != "event"
        return not failed and self.redirect is None and self.raw is None and self.status < 400

    def faults_at(self, stage: Stage) -> list[Fault]:
        """Return the faults at ``stage``, in order."""
        return [fault for fault in self.faults if fault.stage == stage]

    def faults_between(self, before: int, tokens: int) -> list[Fault]:
        """Return the faults after more than ``before`` and at most ``tokens`` tokens."""
        return [
            fault
            for fault in self.faults
            if isinstance(fault.stage, int) and before < fault.stage <= tokens
        ]

    def but(self, **changes: object) -> Scenario:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
