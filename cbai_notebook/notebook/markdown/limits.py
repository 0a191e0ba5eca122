"""How much of one thing is worked on; beyond it, text is shown as it is.

They keep a hostile or broken answer from holding the kernel. Ordinary answers stay far below.
"""

from __future__ import annotations

BLOCK_CHARACTERS = 200_000
"""A longer top-level block is shown as preformatted source."""

INLINE_CHARACTERS = 30_000
"""A longer paragraph, heading or cell is shown without emphasis, links and mathematics."""

FORMULA_CHARACTERS = 5_000
FORMULA_LINES = 100
FORMULA_NESTING = 40
"""A longer or deeper formula is no formula."""

HIGHLIGHT_CHARACTERS = 20_000
HIGHLIGHT_LINE = 500
HIGHLIGHT_SPACE = 200
"""Longer code, or code with a longer line or a longer run of white space, is shown in one colour."""

HIGHLIGHT_SECONDS = 0.25
HIGHLIGHT_SECONDS_PER_CHARACTER = 20e-6
"""CPU time for one block, many times what ordinary code takes: some of Pygments' rules are slow on
code that was made to be slow. Code that takes longer is shown in one colour."""

NESTING = 20
"""Levels of quotes, lists and inline elements (a list takes two)."""

EMPHASIS_DEPTH = 10
"""Emphasis nested deeper is dropped; its text stays."""

FILLED_CELLS = 200
"""Cells that short rows of one table may leave to be filled, beside as many as it has."""

ADDRESS_CHARACTERS = 2_000
"""A longer address is no link."""

DEFINITION_CHARACTERS = 500
"""A definition with a longer address and title is not used: it is written out at every use."""

SHOWN_TARGET = 80
"""Characters of a link's address or title that are shown."""
