"""Join the fragments of tool calls that a stream sends. Each fragment costs time once."""

from __future__ import annotations

from cbai_notebook.client import chat_wire
from cbai_notebook.client.chat_wire import FunctionCall, WireToolCall
from cbai_notebook.client.json_brackets import JsonBrackets
from cbai_notebook.client.json_fold import ObjectFold
from cbai_notebook.text import without_surrogates


class ToolCallJoiner:
    """The tool calls of one message, so far.

    A stream sends each call in fragments that share an ``index``. Some servers do otherwise:

    - no index; the id, or a new name, tells the calls apart,
    - complete calls with neither index nor id,
    - index 0 for every call, with different ids,
    - an index that counts the fragments, or a last fragment with another index. A fragment that names
      no function and fits no call continues the last call.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, part: WireToolCall) -> None:
        """Add a fragment, or a complete call."""
        call = self._find(part)
        if call is None and self._repeats(part):
            return
        if call is None:
            call = _Call(len(self._calls))
            self._calls.append(call)
        if part.index is not None and call.index is None:
            call.index = part.index
        if part.index is not None and call.index == part.index:
            self._by_index[part.index] = call
        if part.id:
            self._by_id.setdefault(part.id, call)
        call.add(part)

    def calls(self) -> list[WireToolCall]:
        """Return the calls, in the order of their indices."""
        return [call.joined() for call in sorted(self._calls, key=_Call.order)]

    def _repeats(self, part: WireToolCall) -> bool:
        """Return whether a complete call is sent once more."""
        call = self._by_id.get(part.id) if part.id else None
        function = part.function
        return (
            call is not None
            and function is not None
            and function.name == call.name
            and call.arguments.equal(function.arguments or "")
        )

    def _find(self, part: WireToolCall) -> _Call | None:
        """Return the call that a fragment continues, or None for a new call."""
        if not self._calls:
            return None
        last = self._calls[-1]
        name = part.function.name if part.function is not None else None
        if part.index is not None and part.index in self._by_index:
            call = self._by_index[part.index]
            return None if call.differs(part) else call
        if part.id and part.id in self._by_id:
            call = self._by_id[part.id]
            return None if call.begun_again(part) else call
        if not name:
            return last
        if part.id:
            return None
        if part.index is not None:
            # A name that is repeated with each fragment, whose index counts up.
            return last if name == last.name and last.arguments.open else None
        begins = last.name and (name != last.name or last.arguments.complete)
        return None if begins else last


class _Call:
    """One call, so far."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.index: int | None = None
        self.id: str | None = None
        self.type: str | None = None
        self.name: str | None = None
        self.arguments = _Arguments()
        self._raw = ObjectFold()
        self._raw_function = ObjectFold()

    def order(self) -> int:
        return self.position if self.index is None else self.index

    def differs(self, part: WireToolCall) -> bool:
        """Return whether a fragment with this call's index begins another call."""
        name = part.function.name if part.function is not None else None
        if name and part.id and self.id and part.id != self.id:
            return True
        return self.begun_again(part)

    def begun_again(self, part: WireToolCall) -> bool:
        """Return whether a fragment begins another call after the complete arguments of this one."""
        function = part.function
        if function is None or not function.name or not self.arguments.complete:
            return False
        return function.name != self.name or (function.arguments or "").lstrip()[:1] == "{"

    def add(self, part: WireToolCall) -> None:
        self.id = self.id or part.id
        self.type = part.type or self.type
        function = part.function
        if function is not None:
            self.name = function.name or self.name
            self.arguments.add(function.arguments)
        for key, value in part.raw.items():
            if key == "function" and isinstance(value, dict):
                for inner, found in value.items():
                    if inner not in ("name", "arguments"):
                        self._raw_function.add(inner, found)
            elif key != "function" and (key != "index" or not isinstance(value, int)):
                self._raw.add(key, value)

    def joined(self) -> WireToolCall:
        function = FunctionCall(without_surrogates(self.name or ""), self.arguments.text)
        id_ = None if self.id is None else without_surrogates(self.id)
        raw = self._raw.value()
        if id_ is not None:
            raw["id"] = id_
        if self.index is not None:
            raw["index"] = self.index
        raw["function"] = {
            **self._raw_function.value(),
            "name": function.name,
            "arguments": function.arguments,
        }
        return WireToolCall(
            self.order(),
            id_,
            self.type or "function",
            function,
            chat_wire.whole_characters(raw),
        )


class _Arguments:
    """The JSON text of a call's arguments, and whether it is a complete object so far."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._brackets = JsonBrackets()

    @property
    def text(self) -> str:
        return without_surrogates("".join(self._pieces))

    def equal(self, text: str) -> bool:
        """Return whether the arguments are this text; costs nothing where the lengths differ."""
        return len(text) == self._length and text == "".join(self._pieces)

    @property
    def complete(self) -> bool:
        return self._brackets.closed and self._brackets.depth == 0

    @property
    def open(self) -> bool:
        return self._brackets.depth > 0

    def add(self, piece: str | None) -> None:
        if not piece:
            return
        self._pieces.append(piece)
        self._length += len(piece)
        self._brackets.add(piece)
