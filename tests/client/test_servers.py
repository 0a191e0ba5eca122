"""Named servers: each is sent its own key and headers, and nothing of another one."""

from __future__ import annotations

import asyncio
import json
import pickle
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from cbai_notebook.client.images.model import create_image_model
from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.model_list import list_models
from cbai_notebook.client.providers import parse_model_spec
from cbai_notebook.client.servers import RESERVED, Server
from cbai_notebook.client.settings import Settings
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.conversation.secrets import check_request
from cbai_notebook.errors import (
    AuthenticationError,
    CbaiError,
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    SecretRefusedError,
    UsageError,
)
from tests.client.conftest import MESSAGES
from tests.gateway import Error, Exchange, Gateway, Scenario, serve

KEYS = {"one": "sk-one-4f9a8b7c6d5e", "two": "sk-two-0a1b2c3d4e5f"}
TEAMS = {"one": "team-secret-81f2", "two": "team-secret-93ab"}
CLOUDBASE_KEY = "cb-key-4f9a8b7c6d5e4f3a2b1c"


@pytest.fixture
def gateways() -> Iterator[dict[str, Gateway]]:
    """Return two servers, each of which takes only its own key."""
    with serve(key=KEYS["one"]) as one, serve(key=KEYS["two"]) as two:
        yield {"one": one, "two": two}


@pytest.fixture
def settings(gateways: dict[str, Gateway]) -> Settings:
    """Return settings with both servers and with CloudBase."""
    servers = {
        name: {
            "base_url": gateway.base_url,
            "api_key": KEYS[name],
            "headers": {"X-Team": TEAMS[name]},
        }
        for name, gateway in gateways.items()
    }
    return Settings(env_id="my-env", api_key=CLOUDBASE_KEY, servers=servers)  # type: ignore[arg-type]


def only_their_own(gateways: dict[str, Gateway]) -> bool:
    """Return whether every request holds the key and the header of its own server, and no other."""
    for name, gateway in gateways.items():
        other = "two" if name == "one" else "one"
        for exchange in gateway.requests:
            sent = str(exchange.headers) + exchange.body.decode() + exchange.target
            if exchange.headers["authorization"] != f"Bearer {KEYS[name]}":
                return False
            if exchange.headers["x-team"] != TEAMS[name]:
                return False
            if any(value in sent for value in (KEYS[other], TEAMS[other], CLOUDBASE_KEY)):
                return False
    return True


def nothing_of_a_server(exchange: Exchange) -> bool:
    sent = str(exchange.headers) + exchange.target
    return not any(value in sent for value in (*KEYS.values(), *TEAMS.values(), "authorization"))


@pytest.fixture
def models(settings: Settings, sender: HTTPTransport) -> dict[str, Model]:
    return {name: create_model(name, settings=settings, transport=sender) for name in KEYS}


async def test_two_servers_are_asked_at_once_each_with_its_own(
    models: dict[str, Model], gateways: dict[str, Gateway]
) -> None:
    async def stream(name: str) -> str:
        text = f"I am {name}"
        messages = [{"role": "user", "content": text}]
        streamed = await (await models[name].stream_text(model="echo", messages=messages)).finish()
        answer = await models[name].generate_text(model="echo", messages=messages)
        assert streamed.provider == name
        assert streamed.text == answer.text == text
        return streamed.text

    names = [*KEYS] * 4
    assert await asyncio.gather(*map(stream, names)) == [f"I am {name}" for name in names]
    assert [len(gateway.requests) for gateway in gateways.values()] == [8, 8]
    assert {each.path for each in gateways["two"].requests} == {"/v1/chat/completions"}
    assert only_their_own(gateways)


async def test_every_step_of_a_tool_loop_goes_to_the_same_server(
    models: dict[str, Model], gateways: dict[str, Gateway]
) -> None:
    def lookup() -> str:
        """Look something up."""
        return f"{KEYS['one']} {KEYS['two']} {CLOUDBASE_KEY} {TEAMS['two']} /tmp/x.txt"

    asked = {"messages": MESSAGES, "model": "first:1:call:lookup", "tools": [lookup]}
    await (await models["one"].stream_text(**asked)).finish()
    await models["one"].generate_text(**asked)
    assert len(gateways["one"].requests) >= 3
    assert gateways["two"].requests == []
    assert only_their_own(gateways)
    result = gateways["one"].requests[1].json["messages"][-1]
    assert result["role"] == "tool"
    assert result["content"] == "•••••• " * 4 + "/tmp/x.txt"


async def test_a_picture_is_fetched_without_the_key_and_the_headers(
    settings: Settings, gateways: dict[str, Gateway], sender: HTTPTransport
) -> None:
    model = create_image_model("one", settings=settings, transport=sender)
    answer = await model.generate_image(prompt="a cat", model="flux")
    assert answer.images[0].data
    assert gateways["one"].last.path == "/v1/images/generations"
    (fetched,) = gateways["one"].stranger_requests
    assert nothing_of_a_server(fetched)
    assert only_their_own(gateways)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_redirect_to_another_server_is_not_followed(
    models: dict[str, Model], gateways: dict[str, Gateway], stream: bool
) -> None:
    gateways["one"].always(Scenario(status=307, redirect=gateways["two"].base_url + "/x"))
    with pytest.raises(InvalidResponseError, match="not followed"):
        if stream:
            await models["one"].stream_text(model="m", messages=MESSAGES)
        else:
            await models["one"].generate_text(model="m", messages=MESSAGES)
    assert gateways["two"].requests == []


async def test_a_request_is_shown_with_dots_for_the_key_and_the_headers(
    models: dict[str, Model],
) -> None:
    request = await models["one"].prepare(True, model="m", messages=MESSAGES)
    shown = json.dumps(request.shown()) + repr(request) + repr(request.headers)
    assert "X-Team" in shown
    assert KEYS["one"] not in shown
    assert TEAMS["one"] not in shown
    assert request.headers["X-Team"] == TEAMS["one"]


@pytest.mark.parametrize(
    ("provider", "settings", "advice"),
    [
        ("mine", {}, "cbai.configure(servers={'mine': …})"),
        ("custom", {"base_url": ""}, "CBAI_API_KEY"),
        ("cloudbase", {"base_url": ""}, "CBAI_API_KEY"),
        (
            "cloudbase",
            {"base_url": "", "api_key": "wrong-4f9a8b7c"},
            "cbai.configure(env_id=…, api_key=…)",
        ),
    ],
)
async def test_a_missing_key_is_set_where_it_belongs(
    gateway: Gateway, provider: str, settings: dict[str, Any], advice: str
) -> None:
    if "base_url" in settings:
        settings = {**settings, "base_url": gateway.base_url}
    else:
        settings = {"servers": {"mine": {"base_url": gateway.base_url}}}
    model = create_model(provider, settings=Settings(**settings))
    with pytest.raises(AuthenticationError) as raised:
        await model.generate_text(model="m", messages=MESSAGES)
    assert advice in str(raised.value)
    assert ("authorization" in gateway.last.headers) is ("api_key" in settings)


def test_a_model_at_a_path_of_cloudbase_gets_nothing_of_a_server_of_that_name(
    settings: Settings,
) -> None:
    paths = {"model_name": "one", "model_path": "/chat", "extract_path": "text"}
    request = asyncio.run(
        create_model(paths, settings=settings).prepare(True, model="m", messages=MESSAGES)
    )
    assert request.url.startswith("https://my-env.api.tcloudbasegateway.com/")
    assert request.headers["Authorization"] == f"Bearer {CLOUDBASE_KEY}"
    assert "X-Team" not in request.headers


@pytest.mark.parametrize("stream", [True, False])
async def test_a_server_that_repeats_its_secrets_is_masked(
    models: dict[str, Model], gateways: dict[str, Gateway], stream: bool
) -> None:
    said = f"no {TEAMS['one']} with {KEYS['one']}"
    gateways["one"].always(Scenario(error=Error("INVALID_CREDENTIALS", message=said)))
    with pytest.raises(AuthenticationError) as raised:
        if stream:
            await models["one"].stream_text(model="m", messages=MESSAGES)
        else:
            await models["one"].generate_text(model="m", messages=MESSAGES)
    everything = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
    assert "no •••••• with ••••••" in everything
    assert not any(value in everything for value in (KEYS["one"], TEAMS["one"]))


def test_settings_show_neither_keys_nor_headers(settings: Settings) -> None:
    shown = repr(settings) + repr(vars(settings)) + repr(vars(settings.servers["one"]))
    assert settings.servers["one"].base_url in shown
    assert not any(value in shown for value in (*KEYS.values(), *TEAMS.values(), CLOUDBASE_KEY))
    assert {*KEYS.values(), *TEAMS.values(), CLOUDBASE_KEY} == {*settings.secrets.values()}


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        (TEAMS["one"], True),
        ("Bearer 4f9a8b7c6d5e4f3a", True),
        ("data-science", False),
        ("https://team.example/path", False),
        ("1", False),
    ],
)
def test_a_header_that_is_a_plain_name_does_not_forbid_the_name(value: str, hidden: bool) -> None:
    server = Server("http://h/v1", headers={"X-Team": value})  # type: ignore[dict-item]
    names = Settings(servers={"mine": server}).secrets
    asked = {"messages": [{"role": "user", "content": f"About {value}"}]}
    if not hidden:
        check_request(asked, api_key=names, environ={})
        return
    with pytest.raises(SecretRefusedError, match="X-Team"):
        check_request(asked, api_key=names, environ={})


def test_a_server_may_have_no_key() -> None:
    settings = Settings(api_key=CLOUDBASE_KEY, servers={"ollama": Server("http://127.0.0.1:1/v1/")})
    model = create_model("ollama", settings=settings)
    request = asyncio.run(model.prepare(True, model="qwen3", messages=MESSAGES))
    assert request.url == "http://127.0.0.1:1/v1/chat/completions"
    assert "Authorization" not in request.headers


def test_an_own_header_replaces_that_of_this_client() -> None:
    server = Server("http://127.0.0.1:1/v1", headers={"user-agent": "gate 1"})  # type: ignore[dict-item]
    model = create_model("mine", settings=Settings(servers={"mine": server}))
    headers = asyncio.run(model.prepare(True, model="m", messages=MESSAGES)).headers
    assert [value for name, value in headers.items() if name.lower() == "user-agent"] == ["gate 1"]


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "authorization", "HOST", "Content-Type", "content-length", "Content-Anything",
        "Transfer-Encoding", "Connection", "Cookie", "Proxy-Authorization", "Accept", "Accept-Encoding",
        "", "X Team", "X:Team", "X-Team\r\nHost", "X-Tëam", 7,
    ],
)  # fmt: skip
def test_a_header_that_this_client_sets_or_no_server_reads_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="header") as raised:
        Server("http://h/v1", headers={name: "a-value-81f2"})  # type: ignore[dict-item]
    assert "81f2" not in str(raised.value)


@pytest.mark.parametrize(
    "value", ["", " ", "se\ncret", "se\rcret", "se\0cret", "geheim\x7f", "密钥", "sécret", 7, None]
)
def test_a_value_that_no_header_can_have_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="X-Team") as raised:
        Server("http://h/v1", headers={"X-Team": value})
    assert "cret" not in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_the_same_header_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        Server("http://h/v1", headers={"X-Team": "a", "x-team": "b"})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", [*sorted(RESERVED), "Custom", "a/b", "", "-x", "a b", 7])
def test_a_name_that_is_taken_or_impossible_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        Settings(servers={name: Server("http://h/v1")})


@pytest.mark.parametrize(
    "server",
    [
        {},
        {"api_key": "sk-hidden-1"},
        {"base_url": "h/v1"},
        {"base_url": "https://user:sk-hidden-1@h/v1"},
        {"base_url": "http://h/v1", "api_key": "sk-hidden 1"},
        {"base_url": "http://h/v1", "key": "sk-hidden-1"},
        {"base_url": "http://h/v1", "headers": ["sk-hidden-1"]},
        {"base_url": "http://h/v1", "model": 7},
        "http://h/v1",
    ],
)
def test_a_server_that_cannot_be_used_is_refused_by_its_name(server: Any) -> None:
    with pytest.raises(ConfigurationError, match="'mine'") as raised:
        Settings(servers={"mine": server})
    assert "sk-hidden" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("mine/qwen3", ("mine", "qwen3")),
        ("mine/org/model:7b", ("mine", "org/model:7b")),
        ("mine", ("mine", None)),
        (None, ("mine", None)),
        ("qwen3", ("mine", "qwen3")),
    ],
)
def test_how_a_model_of_a_server_is_written(
    spec: str | None, found: tuple[str, str | None]
) -> None:
    server = Server("http://h/v1", model="default")
    only = Settings(servers={"mine": server})
    assert parse_model_spec(spec, only) == found
    model = create_model("mine", settings=only)
    request = asyncio.run(model.prepare(False, messages=MESSAGES))
    assert request.body["model"] == "default"
    beside = Settings(env_id="e", api_key="k", servers={"mine": server})
    assert parse_model_spec("qwen3", beside) == ("cloudbase", "qwen3")


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("mine", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("deepseek", {"thinking": {"type": "disabled"}}),
        ("dashscope", {"enable_thinking": False}),
    ],
)
def test_thinking_is_turned_off_as_servers_of_that_name_take_it(
    name: str, sent: dict[str, Any]
) -> None:
    model = create_model(name, settings=Settings(servers={name: Server("http://h/v1")}))
    request = asyncio.run(model.prepare(False, model="m", messages=MESSAGES, think=False))
    assert request.url == "http://h/v1/chat/completions"
    assert sent.items() <= request.body.items()


# The list of models


class ModelServer:
    """A server that answers ``GET /v1/models`` only: it knows no model that it is asked.

    Args:
        status: The status.
        body: The body.
        headers: More headers.
        key: The only key that it takes; empty takes any, and none.
    """

    def __init__(self, status: int, body: bytes, headers: dict[str, str], key: str) -> None:
        self.seen: list[dict[str, str]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                refused = key and self.headers["Authorization"] != f"Bearer {key}"
                known = self.path == "/v1/models"
                self.send_response(401 if refused else status if known else 400)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(404)
                unknown = b'{"error": {"message": "model not found", "code": "model_not_found"}}'
                self.send_header("Content-Length", str(len(unknown)))
                self.end_headers()
                self.wfile.write(unknown)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.http.server_port}/v1"


@contextmanager
def model_server(
    value: Any = None, status: int = 200, headers: dict[str, str] | None = None, key: str = ""
) -> Iterator[ModelServer]:
    """Run a server that answers with JSON, or with the bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    server = ModelServer(status, body, headers or {}, key)
    thread = Thread(target=server.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        thread.join()
        server.http.server_close()


def settings_of(server: ModelServer) -> Settings:
    named = Server(server.base_url, KEYS["one"], {"X-Team": TEAMS["one"]})  # type: ignore[arg-type, dict-item]
    return Settings(servers={"one": named})


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (
            {"object": "list", "data": [{"id": "qwen3"}, {"id": "org/other"}]},
            ("qwen3", "org/other"),
        ),
        ({"models": [{"name": "qwen3"}, {"model": "other"}]}, ("qwen3", "other")),
        ({"models": [{"name": "Qwen 3", "model": "qwen3"}]}, ("qwen3",)),
        ([{"id": "qwen3"}, {"id": "qwen3"}], ("qwen3",)),
        (["qwen3", 7, None, "other"], ("qwen3", "other")),
        ({"data": []}, ()),
        ([{"id": f"a\x1b[31m\n{KEYS['one']}"}], ("a [31m ••••••",)),
        ({"detail": "hello"}, None),
        ([7], None),
        ("qwen3", None),
        (b"<html>", None),
        (b"", None),
    ],
)
async def test_a_servers_own_list_is_read_in_the_shapes_that_exist(
    value: Any, names: tuple[str, ...] | None, sender: HTTPTransport
) -> None:
    with model_server(value) as server:
        found = await list_models("one", settings=settings_of(server), transport=sender)
    assert found == names
    (seen,) = server.seen
    assert seen["authorization"] == f"Bearer {KEYS['one']}"
    assert seen["x-team"] == TEAMS["one"]
    assert "content-type" not in seen


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_without_a_list_is_no_failure(status: int) -> None:
    with model_server({"detail": "no"}, status) as server:
        assert await list_models("one", settings=settings_of(server)) is None


async def test_what_goes_wrong_with_a_list_is_said_without_the_secrets() -> None:
    said = {"error": {"message": f"{KEYS['one']} {TEAMS['one']}"}}
    with model_server(said, 401) as server, pytest.raises(AuthenticationError) as refused:
        await list_models("one", settings=settings_of(server))
    assert not any(value in str(refused.value) for value in (KEYS["one"], TEAMS["one"]))
    with pytest.raises(ConnectionFailedError, match="Nothing answers"):
        await list_models("one", settings=settings_of(server))
    with pytest.raises(UsageError):
        await list_models("cloudbase", settings=settings_of(server))


async def test_a_list_that_leads_to_another_server_is_not_followed(
    sender: HTTPTransport,
) -> None:
    with model_server(["other"]) as other:
        target = {"Location": f"{other.base_url}/models"}
        with model_server(status=307, headers=target) as server, pytest.raises(CbaiError):
            await list_models("one", settings=settings_of(server), transport=sender)
    assert other.seen == []


@pytest.mark.parametrize(
    ("name", "env_id", "refused"),
    [
        ("mien", "test-env", True),
        ("Mine", "test-env", True),
        ("elsewhere", None, True),
        ("elsewhere", "test-env", False),
        ("hunyuan-v3", "test-env", False),
    ],
)
async def test_a_mistyped_server_is_not_taken_for_a_provider_of_the_cloud(
    name: str, env_id: str | None, refused: bool
) -> None:
    settings = Settings(
        env_id=env_id,
        api_key="sk-0123456789abcdef",
        servers={"mine": {"base_url": "http://127.0.0.1:9/v1"}},
    )
    model = create_model(name, settings=settings)
    prepared = model.prepare(True, model="m", messages=[{"role": "user", "content": "x"}])
    if refused:
        with pytest.raises(UsageError, match="Servers: mine"):
            await prepared
    else:
        assert "tcloudbasegateway.com" in (await prepared).url


@pytest.mark.parametrize("env_id", [None, "test-env"])
@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("wrok", "work"),
        ("Work", "work"),
        ("wor", "work"),
        ("qwen-lokal", "qwen-local"),
        ("qwen-locall", "qwen-local"),
        ("qewn-lokal", "qwen-local"),
        ("lokal", "local"),
        ("dmeo", "demo"),
        ("cloudbse", "cloudbase"),
    ],
)
def test_a_mistyped_server_is_not_taken_for_a_model(
    spec: str, meant: str, env_id: str | None
) -> None:
    settings = with_servers(env_id, "work", "qwen-local")
    with pytest.raises(UsageError, match=f"Did you mean '{meant}'") as raised:
        parse_model_spec(spec, settings)
    on_purpose = f"{settings.default_provider}/{spec}"
    assert on_purpose in str(raised.value)
    assert parse_model_spec(on_purpose, settings) == (settings.default_provider, spec)


@pytest.mark.parametrize(
    "spec",
    [
        *("hy3", "hunyuan-turbo", "hunyuan-lite", "deepseek-v3", "deepseek-chat", "deepseek-reasoner"),
        *("gpt-4o", "gpt-5", "o3", "qwen3", "qwen3:4b", "qwen2.5", "qwen-max", "qwen-plus", "glm-4.6"),
        *("llama3.2", "mistral", "gemma3", "kimi-k3", "moonshot-v1-8k", "ernie-4.5", "phi4"),
    ],
)  # fmt: skip
def test_no_name_of_a_model_is_taken_for_a_mistyped_server(spec: str) -> None:
    names = ("ollama", "qwen-local", "hy", "glm", "qwen2", "deepseek", "gpt4", "vllm", "work", "o1")
    settings = with_servers("test-env", *names)
    assert parse_model_spec(spec, settings) == ("cloudbase", spec)


@pytest.mark.parametrize(
    ("spec", "server"), [("qwen-vl-max", "qwen-max"), ("qwen-coder-plus", "qwen-plus")]
)
def test_a_name_with_a_part_more_is_no_mistyped_server(spec: str, server: str) -> None:
    assert parse_model_spec(spec, with_servers("test-env", server)) == ("cloudbase", spec)


def test_a_model_that_a_server_is_known_to_have_is_no_mistyped_server() -> None:
    work = {"base_url": "http://127.0.0.1:9/v1", "model": "wrok"}
    settings = Settings(servers={"work": work})
    assert parse_model_spec("wrok", settings) == ("work", "wrok")


def with_servers(env_id: str | None, *names: str) -> Settings:
    return Settings(
        env_id=env_id,
        api_key="sk-0123456789abcdef",
        servers={name: {"base_url": "http://127.0.0.1:9/v1"} for name in names},
    )


@pytest.mark.parametrize(("name", "meant"), [("lokal", "local"), ("cloudbse", "cloudbase")])
async def test_a_mistyped_provider_of_this_package_is_refused(name: str, meant: str) -> None:
    model = create_model(name, settings=Settings(env_id="test-env", api_key="sk-0123456789abcdef"))
    with pytest.raises(UsageError, match=f"Did you mean '{meant}'"):
        await model.prepare(True, model="m", messages=MESSAGES)


@pytest.mark.parametrize(("provider", "model"), [("cloudbase", "ollama"), ("ollama", "qwen3")])
async def test_without_servers_and_cloudbase_both_are_named(provider: str, model: str) -> None:
    made = create_model(provider, settings=Settings())
    with pytest.raises(ConfigurationError) as raised:
        await made.prepare(True, model=model, messages=MESSAGES)
    for words in ("server 'ollama'", "configure(servers={'ollama': ", "CLOUDBASE_ENV_ID"):
        assert words in str(raised.value)


async def test_a_known_model_of_cloudbase_is_not_looked_for_among_servers() -> None:
    with pytest.raises(ConfigurationError, match="There is no CloudBase environment yet"):
        await create_model("cloudbase", settings=Settings()).prepare(
            True, model="hy3", messages=MESSAGES
        )


def test_settings_without_keys_hold_no_secret_and_keep_the_addresses(settings: Settings) -> None:
    bare = settings.without_keys()
    for name in ("cloudbase", "one", "two"):
        assert settings.has_key_for(name)
        assert not bare.has_key_for(name)
        assert bare.address_of(name) == settings.address_of(name) is not None
    assert settings.address_of("cloudbase") == "my-env"
    pickled = pickle.dumps(bare)
    for secret in (*KEYS.values(), *TEAMS.values(), CLOUDBASE_KEY):
        assert secret.encode() not in pickled
        assert secret.encode() in pickle.dumps(settings)
