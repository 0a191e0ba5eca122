"""The formatters of a shell for an answer: an answer knows no notebook, so the shell is told about it.

A notebook shows an answer as rendered Markdown, a console its repr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client.answer import Answer

_TYPE = ("cbai_notebook.client.answer", "Answer")


def register(shell: InteractiveShell) -> None:
    """Let the shell show answers as rendered Markdown; a second call changes nothing."""
    display = shell.display_formatter
    assert display is not None

    # IPython calls this one first. It makes the other formatters when it first shows something.
    def show(answer: Answer) -> None:
        from cbai_notebook.notebook.answer_display import answer_html, skip_when_shown

        html = display.formatters["text/html"]
        if ".".join(_TYPE) not in html:
            html.for_type_by_name(*_TYPE, answer_html)
        skip_when_shown(answer)

    # By name, so that the client is not imported before it is used.
    display.ipython_display_formatter.for_type_by_name(*_TYPE, show)


def unregister(shell: InteractiveShell) -> None:
    """Let the shell show answers by their repr again."""
    display = shell.display_formatter
    assert display is not None
    display.ipython_display_formatter.pop(".".join(_TYPE), None)
    display.formatters["text/html"].pop(".".join(_TYPE), None)
