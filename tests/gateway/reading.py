"""A slow and simple reader of event streams, to check other readers against."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Read:
    """One event: its name, its id, its data."""

    data: str
    event: str = ""
    id: str = ""


def events(body: bytes, *, last_without_blank: bool = False) -> list[Read]:
    """Return the events of a complete body.

    Args:
        body: All bytes of an event stream.
        last_without_blank: Also return a last event without a blank line after it. The standard
            drops it.

    Rule: the WHATWG HTML standard, section 9.2.6, applied to the complete body.
    """
    # Text after the last line end is not a complete line.
    *lines, fragment = re.split("\r\n|\n|\r", body.decode("utf-8-sig"))
    if fragment and last_without_blank:
        lines.append(fragment)
    found: list[Read] = []
    data: list[str] = []
    fields = {"event": "", "id": ""}
    for line in lines:
        if not line:
            if data:
                found.append(Read("\n".join(data), fields["event"], fields["id"]))
            data = []
            fields["event"] = ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name in fields:
            fields[name] = value
    if data and last_without_blank:
        found.append(Read("\n".join(data), fields["event"], fields["id"]))
    return found


def chunks(body: bytes) -> list[dict[str, Any]]:
    """Return the parsed data of every event but ``[DONE]``."""
    return [json.loads(event.data) for event in events(body) if event.data != "[DONE]"]


def joined(body: bytes, field: str = "content") -> str:
    """Return the joined text of the deltas of a streamed answer."""
    return "".join(
        choice["delta"].get(field) or ""
        for chunk in chunks(body)
        for choice in chunk.get("choices", ())
    )
