"""Run what was exported in Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.require import require

Play = Callable[..., dict[str, Any]]
"""Opens the export of a conversation, takes the steps of a user, and returns what the user sees."""


def run_in_node(driver: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Run a script in Node.js.

    Args:
        driver: The script; it reads one JSON value and prints another.
        request: What the script reads.

    Returns:
        What the script printed.
    """
    node = require(shutil.which("node"), "Node.js is missing: install it, 18 or newer")
    done = subprocess.run(
        [node, str(driver)],
        input=json.dumps(request),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result
