"""``%cbai`` prompts that end with a question mark.

IPython reads a line that ends with ``?`` as a request for help, before any magic runs: for
``%cbai What's up?`` it would show the help on ``up``. This transformer keeps such a line a magic call.
``%cbai?`` still shows the help on the magic.
"""

from __future__ import annotations

import tokenize
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import EscapedCommand, HelpEnd

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_INDENTATION = (tokenize.INDENT, tokenize.DEDENT)


def register(shell: InteractiveShell) -> None:
    """Let ``%cbai`` prompts end with a question mark; a second call changes nothing."""
    unregister(shell)
    shell.input_transformer_manager.token_transformers.append(CbaiLine)


def unregister(shell: InteractiveShell) -> None:
    """Remove the transformer from a shell."""
    transformers = shell.input_transformer_manager.token_transformers
    transformers[:] = [each for each in transformers if each is not CbaiLine]


class CbaiLine(EscapedCommand):
    """Transforms each line that begins with ``%cbai`` and a space, before IPython's help does."""

    # When several transformers match at one place, IPython takes the one with the smallest number.
    priority = HelpEnd.priority - 1

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> CbaiLine | None:
        """Return the first such line of a cell; text inside a string token is not a line.

        Args:
            tokens_by_line: The tokens of the cell, a list for each logical line.
        """
        for line in tokens_by_line:
            tokens = [token for token in line[:5] if token.type not in _INDENTATION]
            words = [token.string for token in tokens[:2]]
            if words == ["%", "cbai"] and tokens[2:] and tokens[2].start != tokens[1].end:
                return cls(tokens[0].start)
        return None
