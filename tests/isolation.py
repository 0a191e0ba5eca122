"""Environments for tests and their child processes, without the developer's own settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cbai_notebook.local.weights import cache_dir

# Variables that this package reads: the account, the model, the history.
_SETTINGS = ("CBAI_", "CLOUDBASE_", "TCB_", "JPY_SESSION_NAME")
# Variables that stay set: options of the tests, and the folder of the downloaded model weights.
_TEST_OPTIONS = {"CBAI_ARTEFACTS", "CBAI_CACHE_DIR", "CBAI_CHROMIUM"}
# Other variables that could lead a child process to the developer's notebooks or Python set-up.
_PRIVATE_PREFIXES = ("JUPYTER", "JPY_", "IPYTHON", "XDG_", "PYTEST_")
_PRIVATE_NAMES = {"PYTHONPATH", "PYTHONSTARTUP", "PYTHON_KEYRING_BACKEND"}

_NO_KEYRING = "keyring.backends.null.Keyring"


def package_settings() -> list[str]:
    """Return the names of the environment variables that configure the package on this machine.

    Options of the tests, such as ``CBAI_ARTEFACTS``, and ``CBAI_CACHE_DIR`` are not among them.
    """
    return [name for name in os.environ if name.startswith(_SETTINGS) and name not in _TEST_OPTIONS]


def isolate_this_process(patch: pytest.MonkeyPatch, config: Path) -> None:
    """Change the environment of this process so that no setting or history of the developer is used.

    Args:
        patch: Undoes the changes.
        config: An empty directory, in which credentials are stored and looked up.
    """
    for name in package_settings():
        patch.delenv(name)
    patch.setenv("CBAI_CONFIG_DIR", str(config))
    patch.setenv("CBAI_HISTORY", "off")
    patch.setenv("PYTHON_KEYRING_BACKEND", _NO_KEYRING)


def isolated_environment(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment for a child process, with all user directories under ``home``.

    Args:
        home: A new directory; it is created.
        variables: More variables to set.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith((*_SETTINGS, *_PRIVATE_PREFIXES)) or name in _PRIVATE_NAMES)
    }
    places = {
        "HOME": "",
        "USERPROFILE": "",
        "XDG_CONFIG_HOME": ".config",
        "XDG_CACHE_HOME": ".cache",
        "XDG_DATA_HOME": ".local/share",
        "XDG_RUNTIME_DIR": ".runtime",
        "IPYTHONDIR": ".ipython",
        "JUPYTER_CONFIG_DIR": ".jupyter",
        "JUPYTER_DATA_DIR": ".local/share/jupyter",
        "JUPYTER_RUNTIME_DIR": ".local/share/jupyter/runtime",
        "JUPYTERLAB_SETTINGS_DIR": ".jupyter/lab/user-settings",
        "JUPYTERLAB_WORKSPACES_DIR": ".jupyter/lab/workspaces",
        "CBAI_CONFIG_DIR": ".config/cbai-notebook",
    }
    for name, place in places.items():
        directory = home / place
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment[name] = str(directory)
    # The weights of the model are downloaded once for the machine, not once for each test.
    environment["CBAI_CACHE_DIR"] = str(cache_dir())
    # Otherwise the keyring of a desktop would ask its user for a password.
    environment["PYTHON_KEYRING_BACKEND"] = _NO_KEYRING
    environment["JUPYTER_PLATFORM_DIRS"] = "1"
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    environment.update(variables)
    return environment
