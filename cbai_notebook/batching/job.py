"""One batch: checked before anything is sent, run, and its result."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbai_notebook.batching.answer_store import AnswerStore, current_answers
from cbai_notebook.batching.dask_result import dask_with_columns
from cbai_notebook.batching.engines import engine_of
from cbai_notebook.batching.frame_rows import DaskRows
from cbai_notebook.batching.outcome import Outcome
from cbai_notebook.batching.part_sender import Engine, PartSender
from cbai_notebook.batching.parts import BatchSpec
from cbai_notebook.batching.plain_rows import StreamRows
from cbai_notebook.batching.plan import Plan
from cbai_notebook.batching.progress import Progress
from cbai_notebook.batching.reporters import Reporter, reporter_for
from cbai_notebook.batching.result import ResultColumn, build, columns_of, values_of
from cbai_notebook.batching.results import Place, Results
from cbai_notebook.batching.row_prompt import ROW, Missing, RowPrompt
from cbai_notebook.batching.rows import Rows, rows_of
from cbai_notebook.batching.runner import Runner
from cbai_notebook.batching.runs import BATCH, COMPLETE, INTERRUPTED, RUNNING, STOPPED, RunFacts
from cbai_notebook.batching.sending import LocalSender, Sender
from cbai_notebook.batching.table_writer import Writer
from cbai_notebook.client.budget import Budget, Spending, session_budget
from cbai_notebook.client.gate import Gate
from cbai_notebook.client.loop_waiters import Stop
from cbai_notebook.client.passage import Traffic
from cbai_notebook.client.repeated import RepeatedRequest
from cbai_notebook.conversation import secrets
from cbai_notebook.conversation.prepare import PreparedPrompt, prepare
from cbai_notebook.conversation.prompt import Prompt
from cbai_notebook.conversation.row_requests import RowRequests
from cbai_notebook.errors import CbaiError, ConfigurationError, HistoryError, UsageError
from cbai_notebook.i18n import say
from cbai_notebook.preferences import preferences
from cbai_notebook.prompts.prompt_file import PromptFile
from cbai_notebook.prompts.template import Slot, Template
from cbai_notebook.session import ipython_shell
from cbai_notebook.text import near_match

if TYPE_CHECKING:
    from cbai_notebook.batching.dry_run import DryRun
    from cbai_notebook.client.demo.script import DemoModel
    from cbai_notebook.client.model import Model

CONCURRENCY = 32
"""The most rows at once, where the server allows so many."""


WRITTEN_AT_ONCE = 512
"""So many rows are written to a file of results together."""

REQUEST_FILE = ".jsonl"
"""The end of the name of a file that gets the requests, not the results."""

_PARAMETERS = frozenset({"n", "stop", "seed", "top_p", "user", "max_tokens", "temperature"})
"""Parameters of requests, of which some look like an option with a mistake."""


Listener = Callable[[Sequence[tuple[Place, Outcome]]], None]


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run; see :func:`cbai_notebook.batch` for each."""

    model: str | Model | DemoModel | None = None
    model_name: str | None = None
    system: str | None = None
    column: str = "answer"
    prefix: str | None = None
    response_type: Any = None
    images: str | Sequence[str] | None = None
    tools: Sequence[Any] | None = None
    max_steps: int | None = None
    missing: Missing = "skip"
    dedupe: bool = True
    samples: int = 1
    details: bool = False
    concurrency: int = CONCURRENCY
    max_total_tokens: int | None = None
    max_cost: float | None = None
    progress: bool | Reporter | None = None
    allow_secrets: bool = False
    think: bool | None = None
    name: str = ""
    variables: Mapping[str, Any] | None = None
    to: str | os.PathLike[str] | None = None
    engine: Any = None
    share_key: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> BatchOptions:
        """Return the options among the arguments of a batch; the others are parameters of its requests.

        Raises:
            UsageError: A name is most likely that of an option, with a mistake.
        """
        names = tuple(each.name for each in fields(cls) if each.name != "params")
        params = {name: value for name, value in given.items() if name not in names}
        for name in params:
            if name not in _PARAMETERS and (near := near_match(name, names)):
                raise UsageError(say("batch.no_option_near", name=name, near=near))
        return cls(**{name: given[name] for name in names if name in given}, params=params)

    def with_file(self, file: PromptFile) -> BatchOptions:
        """Return the options with what a prompt's file sets and these leave open."""
        return replace(
            self,
            model=file.model if self.model is None else self.model,
            system=file.system if self.system is None else self.system,
            response_type=file.response_type if self.response_type is None else self.response_type,
            params={**file.params, **self.params},
        )

    def __post_init__(self) -> None:
        for name in ("samples", "concurrency"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise UsageError(say("batch.no_count", name=name, value=repr(number)))


class Batch:
    """A batch: its rows, what they got, and how it ended.

    Args:
        data: The rows, as :func:`cbai_notebook.batch` takes them.
        prompt: The template, a function that makes the prompt of a row, or a prompt of a file.
        options: How it is run.
        store: The stored answers; those beside the history by default.
        gate: What its requests go through; by default the gate of the server.
        engine: What sends the requests; by default that of the options, or else this process.
        spending: What its requests have used; one that several batches share has one budget for all.
        kind: What the batch belongs to: :data:`BATCH` or :data:`EVALUATION`.
        listener: Gets what became of rows, in groups, each with its place: position and sample.

    Attributes:
        progress: The counts, which also hold how it ended.
        hints: Sentences for the user about the prompt.
        prepared: What all its requests have in common.
        response: The type of the answers; None for text.

    Raises:
        UsageError: Something is wrong with the rows, the prompt or an option; nothing was sent.
        SecretRefusedError: The template holds a secret.
    """

    def __init__(
        self,
        data: Any,
        prompt: str | Callable[[dict[str, Any]], Any] | PromptFile,
        options: BatchOptions,
        store: AnswerStore | None = None,
        gate: Gate | None = None,
        *,
        engine: Engine | None = None,
        spending: Spending | None = None,
        kind: str = BATCH,
        listener: Listener = lambda found: None,
    ) -> None:
        if isinstance(prompt, PromptFile):
            options, prompt = options.with_file(prompt), prompt.text
        self.options = options
        self.rows: Rows = rows_of(data)
        self._template = prompt if isinstance(prompt, str) else ""
        self.prepared = self._prepare()
        self._row_prompt = RowPrompt.of(
            prompt,
            self.rows,
            _variables(options),
            missing=options.missing,
            images=options.images,
            system=options.system,
            limits=preferences(),
        )
        self.response = _response_type(options.response_type)
        self._of_outcome = columns_of(
            self.response,
            column=options.column,
            prefix=options.prefix,
            details=options.details,
            taken=self.rows.taken,
        )
        self._results = Results(self._of_outcome, options.samples)
        self._spending = spending or Spending()
        self._spent_before = 0
        self._kind = kind
        self._budget = Budget(
            self._spending,
            options.max_total_tokens,
            options.max_cost,
            self.prepared.settings.prices,
            "batch",
        )
        self._budget.check(self.prepared.asked_model or "")
        self._store = store or current_answers()
        self._stop, self._gate = Stop(), gate
        if engine is None and options.engine is not None:
            engine = engine_of(options.engine)
        self._engine = engine
        self._requests = RowRequests(self.prepared)
        checked = self._requests.options([{"role": "user", "content": "…"}])
        self.prepared.model.check(checked)
        _refuse_confirmed(options.tools)
        self._listener = listener
        self._frame: Any = None
        self._writer: Writer | None = None
        self._put_since = 0
        self._stop_run: Callable[[CbaiError], None] = lambda error: None
        self.progress = Progress(
            name=options.name or _name_of(data, _variables(options)),
            rows=None if self.rows.count is None else self.rows.count * options.samples,
        )
        self.hints = list(self._row_prompt.hints)
        self.error: CbaiError | None = None

    def _prepare(self) -> PreparedPrompt[Model]:
        from cbai_notebook.client.model_choice import spec_or_model

        options = self.options
        choice = spec_or_model(options.model)
        named = choice is None or isinstance(choice, str)
        given = {
            "tools": options.tools,
            "response_type": options.response_type,
            "max_steps": options.max_steps,
            "think": options.think,
        }
        prompt = Prompt(
            text=self._template,
            system=options.system,
            model=choice if named else options.model_name,  # type: ignore[arg-type]
            params=options.params,
            remember=False,
            stream=False,
            allow_secrets=options.allow_secrets,
            options={name: value for name, value in given.items() if value is not None},
        )
        model = None if named else choice
        prepared: PreparedPrompt[Model] = prepare(None, prompt, model=model)  # type: ignore[arg-type]
        return prepared

    # Running

    async def run(self) -> None:
        """Send what is still to be sent. Where a batch stops, `error` says why.

        Raises:
            asyncio.CancelledError: It was cancelled. What had arrived is stored, and in `frame`.
            HistoryError: The stored answers cannot be used; nothing was sent.
        """
        with secrets.known_keys(self.prepared.secrets):
            if self.options.to is not None:
                self._writer = self._open_file(self.options.to)
            try:
                run = self._store.begin_run(self._facts(RUNNING))
            except BaseException:
                if self._writer is not None:
                    self._writer.abandon()
                raise
            reporter = reporter_for(self.options.progress)
            self.progress.begin()
            self._spent_before = self._spending.tokens
            plan = self.plan()
            runner = Runner(
                plan,
                self._sender(),
                self.response,
                self._stop,
                self._store,
                run,
                self._put,
                self.progress,
                reporter,
            )
            self._stop_run = runner.stop
            status, is_raised = INTERRUPTED, False
            try:
                await runner.run()
                status = COMPLETE if runner.stopped is None else STOPPED
                if isinstance(runner.stopped, ConfigurationError) and not self._has_paid:
                    is_raised = True
                    raise runner.stopped
            finally:
                self.progress.tokens = self._tokens
                if self.progress.rows is None:
                    self.progress.rows = plan.read * self.options.samples
                self.hints += plan.hints
                self.error = runner.stopped
                reason = "" if runner.stopped is None else self._sentence(runner.reason)
                self.progress.hints = self.hints
                self.progress.end(status, "" if is_raised else reason)  # the error says it
                reporter.end(self.progress)
                self._end(run, status, reason)

    @property
    def _tokens(self) -> int:
        """The tokens of this batch: others that share its spending run before it or after it."""
        return self._spending.tokens - self._spent_before

    @property
    def _has_paid(self) -> bool:
        return self.progress.answered > self.progress.known

    def _end(self, run: int, status: str, reason: str) -> None:
        try:
            self._store.end_run(run, self._facts(status, reason))
        except HistoryError as error:
            self.error = self.error or error
        if self._writer is not None:
            self._frame = self._end_file(self._writer, complete=status == COMPLETE)

    def _open_file(self, path: str | os.PathLike[str]) -> Writer:
        """Return what writes the file of the result.

        Raises:
            UsageError: The file cannot be written.
        """
        try:
            return Writer(path, self.rows, self.columns)
        except OSError as error:
            raise _not_written(path, error) from error

    def _end_file(self, writer: Writer, *, complete: bool) -> Path | None:
        """Write the last rows, and return the path: that of an incomplete file ends in ``.partial``.

        Raises:
            UsageError: The file cannot be written. What was written is kept.
        """
        try:
            writer.write(self._results.take_done())
            return writer.finish() if complete else writer.abandon()
        except OSError as error:
            writer.abandon()
            raise _not_written(writer.path, error) from error
        except UsageError:
            writer.abandon()
            raise

    def _write_done(self, writer: Writer) -> None:
        """Write the rows that are at their end; where that fails, the batch stops."""
        try:
            writer.write(self._results.take_done())
        except (OSError, UsageError) as error:
            self._writer, self._frame = None, writer.abandon()
            problem = _not_written(writer.path, error) if isinstance(error, OSError) else error
            self._stop_run(problem)

    async def write_requests(self) -> Path:
        """Write what would be sent to the file of the option ``to``; nothing is sent."""
        from cbai_notebook.batching.request_file import write_requests

        assert self.options.to is not None
        return await write_requests(
            self.options.to, self.plan(), self._requests, self.prepared.model
        )

    def plan(self) -> Plan:
        """Return the requests of the rows; nothing is read yet."""
        return Plan(
            self.rows,
            self._row_prompt,
            self._requests,
            self._store,
            samples=self.options.samples,
            dedupe=self.options.dedupe,
        )

    def _sender(self) -> Sender:
        """Return what sends the requests: this process, or the workers of the engine."""
        concurrency = self.options.concurrency
        if self._engine is None:
            return LocalSender(self._begin, self.response, concurrency, self._store)
        prepared = self.prepared
        budgets = self._budget, session_budget(prepared.settings)
        spec = BatchSpec.of(
            prepared,
            shares_key=self.options.share_key,
            is_limited=any(budget.is_limited for budget in budgets),
        )
        return PartSender(
            self._engine,
            spec,
            budgets,
            prepared.request_params(prepared.params),
            prepared.secrets,
            self._stop,
            concurrency,
        )

    async def _begin(self, messages: list[Any]) -> RepeatedRequest:
        """Return what sends the requests, with the settings of this moment."""
        prepared = self._prepare()
        traffic = Traffic(True, self._budget, self._stop, self._gate)
        params = RowRequests(prepared).options(messages)
        return await RepeatedRequest.begin(prepared.model, params, traffic)

    async def dry_run(self) -> DryRun:
        """Return what would be sent; nothing is."""
        from cbai_notebook.batching.dry_run import dry_run

        prepared = self.prepared
        return await dry_run(self.plan(), self._requests, prepared.model, self._budget, self.hints)

    def _put(self, found: Sequence[tuple[Place, Outcome]]) -> None:
        self._results.put(found)
        if self._writer is not None:
            self._put_since += len(found)
            if self._put_since >= WRITTEN_AT_ONCE:
                self._put_since = 0
                self._write_done(self._writer)
        self.progress.tokens = self._tokens
        self._listener(found)

    async def each(self) -> AsyncGenerator[dict[str, Any], None]:
        """Run the batch, and yield what each row gets as soon as it is there.

        Each is a dict with ``row``, its position, and the new columns. Closing the generator stops
        the batch.
        """
        arrived: asyncio.Queue[list[dict[str, Any]] | None] = asyncio.Queue()

        def listen(found: Sequence[tuple[Place, Outcome]]) -> None:
            values = values_of([outcome for _, outcome in found], self._of_outcome)
            names = list(values)
            arrived.put_nowait(
                [
                    {"row": place[0], **{name: values[name][at] for name in names}}
                    for at, (place, _) in enumerate(found)
                ]
            )

        self._listener = listen
        running = asyncio.get_running_loop().create_task(self.run())
        running.add_done_callback(lambda _: arrived.put_nowait(None))
        try:
            while (rows := await arrived.get()) is not None:
                for row in rows:
                    yield row
            running.result()
        finally:
            running.cancel()
            await asyncio.wait({running})

    # The result

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The new columns."""
        return self._results.columns

    @property
    def frame(self) -> Any:
        """The rows with the new columns, in the order and as the type of the input.

        With the option ``to`` it is the path of the file. Rows that were not sent have no answer, and
        their error says so.
        """
        if self._frame is None:
            unsent = str(self.progress.reason or say("batch.not_sent"))
            values = self._results.values(_count(self.rows), unsent)
            if isinstance(self.rows, DaskRows):
                self._frame = dask_with_columns(self.rows, self.columns, values)
            else:
                self._frame = build(self.rows, self.columns, values)
        return self._frame

    @property
    def status(self) -> str:
        """``"running"``, ``"complete"``, ``"stopped"`` or ``"interrupted"``."""
        return self.progress.status

    @property
    def reason(self) -> str:
        """Why it stopped, and what to do; ``""`` if it did not."""
        return self.progress.reason

    def template_pieces(self) -> tuple[str | Slot, ...]:
        """Return the template with the notebook's variables filled in, and places for the columns.

        Of a function it is empty.
        """
        if not self._template:
            return ()
        known, later = _variables(self.options), (*self.rows.columns, ROW)
        return Template.of(self._template).expand_partly(known, later, limits=preferences()).pieces

    @property
    def model(self) -> str:
        """The name of the model that is asked, or of its provider where that has only one."""
        return self.prepared.asked_model or self.prepared.provider

    @property
    def cost(self) -> float | None:
        """What it has cost, if the price of the model is known."""
        known = (self.prepared.asked_model or "") in self.prepared.settings.prices
        return self._spending.cost if known else None

    def __repr__(self) -> str:
        from cbai_notebook.batching.progress_line import line_of

        return f"<Batch {self.progress.name}: {line_of(self.progress)}>"

    def _sentence(self, reason: str) -> str:
        done, rows = self.progress.answered, self.progress.rows
        values = {"reason": reason, "n": done, "done": f"{done:,}", "rows": f"{rows:,}"}
        return say("batch.stopped", **values)

    def _facts(self, status: str, reason: str = "") -> RunFacts:
        progress = self.progress
        return RunFacts(
            frame=progress.name,
            prompt=self._template,
            model=self.model,
            rows=progress.rows,
            answered=progress.answered,
            known=progress.known,
            failed=progress.failed,
            tokens=progress.tokens,
            status=status,
            reason=reason,
            kind=self._kind,
            provider=self.prepared.provider,
        )


def _variables(options: BatchOptions) -> Mapping[str, Any]:
    if options.variables is not None:
        return options.variables
    shell = ipython_shell()
    return {} if shell is None else shell.user_ns


def _response_type(kind: Any) -> Any:
    if kind is None:
        return None
    from cbai_notebook.client.structured.response_type import response_type_of

    return response_type_of(kind)


def _refuse_confirmed(tools: Sequence[Any] | None) -> None:
    """Refuse tools that ask the user for each call: nobody answers for thousands of rows.

    Raises:
        UsageError: There is such a tool.
    """
    if not tools:
        return
    from cbai_notebook.client.tools.tool import Tool, tools_of

    for tool in tools_of(tools):
        if isinstance(tool, Tool) and tool.confirm:
            raise UsageError(say("batch.tool_asks", name=tool.name))


def _not_written(path: str | os.PathLike[str], error: OSError) -> UsageError:
    reason = error.strerror or str(error)
    return UsageError(say("batch.file_not_written", file=os.fspath(path), reason=reason))


def _count(rows: Rows) -> int:
    """Return the number of rows; of an iterable or of partitions, of those that were read."""
    if isinstance(rows, StreamRows):
        return len(rows.read)
    if isinstance(rows, DaskRows):
        return sum(rows.lengths.values())
    if rows.count is None:  # a file that was not read to its end
        for _ in rows.slices(()):
            pass
    return rows.count or 0


def _name_of(data: Any, variables: Mapping[str, Any]) -> str:
    """Return the name of a file, or of the variable that holds the rows."""
    if isinstance(data, (str, os.PathLike)):
        return Path(data).name
    # A list first: other threads may add variables meanwhile.
    for name, value in list(variables.items()):
        if value is data and not name.startswith("_"):
            return name
    return str(say("batch.rows_without_a_name"))
