"""Budgets: what requests may cost in tokens or in money, reserved before each request is sent.

A request reserves what it may use: half a token for each character that is sent, and ``max_tokens`` for
the answer or, without it, the mean of the answers so far. What it really used replaces the reserve at its
end. Requests that failed count with what had arrived.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from cbai_notebook.client.loop_waiters import Stop, Waiters
from cbai_notebook.client.secret_values import texts_in
from cbai_notebook.errors import BudgetError, CbaiError, ConfigurationError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.chat_wire import Usage
    from cbai_notebook.client.settings import Settings

CHARACTERS_PER_TOKEN = 2
"""Few models need more tokens for a text, Chinese included."""

FIRST_ANSWER = 256
"""The tokens of an answer before there is a mean."""

IMAGE = 1_000
"""The tokens of an image, whatever its size."""

PER_PRICE = 1_000_000
"""Prices are for so many tokens."""

Prices = Mapping[str, tuple[float, float]]
"""For each model the prices of a million tokens that are sent, and of a million that are answered."""


@dataclass(frozen=True)
class Reserve:
    """What one request may use: its model, tokens that are sent, and tokens of the answer.

    Both are 0 where the cost is counted, and not limited.
    """

    model: str
    sent: int = 0
    answered: int = 0


class Used(NamedTuple):
    """What requests have used.

    Attributes:
        sent: The tokens that were sent.
        answered: The tokens that came back, those of answers that broke off included.
        answers: The number of answers.
    """

    sent: int = 0
    answered: int = 0
    answers: int = 0


@dataclass
class Spending:
    """What was used, by the requests of a session or of one batch; used from any thread.

    Attributes:
        used: The tokens and answers of all requests.
        cost: Their cost, as far as prices are known.
    """

    used: Used = field(default_factory=Used)
    cost: float = 0.0
    _reserved_tokens: int = field(default=0, repr=False)
    _reserved_cost: float = field(default=0.0, repr=False)
    # The garbage collector may end a request while this thread holds the lock.
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    _waiters: Waiters = field(default_factory=Waiters, repr=False, compare=False)

    @property
    def tokens(self) -> int:
        """The tokens of all requests."""
        return self.used.sent + self.used.answered

    @property
    def mean_answer(self) -> int:
        """The mean tokens of an answer so far."""
        return self.used.answered // self.used.answers if self.used.answers else FIRST_ANSWER

    def take(self) -> Used:
        """Return what was used since the last call, and forget it: it is counted elsewhere."""
        with self._lock:
            taken, self.used = self.used, Used()
            return taken


SESSION = Spending()
"""What all requests of this process have used."""


@dataclass(frozen=True)
class Budget:
    """The most that requests may use.

    Args:
        spending: What they have used.
        tokens: The most tokens.
        cost: The most money, in the unit of the prices.
        prices: The prices of the models.
        setting: The name of what is to be raised when a limit is reached: ``"session"`` or ``"batch"``.
    """

    spending: Spending
    tokens: int | None = None
    cost: float | None = None
    prices: Prices = field(default_factory=dict)
    setting: str = "session"

    def check(self, model: str) -> None:
        """Check that the price of a model is known where money is limited.

        Raises:
            ConfigurationError: It is not: prices are never guessed.
        """
        if self.cost is not None and model not in self.prices:
            example = f"prices={{{model!r}: (…, …)}}"
            raise ConfigurationError(say("budget.no_price", model=model, example=example))

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit."""
        return self.tokens is not None or self.cost is not None

    async def reserve(
        self, body: Mapping[str, Any], *, waits: bool = False, stop: Stop | None = None
    ) -> Reserve:
        """Reserve what a request may use.

        Args:
            body: The body of the request.
            waits: Whether to wait for other requests, which may use less than they have reserved.
            stop: Ends the wait of the batch.

        Raises:
            BudgetError: The rest of the budget is too small; nothing was sent.
            StoppedError: The batch was stopped before there was room.
            ConfigurationError: The price of the model is not known.
        """
        model = str(body.get("model"))
        if not self.is_limited:
            return Reserve(model)
        self.check(model)
        spending = self.spending
        while True:
            with spending._lock:
                reserve = Reserve(model, tokens_of(body), _answer_of(body, spending))
                if not (limit := self._limit_over(reserve)):
                    self._hold(reserve, 1)
                    return reserve
                if not (waits and spending._reserved_tokens):
                    raise self._used_up(limit)
                waiter = spending._waiters.add()
            try:
                await waiter.wait(stop)
            finally:
                with spending._lock:
                    spending._waiters.remove(waiter)

    def settle(
        self,
        reserve: Reserve,
        *,
        usage: Usage | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Replace what a request has reserved by what it used.

        Args:
            reserve: What `reserve` returned.
            usage: The token counts of the answer; without them the reserve is taken for it.
            error: Why there was no answer: only one that had begun was paid for.
        """
        sent, answered = reserve.sent, reserve.answered
        if usage is not None and usage.total_tokens:
            sent = usage.prompt_tokens or 0
            answered = usage.completion_tokens or usage.total_tokens - sent
        elif error is not None:
            began = isinstance(error, CbaiError) and error.answer_began
            partial = error.partial if isinstance(error, CbaiError) else ""
            sent = sent if began else 0
            answered = len(partial) // CHARACTERS_PER_TOKEN if began else 0
        with self.spending._lock:
            self.spend(reserve.model, Used(sent, answered, int(error is None)))
            self.release(reserve)

    def release(self, reserve: Reserve) -> None:
        """Give back what a request has reserved."""
        spending = self.spending
        with spending._lock:
            self._hold(reserve, -1)
            waiting, spending._waiters = spending._waiters, Waiters()
            while waiting:
                waiting.next().wake()

    def spend(self, model: str, used: Used) -> None:
        """Count what requests to a model have used."""
        spending = self.spending
        with spending._lock:
            before = spending.used
            spending.used = Used(
                before.sent + used.sent,
                before.answered + used.answered,
                before.answers + used.answers,
            )
            spending.cost += self.cost_of(model, used.sent, used.answered)

    def cost_of(self, model: str, sent: int, answered: int) -> float:
        """Return the cost of a number of tokens; 0 for a model without a price."""
        price = self.prices.get(model, (0.0, 0.0))
        return (sent * price[0] + answered * price[1]) / PER_PRICE

    def _hold(self, reserve: Reserve, times: int) -> None:
        sent, answered = times * reserve.sent, times * reserve.answered
        self.spending._reserved_tokens += sent + answered
        self.spending._reserved_cost += self.cost_of(reserve.model, sent, answered)

    def _limit_over(self, reserve: Reserve) -> str:
        """Return the limit that a request could exceed: ``"tokens"``, ``"cost"`` or ``""``."""
        spending = self.spending
        tokens = spending.tokens + spending._reserved_tokens + reserve.sent + reserve.answered
        cost = spending.cost + spending._reserved_cost
        cost += self.cost_of(reserve.model, reserve.sent, reserve.answered)
        if self.tokens is not None and tokens > self.tokens:
            return "tokens"
        return "cost" if self.cost is not None and cost > self.cost else ""

    def _used_up(self, limit: str) -> BudgetError:
        if limit == "tokens":
            values = {"used": f"{self.spending.tokens:,}", "most": f"{self.tokens or 0:,}"}
        else:
            values = {"used": f"{self.spending.cost:.4g}", "most": f"{self.cost or 0:.4g}"}
        return BudgetError(say(f"budget.{self.setting}_{limit}_used_up", **values))


class Reservation:
    """What one request may use, reserved in several budgets.

    Args:
        held: The budgets, each with what is reserved in it.
    """

    def __init__(self, held: Sequence[tuple[Budget, Reserve]]) -> None:
        self._held = held

    @classmethod
    async def make(
        cls,
        budgets: Sequence[Budget],
        body: Mapping[str, Any],
        *,
        waits: bool = False,
        stop: Stop | None = None,
    ) -> Reservation:
        """Reserve in each budget, or in none; as `Budget.reserve`.

        Raises:
            BudgetError, StoppedError, ConfigurationError: As for `Budget.reserve`.
        """
        held: list[tuple[Budget, Reserve]] = []
        made = cls(held)
        try:
            for budget in budgets:
                held.append((budget, await budget.reserve(body, waits=waits, stop=stop)))
        except BaseException:
            made.release()
            raise
        return made

    def settle(self, *, usage: Usage | None = None, error: BaseException | None = None) -> None:
        """Replace it by what was used; as `Budget.settle`."""
        for budget, reserve in self._held:
            budget.settle(reserve, usage=usage, error=error)

    def count(self) -> None:
        """Count it as used, and keep it: nobody knows what was used, and it is sent again."""
        for budget, reserve in self._held:
            budget.spend(reserve.model, Used(reserve.sent, reserve.answered))

    def release(self) -> None:
        """Give it back: nothing was used, or it is counted elsewhere."""
        for budget, reserve in self._held:
            budget.release(reserve)


def session_budget(settings: Settings) -> Budget:
    """Return what all requests of this process may use."""
    return Budget(SESSION, settings.max_total_tokens, settings.max_cost, settings.prices)


def tokens_of(body: Mapping[str, Any]) -> int:
    """Return about how many tokens the body of a request has."""
    return tokens_in({name: body.get(name) for name in ("messages", "tools")})


def tokens_in(sent: Mapping[str, Any]) -> int:
    """Return about how many tokens messages and tools have."""
    characters = images = 0
    for text in texts_in(sent):
        if text.startswith("data:image/"):
            images += 1
        else:
            characters += len(text)
    return characters // CHARACTERS_PER_TOKEN + images * IMAGE


def _answer_of(body: Mapping[str, Any], spending: Spending) -> int:
    most: Any = body.get("max_tokens") or body.get("max_completion_tokens")
    return most if isinstance(most, int) else spending.mean_answer
