"""An incremental parser of ``text/event-stream``: bytes in, events out, no I/O.

The rules are those of the WHATWG HTML standard, section 9.2.6 "Interpreting an event stream".
Two rules are ours. At the end of a stream, `EventParser.flush` returns a last event without a blank
line after it, because servers that close the connection early do not send that line. And a line
``error: …`` is the data of an event named ``error``, as some servers mean it.
"""

from __future__ import annotations

import msgspec

from cbai_notebook.errors import InvalidResponseError
from cbai_notebook.i18n import say

DONE = b"[DONE]"

BOM = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream.

    Args:
        body: The joined ``data:`` lines, as bytes.
        event: The name in the ``event:`` line, or None.
        id: The last ``id:`` of the stream so far, or None.
    """

    body: bytes
    event: str | None = None
    id: str | None = None

    @property
    def data(self) -> str:
        """The event's data as text; bytes that are not UTF-8 become U+FFFD, as in the standard."""
        return self.body.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Event(event={self.event!r}, id={self.id!r}, data={self.data!r})"


class EventParser:
    """Split bytes into events; the boundaries of the packets do not matter.

    Args:
        max_bytes: The largest size that is accepted, of a line and of the data of one event.
    """

    def __init__(self, *, max_bytes: int = 32 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []  # the start of an incomplete line
        self._pending = 0  # bytes in _pieces
        self._at_start = True  # a byte order mark may follow
        self._after_cr = False  # a line feed that follows belongs to the same line end
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._name: str | None = None
        self._id: str | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Parse the next bytes and return the events that they complete.

        Raises:
            InvalidResponseError: A line or an event is larger than ``max_bytes``.
        """
        if self._after_cr and data:
            self._after_cr = False
            if data[0] == 10:
                data = data[1:]
        if not data:
            return []
        if b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        if self._pieces:
            data = b"".join((*self._pieces, data))
            self._pieces.clear()
            self._pending = 0
        if self._at_start:
            self._at_start = False
            data = data.removeprefix(BOM)
        events: list[Event] = []
        if b"\r" not in data:
            data = self._read_blocks(data, events)
        # bytes.splitlines splits at CR, LF and CRLF only, as the standard requires.
        lines = data.splitlines()
        last = data[-1:]
        if last == b"\r":
            self._after_cr = True
        elif last != b"\n" and lines:
            self._keep(lines.pop())
        if lines:
            self._read(lines, events)
        return events

    def _read_blocks(self, data: bytes, events: list[Event]) -> bytes:
        """Parse everything up to the last blank line, and return the rest.

        In most bursts every event is one data line. Such a burst is split at once, which is faster
        than parsing every line.
        """
        complete, blank, rest = data.rpartition(b"\n\n")
        if not blank:
            return rest
        bodies = complete.removeprefix(b"data: ").split(b"\n\ndata: ")
        plain = complete.startswith(b"data: ") and complete.count(b"\n") == 2 * len(bodies) - 2
        if plain and not self._data:
            if len(complete) > self._max_bytes:
                self._check(max(map(len, bodies)))
            first = len(events)
            events += [Event(body, None, self._id) for body in bodies]
            if self._name is not None:
                events[first] = Event(bodies[0], self._name, self._id)
                self._name = None
        else:
            self._read([*complete.split(b"\n"), b""], events)
        return rest

    def flush(self) -> list[Event]:
        """End the stream, and return the last event if no blank line followed it."""
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._pending = 0
        if self._at_start:
            line = line.removeprefix(BOM)
        events: list[Event] = []
        self._read([line, b""] if line else [b""], events)
        return events

    def _keep(self, piece: bytes) -> None:
        self._pending += len(piece)
        self._check(self._pending)
        self._pieces.append(piece)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise InvalidResponseError(
                say("request.event_is_too_large", size=self._max_bytes // 1024)
            )

    def _read(self, lines: list[bytes], events: list[Event]) -> None:
        data = self._data
        for line in lines:
            if not line:
                if data:
                    body = data[0] if len(data) == 1 else b"\n".join(data)
                    events.append(Event(body, self._name, self._id))
                    data.clear()
                    self._data_bytes = 0
                self._name = None
            elif line.startswith(b"data:"):
                value = line[6:] if line[5:6] == b" " else line[5:]
                self._data_bytes += len(value)
                if self._data_bytes > self._max_bytes:
                    self._check(self._data_bytes)
                data.append(value)
            else:
                self._field(line)

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"error" and value:
            self._data.append(value)
            self._name = "error"
        elif name == b"event":
            self._name = value.decode("utf-8", "replace") or None
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace") or None
        # A comment has an empty name; `retry` is for clients that reconnect; the standard requires
        # that every other field is ignored.
