"""The control port: another process reads what the gateway did, and changes how it answers.

``GET /state`` returns numbers, ``GET /begun`` the answers that were begun for each row, ``GET /log``
every request; ``POST /change`` sets what the JSON object in the body names, see ``CHANGES``. These
requests are no requests to the gateway: nothing counts or limits them.
"""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

from tests.gateway import answer as answers
from tests.gateway.limits import Rate
from tests.gateway.log import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gateway.answer import Answer
    from tests.gateway.gateway import Gateway
    from tests.gateway.http1 import Head


class Control:
    """Answers the requests to the control port."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.changed = gateway.changed

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; no answer of this port does."""
        await self.gateway.until(condition, timeout=None)

    def opened(self) -> None:
        """Do nothing: a connection of a test is not counted."""

    closed = opened

    def ended(self, _exchange: Exchange) -> None:
        """Do nothing: a request of a test is not counted."""

    def begin(self, connection: int, head: Head, body: bytes) -> tuple[Exchange, Answer]:
        """Return what is asked for, or change what the body says."""
        exchange = Exchange(0, connection, head.method, head.target, head.headers, body)
        return exchange, self._answer(head.method, exchange.path, body)

    def _answer(self, method: str, path: str, body: bytes) -> Answer:
        values: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/state"): lambda: state(self.gateway),
            ("GET", "/begun"): lambda: self.gateway.begun,
            ("GET", "/log"): lambda: log(self.gateway),
            ("POST", "/change"): lambda: change(self.gateway, json.loads(body)),
        }
        value = values.get((method, path))
        if value is None:
            return as_json(f"{method} {path} is none of {sorted(values)}", 404)
        try:
            return as_json(value())
        except (ValueError, TypeError, AttributeError) as error:
            return as_json(str(error), 400)


def _storm(gateway: Gateway, value: dict[str, Any] | None) -> None:
    if value is None:
        gateway.calm()
        return
    seconds = value.pop("seconds", None)
    gateway.storm(math.inf if seconds is None else seconds, **value)


#: What a test may change: a name, and a function that sets its value, which is JSON.
CHANGES: dict[str, Callable[[Gateway, Any], object]] = {
    # The most answers at once; null is no limit.
    "concurrency": lambda gateway, most: setattr(gateway, "concurrency", most),
    # The most answers a second, as `Rate.parse` takes it; null is no limit.
    "rate": lambda gateway, text: setattr(gateway, "rate", text and Rate.parse(text)),
    # {"seconds": 30, "refusal": SPEC}; without seconds for ever; null ends the storm.
    "storm": _storm,
    # The specs of the next requests.
    "script": lambda gateway, specs: gateway.script(*specs),
    # The spec of every request; null removes it.
    "always": lambda gateway, spec: gateway.always(spec),
    # The right API key.
    "key": lambda gateway, key: setattr(gateway, "key", key),
    # Let every answer pass its hold; the value does not matter.
    "let_go": lambda gateway, _: gateway.let_go(),
}


def change(gateway: Gateway, changes: dict[str, Any]) -> list[str]:
    """Change a gateway; return the names of what was changed.

    Raises:
        ValueError: A name is none of ``CHANGES``, or a value is wrong.
    """
    unknown = set(changes) - set(CHANGES)
    if unknown:
        raise ValueError(f"{sorted(unknown)} are none of {sorted(CHANGES)}")
    for name, value in changes.items():
        CHANGES[name](gateway, value)
    return list(changes)


def state(gateway: Gateway) -> dict[str, Any]:
    """Return the numbers of a gateway."""
    tally = gateway.tally
    return {
        "now": time.monotonic(),
        "connections": gateway.connections,
        "open_connections": gateway.open_connections,
        "in_flight": gateway.in_flight,
        "in_flight_peak": gateway.in_flight_peak,
        "running": tally.running,
        "running_peak": tally.running_peak,
        "rows": len(tally.begun),
        "begun": tally.begun.total(),
        "first_begun_at": tally.first_begun_at,
        "refused": tally.refused,
    }


def log(gateway: Gateway) -> dict[str, Any]:
    """Return the numbers of a gateway and all of its requests."""
    return {
        **state(gateway),
        "leaks": len(gateway.leaks),
        "requests": [exchange.summary() for exchange in gateway.requests],
        "stranger_requests": [exchange.summary() for exchange in gateway.stranger_requests],
    }


def as_json(value: Any, status: int = 200) -> Answer:
    """Return an answer with a value as JSON."""
    data = json.dumps(value).encode()
    headers = (("Content-Type", answers.JSON), ("Content-Length", str(len(data))))
    return answers.Answer(status, headers, (answers.Send(data),))
