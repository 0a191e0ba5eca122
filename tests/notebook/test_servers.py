"""Named servers in cells: `-m mine/MODEL`, `%cbai config`, `models`, `login` and `logout`."""

from __future__ import annotations

import getpass
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook import errors
from cbai_notebook.client import credentials
from cbai_notebook.conversation.formats import export
from cbai_notebook.text import columns
from tests.client.test_servers import model_server
from tests.gateway import Gateway, serve
from tests.notebook.cells import error_of, must

KEYS = ("sk-one-4f9a8b7c6d5e", "sk-two-0a1b2c3d4e5f")
TEAM = "team-secret-81f2"


@pytest.fixture
def two(shell: InteractiveShell) -> Iterator[tuple[Gateway, Gateway]]:
    """Return two servers, named ``one`` and ``two``, beside that of the shell."""
    with serve(key=KEYS[0]) as one, serve(key=KEYS[1]) as two:
        cbai.configure(
            servers={
                "one": {
                    "base_url": one.base_url,
                    "api_key": KEYS[0],
                    "headers": {"X-Team": TEAM},
                    "model": "echo",
                },
                "two": {"base_url": two.base_url, "api_key": KEYS[1]},
            }
        )
        yield one, two
        cbai.configure(servers=None)


def test_one_conversation_asks_several_servers(
    shell: TerminalInteractiveShell, two: tuple[Gateway, Gateway], gateway: Gateway
) -> None:
    must(shell, "%cbai -m one First")
    must(shell, "%cbai -m two/echo Second")
    must(shell, "%cbai -m cloudbase/echo Third")
    asked = [(turn["provider"], turn["model"]) for turn in cbai.chat().messages[1::2]]
    assert asked == [("one", "echo"), ("two", "echo"), ("cloudbase", "echo")]
    one, other = two
    assert [len(each.requests) for each in (one, other, gateway)] == [1, 1, 1]
    assert one.last.headers["x-team"] == TEAM
    assert "x-team" not in other.last.headers
    assert "x-team" not in gateway.last.headers


@pytest.mark.parametrize(
    "ask",
    [
        lambda: cbai.batch([{"x": "1"}], "{x}", model="oen"),
        lambda: cbai.compare("x", models=["one", "oen"]),
        lambda: cbai.evaluate(
            [{"x": "1"}], {"a": "{x}"}, models=["one", "oen"], checks=[cbai.check.contains("x")]
        ),
    ],
    ids=["batch", "compare", "evaluate"],
)
def test_a_mistyped_server_gets_nothing_and_no_other_server_does(
    shell: TerminalInteractiveShell,
    two: tuple[Gateway, Gateway],
    gateway: Gateway,
    ask: Callable[[], object],
) -> None:
    with pytest.raises(errors.UsageError, match="Did you mean 'one'"):
        ask()
    error = error_of(shell, "%%cbai -m oen\nPrivate")
    assert "Did you mean 'one'" in str(error)
    assert "-m cloudbase/oen" in str(error)
    assert not any(each.requests for each in (*two, gateway))
    must(shell, "%cbai -m cloudbase/oen Hello")
    assert gateway.last.json["model"] == "oen"


def test_a_cached_answer_is_that_of_the_same_server(
    shell: TerminalInteractiveShell, two: tuple[Gateway, Gateway]
) -> None:
    _, other = two
    must(shell, "%cbai -m one/echo Hello")
    cbai.configure(servers={"one": {"base_url": other.base_url, "api_key": KEYS[1]}})
    before = len(other.requests)
    must(shell, "%cbai reset")
    must(shell, "%cbai --cached -m one/echo Hello")
    assert len(other.requests) == before + 1, "another address is another server"
    must(shell, "%cbai reset")
    must(shell, "%cbai --cached -m one/echo Hello")
    assert len(other.requests) == before + 1


def test_a_dry_run_shows_the_names_of_headers_and_no_value(
    shell: TerminalInteractiveShell,
    two: tuple[Gateway, Gateway],
    capsys: pytest.CaptureFixture[str],
) -> None:
    must(shell, "%cbai -m one --dry-run Hello")
    shown = capsys.readouterr().out
    assert f"POST {two[0].base_url}/chat/completions" in shown
    assert "X-Team: ••••••" in shown
    assert "Authorization: ••••••" in shown
    assert TEAM not in shown
    assert KEYS[0] not in shown
    assert two[0].requests == []


@pytest.mark.parametrize("secret", [*KEYS, TEAM])
def test_a_prompt_with_a_key_or_a_header_of_any_server_is_refused(
    shell: TerminalInteractiveShell, two: tuple[Gateway, Gateway], gateway: Gateway, secret: str
) -> None:
    error = error_of(shell, f"%cbai -m cloudbase/echo Explain {secret}")
    assert isinstance(error, errors.SecretRefusedError)
    assert "'one'" in str(error) or "'two'" in str(error)
    assert secret not in str(error)
    assert gateway.requests == []


def test_config_shows_no_password_of_an_address(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    cbai.configure(base_url="http://me:pass-4f9a8b7c@127.0.0.1:9/v1")
    must(shell, "%cbai config")
    shown = capsys.readouterr().out
    assert "http://127.0.0.1:9/v1" in shown
    assert "pass-4f9a" not in shown


def test_config_shows_each_path_whole_and_once(
    shell: TerminalInteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ("long-name-" * 6) / "history.sqlite"
    for name in ("one", "two"):
        where = credentials.save_server(name, "http://127.0.0.1:9/v1", KEYS[0])
    cbai.configure(history=str(file))
    must(shell, "%cbai config")
    cbai.configure(history=None)
    lines = capsys.readouterr().out.splitlines()
    assert lines.count(str(file)) == 1
    assert lines.count(f"stored in {where}") == 1
    for name in ("one", "two"):
        must(shell, f"%cbai logout {name}")


def test_config_tells_where_the_default_provider_comes_from(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    def provider_row() -> tuple[str, str]:
        capsys.readouterr()
        must(shell, "%cbai config")
        lines = capsys.readouterr().out.splitlines()
        _, value, origin = next(line for line in lines if line.startswith("provider")).split(
            maxsplit=2
        )
        return value, origin.split()[0]

    assert provider_row() == ("cloudbase", "argument")
    cbai.configure(env_id=None, api_key=None, base_url=None)
    assert provider_row() == ("local", "default")
    credentials.save_server("work", gateway.base_url)
    cbai.configure(servers={"bad": {"base_url": gateway.base_url}})
    assert provider_row()[0] == "work"
    assert provider_row()[1].startswith("stored")
    must(shell, "%cbai logout work")
    assert provider_row() == ("bad", "argument")
    cbai.configure(servers=None)


def test_config_lists_servers_without_their_secrets(
    shell: TerminalInteractiveShell,
    two: tuple[Gateway, Gateway],
    capsys: pytest.CaptureFixture[str],
) -> None:
    must(shell, "%cbai config")
    shown = capsys.readouterr().out
    line, key, headers, *_ = shown[shown.index("server one") :].splitlines()
    assert two[0].base_url in line
    assert line.endswith("argument")
    assert key.strip() == "key set, hidden"
    assert "X-Team" in headers
    assert TEAM not in shown
    assert KEYS[0] not in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_line_of_a_setting_is_wider_than_a_terminal(
    language: str, shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"https://models.example.com/{'very/' * 20}long/v1"
    server = {"base_url": address, "api_key": "sk-0f1e2d3c", "model": "qwen-" * 20}
    cbai.configure(language=language, servers={"a-server-with-quite-a-long-name": server})
    try:
        must(shell, "%cbai config")
    finally:
        cbai.configure(language=None, servers=None)
    head, _, below = capsys.readouterr().out.partition("\n\n")
    assert address in below.splitlines()
    table = head.splitlines()
    assert max(map(columns, table)) < 80
    (line,) = (line for line in table if "https://models" in line)
    assert line.split()[-2].startswith("https://models.e")
    assert line.split()[-2].endswith("long/v1")
    assert "…" in line


def test_models_asks_the_servers(
    shell: TerminalInteractiveShell,
    two: tuple[Gateway, Gateway],
    capsys: pytest.CaptureFixture[str],
) -> None:
    must(shell, "%cbai models one")
    assert "one: this server has no list of its models" in capsys.readouterr().out
    assert two[0].last.target == "/v1/models"
    assert two[1].requests == []
    must(shell, "%cbai models")
    shown = capsys.readouterr().out
    assert "hy3" in shown
    assert "one: this server has no list" in shown
    assert "two: this server has no list" in shown
    cbai.configure(servers={"two": {"base_url": "http://127.0.0.1:9/v1"}})
    must(shell, "%cbai models")
    assert "two: Nothing answers at 127.0.0.1" in capsys.readouterr().out


def test_tab_offers_the_servers(
    shell: TerminalInteractiveShell, two: tuple[Gateway, Gateway]
) -> None:
    def offered(line: str) -> list[str]:
        with provisionalcompleter():
            return [each.text for each in shell.Completer.completions(line, len(line))]

    assert offered("%cbai -m on") == ["one/echo"]
    assert offered("%cbai -m tw") == ["two/"]
    assert offered("%cbai models tw") == ["two"]
    assert offered("%cbai logout o") == ["one"]


def test_login_stores_a_server_and_logout_forgets_it(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway.key = KEYS[0]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{gateway.base_url}\n"))
    monkeypatch.setattr(getpass, "getpass", lambda prompt: KEYS[0])
    must(shell, "%cbai login mine")
    assert "-m mine/MODEL" in capsys.readouterr().out
    must(shell, "%cbai -m mine/echo Hello")
    must(shell, "%cbai config")
    assert "server mine" in capsys.readouterr().out
    must(shell, "%cbai logout mine")
    assert credentials.load_servers() == {}
    must(shell, "%cbai logout mine")
    assert "Nothing is stored for 'mine'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "model"),
    [
        ("2\n", "org/other"),
        ("3\n2\n", "org/other"),
        ("qwen3\n", "qwen3"),
        ("mine\n", "mine"),
        ("\n", None),
        ("", None),
    ],
    ids=[
        "a number",
        "a wrong number",
        "a name of the list",
        "another name",
        "none",
        "nobody types",
    ],
)
def test_login_offers_the_models_of_the_server(
    shell: TerminalInteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    model: str | None,
) -> None:
    with model_server({"data": [{"id": "qwen3"}, {"id": "org/other"}]}) as server:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{server.base_url}\n{typed}"))
        monkeypatch.setattr(getpass, "getpass", lambda prompt: KEYS[0])
        must(shell, "%cbai login mine")
    shown = capsys.readouterr().out
    assert server.seen[0]["authorization"] == f"Bearer {KEYS[0]}"
    assert " 1  qwen3" in shown
    assert " 2  org/other" in shown
    assert (f"%%cbai -m mine asks {model}" if model else "%%cbai -m mine/MODEL") in shown
    assert credentials.load_servers()["mine"].model == model
    must(shell, "%cbai config")
    assert (f"model {model}" in capsys.readouterr().out) is bool(model)
    must(shell, "%cbai logout mine")


@pytest.mark.parametrize(
    ("typed", "model"),
    [("7\n2\n", "org/other"), ("0\n3\nmine\n", "mine"), ("7\n8\n9\nqwen3\n", None), ("7\n", None)],
    ids=["then a number", "then a name", "none is valid", "nobody types any more"],
)
def test_login_asks_again_for_a_number_that_is_not_in_the_list(
    shell: TerminalInteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    model: str | None,
) -> None:
    with model_server({"data": [{"id": "qwen3"}, {"id": "org/other"}]}) as server:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{server.base_url}\n{typed}"))
        monkeypatch.setattr(getpass, "getpass", lambda prompt: KEYS[0])
        must(shell, "%cbai login mine")
    assert f"no {typed[0]} in the list: it has 1 to 2" in capsys.readouterr().out
    assert credentials.load_servers()["mine"].model == model
    must(shell, "%cbai logout mine")


def test_login_mentions_no_list_where_there_is_none(
    shell: TerminalInteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with model_server({"error": {"message": "busy"}}, status=500) as server:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{server.base_url}\n1\n"))
        monkeypatch.setattr(getpass, "getpass", lambda prompt: KEYS[0])
        must(shell, "%cbai login mine")
    shown = capsys.readouterr().out
    assert "mine: " in shown
    assert "of the list" not in shown
    assert credentials.load_servers()["mine"].model == "1"
    must(shell, "%cbai logout mine")


@pytest.mark.parametrize(
    ("keys", "stored", "said"),
    [
        ([KEYS[1], KEYS[0]], KEYS[0], "mine refuses this API key"),
        ([KEYS[1], ""], KEYS[1], "mine refuses this API key"),
        ([KEYS[1]], KEYS[1], "mine refuses this API key"),
        (["", KEYS[0]], KEYS[0], "mine wants an API key"),
    ],
    ids=["then the right one", "it is kept", "nobody types any more", "none at first"],
)
def test_login_asks_again_for_a_key_that_the_server_refuses(
    shell: TerminalInteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keys: list[str],
    stored: str,
    said: str,
) -> None:
    replies = iter(keys)

    def key(prompt: str) -> str:
        for reply in replies:
            return reply
        raise EOFError

    with model_server({"data": [{"id": "qwen3"}]}, key=KEYS[0]) as server:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{server.base_url}\nqwen3\n"))
        monkeypatch.setattr(getpass, "getpass", key)
        must(shell, "%cbai login mine")
    shown = capsys.readouterr().out
    assert said in shown
    assert not any(each in shown for each in KEYS)
    assert ("does not take the key" in shown) is (stored != KEYS[0])
    assert ("%%cbai -m mine asks qwen3" in shown) is (stored == KEYS[0])
    kept = credentials.load_servers()["mine"]
    assert "".join(kept.api_key or "") == stored
    assert kept.model == "qwen3"
    must(shell, "%cbai logout mine")


def test_login_asks_again_for_an_address_that_is_none(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed = f"{gateway.base_url.partition('//')[2]}\n{gateway.base_url}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    monkeypatch.setattr(getpass, "getpass", lambda prompt: KEYS[0])
    must(shell, "%cbai login mine")
    assert capsys.readouterr().out.count("Address of mine") == 2
    assert credentials.load_servers()["mine"].base_url == gateway.base_url
    must(shell, "%cbai logout mine")


@pytest.mark.parametrize(
    ("ends_with", "model"),
    [(KeyboardInterrupt, "qwen3"), (EOFError, "qwen3"), (None, None)],
    ids=["an interrupt", "nobody types", "none is wanted"],
)
def test_login_with_a_new_key_loses_no_model(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    ends_with: type[BaseException] | None,
    model: str | None,
) -> None:
    credentials.save_server("mine", gateway.base_url, KEYS[0], "qwen3")
    questions: list[str] = []

    def reply(question: str) -> str:
        questions.append(question)
        if len(questions) == 1:
            return gateway.base_url
        if ends_with is not None:
            raise ends_with
        return ""

    monkeypatch.setattr("builtins.input", reply)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: KEYS[1])
    if ends_with is KeyboardInterrupt:
        assert isinstance(error_of(shell, "%cbai login mine"), KeyboardInterrupt)
    else:
        must(shell, "%cbai login mine")
    stored = credentials.load_servers()["mine"]
    assert "".join(stored.api_key or "") == KEYS[1]
    assert stored.model == model
    must(shell, "%cbai logout mine")


def test_login_says_when_configure_names_the_server_too(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cbai.configure(servers={"mine": {"base_url": gateway.base_url, "api_key": KEYS[1]}})
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{gateway.base_url}\n"))
    monkeypatch.setattr(getpass, "getpass", lambda prompt: KEYS[0])
    must(shell, "%cbai login mine")
    assert "not in use" in capsys.readouterr().out
    cbai.configure(servers={"mine": None})
    gateway.key = KEYS[0]
    must(shell, "%cbai -m mine/echo Hello")
    must(shell, "%cbai logout mine")


@pytest.mark.parametrize("line", ["custom", "mine\nhttp//typo"])
def test_login_refuses_what_cannot_be_a_server(
    shell: TerminalInteractiveShell, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    name, _, address = line.partition("\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{address}\n"))
    assert isinstance(error_of(shell, f"%cbai login {name}"), errors.ConfigurationError)
    assert credentials.load_servers() == {}


@pytest.mark.parametrize("form", ["curl", "python", "notebook", "mini-program", "web", "messages"])
def test_an_export_has_the_address_of_each_turn_and_no_secret(
    shell: TerminalInteractiveShell, two: tuple[Gateway, Gateway], form: str
) -> None:
    must(shell, f"%cbai --allow-secrets -m one Hello {KEYS[1]} {TEAM}")
    must(shell, "%cbai --allow-secrets -m two/echo Hello")
    every = {"every_turn": True} if form in ("curl", "python") else {}
    files = export(cbai.chat(), form, **every).files  # type: ignore[arg-type]
    text = "".join(map(str, files.values()))
    assert not any(secret in text for secret in (*KEYS, TEAM))
    if every:
        assert text.index(two[0].base_url) < text.index(two[1].base_url)
        assert "ONE_API_KEY" in text
        assert "ONE_HEADER_X_TEAM" in text


def test_a_mistyped_model_is_answered_with_one_that_is_known_without_asking(
    shell: TerminalInteractiveShell, two: tuple[Gateway, Gateway]
) -> None:
    one, other = two
    for each in two:
        each.always("error:404:model_not_found")
    assert "Did you mean echo?" in str(error_of(shell, "%cbai -m one/ehco Hi"))
    assert "Did you mean" not in str(error_of(shell, "%cbai -m one/something Hi"))
    assert "Did you mean" not in str(error_of(shell, "%cbai -m two/ehco Hi"))
    assert [len(each.requests) for each in (one, other)] == [2, 1], "no list was asked for"


def test_a_list_that_was_read_before_tells_which_model_is_meant(
    shell: TerminalInteractiveShell,
) -> None:
    with model_server({"data": [{"id": "qwen3:4b"}, {"id": "llama3"}]}) as server:
        cbai.configure(servers={"work": {"base_url": server.base_url}})
        assert "Did you mean" not in str(error_of(shell, "%cbai -m work/qwn3:4b Hi"))
        must(shell, "%cbai models work")
        assert "Did you mean qwen3:4b?" in str(error_of(shell, "%cbai -m work/qwn3:4b Hi"))
        assert len(server.seen) == 1
        cbai.configure(servers=None)
