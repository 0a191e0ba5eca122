"""The credentials of a login: with a keyring, without one, and when keyring or file is broken."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from cbai_notebook.client import credentials
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Secret, Settings
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.i18n import said_now

KEY = "sk-3fA9x7Qb2LmZ"

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")


# keyring tries every backend class that needs no arguments, so these classes need one.


class Memory(KeyringBackend):
    """A keyring that stores values up to a length."""

    priority = 5

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password[: self.longest]

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Broken(KeyringBackend):
    """A keyring whose service does not answer; its errors repeat the value."""

    priority = 5

    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self.error = error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error(f"no bus for {password}")

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error("no bus")

    def delete_password(self, service: str, username: str) -> None:
        raise self.error("no bus")


class Locked(Memory):
    """A keyring that raises an error when its priority is read."""

    @property
    def priority(self) -> float:  # type: ignore[override]
        raise RuntimeError("no session")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder for the file; there is no keyring unless a test sets one."""
    monkeypatch.setenv("CBAI_CONFIG_DIR", str(tmp_path / "config"))
    keyring.set_keyring(fail.Keyring())
    yield tmp_path / "config"
    # Later code in this process must not reach the developer's own keyring.
    keyring.set_keyring(null.Keyring())


def use(backend: KeyringBackend) -> KeyringBackend:
    keyring.set_keyring(backend)
    return backend


def test_nothing_is_stored_at_first() -> None:
    assert credentials.load() == {}
    credentials.forget()


def test_without_a_keyring_a_file_keeps_them(folder: Path) -> None:
    where = credentials.save("env-1", KEY, "ap-shanghai")
    assert where == str(folder / "credentials.json")
    assert credentials.load() == {
        "env_id": "env-1",
        "api_key": KEY,
        "region": "ap-shanghai",
        "where": where,
    }


def test_a_key_that_hides_itself_is_stored_as_it_is() -> None:
    credentials.save("env-1", Secret(KEY))
    assert credentials.load()["api_key"] == KEY
    use(Memory(1_000))
    credentials.save("env-1", Secret(KEY))
    assert credentials.load()["api_key"] == KEY


@posix
def test_only_the_user_can_read_the_file(folder: Path) -> None:
    credentials.save("env-1", KEY)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    file = folder / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    credentials.load()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_is_replaced_as_a_whole(folder: Path) -> None:
    credentials.save("env-1", KEY, "ap-shanghai")
    before = (folder / "credentials.json").open(encoding="utf-8")
    credentials.save("env-2", "another-key-1")
    with before:
        assert json.load(before)["api_key"] == KEY
    stored = credentials.load()
    assert (stored["env_id"], stored["api_key"]) == ("env-2", "another-key-1")
    assert "region" not in stored
    assert [file.name for file in folder.iterdir()] == ["credentials.json"]


def test_forgetting_removes_everything(folder: Path) -> None:
    backend = use(Memory(1_000))
    credentials.save("env-1", KEY)
    credentials.forget()
    assert credentials.load() == {}
    assert backend.kept == {}
    assert list(folder.iterdir()) == []


def test_a_keyring_keeps_the_key_and_the_file_does_not(folder: Path) -> None:
    backend = use(Memory(1_000))
    assert credentials.save("env-1", KEY) == "the system keyring"
    assert backend.kept == {("cbai-notebook", "env-1"): KEY}
    assert KEY not in (folder / "credentials.json").read_text(encoding="utf-8")
    assert credentials.load() == {"env_id": "env-1", "api_key": KEY, "where": "the system keyring"}


def test_a_keyring_is_asked_once_for_each_login() -> None:
    use(Memory(1_000))
    credentials.save("env-1", KEY)
    first = credentials.load()
    use(Broken(ConnectionError))
    assert credentials.load() == first
    use(Memory(1_000))
    credentials.save("env-1", "another-key-1")
    assert credentials.load()["api_key"] == "another-key-1"


def test_another_login_takes_the_old_key_out_of_the_keyring() -> None:
    backend = use(Memory(1_000))
    credentials.save("env-1", KEY)
    credentials.save("env-2", "another-key-1")
    assert backend.kept == {("cbai-notebook", "env-2"): "another-key-1"}
    credentials.save("env-2", "a-third-key-1")
    assert backend.kept == {("cbai-notebook", "env-2"): "a-third-key-1"}


@pytest.mark.parametrize(
    "backend", [Broken(ConnectionError), Broken(Exception), Memory(longest=5), Locked(1_000)]
)
def test_a_keyring_that_does_not_work_leaves_it_to_the_file(
    backend: KeyringBackend, folder: Path
) -> None:
    use(backend)
    assert credentials.save("env-1", KEY) == str(folder / "credentials.json")
    assert credentials.load()["api_key"] == KEY
    assert getattr(backend, "kept", {}) == {}


@pytest.mark.parametrize(
    "backend", [Broken(ConnectionError), Memory(1_000), Locked(1_000), fail.Keyring()]
)
def test_a_key_that_the_keyring_no_longer_gives_is_an_error_that_says_what_to_do(
    backend: KeyringBackend,
) -> None:
    use(Memory(1_000))
    credentials.save("env-1", KEY)
    use(backend)
    with pytest.raises(
        ConfigurationError, match=r"Set it again with cbai\.configure\(.*\), or set CLOUDBASE_API"
    ):
        credentials.load()
    credentials.save("env-1", "a-new-key-1")
    assert credentials.load()["api_key"] == "a-new-key-1"


@pytest.mark.parametrize(
    "content", [b'{"api_key": "sk-3fA9x7', b"[1]", b"", b"\xff\xfe", b"[" * 100_000]
)
def test_a_damaged_file_is_an_error_that_says_what_to_do(folder: Path, content: bytes) -> None:
    credentials.save("env-1", KEY)
    (folder / "credentials.json").write_bytes(content)
    with pytest.raises(
        ConfigurationError, match=r"Set the key again with cbai\.configure\(.*\), or delete"
    ) as error:
        credentials.load()
    assert "sk-3f" not in "".join(traceback.format_exception(error.value))
    credentials.save("env-1", KEY)
    assert credentials.load()["api_key"] == KEY
    (folder / "credentials.json").write_bytes(content)
    credentials.forget()
    assert credentials.load() == {}


def test_where_nothing_can_be_written_the_error_names_the_ways_out(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="CBAI_CONFIG_DIR") as error:
        credentials.save("env-1", KEY)
    assert KEY not in "".join(traceback.format_exception(error.value))
    backend = use(Memory(1_000))
    with pytest.raises(ConfigurationError):
        credentials.save("env-1", KEY)
    assert backend.kept == {}
    assert credentials.load() == {}


def test_a_machine_without_a_login_never_asks_a_keyring(tmp_path: Path) -> None:
    code = (
        "import sys; from cbai_notebook.client import credentials; assert credentials.load() == {}; "
        "sys.exit('keyring' in sys.modules)"
    )
    environment = {**os.environ, "CBAI_CONFIG_DIR": str(tmp_path / "none")}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert ended.returncode == 0


def test_without_a_setting_the_file_is_in_the_users_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CBAI_CONFIG_DIR")
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    if sys.platform == "win32":
        pytest.skip("Windows asks its registry, not the environment")
    where = Path(credentials.save("env-1", KEY))
    assert tmp_path in where.parents
    assert where.parent.name == "cbai-notebook"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks its registry")
def test_without_a_home_directory_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CBAI_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("HOME")
    import pwd

    def no_entry(_: object) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    assert credentials.load() == {}
    assert credentials.load_servers() == {}
    assert not credentials.forget()
    with pytest.raises(ConfigurationError, match=r"no home directory.*CBAI_CONFIG_DIR"):
        credentials.save("env-1", KEY)
    assert not list(tmp_path.iterdir())


# Named servers

ADDRESS = "https://models.example/v1"


def test_servers_are_stored_beside_the_environment(folder: Path) -> None:
    credentials.save("env-1", KEY)
    where = credentials.save_server("mine", ADDRESS + "/", "server-key-1")
    credentials.save_server("free", "http://127.0.0.1:11434/v1")
    assert where == str(folder / "credentials.json")
    found = credentials.load_servers()
    assert {name: (server.base_url, server.api_key) for name, server in found.items()} == {
        "mine": (ADDRESS, "server-key-1"),
        "free": ("http://127.0.0.1:11434/v1", None),
    }
    assert found["mine"].source == f"stored in {where}"
    assert credentials.load()["api_key"] == KEY
    credentials.save("env-2", "another-key-1")
    assert set(credentials.load_servers()) == {"mine", "free"}
    # The fields that an older version reads are where they were.
    record = json.loads((folder / "credentials.json").read_text(encoding="utf-8"))
    assert (record["env_id"], record["api_key"]) == ("env-2", "another-key-1")


def test_each_is_forgotten_alone(folder: Path) -> None:
    backend = use(Memory(1_000))
    credentials.save("env-1", KEY)
    credentials.save_server("mine", ADDRESS, "server-key-1")
    credentials.save_server("other", ADDRESS, "server-key-2")
    assert set(backend.kept.values()) == {KEY, "server-key-1", "server-key-2"}
    assert "server-key" not in (folder / "credentials.json").read_text(encoding="utf-8")
    assert credentials.forget("mine")
    assert not credentials.forget("mine")
    assert set(backend.kept.values()) == {KEY, "server-key-2"}
    assert credentials.forget()
    assert credentials.load() == {}
    assert list(credentials.load_servers()) == ["other"]
    assert credentials.forget("other")
    assert backend.kept == {}
    assert list(folder.iterdir()) == []


def test_a_server_that_is_stored_again_leaves_no_old_key() -> None:
    backend = use(Memory(1_000))
    credentials.save_server("mine", ADDRESS, "server-key-1")
    credentials.save_server("mine", ADDRESS)
    assert backend.kept == {}
    assert credentials.load_servers()["mine"].api_key is None


def test_a_key_that_the_keyring_lost_stops_only_its_server() -> None:
    use(Memory(1_000))
    credentials.save_server("mine", ADDRESS, "server-key-1")
    use(fail.Keyring())
    credentials.save_server("other", ADDRESS, "server-key-2")
    found = credentials.load_servers()
    assert "Set it again with %cbai login mine." in said_now(found["mine"].problem, "cell")
    assert found["other"].api_key == "server-key-2"
    model = create_model("mine", settings=Settings(servers=found))
    with pytest.raises(ConfigurationError, match=r"configure\(servers=\{'mine': …"):
        asyncio.run(model.prepare(True, model="m", messages=[{"role": "user", "content": "Hi"}]))


def test_a_file_of_an_older_version_is_read_and_a_damaged_list_is_left_out(folder: Path) -> None:
    credentials.save("env-1", KEY)
    file = folder / "credentials.json"
    assert "servers" not in json.loads(file.read_text(encoding="utf-8"))
    assert credentials.load_servers() == {}
    good = {"base_url": ADDRESS}
    for servers in ([], "x", {"mine": 7}, {"custom": good}, {"a/b": good}, {"mine": {}}):
        file.write_text(json.dumps({"env_id": "env-1", "api_key": KEY, "servers": servers}))
        assert credentials.load_servers() == {}
        assert credentials.load()["api_key"] == KEY


@pytest.mark.parametrize(("name", "address"), [("local", ADDRESS), ("mine", "models.example")])
def test_a_server_that_cannot_be_used_is_not_stored(folder: Path, name: str, address: str) -> None:
    with pytest.raises(ConfigurationError):
        credentials.save_server(name, address, KEY)
    assert not folder.exists()
