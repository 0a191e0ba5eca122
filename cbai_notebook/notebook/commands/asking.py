"""Questions of commands before something is done that cannot be taken back."""

from __future__ import annotations

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import Words
from cbai_notebook.notebook.frontend import NO_INPUT
from cbai_notebook.text import is_yes


def confirmed(question: Words, without_asking: Words) -> bool:
    """Ask the user, and return whether the answer is yes.

    Args:
        question: The question.
        without_asking: What to do where nobody can answer.

    Raises:
        UsageError: Nobody can answer here; its text is `without_asking`.
    """
    try:
        return is_yes(input(f"{question} "))
    except NO_INPUT as error:
        raise UsageError(without_asking) from error
