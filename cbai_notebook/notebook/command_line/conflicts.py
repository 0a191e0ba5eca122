"""Options that exclude each other: an error names them, so that none is ignored silently."""

from __future__ import annotations

from collections.abc import Iterable

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.options import OPTIONS, PICTURES
from cbai_notebook.notebook.command_line.parser import PromptOptions

_SET_UP = "an agent answers as it is set up in the CloudBase console"
_AGENT_CONFLICTS = {
    "system": "an agent has a system prompt of its own",
    "temperature": _SET_UP,
    "max_tokens": _SET_UP,
    "tools": _SET_UP,
    "max_steps": _SET_UP,
    "schema": _SET_UP,
    "think": _SET_UP,
}

_FROM_THE_PROMPT = "a drawing is made from the prompt alone"
_IN_WORDS = "that is for answers in words"
_DRAW_CONFLICTS = {
    "agent": "agents do not draw here",
    "images": _FROM_THE_PROMPT,
    "system": _FROM_THE_PROMPT,
    "cached": "pictures are not kept in the history",
    "raw": "`-o VAR` has it as VAR.raw",
    "temperature": _IN_WORDS,
    "max_tokens": _IN_WORDS,
    "format": _IN_WORDS,
    "insert": _IN_WORDS,
    "stream": _IN_WORDS,
    "tools": _IN_WORDS,
    "max_steps": _IN_WORDS,
    "schema": _IN_WORDS,
    "think": _IN_WORDS,
}


def check(options: PromptOptions) -> None:
    """Check that the options of a prompt do not exclude each other.

    Raises:
        UsageError: Two options exclude each other, or one needs another; the message names both.
    """
    if options.draw:
        _refuse("--draw", _DRAW_CONFLICTS, options)
    elif is_picture(options.output):
        raise UsageError(
            f"-o {options.output} saves a picture, and there is one with --draw only. An answer in "
            "words goes into a variable: -o answer."
        )
    elif options.agent is not None:
        _refuse("--agent", {"model": "an agent is a model by itself"}, options)


def check_agent(options: PromptOptions) -> None:
    """Check that the options fit an agent.

    Raises:
        UsageError: An agent does not support one of the options.
    """
    # `-s ""` means "no system prompt", and no system prompt is sent to an agent anyway.
    given = [name for name in _AGENT_CONFLICTS if name != "system" or options.system]
    _refuse("an agent", {name: _AGENT_CONFLICTS[name] for name in given}, options)


def is_picture(output: str | None) -> bool:
    """Return whether the value of ``-o`` is a picture file and not a variable."""
    return output is not None and output.lower().endswith(PICTURES)


def _refuse(other: str, reasons: dict[str, str], options: PromptOptions) -> None:
    for name, reason in reasons.items():
        value = getattr(options, name)
        if value != getattr(_DEFAULTS, name):
            raise UsageError(
                f"{_flag(name, value)} does not go with {other}: {reason}. Leave it out."
            )


def _flag(name: str, value: object) -> str:
    """Return the flag that sets a field to a value."""
    rows: Iterable[tuple[str, bool]] = (
        (option.flags[-1], bool(option.metavar) or option.sets == value)
        for option in OPTIONS
        if option.field == name
    )
    return next(flag for flag, given in rows if given)


_DEFAULTS = PromptOptions()
