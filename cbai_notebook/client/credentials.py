"""What ``%cbai login`` stores: the environment and its API key, outside of any notebook.

The key goes into the system's keyring when the ``keyring`` package has a real one, else into a file
that only the user can read. The rest, and where the key is, always stands in that file, so that a
machine on which nobody has logged in never has to ask a keyring.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cbai_notebook.errors import ConfigurationError
from cbai_notebook.files import write_atomically

SERVICE = "cbai-notebook"
"""The name under which the keyring holds the key; the user name there is the environment's id."""

KEYRING = "the system keyring"

T = TypeVar("T")


def save(env_id: str, api_key: str, region: str | None = None) -> str:
    """Store an environment and its key, in place of what was stored before.

    Args:
        env_id: The CloudBase environment.
        api_key: Its API key.
        region: Its region, when it has one.

    Returns:
        Where the key is now, for the user: the system keyring, or the path of a file.

    Raises:
        ConfigurationError: It can be stored nowhere.
    """
    # A key that hides itself when it is printed still joins as the text that it is.
    key = "".join(api_key)
    before = _readable_record()
    record = {"env_id": env_id, "region": region}
    if _put_into_keyring(env_id, key):
        try:
            _write({**record, "api_key_in": "keyring"})
        except ConfigurationError:
            _remove_from_keyring(env_id)
            raise
        where = KEYRING
    else:
        _write({**record, "api_key": key})
        where = str(_path())
    if before.get("api_key_in") == "keyring" and (
        where != KEYRING or before.get("env_id") != env_id
    ):
        _remove_from_keyring(str(before.get("env_id")))
    return where


def load() -> dict[str, str]:
    """Return what is stored: ``env_id``, ``api_key``, ``region`` and ``where``, or an empty dict.

    Raises:
        ConfigurationError: Something is stored and cannot be read.
    """
    record = _record()
    if not record:
        return {}
    where = str(_path())
    if record.get("api_key_in") == "keyring":
        record["api_key"], where = _key_in_keyring(str(record.get("env_id"))), KEYRING
    names = ("env_id", "api_key", "region")
    return {**{name: str(record[name]) for name in names if record.get(name)}, "where": where}


def forget() -> None:
    """Remove what is stored, if anything is.

    Raises:
        ConfigurationError: The file cannot be removed.
    """
    record = _readable_record()
    if record.get("api_key_in") == "keyring":
        _remove_from_keyring(str(record.get("env_id")))
    try:
        _path().unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{_path()} cannot be removed: {_reason(error)}.") from error


# The file ------------------------------------------------------------------------------------------


def _path() -> Path:
    return _directory() / "credentials.json"


def _directory() -> Path:
    if chosen := os.environ.get("CBAI_CONFIG_DIR"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("cbai-notebook", appauthor=False))


def _record() -> dict[str, Any]:
    path = _path()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeError) as error:
        raise _unreadable(path, _reason(error)) from error
    _keep_private(path)
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        # Without the cause: a JSON error carries the document, and the key with it.
        raise _unreadable(path, "it is damaged") from None
    if not isinstance(record, dict):
        raise _unreadable(path, "it is damaged")
    return record


def _readable_record() -> dict[str, Any]:
    """Return the record, or an empty one when it is to be replaced anyway and cannot be read."""
    try:
        return _record()
    except ConfigurationError:
        return {}


def _unreadable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"The credentials stored in {path} cannot be read: {reason}. "
        "Log in again with %cbai login, or delete that file."
    )


def _write(record: dict[str, Any]) -> None:
    """Replace the file atomically; only the user can read it, from its first byte on."""
    path = _path()
    text = json.dumps({name: value for name, value in record.items() if value})
    try:
        write_atomically(path, text.encode(), private=True)
    except OSError as error:
        raise ConfigurationError(
            f"The credentials cannot be stored in {path}: {_reason(error)}. Set CBAI_CONFIG_DIR to a "
            "directory of yours, or set CLOUDBASE_ENV_ID and CLOUDBASE_API_KEY in the environment."
        ) from error


def _keep_private(path: Path) -> None:
    """Take reading away from others where a copy or a backup has given it to them."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).lower()


# The keyring ---------------------------------------------------------------------------------------


def _put_into_keyring(env_id: str, key: str) -> bool:
    """Store the key and read it back; some keyrings cut or lose what is too long for them."""
    _clear_cached_key()
    keyring = _keyring()
    if keyring is None:
        return False

    def put() -> bool:
        keyring.set_password(SERVICE, env_id, key)
        return bool(keyring.get_password(SERVICE, env_id) == key)

    stored, _ = _try(put)
    if not stored:
        _remove_from_keyring(env_id)
    return bool(stored)


_cached_key: tuple[tuple[str, int], str] | None = None


def _key_in_keyring(env_id: str) -> str:
    """Return the key, asking the keyring once for each login: it may be slow, or ask the user in turn."""
    global _cached_key
    try:
        written = _path().stat().st_mtime_ns
    except OSError:
        written = 0
    login = env_id, written
    cached = _cached_key
    if cached is None or cached[0] != login:
        _cached_key = cached = login, _read_from_keyring(env_id)
    return cached[1]


def _read_from_keyring(env_id: str) -> str:
    keyring = _keyring()
    key, failure = None, "it is not there"
    if keyring is None:
        failure = "there is no keyring here"
    else:
        key, failed = _try(lambda: keyring.get_password(SERVICE, env_id))
        failure = failed or failure
    if not key:
        raise ConfigurationError(
            f"The API key was stored in {KEYRING} and cannot be read from it: {failure}. "
            "Log in again with %cbai login, or set CLOUDBASE_API_KEY in the environment."
        )
    return str(key)


def _clear_cached_key() -> None:
    global _cached_key
    _cached_key = None


def _remove_from_keyring(env_id: str) -> None:
    _clear_cached_key()
    keyring = _keyring()
    if keyring is not None:
        _try(lambda: keyring.delete_password(SERVICE, env_id))


def _keyring() -> Any:
    """Return the keyring in use, or ``None`` where there is no real one."""

    def fit() -> Any:
        import keyring

        backend = keyring.get_keyring()
        # The package's own rule: from priority 1 on a backend is fit for use as it is. Below are those
        # that store nothing, fail always, or write plain text.
        return backend if backend.priority >= 1 else None

    backend, _ = _try(fit)
    return backend


def _try(call: Callable[[], T]) -> tuple[T | None, str]:
    """Return what a keyring returns, or how it failed; never its words, which may hold the key."""
    try:
        return call(), ""
    # Backends are plug-ins over D-Bus, COM and the like, with errors of their own that share no base.
    except Exception as error:  # noqa: BLE001
        return None, f"it failed ({type(error).__name__})"
