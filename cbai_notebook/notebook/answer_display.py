"""Show an answer where a cell ends with it: as rendered Markdown, like `%%cbai` does."""

from __future__ import annotations

import weakref
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cbai_notebook.notebook.frontend import is_kernel, run_id
from cbai_notebook.session import ipython_shell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client.answer import Answer

# The answer that `cbai.show` has shown last, and the run of a cell in which it did.
_shown: tuple[weakref.ref[Answer], str] | None = None


def note_shown(shell: InteractiveShell, answer: Answer) -> None:
    """Remember that the running cell has shown an answer, so that its end does not show it again."""
    global _shown
    _shown = (weakref.ref(answer), run_id(shell))


def answer_html(answer: Answer) -> str:
    """Return an answer with its footer as safe HTML, as it is shown when it streams into a cell."""
    from cbai_notebook.conversation.delta import deltas_of
    from cbai_notebook.conversation.turn import Turn, join_steps
    from cbai_notebook.notebook.render_loop import feed
    from cbai_notebook.notebook.screen import BundleSurface, Facts, Screen

    called = [step for step in answer.steps if step.results]
    steps = tuple(message for step in called for message in step.messages)
    ended_with_calls = bool(called) and called[-1] is answer.steps[-1]
    text = "" if ended_with_calls else "\n\n".join(filter(None, (answer.text, answer.refusal)))
    turn = Turn(prompt="", created_at=datetime.now(timezone.utc), steps=steps)
    turn.add(join_steps(steps, text), answer.reasoning)
    surface = BundleSurface()
    format = "markdown" if answer.parsed is None else "json"
    screen = Screen(surface, format=format, clock=lambda: 0.0)
    for delta in deltas_of(turn):
        feed(screen, delta)
    screen.finish("complete", footer=Facts.of(answer))
    return surface.bundle["text/html"]


def skip_when_shown(answer: Answer) -> None:
    """Show nothing at the end of a cell that has shown the answer already.

    Raises:
        NotImplementedError: The answer is to be shown: IPython then asks the other formatters.
    """
    shell = ipython_shell()
    if _shown is None or shell is None or not is_kernel(shell):
        raise NotImplementedError
    at_end_of_cell = getattr(shell.displayhook, "msg", None) is not None  # not by `display(answer)`
    if not (at_end_of_cell and _shown[0]() is answer and _shown[1] == run_id(shell)):
        raise NotImplementedError
