"""What the demo model answers: by a script, or by simple rules where there is none."""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, TypeAlias, get_args

from cbai_notebook.client.demo.request import DemoRequest
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import counted

NAME = "demo"
"""The model that a prompt with ``-m demo`` asks."""

BASE_URL = "http://demo.invalid/v1"
"""The address of the demo model; the name is one that no host can have (RFC 6761, section 6.4)."""

IMAGES_PATH = "/images/generations"
"""The path below the base URL at which pictures are drawn."""

PACE_S = 0.02
"""The seconds between two words, unless a script sets them."""

# Requests hold whole conversations and images.
_MOST_REQUESTS = 100

Finish = Literal["stop", "length", "content_filter", "broken"]

Calls: TypeAlias = Mapping[str, Mapping[str, Any]] | Sequence[tuple[str, Mapping[str, Any]]]
"""Tool calls: arguments by the tool's name, or pairs of both where a tool is called twice."""


@dataclass(frozen=True)
class DemoAnswer:
    """One answer of the demo model, for `demo`.

    Args:
        text: The text; with another ``status`` than 200, the message of the error.
        thinking: What the model thinks first. A request with ``think=False`` leaves it out.
        calls: The tools that the model calls: ``{"get_weather": {"city": "Shenzhen"}}``, or a list
            of pairs, ``[("get_weather", {"city": "Shenzhen"}), …]``, to call one tool twice.
        refusal: The words with which the model refuses to answer.
        finish: How it ends: ``"stop"``, ``"length"`` (cut at the token limit),
            ``"content_filter"``, or ``"broken"`` (the connection breaks behind the text).
        status: The HTTP status; from 400 on the request fails with it. The client asks again
            after 429 and 5xx, as it does with every server, and gets the script's next answer.

    Raises:
        UsageError: A value is not valid.
    """

    text: str = ""
    _: KW_ONLY
    thinking: str = ""
    calls: Calls = ()
    refusal: str = ""
    finish: Finish = "stop"
    status: int = 200

    def __post_init__(self) -> None:
        for name in ("text", "thinking", "refusal"):
            if not isinstance(getattr(self, name), str):
                raise UsageError(say("demo.no_string", name=name))
        if self.finish not in get_args(Finish):
            raise UsageError(
                say(
                    "demo.no_finish",
                    known=", ".join(get_args(Finish)),
                    value=repr(self.finish),
                )
            )
        if self.status != 200 and self.status not in range(400, 600):
            raise UsageError(say("demo.no_status", value=repr(self.status)))
        _ = self.call_list

    @property
    def call_list(self) -> list[tuple[str, dict[str, Any]]]:
        """The name and the arguments of each call."""
        pairs = self.calls.items() if isinstance(self.calls, Mapping) else self.calls
        try:
            found = [(name, dict(arguments)) for name, arguments in pairs]
        except (TypeError, ValueError):
            found = [("", {})]
        names: list[Any] = [name for name, _ in found]
        if not all(isinstance(name, str) and name for name in names):
            raise UsageError(
                say("demo.no_calls", example="calls={'get_weather': {'city': 'Shenzhen'}}")
            )
        return found


Reply: TypeAlias = "str | DemoAnswer | Mapping[str, Any] | Callable[[list[dict[str, Any]]], Any]"
"""An answer, rules that choose one by the prompt, or a function of the messages that returns one."""


class DemoModel:
    """A demo model with its script, as `demo` returns it.

    Args:
        name: The model's name.
        replies: The answers in their order; without any, the simple rules answer.
        pace: Seconds between two words.
    """

    base_url = BASE_URL
    """The address under which a named server reaches the demo model, by the model's name."""

    def __init__(self, name: str, replies: Sequence[Reply], pace: float) -> None:
        self.name = name
        self.pace = pace
        self._replies = replies
        self._numbers = itertools.count()
        self._requests: deque[DemoRequest] = deque(maxlen=_MOST_REQUESTS)

    @property
    def spec(self) -> str:
        """How a prompt names this model: ``-m demo``, or ``-m demo/NAME``."""
        return NAME if self.name == NAME else f"demo/{self.name}"

    @property
    def requests(self) -> list[DemoRequest]:
        """The requests since the script was set, at most the last 100; each with ``messages``,
        ``body`` and ``headers``, whose values print as dots."""
        return list(self._requests)

    def answer(self, request: DemoRequest) -> DemoAnswer | None:
        """Return the script's answer to a request; None where the script has none.

        Raises:
            UsageError: A function of the script failed, or returned something else than an answer.
        """
        self._requests.append(request)
        if not self._replies:
            return None
        number = next(self._numbers)
        reply = self._replies[min(number, len(self._replies) - 1)]
        repeats = number >= len(self._replies) or isinstance(reply, Mapping)
        found = _resolve(reply, request)
        if found is not None and found.calls and request.tool_results and repeats:
            return None  # a repeated answer would call its tools for ever
        return found

    def __repr__(self) -> str:
        return f"<DemoModel {self.name!r}: {counted(len(self._requests), 'request')}>"


_models: dict[str, DemoModel] = {}


def set_model(model: DemoModel) -> None:
    """Let a demo model answer under its name, in place of the one before."""
    _models[model.name] = model


def model_named(name: str) -> DemoModel:
    """Return the demo model of this name, or the one that stands in for a name without a script."""
    found = _models.get(name) or _models.get(NAME)
    return found or _models.setdefault(NAME, DemoModel(NAME, (), PACE_S))


def check(reply: Any) -> None:
    """Check an answer of a script.

    Raises:
        UsageError: It is none.
    """
    if isinstance(reply, Mapping):
        for rule, answer in reply.items():
            _pattern(rule)
            check(answer)
    elif not (isinstance(reply, (str, DemoAnswer)) or callable(reply)):
        raise UsageError(say("demo.no_answer", type=type(reply).__name__))


def _pattern(rule: Any) -> re.Pattern[str]:
    try:
        return re.compile(rule, re.IGNORECASE)
    except (re.error, TypeError) as error:
        raise UsageError(say("demo.no_rule", rule=repr(rule), error=error)) from None


def _resolve(reply: Any, request: DemoRequest) -> DemoAnswer | None:
    """Return the answer that a reply of a script stands for; None leaves it to the simple rules."""
    if isinstance(reply, str):
        return DemoAnswer(reply)
    if isinstance(reply, Mapping):
        prompt = request.prompt
        found = (answer for rule, answer in reply.items() if _pattern(rule).search(prompt))
        return _resolve(next(found, None), request)
    if callable(reply):
        return _resolve(_returned(reply, request), request)
    assert reply is None or isinstance(reply, DemoAnswer)
    return reply


def _returned(function: Callable[[list[dict[str, Any]]], Any], request: DemoRequest) -> Any:
    try:
        returned = function(request.messages)
    except CbaiError:
        raise
    # It is the user's code, which may raise any error.
    except Exception as error:
        raise UsageError(
            say("demo.function_failed", error=f"{type(error).__name__}: {error}")
        ) from error
    if returned is not None:
        check(returned)
    return returned
