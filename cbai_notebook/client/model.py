"""`Model`: request complete answers and streams from the models of a provider."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from cbai_notebook.client import capabilities, server_quirks
from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.providers import Endpoint, default_model, provider_for
from cbai_notebook.client.request import Request, build
from cbai_notebook.client.request_options import RequestOptions, split
from cbai_notebook.client.secret import real_secrets
from cbai_notebook.client.settings import Settings, Timeout
from cbai_notebook.errors import APIError, UsageError
from cbai_notebook.text import masked

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer, AnswerFacts
    from cbai_notebook.client.decoder import StreamDecoder
    from cbai_notebook.client.error_mapping import ErrorContext
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.transport import Transport

Result = TypeVar("Result")

# The HTTP library is imported when the first request is sent, not when a model is created.


class Model:
    """The models of a provider, created by `create_model`. Creating it sends no request.

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

    async def generate_text(
        self,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: Timeout | float | Mapping[str, float] | None = None,
        **params: Any,
    ) -> Answer:
        """Request a complete answer.

        Args:
            data: All parameters in one mapping, as the Mini Program passes them; also as
                ``data={…}``.
            timeout: Seconds to wait, for this request only.
            params: The parameters by name, which override ``data``: ``model``, ``messages``, and
                every other parameter of the model, such as ``temperature`` or ``max_tokens``.
                The following parameters are used by this client and not sent as they are:

                - ``tools``: functions with type hints and a docstring, `Tool` values, or the Web
                  SDK's ``{"fn": …}`` mappings. Entries without a function are sent unchanged, and
                  their calls are left to the caller. ``tool_choice`` is sent too; one that forces
                  a tool call is sent in the first step only.
                - ``max_steps``: the most requests for one answer, 10 by default.
                - ``on_step_finish``: called with each `Step`; may be asynchronous.
                - ``on_call``: called with a `ToolCallState` when a call starts and when it ends.
                - ``approve``: an asynchronous function that returns whether a `PendingCall` may
                  run, for tools with ``confirm=True``; without it such calls are refused.
                - ``call_nested``: an asynchronous function that runs the function of a tool with
                  ``nested=True``.
                - ``response_type``: a dataclass, TypedDict, msgspec Struct or pydantic model for
                  the answer; the object is the answer's ``parsed``.
                - ``think``: True or False; sent under the provider's own parameter name.

        Returns:
            The answer.

        Raises:
            CbaiError: There was no answer; the message says what to do.
        """
        options, given = split(given_parameters(data, params))
        if options.callbacks:
            raise UsageError(
                "on_text, on_event and on_finish are called by a stream: use stream_text."
            )
        settings = settings_module.request_settings(self._settings, timeout)
        endpoint = await self._endpoint(given, settings)
        if options.loops:
            return await self._run_steps(endpoint, settings, options, given)
        return await self._completion(endpoint, settings, given)

    async def stream_text(
        self,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: Timeout | float | Mapping[str, float] | None = None,
        **params: Any,
    ) -> TextStream:
        """Request an answer as a stream, and return when its first token has arrived.

        A request that fails before the first token is retried where that helps, and never
        afterwards.

        Args:
            data: As for `generate_text`.
            timeout: As for `generate_text`.
            params: As for `generate_text`, and the callbacks of the Mini Program. They are called
                while the stream runs, whether anybody reads it or not, over all steps; each may be
                asynchronous, and what it raises ends the stream:

                - ``on_text`` (``onText``): called with each piece of text.
                - ``on_event`` (``onEvent``): called with each event, ``[DONE]`` included.
                - ``on_finish`` (``onFinish``): called with the whole text at the end.

        Raises:
            CbaiError: There was no first token; the message says what to do.
        """
        options, given = split(given_parameters(data, params))
        settings = settings_module.request_settings(self._settings, timeout)
        endpoint = await self._endpoint(given, settings)
        if options.loops:
            return await self._stream_steps(endpoint, settings, options, given)
        request = build(endpoint, stream=True, params=given)
        return await self._open_stream(endpoint, settings, request)

    async def prepare(
        self, stream: bool, data: Mapping[str, Any] | None = None, /, **params: Any
    ) -> Request:
        """Return the request exactly as it would be sent, without sending it.

        Args:
            stream: Whether to prepare the request of `stream_text`, else that of `generate_text`.
            data: As for `generate_text`.
            params: As for `generate_text`.
        """
        _, given = split(given_parameters(data, params))
        settings = settings_module.request_settings(self._settings, None)
        endpoint = await self._endpoint(given, settings)
        return build(endpoint, stream=stream or endpoint.always_stream, params=given)

    def check(self, data: Mapping[str, Any] | None = None, /, **params: Any) -> None:
        """Check a request without sending it, and without starting a model.

        Args:
            data: As for `generate_text`.
            params: As for `generate_text`.

        Raises:
            UsageError: An option is not valid, or the model cannot do what is requested.
        """
        _, given = split(given_parameters(data, params))
        self._check(given, settings_module.request_settings(self._settings, None))

    def __repr__(self) -> str:
        return f"<Model of {self.provider}>"

    async def _endpoint(self, given: Mapping[str, Any], settings: Settings) -> Endpoint:
        self._check(given, settings)
        model = given.get("model") or default_model(self.provider, settings)
        return await provider_for(self.provider, settings).endpoint(model, settings)

    def _check(self, given: Mapping[str, Any], settings: Settings) -> None:
        model = given.get("model") or default_model(self.provider, settings)
        capabilities.check(provider_for(self.provider, settings), model, given)

    async def _open_stream(
        self, endpoint: Endpoint, settings: Settings, request: Request
    ) -> TextStream:
        from cbai_notebook.client import retry
        from cbai_notebook.client.answer import Timing
        from cbai_notebook.client.stream import TextStream, wait_for_first_token
        from cbai_notebook.client.stream_task import StreamTask

        transport = self._sender()
        began = asyncio.get_running_loop().time()
        error_context = _error_context(endpoint, request)
        facts = _facts(endpoint, request)

        async def send(request: Request, refused: int) -> TextStream:
            async def attempt(number: int) -> TextStream:
                task = StreamTask(
                    transport, request, error_context, settings.timeout, self._decoder
                )
                timing = Timing(attempts=number + refused)
                stream = TextStream(task, replace(facts, timing=timing), began=began)
                return await wait_for_first_token(stream)

            return await retry.call(attempt)

        return await _without_refused_fields(request, send)

    async def _run_steps(
        self, endpoint: Endpoint, settings: Settings, options: RequestOptions, given: dict[str, Any]
    ) -> Answer:
        """Run the steps of a complete answer, one request each."""
        from cbai_notebook.client.answer import Timing
        from cbai_notebook.client.structured.schema_prompt import with_schema_prompt
        from cbai_notebook.client.tools import loop

        clock = asyncio.get_running_loop().time
        began, attempts = clock(), 0

        async def send_step(messages: list[dict[str, Any]], number: int) -> Answer:
            nonlocal attempts
            answer = await self._completion(
                endpoint, settings, _step_parameters(given, messages, number)
            )
            attempts += answer.timing.attempts
            return answer

        first = build(endpoint, stream=False, params=given)
        return await loop.run(
            with_schema_prompt(send_step, options.response, given),
            first.messages,
            options,
            mask=_mask(endpoint, settings),
            keep=lambda step: None,
            timing=lambda: Timing(duration_s=clock() - began, attempts=attempts),
        )

    async def _stream_steps(
        self, endpoint: Endpoint, settings: Settings, options: RequestOptions, given: dict[str, Any]
    ) -> TextStream:
        """Start the steps of a stream, one request each; return at the first token."""
        from cbai_notebook.client.stream import wait_for_first_token
        from cbai_notebook.client.structured.schema_prompt import with_schema_prompt
        from cbai_notebook.client.tools import loop
        from cbai_notebook.client.tools.multi_step import MultiStepStream, StepRunner

        first = build(endpoint, stream=True, params=given)

        async def work(runner: StepRunner) -> Answer:
            async def send_step(messages: list[dict[str, Any]], number: int) -> Answer:
                params = _step_parameters(given, messages, number)
                request = build(endpoint, stream=True, params=params)
                return await runner.follow(await self._open_stream(endpoint, settings, request))

            return await loop.run(
                with_schema_prompt(send_step, options.response, given),
                first.messages,
                options,
                mask=_mask(endpoint, settings),
                keep=runner.keep,
                timing=runner.timing,
            )

        stream = MultiStepStream(
            StepRunner(work, list(first.messages), options.callbacks),
            replace(_facts(endpoint, first), declares_end=False),
            options.response,
        )
        return await wait_for_first_token(stream)

    async def _completion(
        self, endpoint: Endpoint, settings: Settings, given: Mapping[str, Any]
    ) -> Answer:
        """Send one request and return its complete answer; some endpoints can only stream it."""
        from cbai_notebook.client.completion import request_completion

        request = build(endpoint, stream=endpoint.always_stream, params=given)
        if not endpoint.always_stream:
            error_context = _error_context(endpoint, request)

            async def send(request: Request, refused: int) -> Answer:
                return await request_completion(
                    self._sender(),
                    request,
                    error_context,
                    settings.timeout,
                    _facts(endpoint, request),
                )

            return await _without_refused_fields(request, send)
        return await self._read_stream(endpoint, settings, request)

    async def _read_stream(
        self, endpoint: Endpoint, settings: Settings, request: Request
    ) -> Answer:
        """Send one request and return the complete answer that the decoder of streams reads."""
        from cbai_notebook.client.completion import within

        async def read() -> Answer:
            async with await self._open_stream(endpoint, settings, request) as stream:
                return await stream.finish()

        return await within(settings.timeout.answer, read(), _error_context(endpoint, request))

    def _decoder(self) -> StreamDecoder:
        """Return a new decoder for the events of one stream."""
        from cbai_notebook.client.decoder import ChatDecoder

        return ChatDecoder()

    def _sender(self) -> Transport:
        if self._transport is None:
            from cbai_notebook.client.transport import HTTPTransport

            self._transport = HTTPTransport()
        return self._transport


def given_parameters(data: Mapping[str, Any] | None, params: dict[str, Any]) -> dict[str, Any]:
    """Merge ``data`` and the parameters; ``data`` may be a keyword, as in the Mini Program."""
    if data is None and "data" in params:
        params = dict(params)
        data = params.pop("data")
    if data is not None and not isinstance(data, Mapping):
        raise UsageError(
            f"data must be a dict with 'model' and 'messages', not {type(data).__name__}."
        )
    return {**(data or {}), **params}


def _step_parameters(
    given: dict[str, Any], messages: list[dict[str, Any]], number: int
) -> dict[str, Any]:
    """Return the parameters of one step."""
    params = {**given, "messages": messages}
    choice = params.get("tool_choice")
    if number > 1 and choice is not None and choice not in ("auto", "none"):
        # Such a choice would force a tool call in every step, and there would never be an answer.
        del params["tool_choice"]
    return params


async def _without_refused_fields(
    request: Request, send: Callable[[Request, int], Awaitable[Result]]
) -> Result:
    """Send a request; once more without the fields that the server refuses, if it refuses some.

    Args:
        request: The request.
        send: Sends a request; gets the number of requests that were refused before.
    """
    names: set[str] = set()
    for refused in itertools.count():
        adapted = replace(request, body=server_quirks.without(request.body, names))
        try:
            result = await send(adapted, refused)
        except APIError as error:
            more = server_quirks.refused_fields(error, adapted.body)
            if not more:
                raise
            names |= more
        else:
            break
    if names:
        server_quirks.remember_refused(request.url, names)
    return result


def _mask(endpoint: Endpoint, settings: Settings) -> Callable[[str], str]:
    """Return a function that masks every known key in what a tool returns, not only this server's."""
    secrets = real_secrets((endpoint.api_key, *settings.secrets.values()))
    return lambda text: masked(text, *secrets)


def _facts(endpoint: Endpoint, request: Request) -> AnswerFacts:
    """Return what is known about an answer before its request is sent."""
    from cbai_notebook.client.answer import AnswerFacts

    return AnswerFacts(
        endpoint.provider,
        endpoint.label,
        str(request.body.get("model", "")),
        list(request.messages),
        declares_end=endpoint.cloud,
    )


def _error_context(endpoint: Endpoint, request: Request) -> ErrorContext:
    from cbai_notebook.client.error_mapping import ErrorContext

    return ErrorContext(
        provider=endpoint.provider,
        cloud=endpoint.cloud,
        model=str(request.body.get("model", "")),
        url=endpoint.url,
        secrets=request.secrets,
        key_advice=endpoint.key_advice,
    )
