"""Limits on the work for one text; beyond them, text is shown as it is.

They keep a hostile or broken answer from blocking the kernel. Ordinary answers stay far below them.
"""

from __future__ import annotations

BLOCK_CHARACTERS = 200_000
"""A longer top-level block is shown as preformatted source."""

INLINE_CHARACTERS = 30_000
"""A longer paragraph, heading or cell is shown without emphasis, links and mathematics."""

FORMULA_CHARACTERS = 5_000
FORMULA_LINES = 100
FORMULA_NESTING = 40
"""A formula that is longer or nests deeper is not typeset."""

HIGHLIGHT_CHARACTERS = 20_000
HIGHLIGHT_LINE = 500
HIGHLIGHT_SPACE = 200
"""Longer code, or code with a longer line or a longer run of white space, is shown in one colour."""

HIGHLIGHT_SECONDS = 0.25
HIGHLIGHT_SECONDS_PER_CHARACTER = 20e-6
"""CPU time for one block, many times that of ordinary code: some of Pygments' rules are slow on
code that was made to be slow. Code that takes longer is shown in one colour."""

NESTING = 20
"""Levels of quotes, lists and inline elements (a list takes two)."""

EMPHASIS_DEPTH = 10
"""Emphasis nested deeper is dropped; its text stays."""

FILLED_CELLS = 200
"""The short rows of one table may need this many more empty cells than it has written cells."""

ADDRESS_CHARACTERS = 2_000
"""A longer address is not made a link."""

DEFINITION_CHARACTERS = 500
"""A definition with a longer address and title is ignored: it would be written out at every use."""

SHOWN_TARGET = 80
"""Characters of a link's address or title that are shown."""
