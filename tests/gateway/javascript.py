"""Node.js with the official JavaScript SDK, installed once below ``sdk/node_modules``."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.require import require

SDK = Path(__file__).with_name("sdk")


def node_with_sdk() -> str:
    """Install the SDK, return the path of Node.js; skip without them, or fail if ``CI=true``."""
    program = require(shutil.which("node"), "Node.js is not installed")
    npm = require(shutil.which("npm"), "npm is not installed")
    if not _installed():
        _install(npm)
    return program


def _installed() -> bool:
    wanted = json.loads((SDK / "package.json").read_text("utf-8"))["dependencies"]
    for name, version in wanted.items():
        manifest = SDK / "node_modules" / name / "package.json"
        if not manifest.is_file():
            return False
        if json.loads(manifest.read_text("utf-8"))["version"] != version:
            return False
    return True


def _install(npm: str) -> None:
    """Install into a temporary folder and rename it, so that two test workers do not collide."""
    with tempfile.TemporaryDirectory(dir=SDK, prefix="node_modules.") as folder:
        shutil.copy(SDK / "package.json", folder)
        options = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [npm, "install", *options],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            require(None, f"npm could not install the SDK: {done.stderr.strip()[-500:]}")
        if _installed():
            return
        shutil.rmtree(SDK / "node_modules", ignore_errors=True)
        Path(folder, "node_modules").rename(SDK / "node_modules")
