"""Write small GGUF files: the head of a model, without its weights."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path


def text(value: str) -> bytes:
    """Return a string as the head of a GGUF file holds it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def write(path: Path, texts: Mapping[str, str]) -> Path:
    """Write a file with values of every kind and, behind them, these texts; return its path."""
    others = [
        text("general.alignment") + struct.pack("<II", 4, 32),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("tools"),
        text("tokenizer.ggml.scores") + struct.pack("<IIQff", 9, 6, 2, 0.5, 1.5),
        text("nested") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQhh", 3, 2, 1, 2),
        text("general.flag") + struct.pack("<I?", 7, True),
        text("general.large") + struct.pack("<Id", 12, 0.25),
    ]
    named = [text(name) + struct.pack("<I", 8) + text(value) for name, value in texts.items()]
    values = [*others, *named]
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, len(values)) + b"".join(values))
    return path
