"""Turn what a server's tool returned into what the model reads and the user sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.tools.result import ToolOutput
from cbai_notebook.errors import ToolServerError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from mcp_types import CallToolResult


MOST_IMAGES = 10
"""The most images of one result; the others are named in its text."""

LARGEST_IMAGE = 5_000_000
"""The most bytes of an image: it goes into the page, the notebook file and a request."""


def output_of(result: CallToolResult) -> ToolOutput:
    """Return the text and the images of a result.

    Args:
        result: The result: a list of texts, images, sounds and resources, and a value.

    Raises:
        ToolServerError: The tool reports that it failed; the message is its text.
    """
    texts: list[str] = []
    images: list[str] = []
    for kind, value in _pieces(result):
        if kind == "text":
            texts.append(value)
        elif len(images) < MOST_IMAGES and _size(value) <= LARGEST_IMAGE:
            images.append(value)
        else:
            texts.append(f"({value[5:].partition(';')[0]}, {_size(value):,} bytes: left out)")
    if not texts and result.structured_content is not None:
        texts.append(json.dumps(result.structured_content, ensure_ascii=False, default=str))
    text = "\n".join(texts)
    if result.is_error:
        raise ToolServerError(text or say("mcp.failed_without_words"))
    return ToolOutput(text, tuple(images))


def _pieces(result: CallToolResult) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a result, each with its kind: ``text`` or ``image`` (a ``data:`` URL)."""
    for block in result.content:
        if block.type == "text":
            yield "text", block.text
        elif block.type == "image":
            yield "image", f"data:{block.mime_type};base64,{block.data}"
        elif block.type == "audio":
            yield "text", f"({block.mime_type}, {_size(block.data):,} bytes)"
        elif block.type == "resource_link":
            about = ", ".join(filter(None, (block.title or block.name, block.description)))
            yield "text", f"{block.uri} ({about})"
        elif block.type == "resource":
            yield _resource(block.resource)


def _resource(resource: Any) -> tuple[str, str]:
    text = getattr(resource, "text", None)
    if text is not None:
        return "text", str(text)
    kind = resource.mime_type or "application/octet-stream"
    if kind.startswith("image/"):
        return "image", f"data:{kind};base64,{resource.blob}"
    return "text", f"{resource.uri} ({kind}, {_size(resource.blob):,} bytes)"


def _size(data: str) -> int:
    """Return about how many bytes a text in Base64 stands for."""
    return len(data) * 3 // 4
