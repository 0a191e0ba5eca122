"""The table of export formats, and the function that exports a conversation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.formats import apps, curl, jsonl, markdown, notebook, python_script
from cbai_notebook.conversation.formats.escaping import file_stem
from cbai_notebook.conversation.formats.export_files import Export
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.i18n import Words, listed, say, spelled
from cbai_notebook.text import masked, near_match

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings


@dataclass(frozen=True)
class ExportOptions:
    """The options of an export that every format gets."""

    settings: Settings
    examples: tuple[int, ...] = ()
    every_turn: bool = False
    template: tuple[str, str] | None = None


@dataclass(frozen=True)
class Form:
    """One export format.

    Attributes:
        name: The name that users write.
        suffix: The suffix of the file's name; ``""`` for a folder.
        mime: The MIME type of a download.
        make: Returns the text of the file, or the text of each file of a folder by its path.
        takes: The options of :func:`export` that the format accepts.
    """

    name: str
    suffix: str
    mime: str
    make: Callable[[Conversation, ExportOptions], str | Mapping[str, str]] = field(repr=False)
    takes: frozenset[str] = frozenset()

    @property
    def label(self) -> Words:
        """The name in a menu."""
        return say(f"export.label_{self.name}")

    @property
    def help(self) -> Words:
        """A short description."""
        return say(f"export.help_{self.name}")


_EXAMPLES = frozenset({"examples"})
_EVERY_TURN = frozenset({"every_turn"})

FORMS: tuple[Form, ...] = (
    Form(
        "markdown",
        ".md",
        "text/markdown",
        lambda chat, options: markdown.markdown(chat),
    ),
    Form(
        "messages",
        ".messages.jsonl",
        "application/jsonl",
        lambda chat, options: jsonl.records(chat),
    ),
    Form(
        "jsonl",
        ".jsonl",
        "application/jsonl",
        lambda chat, options: jsonl.fine_tuning(chat),
    ),
    Form(
        "notebook",
        ".ipynb",
        "application/x-ipynb+json",
        lambda chat, options: notebook.notebook(chat),
    ),
    Form(
        "curl",
        ".sh",
        "text/x-shellscript",
        lambda chat, options: curl.script(chat, options.settings, every_turn=options.every_turn),
        _EVERY_TURN,
    ),
    Form(
        "python",
        ".py",
        "text/x-python",
        lambda chat, options: python_script.script(
            chat, options.settings, every_turn=options.every_turn
        ),
        _EVERY_TURN,
    ),
    Form(
        "mini-program",
        "",
        "application/zip",
        lambda chat, options: apps.mini_program(
            chat, options.settings, options.examples, options.template
        ),
        _EXAMPLES,
    ),
    Form(
        "web",
        ".html",
        "text/html",
        lambda chat, options: apps.web_page(
            chat, options.settings, options.examples, options.template
        ),
        _EXAMPLES,
    ),
)
"""Every format, in the order of a menu. A ``name`` must never change, because users write it."""


def export(
    conversation: Conversation,
    form: str,
    *,
    settings: Settings | None = None,
    examples: Iterable[int] | None = None,
    every_turn: bool = False,
    template: tuple[str, str] | None = None,
) -> Export:
    """Export the turns on the active path of a conversation.

    API keys and the values of servers' own headers are masked everywhere, also in prompts and
    answers.

    Args:
        conversation: The conversation.
        form: The name of one of :data:`FORMS`.
        settings: Settings with the address of the server and the API key; the current ones by
            default.
        examples: For ``mini-program`` and ``web``: numbers of turns, as in the messages' ``turn``.
            Their messages are sent before every prompt as examples. No examples by default.
        every_turn: For ``curl`` and ``python``: export the request of every turn, not only the
            last.
        template: For ``mini-program`` and ``web``: what stands before and behind each text that the
            app's user writes. Each text is then asked alone, without a past.

    Returns:
        The file or the folder, not written yet.

    Raises:
        UsageError: The format is unknown, does not accept an option, or has nothing to export.
        ConfigurationError: The server address cannot be used, or no model is named.
    """
    chosen = _form(form)
    given = (
        ("examples", "--examples", examples is not None),
        ("every_turn", "--every-turn", every_turn),
    )
    for name, option, is_given in given:
        if is_given and name not in chosen.takes:
            takers = listed(each.name for each in FORMS if name in each.takes)
            raise UsageError(
                say(
                    "export.option_not_taken",
                    option=spelled(option),
                    forms=takers,
                    form=chosen.name,
                )
            )
    if settings is None:
        from cbai_notebook.client.settings import settings as in_force

        settings = in_force()
    conversation = _without_key(conversation, settings)
    content = chosen.make(
        conversation, ExportOptions(settings, tuple(examples or ()), every_turn, template)
    )
    name = file_stem(conversation.name) + chosen.suffix
    if isinstance(content, str):
        return Export(name, chosen.mime, {name: content})
    return Export(name, chosen.mime, content, folder=True)


def export_all(
    conversations: Iterable[Conversation], form: str, **options: Any
) -> tuple[Export, dict[str, ConfigurationError]]:
    """Export conversations into one folder; those without turns are left out.

    Args:
        conversations: The conversations.
        form: The name of one of :data:`FORMS`.
        options: As for :func:`export`.

    Returns:
        The folder, not written yet, and by their names the conversations that cannot be exported in
        this form, each with the reason.

    Raises:
        ConfigurationError: The format is unknown, or nothing can be exported.
    """
    _form(form)
    files: dict[str, str | bytes] = {}
    taken: set[str] = set()
    failed: dict[str, ConfigurationError] = {}
    for conversation in conversations:
        if not conversation.turns:
            continue
        try:
            made = export(conversation, form, **options)
        except ConfigurationError as error:
            failed[conversation.name] = error
            continue
        name = _free_name(made.name, taken)
        for path, content in made.files.items():
            files[f"{name}/{path}" if made.folder else name] = content
    if not files:
        raise next(iter(failed.values()), UsageError(say("export.no_conversation")))
    return Export("conversations", "application/zip", files, folder=True), failed


def _free_name(name: str, taken: set[str]) -> str:
    """Return the name of a file, with a number if it is taken; case does not tell names apart."""
    stem, dot, suffixes = name.partition(".")
    names = itertools.chain([name], (f"{stem}-{n}{dot}{suffixes}" for n in itertools.count(2)))
    free = next(each for each in names if each.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _form(name: str) -> Form:
    found = next((form for form in FORMS if form.name == name), None)
    if found:
        return found
    names = [form.name for form in FORMS]
    # Less likeness than elsewhere: webpage must suggest web, and python-script python.
    near = near_match(name, names, likeness=0.6)
    known = listed(names)
    raise UsageError(
        say("export.unknown_form_like", form=name, near=near, known=known)
        if near
        else say("export.unknown_form", form=name, known=known)
    )


def _without_key(conversation: Conversation, settings: Settings) -> Conversation:
    """Return the conversation, or a copy with the known keys masked if it contains any.

    Mask before a format escapes or wraps text: afterwards a key can be written in many ways.
    """
    from cbai_notebook.client.secret import real_secrets

    keys = real_secrets(settings.secrets.values())

    def mask(text: str) -> str:
        return masked(text, *keys)

    if not keys:
        return conversation

    turns = conversation.turns
    name, copies = mask(conversation.name), [_masked_turn(turn, mask) for turn in turns]
    if name == conversation.name and all(map(_same, turns, copies)):
        return conversation
    copy = Conversation(name)
    copy.extend(copies)
    return copy


def _masked_turn(turn: Turn, mask: Callable[[str], str]) -> Turn:
    values = {field.name: _map_strings(getattr(turn, field.name), mask) for field in fields(turn)}
    # Join the pieces of the stream first: the key may be split over two of them.
    text = turn.line or turn.text
    return Turn(
        **{**values, "_text": [_map_strings(text, mask)], "_reasoning": [mask(turn.reasoning)]}
    )


def _same(turn: Turn, copy: Turn) -> bool:
    # Records have no `asked_model`, but a format may write it.
    same_model = turn.asked_model == copy.asked_model
    return same_model and turn.records("", 0) == copy.records("", 0)


def _map_strings(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        masked_value = mask(value)
        return value if masked_value == value else masked_value  # a text of ours stays one
    if isinstance(value, Mapping):
        return {_map_strings(name, mask): _map_strings(item, mask) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_map_strings(item, mask) for item in value])
    return value
