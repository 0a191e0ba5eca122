"""Send requests to one endpoint, and return their answers: complete, or as a stream."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from cbai_notebook.client import server_quirks
from cbai_notebook.client.before_send import screened
from cbai_notebook.client.passage import PROMPT, Passage, Traffic
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Settings
from cbai_notebook.client.wire_format import WireFormat
from cbai_notebook.errors import APIError

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer, AnswerFacts
    from cbai_notebook.client.error_mapping import ErrorContext
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.transport import Transport

Result = TypeVar("Result")

# The HTTP library is imported when the first request is sent.


@dataclass(frozen=True)
class RequestSender:
    """Sends requests to one endpoint.

    Args:
        endpoint: The endpoint.
        wire_format: The format of its requests and answers.
        settings: The settings, with the time limits.
        transport: Returns what sends the requests.
        traffic: Whose requests these are.
    """

    endpoint: Endpoint
    wire_format: WireFormat
    settings: Settings
    transport: Callable[[], Transport]
    traffic: Traffic = PROMPT

    @cached_property
    def passage(self) -> Passage:
        """The way of the requests to the endpoint."""
        return Passage.to(self.endpoint, self.settings, self.traffic)

    @cached_property
    def of_next_steps(self) -> RequestSender:
        """What sends the next requests of an answer that has begun: it goes on when its batch stops."""
        if self.traffic.stop is None:
            return self
        return replace(self, traffic=replace(self.traffic, stop=None))

    def build(self, params: Mapping[str, Any], *, stream: bool) -> Request:
        """Return a request with the messages of the caller, without sending it."""
        return self.wire_format.build(self.endpoint, stream=stream, params=params)

    async def screened(self, params: Mapping[str, Any], *, stream: bool) -> Request:
        """Return a request with the messages that the user's ``before_send`` returns.

        The ``messages`` of the request, and so of its answer, stay those of the caller.

        Raises:
            PromptRefusedError: ``before_send`` refuses the request.
        """
        request = self.build(params, stream=stream)
        if self.settings.before_send is None:
            return request
        sent = await screened(params["messages"], self.settings.before_send)
        return replace(
            self.build({**params, "messages": sent}, stream=stream), messages=request.messages
        )

    async def open_stream(self, request: Request) -> TextStream:
        """Send a request for a stream; return at its first token.

        Raises:
            CbaiError: There was no first token.
        """
        from cbai_notebook.client import retry
        from cbai_notebook.client.answer import Timing
        from cbai_notebook.client.stream import TextStream, wait_for_first_token
        from cbai_notebook.client.stream_task import StreamTask

        began = asyncio.get_running_loop().time()
        error_context = error_context_of(self.endpoint, request)
        facts = self.facts(request)

        async def send(request: Request, refused: int) -> TextStream:
            async def attempt(number: int) -> TextStream:
                def start(request: Request) -> StreamTask:
                    return StreamTask(
                        self.transport(),
                        request,
                        error_context,
                        self.settings.timeout,
                        self.wire_format,
                    )

                def opened(task: StreamTask) -> Awaitable[TextStream]:
                    timing = Timing(attempts=number + refused)
                    stream = TextStream(task, replace(facts, timing=timing), began=began)
                    return wait_for_first_token(stream)

                return await self.passage.open(request, start, opened)

            return await retry.call(attempt, self.passage.policy)

        return await _without_refused_fields(request, send)

    async def complete(self, params: Mapping[str, Any]) -> Answer:
        """Send one request and return its complete answer; some endpoints can only stream it.

        Raises:
            CbaiError: There was no answer.
        """
        from cbai_notebook.client.completion import request_completion

        request = await self.screened(params, stream=self.endpoint.always_stream)
        if self.endpoint.always_stream:
            return await self._read_stream(request)
        if self.wire_format.decodes_completions:
            return await self._with_first_token(self.settings.timeout.answer)._read_stream(request)
        error_context = error_context_of(self.endpoint, request)

        async def send(request: Request, refused: int) -> Answer:
            return await request_completion(
                self.transport(),
                request,
                error_context,
                self.settings.timeout,
                self.facts(request),
                self.passage.complete,
                self.passage.policy,
            )

        return await _without_refused_fields(request, send)

    async def _read_stream(self, request: Request) -> Answer:
        """Send one request and return the complete answer that the decoder of streams reads."""
        from cbai_notebook.client.completion import within

        limits = self.settings.timeout
        error_context = error_context_of(self.endpoint, request)
        # Both limits begin when the request is sent: a row may have waited long for its place.
        sender = self._with_first_token(min(limits.first_token, limits.answer))
        async with await sender.open_stream(request) as stream:
            return await within(limits.answer, stream.finish(), error_context)

    def _with_first_token(self, seconds: float) -> RequestSender:
        """Return a sender with another time limit for the first token."""
        timeout = replace(self.settings.timeout, first_token=seconds)
        return replace(self, settings=replace(self.settings, timeout=timeout))

    def facts(self, request: Request) -> AnswerFacts:
        """Return what is known about an answer before its request is sent."""
        from cbai_notebook.client.answer import AnswerFacts

        return AnswerFacts(
            self.endpoint.provider,
            self.endpoint.label,
            _model(self.endpoint, request),
            list(request.messages),
            declares_end=self.endpoint.cloud and self.wire_format.declares_end,
        )


def error_context_of(endpoint: Endpoint, request: Request) -> ErrorContext:
    """Return the facts of a request that error messages need."""
    from cbai_notebook.client.error_mapping import ErrorContext

    return ErrorContext(
        provider=endpoint.provider,
        cloud=endpoint.cloud,
        model=_model(endpoint, request),
        url=request.url,
        secrets=request.secrets,
        key_advice=endpoint.key_advice,
        missing=endpoint.missing,
        default_model=endpoint.default_model,
    )


def _model(endpoint: Endpoint, request: Request) -> str:
    return str(request.body.get("model") or endpoint.default_model or "")


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
        adapted = request
        if names:
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
