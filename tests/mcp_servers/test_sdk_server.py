"""Servers of the official library, over their input and output and over HTTP, and open sessions."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from mcp.client import Client

from cbai_notebook import bridge
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.tools.source import UnconfirmedError
from cbai_notebook.errors import ToolServerError
from cbai_notebook.mcp_servers.server import McpServer, mcp
from tests.client.conftest import MESSAGES
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.gateway_access import gateway_settings
from tests.require import require


@pytest.fixture(params=["over its input", "over HTTP"])
def server(request: pytest.FixtureRequest, sdk: McpServer, http_url: str) -> Iterator[McpServer]:
    if request.param == "over its input":
        yield sdk
        return
    over_http = mcp(http_url, trust="add", headers={"X-Key": "r4Ty8Ui2Op6A"})
    yield over_http
    over_http.close()


def test_every_kind_of_result(server: McpServer) -> None:
    assert bridge.run(server.call("add", {"x": 2})).text == "3"
    (image,) = bridge.run(server.call("picture")).images
    assert image.startswith("data:image/png;base64,iVBOR")
    with pytest.raises(ToolServerError, match="required"):
        bridge.run(server.call("add", {}))
    with pytest.raises(ToolServerError, match="fail"):
        bridge.run(server.call("fail", {"reason": "no"}))


async def test_a_model_calls_its_tools(server: McpServer, gateway: Gateway) -> None:
    gateway.script(calling(Call("add", {"x": 2, "y": 3}), Call("files_read", {"path": "a.csv"})))
    gateway.script("say:It is 5.")
    asked: list[str] = []

    async def approve(call: Any) -> bool:
        asked.append(call.name)
        return True

    model = create_model("cloudbase").with_settings(gateway_settings(gateway))
    answer = await model.generate_text(
        model="m", messages=MESSAGES, tools=[server], approve=approve
    )
    assert answer.text == "It is 5."
    assert asked == ["files_read"], "the user trusts the other"
    results = [m["content"] for m in gateway.last.json["messages"] if m["role"] == "tool"]
    assert results == ["5", "The text of a.csv."]


async def test_an_image_is_sent_after_the_results(server: McpServer, gateway: Gateway) -> None:
    gateway.script(calling("picture"), "say:One point.")
    model = create_model("cloudbase").with_settings(gateway_settings(gateway))

    async def approve(call: Any) -> bool:
        return True

    answer = await model.generate_text(
        model="m", messages=MESSAGES, tools=[server.tool("picture")], approve=approve
    )
    assert answer.text == "One point."
    *_, result, images = gateway.last.json["messages"]
    assert result["role"] == "tool"
    assert [part["type"] for part in images["content"]] == ["text", "image_url"]


async def test_a_model_without_eyes_is_told_of_images(sdk: McpServer, gateway: Gateway) -> None:
    gateway.script(calling("picture"), "error:400", "say:I cannot see it.")

    async def approve(call: Any) -> bool:
        return True

    model = create_model("cloudbase").with_settings(gateway_settings(gateway))
    answer = await model.generate_text(
        model="m", messages=MESSAGES, tools=[sdk.tool("picture")], approve=approve
    )
    assert answer.text == "I cannot see it."
    assert "takes no images" in gateway.last.json["messages"][-1]["content"]


def test_secrets_in_results_are_masked_for_the_model(sdk: McpServer, gateway: Gateway) -> None:
    gateway.script(calling(Call("variable", {"name": "SOME_TOKEN"})), "say:Done.")
    model = create_model("cloudbase").with_settings(gateway_settings(gateway))

    async def approve(call: Any) -> bool:
        return True

    bridge.run(
        model.generate_text(
            model="m", messages=MESSAGES, tools=[sdk.tool("variable")], approve=approve
        )
    )
    assert "k9PqX7vLw2Zt" not in str(gateway.last.json)


def test_what_the_server_says_of_its_tools_counts_only_with_trust(sdk: McpServer) -> None:
    trusted = McpServer(sdk.target, trust=True)
    tools = trusted.named_tools()
    assert [name for name, tool in tools.items() if tool.confirm] == ["drop"]
    trusted.close()


def test_a_reference_server_that_a_package_ships() -> None:
    require(find_spec("mcp_server_time"), "mcp-server-time is missing: pip install -e '.[test]'")
    server = mcp([sys.executable, "-m", "mcp_server_time"])
    time = bridge.run(server.call("get_current_time", {"timezone": "Asia/Shanghai"})).text
    assert "+08:00" in time
    server.close()


def test_a_tool_that_it_learns_while_it_runs_is_confirmed(server: McpServer) -> None:
    assert "learned" not in server.named_tools()
    bridge.run(server.call("learn", {"name": "learned"}))
    for _ in range(200):  # it tells that on another way than the result
        bridge.run(server.call("add", {"x": 1}))
        if server.unconfirmed() is not None:
            break
    with pytest.raises(UnconfirmedError, match="learned"):
        server.named_tools()
    with pytest.raises(UnconfirmedError, match="learned"):
        bridge.run(server.call("learned"))
    server.confirm()
    assert "learned" in server.named_tools()
    assert bridge.run(server.call("add", {"x": 1})).text == "2"
    assert bridge.run(server.call("learned")).text == "learned"


@pytest.mark.parametrize("refused", [0, 1, 3])
def test_changes_are_heard_again_after_the_server_has_ended_the_notices(
    server: McpServer, refused: int
) -> None:
    server.named_tools()
    first = last = int(bridge.run(server.call("hang_up", {"refuse": refused})).text)
    for _ in range(200):
        server.named_tools()
        last = int(bridge.run(server.call("subscriptions")).text)
        if last > first:
            break
    assert last > first


async def test_an_open_session_is_used_on_its_own_loop(http_url: str) -> None:
    async with Client(http_url) as client:
        server = await mcp(client)
        assert server.tool("add").nested
        assert (await server.call("add", {"x": 2})).text == "3"
        # Another loop may use it, as long as this one runs.
        other = asyncio.to_thread(lambda: bridge.run(server.call("add", {"x": 5})))
        assert (await other).text == "6"


async def test_a_blocked_loop_is_an_error_and_no_hang(http_url: str) -> None:
    async with Client(http_url) as client:
        server = await mcp(client)
        with pytest.raises(ToolServerError, match="Await the call"):
            bridge.run(server.call("add", {"x": 2}))
