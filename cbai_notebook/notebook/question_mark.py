"""``%cbai`` prompts that end with a question mark.

IPython reads a line that ends with ``?`` as a request for help, before any magic runs: for
``%cbai What's up?`` it would show the help on ``up``. This transformer keeps such a line a magic call,
also behind a name, as in ``x = %cbai Why?``. ``%cbai?`` still shows the help on the magic.

IPython transforms a whole cell before it runs the first line of it. So the transformer is too late
for the cell that loads the extension.
"""

from __future__ import annotations

import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TokenTransformBase
    from IPython.core.interactiveshell import InteractiveShell

_NAME = "%cbai"


def register(shell: InteractiveShell) -> None:
    """Let ``%cbai`` prompts end with a question mark; a second call changes nothing."""
    unregister(shell)
    shell.input_transformer_manager.token_transformers.append(PromptLine)


def unregister(shell: InteractiveShell) -> None:
    """Remove the transformer from a shell."""
    transformers = shell.input_transformer_manager.token_transformers
    transformers[:] = [each for each in transformers if each is not PromptLine]


def check_loading_cell(shell: InteractiveShell) -> None:
    """Check that the running cell, which loads the extension, has no prompt that IPython has changed.

    Raises:
        UsageError: It has one.
    """
    # Shells of other kernels may have a display hook without it.
    running = getattr(shell.displayhook, "exec_result", None)
    if running is not None and _NAME in running.info.raw_cell:
        from cbai_notebook.notebook.prompt_lines import check_unchanged

        ran = getattr(running.info, "transformed_cell", None)
        check_unchanged(running.info.raw_cell, ran)


class PromptLine:
    """Finds the lines to transform; what transforms them is imported with the first one."""

    @staticmethod
    def find(tokens_by_line: list[list[tokenize.TokenInfo]]) -> TokenTransformBase | None:
        """Return the transformation of the first such line of a cell.

        Args:
            tokens_by_line: The tokens of the cell, a list for each logical line.
        """
        for line in tokens_by_line:
            for token in line:
                if token.string == "%" and token.line.startswith(_NAME, token.start[1]):
                    from cbai_notebook.notebook.prompt_lines import first_line

                    return first_line(tokens_by_line)
        return None
