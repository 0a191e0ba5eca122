"""A request, as the demo model reads it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cbai_notebook.client.secret import Secret


@dataclass(frozen=True)
class DemoRequest:
    """A request to the demo model.

    Args:
        body: The parameters as they arrived: ``model``, ``messages`` and all others.
        headers: The headers by their names in lower case. The values print as dots, since keys
            are among them; they compare as the plain text.
    """

    body: Mapping[str, Any]
    headers: Mapping[str, Secret] = field(default_factory=dict)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """A copy of the messages."""
        return copy.deepcopy(self.sent)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The messages themselves, which must not be changed."""
        return [each for each in self.body.get("messages") or () if isinstance(each, dict)]

    @property
    def prompts(self) -> list[str]:
        """The texts of the user's messages."""
        return [text_of(each) for each in self.sent if each.get("role") == "user"]

    @property
    def prompt(self) -> str:
        """The text of the user's last message."""
        return next(reversed(self.prompts), "")

    @property
    def images(self) -> int:
        """The number of images in the last message."""
        content = self.sent[-1].get("content") if self.sent else None
        parts = content if isinstance(content, list) else []
        return sum("image" in str(part.get("type")) for part in parts if isinstance(part, dict))

    @property
    def think(self) -> bool | None:
        """Whether the model is to think; None where the request does not say.

        The parameters are those of `cbai_notebook.client.thinking`.
        """
        thinking = self.body.get("thinking")
        if isinstance(thinking, dict):
            return thinking.get("type") == "enabled"
        template = self.body.get("chat_template_kwargs")
        given = template if isinstance(template, dict) else self.body
        think = given.get("enable_thinking")
        return think if isinstance(think, bool) else None

    @property
    def tools(self) -> dict[str, dict[str, Any]]:
        """The schemas of the parameters of the tools, by their names."""
        found = self.body.get("tools") or []
        functions = [each.get("function") or {} for each in found if isinstance(each, dict)]
        return {each["name"]: each.get("parameters") or {} for each in functions if "name" in each}

    @property
    def tool_results(self) -> list[tuple[str, str]]:
        """The names and results of the tools that were just called; else empty."""
        return list(reversed(list(self._last_results())))

    @property
    def calls_before(self) -> int:
        """The number of tool calls in the conversation."""
        return sum(len(each.get("tool_calls") or ()) for each in self.sent)

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema that the answer has to fit, if there is one."""
        wanted = self.body.get("response_format")
        if not isinstance(wanted, dict) or wanted.get("type") not in ("json_schema", "json_object"):
            return None
        described = wanted.get("json_schema")
        schema = described.get("schema") if isinstance(described, dict) else None
        return schema if isinstance(schema, dict) else {"type": "object"}

    @property
    def most_tokens(self) -> int | None:
        """The token limit of the answer, if there is one."""
        limits = (self.body.get(name) for name in ("max_tokens", "max_completion_tokens"))
        return next((limit for limit in limits if isinstance(limit, int) and limit > 0), None)

    def _last_results(self) -> Iterator[tuple[str, str]]:
        messages = self.sent
        calls = [call for each in messages for call in each.get("tool_calls") or ()]
        names = {call.get("id"): (call.get("function") or {}).get("name") for call in calls}
        for message in reversed(messages):
            if message.get("role") != "tool":
                return
            yield str(names.get(message.get("tool_call_id")) or "tool"), text_of(message)


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message, whose content may be a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
