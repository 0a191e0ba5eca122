"""A loopback server for tests with CloudBase AI's chat protocol and every fault a test may need.

::

    python -m tests.gateway --port 0            prints its base URL and control URL, and serves
    async with Gateway() as gw: gw.base_url     on the running event loop
    with serve() as gw: gw.base_url             on a separate thread
    with serve_process() as gw: gw.base_url     in a separate process
    def test_it(gateway): gateway.script(...)   a fixture, from tests.gateway.fixtures
    with unreachable() as base_url: ...         no gateway: connecting never ends

It answers ``POST {base}/ai/{provider}/…/chat/completions`` and ``POST {base}/chat/completions``,
streamed or not, for ``Authorization: Bearer test-key``. The answer is a *scenario*, chosen by

1. ``gw.script(Scenario(...), "cut:5", ...)``, one scenario for each of the next requests;
2. ``gw.always(...)``, for every request;
3. the header ``X-Gateway-Scenario: SPEC``;
4. the model's name, if it is a spec: ``blast:20000``, ``paced:60x500+chinese``, ``hang:headers``;
5. ``Gateway(default=...)``: the Markdown answer in the language of the prompt.

For a batch, ``gw.begun`` counts the answers that were begun for each row, which is what a user pays;
a row is the ``row-123`` in a prompt, or all of it. ``every:10:error:400`` is a fault for every tenth row,
``after:300:error:401`` holds from answer 301 on. ``gw.concurrency``, ``gw.rate`` and ``gw.storm(30)``
refuse requests, may be changed while requests run, and count what they refused in ``gw.refused``.
``Gateway(plain=True)`` has one answer that costs little, and no log: for benchmarks.

``gw.agents`` simulates CloudBase's agents under ``{base}/aibot``, ``gw.images`` the image models;
links to images lead to ``gw.stranger_url``. Both answer with a scenario, and a test may change
them.

``python -m tests.gateway --help`` lists the words of a spec; ``Scenario`` has a field for each.
``gw.requests`` is the log; ``await gw.until(lambda: gw.last.disconnected)`` waits for a condition
on it (``gw.wait_until`` without an event loop). Another process reads and changes a gateway over
``gw.control_url``; ``GatewayProcess`` has methods for that. A short answer is in the system's buffers before a client can disconnect: to see a cancel
as ``disconnected``, use a scenario that hangs or is paced. To check something *during* an answer,
use a hold: ``hold:30`` stops after 30 tokens (``gw.last.held`` is true) until ``gw.let_go()``.
"""

from tests.gateway.errors import Error
from tests.gateway.gateway import DEFAULT_KEY, Gateway
from tests.gateway.hosting import GatewayProcess, serve, serve_process, unreachable
from tests.gateway.limits import Rate, http_date
from tests.gateway.log import Exchange
from tests.gateway.scenario import Fault, RowFault, Scenario
from tests.gateway.spec import SpecError, parse

__all__ = [
    "DEFAULT_KEY",
    "Error",
    "Exchange",
    "Fault",
    "Gateway",
    "GatewayProcess",
    "Rate",
    "RowFault",
    "Scenario",
    "SpecError",
    "http_date",
    "parse",
    "serve",
    "serve_process",
    "unreachable",
]
