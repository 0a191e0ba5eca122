"""The gateway: listens, checks the key, chooses scenarios, and logs requests."""

from __future__ import annotations

import asyncio
import math
import socket
from collections import Counter, deque
from typing import TYPE_CHECKING

from tests.gateway import answer as answers
from tests.gateway import checks, control, routes, spec
from tests.gateway.agents import Agents
from tests.gateway.connection import Connection
from tests.gateway.control import Control
from tests.gateway.errors import Error
from tests.gateway.events import Ask
from tests.gateway.images import Images
from tests.gateway.limits import Limits
from tests.gateway.log import PATIENCE, Exchange, Watch
from tests.gateway.plain import Plain
from tests.gateway.rows import RowNumbers, Tally, row_of
from tests.gateway.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any

    from tests.gateway.answer import Answer
    from tests.gateway.http1 import Head
    from tests.gateway.limits import Rate

SCENARIO_HEADER = "x-gateway-scenario"
DEFAULT_KEY = "test-key"


class Gateway:
    """A loopback server with CloudBase AI's chat protocol, and its faults.

    ``async with Gateway() as gw`` serves on the running event loop; ``hosting.serve()`` on a
    thread. All public members may be used from any thread.

    Args:
        key: The right API key.
        port: The port on the loopback interface; 0 is any free port.
        default: Scenario, or its spec, for a request that chooses none.
        concurrency: The most answers at once; more requests are refused as by the real gateway.
            None: no limit.
        rate: The most answers a second; more requests are refused with a 429. None: no limit.
        plain: Answer every request with ``default``, made once, and keep no log; for benchmarks.
    """

    def __init__(
        self,
        *,
        key: str = DEFAULT_KEY,
        port: int = 0,
        default: Scenario | str = "default",
        concurrency: int | None = None,
        rate: Rate | None = None,
        plain: bool = False,
    ) -> None:
        self.key = key
        self.default = _scenario(default)
        self.limits = Limits(concurrency, rate)
        self.tally = Tally()
        self.plain = Plain(self) if plain else None
        self.requests: list[Exchange] = []
        self.stranger_requests: list[Exchange] = []
        self.connections = 0
        self.open_connections = 0
        self.in_flight = 0
        self.in_flight_peak = 0
        self.agents = Agents()
        self.images = Images()
        self._port = port
        self._watch = Watch()
        self._script: deque[Scenario] = deque()
        self._always: Scenario | None = None
        self._answered: Counter[tuple[Scenario, str | None]] = Counter()
        self._begun_of: Counter[Scenario] = Counter()
        self._numbers = RowNumbers()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._base = ""
        self._stranger_base = ""
        self._control_base = ""

    # Addresses

    @property
    def base_url(self) -> str:
        """Return ``http://127.0.0.1:PORT/v1``, to use in place of CloudBase's base URL."""
        return f"{self._base}/v1"

    @property
    def stranger_url(self) -> str:
        """Return the URL of a second server, the stranger, which must never receive the key.

        It answers every request and logs it in ``stranger_requests``. Redirects and links of
        hostile answers can point to it.
        """
        return self._stranger_base

    @property
    def control_url(self) -> str:
        """Return the URL of a third server, with which another process controls this gateway."""
        return self._control_base

    # Limits

    @property
    def concurrency(self) -> int | None:
        """Return the most answers at once; it may be set at any time."""
        return self.limits.concurrency

    @concurrency.setter
    def concurrency(self, most: int | None) -> None:
        self.limits.concurrency = most

    @property
    def rate(self) -> Rate | None:
        """Return the most answers a second; it may be set at any time."""
        return self.limits.rate

    @rate.setter
    def rate(self, rate: Rate | None) -> None:
        self.limits.rate = rate

    def storm(
        self, seconds: float = math.inf, refusal: Scenario | str = "error:429:rate_limit_exceeded"
    ) -> None:
        """Answer every request of the next ``seconds`` with ``refusal``, or until ``calm()``."""
        self.limits.storm(_scenario(refusal), seconds)

    def calm(self) -> None:
        """End the storm."""
        self.limits.calm()

    # Choosing answers

    def script(self, *scenarios: Scenario | str) -> None:
        """Answer the next requests with these, one each; they override header and model name."""
        self._script.extend(map(_scenario, scenarios))

    def always(self, scenario: Scenario | str | None) -> None:
        """Answer every request with this after the script has ended; None removes it."""
        self._always = None if scenario is None else _scenario(scenario)

    def forget(self) -> int:
        """Remove the script and ``always``; return the number of unused scripted answers."""
        left = len(self._script)
        self._script.clear()
        self._always = None
        return left

    def let_go(self) -> None:
        """Let every answer pass its current hold, or its next one."""
        for exchange in self.requests:
            exchange.let_go += 1
        self.changed()

    # Reading the log

    @property
    def last(self) -> Exchange:
        """Return the newest request."""
        return self.requests[-1]

    @property
    def begun(self) -> Counter[str]:
        """Return for each row how many answers were begun, which is what a user pays.

        The row is the first ``row-123`` in the last user message, else the whole message.
        """
        return self.tally.begun

    @property
    def refused(self) -> Counter[str]:
        """Return for each error code how many requests a limit or a storm refused."""
        return self.tally.refused

    @property
    def leaks(self) -> list[Exchange]:
        """Return the requests that sent the key to the stranger."""
        return [
            exchange
            for exchange in self.stranger_requests
            if self.key in exchange.target
            or self.key.encode() in exchange.body
            or any(self.key in value for _, value in exchange.raw_headers)
        ]

    async def until(
        self, condition: Callable[[], object], timeout: float | None = PATIENCE
    ) -> None:
        """Wait until ``condition()``, a function of this gateway's state, is true.

        Raises:
            TimeoutError: It is still false after ``timeout`` seconds; None waits for ever.
        """
        await self._watch.until(condition, timeout)

    def wait_until(self, condition: Callable[[], object], timeout: float = PATIENCE) -> None:
        """Wait as ``until`` does, but block this thread; not for the gateway's own event loop."""
        self._watch.wait_until(condition, timeout)

    # Running

    async def __aenter__(self) -> Gateway:
        main = _listen(self._port)
        stranger = _listen(0)
        control = _listen(0)
        self._base = _url(main)
        self._stranger_base = _url(stranger)
        self._control_base = _url(control)
        if self.plain is None:
            self._spawn(self._accept(main, _Main(self)))
        else:
            self._spawn(self._serve_plain(main, self.plain))
        self._spawn(self._accept(stranger, _Stranger(self)))
        self._spawn(self._accept(control, Control(self)))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failures and error is None:
            raise RuntimeError("the gateway itself failed") from self._failures[0]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self._failures.append(failure)

    async def _serve_plain(self, listener: socket.socket, plain: Plain) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(plain.connection, sock=listener)
        try:
            await loop.create_future()  # until the gateway ends
        finally:
            server.close()
            plain.close()

    async def _accept(self, listener: socket.socket, service: _Main | _Stranger | Control) -> None:
        loop = asyncio.get_running_loop()
        number = 0
        try:
            while True:
                sock, _ = await loop.sock_accept(listener)
                number += 1
                self._spawn(self._serve(Connection(sock, number, service), service))
        finally:
            listener.close()

    async def _serve(self, connection: Connection, service: _Main | _Stranger | Control) -> None:
        service.opened()
        try:
            await connection.serve()
        finally:
            service.closed()

    def changed(self) -> None:
        """Wake the waiters."""
        self._watch.changed()

    # Choosing

    def admission(self, authorization: str) -> Scenario | None:
        """Return the refusal of a request that comes now with this header, or None to accept it."""
        if not authorization:
            return Scenario(error=Error("MISSING_CREDENTIALS"))
        if authorization != f"Bearer {self.key}":
            return Scenario(error=Error("INVALID_CREDENTIALS"))
        refusal = self.limits.refusal(self.tally)
        if refusal is not None:
            error = refusal.error
            self.tally.refused[str(refusal.status) if error is None else error.code] += 1
        return refusal

    def choose(self, asked: str, row: str | None = None) -> Scenario:
        """Return the scenario for a request.

        Args:
            asked: A spec or a model's name.
            row: The row that the request is about; None if it is about none.

        Raises:
            SpecError: The spec is wrong.
        """
        scenario = self._script.popleft() if self._script else self._always
        if scenario is None:
            scenario = spec.parse(asked) or self.default
        if scenario.after is None:
            return self._for_row(scenario, row)
        if self._begun_of[scenario] >= scenario.after_answers:
            return self._in_turn(scenario.after)
        chosen = self._for_row(scenario, row)
        self._begun_of[scenario] += chosen.answers
        return chosen

    def _for_row(self, scenario: Scenario, row: str | None) -> Scenario:
        if row is not None and scenario.rows:
            number = self._numbers[row]
            for fault in scenario.rows:
                if number % fault.every == fault.rest:
                    return self._in_turn(fault.scenario, row)
        return self._in_turn(scenario)

    def _in_turn(self, scenario: Scenario, row: str | None = None) -> Scenario:
        """Return the scenario, or its ``first`` if it is the turn of that."""
        if scenario.first is None:
            return scenario
        counted = scenario, row
        self._answered[counted] += 1
        if self._answered[counted] <= scenario.first_times:
            return scenario.first
        if row is None:
            del self._answered[counted]
        return scenario.but(first=None)


class _Main:
    """Answers the requests to the gateway's port."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.changed = gateway.changed

    async def until(self, condition: Callable[[], object]) -> None:
        await self.gateway.until(condition, timeout=None)

    def opened(self) -> None:
        self.gateway.connections += 1
        self.gateway.open_connections += 1
        self.changed()

    def closed(self) -> None:
        self.gateway.open_connections -= 1
        self.changed()

    def begin(self, connection: int, head: Head, body: bytes) -> tuple[Exchange, Answer]:
        gateway = self.gateway
        if head.target.startswith("/_gateway/"):
            exchange = Exchange(0, connection, head.method, head.target, head.headers, body)
            return exchange, control.as_json(control.log(gateway))
        exchange = Exchange(
            len(gateway.requests) + 1, connection, head.method, head.target, head.headers, body
        )
        exchange.request_id = f"req-{exchange.number:06d}"
        scenario, ask = self._decide(exchange)
        exchange.scenario = scenario
        gateway.requests.append(exchange)
        if exchange.occupies:
            gateway.tally.start()
        if scenario.answers and ask.model:
            gateway.tally.begin(exchange.row)
        gateway.in_flight += 1
        gateway.in_flight_peak = max(gateway.in_flight_peak, gateway.in_flight)
        gateway.changed()
        return exchange, self._answer(exchange, scenario, ask)

    def ended(self, exchange: Exchange) -> None:
        if exchange.number:
            self.gateway.in_flight -= 1
        if exchange.occupies:
            self.gateway.tally.stop()
        self.changed()

    def _decide(self, exchange: Exchange) -> tuple[Scenario, Ask]:
        """Check the request as the real gateway does, and choose the scenario."""
        nothing = Ask(False, "", "")
        provider = routes.provider_of(exchange.path)
        services = (self.gateway.agents, self.gateway.images)
        other = next((one for one in services if one.owns(exchange.path)), None)
        if provider is None and not other:
            return Scenario(error=Error("INVALID_PATH")), nothing
        exchange.provider = provider or ""
        if exchange.method != "POST" and not other:
            return Scenario(error=Error("METHOD_NOT_ALLOWED")), nothing
        refusal = self.gateway.admission(exchange.headers.get("authorization", ""))
        if refusal is not None:
            return refusal, nothing
        exchange.occupies = True
        if other:
            scenario, ask = other.decide(self.gateway, exchange)
            exchange.row = row_of(ask.prompt)
            return scenario, ask
        try:
            ask = Ask.parse(exchange.body)
        except (ValueError, TypeError) as error:
            return _invalid(str(error)), nothing
        exchange.row = row_of(ask.prompt)
        if not ask.model:
            return Scenario(error=Error("AI_MODEL_PARAM_REQUIRED", message="no model")), ask
        try:
            asked = exchange.headers.get(SCENARIO_HEADER, ask.model)
            scenario = self.gateway.choose(asked, exchange.row)
        except spec.SpecError as error:
            return _invalid(str(error)), ask
        refused = checks.objection(scenario, exchange.json)
        return scenario if refused is None else Scenario(error=refused), ask

    def _answer(self, exchange: Exchange, scenario: Scenario, ask: Ask) -> Answer:
        made = answers.answer(scenario, ask, exchange.request_id)
        headers = made.headers
        if scenario.request_id:
            headers = (*headers, ("X-Request-Id", exchange.request_id))
        if scenario.redirect is not None:
            headers = (*headers, ("Location", self._location(exchange, scenario.redirect)))
        return answers.Answer(made.status, headers, made.steps, made.raw)

    def _location(self, exchange: Exchange, where: str) -> str:
        if where == "stranger":
            return self.gateway.stranger_url + exchange.target
        if where == "same":
            return exchange.target
        return where


class _Stranger:
    """Answers every request to the stranger with a completion or an image, and logs it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.changed = gateway.changed

    async def until(self, condition: Callable[[], object]) -> None:
        await self.gateway.until(condition, timeout=None)

    def opened(self) -> None:
        self.changed()

    closed = opened

    def ended(self, _exchange: Exchange) -> None:
        self.changed()

    def begin(self, connection: int, head: Head, body: bytes) -> tuple[Exchange, Answer]:
        seen = self.gateway.stranger_requests
        exchange = Exchange(len(seen) + 1, connection, head.method, head.target, head.headers, body)
        seen.append(exchange)
        self.gateway.changed()
        scenario = Scenario(text="You followed a redirect to another host.", answer_as="json")
        if self.gateway.images.serves(exchange.path):
            exchange.scenario = scenario = self.gateway.images.file
        made = answers.answer(scenario, Ask(False, "stranger", ""), "")
        headers = (*made.headers, ("Access-Control-Allow-Origin", "*"))
        return exchange, answers.Answer(made.status, headers, made.steps, made.raw)


def _scenario(chosen: Scenario | str) -> Scenario:
    if isinstance(chosen, Scenario):
        return chosen
    scenario = spec.parse(chosen)
    if scenario is None:
        raise spec.SpecError(f"{chosen!r} begins with no word that is known")
    return scenario


def _invalid(message: str) -> Scenario:
    return Scenario(error=Error("AI_MODEL_PARAM_INVALID", message=message))


def _listen(port: int) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
