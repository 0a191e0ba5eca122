"""Read messages from a file: JSON Lines, message lists, and exports of this package.

The messages are read as plain dicts, as they are in the file. Whether they form valid turns is
checked by :mod:`cbai_notebook.conversation.frames.turns`.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cbai_notebook.conversation.frames.from_frame import RowError
from cbai_notebook.conversation.frames.turns import turns_of
from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import Words, joined, say

if TYPE_CHECKING:
    from cbai_notebook.conversation.conversation import Message
    from cbai_notebook.conversation.turn import Turn


class FileMessages(list["Message"]):
    """The messages of one conversation of a file.

    Attributes:
        places: The place of each message for error messages, such as ``"talk.jsonl, line 3"``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def add(self, message: Message, place: str) -> None:
        """Append a message and its place."""
        self.append(message)
        self.places.append(place)


def read_turns(path: str | Path) -> list[list[Turn]]:
    """Read the turns of each conversation of a file.

    Args:
        path: A UTF-8 file in one of the formats that :func:`parse` reads.

    Raises:
        UsageError: The file cannot be read, or a message is wrong; the error message names the file
            and the line.
    """
    return [_turns(messages) for messages in read_file(path)]


def _turns(messages: FileMessages) -> list[Turn]:
    try:
        return turns_of(messages)
    except RowError as error:
        place = messages.places[error.row]
        raise UsageError(say("import_file.at", place=place, problem=error.problem)) from error


def read_file(path: str | Path) -> list[FileMessages]:
    """Read the messages of each conversation of a file.

    Args:
        path: A UTF-8 file in one of the formats that :func:`parse` reads.

    Returns:
        The messages of each conversation.

    Raises:
        UsageError: The file cannot be read; the error message names the file and the line.
    """
    file = expanded(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(
            say("import_file.unreadable", file=str(file), reason=error.strerror or str(error))
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(_line(str(file), line), say("import_file.no_utf8")) from error
    return parse(text, str(file))


def parse(text: str, name: str) -> list[FileMessages]:
    """Read the conversations of a text.

    Formats: a JSON list of messages; an object with such a list under ``messages``; a list of
    either; and JSON Lines, where each line is any of these or one message. Single messages with the
    same ``conversation``, or with none, form one conversation.

    Args:
        text: The text.
        name: The name of the text in error messages.

    Returns:
        The messages of each conversation, in the order of the text.

    Raises:
        UsageError: The text has another format; the error message names the line.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise UsageError(joined(say("import_file.empty", name=name), say("import_file.accepted")))
    if text.lstrip()[0] not in "[{":
        _refuse_other(text, name)
    collector = _Collector(name)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) == 1 or not _is_json(lines[0][1]):
        collector.add(_json(text, name, 1), name, whole=True)
    else:
        for number, line in lines:
            collector.add(_json(line, name, number), _line(name, number), whole=False)
    return collector.conversations()


def _is_json(line: str) -> bool:
    """Return whether the first line alone is JSON; otherwise the text is one JSON document."""
    try:
        _decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def _json(text: str, name: str, line: int) -> Any:
    """Return the JSON value that starts on this line of a file."""
    try:
        return _decode(text)
    except RecursionError as error:
        place, problem = _line(name, line), say("import_file.too_deep")
        raise UsageError(say("import_file.at", place=place, problem=problem)) from error
    except json.JSONDecodeError as error:
        line += error.lineno - 1
        invalid = say("import_file.invalid_json", reason=error.msg)
        raise _refusal(_line(name, line), invalid) from error
    except ValueError as error:
        # Besides our own refusal of constants, `json` raises this for a number that Python cannot read.
        reason = (
            say("import_file.constant", constant=error.constant)
            if isinstance(error, _NotJSONError)
            else say("import_file.too_many_digits")
        )
        problem = say("import_file.invalid_json", reason=reason)
        raise _refusal(_line(name, line), problem) from error


def _line(name: str, line: int) -> Words:
    return say("import_file.line", name=name, line=line)


def _refusal(place: str, problem: Words) -> UsageError:
    """Return the error of a text that cannot be imported."""
    sentence = say("import_file.at", place=place, problem=problem)
    return UsageError(joined(sentence, say("import_file.accepted")))


class _NotJSONError(ValueError):
    """A value that `json` reads although it is no JSON, such as ``NaN``."""

    def __init__(self, constant: str) -> None:
        super().__init__(constant)
        self.constant = constant


def _decode(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(constant: str) -> NoReturn:
    raise _NotJSONError(constant)


class _Collector:
    """Collects conversations, and groups single messages by the name of their conversation."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lists: list[FileMessages] = []
        self._by_name: dict[Any, FileMessages] = {}

    def add(self, value: Any, where: str, *, whole: bool) -> None:
        """Add the value of one line, or of the whole text.

        Args:
            value: The parsed JSON.
            where: Its place for error messages.
            whole: Whether it is the whole text.
        """
        if isinstance(value, dict) and "messages" in value:
            self._lists.append(self._messages(value["messages"], where))
        elif isinstance(value, dict):
            self._add_message(self._message(value, where), where)
        elif isinstance(value, list) and all(_is_conversation(item) for item in value) and value:
            for number, item in enumerate(value, 1):
                messages = item["messages"] if isinstance(item, dict) else item
                inside = say("import_file.conversation", name=where, number=number)
                self._lists.append(self._messages(messages, inside))
        elif isinstance(value, list) and not whole:
            self._lists.append(self._messages(value, where))
        else:
            found = self._messages(value, where)
            for message, place in zip(found, found.places, strict=True):
                self._add_message(message, place)

    def conversations(self) -> list[FileMessages]:
        """Return the messages of each conversation, in the order of the text.

        Raises:
            UsageError: There are no messages.
        """
        found = [messages for messages in self._lists if messages]
        if not found:
            raise UsageError(
                joined(say("import_file.no_messages", name=self._name), say("import_file.accepted"))
            )
        return found

    def _add_message(self, message: Message, place: str) -> None:
        name = message.get("conversation")
        key = name if isinstance(name, str) else None
        if key not in self._by_name:
            self._by_name[key] = FileMessages()
            self._lists.append(self._by_name[key])
        self._by_name[key].add(message, place)

    def _messages(self, value: Any, where: str) -> FileMessages:
        if not isinstance(value, list):
            raise _refusal(where, say("import_file.not_a_list", kind=_kind(value)))
        messages = FileMessages()
        for number, item in enumerate(value, 1):
            place = say("import_file.message", name=where, number=number)
            messages.add(self._message(item, place), place)
        return messages

    def _message(self, value: Any, where: str) -> Message:
        if not isinstance(value, dict):
            raise _refusal(where, say("import_file.not_an_object", kind=_kind(value)))
        if not isinstance(value.get("role"), str):
            if "cells" in value and "nbformat" in value:
                raise _refusal(where, say("import_file.is_a_notebook"))
            raise _refusal(where, say("import_file.no_role"))
        return _with_time(value)


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and "messages" in value)


def _with_time(message: Message) -> Message:
    """Return the message with `created_at` parsed: the export writes it as text."""
    created = message.get("created_at")
    if not isinstance(created, str):
        return message
    try:
        return {**message, "created_at": datetime.fromisoformat(created)}
    except ValueError:
        return message


def _refuse_other(text: str, name: str) -> NoReturn:
    if name.lower().endswith((".md", ".markdown")) or text.startswith("#"):
        raise UsageError(say("import_file.is_markdown", name=name))
    raise _refusal(_line(name, 1), say("import_file.no_json"))


def _kind(value: Any) -> Words:
    names = {dict: "object", list: "list", str: "text", type(None): "null", bool: "flag"}
    return say(f"import_file.kind_{names.get(type(value), 'number')}")
