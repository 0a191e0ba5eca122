"""Proxies and certificates of the environment, with real proxies and real certificates."""

from __future__ import annotations

import os
import socket
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from cbai_notebook import errors
from cbai_notebook.client.model import Model
from cbai_notebook.client.proxies import is_excluded, proxy_for
from tests.client.conftest import MESSAGES, MakeModel
from tests.client.proxy_servers import (
    AUTHORITY,
    HOST,
    ProxyServer,
    http_proxy,
    socks_proxy,
    tls_in_front_of,
)
from tests.gateway import Gateway

ASK = {"model": "echo", "messages": MESSAGES}
PASSWORD = "hunter2/@:%"
LOGIN = f"user:{PASSWORD}"
QUOTED = "user:" + urllib.parse.quote(PASSWORD, safe="")
# The name of the authority's file in a directory of certificates, as `openssl rehash` makes it.
NAME_HASH = "f20e0b1e.0"

needs_socks = pytest.mark.skipif(find_spec("socksio") is None, reason="needs httpx[socks]")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without proxies and certificates, and restore what the machine has."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(
            ("SSL_CERT", "REQUESTS_CA", "CURL_CA")
        ):
            monkeypatch.delenv(name)
    yield


@pytest.fixture
async def tls_port(gateway: Gateway) -> AsyncIterator[int]:
    """Serve the gateway with the certificate of model.test."""
    async with tls_in_front_of(port_of(gateway)) as port:
        yield port


def port_of(gateway: Gateway) -> int:
    """Return the gateway's port."""
    return urllib.parse.urlsplit(gateway.base_url).port or 0


async def ask(model: Model) -> str:
    """Return the answer's text, or raise."""
    return (await (await model.stream_text(**ASK)).finish()).text


def base_url(scheme: str) -> str:
    """Return an address that only a proxy can reach."""
    return f"{scheme}://{HOST}/v1"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login", ["", LOGIN])
async def test_an_http_proxy_is_used(
    make_model: MakeModel, gateway: Gateway, tls_port: int, monkeypatch: pytest.MonkeyPatch,
    scheme: str, login: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    targets = {80: port_of(gateway), 443: tls_port}
    async with http_proxy(targets, login=login) as proxy:
        given = f"{QUOTED}@{proxy.address}" if login else proxy.address
        monkeypatch.setenv(f"{scheme}_proxy", f"http://{given}")
        model = make_model(base_url=base_url(scheme))
        for _ in range(2):
            assert await ask(model) == MESSAGES[0]["content"]
        assert proxy.refused == 0
    assert set(proxy.asked) <= {f"{HOST}:443", HOST, f"{HOST}:80"}
    assert len(gateway.requests) == 2


@needs_socks
@pytest.mark.parametrize("name", ["socks5", "socks5h", "socks"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login", ["", LOGIN])
async def test_a_socks_proxy_is_used(
    make_model: MakeModel, gateway: Gateway, tls_port: int, monkeypatch: pytest.MonkeyPatch,
    name: str, scheme: str, login: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    targets = {80: port_of(gateway), 443: tls_port}
    async with socks_proxy(targets, login=login) as proxy:
        given = f"{QUOTED}@{proxy.address}" if login else proxy.address
        monkeypatch.setenv("all_proxy", f"{name}://{given}/")
        assert await ask(make_model(base_url=base_url(scheme))) == MESSAGES[0]["content"]
    assert proxy.asked == [f"{HOST}:{80 if scheme == 'http' else 443}"]


async def fails_at(proxy: ProxyServer, model: Model) -> errors.ProxyError:
    """Send a request that the proxy does not pass on; return the error, which names the proxy."""
    with pytest.raises(errors.ProxyError) as raised:
        await ask(model)
    error = raised.value
    assert proxy.address in error.message
    assert "hunter2" not in repr(error) + error.message + str(error.__cause__)
    return error


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("given", ["", "user:hunter2@"])
async def test_a_proxy_that_refuses_the_login_is_asked_once(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, scheme: str, given: str
) -> None:
    async with http_proxy({}, login=LOGIN) as proxy:
        monkeypatch.setenv("all_proxy", f"http://{given}{proxy.address}")
        error = await fails_at(proxy, make_model(base_url=base_url(scheme)))
        assert error.status == 407
        assert "password" in error.message
        assert ("does not accept" in error.message) == bool(given)
        assert proxy.refused == 1


@needs_socks
@pytest.mark.parametrize("given", ["", "user:hunter2@"])
async def test_a_socks_proxy_that_refuses_the_login_is_asked_once(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    async with socks_proxy({}, login=LOGIN) as proxy:
        monkeypatch.setenv("all_proxy", f"socks5://{given}{proxy.address}")
        error = await fails_at(proxy, make_model(base_url=base_url("https")))
        assert "password" in error.message
        assert proxy.refused == 1


@pytest.mark.parametrize(("answer", "times"), [(b"403 Forbidden", 1), (b"503 Busy", 4)])
async def test_a_proxy_that_makes_no_connection_is_named(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, answer: bytes, times: int
) -> None:
    async with http_proxy({}, answer=answer) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:hunter2@{proxy.address}")
        error = await fails_at(proxy, make_model(base_url=base_url("https")))
        assert error.status == int(answer[:3])
        assert HOST in error.message
        assert len(proxy.asked) == times


@needs_socks
async def test_a_socks_proxy_that_reaches_nothing_is_named(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with socks_proxy({}) as proxy:
        monkeypatch.setenv("all_proxy", f"socks5://{proxy.address}")
        error = await fails_at(proxy, make_model(base_url=base_url("https")))
        assert "unreachable" in error.message


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_down_is_named(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = ProxyServer(free.getsockname()[1])
        monkeypatch.setenv(f"{scheme}_proxy", f"user:hunter2@{down.address}")
        error = await fails_at(down, make_model(base_url=base_url(scheme)))
    assert "no_proxy" in error.message


async def test_a_proxy_with_an_unknown_name_is_named(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://user:hunter2@proxy.invalid:8080")
    with pytest.raises(errors.ProxyError, match=r"proxy\.invalid:8080") as raised:
        await ask(make_model(base_url=base_url("https")))
    assert "hunter2" not in str(raised.value)


def test_a_proxy_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:hunter2@proxy.invalid:8080")
    shown = repr(proxy_for("https://api.invalid/v1"))
    assert "proxy.invalid:8080" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "url", ["socks4://user:hunter2@h:1", "ftp://user:hunter2@h:1", "http://user:hunter2@h:port"]
)
async def test_a_proxy_that_cannot_be_used_is_a_wrong_setting(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("all_proxy", url)
    with pytest.raises(errors.ConfigurationError, match="socks5://") as raised:
        await ask(make_model(base_url=base_url("https")))
    assert "hunter2" not in str(raised.value)


async def test_a_proxy_that_is_set_after_a_failure_is_used_at_once(
    make_model: MakeModel, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(base_url=base_url("http"))
    with pytest.raises(errors.DNSError):
        await ask(model)
    async with http_proxy({80: port_of(gateway)}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        assert await ask(model)
        monkeypatch.setenv("NO_PROXY", "other.test, .test")
        with pytest.raises(errors.DNSError):
            await ask(model)
        monkeypatch.setenv("NO_PROXY", "*.corp,10.0.0.0/8")
        assert await ask(model)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_certificates_that_are_set_after_a_failure_are_used_at_once(
    make_model: MakeModel, tls_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    variable: str,
) -> None:  # fmt: skip
    model = make_model(base_url=f"https://localhost:{tls_port}/v1")
    with pytest.raises(errors.TLSError, match="SSL_CERT_FILE"):
        await ask(model)
    file = tmp_path / "own.pem"
    monkeypatch.setenv(variable, str(file))
    with pytest.raises(errors.ConfigurationError, match=variable):
        await ask(model)
    # A certificate, but not that of the authority.
    file.write_bytes(AUTHORITY.with_name("server.pem").read_bytes())
    with pytest.raises(errors.TLSError):
        await ask(model)
    file.write_bytes(AUTHORITY.read_bytes())
    assert await ask(model)


async def test_a_directory_of_certificates_is_used(
    make_model: MakeModel, tls_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # OpenSSL looks up an authority by the hash of its name; this is that of "Test authority".
    (tmp_path / NAME_HASH).write_bytes(AUTHORITY.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert await ask(make_model(base_url=f"https://localhost:{tls_port}/v1"))


async def test_a_certificate_through_a_proxy_is_checked(
    make_model: MakeModel, tls_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with http_proxy({443: tls_port}) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:hunter2@{proxy.address}")
        with pytest.raises(errors.TLSError, match=f"{HOST}.*{proxy.address}"):
            await ask(make_model(base_url=base_url("https")))


EXCLUDED = [
    ("api.corp", "corp"), ("api.corp", ".corp"), ("api.corp", "*.corp"), ("corp", ".corp"),
    ("corp", "*.corp"), ("API.Corp.", "x, CORP"), ("a.b.corp", "x corp"), ("h", "*"), ("h", "http://h/"),
    ("api-7.corp", "api-*.corp"), ("10.1.2.3", "10.0.0.0/8"), ("10.1.2.3", "10.*"),
    ("10.1.2.3", "10.1.2.3"), ("10.1.2.3", "10.1.2.3:443"), ("api.corp", "api.corp:443"),
    ("fd00::1", "fd00::/8"), ("fd00::1", "fd00::1"), ("fd00::1", "[fd00::1]"),
    ("fd00::1", "[fd00::1]:443"), ("fd00:0:0::1", "FD00::1"), ("::ffff:10.1.2.3", "10.0.0.0/8"),
]  # fmt: skip
NOT_EXCLUDED = [
    ("api.corp", ""), ("apicorp", "corp"), ("corp.evil", "corp"), ("api.corp", "api.corp:80"),
    ("11.1.2.3", "10.0.0.0/8"), ("fd00::1", "fe00::/8"), ("fd00::1", "[fd00::1]:80"),
    ("10.0.0.0.evil", "10.0.0.0/8"), ("api.corp", ",, ."), ("api.corp", "[:"),
]  # fmt: skip


@pytest.mark.parametrize(("host", "no_proxy"), EXCLUDED)
def test_hosts_that_no_proxy_excludes(host: str, no_proxy: str) -> None:
    assert is_excluded(host, 443, no_proxy)


@pytest.mark.parametrize(("host", "no_proxy"), NOT_EXCLUDED)
def test_hosts_that_no_proxy_does_not_exclude(host: str, no_proxy: str) -> None:
    assert not is_excluded(host, 443, no_proxy)
