"""``%%cbai --each``: the cell's text is the prompt of every row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook import bridge
from cbai_notebook.batching.batch import run_batch
from cbai_notebook.batching.first_rows import first_rows
from cbai_notebook.batching.job import Batch, BatchOptions
from cbai_notebook.batching.runs import INTERRUPTED, RUNNING
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.batch_progress import reporter_in
from cbai_notebook.notebook.command_line import conflicts
from cbai_notebook.notebook.command_line.parser import PromptOptions
from cbai_notebook.notebook.dry_run import show_requests
from cbai_notebook.notebook.held_interrupts import HeldInterrupts
from cbai_notebook.notebook.variables import client_options, rows_named

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_SAME_NAME = (
    "column", "prefix", "samples", "missing", "concurrency", "max_total_tokens", "max_cost",
)  # fmt: skip
"""The options that a batch takes under the same name; those that are not given are left to it."""


def ask_each(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> Any:
    """Ask the prompt for every row, and show below the running cell how far it is.

    Args:
        shell: The shell.
        text: The template of the prompts.
        options: The options of the prompt.
        variables: The variables that the prompt and the options can name.

    Returns:
        The rows with the answers, or the path of their file, for the cell to show; None where ``-o``
        names a variable for it.

    Raises:
        CbaiError: Nothing was sent, or the batch stopped. The variable then has the rows so far.
        KeyboardInterrupt: The user interrupted the cell. The variable has the rows so far.
    """
    conflicts.check(options)
    reporter = reporter_in(shell, into=options.output or "", of_magic=True)
    batch = _batch(text, options, variables, reporter)
    if options.dry_run:
        show_requests(bridge.run(batch.dry_run(), nested=False))
        return None
    try:
        frame = bridge.run(run_batch(batch), nested=False)
    except KeyboardInterrupt:
        with HeldInterrupts():
            if batch.status == RUNNING:  # it ends on its event loop, in a moment
                batch.progress.end(INTERRUPTED)
                if reporter is not None:
                    reporter.end(batch.progress)
            _keep(shell, batch.frame, options)
        raise
    _keep(shell, frame, options)
    if batch.error is not None and batch.reason:
        raise _stopped(batch.error, batch.reason)
    return None if options.output else frame


def _keep(shell: InteractiveShell, frame: Any, options: PromptOptions) -> None:
    if options.output:
        shell.user_ns[options.output] = frame


def _stopped(error: CbaiError, reason: str) -> CbaiError:
    """Return the error of the cell, of the kind of the one that stopped the batch."""
    return type(error)(reason)


def _batch(
    text: str,
    options: PromptOptions,
    variables: Mapping[str, Any],
    reporter: Any,
) -> Batch:
    text = text.strip("\n")
    if not text.strip():
        raise UsageError(say("cell.empty_prompt", magic="%%cbai"))
    assert options.each is not None
    rows = rows_named(options.each, variables)
    if options.rows is not None:
        rows = first_rows(rows, options.rows)
    given = {name: value for name in _SAME_NAME if (value := getattr(options, name)) is not None}
    return Batch(
        rows,
        text,
        BatchOptions(
            model=options.model,
            system=options.system,
            images=options.images or None,
            to=options.to_file,
            details=options.details,
            progress=reporter,
            allow_secrets=options.allow_secrets,
            name=options.each,
            variables=variables,
            params=options.request_params,
            **given,
            **client_options(options, variables),
        ),
    )
