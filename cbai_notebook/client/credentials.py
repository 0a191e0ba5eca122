"""Store the credentials of ``%cbai login``, environment and API key, outside of any notebook.

The key is stored in the system's keyring when the ``keyring`` package finds a usable one, else in a
file that only the user can read. The environment, and where the key is, are always in that file, so
that a machine without a login never reads a keyring.
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
    """Store an environment and its key; replace what was stored before.

    Args:
        env_id: The CloudBase environment.
        api_key: Its API key.
        region: Its region, or None.

    Returns:
        Where the key is stored, in words for the user: the system keyring, or the path of the file.

    Raises:
        ConfigurationError: The credentials cannot be stored.
    """
    # str() of a Secret is its mask; "".join() returns the plain text.
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
    """Return the stored credentials, or an empty dict.

    The keys are ``env_id``, ``api_key``, ``region``, and ``where`` the API key is stored.

    Raises:
        ConfigurationError: The stored credentials cannot be read.
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
    """Remove the stored credentials, if there are any.

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


# The file -----------------------------------------------------------------------------------------


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
        # Without the cause: a JSON error contains the document, and so the key.
        raise _unreadable(path, "it is damaged") from None
    if not isinstance(record, dict):
        raise _unreadable(path, "it is damaged")
    return record


def _readable_record() -> dict[str, Any]:
    """Return the record, or an empty one when it cannot be read: callers replace or remove it."""
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
    """Make the file private again: a copy or a backup may have made it readable for others."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).lower()


# The keyring --------------------------------------------------------------------------------------


def _put_into_keyring(env_id: str, key: str) -> bool:
    """Store the key; return whether it can be read back: some keyrings cut or lose a long key."""
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
    """Return the key; read the keyring once per login, because it may be slow or ask the user."""
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
    """Return the keyring backend, or None when there is no usable one."""

    def usable_backend() -> Any:
        import keyring

        backend = keyring.get_keyring()
        # The rule of the keyring package: backends of priority 1 or more are recommended. The
        # others store nothing, always fail, or write plain text.
        return backend if backend.priority >= 1 else None

    backend, _ = _try(usable_backend)
    return backend


def _try(call: Callable[[], T]) -> tuple[T | None, str]:
    """Return the result of a keyring call, or its error without the text: it may hold the key."""
    try:
        return call(), ""
    # Backends are plug-ins over D-Bus, COM and so on; their errors have no common base class.
    except Exception as error:  # noqa: BLE001
        return None, f"it failed ({type(error).__name__})"
