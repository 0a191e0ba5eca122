"""The client of one agent: send messages, read its records, send feedback."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.agents.provider import AgentFormat
from cbai_notebook.client.agents.requests import (
    build_message,
    build_request,
    checked_id,
    checked_message,
    endpoint_of,
)
from cbai_notebook.client.agents.values import (
    AgentConversation,
    AgentInfo,
    Feedback,
    Page,
    Record,
    page_of,
)
from cbai_notebook.client.before_send import screened_history, screened_pair
from cbai_notebook.client.settings import Settings, Timeout
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.providers import Endpoint
    from cbai_notebook.client.request import Request
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.transport import Transport

# The HTTP stack is imported for the first request: importing it takes time.

_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s+")
_VOTES = {"up": "upvote", "upvote": "upvote", "down": "downvote", "downvote": "downvote"}

Seconds = Timeout | float | Mapping[str, float] | None


class Agent:
    """A client of one CloudBase agent, made by `agent`. Making it sends no request.

    Args:
        agent_id: The agent's id, such as ``"bot-1a2b3c"``; None only for `list`.
        settings: The settings; by default the current ones at the time of each request.
        transport: Sends the requests; by default `HTTPTransport`.
    """

    def __init__(
        self,
        agent_id: str | None = None,
        *,
        settings: Settings | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.agent_id = agent_id
        self._settings = settings
        self._transport = transport

    async def send_message(
        self,
        msg: str,
        *,
        history: Sequence[Mapping[str, Any]] = (),
        search: bool | None = None,
        files: Sequence[str] = (),
        conversation_id: str | None = None,
        timeout: Seconds = None,
        **params: Any,
    ) -> TextStream:
        """Send a message to the agent and return its answer as a stream.

        Returns when the first token, search result or knowledge base has arrived. A failure before
        it is retried where that helps; a failure after it is not.

        Args:
            msg: The message.
            history: Earlier messages, as dicts with ``role`` and ``content``. An agent that keeps
                conversations does not need them.
            search: Whether the agent may search the web; search must be enabled for the agent.
            files: URLs of files for the agent, ``cloud://`` or ``https://``.
            conversation_id: The conversation that the message belongs to.
            timeout: Seconds to wait, for this request only.
            params: Other parameters of the agent, sent unchanged.

        Raises:
            CbaiError: No token arrived; the message says what to do.

        Source: ``docs.cloudbase.net/http-api/ai-bot/send-message``.
        """
        endpoint, settings = self._endpoint("send-message", timeout)
        request = await _message(
            endpoint,
            settings,
            checked_message(msg),
            history=history,
            search=search,
            files=files,
            conversation_id=conversation_id,
            **params,
        )
        return await self._open_stream(endpoint, settings, request)

    async def prepare(
        self,
        msg: str,
        *,
        history: Sequence[Mapping[str, Any]] = (),
        search: bool | None = None,
        files: Sequence[str] = (),
        conversation_id: str | None = None,
        **params: Any,
    ) -> Request:
        """Return the request of `send_message` without sending it."""
        endpoint, settings = self._endpoint("send-message", None)
        return await _message(
            endpoint,
            settings,
            checked_message(msg),
            history=history,
            search=search,
            files=files,
            conversation_id=conversation_id,
            **params,
        )

    async def recommend_questions(
        self,
        msg: str,
        *,
        history: Sequence[Mapping[str, Any]] = (),
        timeout: Seconds = None,
        **params: Any,
    ) -> tuple[str, ...]:
        """Return suggested questions for the user's next message.

        Args:
            msg: The user's last message.
            history: As for `send_message`; best with the answer to ``msg`` in it.
            timeout: Seconds to wait, for this request only.
            params: ``name``, ``introduction`` and ``agentSetting``, to suggest as another agent.

        Raises:
            CbaiError: The request failed.

        Source: ``docs.cloudbase.net/http-api/ai-bot/get-recommend-questions``; the official chat
        component reads each line as a question.
        """
        endpoint, settings = self._endpoint("recommend-questions", timeout)
        request = await _message(endpoint, settings, msg, history=history, **params)
        async with await self._open_stream(endpoint, settings, request) as stream:
            text = (await stream.finish()).text
        lines = (_LIST_MARK.sub("", line, count=1).strip() for line in text.splitlines())
        return tuple(dict.fromkeys(line for line in lines if line))

    async def get(self) -> AgentInfo:
        """Return the settings of this agent.

        Raises:
            NotFoundError: There is no such agent.
        """
        return AgentInfo.of(await self._call("GET", ""))

    async def list(
        self, *, page: int = 1, size: int = 20, name: str | None = None, **filters: Any
    ) -> Page[AgentInfo]:
        """Return one page of the environment's agents.

        Args:
            page: The page's number, from 1.
            size: Items on a page.
            name: A part of the name.
            filters: ``introduction``, ``information`` or ``enable``, as the server takes them.
        """
        query = {**_page_query(page, size), "name": name, **filters}
        value = await self._call("GET", None, query)
        return page_of(AgentInfo.of, value, "botList", number=page, size=size)

    async def records(
        self,
        *,
        page: int = 1,
        size: int = 20,
        newest_first: bool = True,
        conversation_id: str | None = None,
    ) -> Page[Record]:
        """Return one page of the messages that the agent has stored.

        Args:
            page: The page's number, from 1.
            size: Items on a page.
            newest_first: Whether the newest comes first.
            conversation_id: Only those of one conversation.
        """
        query = {
            **_page_query(page, size),
            "sort": "desc" if newest_first else "asc",
            "conversationId": conversation_id,
        }
        value = await self._call("GET", "records", query)
        return page_of(Record.of, value, "recordList", number=page, size=size)

    async def all_records(
        self,
        *,
        size: int = 50,
        newest_first: bool = True,
        conversation_id: str | None = None,
    ) -> AsyncIterator[Record]:
        """Yield every message that the agent has stored; request each page when it is needed."""
        number, more = 1, True
        while more:
            page = await self.records(
                page=number,
                size=size,
                newest_first=newest_first,
                conversation_id=conversation_id,
            )
            for record in page:
                yield record
            number, more = number + 1, page.has_more

    async def feedback(
        self, *, page: int = 1, size: int = 20, type: str | None = None, **filters: Any
    ) -> Page[Feedback]:
        """Return one page of the users' feedback on the agent's answers.

        Args:
            page: The page's number, from 1.
            size: Items on a page.
            type: ``"up"`` or ``"down"``; None is both.
            filters: ``sender``, ``senderFilter``, ``minRating``, ``maxRating``, ``from`` and
                ``to``, as the server takes them.
        """
        query = {**_page_query(page, size), "type": type and _vote(type), **filters}
        value = await self._call("GET", "feedback", query)
        return page_of(Feedback.of, value, "feedbackList", number=page, size=size)

    async def send_feedback(
        self,
        record_id: str,
        type: str,
        *,
        comment: str = "",
        rating: int | None = None,
        tags: Sequence[str] = (),
        question: str = "",
        answer: str = "",
    ) -> None:
        """Send feedback on an answer.

        Args:
            record_id: The answer's ``record_id``.
            type: ``"up"`` or ``"down"``.
            comment: A comment.
            rating: From 1 to 5.
            tags: Tags of one word each.
            question: The user's message.
            answer: The agent's answer.

        Source: the official SDK's ``sendFeedback``.
        """
        settings = settings_module.request_settings(self._settings, None)
        question, answer = await screened_pair(question, answer, settings.before_send)
        body = {
            "botId": self._id,
            "recordId": record_id,
            "type": _vote(type),
            "comment": comment,
            "rating": rating,
            "tags": list(tags),
            "input": question,
            "aiAnswer": answer,
        }
        await self._call("POST", "feedback", body)

    async def create_conversation(self, title: str | None = None) -> AgentConversation:
        """Create a conversation and return it; pass its id to `send_message`."""
        return AgentConversation.of(await self._call("POST", "conversation", {"title": title}))

    async def conversations(
        self, *, page: int = 1, size: int = 20, default: bool | None = None
    ) -> Page[AgentConversation]:
        """Return one page of the conversations with the agent.

        Args:
            page: The page's number, from 1.
            size: Items on a page.
            default: True for only the default conversation, False for only the others, None for
                all.
        """
        _page_query(page, size)
        query = {"offset": size * (page - 1), "limit": size, "isDefault": default}
        value = await self._call("GET", "conversation", query)
        return page_of(AgentConversation.of, value, "data", number=page, size=size)

    async def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation.

        Raises:
            NotFoundError: There is no conversation with this id.
        """
        cid = checked_id(conversation_id, "conversation")
        await self._call("DELETE", f"conversation/{cid}")

    def __repr__(self) -> str:
        return f"<Agent {self.agent_id}>" if self.agent_id else "<Agent without an id>"

    @property
    def _id(self) -> str:
        if self.agent_id is None:
            raise UsageError(say("agent.needs_a_name"))
        return checked_id(self.agent_id, "agent")

    def _endpoint(self, path: str, timeout: Seconds) -> tuple[Endpoint, Settings]:
        settings = settings_module.request_settings(self._settings, timeout)
        return endpoint_of(self._id, path, settings), settings

    async def _open_stream(
        self, endpoint: Endpoint, settings: Settings, request: Request
    ) -> TextStream:
        from cbai_notebook.client.request_sender import RequestSender

        sender = RequestSender(endpoint, AgentFormat(), settings, self._http_transport)
        return await sender.open_stream(request)

    async def _call(
        self, method: str, path: str | None, values: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        from cbai_notebook.client.completion import request_json
        from cbai_notebook.client.request_sender import error_context_of

        settings = settings_module.request_settings(self._settings, None)
        endpoint = endpoint_of(None if path is None else self._id, path or "", settings)
        request = build_request(method, endpoint, values or {})
        error_context = error_context_of(endpoint, request)
        return (
            await request_json(self._http_transport(), request, error_context, settings.timeout)
        ).value

    def _http_transport(self) -> Transport:
        if self._transport is None:
            from cbai_notebook.client.transport import HTTPTransport

            self._transport = HTTPTransport()
        return self._transport


def agent(
    agent_id: str | None = None,
    *,
    settings: Settings | None = None,
    transport: Transport | None = None,
) -> Agent:
    """Return a client of an agent of the CloudBase environment. It sends no request yet.

    Args:
        agent_id: The agent's id, such as ``"bot-1a2b3c"``; without one, only ``list`` works.
        settings: The settings; by default the current ones at the time of each request.
        transport: Sends the requests; by default `HTTPTransport`.
    """
    return Agent(agent_id, settings=settings, transport=transport)


async def _message(endpoint: Endpoint, settings: Settings, msg: str, **given: Any) -> Request:
    """Return the request that sends the message and the history that ``before_send`` returns."""
    request = build_message(endpoint, msg, **given)
    if settings.before_send is None:
        return request
    *before, _ = request.messages
    sent, history = await screened_history(msg, before, settings.before_send)
    changed = build_message(endpoint, sent, **{**given, "history": history})
    return replace(changed, messages=request.messages)


def _page_query(page: int, size: int) -> dict[str, Any]:
    if page < 1 or size < 1:
        raise UsageError(say("agent.page_is_wrong", number=min(page, size)))
    return {"pageNumber": page, "pageSize": size}


def _vote(type: str) -> str:
    if type not in _VOTES:
        raise UsageError(say("agent.feedback_is_wrong", value=repr(type)))
    return _VOTES[type]
