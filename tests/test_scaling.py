"""Texts that were made to be slow: half a megabyte of each is read within the time of a test.

Work that grows with the square of the text would take minutes here.
``python -m tests.benchmarks scaling`` measures how it grows.
"""

from __future__ import annotations

import pytest

from tests.adversarial import CALL_SIZE, CASES

LONG = 512 * 1024

# Characters of the parts where each character costs more, however the characters are written. The
# words of a link are never longer than a paragraph that is parsed.
SIZES = {
    **dict.fromkeys(("Markdown", "TeX", "code", "code in small pieces"), LONG // 4),
    **dict.fromkeys(("code to insert", "exports", "option line"), LONG // 4),
    **dict.fromkeys(("Markdown in small pieces", "links"), LONG // 8),
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("part", "name"), [(part, name) for part, (_, texts) in CASES.items() for name in texts]
)
def test_a_long_text_is_read_in_time(part: str, name: str) -> None:
    text = CASES[part].texts[name](SIZES.get(part, LONG))
    assert len(text) > CALL_SIZE
    CASES[part].read(text)
