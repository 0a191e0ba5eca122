"""The JSON Schema in the prompt, for providers that refuse it as ``response_format``.

Not every model takes a JSON Schema: DeepSeek's documentation names ``json_object`` only, and a
request with a schema is refused. Then the schema becomes a part of the prompt.
"""

from __future__ import annotations

from typing import Any

from cbai_notebook.client.answer import Answer, Messages, SendStep
from cbai_notebook.client.structured.response_type import ResponseType
from cbai_notebook.errors import BadRequestError


def with_schema_prompt(
    send_step: SendStep, response: ResponseType | None, given: dict[str, Any]
) -> SendStep:
    """Wrap ``send_step``: if the provider refuses the schema, put it into the prompt.

    The same request is then sent again, and every later step has the schema in its prompt.

    Args:
        send_step: Sends one step with the current parameters in ``given``.
        response: The type of the answer.
        given: The parameters; ``response_format`` is removed after a refusal. Without it, the schema
            was refused before.
    """
    if response is None or given.get("response_format", response.format) != response.format:
        return send_step  # the caller chose another format

    async def send_with_fallback(messages: Messages, number: int) -> Answer:
        if "response_format" in given:
            try:
                return await send_step(messages, number)
            except BadRequestError as error:
                if not any(
                    name in error.server_message for name in ("response_format", "json_schema")
                ):
                    raise
            del given["response_format"]
        return await send_step(_with_instruction(messages, response.instruction), number)

    return send_with_fallback


def _with_instruction(messages: Messages, instruction: str) -> Messages:
    *before, last = messages
    if last.get("role") == "user" and isinstance(last.get("content"), str):
        # Some chat templates refuse two user messages in a row.
        return [*before, {**last, "content": f"{last['content']}\n\n{instruction}"}]
    return [*messages, {"role": "user", "content": instruction}]
