"""The plain gateway: one answer, made once and written at once, so that a benchmark measures clients.

It checks the path, the key and the limits as the gateway does, counts answers by row, and sends the
answer of a scenario with the right model and usage. It keeps no log and knows no other scenario.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING

from tests.gateway import answer as answers
from tests.gateway import http1, routes, texts
from tests.gateway.errors import Error
from tests.gateway.events import Ask
from tests.gateway.rows import row_of
from tests.gateway.scenario import Fault, Scenario

if TYPE_CHECKING:
    from tests.gateway.gateway import Gateway

_REQUEST_ID = "req-plain"


def check(scenario: Scenario) -> None:
    """Refuse a scenario that is not sent at once; a pause before the head is allowed.

    Raises:
        ValueError: The scenario is not plain.
    """
    pauses = {fault for fault in scenario.faults if _delay(fault) is not None}
    special = (scenario.first, scenario.after, scenario.rate, scenario.raw, scenario.close)
    if (
        not scenario.answers
        or scenario.error is not None
        or scenario.echo
        or scenario.rows
        or pauses != set(scenario.faults)
        or any(value is not None for value in special)
        or scenario.framing == "close"
        or scenario.slow_head is not None
    ):
        raise ValueError(
            "a plain gateway has one answer, with no fault but a pause before its head"
        )


def _delay(fault: Fault) -> float | None:
    return fault.seconds if (fault.kind, fault.stage) == ("pause", "headers") else None


def _bytes(scenario: Scenario, ask: Ask) -> bytes:
    """Return a whole answer, head included."""
    made = answers.answer(scenario, ask, _REQUEST_ID)
    more = (("X-Request-Id", _REQUEST_ID), ("Connection", "keep-alive"))
    sent = [step.data for step in made.steps if isinstance(step, answers.Send)]
    return http1.write_head(made.status, (*made.headers, *more)) + b"".join(sent)


class Plain:
    """The answers of a plain gateway.

    Args:
        gateway: Its default scenario is the answer; its key and its limits hold.
    """

    def __init__(self, gateway: Gateway) -> None:
        scenario = gateway.default
        check(scenario)
        self.gateway = gateway
        self.delay = sum(_delay(fault) or 0.0 for fault in scenario.faults)
        self.connections: set[PlainConnection] = set()
        self._bytes = lru_cache(maxsize=1024)(lambda ask: _bytes(scenario, ask))

    def connection(self) -> PlainConnection:
        """Return the protocol of a new connection."""
        return PlainConnection(self)

    def close(self) -> None:
        """End all connections."""
        for connection in tuple(self.connections):
            connection.abort()

    def refusal(self, head: http1.Head) -> Scenario | None:
        """Return the refusal of a request by its head, or None."""
        if routes.provider_of(head.target.partition("?")[0]) is None:
            return Scenario(error=Error("INVALID_PATH"))
        if head.method != "POST":
            return Scenario(error=Error("METHOD_NOT_ALLOWED"))
        return self.gateway.admission(head.get("authorization"))

    def error(self, scenario: Scenario) -> bytes:
        """Return the bytes of a refusal."""
        return _bytes(scenario, Ask(False, "", ""))

    def answer(self, ask: Ask) -> bytes:
        """Return the bytes of the answer to a request."""
        # Prompts with the same number of tokens have the same answer; so it is made only once.
        prompt = " a" * len(texts.tokens(ask.prompt))
        return self._bytes(Ask(ask.stream, ask.model, prompt, ask.include_usage))


class PlainConnection(asyncio.Protocol):
    """One connection: it answers one request after the other."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain
        self._gateway = plain.gateway
        self._buffer = bytearray()
        self._head: http1.Head | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def abort(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._plain.connections.add(self)
        self._gateway.connections += 1
        self._gateway.open_connections += 1

    def connection_lost(self, _error: Exception | None) -> None:
        """Stop the answer that was not sent yet."""
        self._plain.connections.discard(self)
        self._gateway.open_connections -= 1
        if self._sending is not None:
            self._sending.cancel()
            self._ended()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        self._answer_all()

    def _answer_all(self) -> None:
        try:
            # A request that waits for the answer to the one before stays in the buffer.
            while self._sending is None and self._answer_one():
                pass
        except http1.BadRequest as error:
            self._write(self._plain.error(Scenario(status=400, body=f"{error}\n".encode())))
            if self._transport is not None:
                self._transport.close()

    def _answer_one(self) -> bool:
        """Answer the request at the front of the buffer; return whether it was complete."""
        if self._head is None:
            self._head = http1.take_head(self._buffer)
        if self._head is None:
            return False
        body = http1.take_body(self._head, self._buffer)
        if body is None:
            return False
        head, self._head = self._head, None
        refusal = self._plain.refusal(head)
        if refusal is not None:
            self._write(self._plain.error(refusal))
            return True
        try:
            ask = Ask.parse(body)
        except (ValueError, TypeError) as error:
            invalid = Error("AI_MODEL_PARAM_INVALID", message=str(error))
            self._write(self._plain.error(Scenario(error=invalid)))
            return True
        self._begin(ask)
        return True

    def _begin(self, ask: Ask) -> None:
        tally = self._gateway.tally
        tally.start()
        tally.begin(row_of(ask.prompt))
        self._gateway.changed()
        answer = self._plain.answer(ask)
        if not self._plain.delay:
            self._write(answer)
            self._ended()
            return
        loop = asyncio.get_running_loop()
        self._sending = loop.call_later(self._plain.delay, self._send_late, answer)

    def _send_late(self, answer: bytes) -> None:
        self._write(answer)
        self._ended()
        self._answer_all()

    def _ended(self) -> None:
        self._sending = None
        self._gateway.tally.stop()
        self._gateway.changed()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)
