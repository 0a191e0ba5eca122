"""An environment for child processes that neither reads nor touches the developer's own settings."""

from __future__ import annotations

import os
from pathlib import Path

from cbai_notebook.local.weights import cache_dir

# Whatever could lead a test to the developer's cloud account, notebooks or Python set-up.
_PRIVATE_PREFIXES = ("CLOUDBASE_", "CBAI_", "TCB_", "JUPYTER", "JPY_", "IPYTHON", "XDG_", "PYTEST_")
_PRIVATE_NAMES = {"PYTHONPATH", "PYTHONSTARTUP", "PYTHON_KEYRING_BACKEND"}


def isolated_environment(home: Path, **variables: str) -> dict[str, str]:
    """Build the environment of a child process whose every user directory is under ``home``.

    Args:
        home: An empty directory of the test's own; it is created.
        variables: What to set on top.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith(_PRIVATE_PREFIXES) or name in _PRIVATE_NAMES)
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
    # The model's weights are fetched once per machine, not once per test.
    environment["CBAI_CACHE_DIR"] = str(cache_dir())
    # A desktop's keyring would be asked otherwise, and its owner with it.
    environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    environment["JUPYTER_PLATFORM_DIRS"] = "1"
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    environment.update(variables)
    return environment
