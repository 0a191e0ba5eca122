"""Convert events to bytes: lines of an event stream, frames of the chunked encoding, packets."""

from __future__ import annotations

import itertools
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.gateway.scenario import Scenario

LAST_FRAME = b"0\r\n\r\n"
_CONTINUATION = re.compile(rb"(?<=[\xc2-\xf4])[\x80-\xbf]")


class EventWriter:
    """Writes events as lines.

    Rule: the event stream format of the WHATWG HTML standard, section 9.2.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._number = 0
        # CR must not be followed by LF in this cycle: the two would be read as one line end.
        self._cycle = itertools.cycle(("\n", "\r", "\r\n"))
        self._colon = ":" if scenario.tight else ": "
        plain = not (scenario.comments or scenario.ids or scenario.bom or scenario.multiline)
        self._plain = plain and scenario.ends == "lf"

    def _end(self) -> str:
        ends = self._scenario.ends
        if ends == "mixed":
            return next(self._cycle)
        if ends == "crlf-first":
            return "\r\n" if self._number <= 1 else "\n"
        return {"lf": "\n", "crlf": "\r\n", "cr": "\r"}[ends]

    def write(self, data: str, name: str = "", *, blank: bool = True, field: str = "data") -> bytes:
        """Return the bytes of one event.

        Args:
            data: The data.
            name: The name of the event.
            blank: Add the empty line that ends it.
            field: The name of the field with the data.
        """
        self._number += 1
        if self._plain and blank and not name and "\n" not in data:
            return f"{field}{self._colon}{data}\n\n".encode()
        lines = []
        if self._scenario.comments:
            lines += [":", f": keep-alive {self._number}"]
        if self._scenario.ids:
            name = name or "message"
            lines.append(f"id{self._colon}{self._number}")
        if name:
            lines.append(f"event{self._colon}{name}")
        lines += [f"{field}{self._colon}{line}" for line in data.split("\n")]
        if blank:
            lines.append("")
        written = "".join(line + self._end() for line in lines)
        if self._scenario.bom and self._number == 1:
            written = "\ufeff" + written
        return written.encode()


class Body:
    """Converts the bytes of a body to writes, framed and split as the scenario says."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._offset = 0
        self._zip = zlib.compressobj(wbits=31) if scenario.gzip else None

    def _frame(self, data: bytes) -> bytes:
        if self._scenario.framing != "chunked" or not data:
            return data
        return b"%x\r\n%b\r\n" % (len(data), data)

    def _compress(self, data: bytes) -> bytes:
        if self._zip is None:
            return data
        return self._zip.compress(data) + self._zip.flush(zlib.Z_SYNC_FLUSH)

    def writes(self, pieces: Iterable[bytes]) -> list[bytes]:
        """Return the writes for pieces that are sent together."""
        scenario = self._scenario
        squeezed = [self._compress(piece) for piece in pieces]
        if scenario.split is None and scenario.frames is None:
            frames = [self._frame(piece) for piece in squeezed]
        else:
            whole = b"".join(squeezed)
            cuts = self._cuts(whole)
            frames = [self._frame(part) for part in cut_at(whole, cuts)]
            self._offset += len(whole)
        if scenario.wire_split is not None:
            joined = b"".join(frames)
            return list(cut_at(joined, range(0, len(joined), scenario.wire_split)))
        return frames if scenario.split is not None else [b"".join(frames)]

    def heartbeat(self) -> bytes:
        """Return a comment in a separate frame."""
        return self._frame(b": heartbeat\n\n")

    def half(self, piece: bytes) -> bytes:
        """Return the first half of the frame of ``piece``."""
        frame = self._frame(self._compress(piece))
        return frame[: max(1, len(frame) // 2)]

    def end(self) -> bytes:
        """Return the bytes of a correct end of the body."""
        tail = self._frame(self._zip.flush()) if self._zip is not None else b""
        return tail + (LAST_FRAME if self._scenario.framing == "chunked" else b"")

    def _cuts(self, data: bytes) -> Iterable[int]:
        split = self._scenario.split
        if split == "utf8":
            return [match.start() for match in _CONTINUATION.finditer(data)]
        if isinstance(split, tuple):
            return [offset - self._offset for offset in split]
        return range(0, len(data), split or self._scenario.frames or len(data))


def cut_at(data: bytes, offsets: Iterable[int]) -> Iterator[bytes]:
    """Cut ``data`` at ``offsets`` and yield the parts that are not empty."""
    start = 0
    for offset in sorted(offsets):
        if start < offset < len(data):
            yield data[start:offset]
            start = offset
    if data[start:]:
        yield data[start:]
