"""The gateway runs on the event loop of a test, on a thread, and in a separate process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.gateway import Gateway, GatewayProcess, reading, serve, serve_process, unreachable
from tests.gateway.asking import PATH, RawClient, ask, body
from tests.gateway.spec import WORDS

ROOT = Path(__file__).resolve().parents[2]
KEY = {"Authorization": "Bearer test-key"}


async def test_it_runs_on_the_loop_of_a_test() -> None:
    async with Gateway() as gateway:
        async with httpx.AsyncClient(headers=KEY, trust_env=False) as http:
            url = gateway.base_url + PATH
            answer = await http.post(url, json=body("echo"))
            assert reading.joined(answer.content) == "hello"
            async with http.stream("POST", url, json=body("paced:50")) as stream:
                await gateway.until(lambda: gateway.last.tokens_sent >= 2)
                await stream.aclose()
            await gateway.until(lambda: gateway.last.disconnected)
        await gateway.until(lambda: gateway.open_connections == 0)


async def test_it_stops_while_an_answer_hangs() -> None:
    async with Gateway() as gateway:
        asking = asyncio.ensure_future(asyncio.to_thread(_ask_raw, gateway))
        await gateway.until(lambda: gateway.in_flight == 1)
    assert await asking == b""


def _ask_raw(gateway: Gateway) -> bytes:
    with RawClient(gateway) as raw:
        raw.send("hang:headers")
        return raw.read_to_end()


async def test_waiting_ends(gateway: Gateway) -> None:
    with pytest.raises(TimeoutError):
        await gateway.until(lambda: gateway.requests, timeout=0.01)
    with pytest.raises(TimeoutError):
        gateway.wait_until(lambda: gateway.requests, timeout=0.01)


async def test_a_gateway_on_a_thread_can_be_awaited_for(gateway: Gateway) -> None:
    waiting = asyncio.ensure_future(gateway.until(lambda: gateway.requests))
    await asyncio.to_thread(ask, gateway, "echo")
    await waiting


def test_gateways_do_not_meet() -> None:
    with serve() as one, serve() as two:
        ask(one, "echo")
        assert one.base_url != two.base_url
        assert len(one.requests) == 1
        assert two.requests == []


def test_a_taken_port_is_an_error(gateway: Gateway) -> None:
    port = httpx.URL(gateway.base_url).port
    assert port is not None
    with pytest.raises(OSError), serve(port=port):
        pass


def test_nobody_gets_through_to_an_unreachable_port() -> None:
    with unreachable() as base_url, pytest.raises(httpx.ConnectTimeout):
        httpx.get(base_url, timeout=0.2, trust_env=False)


def test_it_runs_in_a_process(gateway_process: GatewayProcess) -> None:
    with httpx.Client(headers=KEY, trust_env=False) as http:
        answer = http.post(gateway_process.base_url + PATH, json=body("blast:20000"))
    assert len(reading.events(answer.content)) == 20_004
    report = gateway_process.report()
    assert report["requests"][-1]["tokens_sent"] == 20_000
    assert report["requests"][-1]["finished"] is True
    assert report["leaks"] == 0


def test_a_process_takes_options_and_ends_with_its_block() -> None:
    with serve_process("--key", "sk-1", "--default", "say:hello from the default") as gateway:
        with httpx.Client(headers={"Authorization": "Bearer sk-1"}, trust_env=False) as http:
            answer = http.post(gateway.base_url + PATH, json=body("hy3"))
        process = psutil.Process(gateway.pid)
    assert reading.joined(answer.content) == "hello from the default"
    assert not process.is_running()


def test_a_process_that_cannot_start_says_why() -> None:
    command = [sys.executable, "-m", "tests.gateway", "--default", "nonsense"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "nonsense" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_lists_every_word() -> None:
    command = [sys.executable, "-m", "tests.gateway", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for word in WORDS.values():
        assert word.usage in shown
