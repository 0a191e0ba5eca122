"""Options that exclude each other: an error names them, so that none is ignored silently."""

from __future__ import annotations

from collections.abc import Iterable

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.options import OPTIONS, PICTURES
from cbai_notebook.notebook.command_line.parser import PromptOptions

# The texts of the reasons, by field.
_SET_UP = "agent_is_set_up"
_AGENT_CONFLICTS = {
    "system": "agent_has_a_system_prompt",
    "temperature": _SET_UP,
    "max_tokens": _SET_UP,
    "tools": _SET_UP,
    "max_steps": _SET_UP,
    "schema": _SET_UP,
    "think": _SET_UP,
}

_FROM_THE_PROMPT = "of_the_prompt_alone"
_IN_WORDS = "it_is_for_words"
_DRAW_CONFLICTS = {
    "agent": "agents_do_not_draw",
    "images": _FROM_THE_PROMPT,
    "system": _FROM_THE_PROMPT,
    "cached": "pictures_are_not_kept",
    "raw": "raw_is_in_the_variable",
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

_NO_CONVERSATION = "rows_have_no_conversation"
_IN_COLUMNS = "answers_of_rows_are_columns"
_EACH_CONFLICTS = {
    "conversation": _NO_CONVERSATION,
    "history": _NO_CONVERSATION,
    "cached": "rows_are_known_anyway",
    "format": _IN_COLUMNS,
    "insert": _IN_COLUMNS,
    "into": _IN_COLUMNS,
    "stream": _IN_COLUMNS,
    "raw": _IN_COLUMNS,
    "draw": _IN_COLUMNS,
    "agent": "agents_answer_no_rows",
}
_OF_ROWS = (
    "rows", "column", "prefix", "details", "to_file", "missing", "concurrency", "max_total_tokens",
    "max_cost",
)  # fmt: skip

_OWN_PLACE = "answers_stand_side_by_side"
_COMPARE_CONFLICTS = {
    "draw": "only_words_are_compared",
    "agent": "agents_are_not_compared",
    "insert": _OWN_PLACE,
    "into": _OWN_PLACE,
    "raw": _OWN_PLACE,
}
# For each axis the option that gives all answers one value, with the text of the reason.
_AXES = {
    "models": ("model", "it_names_one"),
    "temperatures": ("temperature", "it_names_one"),
    "systems": ("system", "it_names_one"),
}
_ROWS_ARE_NOT_COMPARED = dict.fromkeys(
    ("models", "temperatures", "systems", "vary", "yes"), "rows_are_not_compared"
)


def check(options: PromptOptions) -> None:
    """Check that the options of a prompt do not exclude each other.

    Raises:
        UsageError: Two options exclude each other, or one needs another; the message names both.
    """
    if options.each is not None:
        _refuse("--each", {**_EACH_CONFLICTS, **_ROWS_ARE_NOT_COMPARED}, options)
        if options.output == options.each:
            raise UsageError(say("option.replaces_its_rows", output=options.output))
    elif alone := next((name for name in _OF_ROWS if _is_given(name, options)), None):
        flag = _flag(alone, getattr(options, alone))
        raise UsageError(say("option.only_with_each", flag=flag))
    if options.compares and options.each is None:
        _check_comparison(options)
    elif options.yes and options.each is None:
        raise UsageError(say("option.yes_without_comparison"))
    if options.draw:
        _refuse("--draw", _DRAW_CONFLICTS, options)
    elif is_picture(options.output):
        raise UsageError(say("option.no_picture_without_draw", output=options.output))
    elif options.agent is not None:
        _refuse("--agent", {"model": "agent_is_a_model"}, options)


def _check_comparison(options: PromptOptions) -> None:
    axes = ("models", "temperatures", "systems", "vary", "samples")
    axis = next(name for name in axes if _is_given(name, options))
    _refuse(_flag(axis, getattr(options, axis)), _COMPARE_CONFLICTS, options)
    for name, (one, reason) in _AXES.items():
        if _is_given(name, options):
            _refuse(_flag(name, getattr(options, name)), {one: reason}, options)
    fixed = {*options.params, *(("max_tokens",) if options.max_tokens else ())}
    if twice := fixed & options.vary.keys():
        raise UsageError(say("option.varied_and_fixed", name=min(twice)))


def check_agent(options: PromptOptions) -> None:
    """Check that the options fit an agent.

    Raises:
        UsageError: An agent does not support one of the options.
    """
    # `-s ""` means "no system prompt", and no system prompt is sent to an agent anyway.
    given = [name for name in _AGENT_CONFLICTS if name != "system" or options.system]
    _refuse("", {name: _AGENT_CONFLICTS[name] for name in given}, options)


def is_picture(output: str | None) -> bool:
    """Return whether the value of ``-o`` is a picture file and not a variable."""
    return output is not None and output.lower().endswith(PICTURES)


def _refuse(other: str, reasons: dict[str, str], options: PromptOptions) -> None:
    """Raise an error if one of some options is given.

    Args:
        other: The option that they do not go with; empty for an agent that is the model.
        reasons: The options by field, with their reasons.
        options: The options of the prompt.
    """
    for name, reason in reasons.items():
        if _is_given(name, options):
            flag, why = _flag(name, getattr(options, name)), say(f"option.because_{reason}")
            raise UsageError(
                say("option.does_not_go_with_option", flag=flag, other=other, reason=why)
                if other
                else say("option.does_not_go_with_agent", flag=flag, reason=why)
            )


def _is_given(name: str, options: PromptOptions) -> bool:
    return bool(getattr(options, name) != getattr(_DEFAULTS, name))


def _flag(name: str, value: object) -> str:
    """Return the flag that sets a field to a value."""
    rows: Iterable[tuple[str, bool]] = (
        (option.flags[-1], bool(option.metavar) or option.sets == value)
        for option in OPTIONS
        if option.field == name
    )
    return next(flag for flag, given in rows if given)


_DEFAULTS = PromptOptions()
