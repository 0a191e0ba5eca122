"""No secret leaves with a prompt, whatever part of the request holds it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.errors import SecretRefusedError
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.notebook.cells import error_of, must
from tests.notebook.panel.panels import converse, eventually, shown

TOKEN = 'ghp_A1b2"C3d4E5f6G7h8I9j0/K1'
KEY = "a-key-of-the-cloud-0123456789"

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set an environment variable that holds a secret."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)


def nothing_left(gateway: Gateway, *secrets: str) -> bool:
    sent = "".join(str(request.json) for request in gateway.requests)
    return not any(secret in sent for secret in secrets)


def fetch(path: str, token: str = TOKEN, retries: int = 3, key: str = KEY) -> str:
    """Fetch a file."""
    return "the file" if (token, key) == (TOKEN, KEY) else "no access"


def test_a_secret_default_stays_here_and_the_function_has_it(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    cbai.configure(api_key=KEY)
    gateway.key = KEY
    shell.user_ns["fetch"] = fetch
    gateway.script(calling(Call("fetch", {"path": "README"})), "say:Read.")
    must(shell, "%%cbai --tool fetch\nWhat is in README?")
    out = capsys.readouterr().out
    assert "The default of token in fetch holds the value of GITHUB_TOKEN." in out
    assert "The default of key in fetch holds the value of the API key." in out
    first, second = (request.json for request in gateway.requests)
    parameters = first["tools"][0]["function"]["parameters"]
    assert parameters["properties"]["token"] == {"type": "string"}
    assert parameters["properties"]["retries"] == {"type": "integer", "default": 3}
    assert parameters["required"] == ["path"]
    assert second["messages"][-1]["content"] == "the file"
    assert nothing_left(gateway, TOKEN, KEY)


def _schema_of_its_own() -> dict[str, Any]:
    properties = {
        "default": {"type": "string", "description": "The name of a branch."},
        "login": {"type": "object", "properties": {"token": {"default": {"value": [TOKEN]}}}},
    }
    return {
        "name": "fetch",
        "parameters": {"type": "object", "properties": properties},
        "fn": lambda login, default: "x",
    }


def test_defaults_inside_a_schema_of_the_users_own_stay_here_too(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    panel = cbai.ChatPanel("own-schema", tools=[_schema_of_its_own()])
    converse(panel, "Go")
    properties = gateway.last.json["tools"][0]["function"]["parameters"]["properties"]
    assert properties["login"]["properties"] == {"token": {}}
    assert properties["default"]["description"] == "The name of a branch."
    assert nothing_left(gateway, TOKEN)
    eventually(lambda: "GITHUB_TOKEN" in shown(panel.widget))
    panel.close()


async def test_a_secret_default_stays_here_in_a_call_from_python(
    gateway: Gateway, configured: None
) -> None:
    for function in (fetch, cbai.tool(fetch)):
        await cbai.create_model("cloudbase").generate_text(
            model="m", messages=[{"role": "user", "content": "Hi"}], tools=[function]
        )
    assert len(gateway.requests) == 2
    assert nothing_left(gateway, TOKEN)


def _described(path: str) -> None: ...


_described.__doc__ = f"Fetch a file with {TOKEN}."


def _named(path: Annotated[str, f"A path behind {TOKEN}"]) -> None:
    """Fetch a file."""


def _chosen(path: Literal[TOKEN]) -> None:  # type: ignore[valid-type]
    """Fetch a file."""


def _returned(count: int) -> None:
    """Fetch files."""


@pytest.mark.parametrize(
    "tool",
    [
        _described,
        _named,
        _chosen,
        cbai.tool(name="fetch", description=f"With {TOKEN}")(_returned),
        {"type": "function", "function": {"name": "f", "description": TOKEN, "parameters": {}}},
        {"type": "function", "function": {"name": TOKEN, "parameters": {}}},
        {"type": "web_search", "web_search": {"key": TOKEN}},
    ],
)
def test_a_secret_in_a_tool_is_refused(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    tool: Any,
) -> None:
    shell.user_ns["tool"] = tool
    panel = cbai.ChatPanel("with-a-tool", tools=[tool])
    with pytest.raises(SecretRefusedError, match="GITHUB_TOKEN") as refused:
        panel.send("Go")
    assert TOKEN not in str(refused.value)
    panel.close()
    if callable(tool):
        for options in ("", "--dry-run"):
            error = error_of(shell, f"%%cbai --tool tool {options}\nGo")
            assert isinstance(error, SecretRefusedError)
            assert "GITHUB_TOKEN" in str(error)
    assert gateway.requests == []
    assert TOKEN not in capsys.readouterr().out


@pytest.mark.parametrize(
    "cell",
    [
        "%%cbai -P stop={secret}\nHi",
        "%%cbai -s {secret}\nHi",
        "%%cbai -m {secret}\nHi",
        "%%cbai --schema Shape\nHi",
        "%%cbai --draw -P user={secret}\nA cat",
    ],
)
@pytest.mark.parametrize("options", ["", "--dry-run "])
def test_a_secret_elsewhere_in_a_request_is_refused(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    cell: str,
    options: str,
) -> None:
    secret = "ghx-0123456789abcdef"
    monkeypatch.setenv("GITHUB_TOKEN", secret)
    must(
        shell,
        "import os\nfrom dataclasses import dataclass\n@dataclass\nclass Shape:\n"
        "    name: str = os.environ['GITHUB_TOKEN']",
    )
    error = error_of(shell, cell.replace("%%cbai ", f"%%cbai {options}").format(secret=secret))
    assert isinstance(error, SecretRefusedError)
    assert secret not in str(error)
    assert gateway.requests == []


def test_a_dry_run_shows_no_secret_also_where_one_may_be_sent(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns.update(token=TOKEN, fetch=fetch)
    must(shell, "%%cbai --dry-run --allow-secrets --tool fetch\nMy token is {token}!")
    out = capsys.readouterr().out
    assert "My token is ••••••!" in out
    assert "A1b2" not in out
    must(shell, "%%cbai --allow-secrets\nMy token is {token}!")
    assert TOKEN in gateway.last.json["messages"][-1]["content"]


@pytest.mark.parametrize("cell", ["%%cbai", "%%cbai --dry-run", "%%cbai --draw"])
def test_what_before_send_adds_is_looked_at_too(
    shell: TerminalInteractiveShell, gateway: Gateway, cell: str
) -> None:
    def signed(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        last = messages[-1]
        return [
            *messages[:-1],
            {**last, "content": f"{last['content']} {os.environ['GITHUB_TOKEN']}"},
        ]

    cbai.configure(before_send=signed)
    try:
        error = error_of(shell, f"{cell}\nHi")
        assert isinstance(error, SecretRefusedError)
        assert "what before_send returned holds the value of GITHUB_TOKEN" in str(error)
        assert gateway.requests == []
        assert len(cbai.chat()) == 0
        must(shell, f"{cell} --allow-secrets\nHi")
    finally:
        cbai.configure(before_send=None)


def read_settings() -> dict[str, str]:
    """Read the settings."""
    return {"token": os.environ["GITHUB_TOKEN"], "region": "Shenzhen"}


MASKED = "What read_settings returned held the value of GITHUB_TOKEN."


def test_what_a_tool_returns_is_masked_and_the_reader_is_told(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["read_settings"] = read_settings
    gateway.script(calling("read_settings"), "say:Shenzhen.")
    must(shell, "%%cbai --tool read_settings\nWhere?")
    assert gateway.last.json["messages"][-1]["content"] == '{"token":"••••••","region":"Shenzhen"}'
    assert MASKED in capsys.readouterr().out
    panel = cbai.ChatPanel("masks", tools=[read_settings])
    gateway.script(calling("read_settings"), "say:Shenzhen.")
    converse(panel, "Where?")
    eventually(lambda: MASKED in shown(panel.widget))
    panel.close()
    assert nothing_left(gateway, TOKEN, "A1b2")
    gateway.script(calling("read_settings"), "say:Shenzhen.")
    must(shell, "%%cbai --tool read_settings --allow-secrets --no-history\nWhere?")
    assert "A1b2" in gateway.last.json["messages"][-1]["content"]
    assert MASKED not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (b"gr\xfc\xdfe-Passw0rt1", "grüße-Passw0rt1"),
        (b"gr\xfc\xdfe-Passw0rt1", b"gr\xfc\xdfe-Passw0rt1".decode("utf-8", "surrogateescape")),
        (b"gr\xfc\xdfe-Passw0rt1", b"gr\xfc\xdfe-Passw0rt1".decode("utf-8", "replace")),
        ("口令-Passw0rd1".encode("gb18030"), "口令-Passw0rd1"),
        (b"http://me:gr\xfc\xdfe-Passw0rt1@host/", "grüße-Passw0rt1"),
        (b'{"password": "gr\xfc\xdfe-Passw0rt1"}', "grüße-Passw0rt1"),
    ],
)
def test_a_secret_that_is_no_utf8_breaks_no_prompt_and_stays_here(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    raw: bytes,
    written: str,
) -> None:
    monkeypatch.setitem(os.environb, b"DB_PASSWORD", raw)
    monkeypatch.setitem(os.environb, b"KEY_\xff", b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8")
    must(shell, "%%cbai\nHello, what is 1 + 1 ????????")
    must(shell, "%%cbai --dry-run\nHello")
    shell.user_ns.update(written=written, tell=lambda: None)
    assert isinstance(error_of(shell, "%%cbai\nIt is {written}"), SecretRefusedError)

    def tell() -> list[str]:
        """Tell it."""
        return [written]

    shell.user_ns["tell"] = tell
    gateway.script(calling("tell"), "say:ok")
    must(shell, "%%cbai --tool tell\nGo")
    result = gateway.last.json["messages"][-1]["content"]
    assert "••••••" in result
    assert "Passw0r" not in result


def test_a_cut_leaves_no_half_of_a_secret(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    def read(before: int) -> str:
        """Read a long text."""
        return "x" * before + TOKEN

    shell.user_ns["read"] = read
    gateway.script(calling(Call("read", {"before": 99_990})), "say:ok")
    must(shell, "%%cbai --tool read --no-history\nGo")
    assert nothing_left(gateway, TOKEN[:6])


def test_an_error_of_a_tool_is_masked(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    def connect(path: str = "") -> str:
        """Connect."""
        raise ConnectionError(f"401 for token={TOKEN}")

    shell.user_ns["connect"] = connect
    gateway.script(calling("connect"), "say:ok")
    must(shell, "%%cbai --tool connect\nGo")
    (call,) = cbai.chat().turns[0].calls
    assert isinstance(call, ToolCall)
    assert (call.status, call.masked) == ("error", ("GITHUB_TOKEN",))
    assert nothing_left(gateway, TOKEN)


async def test_a_schema_of_the_answer_that_holds_a_secret_is_refused_from_python_too(
    gateway: Gateway, configured: None
) -> None:
    @dataclass
    class Login:
        token: str = TOKEN

    model = cbai.create_model("cloudbase")
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    with pytest.raises(SecretRefusedError, match=r"the schema of the answer.*GITHUB_TOKEN"):
        await model.generate_text(**asked, response_type=Login)
    with pytest.raises(SecretRefusedError, match="GITHUB_TOKEN"):
        await model.stream_text(**asked, response_format={"default": TOKEN})
    assert not gateway.requests


def test_a_number_can_be_a_secret_too(
    shell: TerminalInteractiveShell, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 1234567890123456789
    monkeypatch.setenv("ACCOUNT_KEY", str(number))
    error = error_of(shell, f"%%cbai -P user={number}\nHi")
    assert isinstance(error, SecretRefusedError)

    def pay(amount: float, account: int = number) -> None:
        """Pay."""

    shell.user_ns["pay"] = pay
    must(shell, "%%cbai --tool pay\nPay 3")
    properties = gateway.last.json["tools"][0]["function"]["parameters"]["properties"]
    assert properties["account"] == {"type": "integer"}
    assert nothing_left(gateway, str(number))
