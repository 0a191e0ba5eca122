"""A growing text: pieces, tail and end."""

from __future__ import annotations

from cbai_notebook.notebook.markdown import Document
from cbai_notebook.notebook.markdown.rendering import fragment

ANSWER = "# Title\n\n" + "".join(
    f"Paragraph {n} says *something* of some length, and goes on for a while about it.\n\n"
    f"- one\n\n- two\n\n```python\nprint({n})\n\nprint()\n```\n\n"
    for n in range(120)
)


def test_pieces_joined_are_the_whole() -> None:
    document = Document()
    for start in range(0, len(ANSWER), 7):
        document.feed(ANSWER[start : start + 7])
        document.take_sealed()
    document.finish()
    assert len(document.pieces) > 5
    assert "".join(piece.source for piece in document.pieces) == ANSWER
    assert "".join(piece.body for piece in document.pieces) == fragment(ANSWER)
