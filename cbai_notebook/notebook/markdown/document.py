"""A Markdown text that grows: blocks that can no longer change are rendered once and sealed."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cbai_notebook.notebook.markdown.parser import block_starts, parse_blocks, to_html
from cbai_notebook.notebook.markdown.rendering import wrap
from cbai_notebook.notebook.markdown.unfinished import close_open_marks, hide_unfinished
from cbai_notebook.text import plain, split_lines

_PIECE_SHARE = 3 / 8
_STEADY_SHARE = 7 / 10
_LAST_GROWTH = 6
_MIN_PIECE = 1_500
_LONG_ANSWER = 100_000


def smallest_piece(most: int) -> int:
    """Return the minimum length of a piece in characters; the last piece may be shorter.

    Short pieces keep the tail short, so that it is painted fast. But the number of pieces is
    limited, and enough of them must remain for the rest of a long answer.

    Args:
        most: The maximum number of pieces.
    """
    return max(_MIN_PIECE, _LONG_ANSWER // most)


@dataclass(frozen=True)
class Piece:
    """A part of the text that can no longer change.

    Attributes:
        index: Its position among the pieces, from 0.
        source: Its Markdown.
        body: Its HTML without the wrapper element; bodies may be joined.
    """

    index: int
    source: str
    body: str

    @property
    def html(self) -> str:
        """The piece as a complete output, with the wrapper element."""
        return wrap(self.body)


@dataclass(frozen=True)
class Final:
    """The end of a text.

    Attributes:
        pieces: The pieces that were not taken yet; the last one ends the text.
        changed: Pieces taken earlier whose HTML is different now, by index, because a link that
            they use was defined after them.
    """

    pieces: list[Piece]
    changed: dict[int, Piece] = field(default_factory=dict)


@dataclass(frozen=True)
class _Block:
    """The text between two places where it could be cut."""

    source: str
    body: str
    definitions: int
    """Number of link definitions that were known when the body was rendered."""


class Document:
    """Render a growing text as sealed pieces and an open tail.

    All pieces joined equal the complete text rendered at once, however the text was fed. Feeding is
    cheap; :meth:`take_sealed` and :meth:`tail_html` parse, so call them at the pace of the screen.
    """

    def __init__(self, *, smallest: int | None = None, most: int = 40) -> None:
        """Start an empty text.

        Args:
            smallest: The minimum length of a piece in characters; the last piece may be shorter.
                By default from :func:`smallest_piece`.
            most: The maximum number of pieces, however long the text; the last one is not counted.
                With more pieces the tail of a long text is shorter.
        """
        self._smallest = smallest_piece(most) if smallest is None else smallest
        self._most = most
        self._pieces: list[Piece] = []
        self._definitions_seen: list[int] = []
        self._blocks: list[_Block] = []  # closed, but not sealed yet
        self._block_characters = 0
        self._open: list[str] = []  # the source after the closed blocks
        self._open_characters = 0
        self._sealed_characters = 0
        self._references: dict[str, Any] = {}
        self._block_starts = _BlockStarts()
        self._retry_at = 0  # length of the open text at which it is parsed again
        self._carriage_return = False
        self._tail: str | None = None
        self._finished = False

    def feed(self, text: str) -> None:
        """Append text.

        Args:
            text: The next characters; they may end anywhere, even between CR and LF.

        Raises:
            ValueError: The text is finished.
        """
        if self._finished:
            raise ValueError("The text is finished; start a new Document to render another.")
        if self._carriage_return:
            text = "\r" + text
        self._carriage_return = text.endswith("\r")
        if self._carriage_return:
            text = text[:-1]
        if text:
            self._append(text.replace("\r\n", "\n").replace("\r", "\n"))

    def _append(self, text: str) -> None:
        self._open.append(text)
        self._open_characters += len(text)
        self._block_starts.feed(text)
        self._tail = None

    @property
    def tail_source(self) -> str:
        """The Markdown after the last sealed piece."""
        return "".join([block.source for block in self._blocks] + self._open)

    @property
    def tail_characters(self) -> int:
        """Length of the tail in characters; cheap."""
        return self._block_characters + self._open_characters

    def take_sealed(self) -> list[Piece]:
        """Seal blocks that can no longer change; return the new pieces. Call it between paints."""
        if self.tail_characters >= self._needed(self._sealed_characters):
            self._close_blocks()
        return self._seal()

    def tail_html(self) -> str:
        """Render the text that is not sealed yet, as a complete output."""
        self._close_blocks()
        if self._tail is None:
            environment = self._environment(unfinished=True)
            text = hide_unfinished(plain(self._open_source()))
            tokens = parse_blocks(text, environment)
            close_open_marks(tokens)
            bodies = [block.body for block in self._blocks]
            self._tail = wrap("".join([*bodies, to_html(tokens, environment)]))
        return self._tail

    def finish(self) -> Final:
        """End the text.

        Returns:
            The last pieces, and the earlier ones that changed.
        """
        if self._finished:
            return Final([])
        if self._carriage_return:
            self._carriage_return = False
            self._append("\n")
        self._finished = True
        self._close(complete=True)
        last = self._seal(everything=True)
        taken = len(self._pieces) - len(last)
        changed = {piece.index: piece for piece in self._changed() if piece.index < taken}
        return Final(self._pieces[taken:], changed)

    @property
    def pieces(self) -> list[Piece]:
        """All pieces sealed so far, with their current HTML."""
        return list(self._pieces)

    def _open_source(self) -> str:
        if len(self._open) > 1:
            self._open = ["".join(self._open)]
        return self._open[0] if self._open else ""

    def _environment(self, *, unfinished: bool = False) -> dict[str, Any]:
        """Return an environment for the parser; new definitions are separate until they are final."""
        return {"references": ChainMap({}, self._references), "unfinished": unfinished}

    def _close_blocks(self) -> None:
        """Look for closed blocks, if one may have closed and the open text has grown enough.

        A long block is not parsed again at every blank line in it, only when it is a tenth longer,
        so that all parsing together costs no more than parsing the text a few times.
        """
        if self._block_starts.seen and self._open_characters >= self._retry_at:
            self._close(complete=False)

    def _close(self, *, complete: bool) -> None:
        """Move the blocks that can no longer change out of the open text."""
        source = self._open_source()
        if not complete:
            source = source[: source.rfind("\n") + 1]
        lines = split_lines(source)
        environment = self._environment()
        text = plain(source)
        tokens = parse_blocks(text, environment)
        limit = len(lines) if complete else environment.get("open_line", len(lines))
        cuts = [
            line
            for line in block_starts(tokens, environment)
            if 0 < line <= limit and not lines[line - 1].strip(" \t\n")
        ]
        self._block_starts.seen = False
        self._retry_at = 0
        if not complete and not cuts:
            self._retry_at = self._open_characters + self._open_characters // 10
            return
        keep_from = len(lines) if complete else cuts[-1]
        found: dict[str, Any] = environment["references"].maps[0]
        for label, reference in found.items():
            if reference["map"][0] < keep_from:
                self._references[label] = reference
        self._write_blocks(tokens, lines, [0, *cuts, len(lines)] if complete else [0, *cuts])
        self._open = ["".join([*lines[keep_from:], self._open_source()[len(source) :]])]
        self._open_characters = len(self._open[0])
        self._tail = None

    def _write_blocks(self, tokens: list[Any], lines: list[str], cuts: list[int]) -> None:
        """Render the blocks between each cut and the next."""
        first = 0
        for start, end in pairwise(cuts):
            last = first
            while last < len(tokens) and not (
                tokens[last].level == 0 and tokens[last].map and tokens[last].map[0] >= end
            ):
                last += 1
            environment = {"references": self._references}
            body = to_html(tokens[first:last], environment)
            block = _Block("".join(lines[start:end]), body, len(self._references))
            if block.source:
                self._blocks.append(block)
                self._block_characters += len(block.source)
            first = last

    def _seal(self, *, everything: bool = False) -> list[Piece]:
        """Join closed blocks into pieces that are long enough."""
        new: list[Piece] = []
        pending: list[_Block] = []
        length = 0
        for block in self._blocks:
            pending.append(block)
            length += len(block.source)
            if length >= self._needed(self._sealed_characters + length):
                new.append(self._piece(pending, length))
                pending, length = [], 0
        if everything and pending:
            new.append(self._piece(pending, length))
            pending, length = [], 0
        self._blocks = pending
        self._block_characters = length
        if new:
            self._tail = None
        return new

    def _piece(self, blocks: list[_Block], length: int) -> Piece:
        piece = Piece(
            len(self._pieces),
            "".join(block.source for block in blocks),
            "".join(block.body for block in blocks),
        )
        self._pieces.append(piece)
        self._definitions_seen.append(min(block.definitions for block in blocks))
        self._sealed_characters += length
        return piece

    def _needed(self, total: int) -> int:
        """Return the minimum length of a piece that ends at character `total` of the text.

        It is a small share of the text, which keeps the tail short: a fifteenth, with 40 pieces.
        Once most pieces are used up, the share grows to seven times that, so that the pieces last
        for any text.
        """
        index = len(self._pieces)
        if index >= self._most:
            return 1 << 62
        steady = self._most * _STEADY_SHARE
        grown = 1 + _LAST_GROWTH * max(0.0, index - steady) / (self._most - steady)
        return max(self._smallest, int(total / (self._most * _PIECE_SHARE) * grown))

    def _changed(self) -> list[Piece]:
        """Render again the pieces that use a definition that came after them."""
        changed = []
        for piece, definitions in zip(list(self._pieces), self._definitions_seen, strict=True):
            # The first definition of a label wins, so only one added since then can matter.
            if definitions == len(self._references) or "[" not in piece.source:
                continue
            environment = {"references": ChainMap({}, self._references)}
            text = plain(piece.source)
            tokens = parse_blocks(text, environment)
            body = to_html(tokens, environment)
            if body != piece.body:
                changed.append(Piece(piece.index, piece.source, body))
        for piece in changed:
            self._pieces[piece.index] = piece
        return changed


class _BlockStarts:
    """Watch a text for a complete line after a blank one: only such a line can begin a block."""

    def __init__(self) -> None:
        self.seen = False
        self._blank = True
        self._after_blank = False

    def feed(self, text: str) -> None:
        """Read more text."""
        first, *rest = text.split("\n")
        self._blank = self._blank and not first.strip(" \t")
        for line in rest:
            if self._blank:
                self._after_blank = True
            elif self._after_blank:
                self.seen = True
                self._after_blank = False
            self._blank = not line.strip(" \t")
