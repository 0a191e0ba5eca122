"""Each failure of a request becomes one error whose message says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import copyreg
import email.utils
import socket
import ssl
import time
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook import errors
from cbai_notebook.client.error_mapping import fresh_copy, retry_after
from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import CbaiError, ConnectionFailedError
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Error, Gateway, Scenario

ASK = {"messages": MESSAGES}

CODES = {
    "AI_MODEL_CONFIG_MISSING": (400, errors.BadRequestError, "set up"),
    "AI_MODEL_PARAM_INVALID": (400, errors.BadRequestError, "model.prepare("),
    "AI_MODEL_PARAM_REQUIRED": (400, errors.BadRequestError, "missing"),
    "UNPROCESSABLE": (422, errors.BadRequestError, "parameters"),
    "MISSING_CREDENTIALS": (401, errors.AuthenticationError, "cbai.configure(env_id=…, api_key=…)"),
    "INVALID_CREDENTIALS": (401, errors.AuthenticationError, "cbai.configure(env_id=…, api_key=…)"),
    "ACCESS_TOKEN_INVALID": (
        401,
        errors.AuthenticationError,
        "cbai.configure(env_id=…, api_key=…)",
    ),
    "ACCESS_TOKEN_EXPIRED": (401, errors.AuthenticationError, "expired"),
    "ENV_SUSPENDED": (402, errors.EnvironmentUnavailableError, "suspended"),
    "ENV_ISOLATED": (423, errors.EnvironmentUnavailableError, "isolated"),
    "ENV_BLOCKED": (451, errors.EnvironmentUnavailableError, "blocked"),
    "AI_MODEL_NOT_SUPPORTED": (403, errors.PermissionDeniedError, "'the-model'"),
    "AI_CHANNEL_NOT_ALLOWED": (403, errors.ChannelNotAllowedError, "plan"),
    "ACCESS_DENIED": (403, errors.PermissionDeniedError, "rights"),
    "AI_MODEL_NOT_FOUND": (404, errors.ModelNotFoundError, "'the-model'"),
    "INVALID_PATH": (404, errors.ModelNotFoundError, "'cloudbase'"),
    "EXCEED_TOKEN_QUOTA_LIMIT": (429, errors.QuotaExceededError, "waiting does not help"),
}


async def failure(model: Model, stream: bool, **params: Any) -> CbaiError:
    """Send a request and return its error."""
    ask = model.stream_text if stream else model.generate_text
    with pytest.raises(CbaiError) as raised:
        await ask(**{"model": "the-model", **ASK, **params})
    return raised.value


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("upstream", [False, True], ids=["gateway", "upstream"])
@pytest.mark.parametrize(("code", "expected"), CODES.items())
async def test_each_code_is_its_error(
    make_model: MakeModel,
    gateway: Gateway,
    stream: bool,
    upstream: bool,
    code: str,
    expected: tuple[int, type[CbaiError], str],
) -> None:
    status, kind, says = expected
    gateway.always(Scenario(error=Error(code, upstream=upstream)))
    error = await failure(make_model(), stream)
    assert type(error) is kind
    assert (error.code, error.status) == (code, status)
    assert error.request_id == gateway.last.request_id
    assert says in error.message
    assert Error(code).message.rstrip(".") in error.message
    assert "\n" not in error.message
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("upstream", [False, True], ids=["gateway", "upstream"])
async def test_an_error_inside_a_200_is_the_same_error(
    make_model: MakeModel, gateway: Gateway, stream: bool, upstream: bool
) -> None:
    for code in ("AI_MODEL_NOT_FOUND", "EXCEED_TOKEN_QUOTA_LIMIT", "ACCESS_TOKEN_EXPIRED"):
        gateway.always(Scenario(error=Error(code, upstream=upstream), error_where="body"))
        error = await failure(make_model(), stream)
        assert type(error) is CODES[code][1]
        assert (error.code, error.status) == (code, 200)
        assert error.request_id == gateway.last.request_id


NOT_FOUND = Scenario(status=404, body=b'{"detail": "Not Found"}', content_type="application/json")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/chat/completions", "base_url='{origin}/v1'"),
        ("/v1/completions/", "base_url='{origin}/v1'"),
        ("/proxy/v1/models", "base_url='{origin}/proxy/v1'"),
        ("/api/chat", "base_url='{origin}/v1'"),
        ("", "base_url='{origin}/v1'"),
        ("/", "base_url='{origin}/v1'"),
        ("/api", "base_url='{origin}/v1'"),
        ("/v1", "Check the model's name"),
    ],
)
async def test_a_404_names_the_address_and_a_slip_in_the_base_url(
    make_model: MakeModel, gateway: Gateway, path: str, says: str
) -> None:
    gateway.always(NOT_FOUND)
    origin = gateway.base_url.removesuffix("/v1")
    error = await failure(make_model("custom", base_url=origin + path), stream=True)
    assert isinstance(error, errors.ModelNotFoundError)
    assert f"{origin}{path.rstrip('/')}/chat/completions" in error.message
    assert says.format(origin=origin) in error.message
    assert ("base_url=" in says) == ("base_url=" in error.message)
    assert "CloudBase" not in error.message


async def test_a_server_that_speaks_of_the_model_has_the_right_address(
    make_model: MakeModel, gateway: Gateway
) -> None:
    said = b'{"error": {"message": "The model `the-model` does not exist."}}'
    gateway.always(Scenario(status=404, body=said, content_type="application/json"))
    origin = gateway.base_url.removesuffix("/v1")
    error = await failure(make_model("custom", base_url=origin), stream=False)
    assert "'the-model'" in error.message
    assert "base_url=" not in error.message


@pytest.mark.parametrize(("provider", "advised"), [("Qwen", True), ("cloudbase", False),
                                                   ("hunyuan-v3", False), ("custom-x", False)])  # fmt: skip
async def test_a_model_with_a_slash_in_its_name_was_read_as_a_provider(
    make_model: MakeModel, gateway: Gateway, provider: str, advised: bool
) -> None:
    gateway.always(NOT_FOUND)
    error = await failure(make_model(provider), stream=True)
    custom = "cbai.create_model('custom').generate_text(model='Qwen/the-model', …)"
    assert (custom in error.message) == advised
    assert ("-m custom/Qwen/the-model" in error.in_language("en", "cell")) == advised


async def test_another_server_that_was_asked_as_cloudbase_is_told_apart(
    make_model: MakeModel, gateway: Gateway
) -> None:
    gateway.always(NOT_FOUND)
    error = await failure(make_model("cloudbase"), stream=False)
    assert "CBAI_PROVIDER=custom" in error.message
    assert f"{gateway.base_url}/ai/cloudbase/chat/completions" in error.message
    error = await failure(make_model("custom"), stream=False)
    assert "CBAI_PROVIDER" not in error.message


async def test_without_a_server_too_a_slash_may_be_one_of_the_models_name() -> None:
    error = await failure(create_model("Qwen", settings=Settings()), stream=True)
    assert isinstance(error, errors.ConfigurationError)
    assert "-m custom/Qwen/the-model" in error.in_language("en", "cell")


@pytest.mark.parametrize("status", [200, 404, 405])
async def test_a_page_at_a_base_url_without_a_version(
    make_model: MakeModel, gateway: Gateway, status: int
) -> None:
    gateway.always(Scenario(status=status, body=b"<title>Home</title>", content_type="text/html"))
    origin = gateway.base_url.removesuffix("/v1")
    error = await failure(make_model("custom", base_url=origin), stream=False)
    assert f"base_url='{origin}/v1'" in error.message
    assert "Home" in error.message


@pytest.mark.parametrize(("status", "says"), [(402, "balance"), (403, "may do"), (407, "https_proxy="),
                                              (423, "account")])  # fmt: skip
async def test_a_server_of_ones_own_has_no_console_of_cloudbase(
    make_model: MakeModel, gateway: Gateway, status: int, says: str
) -> None:
    gateway.always(Scenario(status=status, body=b"{}", content_type="application/json"))
    error = await failure(make_model("custom"), stream=False)
    assert says in error.message
    assert "CloudBase" not in error.message
    assert len(gateway.requests) == 1


async def test_an_html_page_is_an_error_that_can_be_read(
    make_model: MakeModel, gateway: Gateway
) -> None:
    gateway.always("html:500")
    error = await failure(make_model(), stream=False)
    assert isinstance(error, errors.ServerError)
    assert error.status == 500
    assert "HTML" in error.message
    assert "<" not in error.message


@pytest.mark.parametrize("stream", [True, False])
async def test_a_page_instead_of_an_answer_is_no_answer(
    make_model: MakeModel, gateway: Gateway, stream: bool
) -> None:
    for kind in ("text/html", "text/event-stream", "application/json"):
        gateway.script(Scenario(body=b"<html>Log in first</html>", content_type=kind))
        error = await failure(make_model(), stream)
        assert isinstance(error, errors.InvalidResponseError), kind
        assert "HTML" in error.message
        assert "proxy" in error.message


@pytest.mark.parametrize("body", [b"[]", b'{"a":1}', b"null", b'"x"', b"{", b""])
async def test_json_that_is_no_completion_is_no_answer(
    model: Model, gateway: Gateway, body: bytes
) -> None:
    for stream in (True, False):
        gateway.script(Scenario(body=body, content_type="application/json"))
        assert isinstance(await failure(model, stream), errors.InvalidResponseError)


async def test_a_redirect_is_not_followed(make_model: MakeModel, gateway: Gateway) -> None:
    for status in (301, 302, 307, 308):
        for stream in (True, False):
            gateway.script(f"redirect:{status}:stranger")
            error = await failure(make_model(), stream)
            assert isinstance(error, errors.InvalidResponseError)
            assert error.status == status
            assert gateway.stranger_url.removeprefix("http://") in error.message
            assert "not followed" in error.message
    assert gateway.stranger_requests == []


async def test_nothing_listens(make_model: MakeModel) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
        error = await failure(make_model(base_url=f"http://{host}/v1"), stream=True)
    assert type(error) is errors.ConnectionFailedError
    assert host in error.message
    assert "Nothing answers" in error.message


async def test_a_name_that_does_not_resolve(make_model: MakeModel) -> None:
    error = await failure(make_model(base_url="http://no-such-host.invalid/v1"), stream=False)
    assert type(error) is errors.DNSError
    assert "no-such-host.invalid" in error.message


@contextlib.asynccontextmanager
async def server(tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Run a server that refuses every request; yield its host and port."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_https_to_a_server_that_speaks_http(make_model: MakeModel) -> None:
    async with server() as host:
        error = await failure(make_model(base_url=f"https://{host}/v1"), stream=False)
    assert type(error) is errors.TLSError
    assert "https" in error.message


async def test_a_certificate_that_nobody_signed(make_model: MakeModel) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    async with server(tls) as host:
        error = await failure(make_model(base_url=f"https://{host}/v1"), stream=True)
    assert type(error) is errors.TLSError
    assert "SSL_CERT_FILE" in error.message


@pytest.mark.parametrize("stream", [True, False])
async def test_bytes_that_are_no_http(
    make_model: MakeModel, gateway: Gateway, stream: bool
) -> None:
    gateway.always("garbage")
    error = await failure(make_model(), stream)
    assert isinstance(error, errors.ConnectionFailedError)


async def test_an_answer_in_one_piece_that_is_cut(make_model: MakeModel, gateway: Gateway) -> None:
    gateway.always("english+cut:2")
    error = await failure(make_model(), stream=False)
    assert isinstance(error, errors.ConnectionFailedError)


async def test_a_connection_that_cannot_be_made_in_time(make_model: MakeModel) -> None:
    # A listener whose queue is full accepts no further connection.
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        base = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        model = make_model(base_url=base, timeout={"connect": 0.2})
        error = await failure(model, stream=True)
    assert isinstance(error, errors.RequestTimeoutError)
    assert error.code == "timeout_connect"


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({}) is None
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": " 0.5 "}) == 0.5
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "-3"}) is None
    in_a_minute = email.utils.formatdate(time.time() + 60, usegmt=True)
    assert 55 < (retry_after({"retry-after": in_a_minute}) or 0) <= 60
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


KEY = "sk-" + "s3cr3t" * 5


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(error=Error("INVALID_CREDENTIALS", message=f"wrong key {KEY}, {KEY}")),
        Scenario(error=Error(KEY, status=400, upstream=True, message=f"key {KEY}")),
        Scenario(error=Error("ACCESS_DENIED", message=KEY), error_where="body"),
        Scenario(status=403, body=f"no {KEY}".encode(), content_type="text/plain"),
        Scenario(status=307, headers=(("Location", f"http://h/{KEY}"), ("X-Request-Id", KEY))),
        Scenario(status=307, redirect=f"http://{KEY}/"),
        Scenario(body=f"<p>{KEY}".encode()),
        Scenario(raw=f"HTTP/1.1 {KEY}\r\n\r\n".encode()),
    ],
    ids=["gateway", "upstream", "in-200", "text", "location", "host", "html", "garbage"],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_key_is_in_no_part_of_an_error(
    make_model: MakeModel, gateway: Gateway, scenario: Scenario, stream: bool
) -> None:
    gateway.key = KEY
    gateway.always(scenario)
    error = await failure(make_model(api_key=KEY), stream)
    assert KEY not in everything_about(error)


async def test_the_key_is_in_no_error_of_a_connection(make_model: MakeModel) -> None:
    for base in ("http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1"):
        error = await failure(make_model(base_url=base, api_key=KEY), stream=True)
        assert KEY not in everything_about(error)


async def test_the_key_is_in_no_error_of_a_cut_stream(
    make_model: MakeModel, gateway: Gateway
) -> None:
    gateway.key = KEY
    stream = await make_model(api_key=KEY).stream_text(model="tokens:9+rst:5", **ASK)
    with pytest.raises(CbaiError) as raised:
        await stream.finish()
    assert KEY not in everything_about(raised.value)
    assert KEY not in repr(stream)


async def test_a_wrong_request_shows_no_key_either() -> None:
    model = create_model("cloudbase", settings=Settings(env_id="e", api_key=KEY))
    error = await failure(model, stream=True, stop=object())
    assert isinstance(error, errors.UsageError)
    assert KEY not in everything_about(error)


def test_a_copy_has_no_context_where_a_package_lets_copies_keep_it() -> None:
    pickling = pytest.importorskip("tblib.pickling_support")  # comes with Dask
    try:
        try:
            raise ValueError(KEY)
        except ValueError:
            raise ConnectionFailedError("The connection broke.") from None
    except ConnectionFailedError as caught:
        error = caught
    known = dict(copyreg.dispatch_table)
    try:
        pickling.install(ConnectionFailedError)
        assert copy.copy(error).__context__ is not None
        assert KEY not in everything_about(fresh_copy(error))
    finally:
        copyreg.dispatch_table.clear()
        copyreg.dispatch_table.update(known)


def everything_about(error: BaseException) -> str:
    """Return all that can be printed of an error: messages, fields, causes, local variables."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    seen = "".join(shown.format())
    one: BaseException | None = error
    while one is not None:
        # Only the fields of a CbaiError: printing a library's error does not print its request.
        seen += repr(one) + str(one) + (repr(vars(one)) if isinstance(one, CbaiError) else "")
        one = one.__cause__ or one.__context__
    return seen


async def test_cancelling_is_no_failure(model: Model, gateway: Gateway) -> None:
    asking = asyncio.ensure_future(model.generate_text(model="hang:headers", **ASK))
    await gateway.until(lambda: gateway.requests)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
