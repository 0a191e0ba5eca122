"""Another process reads what a gateway did, and changes how it answers, over the control port."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.gateway import Gateway, GatewayProcess, serve_process
from tests.gateway.asking import PATH, ask, body
from tests.gateway.control import CHANGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def process() -> Iterator[GatewayProcess]:
    with serve_process() as running:
        yield running


def post(process: GatewayProcess, model: str, prompt: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {more.pop('key', 'test-key')}"}
    asked = body(model, prompt, **more)
    url = process.base_url + PATH
    return httpx.post(url, json=asked, headers=headers, trust_env=False, timeout=30)


def test_the_answers_of_each_row_are_read_over_http(process: GatewayProcess) -> None:
    before = process.state()
    for row in (1, 2, 1):
        post(process, "echo", f"row-{row}")
    post(process, "error:400", "row-3")
    assert process.begun() == {"row-1": 2, "row-2": 1}
    state = process.state()
    assert state["begun"] - before["begun"] == 3
    assert (state["rows"], state["running"], state["running_peak"]) == (2, 0, 1)
    assert state["first_begun_at"] <= state["now"]
    assert [one["row"] for one in process.report()["requests"][-2:]] == ["row-1", "row-3"]


def test_the_control_port_is_no_part_of_the_gateway(gateway: Gateway) -> None:
    gateway.concurrency = 0
    answer = httpx.get(f"{gateway.control_url}/state", trust_env=False)
    assert answer.json()["connections"] == 0
    assert gateway.requests == []
    assert httpx.get(f"{gateway.control_url}/nothing", trust_env=False).status_code == 404


def test_limits_and_answers_are_changed_over_http(process: GatewayProcess) -> None:
    process.change(concurrency=0)
    assert post(process, "echo", "a").json()["code"] == "EXCEED_CONCURRENT_REQUEST_LIMIT"
    process.change(concurrency=None, rate="1e-6:1:3600")
    assert post(process, "echo", "a").status_code == 200
    assert post(process, "echo", "a").headers["retry-after"] == "3600"
    process.change(rate=None, storm={"refusal": "error:503"})
    assert post(process, "echo", "a").status_code == 503
    process.change(storm={"seconds": 0})
    assert post(process, "echo", "a").status_code == 200
    process.change(storm={"seconds": 600})
    assert post(process, "echo", "a").status_code == 429
    process.change(storm=None, always="error:402", script=["error:400", "error:401"])
    assert [post(process, "echo", "a").status_code for _ in range(3)] == [400, 401, 402]
    process.change(always=None, key="other")
    assert post(process, "echo", "a").status_code == 401
    assert post(process, "echo", "a", key="other").status_code == 200
    process.change(key="test-key")
    assert process.state()["refused"].keys() == {
        "EXCEED_CONCURRENT_REQUEST_LIMIT",
        "rate_limit_exceeded",
        "SERVICE_UNAVAILABLE",
    }


async def test_a_held_answer_is_let_go_over_http(process: GatewayProcess) -> None:
    held = asyncio.ensure_future(asyncio.to_thread(post, process, "echo+hold:headers", "a"))
    await asyncio.to_thread(process.wait_until, lambda state: state["running"])
    process.change(let_go=True)
    assert (await held).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"nonsense": 1}, {"rate": "often"}, {"always": "nonsense"}, {"storm": 3}]
)
def test_a_wrong_change_says_so(process: GatewayProcess, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        process.change(**changes)
    assert post(process, "echo", "a").status_code == 200


def test_an_unknown_change_names_the_known_ones(process: GatewayProcess) -> None:
    with pytest.raises(ValueError) as caught:
        process.change(nonsense=1)
    assert all(name in str(caught.value) for name in CHANGES)


def test_waiting_for_a_process_ends(process: GatewayProcess) -> None:
    with pytest.raises(TimeoutError):
        process.wait_until(lambda state: state["rows"] < 0, timeout=0)


def test_a_process_takes_limits_and_ends_by_its_id() -> None:
    with serve_process("--concurrency", "5", "--rate", "1e-6:2:0") as gateway:
        answers = [post(gateway, "echo", "a") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].headers["retry-after"] == "0"
        psutil.Process(gateway.pid).kill()
        psutil.Process(gateway.pid).wait(30)


def test_a_wrong_rate_is_an_error_of_the_command_line() -> None:
    command = [sys.executable, "-m", "tests.gateway", "--rate", "often"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "--rate" in ended.stderr


def test_a_gateway_in_this_process_has_the_same_port(gateway: Gateway) -> None:
    ask(gateway, "echo", "row-5")
    begun = httpx.get(f"{gateway.control_url}/begun", trust_env=False).json()
    assert begun == gateway.begun == {"row-5": 1}
