"""`Model`: request complete answers and streams from the models of a provider."""

from __future__ import annotations

import asyncio
import copy
import importlib
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.client import capabilities
from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.capabilities import LimitedProvider
from cbai_notebook.client.checked_request import CheckedRequest
from cbai_notebook.client.passage import PROMPT, Traffic
from cbai_notebook.client.provider_registry import provider_for
from cbai_notebook.client.providers import Endpoint, Provider, default_model
from cbai_notebook.client.request import Request
from cbai_notebook.client.request_options import RequestOptions, split
from cbai_notebook.client.request_sender import RequestSender
from cbai_notebook.client.secret_values import known_secrets, texts_in
from cbai_notebook.client.settings import Settings, Timeout
from cbai_notebook.client.wire_format import format_of
from cbai_notebook.errors import SecretRefusedError, UsageError
from cbai_notebook.i18n import listed, say

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.tools.execute import Mask
    from cbai_notebook.client.transport import Transport

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
        self._traffic = PROMPT

    @property
    def settings(self) -> Settings | None:
        """The settings that it was made with; None if it takes the current ones for each request."""
        return self._settings

    def with_settings(self, settings: Settings) -> Model:
        """Return a model with the same provider and transport, and other settings."""
        found = copy.copy(self)
        found._settings = settings
        return found

    def with_traffic(self, traffic: Traffic) -> Model:
        """Return a model whose requests go to the server as those of `traffic` do.

        Args:
            traffic: Whose requests these are.
        """
        found = copy.copy(self)
        found._traffic = traffic
        return found

    def for_another_process(self) -> Model:
        """Return a model that can be pickled: without settings, which hold keys, and connections."""
        found = copy.copy(self)
        found._settings = found._transport = None
        return found

    async def generate_text(
        self,
        data: Mapping[str, Any] | CheckedRequest | None = None,
        /,
        *,
        timeout: Timeout | float | Mapping[str, float] | None = None,
        **params: Any,
    ) -> Answer:
        """Request a complete answer.

        Args:
            data: All parameters in one mapping, as the Mini Program passes them; also as
                ``data={…}``. Or what `check` has returned, and nothing else beside it.
            timeout: Seconds to wait, for this request only.
            params: The parameters by name, which override ``data``: ``model``, ``messages``, and
                every other parameter of the model, such as ``temperature`` or ``max_tokens``.
                The following parameters are used by this client and not sent as they are:

                - ``tools``: functions with type hints and a docstring, `Tool` values, servers of
                  tools (`cbai_notebook.mcp`), toolboxes, lists and dicts of functions, or the Web
                  SDK's ``{"fn": …}`` mappings. Entries without a function are sent unchanged, and
                  their calls are left to the caller. ``tool_choice`` is sent too; one that forces
                  a tool call is sent in the first step only.
                - ``max_steps``: the most requests for one answer, 10 by default.
                - ``on_step_finish``: called with each `Step`; may be asynchronous.
                - ``on_call``: called with a `ToolCall` when a call starts, when the user is asked,
                  and when it ends.
                - ``approve``: an asynchronous function that returns whether a `ToolCall` may run,
                  for tools with ``confirm=True``; without it such calls are refused.
                - ``call_nested``: an asynchronous function that runs the function of a tool with
                  ``nested=True``.
                - ``allow_secrets``: whether the results of tools may hold the values of secret
                  environment variables, which are masked otherwise; API keys always are.
                - ``response_type``: a dataclass, TypedDict, msgspec Struct or pydantic model for
                  the answer; the object is the answer's ``parsed``.
                - ``think``: True or False; sent under the provider's own parameter name.

        Returns:
            The answer.

        Raises:
            CbaiError: There was no answer; the message says what to do.
        """
        sender, options, given = await self.begin(data, params, timeout, stream=False)
        return await complete(sender, options, given)

    async def stream_text(
        self,
        data: Mapping[str, Any] | CheckedRequest | None = None,
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
        sender, options, given = await self.begin(data, params, timeout, stream=True)
        if options.loops:
            return await _stream_steps(sender, options, given)
        return await sender.open_stream(await sender.screened(given, stream=True))

    async def batch(self, data: Any, prompt: Any, **options: Any) -> Any:
        """Ask a prompt for every row of a table, and return the table with the answers.

        Args:
            data: The rows, as for `cbai_notebook.batch`.
            prompt: The prompt of each row.
            options: The other arguments of `cbai_notebook.batch`.
        """
        from cbai_notebook.client.tools.source import start_sources

        await start_sources(options.get("tools"))
        return await _batches().batch_of(self, data, prompt, options)

    def batch_rows(
        self, data: Any, prompt: Any, **options: Any
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Do as `batch`, and yield what each row gets as soon as it is there.

        Each is a dict with ``row``, the position of the row from 0, and the new columns. Leaving the
        loop stops the batch once the generator is closed.

        Args:
            data: As for `batch`.
            prompt: As for `batch`.
            options: As for `batch`.
        """
        rows: AsyncGenerator[dict[str, Any], None] = _batches().rows_of_batch(
            self, data, prompt, options
        )
        return rows

    async def prepare(
        self, stream: bool, data: Mapping[str, Any] | None = None, /, **params: Any
    ) -> Request:
        """Return the request exactly as it would be sent, without sending it.

        Args:
            stream: Whether to prepare the request of `stream_text`, else that of `generate_text`.
            data: As for `generate_text`.
            params: As for `generate_text`.
        """
        sender, _, given = await self.begin(data, params, None, stream=True)
        return await sender.screened(given, stream=stream or sender.endpoint.always_stream)

    def check(self, data: Mapping[str, Any] | None = None, /, **params: Any) -> CheckedRequest:
        """Check a request without sending it, and without starting a model.

        Args:
            data: As for `generate_text`.
            params: As for `generate_text`.

        Returns:
            The request, which `generate_text` and `stream_text` take and do not check again.

        Raises:
            UsageError: An option is not valid, or the model cannot do what is requested.
        """
        return self._checked(data, params, None)

    def __repr__(self) -> str:
        return f"<Model of {self.provider}>"

    def _settings_for(self, timeout: Timeout | float | Mapping[str, float] | None) -> Settings:
        """Return the settings of one request; those of the model as they are, if it has its own."""
        if self._settings is not None and timeout is None:
            return self._settings
        return settings_module.request_settings(self._settings, timeout)

    def _provider(self, settings: Settings) -> Provider:
        return provider_for(self.provider, settings)

    def _checked(
        self,
        data: Mapping[str, Any] | None,
        params: dict[str, Any],
        timeout: Timeout | float | Mapping[str, float] | None,
    ) -> CheckedRequest:
        given = given_parameters(data, params)
        settings = self._settings_for(timeout)
        provider = self._provider(settings)
        model = given.get("model") or default_model(self.provider, settings)
        wire_format = format_of(provider)
        wire_format.check(given)
        if isinstance(provider, LimitedProvider):
            capabilities.check(provider, model, given, configured=settings.configured)
        options, sent = split(given)
        return CheckedRequest(provider, wire_format, model, settings, options, sent)

    async def begin(
        self,
        data: Mapping[str, Any] | CheckedRequest | None,
        params: dict[str, Any],
        timeout: Timeout | float | Mapping[str, float] | None,
        *,
        stream: bool,
        traffic: Traffic | None = None,
    ) -> tuple[RequestSender, RequestOptions, dict[str, Any]]:
        """Check all parameters; return what sends, the client's options, and what to send.

        Args:
            data: As for `generate_text`.
            params: As for `generate_text`.
            timeout: As for `generate_text`.
            stream: Whether a stream will be requested.
            traffic: Whose requests these are; by default those of the model.
        """
        if not isinstance(data, CheckedRequest):
            if (tools := given_parameters(data, params).get("tools")) is not None:
                from cbai_notebook.client.tools.source import start_sources

                await start_sources(tools)
            checked = self._checked(data, params, timeout)
        elif params or timeout is not None:
            raise UsageError(say("request.is_sent_as_it_is"))
        else:
            checked = data
        if checked.options.callbacks is not None and not stream:
            raise UsageError(say("request.callbacks_need_a_stream"))
        endpoint = await checked.provider.endpoint(checked.model, checked.settings)
        params = dict(checked.params)
        if params.get("tools") or params.get("response_format"):
            _keep_secrets_out(params, checked.options, _keys(endpoint, checked.settings))
        sender = RequestSender(
            endpoint,
            checked.wire_format,
            checked.settings,
            self._http_transport,
            traffic or self._traffic,
        )
        return sender, checked.options, params

    def _http_transport(self) -> Transport:
        if self._transport is None:
            from cbai_notebook.client.transport import HTTPTransport

            self._transport = HTTPTransport()
        return self._transport


def _batches() -> Any:
    # The room of batches is built on this one, and found by its name as providers are.
    return importlib.import_module("cbai_notebook.batching.batch")


def given_parameters(data: Mapping[str, Any] | None, params: dict[str, Any]) -> dict[str, Any]:
    """Merge ``data`` and the parameters; ``data`` may be a keyword, as in the Mini Program."""
    if data is None and "data" in params:
        params = dict(params)
        data = params.pop("data")
    if data is not None and not isinstance(data, Mapping):
        raise UsageError(say("request.data_is_no_dict", kind=type(data).__name__))
    return {**(data or {}), **params}


async def complete(sender: RequestSender, options: RequestOptions, given: dict[str, Any]) -> Answer:
    """Return a complete answer, in one step or in several.

    Args:
        sender: Sends the requests.
        options: The client's options.
        given: What to send; a ``response_format`` that the provider refuses is removed from it.
    """
    if options.loops:
        return await _run_steps(sender, options, given)
    return await sender.complete(given)


async def _run_steps(
    sender: RequestSender, options: RequestOptions, given: dict[str, Any]
) -> Answer:
    """Run the steps of a complete answer, one request each."""
    from cbai_notebook.client.answer import Timing
    from cbai_notebook.client.structured.schema_prompt import with_schema_prompt
    from cbai_notebook.client.tools import loop

    clock = asyncio.get_running_loop().time
    began, attempts = clock(), 0

    async def send_step(messages: list[dict[str, Any]], number: int) -> Answer:
        nonlocal attempts
        sends = sender if number == 1 else sender.of_next_steps
        answer = await sends.complete(_step_parameters(given, messages, number))
        attempts += answer.timing.attempts
        return answer

    def timing() -> Timing:
        seconds = clock() - began - executor.approval.waited_s
        return Timing(duration_s=seconds, attempts=attempts)

    first = sender.build(given, stream=False)
    executor = options.executor(_mask(sender, options))
    return await loop.run(
        with_schema_prompt(send_step, options.response, given),
        first.messages,
        options,
        executor,
        keep=lambda step: None,
        timing=timing,
    )


async def _stream_steps(
    sender: RequestSender, options: RequestOptions, given: dict[str, Any]
) -> TextStream:
    """Start the steps of a stream, one request each; return at the first token."""
    from cbai_notebook.client.stream import wait_for_first_token
    from cbai_notebook.client.structured.schema_prompt import with_schema_prompt
    from cbai_notebook.client.tools import loop
    from cbai_notebook.client.tools.multi_step import MultiStepStream, StepRunner

    first = sender.build(given, stream=True)
    executor = options.executor(_mask(sender, options))

    async def work(runner: StepRunner) -> Answer:
        async def send_step(messages: list[dict[str, Any]], number: int) -> Answer:
            params = _step_parameters(given, messages, number)
            request = await sender.screened(params, stream=True)
            return await runner.follow(await sender.open_stream(request))

        return await loop.run(
            with_schema_prompt(send_step, options.response, given),
            first.messages,
            options,
            executor,
            keep=runner.keep,
            timing=runner.timing,
        )

    stream = MultiStepStream(
        StepRunner(work, list(first.messages), options.callbacks, executor.approval),
        replace(sender.facts(first), declares_end=False),
        options.response,
    )
    return await wait_for_first_token(stream)


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


def _mask(sender: RequestSender, options: RequestOptions) -> Mask:
    """Return a function that masks secrets in what a tool returns: every known key is one."""
    keys = _keys(sender.endpoint, sender.settings)
    return lambda text: known_secrets(keys, {} if options.allow_secrets else os.environ).masked(
        text
    )


def _keep_secrets_out(
    params: dict[str, Any], options: RequestOptions, keys: Mapping[str, str]
) -> None:
    """Take defaults that hold a secret out of the tools; refuse a schema of the answer with one."""
    from cbai_notebook.client.tools.secret_defaults import without_secret_defaults

    known = known_secrets(keys, os.environ)
    if params.get("tools"):
        params["tools"], _ = without_secret_defaults(params["tools"], known)
    names = known.names_in(texts_in(params.get("response_format")))
    if names and not options.allow_secrets:
        raise SecretRefusedError(say("request.schema_holds_a_secret", names=listed(names)))


def _keys(endpoint: Endpoint, settings: Settings) -> Mapping[str, str]:
    """Return every known key and header value, by their names for the user."""
    own: dict[str, str] = {
        say("key.a_key_of", name=endpoint.provider): value for value in endpoint.secrets
    }
    return {**own, **settings.secrets} if own else settings.secrets
