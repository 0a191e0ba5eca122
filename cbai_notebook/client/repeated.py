"""One request that is sent many times with other messages: everything else is checked once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.model import Model, complete
from cbai_notebook.client.passage import Traffic
from cbai_notebook.client.request_options import RequestOptions
from cbai_notebook.client.request_sender import RequestSender

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.gate import Gate


class RepeatedRequest:
    """A request for many rows: its provider, key, parameters and options are checked once.

    Args:
        sender: Sends the requests.
        options: The client's options.
        given: What to send beside the messages.
    """

    def __init__(
        self, sender: RequestSender, options: RequestOptions, given: dict[str, Any]
    ) -> None:
        self._sender = sender
        self._options = options
        self._given = given
        self._first = asyncio.Lock()
        self._schema_is_untried = "response_format" in given

    @classmethod
    async def begin(
        cls, model: Model, params: Mapping[str, Any], traffic: Traffic
    ) -> RepeatedRequest:
        """Check a request; starts the offline model if that is asked.

        Args:
            model: The model, with its settings.
            params: The parameters and options, as for `Model.generate_text`, with the messages of
                the first row.
            traffic: Whose requests these are.

        Raises:
            CbaiError: An option is not valid, or the model cannot be used.
        """
        return cls(*await model.begin(params, {}, None, stream=False, traffic=traffic))

    @property
    def gate(self) -> Gate:
        """The gate of the endpoint."""
        return self._sender.passage.gate

    @property
    def address(self) -> str:
        """The URL of the endpoint."""
        return self._sender.endpoint.url

    @property
    def model(self) -> str:
        """The name of the model, as it is sent."""
        return str(self._given.get("model") or self._sender.endpoint.default_model or "")

    def has_key_of(self, other: RepeatedRequest) -> bool:
        """Return whether both send the same key to the same address."""
        one, two = self._sender.endpoint, other._sender.endpoint
        return (one.url, one.api_key) == (two.url, two.api_key)

    async def answer(self, messages: Sequence[Any]) -> Answer:
        """Send the request with the messages of one row, and return the answer.

        Raises:
            CbaiError: There was no answer.
        """
        if self._schema_is_untried:
            async with self._first:
                if self._schema_is_untried:
                    return await self._try_schema(messages)
        return await complete(self._sender, self._options, {**self._given, "messages": messages})

    async def _try_schema(self, messages: Sequence[Any]) -> Answer:
        """Send the first row alone: where the provider refuses the schema, the others need not try."""
        given = {**self._given, "messages": messages}
        try:
            return await complete(self._sender, self._options, given)
        finally:
            self._schema_is_untried = False
            if "response_format" not in given:
                self._given.pop("response_format", None)
