"""What the demo model answers where no script tells it: rules that a reader sees through at once.

It answers in the language of the user, not in that of the prompt, like everything else that we say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cbai_notebook.client.demo.request import DemoRequest, text_of
from cbai_notebook.client.demo.schema_values import fitting_value
from cbai_notebook.client.demo.script import DemoAnswer
from cbai_notebook.client.demo.words import count
from cbai_notebook.i18n import LANGUAGES, Words, joined, say
from cbai_notebook.text import CJK, one_line

_LONGEST_QUOTE = 300
_LONGEST_QUESTION = 60
_MOST_LINES = 20
_LONGEST_LINES = 2_000

_ASKS_FOR_HELP = re.compile(
    r"\W*(?:help|what (?:can|could) (?:you|i) .*|帮助|你(?:能|会|可以).*什么)\W*", re.IGNORECASE
)
_ASKS_TO_CONTINUE = re.compile(r"continue your answer", re.IGNORECASE)
# Words of a function's name that say nothing about its subject.
_VERBS = frozenset({"and", "call", "find", "for", "from", "get", "make", "set", "the", "with"})
_NAME_PARTS = re.compile(r"[A-Z]?[^\W\d_A-Z]{2,}|[A-Z]{3,}")


def answer(request: DemoRequest) -> DemoAnswer:
    """Return the answer to a request; the same request gets the same answer."""
    thinking = ""
    if request.think:
        thinking = say("demo.thinks", n=count(request.prompt))
    if calls := list(_calls(request)):
        return DemoAnswer(thinking=thinking, calls=calls)
    return DemoAnswer(_text(request), thinking=thinking)


def _text(request: DemoRequest) -> str:
    if (schema := request.schema) is not None:
        return json.dumps(fitting_value(schema, request.prompt), ensure_ascii=False)
    if results := request.tool_results:
        return "\n\n".join(
            say("demo.tool_answered", name=name, text=one_line(text, _LONGEST_QUOTE))
            for name, text in results
        )
    if _ASKS_TO_CONTINUE.match(request.prompt) and (rest := _rest(request)):
        return rest
    if _ASKS_FOR_HELP.fullmatch(one_line(request.prompt, _LONGEST_QUESTION)):
        return say("demo.help")
    return joined(*_sentences(request))


def _sentences(request: DemoRequest) -> Iterator[str]:
    yield _question(request.prompt)
    if request.images:
        yield say("demo.was_shown", n=request.images)
    if len(request.prompts) > 1:
        yield say("demo.number_of_prompt", number=len(request.prompts))
    yield say("demo.only_repeats")


def _question(prompt: str) -> Words:
    """Return the prompt with the number of its words; one of several lines, as a table, keeps them."""
    lines = prompt.strip().splitlines()
    if len(lines) < 2:
        return say("demo.was_asked", n=count(prompt), prompt=one_line(prompt, _LONGEST_QUOTE))
    shown = "\n".join(lines[:_MOST_LINES])[:_LONGEST_LINES]
    left_out = "" if shown == "\n".join(lines) else "\n…"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    block = f"{fence}\n{shown}{left_out}\n{fence}\n\n"
    return say("demo.was_asked_in_lines", n=count(prompt), prompt=block)


def _rest(request: DemoRequest) -> str:
    """Return the rest of the answer that the conversation ends with; empty if it is not ours."""
    messages = request.sent
    if len(messages) < 3:
        return ""
    earlier = replace(request, body={**request.body, "messages": messages[:-2]})
    text, begun = _text(earlier), text_of(messages[-2])
    # It may have begun in another language than that of now.
    wholes = map(text.in_language, LANGUAGES) if isinstance(text, Words) else [text]
    return next((each[len(begun) :] for each in wholes if begun and each.startswith(begun)), "")


def _calls(request: DemoRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tools that the request forces, or else those whose names are in the prompt."""
    choice = request.body.get("tool_choice")
    if choice == "none" or request.tool_results:
        return
    tools = request.tools
    forced = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
    chosen = [forced] if forced in tools else [name for name in tools if _is_named(name, request)]
    if not chosen and choice == "required":
        chosen = list(tools)[:1]
    for name in chosen:
        yield name, fitting_value({"type": "object", **tools[name]}, request.prompt)


def _is_named(tool: str, request: DemoRequest) -> bool:
    prompt = request.prompt.casefold()
    parts = (part.casefold() for part in _NAME_PARTS.findall(tool))
    words = [tool.casefold(), *(part for part in parts if part not in _VERBS)]
    # Chinese has no blanks between words: the name may follow a character of it at once.
    return any(re.search(rf"(?<![^\W{CJK}]){re.escape(word)}", prompt) for word in words)
