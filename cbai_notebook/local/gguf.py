"""Read the chat templates in the head of a GGUF file.

The format is that of ``ggml/docs/gguf.md`` in llama.cpp: a magic number, a version, two counts, then
keys with typed values, all little-endian.
"""

from __future__ import annotations

import functools
import mmap
import struct
from pathlib import Path
from typing import Any

_TEMPLATE = b"tokenizer.chat_template"
_STRING, _ARRAY = 8, 9
# Bytes of the values of the other types: integers, floats and bool.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def chat_templates(path: Path) -> str | None:
    """Return the chat templates of a GGUF file, joined; ``""`` when it has none.

    None is returned for a file that cannot be read.
    """
    try:
        facts = path.stat()
        return _read(path, facts.st_size, facts.st_mtime_ns)
    except (OSError, ValueError):
        return None


@functools.lru_cache(maxsize=8)
def _read(path: Path, size: int, changed: int) -> str:
    """Read a file; its size and its time of change belong to the key of the cache."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _Head(data).templates()
        except (struct.error, RecursionError) as error:
            raise ValueError("the head of the file is damaged") from error


class _Head:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._position = 0

    def templates(self) -> str:
        magic, _version = self._take("<4sI")
        if magic != b"GGUF":
            raise ValueError("no GGUF file")
        _tensors, keys = self._take("<QQ")
        found: list[bytes] = []
        for _ in range(keys):
            key = self._string()
            (kind,) = self._take("<I")
            if kind == _STRING and key.startswith(_TEMPLATE):
                found.append(self._string())
            else:
                self._skip(kind)
        return b"\n".join(found).decode("utf-8", "replace")

    def _take(self, form: str) -> tuple[Any, ...]:
        value = struct.unpack_from(form, self._data, self._position)
        self._position += struct.calcsize(form)
        return value

    def _string(self) -> bytes:
        start, stop = self._string_bounds()
        return self._data[start:stop]

    def _string_bounds(self) -> tuple[int, int]:
        (length,) = struct.unpack_from("<Q", self._data, self._position)
        start = self._position + 8
        self._position = start + length
        if self._position > len(self._data):
            raise ValueError("a text ends behind the end of the file")
        return start, self._position

    def _skip(self, kind: int, count: int = 1) -> None:
        if kind == _STRING:
            for _ in range(count):
                self._string_bounds()
        elif kind == _ARRAY:
            for _ in range(count):
                inner, length = struct.unpack_from("<IQ", self._data, self._position)
                self._position += 12
                self._skip(inner, length)
        elif kind in _SIZES:
            self._position += _SIZES[kind] * count
        else:
            raise ValueError("a value of an unknown type")
