"""The forms that a conversation can be exported in, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cbai_notebook.conversation.formats import apps, curl, jsonl, markdown, notebook, python_script
from cbai_notebook.conversation.formats.escaping import file_stem
from cbai_notebook.conversation.formats.files import Export
from cbai_notebook.conversation.formats.masking import without_key
from cbai_notebook.errors import UsageError

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation


@dataclass(frozen=True)
class Wishes:
    """What an export is made with beside the conversation."""

    settings: Settings
    examples: tuple[int, ...] = ()
    every_turn: bool = False


@dataclass(frozen=True)
class Form:
    """One row of the table of forms.

    Attributes:
        name: How it is asked for.
        label: What a menu calls it.
        suffix: The end of the file's name; ``""`` for a folder.
        mime: The type of a download.
        help: What it is, in a few words.
        takes: The options of :func:`export` that mean something to it.
    """

    name: str
    label: str
    suffix: str
    mime: str
    help: str
    make: Callable[[Conversation, Wishes], str | Mapping[str, str]] = field(repr=False)
    takes: frozenset[str] = frozenset()


_EXAMPLES = frozenset({"examples"})
_EVERY_TURN = frozenset({"every_turn"})

FORMS: tuple[Form, ...] = (
    Form(
        "markdown",
        "Markdown",
        ".md",
        "text/markdown",
        "a document to read",
        lambda chat, wishes: markdown.markdown(chat),
    ),
    Form(
        "messages",
        "Messages (to import again)",
        ".messages.jsonl",
        "application/jsonl",
        "every message with all that is known of it, one a line; can be imported again",
        lambda chat, wishes: jsonl.records(chat),
    ),
    Form(
        "jsonl",
        "JSON Lines (to fine-tune)",
        ".jsonl",
        "application/jsonl",
        "whole answers in the form that fine-tuning takes",
        lambda chat, wishes: jsonl.fine_tuning(chat),
    ),
    Form(
        "notebook",
        "Notebook",
        ".ipynb",
        "application/x-ipynb+json",
        "a %%cbai cell for each prompt",
        lambda chat, wishes: notebook.notebook(chat),
    ),
    Form(
        "curl",
        "curl script",
        ".sh",
        "text/x-shellscript",
        "the last request, for a shell",
        lambda chat, wishes: curl.script(chat, wishes.settings, every_turn=wishes.every_turn),
        _EVERY_TURN,
    ),
    Form(
        "python",
        "Python script",
        ".py",
        "text/x-python",
        "the last request, in plain Python",
        lambda chat, wishes: python_script.script(
            chat, wishes.settings, every_turn=wishes.every_turn
        ),
        _EVERY_TURN,
    ),
    Form(
        "mini-program",
        "WeChat Mini Program",
        "",
        "application/zip",
        "a folder for WeChat DevTools: a chat with this prompt, model and parameters",
        lambda chat, wishes: apps.mini_program(chat, wishes.settings, wishes.examples),
        _EXAMPLES,
    ),
    Form(
        "web",
        "Web page",
        ".html",
        "text/html",
        "a page that does the same with the CloudBase Web SDK",
        lambda chat, wishes: apps.web_page(chat, wishes.settings, wishes.examples),
        _EXAMPLES,
    ),
)
"""Every form, in the order of a menu. ``name`` is final: users write it."""


def export(
    conversation: Conversation,
    form: str,
    *,
    settings: Settings | None = None,
    examples: Iterable[int] | None = None,
    every_turn: bool = False,
) -> Export:
    """Make files of a conversation, of the turns that are on show.

    The API key is in none of them, not even where a prompt or an answer holds it.

    Args:
        conversation: The conversation.
        form: The name of one of :data:`FORMS`.
        settings: Where requests go; those in force by default.
        examples: For ``mini-program`` and ``web``: numbers of turns, as in the messages' ``turn``,
            that are sent ahead of every prompt as examples. None by default.
        every_turn: For ``curl`` and ``python``: the request of every turn, and not the last alone.

    Raises:
        UsageError: There is no such form, it does not take an option, or it has nothing to hold.
        ConfigurationError: Where requests go cannot be said.
    """
    chosen = _form(form)
    for option, given in (("examples", examples is not None), ("every_turn", every_turn)):
        if given and option not in chosen.takes:
            takers = " and ".join(one.name for one in FORMS if option in one.takes)
            raise UsageError(f"{option} is for {takers}; {chosen.name} does not take it.")
    if settings is None:
        from cbai_notebook.client.settings import settings as in_force

        settings = in_force()
    conversation = without_key(conversation, settings)
    made = chosen.make(conversation, Wishes(settings, tuple(examples or ()), every_turn))
    name = file_stem(conversation.name) + chosen.suffix
    if isinstance(made, str):
        return Export(name, chosen.mime, {name: made})
    return Export(name, chosen.mime, made, folder=True)


def _form(name: str) -> Form:
    found = next((form for form in FORMS if form.name == name), None)
    if found:
        return found
    names = [form.name for form in FORMS]
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(
        f"A conversation cannot be exported as {name!r}.{hint} "
        f"The forms are {', '.join(names[:-1])} and {names[-1]}."
    )
