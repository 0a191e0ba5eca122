"""A prompt in a cell: expand its variables, send it, show the streaming answer, end the cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cbai_notebook import bridge
from cbai_notebook.conversation import (
    ContextLimits,
    Conversation,
    Delta,
    PreparedPrompt,
    Prompt,
    Turn,
    ask,
    chat,
    prepare,
)
from cbai_notebook.conversation.ask import close_stopped
from cbai_notebook.conversation.delta import deltas_of
from cbai_notebook.conversation.turn import STREAMING
from cbai_notebook.errors import StructuredAnswerError, UsageError
from cbai_notebook.i18n import CELL, say
from cbai_notebook.notebook import held_loop, insert, offline_hints
from cbai_notebook.notebook.cell_chat import chat_in_cell
from cbai_notebook.notebook.command_line import conflicts
from cbai_notebook.notebook.command_line.parser import PromptOptions
from cbai_notebook.notebook.dry_run import pretty_json, show_request
from cbai_notebook.notebook.frontend import cell_id, cell_turn
from cbai_notebook.notebook.held_interrupts import HeldInterrupts
from cbai_notebook.notebook.render_loop import CellThread, feed, render_answer
from cbai_notebook.notebook.variables import (
    approval_options,
    client_options,
    image_urls,
    tool_hints,
)
from cbai_notebook.preferences import Preferences, preferences
from cbai_notebook.prompts.template import expand

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.model import Model

_DEFAULTS = PromptOptions()


def ask_in_cell(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> None:
    """Send a prompt and show the answer below the running cell, or where ``--into`` says.

    Args:
        shell: The shell.
        text: The prompt, with references such as ``{name}``.
        options: The options of the prompt.
        variables: The variables that the prompt and the options can name.

    Raises:
        CbaiError: The prompt was refused or the request failed; the text received so far is kept.
        KeyboardInterrupt: The user interrupted the cell; the request is stopped, and the text
            received so far is kept.
    """
    conflicts.check(options)
    if options.draw:
        from cbai_notebook.notebook.draw_cell import draw_in_cell

        draw_in_cell(shell, text, options, variables)
        return
    if options.agent is not None:
        options = replace(options, model=f"agent/{options.agent}")
    prepared = _prepare(shell, text, options, variables)
    if options.dry_run:
        _show_request(prepared)
        return
    ask_prepared(shell, prepared, options, variables)


@dataclass(frozen=True)
class CellPrompt:
    """The prompt of a cell, with what its preparation needs.

    Attributes:
        prompt: The prompt, with its variables expanded.
        conversation: Its conversation; ``None`` for a prompt without one.
        limits: How much context is sent.
        hints: Sentences about its variables for the user.
    """

    prompt: Prompt
    conversation: Conversation | None
    limits: ContextLimits
    hints: tuple[str, ...]


def cell_prompt(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> CellPrompt:
    """Return the prompt of the running cell, which replaces the cell's turn if there is one.

    Raises:
        UsageError: The prompt is empty, or an option names no usable variable or file.
    """
    prefs = preferences()
    prompt, hints = _prompt(shell, text, options, variables, prefs)
    conversation = None
    if prompt.remember or prompt.cached:
        conversation = chat_in_cell(options.conversation)
    if conversation is not None and prompt.remember:
        replaces = conversation.of_cell(prompt.cell_id, prompt.cell_turn)
        prompt = replace(prompt, replaces=replaces)
    limits = ContextLimits(prefs.history_turns, prefs.history_chars)
    return CellPrompt(prompt, conversation, limits, hints)


def _prepare(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> PreparedPrompt[Model]:
    asked = cell_prompt(shell, text, options, variables)
    prepared = prepare(asked.conversation, asked.prompt, limits=asked.limits)
    hints = provider_hints(prepared, options)
    return replace(prepared, hints=(*asked.hints, *hints, *prepared.hints))


def provider_hints(prepared: PreparedPrompt[Model], options: PromptOptions) -> tuple[str, ...]:
    """Return what the user is told about the provider of a prompt.

    Raises:
        UsageError: It is an agent, which does not support one of the options.
    """
    from cbai_notebook.client.providers import AGENT, LOCAL

    if prepared.provider == AGENT:
        conflicts.check_agent(options)
    if prepared.provider == LOCAL:
        by_default = options.model is None and not options.models
        return offline_hints.for_cell(prepared, by_default=by_default)
    return ()


def _prompt(
    shell: InteractiveShell,
    text: str,
    options: PromptOptions,
    variables: Mapping[str, Any],
    prefs: Preferences,
) -> tuple[Prompt, tuple[str, ...]]:
    """Return the prompt with its variables expanded, and hints for the user."""
    filled = expand(text.strip("\n"), variables, limits=prefs)
    if not filled.text.strip():
        raise UsageError(say("cell.empty_prompt", magic="%%cbai"))
    hints = filled.hints
    system = options.system
    if system:
        filled_system = expand(system, variables, limits=prefs)
        system, hints = filled_system.text, (*hints, *filled_system.hints)
    given = client_options(options, variables)
    hints = (*hints, *tool_hints(options, variables))
    return Prompt(
        text=filled.text,
        system=system,
        model=options.model,
        params=options.request_params,
        remember=options.history,
        stream=options.stream,
        cell_id=cell_id(shell),
        cell_turn=0 if options.dry_run else cell_turn(shell),
        cached=prefs.cached if options.cached is None else options.cached,
        allow_secrets=options.allow_secrets,
        images=image_urls(options.images, variables),
        options=given,
    ), hints


def dropped_notice(turns: int) -> str:
    """Return the sentence about turns that did not fit into the context."""
    setting = "cbai.configure(history_turns=…, history_chars=…)"
    return say("cell.dropped", n=turns, setting=setting)


def ask_prepared(
    shell: InteractiveShell,
    prepared: PreparedPrompt[Model],
    options: PromptOptions = _DEFAULTS,
    variables: Mapping[str, Any] | None = None,
) -> None:
    """Send a prompt that was prepared, and show the answer; raises what :func:`ask_in_cell` raises."""
    # Imported when first used, not with the extension: the screen imports the Markdown renderer.
    with HeldInterrupts():
        from cbai_notebook.client.providers import model_label
        from cbai_notebook.client.tools import left_running
        from cbai_notebook.notebook.screen import Screen, earlier_session, endings
        from cbai_notebook.notebook.show import finishing, named_surface

    at_end = options.raw or options.schema is not None
    as_json = options.raw or (options.schema is not None and options.format == "markdown")
    label = model_label(prepared.provider, prepared.prompt.model)
    screen = Screen(
        named_surface(shell, options.into, variables or {}),
        format="json" if as_json else options.format,
    )

    async def start(listener: Callable[[Delta], None], cell_thread: CellThread) -> Answer:
        asked = prepared
        if has_tools:
            asked = asked.with_options(approval_options(cell_thread, outcome.hints.append))
        if runs_functions:
            left_running.collect_into(left)
        return await ask(
            asked,
            listener=_tool_calls_only(listener) if at_end else listener,
            opened=turns.append,
        )

    remember, dropped = prepared.prompt.remember, prepared.context.dropped_turns
    has_tools = bool(prepared.prompt.options.get("tools"))
    runs_functions = has_tools or prepared.settings.before_send is not None
    turns: list[Turn] = []
    left: list[left_running.LeftRunning] = []
    with finishing(
        screen,
        label=label,
        hints=prepared.hints,
        dropped=dropped_notice(dropped) if dropped else "",
        place=CELL,
    ) as outcome:
        if (continued := prepared.prompt.continues) is not None:
            outcome.has_text = True
            for delta in deltas_of(continued):
                feed(screen, delta)
        try:
            answer = outcome.answer = render_answer(
                start, screen, lambda: held_loop.waiting_for(label)
            )
        except StructuredAnswerError as error:
            screen.text(error.partial)
            raise
        except KeyboardInterrupt:
            running = running_tools(turns)
            held_loop.note(running)
            if names := left_running.names(left) or running or held_loop.holders():
                outcome.hints.append(endings.left_running(names))
            for turn in turns:
                close_stopped(prepared, turn)
            raise
        finally:
            if remember and outcome.answer is None and any(turn.can_continue for turn in turns):
                outcome.hints.append(endings.can_continue())
            if turns and (past := turns[0].earlier):
                outcome.hints.append(
                    earlier_session.in_cell(past, reset_command(prepared.conversation))
                )
            if remember and (problem := prepared.conversation.not_stored):
                outcome.hints.append(say("answer.not_stored", problem=problem))
        if at_end:
            screen.text(pretty_json(answer.raw) if options.raw else answer.text or answer.refusal)
        outcome.note = endings.in_cell(answer, kept=remember)
        if options.output:
            shell.user_ns[options.output] = answer
        if options.insert and (problem := insert.insert_answer(shell, answer.text)):
            outcome.hints.append(problem)


def running_tools(turns: list[Turn]) -> list[str]:
    """Return the names of the tools of an answer that has not ended yet."""
    going_on = (turn for turn in turns if turn.status == STREAMING)
    calls = {call.id: call for turn in going_on for call in turn.calls}
    return list(dict.fromkeys(call.name for call in calls.values() if call.status == "running"))


def reset_command(conversation: Conversation) -> str:
    """Return the command that begins a conversation anew."""
    of_another = f" -c {conversation.name!r}" if conversation is not chat() else ""
    return f"%cbai reset{of_another}"


def _show_request(prepared: PreparedPrompt[Model]) -> None:
    prompt = prepared.prompt
    request = bridge.run(prepared.model.prepare(prompt.stream, prepared.params, **prompt.options))
    show_request(request, prepared)


def _tool_calls_only(listener: Callable[[Delta], None]) -> Callable[[Delta], None]:
    """Return a listener for tool calls only: the text is shown when the answer is complete."""

    def listen(delta: Delta) -> None:
        if delta.call:
            listener(Delta(call=delta.call))

    return listen
