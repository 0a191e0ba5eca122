"""A comparison: its candidates, which run at the same time, and which of them counts."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.budget import FIRST_ANSWER, Budget, Spending, tokens_in
from cbai_notebook.client.passage import Traffic
from cbai_notebook.client.providers import model_label
from cbai_notebook.comparison import frame
from cbai_notebook.comparison.candidate import Candidate
from cbai_notebook.comparison.variants import Axes, Variant
from cbai_notebook.conversation import ContextLimits, Conversation, PreparedPrompt, Prompt, prepare
from cbai_notebook.conversation.ask import ask, close_stopped
from cbai_notebook.conversation.delta import Delta
from cbai_notebook.conversation.placement import VersionGroup
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import Words, joined, say

if TYPE_CHECKING:
    from cbai_notebook.client.model import Model

MOST = 24
"""More answers than these are asked for only when the user has said so."""

_AS_ROWS = Traffic(rows=True)
"""The answers wait for a place as the rows of a batch do, and let a single prompt go first."""


Heard = Callable[[Candidate, Delta | None], None]
"""Called on the event loop for each delta of a candidate, and with ``None`` when it has ended."""


class Comparison:
    """One prompt, asked in several ways.

    Nothing is sent before `run`. Its answers become the versions of one turn, if the prompt is
    remembered.

    Args:
        conversation: The conversation; ``None`` asks without one.
        prompt: The prompt; its model, system prompt and parameters are those of no axis.
        axes: What is compared.
        limits: How much context is sent; by default as the preferences say.
        confirmed: Whether the user wants more than `MOST` answers.
        models: Models of the axes by their names; all other names are specs.

    Attributes:
        candidates: The answers, row by row of the grid.
        estimate: How many answers there are, and about what they need.

    Raises:
        UsageError: A model's name or an option is not valid, a model cannot do what is requested, or
            there are too many answers. Nothing was sent.
        SecretRefusedError: The request would contain a secret.
    """

    def __init__(
        self,
        conversation: Conversation | None,
        prompt: Prompt,
        axes: Axes,
        *,
        limits: ContextLimits | None = None,
        confirmed: bool = False,
        models: Mapping[str, Model | None] | None = None,
    ) -> None:
        self.axes = axes
        self._group = VersionGroup()
        prepared = [
            prepare(
                conversation,
                _prompt_of(prompt, variant, axes, model),
                limits=limits,
                model=model,
            )
            for variant in axes.variants()
            for model in [(models or {}).get(variant.model or "")]
        ]
        self.estimate = _estimate(prepared)
        if len(prepared) > MOST and not confirmed:
            raise UsageError(joined(self.estimate, say("compare.say_yes")))
        for each in prepared:
            each.model.check(each.params, **each.prompt.options)
        self.candidates = [
            Candidate(
                number,
                variant,
                axes.label(variant) or model_label(each.provider, each.asked_model),
                replace(each, model=each.model.with_traffic(_AS_ROWS)),
                self._group.placement(),
            )
            for number, (variant, each) in enumerate(
                zip(axes.variants(), prepared, strict=True), start=1
            )
        ]
        self._frame: Callable[[], Any] = lambda: None
        self._watchers: list[Callable[[], None]] = []
        self.chosen: Candidate | None = None

    @property
    def conversation(self) -> Conversation | None:
        """The conversation that has the answers; ``None`` if they are not remembered."""
        first = self.candidates[0].prepared
        return first.conversation if first.prompt.remember else None

    @property
    def hints(self) -> tuple[str, ...]:
        """Sentences about the prompt for the user, each once."""
        return tuple(
            dict.fromkeys(hint for each in self.candidates for hint in each.prepared.hints)
        )

    async def run(
        self,
        heard: Heard = lambda candidate, delta: None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask all at once; one that fails does not stop the others.

        Args:
            heard: Called for each delta, and at the end of each candidate; must not block.
            options: More of the client's own options, such as ``approve``.
        """
        tasks = [
            asyncio.create_task(self._ask(each, heard, options or {})) for each in self.candidates
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _ask(self, candidate: Candidate, heard: Heard, options: Mapping[str, Any]) -> None:
        try:
            candidate.answer = await ask(
                candidate.prepared.with_options(options),
                listener=partial(heard, candidate),
                placement=candidate.placement,
            )
        except CbaiError as error:
            candidate.error = error
        finally:
            candidate.placement.release()
            candidate.ended = True
            heard(candidate, None)

    def settle(self) -> None:
        """Let the conversation go on with the first answer that ended well; not on an event loop.

        A pick that was made before is kept where the same answers were replayed. After an interrupt,
        answers that have not ended are closed with what has arrived.
        """
        for each in self.candidates:
            if not each.ended and each.turn is not None:
                close_stopped(each.prepared, each.turn)
        usable = [each for each in self.candidates if each.ended_well] or [
            each for each in self.candidates if each.text.strip()
        ]
        if not usable:
            return
        conversation = self.conversation
        if conversation is None:
            self._choose(usable[0])
            return
        active = [each for each in usable if each.turn in conversation.turns]
        kept = active if self._is_replay else []
        self.pick((kept or usable)[0])

    @property
    def _is_replay(self) -> bool:
        """Whether every answer was known, so that no turn is new."""
        answers = [each.answer for each in self.candidates]
        return all(answer is not None and not answer.timing.attempts for answer in answers)

    def pick(self, candidate: Candidate) -> None:
        """Let the conversation go on with an answer; not on an event loop.

        Raises:
            UsageError: There is no such turn in the conversation any more.
        """
        conversation, turn = self.conversation, candidate.turn
        if conversation is not None and turn is not None and turn not in conversation.turns:
            conversation.choose(turn)
        self._choose(candidate)

    def undo(self) -> bool:
        """Take all answers out of the conversation if nothing came after them; not on an event loop.

        Returns:
            Whether they were the newest of the conversation.
        """
        conversation = self.conversation
        if conversation is None:
            return False
        turns = [each.turn for each in self.candidates if each.turn is not None]
        newest = conversation.added_last(set(conversation.turns))
        if newest is None or newest not in turns:
            return False
        for turn in turns:
            if turn in conversation.alternatives(newest) and turn is not newest:
                conversation.delete(turn)
        conversation.delete(newest)
        return True

    def _choose(self, candidate: Candidate) -> None:
        self.chosen = candidate
        if (table := self._frame()) is not None:
            frame.mark_chosen(table, [each is candidate for each in self.candidates])
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call a function after each pick, on its thread."""
        self._watchers.append(watcher)

    @property
    def failure(self) -> CbaiError | None:
        """The error of the comparison if every candidate has failed without any text."""
        errors = [each.error for each in self.candidates if not each.text]
        first = next(filter(None, errors), None)
        if first is None or len([error for error in errors if error]) < len(self.candidates):
            return None
        number = len(self.candidates)
        problem = first.words or first.message
        return type(first)(say("compare.all_failed", n=number, problem=problem))

    def to_pandas(self) -> Any:
        """Return one row for each answer, as :func:`cbai_notebook.compare` describes it.

        The column ``chosen`` of this frame follows later picks.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        made = frame.to_pandas(self.axes, self.candidates, self.chosen)
        self._frame = weakref.ref(made)
        return made


def _prompt_of(prompt: Prompt, variant: Variant, axes: Axes, model: Model | None) -> Prompt:
    system = prompt.system if variant.system is None else axes.systems[variant.system]
    return replace(
        prompt,
        model=None if model is not None else variant.model or prompt.model,
        system=system,
        params={**prompt.params, **variant.request_params},
        sample=variant.sample,
    )


def _estimate(prepared: Sequence[PreparedPrompt[Model]]) -> Words:
    """Return how many answers there are, and about how many tokens and how much money they need."""
    tokens, cost = 0, 0.0
    priced = True
    for each in prepared:
        most = each.params.get("max_tokens") or each.params.get("max_completion_tokens")
        sent = tokens_in(each.params)
        answered = most if isinstance(most, int) else FIRST_ANSWER
        tokens += sent + answered
        prices, name = each.settings.prices or {}, each.asked_model or ""
        priced = priced and name in prices
        cost += Budget(Spending(), None, None, prices).cost_of(name, sent, answered)
    about = [say("compare.about_cost", cost=f"{cost:.2g}")] if priced else []
    return joined(say("compare.asks_for", n=len(prepared), tokens=f"{tokens:,}"), *about)
