"""The JSON Schema in the prompt, for providers that refuse it as ``response_format``.

Not every model takes a JSON Schema: DeepSeek's documentation names ``json_object`` only, and a
request with a schema is refused. Then the schema becomes a part of the prompt.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cbai_notebook.client.answer import Answer, Messages
from cbai_notebook.client.structured.response_type import ResponseType
from cbai_notebook.errors import BadRequestError

Ask = Callable[[Messages, int], Awaitable[Answer]]


def in_words(ask: Ask, response: ResponseType | None, given: dict[str, Any]) -> Ask:
    """Wrap ``ask``: after the provider has refused the schema, put it into the prompt of all steps.

    Args:
        ask: Sends one step with the current parameters in ``given``.
        response: The type of the answer.
        given: The parameters; ``response_format`` is removed after a refusal.
    """
    if response is None or given.get("response_format") != response.format:
        return ask  # the caller chose another format

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
