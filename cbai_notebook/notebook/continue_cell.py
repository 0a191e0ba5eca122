"""``%cbai continue``: go on with an answer that was stopped, broken off or cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.client.providers import AGENT
from cbai_notebook.conversation import prepare
from cbai_notebook.conversation.continuation import turn_to_continue, was_continued_by
from cbai_notebook.conversation.prompt import continuing
from cbai_notebook.conversation.turn import COMPLETE
from cbai_notebook.i18n import say
from cbai_notebook.notebook.ask_cell import ask_prepared
from cbai_notebook.notebook.command_line import conflicts
from cbai_notebook.notebook.command_line.parser import Command, PromptOptions
from cbai_notebook.notebook.commands.conversations import existing
from cbai_notebook.notebook.commands.printing import write
from cbai_notebook.notebook.frontend import cell_id

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def continue_in_cell(shell: InteractiveShell, command: Command) -> None:
    """Continue the last answer of a conversation, and show the whole answer below the running cell.

    Raises:
        UsageError: There is nothing to continue.
        CbaiError: The request failed; the answer so far is kept, and can be continued again.
        KeyboardInterrupt: The user interrupted the cell; the text received so far is kept.
    """
    conversation = existing(command.conversation)
    cell = cell_id(shell)
    turn = turn_to_continue(conversation, cell)
    complete = turn.status == COMPLETE and not turn.can_continue
    if complete and was_continued_by(conversation, turn, cell):
        # Run All goes on when the model has given a whole answer this time.
        write(say("cell.complete_already"))
        return
    max_tokens = command.options.get("max_tokens")
    if turn.provider == AGENT:
        conflicts.check_agent(PromptOptions(max_tokens=max_tokens))
    params = {} if max_tokens is None else {"max_tokens": max_tokens}
    prompt = continuing(turn, params=params, cell_id=cell)
    ask_prepared(shell, prepare(conversation, prompt))
