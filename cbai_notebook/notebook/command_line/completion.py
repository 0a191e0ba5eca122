"""What fits at the cursor in ``%cbai`` and ``%%cbai``: options and their values, commands, names in braces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.commands import (
    COMMANDS,
    FORM_OF,
    NAME,
    PROVIDER,
    CommandForm,
)
from cbai_notebook.notebook.command_line.lexer import read_word, skip_space
from cbai_notebook.notebook.command_line.options import FORMATS, OPTION_OF, OPTIONS, Option


@dataclass(frozen=True)
class CompletionSources:
    """What can be offered for the values of options; each is asked only when it is needed.

    Attributes:
        models: Names of models, and ``PROVIDER/MODEL``.
        providers: Names of providers.
        conversations: Names of conversations.
        variables: The user's variables.
        outputs: Those of them that hold an ``ipywidgets.Output``.
    """

    models: Callable[[], Iterable[str]] = tuple
    providers: Callable[[], Iterable[str]] = tuple
    conversations: Callable[[], Iterable[str]] = tuple
    variables: Callable[[], Iterable[str]] = tuple
    outputs: Callable[[], Iterable[str]] = tuple


@dataclass(frozen=True)
class Completions:
    """What fits at the cursor.

    Attributes:
        fragment: The end of the text before the cursor that a choice takes the place of.
        choices: What fits, in the order to show it.
    """

    fragment: str
    choices: tuple[str, ...]


NOTHING = Completions("", ())

_MAGIC = re.compile(r"\s*(?:[\w,. ]+=\s*)?(?P<magic>%%?cbai)(?=\s)")
_OPEN_BRACE = re.compile(r"\{(?P<name>(?:[^\W\d]\w*)?)$")


def complete(line: str, sources: CompletionSources | None = None) -> Completions:
    """Return what fits at the end of a line that begins with ``%cbai`` or ``%%cbai``.

    Args:
        line: The line up to the cursor, the magic's name included.
        sources: Where the names come from that only the running session knows.
    """
    sources = sources or CompletionSources()
    magic = _MAGIC.match(line)
    if not magic:
        return NOTHING
    one_line = magic["magic"] == "%cbai"
    cursor = _read(line, magic.end())
    if isinstance(cursor.at, Option):
        return _matching(cursor.fragment, _values(cursor.at, sources))
    if cursor.at == _OPTION:
        return _matching(cursor.fragment, _flags(cursor.fragment, cursor.used))
    commands = tuple(form.name for form in COMMANDS) if one_line and not cursor.used else ()
    if cursor.at == _PROMPT or " " in cursor.fragment:
        after_command = _after_command(cursor.fragment, sources) if commands else None
        return after_command or (complete_prompt(line, sources) if one_line else NOTHING)
    if not cursor.fragment:
        return _matching("", (*commands, *_flags("", cursor.used)))
    return _matching(cursor.fragment, commands)


def complete_prompt(line: str, sources: CompletionSources | None = None) -> Completions:
    """Return the variables that fit behind an open brace at the end of a line of a prompt.

    Args:
        line: The line up to the cursor.
        sources: Where the names come from.
    """
    brace = _OPEN_BRACE.search(line)
    if not brace:
        return NOTHING
    return _matching(brace["name"], (sources or CompletionSources()).variables())


# Where the cursor is -------------------------------------------------------------------------------

_OPTION, _WORD, _PROMPT = "option", "word", "prompt"


@dataclass(frozen=True)
class _Cursor:
    """Where the cursor is: in a value of an option, in an option, in a first word, or in the prompt.

    Attributes:
        at: The option whose value it is, or one of the three others.
        fragment: What stands there up to the cursor.
        used: The fields that the options ahead of it set.
    """

    at: Option | str
    fragment: str
    used: frozenset[str] = frozenset()


def _read(line: str, position: int) -> _Cursor:
    used: set[str] = set()
    while True:
        position = skip_space(line, position)
        if not line.startswith("-", position):
            return _Cursor(_WORD, line[position:], frozenset(used))
        end = position + len(line[position:].split(None, 1)[0])
        flag, equals, _ = line[position:end].partition("=")
        if flag == "--" and end < len(line):
            return _Cursor(_PROMPT, line[skip_space(line, end) :], frozenset(used))
        attached = position + len(flag) + 1 if equals else None
        if flag not in OPTION_OF and flag[:2] in OPTION_OF and OPTION_OF[flag[:2]].metavar:
            flag, attached = flag[:2], position + 2
        option = OPTION_OF.get(flag)
        if attached is None and end == len(line):
            return _Cursor(_OPTION, line[position:], frozenset(used))
        if option is None:
            return _Cursor(_PROMPT, "")
        used.add(option.field)
        if option.metavar:
            position = skip_space(line, end) if attached is None else attached
            end = _value_end(line, position)
            if end == len(line):
                return _Cursor(option, line[position:], frozenset(used))
        position = end


def _value_end(line: str, position: int) -> int:
    try:
        return read_word(line, position).end
    except UsageError:  # a quote that is still open reaches up to the cursor
        return len(line)


# What fits -----------------------------------------------------------------------------------------


def _flags(fragment: str, used: frozenset[str]) -> Iterator[str]:
    """Yield the options that are not there yet; the short forms only behind a single dash."""
    for option in OPTIONS:
        if option.field == "params" or option.repeated or option.field not in used:
            yield from option.flags if fragment == "-" else option.flags[-1:]


def _values(option: Option, sources: CompletionSources) -> Iterable[str]:
    match option.suggests:
        case "model":
            return sources.models()
        case "conversation":
            return map(_quoted, sources.conversations())
        case "format":
            return FORMATS
        case "variable" | "tool" | "type":
            return sources.variables()
        case "output":
            return sources.outputs()
        case "form":
            from cbai_notebook.conversation.formats import FORMS

            return (form.name for form in FORMS)
        case _:
            return ()


def _after_command(text: str, sources: CompletionSources) -> Completions | None:
    """Return what fits behind the name of a command, or ``None`` when `text` is a prompt."""
    name, _, rest = text.partition(" ")
    form = FORM_OF.get(name)
    if form is None or not (form.words or form.options):
        return None
    *before, fragment = _pieces(rest)
    option = form.option_of.get(before[-1]) if before else None
    if option is not None and option.metavar:
        return _matching(fragment, _values(option, sources))
    if fragment.startswith("-") or (not fragment and not form.words):
        return _matching(fragment, _command_flags(form, fragment, before))
    if before and form.option_of.keys().isdisjoint(before):
        return None
    return _matching(fragment, _words(form, sources))


def _pieces(text: str) -> list[str]:
    """Return the words of a text; the last is the one at its end, a quote still open or nothing."""
    pieces: list[str] = []
    position = skip_space(text, 0)
    while position < len(text):
        end = _value_end(text, position)
        pieces.append(text[position:end])
        if end == len(text):
            return pieces
        position = skip_space(text, end)
    return [*pieces, ""]


def _command_flags(form: CommandForm, fragment: str, used: list[str]) -> Iterator[str]:
    for option in form.options:
        if not set(option.flags) & set(used):
            yield from option.flags[-1:] if fragment.startswith("--") else option.flags[:1]


def _words(form: CommandForm, sources: CompletionSources) -> Iterable[str]:
    if NAME in form.words:
        return map(_quoted, sources.conversations())
    return sources.providers() if PROVIDER in form.words else ()


def _matching(fragment: str, choices: Iterable[str]) -> Completions:
    """Keep the choices that begin with the fragment; letter case counts only if that leaves some."""
    each = tuple(dict.fromkeys(choices))
    bare = fragment.lstrip("\"'")
    exact = tuple(choice for choice in each if choice.lstrip("\"'").startswith(bare))
    if exact:
        return Completions(fragment, exact)
    folded = bare.lower()
    return Completions(
        fragment, tuple(choice for choice in each if choice.lower().startswith(folded))
    )


def _quoted(name: str) -> str:
    if not re.search(r"\s", name):
        return name
    return f"'{name}'" if '"' in name else f'"{name}"'
