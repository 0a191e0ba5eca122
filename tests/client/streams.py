"""Ask a model, and read its streams to the end."""

from __future__ import annotations

from typing import Any

import pytest

from cbai_notebook.client.answer import Answer
from cbai_notebook.client.model import Model
from cbai_notebook.errors import CbaiError
from tests.client.conftest import MESSAGES

ASK: dict[str, Any] = {"model": "m", "messages": MESSAGES}
"""The parameters of an ordinary request."""

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
"""Run a test with an answer that comes in one piece and with a streamed answer."""


async def ask(model: Model, stream: bool, **params: Any) -> Answer:
    """Send the ordinary request, streamed or not, and return its answer."""
    if stream:
        return await (await model.stream_text(**ASK, **params)).finish()
    return await model.generate_text(**ASK, **params)


async def read(view: Any) -> list[Any]:
    """Return all items of a view of a stream."""
    return [item async for item in view]


async def read_until_failure(view: Any) -> tuple[list[Any], CbaiError]:
    """Return the items of a view of a stream that has to fail, and its error."""
    items = []
    with pytest.raises(CbaiError) as raised:
        async for item in view:
            items.append(item)
    return items, raised.value
