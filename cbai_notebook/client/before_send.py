"""``before_send``: the user's function that may change or refuse the messages of every request."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cbai_notebook.errors import CbaiError, PromptRefusedError, UsageError
from cbai_notebook.i18n import say

BeforeSend = Callable[[list[Any]], Any]
"""Gets a copy of the messages and returns those that are sent; may be asynchronous."""


async def screened(messages: Sequence[Any], before_send: BeforeSend | None) -> list[Any]:
    """Return the messages as they may be sent.

    Args:
        messages: The messages of a request; they are not changed.
        before_send: The user's function; None changes nothing.

    Raises:
        PromptRefusedError: The function raised an error.
        UsageError: The function returned something else than messages.
    """
    if before_send is None:
        return list(messages)
    from cbai_notebook.client.tools.user_function import call_user

    function, copied = before_send, copy.deepcopy(list(messages))
    try:
        # A stop must not depend on it: it can go on, or return as if nothing had been.
        found = await call_user(function, lambda: function(copied), "before_send")
    except CbaiError:
        raise
    # It is the user's code, and any error of it means that nothing may be sent.
    except (Exception, SystemExit) as error:
        reason = str(error).strip() or type(error).__name__
        raise PromptRefusedError(say("request.before_send_refused", reason=reason)) from error
    is_list = isinstance(found, (list, tuple)) and bool(found)
    if not is_list or not all(isinstance(message, Mapping) for message in found):
        raise UsageError(say("request.before_send_returned_no_messages", kind=type(found).__name__))
    return list(found)


async def screened_text(text: str, before_send: BeforeSend | None) -> str:
    """Return a text that is sent alone, such as that of a drawing; as one message for the function.

    Raises:
        PromptRefusedError, UsageError: As for `screened`.
    """
    if before_send is None:
        return text
    found = await screened([{"role": "user", "content": text}], before_send)
    content = found[-1].get("content")
    if len(found) != 1 or not isinstance(content, str):
        raise UsageError(say("request.before_send_returned_no_text"))
    return content


async def screened_pair(
    question: str, answer: str, before_send: BeforeSend | None
) -> tuple[str, str]:
    """Return a question and its answer, as they may be sent with feedback.

    Raises:
        PromptRefusedError, UsageError: As for `screened`.
    """
    if before_send is None or not (question or answer):
        return question, answer
    pair = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    texts = [message.get("content") for message in await screened(pair, before_send)]
    if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
        raise UsageError(say("request.before_send_returned_no_pair"))
    return texts[0], texts[1]


def once(before_send: BeforeSend) -> BeforeSend:
    """Return a function that asks ``before_send`` once where the same messages come again in a row.

    A prompt is screened before it is noted in a conversation, and its request when it is sent.
    """
    last: tuple[list[Any], list[Any]] | None = None

    async def ask(messages: list[Any]) -> list[Any]:
        nonlocal last
        if last is None or last[0] != messages:
            last = copy.deepcopy(messages), await screened(messages, before_send)
        return copy.deepcopy(last[1])

    return ask


async def screened_history(
    text: str, history: Sequence[Any], before_send: BeforeSend | None
) -> tuple[str, list[Any]]:
    """Return a message and the messages before it, as an agent gets them.

    Raises:
        PromptRefusedError, UsageError: As for `screened`.
    """
    if before_send is None:
        return text, list(history)
    *before, last = await screened([*history, {"role": "user", "content": text}], before_send)
    content = last.get("content")
    if last.get("role") != "user" or not isinstance(content, str) or not content.strip():
        raise UsageError(say("request.before_send_dropped_the_message"))
    return content, before
