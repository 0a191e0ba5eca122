"""The tools, the schema and the images of a prompt, found by the names of the user's variables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from cbai_notebook import bridge
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import Words, say
from cbai_notebook.notebook.command_line import user_names
from cbai_notebook.notebook.command_line.lexer import QUOTED_CHARS
from cbai_notebook.notebook.command_line.options import TABLE_FILES, did_you_mean
from cbai_notebook.notebook.command_line.parser import PromptOptions
from cbai_notebook.notebook.frontend import NO_INPUT
from cbai_notebook.prompts.references import (
    REFERENCE,
    Found,
    NotFound,
    Reference,
    has_variable,
    resolve,
)
from cbai_notebook.text import is_yes, shortened

if TYPE_CHECKING:
    from cbai_notebook.client.tools.tool_calls import ToolCall
    from cbai_notebook.notebook.render_loop import CellThread

_BUILTIN_TYPES = {kind.__name__: kind for kind in (bool, dict, float, int, list, str)}


def client_options(options: PromptOptions, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the client handles itself: tools, steps, schema, thinking.

    Args:
        options: The options of a prompt.
        namespace: The user's variables.

    Raises:
        UsageError: A variable does not exist, or cannot be used as a tool or a schema.
    """
    found: dict[str, Any] = {}
    if options.tools:
        every = [tool for name in options.tools for tool in _tools(name, namespace)]
        # A tool that two values name, as a server and one of its tools do, is there once.
        found["tools"] = list({id(tool): tool for tool in every}.values())
    if options.max_steps is not None:
        found["max_steps"] = options.max_steps
    if options.schema is not None:
        found["response_type"] = _schema_type(options.schema, namespace)
    if options.think is not None:
        found["think"] = options.think
    return found


def tool_hints(options: PromptOptions, namespace: Mapping[str, Any]) -> list[str]:
    """Return what the sources of the tools have to say to the user, each sentence once."""
    if not options.tools:
        return []
    from cbai_notebook.client.tools.source import ToolSource

    values = [namespace.get(name.partition(".")[0]) for name in options.tools]
    return [
        hint for value in values if isinstance(value, ToolSource) for hint in value.take_hints()
    ]


def image_urls(images: Iterable[str], namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the URLs of images: ``data:`` URLs for all images that are not on the web.

    A variable is preferred to a file of the same name; ``./cat`` is always a file. A variable may
    have a path into its value, as in ``figures[0]`` or ``row["photo"]``.

    Args:
        images: Files, https addresses or variables, as written in the options.
        namespace: The user's variables.

    Raises:
        UsageError: An image does not exist, or is not an image.
        MissingDependencyError: An image is too large, and Pillow is not installed to scale it.
    """
    return tuple(_image_url(text, namespace) for text in images)


def rows_named(text: str, namespace: Mapping[str, Any]) -> Any:
    """Return the rows that ``--each`` names: the value of a variable, or the path of a file.

    A variable is preferred to a file of the same name. It may have a path into its value, as in
    ``frames["train"]``.

    Args:
        text: The value of the option.
        namespace: The user's variables.

    Raises:
        UsageError: There is no such variable and no such file.
    """
    if has_variable(text, namespace):
        return namespace[text]
    found = _resolved(text, namespace)
    if isinstance(found, Found):
        return found.value
    if found is None or text.lower().endswith(TABLE_FILES):
        return text
    if found.known and found.reason:
        raise UsageError(
            say("cell.option_problem", option="--each", name=text, problem=found.reason)
        )
    return _variable(text, namespace, "--each", user_names.rows, say("cell.define_rows"))


def system_texts(name: str, namespace: Mapping[str, Any]) -> Any:
    """Return the value of the variable that ``--systems`` names.

    Raises:
        UsageError: There is no such variable.
    """
    return _variable(name, namespace, "--systems", user_names.values, say("cell.define_systems"))


def approval_options(cell_thread: CellThread, add_hint: Callable[[str], None]) -> dict[str, Any]:
    """Return the callbacks by which the client asks for approval and runs nested event loops.

    Args:
        cell_thread: The thread of the cell, on which both callbacks run.
        add_hint: Called with a sentence for the user when the frontend cannot ask.
    """

    async def approve(call: ToolCall) -> bool:
        try:
            return await cell_thread.run(lambda: _confirmed(call))
        except NO_INPUT:
            add_hint(say("cell.refused_unasked", name=call.name))
            return False

    async def call_nested(work: Callable[[], Any]) -> Any:
        return await cell_thread.run(lambda: bridge.run(_awaited(work), nested=True))

    return {"approve": approve, "call_nested": call_nested}


def _confirmed(call: ToolCall) -> bool:
    return is_yes(input(_question(call)))


def _question(call: ToolCall) -> str:
    """Return the question whether a tool call may run: a line for each argument."""
    from cbai_notebook.notebook.screen.approval import left_to_right, shown_arguments

    arguments = ["  " + left_to_right("".join(map(str, line))) for line in shown_arguments(call)]
    name = call.name
    if call.server:
        name = say("cell.tool_of_server", name=name, server=call.server)
    what = (
        say("cell.wants_to_run", name=name)
        if arguments
        else say("cell.wants_to_run_alone", name=name)
    )
    return "\n".join([what, *arguments, f"{say('cell.allow')} "])


async def _awaited(work: Callable[[], Any]) -> Any:
    value = work()
    return await value if inspect.isawaitable(value) else value


def _tools(text: str, namespace: Mapping[str, Any]) -> list[Any]:
    """Return the tools of a variable, or one tool of a source: ``server.search``."""
    from cbai_notebook.client.tools.source import ToolSource
    from cbai_notebook.client.tools.tool import tools_of
    from cbai_notebook.notebook.tool_sources import asking_first

    if text == "variables" and not has_variable(text, namespace):
        from cbai_notebook.notebook.variables_tool import variables

        return [variables(namespace)]
    name, dot, tool_name = text.partition(".")
    value = _variable(name, namespace, "--tool", user_names.functions, say("cell.define_function"))
    try:
        if not dot:
            return asking_first(lambda: tools_of([value]), value)
        if not isinstance(value, ToolSource):
            raise UsageError(say("cell.no_source", name=name, type=type(value).__name__))
        return [asking_first(lambda: value.tool(tool_name), value)]
    except UsageError as error:
        raise UsageError(_problem_of("--tool", text, error)) from error


def _schema_type(name: str, namespace: Mapping[str, Any]) -> Any:
    if name in _BUILTIN_TYPES and not has_variable(name, namespace):
        return _BUILTIN_TYPES[name]
    value = _variable(name, namespace, "--schema", user_names.types, say("cell.define_type"))
    if not isinstance(value, type) and get_origin(value) is None:
        raise UsageError(
            say(
                "cell.no_type",
                option="--schema",
                name=name,
                type=type(value).__name__,
                example="Cities = list[City]",
            )
        )
    return value


def _variable(
    name: str,
    namespace: Mapping[str, Any],
    flag: str,
    names_that_fit: Callable[[Mapping[str, Any]], list[str]],
    advice: str,
) -> Any:
    if has_variable(name, namespace):
        return namespace[name]
    advice = did_you_mean(name, names_that_fit(namespace)) or advice
    raise UsageError(say("cell.no_variable", option=flag, name=repr(name), advice=advice))


def _problem_of(option: str, name: str, error: CbaiError) -> Words:
    """Return the problem of an option's value with the option and the value before it."""
    problem = error.words or error.message
    return say("cell.option_problem", option=option, name=name, problem=problem)


def _image_url(text: str, namespace: Mapping[str, Any]) -> str:
    from cbai_notebook.client.images.part import image_part

    source = _image_value(text, namespace)
    try:
        return str(image_part(source)["image_url"]["url"])
    except CbaiError as error:
        raise type(error)(_problem_of("--image", shortened(text, QUOTED_CHARS), error)) from error


def _image_value(text: str, namespace: Mapping[str, Any]) -> Any:
    """Return the value of the variable that `text` names, or `text`: a path or an address."""
    found = _resolved(text, namespace)
    if found is None:
        return text
    if isinstance(found, Found):
        return found.value
    if not _is_file(text):
        raise UsageError(
            say(
                "cell.option_problem",
                option="--image",
                name=shortened(text, QUOTED_CHARS),
                problem=_no_image(found, has_path=not text.isidentifier()),
            )
        )
    return text


def _resolved(text: str, namespace: Mapping[str, Any]) -> Found | NotFound | None:
    """Return what a variable's name, with or without a path into its value, stands for.

    None if the text cannot be one, and so is the path or the address of a file.
    """
    match = REFERENCE.fullmatch(f"{{{text}}}")
    return match and resolve(Reference(match["name"], match["path"]), namespace)


def _is_file(text: str) -> bool:
    try:
        return expanded(text).is_file()
    except (OSError, UsageError):
        return False


def _no_image(found: NotFound, *, has_path: bool) -> str:
    if found.known and found.reason:
        return say("cell.no_image", reason=found.reason)
    if has_path:
        return say("cell.no_image_file", folder=Path.cwd())
    return say("cell.no_image_of_this_name", folder=Path.cwd())
