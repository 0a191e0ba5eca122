"""Store the credentials of ``%cbai login`` outside of any notebook: an environment and its API key,
and named servers with theirs.

A key is stored in the system's keyring when the ``keyring`` package finds a usable one, else in a
file that only the user can read. The environment, the addresses, and where the keys are, are always
in that file, so that a machine without a login never reads a keyring.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cbai_notebook.client.servers import Origin, Server, checked_base_url, checked_name
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.files import user_directory, write_atomically
from cbai_notebook.i18n import Words, say

SERVICE = "cbai-notebook"
"""The name under which the keyring holds the keys. The user name there is the environment's id, or
``server:NAME``."""

T = TypeVar("T")


def save(env_id: str, api_key: str, region: str | None = None) -> str:
    """Store an environment and its key; replace the environment that was stored before.

    Args:
        env_id: The CloudBase environment.
        api_key: Its API key.
        region: Its region, or None.

    Returns:
        Where the key is stored, in words for the user: the system keyring, or the path of the file.

    Raises:
        ConfigurationError: The credentials cannot be stored.
    """
    before = _readable_record()
    record = {"env_id": env_id, "region": region, "servers": before.get("servers")}
    where = _store_key(env_id, api_key, lambda key: _write({**record, **key}), _written_key(before))
    if before.get("api_key_in") == "keyring" and before.get("env_id") != env_id:
        _remove_from_keyring(str(before.get("env_id")))
    return where


def save_server(name: str, base_url: str, api_key: str = "", model: str = "") -> str:
    """Store a named server and its key; replace the server of that name.

    Args:
        name: Its name.
        base_url: Its address, up to and including its ``/v1``.
        api_key: Its key; empty if it needs none.
        model: The model for requests that name none; empty for none.

    Returns:
        Where it is stored, in words for the user.

    Raises:
        ConfigurationError: The name or the address is not valid, or it cannot be stored.
    """
    server = {"base_url": checked_base_url(base_url), **({"model": model} if model else {})}
    record = _readable_record()
    servers = _servers(record)
    before = servers.get(checked_name(name), {})

    def write(key: dict[str, str]) -> None:
        _write({**record, "servers": {**servers, name: {**server, **key}}})

    return _store_key(_user_of(name), api_key, write, _written_key(before))


def load(record: dict[str, Any] | None = None) -> dict[str, str]:
    """Return the stored credentials of CloudBase, or an empty dict.

    Args:
        record: What `read` has returned; read now by default.

    The keys are ``env_id``, ``api_key``, ``region``, and ``where`` the API key is stored.

    Raises:
        ConfigurationError: The stored credentials cannot be read.
    """
    record = dict(read() if record is None else record)
    if not record.get("env_id"):
        return {}
    where = str(_path())
    if record.get("api_key_in") == "keyring":
        record["api_key"], where = _key_in_keyring(str(record.get("env_id"))), say("key.keyring")
    names = ("env_id", "api_key", "region")
    return {**{name: str(record[name]) for name in names if record.get(name)}, "where": where}


def load_servers(record: dict[str, Any] | None = None) -> dict[str, Server]:
    """Return the stored servers by name. What cannot be read is left out.

    Args:
        record: What `read` has returned; read now by default.

    A key that its keyring does not give is a `Server.problem`: other servers can still be asked.
    """
    found: dict[str, Server] = {}
    for name, stored in _servers(_readable_record() if record is None else record).items():
        key, where, problem = stored.get("api_key"), str(_path()), ""
        if stored.get("api_key_in") == "keyring":
            where = say("key.keyring")
            try:
                key = _key_in_keyring(_user_of(name), name)
            except ConfigurationError as error:
                problem = error.words or error.message
        with contextlib.suppress(ConfigurationError):
            found[checked_name(name)] = Server(
                stored.get("base_url", ""),
                key,
                model=stored.get("model"),
                origin=Origin("store", where),
                problem=problem,
            )
    return found


def server_names() -> tuple[str, ...]:
    """Return the names of the stored servers, without reading a keyring."""
    return tuple(_servers(_readable_record()))


def forget(name: str | None = None) -> bool:
    """Remove the stored environment or a stored server; return whether there was one.

    Args:
        name: The name of a server; None is the environment.

    Raises:
        ConfigurationError: The file cannot be changed or removed.
    """
    record = _readable_record()
    servers = _servers(record)
    if name is None:
        entry, user = record, str(record.get("env_id"))
        there, rest = "env_id" in record, {"servers": servers}
    else:
        entry, user = servers.get(name, {}), _user_of(name)
        there = name in servers
        rest = {**record, "servers": {each: servers[each] for each in servers if each != name}}
    if entry.get("api_key_in") == "keyring":
        _remove_from_keyring(user)
    if any(rest.values()):
        if there:
            _write(rest)
        return there
    try:
        _path().unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigurationError(
            say("client.credentials_cannot_be_removed", path=str(_path()), reason=_reason(error))
        ) from error
    return there


def _user_of(server: str) -> str:
    """Return the user name of a server in the keyring; no environment's id has a colon."""
    return f"server:{server}"


def _servers(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    stored = record.get("servers")
    entries = stored.items() if isinstance(stored, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, dict)}


def _written_key(entry: dict[str, Any]) -> dict[str, str]:
    return {name: entry[name] for name in ("api_key", "api_key_in") if entry.get(name)}


def _store_key(
    user: str, api_key: str, write: Callable[[dict[str, str]], None], before: dict[str, str]
) -> str:
    """Store a key in the keyring or in the file; return where, in words for the user.

    Args:
        user: The user name in the keyring.
        api_key: The key; empty stores none.
        write: Writes the file, with the fields that say where the key is.
        before: Those fields as they were.
    """
    # str() of a Secret is its mask; "".join() returns the plain text.
    key = "".join(api_key)
    if key and _put_into_keyring(user, key):
        try:
            write({"api_key_in": "keyring"})
        except ConfigurationError:
            _remove_from_keyring(user)
            raise
        return say("key.keyring")
    write({"api_key": key} if key else {})
    if before.get("api_key_in") == "keyring":
        _remove_from_keyring(user)
    return str(_path())


# The file -----------------------------------------------------------------------------------------


def _path() -> Path:
    """Return the path of the file.

    Raises:
        FileNotFoundError: The user has no home directory.
    """
    return user_directory("config", "CBAI_CONFIG_DIR") / "credentials.json"


def read() -> dict[str, Any]:
    """Return the stored record; empty if there is none.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        path = _path()
    except FileNotFoundError:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            say("client.credentials_are_unreadable", path=str(path), reason=_reason(error))
        ) from error
    _keep_private(path)
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        # Without the cause: a JSON error contains the document, and so the key.
        raise _damaged(path) from None
    if not isinstance(record, dict):
        raise _damaged(path)
    return record


def _readable_record() -> dict[str, Any]:
    """Return the record, or an empty one when it cannot be read: callers replace or remove it."""
    try:
        return read()
    except ConfigurationError:
        return {}


def _damaged(path: Path) -> ConfigurationError:
    return ConfigurationError(say("client.credentials_are_damaged", path=str(path)))


def _write(record: dict[str, Any]) -> None:
    """Replace the file atomically; only the user can read it, from its first byte on."""
    text = json.dumps({name: value for name, value in record.items() if value})
    try:
        path = _path()
    except OSError as error:
        raise ConfigurationError(
            say("client.credentials_cannot_be_stored", reason=_reason(error))
        ) from error
    try:
        write_atomically(path, text.encode(), private=True)
    except OSError as error:
        raise ConfigurationError(
            say("client.credentials_cannot_be_stored_in", path=str(path), reason=_reason(error))
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


def _put_into_keyring(user: str, key: str) -> bool:
    """Store the key; return whether it can be read back: some keyrings cut or lose a long key."""
    _clear_cached_key(user)
    keyring = _keyring()
    if keyring is None:
        return False

    def put() -> bool:
        keyring.set_password(SERVICE, user, key)
        return bool(keyring.get_password(SERVICE, user) == key)

    stored, _ = _try(put)
    if not stored:
        _remove_from_keyring(user)
    return bool(stored)


_cached_keys: dict[str, tuple[int, str]] = {}


def _key_in_keyring(user: str, server: str | None = None) -> str:
    """Return a key; read the keyring once per login, because it may be slow or ask the user.

    Args:
        user: The user name in the keyring.
        server: The name of the server whose key it is; None is CloudBase.
    """
    try:
        written = _path().stat().st_mtime_ns
    except OSError:
        written = 0
    cached = _cached_keys.get(user)
    if cached is None or cached[0] != written:
        cached = _cached_keys[user] = written, _read_from_keyring(user, server)
    return cached[1]


def _read_from_keyring(user: str, server: str | None) -> str:
    keyring = _keyring()
    if keyring is None:
        raise _not_in_keyring(say("client.there_is_no_keyring"), server)
    key, failed = _try(lambda: keyring.get_password(SERVICE, user))
    if not key:
        raise _not_in_keyring(
            say("client.keyring_failed", kind=failed)
            if failed
            else say("client.keyring_has_no_such_key"),
            server,
        )
    return str(key)


def _not_in_keyring(failure: Words, server: str | None) -> ConfigurationError:
    if server is None:
        return ConfigurationError(say("client.key_of_cloudbase_is_not_in_keyring", failure=failure))
    return ConfigurationError(
        say("client.key_of_server_is_not_in_keyring", failure=failure, name=server)
    )


def _clear_cached_key(user: str) -> None:
    _cached_keys.pop(user, None)


def _remove_from_keyring(user: str) -> None:
    _clear_cached_key(user)
    keyring = _keyring()
    if keyring is not None:
        _try(lambda: keyring.delete_password(SERVICE, user))


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
    """Return the result of a keyring call, or the class of its error: its text may hold the key."""
    try:
        return call(), ""
    # Backends are plug-ins over D-Bus, COM and so on; their errors have no common base class.
    except Exception as error:  # noqa: BLE001
        return None, type(error).__name__
