"""``%cbai`` prompts that end with a question mark.

IPython reads a line that ends with ``?`` as a request for help, before any magic runs: for
``%cbai What's up?`` it would show the help on ``up``. This transformer keeps such a line a magic call.
``%cbai?`` still shows the help on the magic.

IPython transforms a whole cell before it runs the first line of it. So the transformer is too late for
the cell that loads the extension.
"""

from __future__ import annotations

import re
import tokenize
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import EscapedCommand, HelpEnd, TransformerManager

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_INDENTATION = (tokenize.INDENT, tokenize.DEDENT)
_NAME = re.compile(r"%cbai(?P<blank>[^\S\n])")


def register(shell: InteractiveShell) -> None:
    """Let ``%cbai`` prompts end with a question mark; a second call changes nothing."""
    unregister(shell)
    shell.input_transformer_manager.token_transformers.append(CbaiLine)


def unregister(shell: InteractiveShell) -> None:
    """Remove the transformer from a shell."""
    transformers = shell.input_transformer_manager.token_transformers
    transformers[:] = [each for each in transformers if each is not CbaiLine]


def check_loading_cell(shell: InteractiveShell) -> None:
    """Check that the running cell, which loads the extension, has no prompt that IPython has changed.

    Raises:
        UsageError: It has one.
    """
    # Shells of other kernels may have a display hook without it.
    running = getattr(shell.displayhook, "exec_result", None)
    code = running.info.raw_cell if running is not None else ""
    if running is None or "%cbai" not in code:
        return
    right = _transformed(code, CbaiLine)
    # After `%reload_ext` the cell that runs may be right; older versions of IPython do not tell.
    is_right = getattr(running.info, "transformed_cell", None) == right
    if is_right or _transformed(code) == right:
        return
    from cbai_notebook.errors import UsageError
    from cbai_notebook.notebook.frontend import fail

    error = UsageError(
        "Nothing was asked: IPython read this cell before cbai_notebook was loaded, and took a prompt "
        "for something else. Put %load_ext in a cell of its own."
    )
    fail(error, f"UsageError: {error}")


class CbaiLine(EscapedCommand):
    """Transforms each line that begins with ``%cbai`` and a blank, before IPython's help does."""

    # When several transformers match at one place, IPython takes the one with the smallest number.
    priority = HelpEnd.priority - 1

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> CbaiLine | None:
        """Return the first such line of a cell; text inside a string token is not a line.

        Args:
            tokens_by_line: The tokens of the cell, a list for each logical line.
        """
        for line in tokens_by_line:
            first = next((token for token in line[:5] if token.type not in _INDENTATION), None)
            if first and _NAME.match(first.line, first.start[1]):
                return cls(first.start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return the lines of the cell with a call of the magic in place of this line.

        Args:
            lines: The lines of the cell with their ends.
        """
        line = lines[self.start_line]
        name = _NAME.match(line, self.start_col)
        assert name
        # For IPython only a space ends the name of a magic, not a tab or the wide space of Chinese.
        line = f"{line[: name.start('blank')]} {line[name.end('blank') :]}"
        before, after = lines[: self.start_line], lines[self.start_line + 1 :]
        transformed: list[str] = super().transform([*before, line, *after])  # type: ignore[no-untyped-call]
        return transformed


def _transformed(code: str, *more: type[CbaiLine]) -> str:
    """Return what IPython runs for a cell, with its own transformers and more."""
    manager = TransformerManager()  # type: ignore[no-untyped-call]
    manager.token_transformers += more
    return manager.transform_cell(code)
