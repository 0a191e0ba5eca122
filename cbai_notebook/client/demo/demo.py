"""`demo`: set what the demo model answers."""

from __future__ import annotations

import math
from typing import Any

from cbai_notebook.client.demo.provider import reach
from cbai_notebook.client.demo.script import (
    NAME,
    PACE_S,
    Calls,
    DemoAnswer,
    DemoModel,
    Finish,
    Reply,
    check,
    set_model,
)
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say


def demo(
    *answers: Reply,
    text: str | None = None,
    thinking: str = "",
    calls: Calls = (),
    refusal: str = "",
    finish: Finish = "stop",
    status: int = 200,
    pace: float = PACE_S,
    model: str = NAME,
) -> DemoModel:
    """Set what the demo model answers, which ``-m demo`` asks without network, key or process.

    ::

        cbai.demo("Hello!")                                 # to each prompt
        cbai.demo("First.", "Second.")                      # in this order; the last one repeats
        cbai.demo({"weather|rain": "Sunny.", "": "Hm."})    # by the prompt; "" fits all
        cbai.demo(thinking="Six times seven.", text="42")
        cbai.demo(cbai.DemoAnswer(calls={"get_weather": {"city": "Rome"}}), "It is sunny.")
        cbai.demo("Mix flour and", finish="length")         # cut; `%cbai continue` goes on
        cbai.demo(status=401, text="Who are you?")
        cbai.demo(lambda messages: messages[-1]["content"].upper())
        cbai.demo(pace=0)                                   # the simple rules, without waiting
        cbai.demo()                                         # reset: no script, the usual pace

    Without a script, or where a script has no answer, simple rules answer: the model repeats what
    was asked and counts the words; it thinks when asked to (``think=True``); it calls a tool whose
    name is in the prompt, and an object that has to fit a schema gets the names and numbers of
    the prompt. The same request always gets the same answer.

    Args:
        answers: The answers to the next requests; each a string, a `DemoAnswer`, rules, or a
            function. Rules are a dict of regular expressions, which are searched for in the last
            message of the user in any case, and answers. A function gets the list of messages,
            runs on the background event loop (so it should be quick), and returns an answer, or
            None for the simple rules. Each step of tools is a request of its own.
        text: The text of a single answer, in place of ``answers``; ``thinking``, ``calls``,
            ``refusal``, ``finish`` and ``status`` as for `DemoAnswer`.
        thinking: What that answer thinks first.
        calls: The tools that it calls.
        refusal: The words with which it refuses.
        finish: How it ends.
        status: Its HTTP status.
        pace: Seconds between two words; 0 does not wait.
        model: The name of the demo model, for several with a script each: ``-m demo/NAME``. One
            without a script of its own has that of ``"demo"``. Each is reset by its name.

    Returns:
        The demo model with this script. Its ``requests`` are what it was asked since, and its
        ``base_url`` is an address for ``cbai.configure(servers=…)``.

    Raises:
        UsageError: A value is not valid.
    """
    single = DemoAnswer(
        text or "",
        thinking=thinking,
        calls=calls,
        refusal=refusal,
        finish=finish,
        status=status,
    )
    if text is not None or single != DemoAnswer():
        if answers:
            raise UsageError(
                say("demo.answers_or_parts", example="cbai.DemoAnswer(text=…, thinking=…)")
            )
        answers = (single,)
    for each in answers:
        check(each)
    if not _is_duration(pace):
        raise UsageError(say("demo.no_pace", value=repr(pace)))
    if not str(model).strip():
        raise UsageError(say("demo.no_name", example="'demo'"))
    reach()
    made = DemoModel(str(model).strip(), answers, pace)
    set_model(made)
    return made


def _is_duration(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < math.inf
