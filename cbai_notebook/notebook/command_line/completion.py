"""Completions at the cursor in ``%cbai`` and ``%%cbai``: options, values, commands, names in braces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

from cbai_notebook.notebook.command_line.commands import (
    ACTION,
    ACTIONS,
    ANSWER,
    BATCH,
    COMMAND,
    COMMANDS,
    DELETE,
    EVALUATION,
    NAME,
    PROVIDER,
    SERVER,
    TOOL_SERVER,
)
from cbai_notebook.notebook.command_line.options import FORMATS, Option
from cbai_notebook.notebook.command_line.reader import Reading, read_cell, read_line


@dataclass(frozen=True)
class CompletionSources:
    """The names that only the running session knows; each function is called only when needed.

    Attributes:
        models: Names of models, and ``PROVIDER/MODEL``.
        providers: Names of providers.
        servers: Names of the user's servers.
        conversations: Names of conversations.
        batches: Numbers of batches.
        evaluations: Names of stored evaluations.
        tool_servers: Names of servers of tools, open or configured.
        answers: Numbers and models of the answers of the last comparison.
        variables: Names of the user's variables.
        of_session: What else can be filled in: cells, results and the last error.
        outputs: Names of the variables that hold an ``ipywidgets.Output``.
        functions: Names of the functions that can be tools.
        types: Names of the types that an answer can have.
        pictures: Names of the variables that hold a picture.
        picture_files: Called with the beginning of a path; paths of folders, with a slash at the end,
            and of picture files.
        rows: Names of the variables that hold rows.
        table_files: As `picture_files`, for files with tables.
        columns: Called with what ``--each`` names; the columns of these rows.
    """

    models: Callable[[], Iterable[str]] = tuple
    providers: Callable[[], Iterable[str]] = tuple
    conversations: Callable[[], Iterable[str]] = tuple
    batches: Callable[[], Iterable[str]] = tuple
    evaluations: Callable[[], Iterable[str]] = tuple
    tool_servers: Callable[[], Iterable[str]] = tuple
    answers: Callable[[], Iterable[str]] = tuple
    variables: Callable[[], Iterable[str]] = tuple
    outputs: Callable[[], Iterable[str]] = tuple
    servers: Callable[[], Iterable[str]] = tuple
    of_session: Callable[[], Iterable[str]] = tuple
    functions: Callable[[], Iterable[str]] = tuple
    types: Callable[[], Iterable[str]] = tuple
    pictures: Callable[[], Iterable[str]] = tuple
    picture_files: Callable[[str], Iterable[str]] = lambda beginning: ()
    rows: Callable[[], Iterable[str]] = tuple
    table_files: Callable[[str], Iterable[str]] = lambda beginning: ()
    columns: Callable[[str], Iterable[str]] = lambda rows: ()


@dataclass(frozen=True)
class Completions:
    """The completions at the cursor.

    Attributes:
        fragment: The text before the cursor that a choice replaces.
        choices: The completions, in the order of display.
        alone: Whether nothing else fits here, even if there are no choices.
    """

    fragment: str
    choices: tuple[str, ...]
    alone: bool = False


NOTHING = Completions("", ())

_MAGIC = re.compile(r"%%?cbai(?=\s)")
_BEFORE_MAGIC = re.compile(r"(?:[\w,. ]+=\s*)?")
_OPEN_BRACE = re.compile(r"\{(?P<name>(?:[^\W\d]\w*(?:\[[0-9]*)?)?)$")


def complete(line: str, sources: CompletionSources | None = None) -> Completions:
    """Return the completions at the end of a line that begins with ``%cbai`` or ``%%cbai``.

    Args:
        line: The line up to the cursor, with the name of the magic.
        sources: The names that only the running session knows.
    """
    magic = magic_of(line)
    if magic is None:
        return NOTHING
    read = read_line if magic[0] == "%cbai" else read_cell
    reading = read(line, magic.end())
    fragment = line[reading.expected.start :]
    found = _matching(fragment, _choices(reading, fragment, sources or CompletionSources()))
    if reading.expected.prompt and not found.choices:
        return complete_prompt(line, sources, _each(reading))
    return replace(found, alone=reading.expected.value_of is not None)


def magic_of(line: str) -> re.Match[str] | None:
    """Return the ``%cbai`` or ``%%cbai`` of a line, also behind ``x =``; None if it has none."""
    magic = _MAGIC.search(line)
    if not magic or not _BEFORE_MAGIC.fullmatch(line[: magic.start()].lstrip()):
        return None
    return magic


def complete_prompt(
    line: str, sources: CompletionSources | None = None, each: str = ""
) -> Completions:
    """Return what completes an open brace at the end of a line of a prompt.

    Args:
        line: The line up to the cursor.
        sources: The names that only the running session knows.
        each: What ``--each`` names: the columns of these rows come first.
    """
    brace = _OPEN_BRACE.search(line)
    if not brace:
        return NOTHING
    sources = sources or CompletionSources()
    columns = map(_in_braces, sources.columns(each) if each else ())
    return _matching(brace["name"], [*columns, *sources.variables(), *sources.of_session()])


def each_of(line: str) -> str:
    """Return what ``--each`` names in a line that begins with ``%cbai`` or ``%%cbai``, or ``""``."""
    magic = magic_of(line)
    if magic is None:
        return ""
    reading = (read_line if magic[0] == "%cbai" else read_cell)(line, magic.end())
    return _each(reading)


def _each(reading: Reading) -> str:
    return next((given.text for given in reading.given if given.option.field == "each"), "")


def _in_braces(column: str) -> str:
    """Return how a column is written in the braces of a prompt."""
    if column.isidentifier():
        return column
    return f"row['{column}']" if '"' in column else f'row["{column}"]'


def _choices(reading: Reading, fragment: str, sources: CompletionSources) -> Iterator[str]:
    expected = reading.expected
    if expected.value_of:
        yield from _values(expected.value_of, fragment, sources, _each(reading))
    if expected.word:
        yield from _words(expected.word, sources)
    for option in expected.options:
        yield from _flags(option, fragment, reading.command is not None)


def _flags(option: Option, fragment: str, of_command: bool) -> tuple[str, ...]:
    """Return the flags of an option that are offered.

    For a command: the short one, or the long one after two dashes. For a prompt: the long one, or both
    after a single dash.
    """
    if of_command:
        return option.flags[-1:] if fragment.startswith("--") else option.flags[:1]
    return option.flags if fragment == "-" else option.flags[-1:]


def _words(kind: str, sources: CompletionSources) -> Iterable[str]:
    if kind == COMMAND:
        return (syntax.name for syntax in COMMANDS)
    if kind == NAME:
        return map(_quoted, sources.conversations())
    if kind == SERVER:
        return sources.servers()
    if kind == EVALUATION:
        return map(_quoted, sources.evaluations())
    if kind == DELETE:
        return (DELETE,)
    if kind == ACTION:
        return ACTIONS
    if kind == TOOL_SERVER:
        return map(_quoted, sources.tool_servers())
    if kind == ANSWER:
        return map(_quoted, sources.answers())
    if kind == BATCH:
        return [*sources.batches(), "all"]
    return sources.providers() if kind == PROVIDER else ()


def _values(option: Option, fragment: str, sources: CompletionSources, each: str) -> Iterable[str]:
    match option.suggests:
        case "model":
            return sources.models()
        case "models":
            before, comma, _ = fragment.rpartition(",")
            chosen = {part.strip("\"' ") for part in before.split(",")}
            return (f"{before}{comma}{name}" for name in sources.models() if name not in chosen)
        case "conversation":
            return map(_quoted, sources.conversations())
        case "format":
            return FORMATS
        case "variable":
            return sources.variables()
        case "tool":
            return sources.functions()
        case "type":
            return sources.types()
        case "rows":
            files = sources.table_files(fragment.lstrip("\"'"))
            return [*sources.rows(), *map(_quoted_path, files)]
        case "missing":
            from cbai_notebook.batching.row_prompt import Missing

            return get_args(Missing)
        case "image" if each:
            return map(_quoted, sources.columns(each))
        case "image":
            files = sources.picture_files(fragment.lstrip("\"'"))
            return [*sources.pictures(), *map(_quoted_path, files)]
        case "output":
            return sources.outputs()
        case "form":
            from cbai_notebook.conversation.formats import FORMS

            return (form.name for form in FORMS)
        case _:
            return ()


def _matching(fragment: str, choices: Iterable[str]) -> Completions:
    """Keep the choices that begin with the fragment; ignore case when none does exactly."""
    unique = tuple(dict.fromkeys(choices))
    bare = fragment.lstrip("\"'")
    exact = tuple(choice for choice in unique if choice.lstrip("\"'").startswith(bare))
    if exact:
        return Completions(fragment, exact)
    folded = bare.lower()
    return Completions(
        fragment, tuple(choice for choice in unique if choice.lower().startswith(folded))
    )


def _quoted(name: str) -> str:
    if not re.search(r"\s", name):
        return name
    return f"'{name}'" if '"' in name else f'"{name}"'


def _quoted_path(path: str) -> str:
    """Return a path in quotes if it needs them; those of a folder stay open for what is in it."""
    return _quoted(path)[:-1] if path.endswith("/") and re.search(r"\s", path) else _quoted(path)
