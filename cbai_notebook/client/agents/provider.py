"""Agents with the interface of a model, so that cells and panels can use them: ``agent/BOT_ID``.

An agent takes a message, the history, and few parameters; its prompt, model and temperature are set
in CloudBase. So system messages are not sent, the history is sent as plain text without tool calls,
and a parameter that agents do not have is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.agents.agent import Agent
from cbai_notebook.client.model import Model, given_parameters
from cbai_notebook.client.providers import AGENT, default_model
from cbai_notebook.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.request import Request
    from cbai_notebook.client.settings import Settings, Timeout
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.transport import Transport

_PARAMETERS = {
    "search": "search",
    "searchEnable": "search",
    "files": "files",
    "conversation_id": "conversation_id",
    "conversationId": "conversation_id",
}


class AgentModel(Model):
    """CloudBase agents with the interface of a model; made by ``create_model("agent")``.

    ``model`` is the agent's id. The last message is sent, the texts of the earlier ones are the
    history. ``search``, ``files`` and ``conversation_id`` are those of `Agent.send_message`. Images
    are sent as files, by https URL only.

    Args:
        settings: The settings; by default the current ones at the time of each request.
        transport: Sends the requests; by default `HTTPTransport`.
    """

    def __init__(
        self, *, settings: Settings | None = None, transport: Transport | None = None
    ) -> None:
        super().__init__(AGENT, settings=settings, transport=transport)

    async def generate_text(
        self,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: Timeout | float | Mapping[str, float] | None = None,
        **params: Any,
    ) -> Answer:
        """Return an agent's complete answer; it is read from a stream, because agents only stream.

        Args:
            data: As for `Model.generate_text`.
            timeout: As for `Model.generate_text`.
            params: ``model``, ``messages`` and the other parameters of an agent.

        Raises:
            UsageError: A parameter is not one of an agent's.
            CbaiError: The request failed; the message says what to do.
        """
        from cbai_notebook.client.completion import within
        from cbai_notebook.client.error_mapping import ErrorContext

        settings = settings_module.request_settings(self._settings, timeout)
        agent, request = self._agent_and_request(given_parameters(data, params))

        async def read_stream() -> Answer:
            async with await agent.send_message(**request, timeout=timeout) as stream:
                return await stream.finish()

        error_context = ErrorContext(provider=AGENT, model=agent.agent_id or "")
        return await within(settings.timeout.answer, read_stream(), error_context)

    async def stream_text(
        self,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: Timeout | float | Mapping[str, float] | None = None,
        **params: Any,
    ) -> TextStream:
        """Return an agent's answer as a stream.

        Args:
            data: As for `generate_text`.
            timeout: As for `generate_text`.
            params: As for `generate_text`.

        Raises:
            UsageError: A parameter is not one of an agent's.
            CbaiError: No token arrived; the message says what to do.
        """
        agent, request = self._agent_and_request(given_parameters(data, params))
        return await agent.send_message(**request, timeout=timeout)

    async def prepare(
        self, stream: bool, data: Mapping[str, Any] | None = None, /, **params: Any
    ) -> Request:
        """Return the request without sending it.

        Args:
            stream: Ignored: agents only stream.
            data: As for `generate_text`.
            params: As for `generate_text`.
        """
        agent, request = self._agent_and_request(given_parameters(data, params))
        return await agent.prepare(**request)

    def _agent_and_request(self, given: Mapping[str, Any]) -> tuple[Agent, dict[str, Any]]:
        """Return the agent, and the arguments of `Agent.send_message`."""
        given = {name: value for name, value in given.items() if value is not None}
        agent_id = given.pop("model", None) or self._default_agent()
        if not agent_id:
            raise ConfigurationError(
                "Which agent? Name one: `--agent BOT_ID`, `-m agent/BOT_ID` or model='BOT_ID'. "
                "`await cbai.agent().list()` shows the environment's."
            )
        messages = given.pop("messages", None)
        parameters = _agent_parameters(given)
        prompt, history, images = _split_messages(messages)
        files = [*parameters.pop("files", ()), *images]
        agent = Agent(agent_id, settings=self._settings, transport=self._transport)
        return agent, {"msg": prompt, "history": history, "files": files, **parameters}

    def _default_agent(self) -> str | None:
        return default_model(AGENT, settings_module.request_settings(self._settings, None))


def _agent_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        # An empty list of tools is allowed.
        if name not in _PARAMETERS and value not in ((), [], {}):
            raise UsageError(
                f"An agent takes no {name!r}: it answers as it is set up in the CloudBase console. "
                "Leave it out; search=True, files=[…] and conversation_id='…' are what it takes."
            )
    return {_PARAMETERS[name]: value for name, value in given.items() if name in _PARAMETERS}


def _split_messages(messages: Any) -> tuple[str, list[dict[str, str]], list[str]]:
    """Return the text of the last message, the history, and the image URLs of the last message."""
    listed = isinstance(messages, Sequence) and not isinstance(messages, (str, bytes))
    if not listed or not messages or not all(isinstance(message, Mapping) for message in messages):
        raise UsageError(
            "messages must be a list of dicts, as in "
            "messages=[{'role': 'user', 'content': 'Introduce Li Bai'}]."
        )
    last = messages[-1]
    if last.get("role") != "user":
        raise UsageError("The last of the messages is not the user's, so there is nothing to say.")
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
        raise UsageError(
            "An agent takes an image by its https address only. Put the image where the agent can "
            "open it, or ask a model that sees."
        )
    return found
