"""The provider of CloudBase's agents, so that cells and panels can use them: ``agent/BOT_ID``.

An agent takes a message, the history, and few parameters; its prompt, model and temperature are set
in CloudBase. So system messages are not sent, the history is sent as plain text without tool calls,
and a parameter that agents do not have is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.agents.requests import (
    build_message,
    checked_id,
    checked_message,
    endpoint_of,
)
from cbai_notebook.client.wire_format import WireFormat
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.agents.decoder import AgentAccumulator, AgentDecoder
    from cbai_notebook.client.providers import Endpoint
    from cbai_notebook.client.request import Request
    from cbai_notebook.client.settings import Settings

_PARAMETERS = {
    "search": "search",
    "searchEnable": "search",
    "files": "files",
    "conversation_id": "conversation_id",
    "conversationId": "conversation_id",
}


class AgentFormat(WireFormat):
    """The requests and answers of an agent, which only streams."""

    declares_end = False  # an agent that runs as the user's function may leave [DONE] out

    def check(self, params: Mapping[str, Any]) -> None:
        """Check the parameters of a request.

        Raises:
            UsageError: A parameter is not one of an agent's, or there is nothing to say.
        """
        _agent_parameters(params)
        prompt, _, _ = _split_messages(params.get("messages"))
        checked_message(prompt)

    def build(self, endpoint: Endpoint, *, stream: bool, params: Mapping[str, Any]) -> Request:
        """Return the request that sends the last message, with the earlier ones as the history.

        Args:
            endpoint: The endpoint of the agent.
            stream: Ignored: agents only stream.
            params: ``messages``, and ``search``, ``files`` and ``conversation_id`` as those of
                `Agent.send_message`. Images are sent as files, by https URL only.

        Raises:
            UsageError: A parameter is not one of an agent's, or there is nothing to say.
        """
        given = _agent_parameters(params)
        prompt, history, images = _split_messages(params.get("messages"))
        files = [*given.pop("files", ()), *images]
        return build_message(
            endpoint, checked_message(prompt), history=history, files=files, **given
        )

    def accumulator(self) -> AgentAccumulator:
        """Return an empty accumulator for the chunks of one stream."""
        from cbai_notebook.client.agents.decoder import AgentAccumulator

        return AgentAccumulator()

    def decoder(self) -> AgentDecoder:
        """Return a new decoder for the events of one stream."""
        from cbai_notebook.client.agents.decoder import AgentDecoder

        return AgentDecoder()


class AgentProvider:
    """The agents of the CloudBase environment; the name of a model is the id of an agent."""

    wire_format: WireFormat = AgentFormat()

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint of an agent.

        Raises:
            ConfigurationError: The agent is not named, or the environment or the key is missing.
            UsageError: The name cannot be the id of an agent.
        """
        if not model:
            raise ConfigurationError(say("agent.needs_a_name_in_a_prompt"))
        return endpoint_of(checked_id(model, "agent"), "send-message", settings)


def _agent_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        name: value
        for name, value in params.items()
        if value is not None and name not in ("model", "messages")
    }
    for name, value in given.items():
        # An empty list of tools is allowed.
        if name not in _PARAMETERS and value not in ((), [], {}):
            raise UsageError(say("agent.does_not_take", name=name))
    return {_PARAMETERS[name]: value for name, value in given.items() if name in _PARAMETERS}


def _split_messages(messages: Any) -> tuple[str, list[dict[str, str]], list[str]]:
    """Return the text of the last message, the history, and the image URLs of the last message."""
    listed = isinstance(messages, Sequence) and not isinstance(messages, (str, bytes))
    if not listed or not messages or not all(isinstance(message, Mapping) for message in messages):
        raise UsageError(say("request.messages_are_no_list"))
    last = messages[-1]
    if last.get("role") != "user":
        raise UsageError(say("agent.last_message_is_not_the_users"))
    return _text(last), _history(messages[:-1]), _images(last)


def _history(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the history for an agent: texts of the user and the assistant in alternation."""
    history: list[dict[str, str]] = []
    for message in messages:
        role, text = message.get("role"), _text(message)
        if role not in ("user", "assistant") or not text:
            continue
        if history and history[-1]["role"] == role:
            # The text with the tool calls and the text after them are one answer.
            history[-1]["content"] += "\n\n" + text
        else:
            history.append({"role": role, "content": text})
    return history


def _parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content or () if isinstance(part, Mapping)]


def _text(message: Mapping[str, Any]) -> str:
    texts = (part.get("text") for part in _parts(message) if part.get("type") == "text")
    return "\n".join(text for text in texts if isinstance(text, str))


def _images(message: Mapping[str, Any]) -> list[str]:
    images = (part.get("image_url") for part in _parts(message) if part.get("type") == "image_url")
    urls = [image.get("url") if isinstance(image, Mapping) else image for image in images]
    found = [url for url in urls if isinstance(url, str) and url[:8].lower() == "https://"]
    if len(found) < len(urls):
        raise UsageError(say("agent.takes_images_by_address"))
    return found
