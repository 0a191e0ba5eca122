"""Build turns from messages: message records of this package, or a chat in OpenAI's format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

from cbai_notebook.conversation.frames import message_parts
from cbai_notebook.conversation.frames.from_frame import Columns, RowError, columns_of
from cbai_notebook.conversation.turn import (
    ASKED,
    CANCELLED,
    COMPLETE,
    FAILED,
    PARTIAL,
    STREAMING,
    Turn,
    join_steps,
)
from cbai_notebook.i18n import say

_STATUSES = (ASKED, STREAMING, COMPLETE, PARTIAL, CANCELLED, FAILED)

_ROLE_OF = {"tool_calls": "assistant", "tool_call_id": "tool", "images": "user"}
"""The one role whose messages may have the key."""

_ANSWER_FIELDS = (
    "finish_reason",
    "error",
    "duration_s",
    "first_token_s",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
)
"""Fields of an answer that have the same name in a record and in a turn."""

_OTHER_PARAMS = ("model", "messages", "stream", "tools", "prompt", "data")
"""Fields of a request that are no parameters: as such they would replace the conversation's own."""

_OTHER_EXTRA = ("role", "tool_calls", "tool_call_id")
"""Fields of a message that have a key of their own in a record."""

Value = TypeVar("Value")


def turns_of(messages: object) -> list[Turn]:
    """Build turns from messages.

    Message records are restored without loss: the records of the new turns equal the records read,
    except for the conversation's name and the numbers of the turns. In a chat in OpenAI's format, a
    ``developer`` message is a system prompt, and the text parts of a content are joined.

    Args:
        messages: An iterable of dicts, or a DataFrame of pandas, polars or Arrow. A turn is an optional
            system prompt, a user message, any number of steps (an assistant message with tool
            calls, and one message of role ``tool`` for each call), and an answer of the assistant.
            Only a user message with the ``status`` ``asked`` may have no answer.

    Returns:
        The turns, oldest first.

    Raises:
        MissingDependencyError: Only narwhals can read the table, and it is not installed.
        UsageError: A row is wrong; the error message gives its number, from 0, and the fix.
    """
    return read(messages)[1]


def read(messages: object) -> tuple[str | None, list[Turn]]:
    """Build turns from messages, as :func:`turns_of` does, and read the conversation's name.

    Returns:
        The name, or None if no message has one; and the turns.
    """
    columns, rows = columns_of(messages)
    name = _conversation(columns["conversation"])
    reader = _Reader(columns)
    for row in range(rows):
        reader.add(row)
    return name, reader.turns()


def _conversation(names: list[str | None]) -> str | None:
    """Return the name of the conversation, or None if no row has one; refuse two names."""
    first: str | None = None
    for row, name in enumerate(names):
        first = first or name
        if name and name != first:
            raise RowError(
                row,
                say("messages.two_conversations", name=f"{name!r:.60}", first=f"{first!r:.60}"),
            )
    return first


@dataclass
class _OpenTurn:
    """A turn whose rows are not all read yet: the row numbers of its parts.

    Attributes:
        system: The row of the system prompt.
        user: The row of the user message.
        steps: The messages with tool calls and their results.
        unanswered: The row of each tool call without a result, by its id.
    """

    system: int | None = None
    user: int | None = None
    steps: list[Mapping[str, Any]] = field(default_factory=list)
    unanswered: dict[str, int] = field(default_factory=dict)


class _Reader:
    """Reads rows into turns, and refuses the first row that is not valid at its position."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._read_at = datetime.now(timezone.utc)
        self._turns: list[Turn] = []
        self._open = _OpenTurn()
        self._readers: Mapping[str, Callable[[int], None]] = {
            "system": self._system,
            "developer": self._system,
            "user": self._user,
            "assistant": self._assistant,
            "tool": self._tool,
        }

    def add(self, row: int) -> None:
        """Read one row into the open turn."""
        role, status = self._cell("role", row), self._cell("status", row)
        if role == "function" or self._cell("function_call", row):
            raise RowError(row, say("messages.old_function_calls"))
        if role not in self._readers:
            known = ", ".join(self._readers)
            raise RowError(row, say("messages.unknown_role", role=f"{role!r:.40}", known=known))
        if status is not None and status not in _STATUSES:
            raise RowError(
                row,
                say(
                    "messages.unknown_status",
                    status=f"{status!r:.40}",
                    known=", ".join(_STATUSES),
                ),
            )
        for name, only_role in _ROLE_OF.items():
            if self._cell(name, row) and role != only_role:
                raise RowError(row, say("messages.other_role", role=only_role, name=name))
        self._readers[role](row)

    def turns(self) -> list[Turn]:
        """Return the turns after the last row."""
        self._end_turn()
        if self._open.system is not None:
            raise RowError(self._open.system, say("messages.system_prompt_last"))
        return self._turns

    def _system(self, row: int) -> None:
        self._end_turn()
        if self._open.system is not None:
            raise RowError(row, say("messages.two_system_prompts"))
        self._open.system = row

    def _user(self, row: int) -> None:
        self._end_turn()
        self._open.user = row

    def _assistant(self, row: int) -> None:
        open_turn = self._open
        if open_turn.user is None:
            raise RowError(row, say("messages.answer_first"))
        self._check_calls_answered()
        tool_calls = self._cell("tool_calls", row)
        if not tool_calls:
            self._add_turn(open_turn.user, row)
            return
        calls = self._part(row, message_parts.tool_calls, tool_calls)
        open_turn.unanswered = {call["id"]: row for call in calls}
        open_turn.steps.append(
            {"role": "assistant", "content": self._text(row), "tool_calls": calls}
            | self._thinking(row)
            | self._extra(row)
        )

    def _tool(self, row: int) -> None:
        open_turn, call = self._open, self._cell("tool_call_id", row)
        if call is None:
            raise RowError(row, say("messages.no_tool_call_id"))
        if open_turn.unanswered.pop(call, None) is None:
            raise RowError(row, say("messages.no_call_waits", call=f"{call!r:.60}"))
        open_turn.steps.append(
            {"role": "tool", "content": self._text(row), "tool_call_id": call} | self._extra(row)
        )

    def _end_turn(self) -> None:
        """End the open turn without an answer; refuse that if its status is not ``asked``."""
        user = self._open.user
        if user is None:
            return
        self._check_calls_answered()
        if self._cell("status", user) != ASKED:
            raise RowError(user, say("messages.no_answer"))
        self._add_turn(user, None)

    def _check_calls_answered(self) -> None:
        for call, row in self._open.unanswered.items():
            raise RowError(row, say("messages.call_without_answer", call=f"{call!r:.60}"))

    def _add_turn(self, user: int, answer: int | None) -> None:
        open_turn, self._open = self._open, _OpenTurn()
        last = user if answer is None else answer
        prompt, images = self._prompt(user)
        turn = Turn(
            prompt=prompt,
            created_at=self._first_value("created_at", user, last) or self._read_at,
            system=None if open_turn.system is None else self._text(open_turn.system),
            provider=self._first_value("provider", last, user),
            model=self._first_value("model", last, user),
            images=images,
            steps=tuple(open_turn.steps),
            cell_id=self._first_value("cell_id", user, last),
            stale=bool(self._first_value("stale", user, last)),
            status=ASKED,
        )
        if answer is not None:
            self._answer(turn, answer)
        self._turns.append(turn)

    def _answer(self, turn: Turn, row: int) -> None:
        turn.status = self._cell("status", row) or COMPLETE
        if turn.status == ASKED:
            raise RowError(row, say("messages.asked_answer"))
        turn.params = self._params(row)
        # Only after tool calls do later prompts need these fields.
        turn.reply = (self._thinking(row) if turn.steps else {}) | self._extra(row)
        for name in _ANSWER_FIELDS:
            setattr(turn, name, self._cell(name, row))
        reasoning = self._cell("reasoning", row) or self._cell("reasoning_content", row)
        turn.add(join_steps(turn.steps, self._text(row)), reasoning or "")

    def _params(self, row: int) -> dict[str, Any]:
        params = self._dict("params", row, _OTHER_PARAMS)
        if not isinstance(params.get("think", True), bool):
            raise RowError(row, say("messages.think_not_boolean"))
        return params

    def _thinking(self, row: int) -> dict[str, Any]:
        """Return the field of an OpenAI-style message with the thinking that led to tool calls."""
        thinking = self._cell("reasoning_content", row)
        return {"reasoning_content": thinking} if thinking else {}

    def _extra(self, row: int) -> dict[str, Any]:
        extra = self._dict("extra", row, _OTHER_EXTRA)
        if not isinstance(extra.get("content", []), (list, dict)):
            raise RowError(row, say("messages.text_in_extra"))
        return extra

    def _dict(self, name: str, row: int, refused: Iterable[str]) -> dict[str, Any]:
        value = self._cell(name, row) or {}
        if not isinstance(value, dict):
            raise RowError(row, say("messages.no_dict", name=name))
        for other in refused:
            if other in value:
                raise RowError(row, say("messages.must_not_hold", name=name, other=other))
        return value

    def _prompt(self, row: int) -> tuple[str, tuple[str, ...]]:
        images = self._cell("images", row)
        addresses = self._part(row, message_parts.addresses, images) if images else ()
        content = self._content(row)
        if isinstance(content, str):
            return content, addresses
        text, parts = self._part(row, message_parts.prompt, content)
        return text, parts + addresses

    def _text(self, row: int) -> str:
        content = self._content(row)
        return content if isinstance(content, str) else self._part(row, message_parts.text, content)

    def _content(self, row: int) -> str | list[Any]:
        content: str | list[Any] | None = self._cell("content", row)
        if content is not None:
            return content
        # A CSV file, for example, does not distinguish an empty text from a missing one.
        if any(self._cell(name, row) for name in ("status", "tool_calls", "images")):
            return ""
        raise RowError(row, say("messages.no_content"))

    def _part(self, row: int, read: Callable[[Any], Value], value: Any) -> Value:
        try:
            return read(value)
        except message_parts.PartError as error:
            raise RowError(row, error.problem) from error

    def _cell(self, name: str, row: int) -> Any:
        return self._columns[name][row]

    def _first_value(self, name: str, row: int, other: int) -> Any:
        value = self._cell(name, row)
        return self._cell(name, other) if value is None else value
