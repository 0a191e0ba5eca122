"""A loopback server that speaks CloudBase AI's chat protocol, with every fault a test may want.

::

    python -m tests.gateway --port 0            prints its base URL and serves
    async with Gateway() as gw: gw.base_url     on the running loop
    with serve() as gw: gw.base_url             on a thread of its own
    with serve_process() as gw: gw.base_url     in a process of its own
    def test_it(gateway): gateway.script(...)   a fixture, from tests.gateway.fixtures
    with unreachable() as base_url: ...         no gateway: connecting takes for ever

It answers ``POST {base}/ai/{provider}/…/chat/completions`` and ``POST {base}/chat/completions``,
streamed or not, to ``Authorization: Bearer test-key``. What it answers is a *scenario*, chosen by

1. ``gw.script(Scenario(...), "cut:5", ...)``, one for each of the next requests;
2. ``gw.always(...)``, for every request;
3. the header ``X-Gateway-Scenario: SPEC``;
4. the model's name, when it is a spec: ``blast:20000``, ``paced:60x500+chinese``, ``hang:headers``;
5. ``Gateway(default=...)``: the Markdown answer in the language of the prompt.

``gw.agents`` stands for CloudBase's agents under ``{base}/aibot``, ``gw.images`` for models that draw;
their links to images lead to ``gw.stranger_url``. Both answer by scenario, and a test may change them.

``python -m tests.gateway --help`` lists the words of a spec; ``Scenario`` has a field for each.
``gw.requests`` is the log; ``await gw.until(lambda: gw.last.disconnected)`` waits for an event of it
(``gw.wait_until`` without a loop). ``GET /_gateway/log`` gives the log to another process.
A short answer is in the system's buffers before a client can leave: to see a cancel as
``disconnected``, let the answer hang or be paced. What a test has to see *while* an answer comes it
sees at a hold: ``hold:30`` stops after 30 tokens, ``gw.last.held``, until ``gw.let_go()``.
"""

from tests.gateway.errors import Error
from tests.gateway.gateway import DEFAULT_KEY, Gateway
from tests.gateway.hosting import GatewayProcess, serve, serve_process, unreachable
from tests.gateway.log import Exchange
from tests.gateway.scenario import Fault, Scenario
from tests.gateway.spec import SpecError, parse

__all__ = [
    "DEFAULT_KEY",
    "Error",
    "Exchange",
    "Fault",
    "Gateway",
    "GatewayProcess",
    "Scenario",
    "SpecError",
    "parse",
    "serve",
    "serve_process",
    "unreachable",
]
