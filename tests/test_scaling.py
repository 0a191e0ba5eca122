"""Texts that were made to be slow: a megabyte of each is read within the time of a test.

Work that grows with the square of the text would take minutes here.
``python -m tests.benchmarks scaling`` measures how it grows.
"""

from __future__ import annotations

import pytest

from tests.adversarial import CALL_SIZE, CASES

MEGABYTE = 1024 * 1024

# Rendering costs more for each character, however the characters are written.
SIZES = {"Markdown": MEGABYTE // 4, "TeX": MEGABYTE // 4, "code": MEGABYTE // 4}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("part", "name"), [(part, name) for part, (_, texts) in CASES.items() for name in texts]
)
def test_a_megabyte_is_read_in_time(part: str, name: str) -> None:
    text = CASES[part].texts[name](SIZES.get(part, MEGABYTE))
    assert len(text) > CALL_SIZE
    CASES[part].read(text)
