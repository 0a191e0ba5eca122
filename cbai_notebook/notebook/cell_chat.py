"""The conversation of a prompt in a cell; a line below the cell tells of a wait for the history.

A console cannot take a line away again: there the line is printed, as outside a notebook.
"""

from __future__ import annotations

from collections.abc import Callable

from cbai_notebook.conversation import Conversation, chat
from cbai_notebook.conversation.store import waiting
from cbai_notebook.notebook.frontend import names_cell
from cbai_notebook.session import ipython_shell


def chat_in_cell(name: str | None) -> Conversation:
    """Return the conversation of a name, or the current one, as :func:`cbai.chat` does.

    Raises:
        UsageError: The name is blank.
    """
    shell = ipython_shell()
    if shell is None or not names_cell(shell):
        return chat(name)
    with waiting.shown_with(_show_line):
        return chat(name)


def _show_line(line: str) -> Callable[[], None]:
    from IPython.core.display_functions import display

    handle = display(  # type: ignore[no-untyped-call]
        {"text/plain": line}, raw=True, display_id=True
    )
    return lambda: handle.update({"text/plain": ""}, raw=True)
