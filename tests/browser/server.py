"""A real Jupyter server on loopback, without any settings of this machine."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.isolation import isolated_environment

AppName = Literal["lab", "notebook7"]
_MODULES: dict[AppName, str] = {"lab": "jupyterlab", "notebook7": "notebook"}
_PATIENCE = 120.0
EXTENSION = Path(__file__).parents[2] / "labextension"

# Kernels by name: a kernel's environment is in its spec, as on a user's machine.
CLOUD_KERNEL = "with-cloud"
PLAIN_KERNEL = "python3"


@dataclass(frozen=True)
class JupyterServer:
    """A running server.

    Args:
        app: The application that it opens first.
        url: Its base URL, with a slash at the end.
        token: The token for a browser's login.
        root: The folder of the notebooks.
    """

    app: AppName
    url: str
    token: str
    root: Path

    def link(self, notebook: str, workspace: str) -> str:
        """Return the address that opens a notebook in this application."""
        place = f"lab/workspaces/{workspace}/tree" if self.app == "lab" else "notebooks"
        return f"{self.url}{place}/{notebook}?token={self.token}"


@contextlib.contextmanager
def jupyter_server(app: AppName, home: Path, cloud: dict[str, str]) -> Iterator[JupyterServer]:
    """Run a server until the block ends.

    Args:
        app: The application to start.
        home: An empty directory for all files that the server reads and writes.
        cloud: The environment variables of the kernel ``CLOUD_KERNEL``; the other kernel has none.
    """
    environment = isolated_environment(home)
    root = home / "notebooks"
    root.mkdir()
    data = Path(environment["JUPYTER_DATA_DIR"])
    _write_kernel(data, PLAIN_KERNEL, {})
    _write_kernel(data, CLOUD_KERNEL, cloud)
    _write_settings(Path(environment["JUPYTERLAB_SETTINGS_DIR"]))
    # Where the wheel puts it; an editable installation puts it nowhere.
    shutil.copytree(EXTENSION, data / "labextensions" / "cbai-notebook")
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", _MODULES[app]),
        *("--no-browser", "--allow-root", "--expose-app-in-browser"),
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={token}",
        # The server must not send requests to the internet.
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LanguageServerManager.autodetect=False",
    ]
    log = (home / "server.log").open("wb")
    with log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = _wait_for_url(Path(environment["JUPYTER_RUNTIME_DIR"]), process, home)
            yield JupyterServer(app, url, token, root)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_url(runtime: Path, process: subprocess.Popen[bytes], home: Path) -> str:
    # The server writes its address into a file that is named after its process id.
    card = runtime / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if card.exists():
            with contextlib.suppress(json.JSONDecodeError):  # the file may be half written
                return str(json.loads(card.read_text())["url"])
        time.sleep(0.05)
    raise AssertionError("the Jupyter server did not start:\n" + (home / "server.log").read_text())


def _write_kernel(data: Path, name: str, variables: dict[str, str]) -> None:
    folder = data / "kernels" / name
    folder.mkdir(parents=True)
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (ipykernel)" if name == PLAIN_KERNEL else "Python 3 with a cloud",
        "language": "python",
        "env": variables,
    }
    (folder / "kernel.json").write_text(json.dumps(spec))


def _write_settings(settings: Path) -> None:
    quiet = {
        "apputils-extension/notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
            "doNotDisturbMode": True,
        },
        "docmanager-extension/plugin": {"autosave": False},
    }
    for name, values in quiet.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
