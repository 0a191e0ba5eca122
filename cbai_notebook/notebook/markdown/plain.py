"""Text without what a terminal, or a reader, must not obey."""

from __future__ import annotations

import re

# No sequence may reach over the end of its line, so that lines can be cleaned one by one. The
# bodies exclude every introducer, so that a run of introducers is read once, not once for each.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, modes
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x90-\x9f\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, …
    r"|\x1b[ -/]*[0-~]"  # the two-character escapes, such as a full reset
)
# C0 and C1 controls, and the characters that reorder text so that it reads as something else.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def plain(source: str) -> str:
    """Strip what steers a terminal or reorders what is read.

    Args:
        source: Any text.

    Returns:
        The text with line ends as ``\\n``, without C0 and C1 controls other than tab and newline,
        without ECMA-48 escape sequences, without the Unicode bidirectional embeddings, overrides
        and isolates (UAX #9), and with lone surrogates replaced.
    """
    text = source.replace("\r\n", "\n").replace("\r", "\n") if "\r" in source else source
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if _UNSEEN.search(text):
        text = _UNSEEN.sub("", _SEQUENCES.sub("", text))
    return text


def split_lines(text: str) -> list[str]:
    r"""Cut a text into lines with their ends, at ``\n`` only (``str.splitlines`` knows ten others)."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines
