"""Read an event stream the slow and obvious way, to check others against."""

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
    """Return the events of a whole body.

    Args:
        body: Every byte of an event stream.
        last_without_blank: Count a last event that no blank line ends. The standard drops it.

    Rule: the WHATWG HTML standard, section 9.2.6, on the body as a whole.
    """
    # What stands after the last line end is no line of its own.
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
    """Return the text that the deltas of a streamed answer add up to."""
    return "".join(
        choice["delta"].get(field) or ""
        for chunk in chunks(body)
        for choice in chunk.get("choices", ())
    )
