"""Parse the parts of a message in OpenAI's chat format: content parts, images and tool calls.

Each function takes a value from a message and returns the value that a turn stores. It raises a
:class:`PartError` with the problem and its fix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cbai_notebook.conversation.frames.from_frame import shown
from cbai_notebook.i18n import Words, say


class PartError(ValueError):
    """A part of a message is wrong; `problem` says what, and how it is fixed."""

    def __init__(self, problem: Words) -> None:
        super().__init__(problem)
        self.problem = problem


def text(content: Sequence[Any]) -> str:
    """Return the texts of ``text`` parts, joined by a newline; refuse other parts."""
    return "\n".join(_text(part) for part in content)


def prompt(content: Sequence[Any]) -> tuple[str, tuple[str, ...]]:
    """Return the text of a user message's content, and the URLs of its images.

    A turn sends its images after its text, so the order of text and images is not kept. The
    ``detail`` of an image is dropped.

    Args:
        content: A list of ``text`` and ``image_url`` parts.
    """
    images = [part for part in content if _type(part) == "image_url"]
    others = [part for part in content if _type(part) != "image_url"]
    return text(others), tuple(_address(part.get("image_url")) for part in images)


def addresses(images: Any) -> tuple[str, ...]:
    """Return a list of image URLs as a tuple."""
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise PartError(say("messages.no_addresses"))
    return tuple(images)


def tool_calls(calls: Any) -> list[dict[str, Any]]:
    """Check the tool calls of an assistant message and return them unchanged.

    Args:
        calls: ``[{"id": …, "type": "function", "function": {"name": …, "arguments": "{…}"}}, …]``.
    """
    if not isinstance(calls, list):
        raise PartError(say("messages.no_calls"))
    seen: set[str] = set()
    for id in map(_call_id, calls):
        if id in seen:
            raise PartError(say("messages.same_call_id", id=f"{id!r:.60}"))
        seen.add(id)
    return calls


def _call_id(call: Any) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise PartError(say("messages.no_function"))
    name = f"{function['name']!r:.60}"
    if not isinstance(function.get("arguments"), str):
        raise PartError(say("messages.no_arguments", function=name))
    id = call.get("id")
    if not isinstance(id, str) or not id:
        raise PartError(say("messages.no_call_id", function=name))
    return id


def _type(part: Any) -> Any:
    return part.get("type") if isinstance(part, Mapping) else None


def _text(part: Any) -> str:
    if _type(part) == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise PartError(say("messages.unknown_part", kind=shown(_type(part), 40)))


def _address(image: Any) -> str:
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str):
        raise PartError(say("messages.no_image_address"))
    return url
