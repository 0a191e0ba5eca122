"""The pictures of the demo model: a plain square for each, in a colour that the prompt decides."""

from __future__ import annotations

import base64
import colorsys
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from cbai_notebook.i18n import say

_SIDE = 160  # pixels
_MOST = 10


def drawn(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a request for pictures; the same prompt gets the same ones.

    Args:
        body: The parameters: ``prompt`` and ``n``, the number of pictures.
    """
    prompt = str(body.get("prompt") or "")
    number = body.get("n")
    pictures = range(min(number, _MOST) if isinstance(number, int) and number > 0 else 1)
    return {
        "data": [
            {
                "b64_json": base64.b64encode(_square(f"{prompt} {each}")).decode(),
                "revised_prompt": str(say("demo.drew", prompt=prompt)),
            }
            for each in pictures
        ]
    }


def _square(words: str) -> bytes:
    """Return a square in a colour that the words decide, as PNG."""
    hue = zlib.crc32(words.encode("utf-8", "replace")) / 2**32
    colour = bytes(round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.6, 0.6))
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)  # 8 bits each of red, green, blue
    rows = (b"\0" + colour * _SIDE) * _SIDE
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )
