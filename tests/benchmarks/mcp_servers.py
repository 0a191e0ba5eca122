"""Measure the tools of MCP servers: what they add to a prompt, and what a start costs other prompts.

``python -m tests.benchmarks.mcp_servers FIGURE BASE_URL`` prints one figure as JSON, in seconds:

- ``added``: the median time of a prompt with the 20 tools of a server, after the first, and of the same
  prompt without tools, in turns.
- ``start``: the longest time of a prompt while a server starts for the first time, with the import of
  its library, and the longest of as many prompts before.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.table import Row, child
from tests.gateway import serve_process

SERVER = [sys.executable, str(Path(__file__).parents[1] / "mcp_servers" / "plain_server.py")]
ASK: dict[str, Any] = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
ROUNDS = 100


def seconds_of(**options: Any) -> float:
    """Return the seconds of one prompt."""
    import cbai_notebook as cbai

    model = cbai.create_model("cloudbase")
    started = time.perf_counter()
    cbai.run(model.generate_text(**ASK, **options))
    return time.perf_counter() - started


def added() -> tuple[float, float]:
    """Return the median seconds of a prompt with 20 tools and of one without."""
    import cbai_notebook as cbai

    server = cbai.mcp([*SERVER, "tools=13"], trust=True)
    seconds_of(tools=[server])
    assert len(server.known_names()) == 20
    taken: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        taken[True].append(seconds_of(tools=[server]))
        taken[False].append(seconds_of())
    server.close()
    return median(taken[True]), median(taken[False])


def start() -> tuple[float, float]:
    """Return the longest seconds of a prompt during the first start of a server and before it."""
    import cbai_notebook as cbai

    seconds_of()
    before = max(seconds_of() for _ in range(ROUNDS))
    server = cbai.mcp(SERVER)
    starting = threading.Thread(target=server.named_tools)
    starting.start()
    during = []
    while starting.is_alive():
        during.append(seconds_of())
    server.close()
    return max(during), before


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    module = "tests.benchmarks.mcp_servers"
    with serve_process() as gateway, TemporaryDirectory() as folder:
        env = {"CBAI_CONFIG_DIR": folder}  # what was confirmed is noted there
        with_tools, without = child(module, "added", gateway.base_url, env=env)
        during, before = child(module, "start", gateway.base_url, env=env)
    yield Row(
        "mcp: 20 tools of a server in a prompt after the first, over a prompt without",
        "≤ 5 ms",
        f"{(with_tools - without) * 1e3:.1f} ms ({with_tools * 1e3:.1f} ms and {without * 1e3:.1f} ms)",
    )
    yield Row(
        "mcp: the slowest prompt while a server starts that it does not use, and before",
        "not blocked",
        f"{during * 1e3:.0f} ms, {before * 1e3:.0f} ms",
    )


def main(figure: str, base_url: str) -> None:
    """Measure and print the figure as JSON."""
    import cbai_notebook as cbai

    cbai.configure(base_url=base_url, api_key="test-key", env_id="test-env")
    print(json.dumps({"added": added, "start": start}[figure]()))


if __name__ == "__main__":
    main(*sys.argv[1:])
