"""A server over HTTP whose answers are too long to be kept in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cbai_notebook import bridge
from cbai_notebook.errors import ToolServerError
from cbai_notebook.mcp_servers.server import McpServer, mcp
from tests.mcp_servers.plain_server import result_of

LONG = 34_000_000


class Handler(BaseHTTPRequestHandler):
    """Answers as ``plain_server.py``, and the tool ``flood`` with many bytes."""

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method, params = message["method"], message.get("params") or {}
        if "id" not in message:
            self.answer(202, b"")
            return
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if method not in ("initialize", "tools/list", "tools/call"):
            self.answer(
                200, json.dumps({**reply, "error": {"code": -32601, "message": ""}}).encode()
            )
            return
        tool = params.get("name") if method == "tools/call" else ""
        reply["result"] = result_of(method, params) if tool != "flood" else {"content": []}
        padding = b" " * LONG if tool == "flood" and params["arguments"]["long"] else b""
        encoding = "gzip" if tool == "flood" and not padding else "identity"
        self.answer(200, json.dumps(reply).encode() + padding, encoding)

    def do_GET(self) -> None:
        self.answer(405, b"")

    def answer(self, status: int, body: bytes, encoding: str = "identity") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing to the screen."""


class Server(ThreadingHTTPServer):
    """A server that says nothing of clients that stop reading."""

    def handle_error(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[McpServer]:
    with Server(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        found = mcp(f"http://127.0.0.1:{http.server_port}/mcp")
        yield found
        found.close()
        http.shutdown()
        thread.join()


@pytest.mark.parametrize(("long", "reason"), [(True, "33,554,432 bytes"), (False, "compressed")])
def test_the_call_fails_and_the_next_does_not(server: McpServer, long: bool, reason: str) -> None:
    with pytest.raises(ToolServerError, match=reason):
        bridge.run(server.call("flood", {"long": long}))
    assert bridge.run(server.call("add", {"x": 1})).text == "2"
