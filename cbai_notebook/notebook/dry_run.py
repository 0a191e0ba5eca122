"""A request that is shown and not sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.pictures import abbreviated

if TYPE_CHECKING:
    from cbai_notebook.client.request import Request


def show_request(request: Request, hints: Sequence[str] = ()) -> None:
    """Print a request, the key masked and the data of its images cut short.

    Args:
        request: What would be sent.
        hints: Sentences about the prompt.
    """
    shown = request.shown()
    lines = [f"{shown['method']} {shown['url']}"]
    lines += [f"{name}: {value}" for name, value in shown["headers"].items()]
    lines += ["", readable(abbreviated(shown["body"])), "", "Nothing was sent."]
    sys.stdout.write("\n".join([*hints, *lines]) + "\n")


def readable(value: Any) -> str:
    """Return JSON for reading."""
    return json.dumps(value, ensure_ascii=False, indent=2)
