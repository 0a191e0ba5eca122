"""The requests of many rows, which are prepared once and differ in their last messages only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.before_send import screened
from cbai_notebook.client.secret_values import known_secrets, texts_in
from cbai_notebook.conversation import secrets
from cbai_notebook.conversation.conversation import Message
from cbai_notebook.conversation.prepare import PreparedPrompt
from cbai_notebook.conversation.replay import Fingerprints

if TYPE_CHECKING:
    from cbai_notebook.client.model import Model

KEY_BYTES = 16
"""The bytes of the key of a request: the beginning of its fingerprint."""


class RowRequests:
    """The requests of rows, made of one prepared prompt.

    Args:
        prepared: The prompt, whose text is the template of the rows.
    """

    def __init__(self, prepared: PreparedPrompt[Model]) -> None:
        self.prepared = prepared
        self._system = [dict(each) for each in prepared.context.messages]
        self._known = known_secrets(prepared.secrets, os.environ)

    @cached_property
    def _fingerprints(self) -> Fingerprints:
        prepared = self.prepared
        params = prepared.request_params(prepared.params)
        return Fingerprints(prepared.provider, prepared.asked_model, params, prepared.settings)

    def options(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Return all parameters and options of a request, as `Model.generate_text` takes them."""
        prepared = self.prepared
        return {**prepared.params, **prepared.prompt.options, "messages": messages}

    async def messages(self, own: Sequence[Message], system: str | None = None) -> list[Message]:
        """Return the messages of a row as they may be sent.

        Args:
            own: The messages of the row.
            system: The system prompt of the row; by default that of the prompt.

        Raises:
            SecretRefusedError: They hold a secret.
            PromptRefusedError: The user's ``before_send`` refuses them.
        """
        before = self._system if system is None else [{"role": "system", "content": system}]
        messages = [*before, *own]
        prepared = self.prepared
        if not prepared.prompt.allow_secrets and self._known.names_in(texts_in(messages)):
            request = {"messages": messages}
            secrets.check_request(request, api_key=prepared.secrets, environ=os.environ)
        if prepared.settings.before_send is not None:
            messages = await screened(messages, prepared.settings.before_send)
        return messages

    def key(self, messages: Sequence[Message], sample: int = 0) -> bytes:
        """Return the key of a request: equal requests have the same one.

        Args:
            messages: What `messages` returned.
            sample: The number of the sample, from 0: rows that must differ have different keys.
        """
        found = self._fingerprints.of(messages)[:KEY_BYTES]
        if not sample:
            return found
        return (int.from_bytes(found, "big") ^ sample).to_bytes(KEY_BYTES, "big")
