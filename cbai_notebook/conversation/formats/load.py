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

if TYPE_CHECKING:
    from cbai_notebook.conversation.conversation import Message
    from cbai_notebook.conversation.turn import Turn

_ACCEPTED = (
    "What can be imported is JSON Lines or a JSON list of messages, such as the forms messages and "
    "jsonl of an export."
)


class FileMessages(list["Message"]):
    """The messages of one conversation of a file.

    Attributes:
        places: The place of each message for error messages, such as ``", line 3"``.
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
    return [_turns(messages, str(expanded(path))) for messages in read_file(path)]


def _turns(messages: FileMessages, name: str) -> list[Turn]:
    try:
        return turns_of(messages)
    except RowError as error:
        raise UsageError(f"{name}{messages.places[error.row]}: {error.problem}") from error


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
        raise UsageError(f"{file} could not be read: {error.strerror or error}.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{file}, line {line}: this is no UTF-8. {_ACCEPTED}") from error
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
        raise UsageError(f"{name} is empty. {_ACCEPTED}")
    if text.lstrip()[0] not in "[{":
        _refuse_other(text, name)
    collector = _Collector(name)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) == 1 or not _is_json(lines[0][1]):
        collector.add(_json(text, name, 1), "")
    else:
        for number, line in lines:
            collector.add(_json(line, name, number), f", line {number}")
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
        raise UsageError(f"{name}, line {line}: lists and objects are nested too deep.") from error
    except json.JSONDecodeError as error:
        line += error.lineno - 1
        raise UsageError(
            f"{name}, line {line}: this is no JSON ({error.msg}). {_ACCEPTED}"
        ) from error
    except ValueError as error:
        # Besides our own refusal of constants, `json` raises this for a number that Python cannot read.
        reason = error if isinstance(error, _NotJSONError) else "a number has too many digits"
        raise UsageError(f"{name}, line {line}: this is no JSON ({reason}). {_ACCEPTED}") from error


class _NotJSONError(ValueError):
    """A value that `json` reads although it is no JSON."""


def _decode(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(constant: str) -> NoReturn:
    raise _NotJSONError(f"{constant} is no JSON")


class _Collector:
    """Collects conversations, and groups single messages by the name of their conversation."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lists: list[FileMessages] = []
        self._by_name: dict[Any, FileMessages] = {}

    def add(self, value: Any, where: str) -> None:
        """Add the value of one line, or of the whole text.

        Args:
            value: The parsed JSON.
            where: The position in the text for error messages; ``""`` for the whole text.
        """
        if isinstance(value, dict) and "messages" in value:
            self._lists.append(self._messages(value["messages"], where))
        elif isinstance(value, dict):
            self._add_message(self._message(value, where), where)
        elif isinstance(value, list) and all(_is_conversation(item) for item in value) and value:
            for number, item in enumerate(value, 1):
                messages = item["messages"] if isinstance(item, dict) else item
                self._lists.append(self._messages(messages, f"{where}, conversation {number}"))
        elif isinstance(value, list) and where:
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
            raise UsageError(f"{self._name} holds no message. {_ACCEPTED}")
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
            self._refuse(where, f"messages must be a list, not {_kind(value)}")
        messages = FileMessages()
        for number, item in enumerate(value, 1):
            place = f"{where}, message {number}"
            messages.add(self._message(item, place), place)
        return messages

    def _message(self, value: Any, where: str) -> Message:
        if not isinstance(value, dict):
            self._refuse(where, f"a message must be an object, not {_kind(value)}")
        if not isinstance(value.get("role"), str):
            if "cells" in value and "nbformat" in value:
                self._refuse(where, "this is a notebook, which cannot be imported")
            self._refuse(where, 'a message needs a "role", such as "user" or "assistant"')
        return _with_time(value)

    def _refuse(self, where: str, problem: str) -> NoReturn:
        raise UsageError(f"{self._name}{where}: {problem}. {_ACCEPTED}")


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
        raise UsageError(
            f"{name}: Markdown is a form to read, in which messages cannot be told apart for "
            "certain. Export the conversation again with the form messages, and import that."
        )
    raise UsageError(f"{name}, line 1: this is no JSON. {_ACCEPTED}")


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        type(None): "null",
        bool: "true or false",
    }
    return names.get(type(value), "a number")
