"""Agents, records, feedback and conversations as frozen values that go into a DataFrame.

The names on the wire are from the HTTP API's pages under ``docs.cloudbase.net/http-api/ai-bot``. A
field of an unexpected type is read as missing, so that the other fields can still be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, overload

from cbai_notebook.client.chat_wire import int_of, text_of

Item = TypeVar("Item")
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class AgentInfo:
    """The settings of an agent.

    Args:
        agent_id: The agent's id.
        name: The agent's name.
        introduction: The introduction for users.
        setting: The agent's system prompt.
        welcome_message: The first message that a user sees.
        questions: Suggested questions for the first message.
        recommends: Whether it suggests questions after an answer.
        searches: Whether it may search the web.
        kind: The kind of its answers: ``"text"`` or ``"image"``.
        avatar: URL of its picture.
        raw: The agent, as the server sent it.
    """

    agent_id: str
    name: str = ""
    introduction: str = ""
    setting: str = ""
    welcome_message: str = ""
    questions: tuple[str, ...] = ()
    recommends: bool = False
    searches: bool = False
    kind: str = ""
    avatar: str = ""
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, value: Raw) -> AgentInfo:
        """Read one agent of a list, or a single agent."""
        return cls(
            agent_id=_text(value, "botId"),
            name=_text(value, "name"),
            introduction=_text(value, "introduction"),
            setting=_text(value, "agentSetting"),
            welcome_message=_text(value, "welcomeMessage"),
            questions=_texts(value, "initQuestions"),
            recommends=value.get("isNeedRecommend") is True,
            searches=value.get("searchEnable") is True,
            kind=_text(value, "type"),
            avatar=_text(value, "avatar"),
            raw=value,
        )


@dataclass(frozen=True)
class Record:
    """One message that an agent has stored.

    Args:
        record_id: Its id, as in ``Answer.record_id``.
        role: ``"user"`` or ``"assistant"``.
        content: The text.
        created_at: The time, in UTC; None if the server sent none.
        conversation: The conversation, or the user, that it belongs to.
        reply_to: Id of the record that it answers.
        kind: The kind of content, such as ``"text"``.
        image: URL of the picture in the message.
    """

    record_id: str
    role: str = ""
    content: str = ""
    created_at: datetime | None = None
    conversation: str = ""
    reply_to: str = ""
    kind: str = ""
    image: str = ""

    @classmethod
    def of(cls, value: Raw) -> Record:
        """Read one record of a list."""
        return cls(
            record_id=_text(value, "recordId"),
            role=_text(value, "role"),
            content=_text(value, "content"),
            created_at=_time(value, "createTime"),
            conversation=_text(value, "conversation"),
            reply_to=_text(value, "replyTo"),
            kind=_text(value, "type"),
            image=_text(value, "image"),
        )


@dataclass(frozen=True)
class Feedback:
    """A user's feedback on an answer.

    Args:
        record_id: The id of the answer's record.
        type: ``"upvote"`` or ``"downvote"``.
        comment: The user's comment.
        rating: From 1 to 5, or None.
        tags: Tags of one word each.
        question: The user's message.
        answer: The agent's answer.
    """

    record_id: str
    type: str = ""
    comment: str = ""
    rating: int | None = None
    tags: tuple[str, ...] = ()
    question: str = ""
    answer: str = ""

    @classmethod
    def of(cls, value: Raw) -> Feedback:
        """Read one feedback of a list."""
        return cls(
            record_id=_text(value, "recordId"),
            type=_text(value, "type"),
            comment=_text(value, "comment"),
            rating=int_of(value.get("rating")),
            tags=_texts(value, "tags"),
            question=_text(value, "input"),
            answer=_text(value, "aiAnswer"),
        )


@dataclass(frozen=True)
class AgentConversation:
    """A conversation with an agent."""

    conversation_id: str
    title: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def of(cls, value: Raw) -> AgentConversation:
        """Read one conversation of a list, or a new one."""
        return cls(
            conversation_id=_text(value, "conversationId"),
            title=_text(value, "title"),
            created_at=_time(value, "createTime"),
            updated_at=_time(value, "updateTime"),
        )


@dataclass(frozen=True)
class Page(Sequence[Item], Generic[Item]):
    """One page of a list, itself a sequence; ``pd.DataFrame(page)`` makes a table of it.

    Args:
        items: The items of this page.
        total: The number of items on all pages; None if the server sent none.
        number: The page's number, from 1.
        size: Items on a full page.
        raw: The server's response.
    """

    items: tuple[Item, ...]
    total: int | None
    number: int
    size: int
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        if not self.items:
            return False
        if self.total is None:
            return len(self.items) >= self.size
        return self.number * self.size < self.total

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        return self.items[index]


def page_of(
    read: Callable[[Raw], Item], value: Raw, name: str, *, number: int, size: int
) -> Page[Item]:
    """Read one page from the list in the field ``name``; items that are no objects are skipped."""
    found = value.get(name)
    items = found if isinstance(found, list) else []
    return Page(
        items=tuple(read(one) for one in items if isinstance(one, dict)),
        total=int_of(value.get("total")),
        number=number,
        size=size,
        raw=value,
    )


def _text(value: Raw, name: str) -> str:
    return text_of(value.get(name)) or ""


def _texts(value: Raw, name: str) -> tuple[str, ...]:
    found = value.get(name)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _time(value: Raw, name: str) -> datetime | None:
    found = value.get(name)
    try:
        # Python 3.10 does not read the Z.
        return datetime.fromisoformat(found.replace("Z", "+00:00")) if found else None
    except (ValueError, AttributeError):
        return None
