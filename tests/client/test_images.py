"""Image models: their requests, safe downloads, and images as bytes."""

from __future__ import annotations

import asyncio
import base64
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

from cbai_notebook.client.images.fetch import LARGEST_IMAGE
from cbai_notebook.client.images.image import GeneratedImage, ImageAnswer
from cbai_notebook.client.images.model import ImageModel, create_image_model
from cbai_notebook.client.retry import ATTEMPTS
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.errors import (
    AuthenticationError,
    BadRequestError,
    CbaiError,
    ConfigurationError,
    ImageDownloadError,
    InvalidResponseError,
    NotFoundError,
    QuotaExceededError,
    RequestTimeoutError,
    ServerError,
    UsageError,
)
from tests.gateway import Error, Fault, Gateway, Scenario, pictures
from tests.gateway_access import gateway_settings

MakeImageModel = Callable[..., ImageModel]


@pytest.fixture
def make_image_model(sender: HTTPTransport, gateway: Gateway) -> MakeImageModel:
    """Return a function that creates an image model of the test gateway."""

    def make(provider: str = "hunyuan-image", *, timeout: Any = None, **changes: Any) -> ImageModel:
        settings = gateway_settings(gateway, timeout=timeout, **changes)
        return create_image_model(provider, settings=settings, transport=sender)

    return make


@pytest.fixture
def painter(make_image_model: MakeImageModel) -> ImageModel:
    return make_image_model()


def file(body: bytes = b"", **how: Any) -> Scenario:
    return Scenario(body=body, **{"content_type": "image/png", **how})


# Requests


async def test_an_image_is_drawn_and_fetched_at_once(painter: ImageModel, gateway: Gateway) -> None:
    answer = await painter.generate_image(prompt="a cat", size="1024x1024", seed=7)
    (image,) = answer.images
    assert image.data == pictures.png()
    assert image.mime == "image/png"
    assert image.revised_prompt == "a cat, in oil"
    assert image.url is not None
    assert image.url.startswith(gateway.stranger_url)
    assert answer.model == "hunyuan-image-v3.0-v1.0.4"
    assert answer.request_id == "req-000001"
    assert answer.timing.duration_s is not None
    assert answer.raw["id"] == "image-000001"
    assert answer.raw["data"][0]["url"] == image.url
    asked = gateway.last
    assert asked.path == "/v1/ai/hunyuan-image/images/ar/generations"
    assert asked.headers["authorization"] == "Bearer test-key"
    assert asked.json == {
        "model": "hunyuan-image-v3.0-v1.0.4", "prompt": "a cat", "size": "1024x1024", "seed": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "model", "path"),
    [
        ("hunyuan-image", "hunyuan-image", "ai/hunyuan-image/images/generations"),
        ("hunyuan-image", "hunyuan-image-v3.0-v1.0.1", "ai/hunyuan-image/images/ar/generations"),
        ("other", "dall-e-3", "ai/other/images/generations"),
        ("custom", "flux", "images/generations"),
    ],
)
async def test_every_model_is_asked_at_its_address(
    make_image_model: MakeImageModel, gateway: Gateway, provider: str, model: str, path: str
) -> None:
    ask = {"prompt": "a cat", "model": "never", "footnote": None}
    answer = await make_image_model(provider).generate_image(ask, model=model)
    assert gateway.last.path == f"/v1/{path}"
    assert gateway.last.json == {"prompt": "a cat", "model": model}
    assert len(answer.images) == 1


async def test_images_in_the_answer_itself_are_read(painter: ImageModel, gateway: Gateway) -> None:
    answer = await painter.generate_image(prompt="x", n=3, response_format="b64_json")
    assert [image.data for image in answer.images] == [pictures.png(n, 1) for n in (1, 2, 3)]
    assert {image.url for image in answer.images} == {None}
    assert gateway.stranger_requests == []


async def test_the_kind_is_told_from_the_bytes(painter: ImageModel, gateway: Gateway) -> None:
    gateway.images.file = file(pictures.GIF, content_type="text/html")
    answer = await painter.generate_image(prompt="x")
    assert answer.images[0].mime == "image/gif"


async def test_preparing_sends_nothing_and_hides_the_key(
    painter: ImageModel, gateway: Gateway
) -> None:
    request = await painter.prepare(prompt="a cat", n=2)
    assert request.shown()["body"]["n"] == 2
    assert "test-key" not in repr(request) + repr(painter) + str(request.shown())
    assert gateway.requests == []


async def test_what_cannot_be_drawn_is_refused_before_it_is_sent(
    make_image_model: MakeImageModel, gateway: Gateway
) -> None:
    for prompt in ("", "  ", None, 3):
        with pytest.raises(UsageError):
            await make_image_model().generate_image(prompt=prompt)
    with pytest.raises(ConfigurationError, match="model"):
        await make_image_model("other").generate_image(prompt="x")
    with pytest.raises(UsageError, match="local"):
        await make_image_model("local").generate_image(prompt="x", model="m")
    with pytest.raises(ConfigurationError):
        await make_image_model(api_key=None).generate_image(prompt="x")
    with pytest.raises(ConfigurationError):
        await make_image_model("custom", base_url=None).generate_image(prompt="x", model="m")
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("error:401", AuthenticationError),
        ("error:400", BadRequestError),
        ("error:500", ServerError),
        ("error:429:EXCEED_TOKEN_QUOTA_LIMIT", QuotaExceededError),
        ("error-in-200:AI_MODEL_PARAM_INVALID", BadRequestError),
        ("html:200", InvalidResponseError),
        ("redirect", InvalidResponseError),
        ("cut:headers", CbaiError),
    ],
)
async def test_a_refusal_is_one_readable_error_and_is_not_paid_twice(
    painter: ImageModel, gateway: Gateway, spec: str, kind: type[CbaiError]
) -> None:
    gateway.always(spec)
    with pytest.raises(kind) as raised:
        await painter.generate_image(prompt="x")
    assert "test-key" not in raised.value.message
    assert len(gateway.requests) == 1
    assert gateway.stranger_requests == []


async def test_a_server_that_is_busy_is_asked_again(painter: ImageModel, gateway: Gateway) -> None:
    gateway.script("error:429:EXCEED_CONCURRENT_REQUEST_LIMIT", "default")
    assert (await painter.generate_image(prompt="x")).images


async def test_drawing_has_a_time_limit_and_can_be_cancelled(
    painter: ImageModel, gateway: Gateway
) -> None:
    gateway.script("hang:headers", "hang:headers")
    with pytest.raises(RequestTimeoutError):
        await painter.generate_image(prompt="x", timeout=0.2)
    await gateway.until(lambda: gateway.last.disconnected)
    drawing = asyncio.ensure_future(painter.generate_image(prompt="x"))
    await gateway.until(lambda: len(gateway.requests) == 2)
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    await gateway.until(lambda: gateway.last.disconnected)


@pytest.mark.parametrize(
    "items",
    [[], None, ["x"], [{"url": "https://x"}] * 33],
)
async def test_an_answer_without_images_is_none(
    painter: ImageModel, gateway: Gateway, items: Any
) -> None:
    gateway.script(
        Scenario(body=b'{"data": %s}' % repr(items).replace("'", '"').replace("None", "null").encode(),
                 content_type="application/json")
    )  # fmt: skip
    with pytest.raises(InvalidResponseError):
        await painter.generate_image(prompt="x")


# Downloads


async def test_the_key_stays_at_home(painter: ImageModel, gateway: Gateway) -> None:
    await painter.generate_image(prompt="x", n=3)
    assert len(gateway.stranger_requests) == 3
    assert gateway.leaks == []
    for seen in gateway.stranger_requests:
        assert seen.method == "GET"
        assert seen.body == b""
        assert {"authorization", "cookie", "referer", "content-type"}.isdisjoint(seen.headers)
        assert seen.headers["user-agent"].startswith("cbai-notebook/")


async def test_a_signed_link_is_opened_as_it_was_signed(gateway: Gateway) -> None:
    settings = gateway_settings(gateway)
    answer = await create_image_model(settings=settings).generate_image(prompt="x")
    assert answer.images[0].url == gateway.stranger_url + gateway.stranger_requests[0].target


@pytest.mark.parametrize(
    ("scenario", "kind", "said"),
    [
        (file(b"<html>login</html>"), InvalidResponseError, "a web page"),
        (file(b"<svg onload=alert(1)>"), InvalidResponseError, "an SVG drawing"),
        (file(b"%PDF-1.7"), InvalidResponseError, "a PDF"),
        (file(b""), InvalidResponseError, "empty"),
        (Scenario(error=Error("NoSuchKey", status=404)), NotFoundError, "expired"),
        (Scenario(error=Error("AccessDenied", status=403)), NotFoundError, "expired"),
        (Scenario(error=Error("SlowDown", status=503)), ServerError, "503"),
        (file(pictures.png(), faults=(Fault("fin", 1),)), CbaiError, "broke"),
        (file(pictures.png(), faults=(Fault("rst", "headers"),)), CbaiError, ""),
    ],
)
async def test_a_link_that_gives_no_image_is_told_and_kept(
    painter: ImageModel, gateway: Gateway, scenario: Scenario, kind: type[CbaiError], said: str
) -> None:
    gateway.images.file = scenario
    with pytest.raises(ImageDownloadError) as raised:
        await painter.generate_image(prompt="x")
    error = raised.value
    assert isinstance(error.__cause__, kind)
    assert said in error.message
    assert "error.answer.images[0].url" in error.message
    assert error.answer.images[0].url.startswith(gateway.stranger_url)
    assert error.answer.images[0].data == b""
    assert error.request_id == "req-000001"
    assert len(gateway.requests) == 1, "what was drawn is not drawn again"


async def test_a_redirect_is_not_followed(painter: ImageModel, gateway: Gateway) -> None:
    gateway.images.file = file(
        status=302, headers=(("Location", f"{gateway.stranger_url}/files/other.png"),)
    )
    with pytest.raises(ImageDownloadError, match="not followed"):
        await painter.generate_image(prompt="x")
    assert len(gateway.stranger_requests) == 1


async def test_an_image_without_end_is_not_read_to_it(
    painter: ImageModel, gateway: Gateway
) -> None:
    gateway.images.file = file(pictures.png() + bytes(LARGEST_IMAGE + 2**20))
    with pytest.raises(ImageDownloadError, match="32 MB"):
        await painter.generate_image(prompt="x")
    gateway.images.file = file(pictures.png() + bytes(2**27), gzip=True)
    with pytest.raises(ImageDownloadError, match="32 MB"):
        await painter.generate_image(prompt="x")


async def test_an_image_that_never_comes_is_not_waited_for(
    make_image_model: MakeImageModel, gateway: Gateway
) -> None:
    gateway.images.file = file(pictures.png(), faults=(Fault("pause", 1),))
    with pytest.raises(ImageDownloadError, match="did not deliver") as raised:
        await make_image_model(timeout={"answer": 0.5}).generate_image(prompt="x")
    assert isinstance(raised.value.__cause__, RequestTimeoutError)


async def test_a_failing_server_of_images_is_asked_again(
    painter: ImageModel, gateway: Gateway
) -> None:
    gateway.images.file = Scenario(error=Error("SlowDown", status=503))
    with pytest.raises(ImageDownloadError):
        await painter.generate_image(prompt="x")
    assert len(gateway.stranger_requests) == ATTEMPTS


async def test_what_could_be_fetched_is_kept_beside_what_could_not(
    painter: ImageModel, gateway: Gateway
) -> None:
    good = base64.b64encode(pictures.png()).decode()
    gateway.images.items = [
        {"url": f"{gateway.stranger_url}/files/a.png"},
        {"url": f"{gateway.stranger_url}/elsewhere"},
        {"b64_json": "not base64!"},
        {"b64_json": base64.b64encode(b"<svg>").decode()},
        {"b64_json": good, "revised_prompt": 7},
        {"neither": True},
    ]
    with pytest.raises(ImageDownloadError) as raised:
        await painter.generate_image(prompt="x")
    assert [bool(one.data) for one in raised.value.answer.images] == [1, 0, 0, 0, 1, 0]
    assert "6 drawn, but 4 could not be fetched" in raised.value.message
    assert "images[1].url" in raised.value.message
    assert vars(pickle.loads(pickle.dumps(raised.value))) == vars(raised.value)


@pytest.mark.parametrize(
    "link",
    [
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        "//example.com/a.png",
        "/files/a.png",
        "javascript:alert(1)",
        "https://user:password@example.com/a.png",
        "https://example.com:port/a.png",
        "https://example.com/a b.png",
        "https://例子.测试/a.png",
        "https:///a.png",
        "https://example.com/?stolen=test-key",
        "",
    ],
)
async def test_a_link_that_is_not_safe_is_not_opened(
    painter: ImageModel, gateway: Gateway, link: str
) -> None:
    gateway.images.items = [{"url": link}]
    with pytest.raises(ImageDownloadError, match="not safe"):
        await painter.generate_image(prompt="x")


# Saving


def answer_of(*datas: bytes, prompt: str | None = None) -> ImageAnswer:
    mimes = {b"\x89": "image/png", b"G": "image/gif"}
    images = (
        GeneratedImage(data, next(m for s, m in mimes.items() if data.startswith(s)), None, prompt)
        for data in datas
    )
    return ImageAnswer(tuple(images), "m", "p")


def test_a_notebook_shows_real_data() -> None:
    single = answer_of(pictures.png())
    bundle = single._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == pictures.png()
    assert set(bundle) == {"image/png", "text/plain"}
    assert single.images[0]._repr_png_() == pictures.png()
    gif = answer_of(pictures.GIF)
    assert set(gif._repr_mimebundle_()) == {"image/gif", "text/plain"}
    assert gif.images[0]._repr_png_() is None
    shown, _ = DisplayFormatter().format(single)
    assert base64.b64decode(shown["image/png"]) == pictures.png()
    shown, _ = DisplayFormatter().format(answer_of(pictures.png(), pictures.GIF))
    assert set(shown) == {"text/html", "text/plain"}
    assert len(repr(answer_of(pictures.png(300, 300, noise=True)))) < 300


def test_several_images_stand_in_one_page_that_nothing_breaks_out_of() -> None:
    hostile = '"><script>alert(1)</script><img src="https://evil.example/x" alt="'
    page = answer_of(pictures.png(), pictures.GIF, prompt=hostile)._repr_mimebundle_()["text/html"]
    assert page.count('<img src="data:image/') == 2
    assert "<script" not in page
    assert '<img src="https' not in page


def test_images_are_saved_under_the_right_name(tmp_path: Path) -> None:
    single = answer_of(pictures.png())
    assert single.save(tmp_path / "cat") == (tmp_path / "cat.png",)
    assert (tmp_path / "cat.png").read_bytes() == pictures.png()
    assert single.save(str(tmp_path / "cat.PNG")) == (tmp_path / "cat.PNG",)
    several = answer_of(pictures.png(), pictures.GIF)
    assert [path.name for path in several.save(tmp_path / "two")] == ["two-1.png", "two-2.gif"]
    with pytest.raises(UsageError, match=r"cat\.png"):
        single.save(tmp_path / "cat.jpg")
    with pytest.raises(UsageError, match="saved"):
        single.save(tmp_path / "nowhere" / "cat.png")
    with pytest.raises(UsageError, match="not downloaded"):
        GeneratedImage(b"", "").save(tmp_path / "x")
