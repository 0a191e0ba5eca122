"""``cbai.compare``: one prompt asked in several ways."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cbai_notebook.bridge import run, stopped_in_one_line
from cbai_notebook.comparison import frame
from cbai_notebook.comparison.comparison import Comparison
from cbai_notebook.comparison.variants import Axes, named_systems
from cbai_notebook.conversation import Conversation, Prompt, chat
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.forks import fork_safe_lock

if TYPE_CHECKING:
    from cbai_notebook.client.demo.script import DemoModel
    from cbai_notebook.client.model import Model

_lock = fork_safe_lock(sys.modules[__name__])
_last: Comparison | None = None
_in_cell: Callable[[Comparison], Callable[[], None] | None] | None = None


def show_in(cell: Callable[[Comparison], Callable[[], None] | None]) -> None:
    """Let a notebook show comparisons while they run.

    Args:
        cell: Returns the function that runs a comparison and shows it below the cell that runs; None
            where there is no such cell.
    """
    global _in_cell
    _in_cell = cell


@stopped_in_one_line
def compare(
    prompt: str,
    *,
    models: str | Model | DemoModel | Sequence[str | Model | DemoModel] = (),
    temperatures: Sequence[float] = (),
    samples: int = 1,
    systems: Mapping[str, str] | Sequence[str] | None = None,
    vary: Mapping[str, Sequence[Any]] | None = None,
    system: str | None = None,
    conversation: str | Conversation | None = None,
    tools: Sequence[Any] | None = None,
    max_steps: int | None = None,
    response_type: Any = None,
    think: bool | None = None,
    cached: bool = False,
    allow_secrets: bool = False,
    yes: bool = False,
    progress: bool = True,
    **params: Any,
) -> Any:
    """Ask one prompt of several models, or in several ways, and return a table of the answers.

    Every combination is asked, all at the same time as far as the servers allow it. An answer that
    fails says so in its row, and the others go on.

    Args:
        prompt: The prompt, sent as it is.
        models: The models, each a spec such as ``"hy3"`` or ``"ollama/qwen3:4b"``, a `Model`, or
            what `demo` returned; or one of these. By default the one that a prompt goes to.
        temperatures: The temperatures.
        samples: How many answers each request gets.
        systems: System prompts: a dict of names and texts, or a list of texts.
        vary: Other parameters, each with the values to try: ``{"top_p": [0.5, 0.9]}``.
        system: One system prompt for all.
        conversation: A conversation, or its name: its turns are sent along, and the answers become
            versions of a new turn, of which `%cbai pick` chooses one. By default there is none.
        tools: Functions that the models may call.
        max_steps: The most requests for one answer with tools.
        response_type: The type of the answers.
        think: Whether the models are to think.
        cached: Whether an answer is taken from the history if the same was asked before.
        allow_secrets: Whether the prompt may hold the value of a secret.
        yes: Whether to ask for more than 24 answers.
        progress: Whether a notebook shows the answers side by side while they come.
        **params: Other parameters of the requests, such as ``max_tokens``.

    Returns:
        A pandas DataFrame with one row for each answer and its number, from 1, as the index. Columns:
        ``model``, ``system`` (with `systems`), ``temperature``, each parameter of `vary`, ``sample``,
        ``text``, ``reasoning``, ``finish_reason``, ``first_token_s`` and ``duration_s`` (seconds from
        the moment in which the request was sent), ``prompt_tokens``, ``completion_tokens``, ``error``
        and ``chosen`` (whether the conversation goes on with it).

    Raises:
        UsageError: An argument is not valid, or there are too many answers; nothing was sent.
        SecretRefusedError: The prompt holds the value of a secret.
        MissingDependencyError: pandas is not installed; nothing was sent.
        CbaiError: Every answer has failed; the error is that of the first one.
        KeyboardInterrupt: It was interrupted. ``cbai.last_comparison().to_pandas()`` has what had
            arrived.
    """
    from cbai_notebook.client.model_choice import named_models, with_offline_model
    from cbai_notebook.client.settings import settings

    frame.check_pandas()
    named = named_models(models)
    given = {
        "tools": tools,
        "max_steps": max_steps,
        "response_type": response_type,
        "think": think,
    }
    where = chat(conversation) if isinstance(conversation, str) else conversation
    remember = where is not None
    if where is None and cached:
        where = chat()  # only to look for stored answers
    asked = Prompt(
        text=prompt,
        system=system,
        params=params,
        remember=remember,
        cached=cached,
        allow_secrets=allow_secrets,
        options={name: value for name, value in given.items() if value is not None},
    )
    axes = Axes(
        list(named), temperatures, named_systems(systems) if systems else {}, vary or {}, samples
    )
    made = Comparison(where, asked, axes, confirmed=yes, models=named)
    note_last(made)
    shown = _in_cell(made) if progress and _in_cell is not None else None
    (shown or partial(_run, made))()
    failure = made.failure
    if type(failure) is ConfigurationError and not settings().configured:
        raise with_offline_model(failure, "models=['local']")
    if failure is not None:
        raise failure
    return made.to_pandas()


def _run(made: Comparison) -> None:
    try:
        run(made.run(), nested=False)
    finally:
        made.settle()


def note_last(made: Comparison) -> None:
    """Remember a comparison as the last one of this process."""
    global _last
    with _lock:
        _last = made


def last_comparison() -> Comparison | None:
    """Return the comparison that was made last in this process, also one that was interrupted."""
    return _last
