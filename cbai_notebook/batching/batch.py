"""``cbai.batch``: a prompt for every row of a table."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.batching.job import CONCURRENCY, REQUEST_FILE, Batch, BatchOptions
from cbai_notebook.batching.reporters import Reporter
from cbai_notebook.batching.row_errors import nothing_sent
from cbai_notebook.batching.row_prompt import Missing
from cbai_notebook.bridge import run, stopped_in_one_line
from cbai_notebook.errors import ConfigurationError, MissingDependencyError, UsageError
from cbai_notebook.forks import fork_safe_lock

if TYPE_CHECKING:
    from cbai_notebook.client.demo.script import DemoModel
    from cbai_notebook.client.model import Model
    from cbai_notebook.prompts.prompt_file import PromptFile

_lock = fork_safe_lock(sys.modules[__name__])
_last: Batch | None = None


class BatchWarning(UserWarning):
    """A batch stopped before its last row."""


@stopped_in_one_line
def batch(
    data: Any,
    prompt: str | Callable[[dict[str, Any]], Any] | PromptFile,
    *,
    model: str | Model | DemoModel | None = None,
    system: str | None = None,
    column: str = "answer",
    prefix: str | None = None,
    response_type: Any = None,
    images: str | Sequence[str] | None = None,
    tools: Sequence[Any] | None = None,
    max_steps: int | None = None,
    missing: Missing = "skip",
    dedupe: bool = True,
    samples: int = 1,
    details: bool = False,
    concurrency: int = CONCURRENCY,
    max_total_tokens: int | None = None,
    max_cost: float | None = None,
    dry_run: bool = False,
    progress: bool | Reporter | None = None,
    allow_secrets: bool = False,
    think: bool | None = None,
    name: str = "",
    variables: Mapping[str, Any] | None = None,
    to: str | os.PathLike[str] | None = None,
    engine: Any = None,
    share_key: bool = False,
    **params: Any,
) -> Any:
    """Ask a prompt for every row of a table, and return the table with the answers.

    Run it again to go on: answers that are stored cost nothing, and only rows that are new, changed
    or failed are sent. A request that is equal in all that is sent is known, whatever the order, the
    index or the number of rows.

    Args:
        data: A DataFrame of pandas, polars or dask, a pyarrow Table, a list of dicts, an iterable
            of dicts, or the path of a ``.parquet`` or ``.csv`` file.
        prompt: A template: ``{name}`` is a column of the row or else a variable of the notebook, and
            ``{row["unit price"]}`` a column whose name is no word. Or a function from a row, as a
            dict, to the text of its prompt or to a list of messages. Or a prompt of a file: ``cbai.prompt``.
        model: The model: a spec such as ``"hy3"``, a `Model`, or what `demo` returned.
        system: The system prompt, a template too.
        column: The name of the new column with the answers.
        prefix: What the names of all new columns begin with.
        response_type: The type of the answers: each of its fields becomes a column.
        images: The columns with an image for each row: a path, an address, or any image.
        tools: Functions that the model may call.
        max_steps: The most requests for one row with tools.
        missing: What happens to a row without a value in a column that the prompt uses: ``"skip"``
            does not send it, ``"send"`` sends an empty text, ``"raise"`` stops before anything is
            sent.
        dedupe: Whether equal rows share one answer.
        samples: How many answers each row gets; with several, each new value is a list of them.
        details: Adds columns with model, tokens, seconds, whether it was known, and finish reason.
        concurrency: The most rows at once; fewer where the server refuses more.
        max_total_tokens: The most tokens that the batch may use.
        max_cost: The most money that it may cost; needs ``cbai.configure(prices=…)``.
        dry_run: Sends nothing and returns a `DryRun`: what would be sent, an estimate, and the first
            three requests.
        progress: False shows nothing.
        allow_secrets: Whether the prompts may hold the values of secrets.
        think: Whether the model is to think.
        name: The name of the rows in the progress and in ``%cbai batches``.
        variables: The variables for the template; in a notebook those of the notebook.
        to: A file for the result, ``.parquet``, ``.csv`` or ``.ndjson``, which is written while the
            rows come and whose path is returned. A name that ends in ``.jsonl`` gets the requests
            that are still to be sent, in the form of the OpenAI batch API; nothing is sent, and
            `batch_import` reads the answers.
        engine: What sends the requests in place of this process: a `dask.distributed.Client`, or a
            `concurrent.futures.Executor`. This process keeps the rows, the stored answers and the
            budget; the workers need this package, and the key in their own environment. Each sends
            its share of ``concurrency``.
        share_key: Whether the workers of the engine get this process's key with their tasks.
        **params: Other parameters of the requests, such as ``temperature``.

    Returns:
        The rows in their order, with their index and as their type, and with the new columns. The last
        one is ``error``: why a row has no answer. Where the batch stopped, the rest of the rows says
        so there, and `last_batch` knows why.

    Raises:
        UsageError: Something is wrong with the rows, the prompt or an option; nothing was sent.
        SecretRefusedError: The template holds the value of a secret.
        HistoryError: Answers cannot be stored; nothing was sent.
        KeyboardInterrupt: It was interrupted. `last_batch` has the rows so far.
    """
    made = Batch(
        data,
        prompt,
        BatchOptions.of(
            {
                "model": model,
                "system": system,
                "column": column,
                "prefix": prefix,
                "response_type": response_type,
                "images": images,
                "tools": tools,
                "max_steps": max_steps,
                "missing": missing,
                "dedupe": dedupe,
                "samples": samples,
                "details": details,
                "concurrency": concurrency,
                "max_total_tokens": max_total_tokens,
                "max_cost": max_cost,
                "progress": progress,
                "allow_secrets": allow_secrets,
                "think": think,
                "name": name,
                "variables": variables,
                "to": to,
                "engine": engine,
                "share_key": share_key,
                **params,
            }
        ),
    )
    try:
        return run(made.dry_run() if dry_run else run_batch(made))
    except (UsageError, MissingDependencyError):
        raise  # they say what to change
    except ConfigurationError as error:
        from cbai_notebook.client.model_choice import with_offline_model

        if made.prepared.settings.configured:
            raise
        raise with_offline_model(error, "model='local'") from None


async def batch_of(model: Model, data: Any, prompt: Any, options: Mapping[str, Any]) -> Any:
    """Do as `batch` on the current event loop, with a model."""
    options = dict(options)
    dry_run = options.pop("dry_run", False)
    made = Batch(data, prompt, _with_model(model, options))
    return await (made.dry_run() if dry_run else run_batch(made))


def rows_of_batch(
    model: Model, data: Any, prompt: Any, options: Mapping[str, Any]
) -> AsyncGenerator[dict[str, Any], None]:
    """Run a batch, and yield what each row gets as soon as it is there."""
    made = Batch(data, prompt, _with_model(model, {"progress": False, **options}))
    note_last(made)
    return made.each()


async def run_batch(made: Batch) -> Any:
    """Run a batch on the current event loop, remember it as the last one, and return its frame.

    Where the option ``to`` names a file for requests, nothing is sent, and its path is returned.
    """
    if made.options.to is not None and os.fspath(made.options.to).endswith(REQUEST_FILE):
        return await made.write_requests()
    note_last(made)
    try:
        await made.run()
    except (UsageError, MissingDependencyError):
        raise
    except ConfigurationError as error:
        raise nothing_sent(error) from None
    if made.reason and made.options.progress is False:
        warnings.warn(made.reason, BatchWarning, stacklevel=2)
    return made.frame


def _with_model(model: Model, options: Mapping[str, Any]) -> BatchOptions:
    """Return options with a model; their own ``model`` is the name of one of its provider's."""
    return BatchOptions.of({**options, "model": model, "model_name": options.get("model")})


def note_last(made: Batch) -> None:
    """Remember a batch as the last one."""
    global _last
    with _lock:
        _last = made


def last_batch() -> Batch | None:
    """Return the batch that was run last in this process, also one that was interrupted."""
    return _last
