"""Small images, built without an image library."""

from __future__ import annotations

import random
import struct
import zlib

GIF = bytes.fromhex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b")


def png(width: int = 2, height: int = 2, *, noise: bool = False) -> bytes:
    """Return a PNG file; with ``noise``, compression hardly makes it smaller."""
    dice = random.Random(1)
    row = width * 3
    rows = (dice.randbytes(row) if noise else b"\xc8\x20\x20" * width for _ in range(height))
    pixels = b"".join(b"\x00" + one for one in rows)
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", size), (b"IDAT", zlib.compress(pixels, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, parts))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, data = part
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
