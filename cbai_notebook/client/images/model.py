"""The client of an image model."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.before_send import screened_text
from cbai_notebook.client.provider_registry import provider_for
from cbai_notebook.client.providers import (
    DEMO,
    CloudBaseProvider,
    DrawingProvider,
    Endpoint,
    ServerProvider,
    cloudbase,
    is_server,
    key_advice,
)
from cbai_notebook.client.request import Request, headers_of
from cbai_notebook.client.settings import Settings, Timeout
from cbai_notebook.errors import (
    CbaiError,
    ConfigurationError,
    ImageDownloadError,
    UsageError,
)
from cbai_notebook.i18n import joined, say

if TYPE_CHECKING:
    from cbai_notebook.client.images.image import GeneratedImage, ImageAnswer
    from cbai_notebook.client.transport import Transport

# The model named ``hunyuan-image`` itself was retired by the cloud in mid-2026.
_DEFAULT_MODELS = {"hunyuan-image": "hunyuan-image-v3.0-v1.0.4", DEMO: "demo"}


class ImageModel:
    """A client of a provider's image models, created by `create_image_model`.

    Args:
        provider: The provider's name.
        settings: The settings; by default the current ones at the time of each request.
        transport: Sends the requests; by default `HTTPTransport`.
    """

    def __init__(
        self,
        provider: str,
        *,
        settings: Settings | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.provider = provider
        self._settings = settings
        self._transport = transport

    @property
    def settings(self) -> Settings | None:
        """The settings that it was made with; None if it takes the current ones for each request."""
        return self._settings

    def with_settings(self, settings: Settings) -> ImageModel:
        """Return a model with the same provider and transport, and other settings."""
        found = copy.copy(self)
        found._settings = settings
        return found

    async def generate_image(
        self,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: Timeout | float | Mapping[str, float] | None = None,
        **params: Any,
    ) -> ImageAnswer:
        """Generate images, and download those that the server sends as links.

        A failed request is not sent again, because the server may have carried it out. Only a
        refusal (429) is retried.

        Args:
            data: All parameters in one mapping, as the SDKs pass them.
            timeout: Seconds to wait, for this request only. Generating may take two minutes.
            params: The parameters as keyword arguments, which win over ``data``: ``prompt``,
                ``model``, ``size`` (pixels, ``"1024x1024"``), ``n``, and other parameters of the
                model, such as ``revise={"value": False}``.

        Returns:
            The images, each with its bytes.

        Raises:
            ImageDownloadError: A download failed; ``answer`` holds all images, and the links of
                those without bytes.
            CbaiError: No image was generated; the message says what to do.

        Source: ``docs.cloudbase.net/ai/image-model``; the paths are the official SDK's.
        """
        from cbai_notebook.client.completion import request_json
        from cbai_notebook.client.error_mapping import ErrorContext
        from cbai_notebook.client.images.fetch import fetch_images
        from cbai_notebook.client.transport import HTTPTransport

        settings = settings_module.request_settings(self._settings, timeout)
        request = await self._screened_request(settings, data, params)
        error_context = ErrorContext(
            provider=self.provider,
            model=str(request.body["model"]),
            url=request.url,
            secrets=request.secrets,
            cloud=isinstance(provider_for(self.provider, settings), CloudBaseProvider),
            key_advice=partial(key_advice, self.provider, settings)
            if is_server(self.provider, settings)
            else None,
        )
        began = asyncio.get_running_loop().time()
        reply = await request_json(
            self._transport or HTTPTransport(), request, error_context, settings.timeout
        )
        # The faster transport normalises a URL, which can break the signature of a link.
        fetching = self._transport or HTTPTransport(fast=False)
        images, failed = await fetch_images(reply.value, request, fetching, settings.timeout)
        answer = self._answer(images, request, reply.value, reply.request_id, began)
        if failed is not None:
            raise _download_error(answer, failed) from failed
        return answer

    async def prepare(self, data: Mapping[str, Any] | None = None, /, **params: Any) -> Request:
        """Return the request without sending it."""
        settings = settings_module.request_settings(self._settings, None)
        return await self._screened_request(settings, data, params)

    def __repr__(self) -> str:
        return f"<ImageModel of {self.provider}>"

    async def _screened_request(
        self, settings: Settings, data: Mapping[str, Any] | None, params: Mapping[str, Any]
    ) -> Request:
        """Return a request with the prompt that the user's ``before_send`` returns."""
        request = self._request(settings, data, params)
        prompt = await screened_text(request.body["prompt"], settings.before_send)
        return replace(request, body={**request.body, "prompt": prompt})

    def _request(
        self, settings: Settings, data: Mapping[str, Any] | None, params: Mapping[str, Any]
    ) -> Request:
        given = {**(data or {}), **params}
        body = {name: value for name, value in given.items() if value is not None}
        model = body.pop("model", None) or _DEFAULT_MODELS.get(self.provider)
        endpoint = _endpoint(self.provider, model or "", settings)
        if not model:
            raise ConfigurationError(say("image.needs_a_model", provider=self.provider))
        prompt = body.pop("prompt", None)
        if not isinstance(prompt, str) or not prompt.strip():
            raise UsageError(say("image.prompt_is_empty"))
        return Request(
            "POST",
            endpoint.url,
            headers_of(endpoint, False),
            {"model": model, "prompt": prompt, **body},
            secrets=endpoint.secrets,
        )

    def _answer(
        self,
        images: Sequence[GeneratedImage],
        request: Request,
        raw: Mapping[str, Any],
        request_id: str | None,
        began: float,
    ) -> ImageAnswer:
        from cbai_notebook.client.answer import Timing
        from cbai_notebook.client.images.image import ImageAnswer

        return ImageAnswer(
            images=tuple(images),
            model=str(request.body["model"]),
            provider=self.provider,
            timing=Timing(duration_s=asyncio.get_running_loop().time() - began),
            request_id=request_id,
            raw=raw,
        )


def create_image_model(
    provider: str = "hunyuan-image",
    *,
    settings: Settings | None = None,
    transport: Transport | None = None,
) -> ImageModel:
    """Create a client of an image model. It sends no request yet.

    Args:
        provider: The provider's name; ``"custom"`` and the servers of the settings are asked at
            ``{base_url}/images/generations``. ``"demo"`` draws plain squares.
        settings: The settings; by default the current ones at the time of each request.
        transport: Sends the requests; by default `HTTPTransport`.
    """
    return ImageModel(provider, settings=settings, transport=transport)


def _endpoint(provider: str, model: str, settings: Settings) -> Endpoint:
    """Return the endpoint of a model, with its key and headers."""
    found = provider_for(provider, settings)
    if isinstance(found, CloudBaseProvider):
        base, key = cloudbase(settings)
        # The newer models of this provider have a separate path.
        newer = provider == "hunyuan-image" and model.startswith("hunyuan-image-v3")
        path = "images/ar/generations" if newer else "images/generations"
        return Endpoint(provider, f"{base}/ai/{provider}/{path}", key)
    if isinstance(found, ServerProvider):
        server = found.server(settings)
        url = f"{server.base_url}/images/generations"
        return Endpoint(provider, url, server.api_key or "", headers=server.headers)
    if isinstance(found, DrawingProvider):
        return found.image_endpoint()
    raise UsageError(say("image.provider_draws_nothing", provider=provider))


def _download_error(answer: ImageAnswer, failed: CbaiError) -> ImageDownloadError:
    lost = [number for number, image in enumerate(answer.images) if not image.data]
    linked = next((number for number in lost if answer.images[number].url), None)
    message = joined(
        say("image.not_all_were_fetched", drawn=len(answer.images), lost=len(lost)),
        failed.words or failed.message,
    )
    if linked is not None:
        message = joined(message, say("image.link_works_for_a_day", index=linked))
    return ImageDownloadError(
        message,
        answer=answer,
        status=failed.status,
        code=failed.code,
        request_id=answer.request_id,
    )
