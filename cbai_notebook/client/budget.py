"""Budgets: what requests may cost in tokens or in money, reserved before each request is sent.

A request reserves what it may use: half a token for each character that is sent, and ``max_tokens`` for
the answer or, without it, the mean of the answers so far. What it really used replaces the reserve at its
end. Requests that failed count with what had arrived.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.loop_waiters import Stop, Waiters
from cbai_notebook.client.secret_values import texts_in
from cbai_notebook.errors import BudgetError, CbaiError, ConfigurationError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.chat_wire import Usage
    from cbai_notebook.client.request import Request
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
    """What one request may use: tokens that are sent, and tokens of the answer."""

    sent: int
    answered: int


_NOTHING = Reserve(0, 0)
"""The reserve of a request whose cost is counted, and not limited."""


@dataclass
class Spending:
    """What was used, by the requests of a session or of one batch; used from any thread.

    Attributes:
        tokens: The tokens of all requests.
        cost: Their cost, as far as prices are known.
        answers: The number of answers.
    """

    tokens: int = 0
    cost: float = 0.0
    answers: int = 0
    _answered: int = field(default=0, repr=False)
    _reserved_tokens: int = field(default=0, repr=False)
    _reserved_cost: float = field(default=0.0, repr=False)
    # The garbage collector may end a request while this thread holds the lock.
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    _waiters: Waiters = field(default_factory=Waiters, repr=False, compare=False)

    def count(self, usage: Usage) -> None:
        """Count what a request without a budget has used."""
        with self._lock:
            self.tokens += usage.total_tokens or 0
            self.answers += 1
            self._answered += usage.completion_tokens or 0

    @property
    def mean_answer(self) -> int:
        """The mean tokens of an answer so far."""
        return self._answered // self.answers if self.answers else FIRST_ANSWER


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

    async def reserve(
        self, request: Request, *, waits: bool = False, stop: Stop | None = None
    ) -> Reserve:
        """Reserve what a request may use.

        Args:
            request: The request.
            waits: Whether to wait for other requests, which may use less than they have reserved.
            stop: Ends the wait of the batch.

        Raises:
            BudgetError: The rest of the budget is too small; nothing was sent.
            StoppedError: The batch was stopped before there was room.
            ConfigurationError: The price of the model is not known.
        """
        if self.tokens is None and self.cost is None:
            return _NOTHING
        model = str(request.body.get("model"))
        self.check(model)
        spending = self.spending
        while True:
            with spending._lock:
                reserve = Reserve(tokens_of(request), _answer_of(request, spending))
                if not (limit := self._limit_over(model, reserve)):
                    self._add(model, reserve, 1)
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
        request: Request,
        reserve: Reserve,
        *,
        usage: Usage | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Replace what a request has reserved by what it used.

        Args:
            request: The request.
            reserve: What `reserve` returned.
            usage: The token counts of the answer; without them the reserve is taken for it.
            error: Why there was no answer: only one that had begun was paid for.
        """
        model, spending = str(request.body.get("model")), self.spending
        sent, answered = reserve.sent, reserve.answered
        if usage is not None and usage.total_tokens:
            sent = usage.prompt_tokens or 0
            answered = usage.completion_tokens or usage.total_tokens - sent
        elif error is not None:
            began = isinstance(error, CbaiError) and error.answer_began
            partial = error.partial if isinstance(error, CbaiError) else ""
            sent = sent if began else 0
            answered = len(partial) // CHARACTERS_PER_TOKEN if began else 0
        with spending._lock:
            self._add(model, reserve, -1)
            spending.tokens += sent + answered
            spending.cost += self.cost_of(model, sent, answered)
            if error is None:
                spending.answers += 1
                spending._answered += answered
            waiting, spending._waiters = spending._waiters, Waiters()
            while waiting:
                waiting.next().wake()

    def cost_of(self, model: str, sent: int, answered: int) -> float:
        """Return the cost of a number of tokens; 0 for a model without a price."""
        price = self.prices.get(model, (0.0, 0.0))
        return (sent * price[0] + answered * price[1]) / PER_PRICE

    def _add(self, model: str, reserve: Reserve, times: int) -> None:
        self.spending._reserved_tokens += times * (reserve.sent + reserve.answered)
        self.spending._reserved_cost += times * self.cost_of(model, reserve.sent, reserve.answered)

    def _limit_over(self, model: str, reserve: Reserve) -> str:
        """Return the limit that a request could exceed: ``"tokens"``, ``"cost"`` or ``""``."""
        spending = self.spending
        tokens = spending.tokens + spending._reserved_tokens + reserve.sent + reserve.answered
        cost = spending.cost + spending._reserved_cost
        cost += self.cost_of(model, reserve.sent, reserve.answered)
        if self.tokens is not None and tokens > self.tokens:
            return "tokens"
        return "cost" if self.cost is not None and cost > self.cost else ""

    def _used_up(self, limit: str) -> BudgetError:
        if limit == "tokens":
            values = {"used": f"{self.spending.tokens:,}", "most": f"{self.tokens or 0:,}"}
        else:
            values = {"used": f"{self.spending.cost:.4g}", "most": f"{self.cost or 0:.4g}"}
        return BudgetError(say(f"budget.{self.setting}_{limit}_used_up", **values))


def session_budget(settings: Settings) -> Budget | None:
    """Return what all requests of this process may use; None without a limit."""
    if settings.max_total_tokens is None and settings.max_cost is None:
        return None
    return Budget(SESSION, settings.max_total_tokens, settings.max_cost, settings.prices)


def tokens_of(request: Request) -> int:
    """Return about how many tokens a request sends."""
    return tokens_in({name: request.body.get(name) for name in ("messages", "tools")})


def tokens_in(sent: Mapping[str, Any]) -> int:
    """Return about how many tokens messages and tools have."""
    characters = images = 0
    for text in texts_in(sent):
        if text.startswith("data:image/"):
            images += 1
        else:
            characters += len(text)
    return characters // CHARACTERS_PER_TOKEN + images * IMAGE


def _answer_of(request: Request, spending: Spending) -> int:
    most: Any = request.body.get("max_tokens") or request.body.get("max_completion_tokens")
    return most if isinstance(most, int) else spending.mean_answer
