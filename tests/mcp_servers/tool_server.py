"""A server of tools for tests: over its input and output, or over HTTP with ``http`` as argument."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.subscriptions import InMemorySubscriptionBus, ToolsListChanged
from mcp_types import ImageContent, ToolAnnotations

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Notices(InMemorySubscriptionBus):
    """Tells the clients what changes; can tell more than one of them may have waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Callable[[Any], None]] = []
        self.refusals = 0

    def subscribe(self, listener: Callable[[Any], None]) -> Callable[[], None]:
        if self.refusals:
            self.refusals -= 1
            raise RuntimeError("not now")
        self.listeners.append(listener)
        return super().subscribe(listener)

    def flood(self) -> None:
        for _ in range(1_100):
            self.listeners[-1](ToolsListChanged())


notices = Notices()
server = MCPServer("tools", instructions="Adds.", subscriptions=notices)


@server.tool()
def add(x: int, y: int = 1) -> int:
    """Add two numbers."""
    return x + y


@server.tool(name="files.read", description=os.environ.get("ABOUT_READ", "Read a file."))
def read(path: str) -> str:
    return f"The text of {path}."


@server.tool(annotations=ToolAnnotations(destructive_hint=True))
def drop(path: str) -> str:
    """Delete a file."""
    return f"{path} is gone."


@server.tool()
def picture() -> ImageContent:
    """Draw one point."""
    return ImageContent(data=base64.b64encode(PNG).decode(), mime_type="image/png")


@server.tool()
def fail(reason: str) -> str:
    """Fail."""
    raise ValueError(reason)


@server.tool()
def variable(name: str) -> str:
    """Return a variable of the server's environment."""
    return os.environ.get(name, "(not set)")


@server.tool()
async def learn(name: str, ctx: Context) -> str:
    """Get a tool more."""
    server.add_tool(lambda: name, name=name, description="Say a name.")
    await ctx.notify_tools_changed()
    return "learned"


@server.tool()
def subscriptions() -> int:
    """Return how often clients have subscribed to what changes."""
    return len(notices.listeners)


@server.tool()
def hang_up(refuse: int = 0) -> int:
    """End the last of these subscriptions, and refuse some new ones; return how many there were."""
    notices.refusals = refuse
    notices.flood()
    return subscriptions()


if __name__ == "__main__":
    if "http" in sys.argv:
        server.run("streamable-http", host="127.0.0.1", port=0)
    else:
        server.run("stdio")
