"""What a server's tool returned, as the model reads it and the user sees it."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_types import CallToolResult

from cbai_notebook.client.tools.result import ToolOutput
from cbai_notebook.errors import ToolServerError
from cbai_notebook.mcp_servers.results import LARGEST_IMAGE, MOST_IMAGES, output_of

IMAGE = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
URL = "data:image/png;base64,AAAA"


def output(*content: dict[str, Any], **facts: Any) -> ToolOutput:
    """Return the output of a result with this content."""
    return output_of(CallToolResult.model_validate({"content": list(content), **facts}))


def test_texts_and_images_are_apart() -> None:
    assert output({"type": "text", "text": "a"}, IMAGE, {"type": "text", "text": "b"}) == (
        ToolOutput("a\nb", (URL,))
    )


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}, "(audio/wav, 3 bytes)"),
        (
            {"type": "resource_link", "uri": "file:///a.csv", "name": "a", "description": "Sales"},
            "file:///a.csv (a, Sales)",
        ),
        ({"type": "resource", "resource": {"uri": "file:///a", "text": "hello"}}, "hello"),
        (
            {"type": "resource", "resource": {"uri": "x:a", "blob": "AAAA", "mimeType": "a/b"}},
            "x:a (a/b, 3 bytes)",
        ),
    ],
)
def test_other_content_is_named(block: dict[str, Any], text: str) -> None:
    assert output(block) == ToolOutput(text)


def test_an_image_may_be_a_resource() -> None:
    resource = {"uri": "x:a", "blob": "AAAA", "mimeType": "image/png"}
    assert output({"type": "resource", "resource": resource}) == ToolOutput("", (URL,))


def test_a_result_may_be_a_value_alone() -> None:
    assert output(structuredContent={"城市": 1}).text == '{"城市": 1}'


def test_too_many_or_too_large_images_are_named() -> None:
    found = output(*[IMAGE] * (MOST_IMAGES + 1))
    assert len(found.images) == MOST_IMAGES
    assert "left out" in found.text
    large = {**IMAGE, "data": "A" * (LARGEST_IMAGE * 2)}
    assert output(large).images == ()


def test_a_tool_that_failed_is_an_error() -> None:
    with pytest.raises(ToolServerError, match="no disk"):
        output({"type": "text", "text": "no disk"}, isError=True)
    with pytest.raises(ToolServerError, match="does not say why"):
        output(isError=True)
