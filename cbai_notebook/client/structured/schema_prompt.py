"""The schema in words, for providers that refuse ``response_format``.

Not every model takes a JSON Schema: DeepSeek's documentation names ``json_object`` only, and a request
with a schema is refused. Then the prompt says what the answer is to be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cbai_notebook.client.answer import Answer, Messages
from cbai_notebook.client.structured.response_type import ResponseType
from cbai_notebook.errors import BadRequestError

Ask = Callable[[Messages, int], Awaitable[Answer]]


def in_words(ask: Ask, response: ResponseType | None, given: dict[str, Any]) -> Ask:
    """Return an asker that goes over to words when the schema is refused, and stays there.

    Args:
        ask: Sends one step, with the parameters that ``given`` holds at the time.
        response: What the answer is to be.
        given: The parameters; the format is taken out of them when it is refused.
    """
    if response is None or given.get("response_format") != response.format:
        return ask  # a format that the caller chose is the caller's affair

    async def ask_step(messages: Messages, number: int) -> Answer:
        if "response_format" in given:
            try:
                return await ask(messages, number)
            except BadRequestError as error:
                if not any(name in error.message for name in ("response_format", "json_schema")):
                    raise
            del given["response_format"]
        return await ask(_with_instruction(messages, response.instruction), number)

    return ask_step


def _with_instruction(messages: Messages, instruction: str) -> Messages:
    *before, last = messages
    if last.get("role") == "user" and isinstance(last.get("content"), str):
        # Some chat templates refuse two user messages in a row.
        return [*before, {**last, "content": f"{last['content']}\n\n{instruction}"}]
    return [*messages, {"role": "user", "content": instruction}]
