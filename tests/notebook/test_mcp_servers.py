"""Servers of tools in cells: `--tool server.search`, and `%cbai mcp` with the files it reads."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook import errors
from cbai_notebook.client.secret_values import known_secrets
from cbai_notebook.client.tools.source import UnconfirmedError
from cbai_notebook.mcp_servers.files import configuration_files
from cbai_notebook.mcp_servers.server import McpServer, mcp, open_servers
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.mcp_servers.conftest import PLAIN
from tests.notebook.cells import error_of, must
from tests.notebook.panel.panels import converse, eventually, shown

Run = Callable[[str], str]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Work in an empty folder, with an empty home and nothing confirmed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("CBAI_CONFIG_DIR", str(tmp_path / "config"))
    # The last batch of another test keeps its servers, which would be listed here.
    cbai.batch([{"n": 1}, {"n": 2}], "{n}", model="demo", progress=False)
    gc.collect()
    return tmp_path


@pytest.fixture
def command(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Return a function that runs a command and returns what it prints."""

    def run(line: str) -> str:
        capsys.readouterr()
        must(shell, f"%cbai {line}")
        return capsys.readouterr().out

    return run


@pytest.fixture
def plain(shell: TerminalInteractiveShell) -> Iterator[McpServer]:
    """Return a server that the user has as the variable ``plain``."""
    server = shell.user_ns["plain"] = mcp(PLAIN, name="plain", trust=True)
    yield server
    server.close()
    del shell.user_ns["plain"]


def configure(folder: Path, name: str = ".mcp.json", **entry: Any) -> None:
    """Write a file with a server ``sums``."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    usual = {"command": PLAIN[0], "args": PLAIN[1:], "env": {"SUMS_TOKEN": "${TOKEN_OF_SUMS}"}}
    path.write_text(json.dumps({"mcpServers": {"sums": {**usual, **entry}}}))


def answers(monkeypatch: pytest.MonkeyPatch, *replies: str) -> list[str]:
    """Type replies; return the questions."""
    asked: list[str] = []
    waiting = list(replies)

    def reply(question: str = "") -> str:
        asked.append(question)
        return waiting.pop(0)

    monkeypatch.setattr("builtins.input", reply)
    return asked


def test_a_cell_uses_a_server_and_one_of_its_tools(
    shell: TerminalInteractiveShell, gateway: Gateway, plain: McpServer
) -> None:
    gateway.script(calling(Call("add", {"x": 2})), "say:Three.")
    must(shell, "%%cbai --tool plain --tool plain.add\nAdd")
    assert gateway.last.json["messages"][-1]["content"] == "3"
    names = [tool["function"]["name"] for tool in gateway.last.json["tools"]]
    assert sorted(names) == sorted(plain.known_names()), "each once"
    assert "no tool 'ad'" in str(error_of(shell, "%%cbai --tool plain.ad\nAdd"))
    shell.user_ns["number"] = lambda: 1
    assert "no tools of its own" in str(error_of(shell, "%%cbai --tool number.add\nAdd"))


def test_a_prompt_with_a_value_of_its_environment_is_refused(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    mcp(PLAIN, name="sales", env={"DB": "postgres://me:v8Bn4Mk6Jh3G@db/sales"})
    error = error_of(shell, "%%cbai\nThe password is v8Bn4Mk6Jh3G.")
    assert isinstance(error, errors.SecretRefusedError)
    assert "DB of the server sales" in str(error)
    assert gateway.requests == []


def test_nothing_is_configured(command: Run, folder: Path) -> None:
    lines = command("mcp").splitlines()
    assert "    files = cbai.mcp('npx -y @modelcontextprotocol/server-filesystem .')" in lines
    assert "    %%cbai --tool files" in lines
    where = lines.index("Looked for in:")
    assert lines[where + 1] == f"    {folder / '.jupyter' / 'mcp_settings.json'}"
    assert len(lines) == where + 9, "each file has a line"


def test_two_servers_of_one_name_in_two_files_are_both_listed(
    folder: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, env={})
    server = mcp(name="sums")
    (folder / "here").mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(folder / "here")
        configure(folder / "here", env={}, args=["other.py"])
        rows = [line for line in command("mcp").splitlines() if line.startswith("sums")]
        assert len(rows) == 2
        assert rows[0].rstrip().endswith(".mcp.json")
        assert "other.py" in rows[1]
        assert rows[1].split()[-1] == ".mcp.json"
    (row,) = (line for line in command("mcp").splitlines() if line.startswith("sums"))
    assert row.split()[-1] == ".mcp.json"
    server.close()


def test_the_list_shows_what_runs_and_what_it_costs(plain: McpServer, command: Run) -> None:
    assert "not running" in command("mcp")
    plain.named_tools()
    listed = command("mcp")
    assert " running" in listed
    assert "Tools of plain, about" in listed
    (line,) = (line for line in listed.splitlines() if line.startswith("add "))
    assert "Add one." in line
    assert plain.tokens()["add"] == pytest.approx(
        len(json.dumps(plain.tool("add").sent)) / 4, abs=1
    )
    assert "has ended" in command("mcp stop plain")
    assert not plain.running


def test_a_server_is_named_by_its_variable_too(
    shell: TerminalInteractiveShell, command: Run
) -> None:
    server = shell.user_ns["shop"] = mcp(PLAIN)
    server.named_tools()
    (row,) = (line for line in command("mcp").splitlines() if " this session" in line)
    assert row.split()[:2] == [server.name, "shop"]
    assert f"Nothing of the server {server.name}" in command("mcp confirm shop")
    assert f"{server.name} has ended" in command("mcp stop shop")
    assert not server.running
    del shell.user_ns["shop"]


def test_an_unknown_server_is_answered_with_the_files(
    shell: TerminalInteractiveShell, folder: Path
) -> None:
    message = str(error_of(shell, "%cbai mcp confirm sum"))
    assert all(str(file) in message for file in configuration_files()), "none names a server"
    configure(folder, ".cursor/mcp.json")
    message = str(error_of(shell, "%cbai mcp confirm sum"))
    assert message.endswith(str(folder / ".cursor" / "mcp.json"))
    assert message.count("mcp.json") == 1


@pytest.mark.parametrize("name", [".mcp.json", ".jupyter/mcp_settings.json"])
def test_a_command_out_of_a_file_is_confirmed_once(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    folder: Path,
    command: Run,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv("TOKEN_OF_SUMS", "w3Er5Ty7Ui9Op")
    configure(folder, name)
    listed = command("mcp")
    assert "sums" in listed
    assert "not confirmed" in listed
    assert "w3Er5Ty7Ui9Op" not in listed
    server = shell.user_ns["sums"] = mcp(name="sums", trust=True)
    with pytest.raises(UnconfirmedError, match=r"server\.confirm\(\)"):
        server.named_tools()
    asked = answers(monkeypatch, "n", "y")
    error = error_of(shell, "%%cbai --tool sums.add\nAdd")
    assert isinstance(error, UnconfirmedError)
    assert gateway.requests == []
    gateway.script("say:Yes.")
    must(shell, "%%cbai --tool sums.add\nAdd")
    assert "SUMS_TOKEN" in asked[0]
    assert "w3Er5Ty7Ui9Op" not in asked[0]
    assert len(asked) == 2
    again = mcp(name="sums")
    assert "add" in again.named_tools(), "it was confirmed once"
    again.close()
    server.close()


@pytest.mark.parametrize(
    "change", [{"args": [*PLAIN[1:], "noisy"]}, {"env": {"PYTHONSTARTUP": "/tmp/x.py"}}]
)
def test_a_command_that_has_changed_is_confirmed_anew(
    folder: Path, command: Run, change: dict[str, Any]
) -> None:
    configure(folder, env={})
    assert "is confirmed" in command("mcp confirm sums --yes")
    assert "Nothing" in command("mcp confirm sums")
    assert mcp(name="sums").unconfirmed() is None
    configure(folder, **{"env": {}, **change})
    assert mcp(name="sums").unconfirmed() is not None


def test_the_question_shows_what_is_approved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_MINE", "u6Yt5Re4Wq3As2")
    hidden = "server\x1b[2K\nRun? \u202etxt"
    configure(folder, args=[hidden], env={hidden: "${KEY_OF_MINE}"}, cwd="sub\r")
    error = mcp(name="sums").unconfirmed()
    assert error is not None
    question = error.question
    assert "\\u001b[2K\\nRun? \\u202etxt" in question
    assert question.count("\n") == 5, "only our own lines"
    assert not any(char in question for char in "\x1b\r\u202e")
    assert f"{folder}/sub\\r" in question.replace("\\\\", "/")
    assert str(folder / ".mcp.json") in question
    assert "gets the values of: KEY_OF_MINE" in question
    assert "u6Yt5Re4Wq3As2" not in question
    (folder / ".mcp.json").write_text(
        json.dumps({"mcpServers": {"far": {"url": "https://example.com/mcp?k=${KEY_OF_MINE}"}}})
    )
    error = mcp(name="far").unconfirmed()
    assert error is not None
    assert "gets the values of: KEY_OF_MINE" in error.question


def test_values_of_a_file_are_not_secret_before_it_is_confirmed(folder: Path, command: Run) -> None:
    configure(folder, env={"SUMS_TOKEN": "f7Gh9Jk2Lz4Xc6"})
    command("mcp")
    assert mcp(name="sums").unconfirmed() is not None
    assert known_secrets(None, {}).names_in("f7Gh9Jk2Lz4Xc6") == []
    command("mcp confirm sums --yes")
    server = mcp(name="sums")
    server.named_tools()
    server.close()
    (name,) = known_secrets(None, {}).names_in("f7Gh9Jk2Lz4Xc6")
    assert name.startswith("SUMS_TOKEN of the server sums")


def test_a_server_in_use_is_confirmed_without_its_end(folder: Path, command: Run) -> None:
    configure(folder, env={})
    command("mcp confirm sums --yes")
    server = mcp(name="sums")
    server.named_tools()
    assert "Nothing" in command("mcp confirm sums")
    assert server.running
    assert not server.is_replaced
    assert server in open_servers()
    server.close()


def test_a_command_is_confirmed_for_its_folder_and_its_file(
    folder: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, env={}, command="python", args=["server.py"])
    assert "is confirmed" in command("mcp confirm sums --yes")
    server = mcp(name="sums")
    other = folder / "other"
    other.mkdir()
    configure(other, env={}, command="python", args=["server.py"])
    monkeypatch.chdir(other)
    assert server.unconfirmed() is None, "it starts where it was made"
    assert mcp(name="sums").unconfirmed() is not None, "another folder has another server.py"
    monkeypatch.chdir(folder)
    assert mcp(name="sums").unconfirmed() is None
    (folder / ".mcp.json").unlink()
    configure(folder, ".cursor/mcp.json", env={}, command="python", args=["server.py"])
    assert mcp(name="sums").unconfirmed() is not None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("mcp stop", "%cbai mcp [ACTION] [TOOLS]"),
        ("mcp stop nothing", "No server 'nothing' is open"),
        ("mcp confirm nothing", "No server 'nothing' is configured"),
    ],
)
def test_what_is_not_clear(shell: TerminalInteractiveShell, line: str, says: str) -> None:
    assert says in str(error_of(shell, f"%cbai {line}"))


def test_entries_that_cannot_be_used(folder: Path, command: Run) -> None:
    configure(folder)
    listed = command("mcp")
    assert "cannot start" in listed
    assert "TOKEN_OF_SUMS, which is not set" in listed, "the list names a variable that is not set"
    (folder / ".mcp.json").write_text("{")
    with pytest.raises(errors.ConfigurationError, match="cannot be read"):
        mcp(name="sums")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("// servers\n{}", "mcp.json cannot be read"),
        ("[" * 100_000, "mcp.json cannot be read"),
        ('{"servers": {"bad": {"command": "x", "cwd": 5}}}', "bad: "),
        (
            '{"servers": {"bad": {"url": "http://["}}}',
            "bad: The address of the server is no valid http",
        ),
        ('{"servers": {"bad": {"url": "ws://example.com/mcp"}}}', "bad: The address"),
    ],
)
def test_one_bad_file_or_entry_leaves_the_others(
    folder: Path, command: Run, text: str, says: str
) -> None:
    configure(folder, env={})
    (folder / ".vscode").mkdir()
    (folder / ".vscode" / "mcp.json").write_text(text)
    listed = command("mcp")
    assert "sums" in listed
    assert says in listed
    assert mcp(name="sums").unconfirmed() is not None
    with pytest.raises(errors.ConfigurationError):
        mcp(name="bad")


def test_a_damaged_file_of_what_was_seen(folder: Path, plain: McpServer) -> None:
    plain.named_tools()
    plain.close()
    file = folder / "config" / "mcp_confirmed.json"
    seen = json.loads(file.read_text())
    file.write_text(json.dumps({**seen, "tools": {key: ["add"] for key in seen["tools"]}}))
    again = mcp(PLAIN, name="plain")
    assert "add" in again.named_tools()
    again.close()


def test_an_address_in_a_file(folder: Path, command: Run) -> None:
    entry = {"url": "https://example.com/mcp?key=abc", "headers": {"X-Key": "b5Nm7Kj9Hg2F"}}
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"far": entry}}))
    listed = command("mcp")
    assert "https://example.com/mcp?…" in listed
    assert "b5Nm7Kj9Hg2F" not in listed


def test_a_question_about_mcp_is_a_prompt(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.script("say:A protocol.")
    must(shell, "%cbai mcp is what?")
    assert gateway.last.json["messages"][-1]["content"] == "mcp is what?"


@pytest.mark.usefixtures("shell")
def test_a_panel_asks_with_the_name_of_the_server(gateway: Gateway) -> None:
    server = mcp(PLAIN, name="<i>plain")
    gateway.script(calling(Call("add", {"x": 2})), "say:Three.")
    panel = cbai.ChatPanel("asks", tools=[server])
    assert panel.send("Add")
    question = "Run <code>add</code> of the server <code>&lt;i&gt;plain</code>?"
    eventually(lambda: question in shown(panel.widget))
    assert "要运行服务器 <code>&lt;i&gt;plain</code> 的 <code>add</code> 吗？" in shown(
        panel.widget
    )
    panel.close()
    server.close()


def test_a_tool_that_changes_while_its_server_runs_is_confirmed_in_cell_and_panel(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    about = folder / "about.txt"
    about.write_text("Add one.")
    server = shell.user_ns["plain"] = mcp([*PLAIN, f"changes=@{about}"], name="plain", trust=True)
    gateway.always("say:Yes.")
    panel = cbai.ChatPanel("changing", tools=[server])
    converse(panel, "Add")
    about.write_text("Add one, and send it.")
    cbai.run(server.call("change"))
    with pytest.raises(UnconfirmedError, match="add"):
        panel.send("Add")
    asked = answers(monkeypatch, "y")
    must(shell, "%%cbai --tool plain\nAdd")
    assert "add: Add one, and send it." in asked[0]
    converse(panel, "Add")
    for request in gateway.requests[-2:]:
        (tool,) = (t for t in request.json["tools"] if t["function"]["name"] == "add")
        assert tool["function"]["description"] == "Add one, and send it."
    panel.close()
    server.close()
    del shell.user_ns["plain"]


def test_a_tool_that_changes_while_the_question_stands_is_asked_about_again(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    about = folder / "about.txt"
    about.write_text("Add one.")
    server = shell.user_ns["plain"] = mcp([*PLAIN, f"changes=@{about}"], name="plain")
    server.named_tools()
    asked: list[str] = []

    def change(text: str) -> None:
        about.write_text(text)
        cbai.run(server.call("change"))
        cbai.run(server.start())

    def reply(question: str) -> str:
        if not asked:
            change("Add one, and send it.")
        asked.append(question)
        return "y"

    change("Add one to x.")
    monkeypatch.setattr("builtins.input", reply)
    gateway.always("say:Yes.")
    must(shell, "%%cbai --tool plain\nAdd")
    assert len(asked) == 2
    assert "add: Add one to x." in asked[0]
    assert "add: Add one, and send it." in asked[1]
    server.close()
    del shell.user_ns["plain"]
