"""``%%cbai --models a,b``: the cell's prompt is asked in several ways, and the answers compared."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook import bridge
from cbai_notebook.comparison.compare import note_last
from cbai_notebook.comparison.comparison import Comparison
from cbai_notebook.comparison.frame import check_pandas
from cbai_notebook.comparison.variants import Axes, named_systems
from cbai_notebook.i18n import CELL, said_now, say
from cbai_notebook.notebook import held_loop
from cbai_notebook.notebook.ask_cell import (
    cell_prompt,
    dropped_notice,
    provider_hints,
    reset_command,
    running_tools,
)
from cbai_notebook.notebook.command_line import conflicts
from cbai_notebook.notebook.command_line.parser import PromptOptions
from cbai_notebook.notebook.dry_run import show_request
from cbai_notebook.notebook.frontend import cell_id, is_kernel, names_cell
from cbai_notebook.notebook.grid.boards import (
    Board,
    Item,
    StaticBoard,
    TerminalBoard,
    WidgetBoard,
)
from cbai_notebook.notebook.grid.static import StaticGrid
from cbai_notebook.notebook.held_interrupts import HeldInterrupts
from cbai_notebook.notebook.render_loop import CellThread, paint_while_running
from cbai_notebook.notebook.screen import CellSurface, TerminalSurface, earlier_session, endings
from cbai_notebook.notebook.variables import approval_options, system_texts
from cbai_notebook.preferences import preferences
from cbai_notebook.prompts.template import expand

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def compare_in_cell(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> None:
    """Ask the prompt in every way that the options name, and show the answers side by side.

    Args:
        shell: The shell.
        text: The prompt, with references such as ``{name}``.
        options: The options of the prompt.
        variables: The variables that the prompt and the options can name.

    Raises:
        CbaiError: Nothing was sent, or every answer has failed.
        KeyboardInterrupt: The user interrupted the cell; what has arrived is kept.
    """
    conflicts.check(options)
    if options.output:
        check_pandas()
    asked = cell_prompt(shell, text, options, variables)
    made = Comparison(
        asked.conversation,
        asked.prompt,
        _axes(options, variables),
        limits=asked.limits,
        confirmed=options.yes or options.dry_run,
    )
    hints = [*asked.hints]
    for each in made.candidates:
        hints += provider_hints(each.prepared, options)
    hints += made.hints
    if options.dry_run:
        _show_first(made)
        return
    note_last(made)
    format = "json" if options.schema and options.format == "markdown" else options.format
    try:
        run_below_cell(shell, made, hints, format=format, with_tools=bool(options.tools))
    finally:
        if options.output:
            shell.user_ns[options.output] = made.to_pandas()
    if failure := made.failure:
        raise failure


def run_below_cell(
    shell: InteractiveShell,
    made: Comparison,
    hints: list[str],
    *,
    format: str = "markdown",
    with_tools: bool = False,
) -> None:
    """Run a comparison and show it; what has arrived is kept, also after an interrupt.

    Args:
        shell: The shell.
        made: The comparison.
        hints: Sentences below the answers; more are added.
        format: The format of the answers.
        with_tools: Whether calls of tools are shown to the user for approval.
    """
    from cbai_notebook.client.tools import left_running

    with HeldInterrupts():
        board, surface = _board(shell, made, format)
    left: list[left_running.LeftRunning] = []

    async def start(put: Callable[[Item], None], cell_thread: CellThread) -> None:
        more = approval_options(cell_thread, hints.append) if with_tools else {}
        left_running.collect_into(left)
        await made.run(lambda candidate, delta: put((candidate, delta)), more)

    try:
        paint_while_running(start, board)
    except KeyboardInterrupt:
        running = running_tools([each.turn for each in made.candidates if each.turn is not None])
        held_loop.note(running)
        if names := left_running.names(left) or running or held_loop.holders():
            hints.append(endings.left_running(names))
        raise
    finally:
        with HeldInterrupts():
            made.settle()
            lines = dict.fromkeys([*hints, *_notices(made)])
            can_pick = surface is not None and surface.live and made.conversation is not None
            uid = uuid.uuid4().hex[:12] if can_pick else ""
            grid = StaticGrid(made, format=format, uid=uid, hints=list(lines))
            board.end(grid)
            if surface is not None and uid:
                _hear_picks(shell, made, grid, surface, uid)


def _hear_picks(
    shell: InteractiveShell, made: Comparison, grid: StaticGrid, surface: CellSurface, uid: str
) -> None:
    """Let the grid follow picks, and its buttons make them."""
    from cbai_notebook.notebook.grid import pick_buttons

    def repaint(problem: str = "") -> None:
        grid.problem = problem
        surface.paint({0: grid.bundle()})

    made.watch(repaint)
    pick_buttons.listen(
        made, uid, cell_id(shell), lambda error: repaint(said_now(error.words or str(error), CELL))
    )


def _board(
    shell: InteractiveShell, made: Comparison, format: str
) -> tuple[Board, CellSurface | None]:
    """Return where the answers are shown, and the output that stays; None in a terminal."""
    if not is_kernel(shell):
        return TerminalBoard(made, lambda: TerminalSurface(sys.stdout), format), None
    surface = CellSurface(owns_cell=False, live=names_cell(shell), shell=shell)
    if not surface.live:
        return StaticBoard(surface), surface
    return WidgetBoard(made, surface, format), surface


def _notices(made: Comparison) -> list[str]:
    """Return what a user is told about the conversation, which is the same for all answers."""
    prepared = made.candidates[0].prepared
    found = []
    if dropped := prepared.context.dropped_turns:
        found.append(dropped_notice(dropped))
    if prepared.prompt.remember:
        if past := prepared.earlier:
            found.append(earlier_session.in_cell(past, reset_command(prepared.conversation)))
        if problem := prepared.conversation.not_stored:
            found.append(say("answer.not_stored", problem=problem))
    return found


def _axes(options: PromptOptions, variables: Mapping[str, Any]) -> Axes:
    systems = {}
    if options.systems:
        texts = named_systems(system_texts(options.systems, variables))
        limits = preferences()
        systems = {
            name: expand(text, variables, limits=limits).text for name, text in texts.items()
        }
    return Axes(options.models, options.temperatures, systems, options.vary, options.samples or 1)


def _show_first(made: Comparison) -> None:
    """Print how many requests there would be, and the first one; nothing is sent."""
    prepared = made.candidates[0].prepared
    request = bridge.run(
        prepared.model.prepare(prepared.prompt.stream, prepared.params, **prepared.prompt.options)
    )
    sys.stdout.write(f"{made.estimate}\n\n")
    show_request(request, prepared)
