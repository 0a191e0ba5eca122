"""Connections: one set per event loop, kept ones, and closing them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cbai_notebook.client import transport
from cbai_notebook.client.model import Model
from tests.client.conftest import MESSAGES, MakeModel
from tests.client.proxy_servers import serving
from tests.gateway import Gateway

ASK = {"model": "echo", "messages": MESSAGES}


def test_each_loop_has_connections_of_its_own(model: Model, gateway: Gateway) -> None:
    async def twice() -> None:
        for _ in range(2):
            await model.generate_text(**ASK)

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(3):
            asyncio.run(twice())
    assert gateway.connections == 3
    gateway.wait_until(lambda: gateway.open_connections == 0)


def test_loops_in_threads_do_not_meet(model: Model, gateway: Gateway) -> None:
    failed: list[BaseException] = []

    def one() -> None:
        try:
            for _ in range(3):
                asyncio.run(several())
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    async def several() -> None:
        answers = await asyncio.gather(*(model.generate_text(**ASK) for _ in range(5)))
        assert len(answers) == 5

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(gateway.requests) == 60


async def test_many_streams_at_once_each_get_their_answer(model: Model, gateway: Gateway) -> None:
    asking = asyncio.gather(
        *(model.stream_text(model="hold:headers+tokens:20", messages=MESSAGES) for _ in range(150))
    )
    # No request is answered before all have arrived: no request waits for a connection.
    await gateway.until(lambda: gateway.in_flight == 150)
    gateway.let_go()
    answers = await asyncio.gather(*(stream.finish() for stream in await asking))
    assert {answer.finish_reason for answer in answers} == {"stop"}


async def test_connections_are_closed_when_asked(model: Model, gateway: Gateway) -> None:
    await model.generate_text(**ASK)
    await transport.aclose()
    await gateway.until(lambda: gateway.open_connections == 0)
    await model.generate_text(**ASK)
    assert gateway.connections == 2


async def test_a_connection_that_the_server_closed_is_replaced(
    model: Model, gateway: Gateway
) -> None:
    for how in ("close", "close-silently"):
        gateway.script(how)
        await model.generate_text(**ASK)
        await gateway.until(lambda: gateway.open_connections == 0)
        await model.generate_text(**ASK)
        assert gateway.last.status == 200


SCRIPT = """
import asyncio, gc, logging, sys, warnings
import cbai_notebook as cbai

async def ask():
    stream = await cbai.create_model("custom").stream_text(
        model=sys.argv[2], messages=[{"role": "user", "content": "hi"}], timeout={"between_tokens": 0.2}
    )
    if sys.argv[2] != "paced:5x50":
        return (await stream.finish()).text
    async for text in stream.text_stream:
        return text  # and leave the stream open

async def main():
    print(await ask())
    await asyncio.sleep(0)

try:
    if sys.argv[1] == "cbai.run":
        print(cbai.run(ask()))
    elif sys.argv[1] == "asyncio.run":
        asyncio.run(main())
    else:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        if sys.argv[1] == "closed loop":
            loop.close()
except cbai.CbaiError as error:
    print(error)
gc.collect()
"""


@pytest.mark.parametrize("runner", ["cbai.run", "asyncio.run", "open loop", "closed loop"])
@pytest.mark.parametrize("name", ["echo", "tokens:5+hang:2", "paced:5x50"])
@pytest.mark.parametrize("fast", [True, False])
def test_a_script_ends_without_a_complaint(
    gateway: Gateway, tmp_path: Path, runner: str, name: str, fast: bool
) -> None:
    if (runner, name) == ("closed loop", "paced:5x50"):
        pytest.skip("whoever closes a loop with an open stream in it is told so")
    plain = "import sys; sys.modules['httpx_aiohttp'] = None\n"
    environment = {
        **os.environ,
        "CBAI_BASE_URL": gateway.base_url,
        "CLOUDBASE_API_KEY": "test-key",
        "CBAI_CONFIG_DIR": str(tmp_path),
    }
    code = SCRIPT if fast else plain + SCRIPT
    done = subprocess.run(
        [sys.executable, "-c", code, runner, name], env=environment, capture_output=True, text=True
    )
    assert done.stdout
    assert done.stderr == ""


@contextlib.asynccontextmanager
async def forgetful_server(*, reset: bool) -> AsyncIterator[tuple[str, list[int]]]:
    """Answer the first request of a connection, and end the connection at the second one.

    So does a server whose time for idle connections is over just when the next request arrives.
    The list receives the number of each request on its connection.
    """
    received: list[int] = []
    body = b'{"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}'

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in (1, 2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert length is not None
            await reader.readexactly(int(length[1]))
            received.append(number)
            if number == 1:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            elif reset:
                linger = struct.pack("ii", 1, 0)
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with serving(handle) as port:
        yield f"http://127.0.0.1:{port}/v1", received


@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_ends_under_a_request_is_replaced_at_once(
    make_model: MakeModel, reset: bool
) -> None:
    async with forgetful_server(reset=reset) as (url, received):
        model = make_model(base_url=url)
        for _ in range(3):
            answer = await model.generate_text(**ASK)
            # Not one of the attempts that come after a wait.
            assert answer.timing.attempts == 1
    assert received == [1, 2, 1, 2, 1]


async def test_this_machine_is_never_asked_through_a_proxy(
    model: Model, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await model.generate_text(**ASK)).text
    assert len(gateway.requests) == 1


HEAVY = ("httpx", "aiohttp", "stamina", "msgspec", "keyring", "platformdirs", "openai")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import cbai_notebook.client", ()),
        ("from cbai_notebook.client import settings, providers, credentials", ()),
        ("import cbai_notebook; cbai_notebook.create_model('cloudbase')", ("msgspec",)),
        (
            "from cbai_notebook.client import stream, answer, stream_task",
            ("msgspec", "httpx", "aiohttp"),
        ),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str, allowed: tuple[str, ...]) -> None:
    show = f"import sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {show}"], capture_output=True, text=True, check=True
    )
    assert set(eval(done.stdout)) <= set(allowed)


def test_warming_builds_what_the_first_request_needs() -> None:
    code = """
import sys, threading
from cbai_notebook.client.warm import warm_up
warm_up()
for thread in threading.enumerate():
    if thread.name == "cbai-warm":
        thread.join()
assert "cbai_notebook.client.stream" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
