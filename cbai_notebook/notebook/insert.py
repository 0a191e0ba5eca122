"""``--insert``: put the code blocks of an answer into a new cell, without running it.

Python is inserted unchanged. Blocks that are all in one other language, such as a shell or HTML,
are inserted below IPython's cell magic for that language. In a cell with Python, blocks in another
language become comments, as do blocks in a language without a magic: one cell runs one language. The user decides whether to run
the cell, as with code copied by hand; characters that hide what the code does are removed.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbai_notebook.i18n import say
from cbai_notebook.text import plain

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_PYTHON = frozenset({"python", "py", "python3", "py3", "ipython", "ipython3"})
_CONSOLE = frozenset({"pycon", "python-console", "pyconsole", "python-repl"})
_MAGICS = {
    "bash": "bash",
    "shell": "bash",
    "zsh": "bash",
    "sh": "sh",
    "html": "html",
    "javascript": "javascript",
    "js": "javascript",
    "latex": "latex",
    "tex": "latex",
    "markdown": "markdown",
    "md": "markdown",
    "perl": "perl",
    "ruby": "ruby",
    "svg": "svg",
}
"""Languages for which IPython itself has a cell magic, and the magic's name."""


@dataclass(frozen=True)
class CodeBlock:
    """A fenced code block: its language in lower case (``""`` if it names none) and its source."""

    language: str
    source: str


def code_blocks(markdown: str) -> list[CodeBlock]:
    """Return the fenced code blocks of a text, in order, without characters that can hide code.

    Args:
        markdown: CommonMark; an unclosed fence ends at the end of the text.
    """
    from markdown_it import MarkdownIt

    return [
        CodeBlock(_language(token.info), token.content.rstrip("\n"))
        for token in MarkdownIt("commonmark").parse(plain(markdown))
        if token.type == "fence" and token.content.strip()
    ]


def new_cell_text(blocks: Sequence[CodeBlock]) -> str:
    """Return the text of one cell with all blocks, or ``""`` when there are no blocks.

    Args:
        blocks: From :func:`code_blocks`.
    """
    if len(blocks) == 1 and blocks[0].source.startswith("%%"):
        return blocks[0].source
    magics = {_magic(block) for block in blocks}
    magic = magics.pop() if len(magics) == 1 else None
    if magic:
        sources = "\n\n".join(block.source for block in blocks)
        return f"%%{magic}\n{sources}"
    labelled = any(block.language in _PYTHON | _CONSOLE for block in blocks)
    return "\n\n".join(_as_python(block, labelled) for block in blocks)


def insert_answer(shell: InteractiveShell, markdown: str) -> str:
    """Put the code blocks of an answer into a new cell below the running one.

    The request for a new cell is part of the cell's execute reply, so a notebook shows one new cell
    for each run: the last one requested. A terminal shows the text as its next input. A frontend
    without support for such requests ignores them.

    Args:
        shell: The shell that runs the cell.
        markdown: The answer.

    Returns:
        A sentence for the user when there is no code to insert, else ``""``.
    """
    text = new_cell_text(code_blocks(markdown))
    if not text:
        return say("cell.no_code")
    shell.set_next_input(text, replace=False)
    return ""


def _language(info: str) -> str:
    """Return the language of a fence: the first word of its info string."""
    words = info.strip().strip("{}").replace(",", " ").split()
    return words[0].lstrip(".").lower() if words else ""


def _magic(block: CodeBlock) -> str | None:
    return None if block.source.startswith("%%") else _MAGICS.get(block.language)


def _as_python(block: CodeBlock, labelled: bool) -> str:
    """Return a block as part of a Python cell.

    Args:
        block: The block.
        labelled: Whether some block names Python as its language; then a block without a language
            is most likely the output of that code.
    """
    if block.source.startswith("%%"):
        return _comment(block)
    if block.language in _CONSOLE or (block.language in _PYTHON and block.source.startswith(">>>")):
        return _console_input(block.source)
    if block.language in _PYTHON or (not block.language and not labelled and _parses(block.source)):
        return block.source
    return _comment(block)


def _console_input(source: str) -> str:
    """Return the input of a console session, without its prompts and output."""
    lines = source.split("\n")
    return "\n".join(line[4:] for line in lines if re.match(r"(?:>>>|\.\.\.)(?: |$)", line))


def _comment(block: CodeBlock) -> str:
    # IPython ends a line wherever `splitlines` does, so each such line needs a "#".
    lines = block.source.splitlines()
    heading = [f"# {block.language}:"] if block.language else []
    return "\n".join([*heading, *(f"# {line}".rstrip() for line in lines)])


def _parses(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
