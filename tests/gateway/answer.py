"""Build the answer for a scenario and a request: a head, and the steps that send the body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tests.gateway import events
from tests.gateway.framing import LAST_FRAME, Body, EventWriter, cut_at

if TYPE_CHECKING:
    from tests.gateway.events import Ask
    from tests.gateway.scenario import Fault, Scenario

EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Send:
    """Write bytes; after this step, ``tokens`` tokens have been sent."""

    data: bytes
    tokens: int = 0


@dataclass(frozen=True)
class Pause:
    """Wait.

    Args:
        seconds: The length; None waits until the client disconnects.
        every: Seconds between heartbeats.
        beat: The bytes of a heartbeat; empty for none.
    """

    seconds: float | None
    every: float = 0.0
    beat: bytes = b""


@dataclass(frozen=True)
class Hold:
    """Wait until the test calls ``Gateway.let_go``."""


@dataclass(frozen=True)
class Until:
    """Wait until this many seconds after the head was sent."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """End the connection, by FIN or by RST."""

    reset: bool


Step = Send | Pause | Hold | Until | Cut


@dataclass(frozen=True)
class Answer:
    """An answer as it is sent.

    Args:
        status: The HTTP status.
        headers: The headers, without ``Connection``.
        steps: The steps after the head.
        raw: The exact bytes to send instead of head and steps.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    raw: bytes | None = None


def fault_step(fault: Fault) -> Step:
    """Return the step that causes a fault."""
    if fault.kind == "pause":
        return Pause(fault.seconds)
    if fault.kind == "hold":
        return Hold()
    return Cut(reset=fault.kind == "rst")


def answer(scenario: Scenario, ask: Ask, request_id: str) -> Answer:
    """Return the answer of ``scenario`` to ``ask``.

    Answers are cached: the same scenario and request give the same bytes.
    """
    varies = scenario.error is not None
    return _answer(scenario, ask, request_id if varies else "")


@lru_cache(maxsize=16)
def _answer(scenario: Scenario, ask: Ask, request_id: str) -> Answer:
    if scenario.raw is not None:
        return Answer(0, (), (), scenario.raw)
    if scenario.redirect is not None:
        return _whole(scenario, scenario.status, b"", "")
    if scenario.body is not None:
        return _whole(scenario, scenario.status, scenario.body, "text/plain; charset=utf-8")
    error = scenario.error
    if error is not None and scenario.error_where != "event":
        status = error.status if scenario.error_where == "status" else 200
        kind = "text/plain; charset=utf-8" if error.form == "text" else JSON
        return _whole(scenario, status, error.body(request_id).encode(), kind)
    as_stream = ask.stream if scenario.answer_as == "asked" else scenario.answer_as == "stream"
    if as_stream:
        return _streamed(scenario, ask, request_id)
    if error is not None:
        return _whole(scenario, 200, error.body(request_id).encode(), JSON)
    return _completion(scenario, ask)


def _headers(scenario: Scenario, content_type: str, length: int | None) -> list[tuple[str, str]]:
    if scenario.content_type is not None:
        content_type = scenario.content_type
    headers = [("Content-Type", content_type)] if content_type else []
    if scenario.gzip:
        headers.append(("Content-Encoding", "gzip"))
    if length is not None:
        headers.append(("Content-Length", str(length)))
    elif scenario.framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    return [*headers, *scenario.headers]


def _whole(scenario: Scenario, status: int, text: bytes, content_type: str) -> Answer:
    """Answer with a complete body, in one or a few writes."""
    plain = scenario.but(framing="length", frames=None, wire_split=None)
    body = Body(plain)
    writes = [write for write in [*body.writes([text]), body.end()] if write]
    length = sum(map(len, writes))
    steps: list[Step] = []
    steps += map(fault_step, scenario.faults_at("body"))
    # A complete body has no tokens; a fault at a number of tokens happens in its middle.
    midway = [fault for fault in scenario.faults if isinstance(fault.stage, int)]
    if midway:
        first, *rest = cut_at(b"".join(writes), [length // 2])
        steps += [Send(first), *map(fault_step, midway), *map(Send, rest)]
    else:
        steps += map(Send, writes)
    steps += map(fault_step, scenario.faults_at("finish") + scenario.faults_at("done"))
    steps = _without_end(steps, scenario.lost)
    return Answer(status, tuple(_headers(scenario, content_type, length)), tuple(steps))


def _without_end(steps: list[Step], lost: int) -> list[Step]:
    """Return the steps without the last bytes, of which so many are lost; then the connection ends."""
    if not lost:
        return steps
    kept = list(steps)
    while lost and kept:
        last = kept.pop()
        if isinstance(last, Send):
            rest = last.data[: max(0, len(last.data) - lost)]
            lost -= len(last.data) - len(rest)
            if rest:
                kept.append(Send(rest, last.tokens))
    return [*kept, Cut(reset=False)]


def _completion(scenario: Scenario, ask: Ask) -> Answer:
    """Answer with a completion without streaming, after the time that its tokens take."""
    text = events.completion(scenario, ask).encode()
    whole = _whole(scenario, scenario.status, text, JSON)
    if scenario.rate is None:
        return whole
    count = events.Saying.of(scenario, ask).count
    return Answer(
        whole.status, whole.headers, (Until(count / scenario.rate), *whole.steps), whole.raw
    )


def _streamed(scenario: Scenario, ask: Ask, request_id: str) -> Answer:
    """Answer with an event stream."""
    steps = _StreamSteps(scenario)
    steps.run(list(events.stream(scenario, ask, request_id)))
    length = None
    if scenario.framing == "length":
        length = sum(len(step.data) for step in steps.done if isinstance(step, Send))
    headers = _headers(scenario, EVENT_STREAM, length)
    lost = scenario.lost
    if lost and scenario.framing == "chunked":
        lost += len(LAST_FRAME)
    sent = tuple(_without_end(steps.done, lost))
    return Answer(scenario.status, (*headers, ("Cache-Control", "no-cache")), sent)


class _StreamSteps:
    """Collects the steps of a stream: groups of events, with waits and cuts between them."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.body = Body(scenario)
        self.events = EventWriter(scenario)
        self.done: list[Step] = []
        self.waiting: list[bytes] = []
        self.tokens = 0
        self.due = 0

    def run(self, items: list[events.Event]) -> None:
        scenario = self.scenario
        if self._faults(scenario.faults_at("body"), items[0].data):
            return
        reached = -1
        for number, item in enumerate(items):
            if scenario.rate is not None and item.tokens > self.due:
                self._flush()
                # A burst is sent when its last token is due.
                self.due += -(-(item.tokens - self.due) // scenario.burst) * scenario.burst
                self.done.append(Until(self.due / scenario.rate))
            last = number + 1 == len(items)
            blank = not last or scenario.blank_end or bool(scenario.after_done)
            self.waiting.append(
                self.events.write(item.data, item.name, blank=blank, field=item.field)
            )
            self.tokens = item.tokens
            if item.stage is None:
                continue
            if isinstance(item.stage, int):
                faults = scenario.faults_between(reached, item.stage)
                reached = item.stage
            else:
                faults = scenario.faults_at(item.stage)
            if self._faults(faults, "" if last else items[number + 1].data):
                return
        if scenario.after_done:
            self.waiting.append(scenario.after_done.encode())
        self._flush()
        end = self.body.end()
        if not end:
            return
        final = self.done[-1] if self.done else None
        if isinstance(final, Send) and scenario.split is None and scenario.wire_split is None:
            self.done[-1] = Send(final.data + end, final.tokens)
        else:
            self.done.append(Send(end, self.tokens))

    def _flush(self) -> None:
        if self.waiting:
            self.done += [Send(data, self.tokens) for data in self.body.writes(self.waiting)]
            self.waiting = []

    def _faults(self, faults: list[Fault], following: str) -> bool:
        """Add the steps of ``faults``; return whether the answer ends with them.

        Args:
            faults: The faults at this stage.
            following: The data of the next event; a cut may send half of its frame.
        """
        for fault in faults:
            self._flush()
            if fault.in_frame and following:
                self.done.append(Send(self.body.half(self.events.write(following)), self.tokens))
            if fault.kind == "pause" and self.scenario.heartbeat is not None:
                beat = self.body.heartbeat()
                self.done.append(Pause(fault.seconds, self.scenario.heartbeat, beat))
            else:
                self.done.append(fault_step(fault))
            if fault.kind in ("fin", "rst") or (fault.kind == "pause" and fault.seconds is None):
                return True
        return False
