"""What the demo model answers where no script tells it: rules that a reader sees through at once."""

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
from cbai_notebook.text import counted, one_line

_LONGEST_QUOTE = 300
_LONGEST_QUESTION = 60

HELP = """\
I am the demo model, not a real one. I need no network and no key, and the same prompt always gets \
the same answer. With me you can try out:

- **Streaming**: my words come one after the other.
- **Thinking**: `--think` shows how it looks.
- **Tools**: with `--tool get_weather` I call your function when the prompt has a word of its name.
- **Objects**: with `--schema City` I make an object from the names and numbers of the prompt.
- **Images**: with `--image cat.png` I say how many I was shown.
- **Scripts**: `cbai.demo("An answer.")` has me answer what you want; `cbai.demo?` shows more.
"""

_ASKS_FOR_HELP = re.compile(r"\W*(?:help|what (?:can|could) (?:you|i) .*)\W*", re.IGNORECASE)
_ASKS_TO_CONTINUE = re.compile(r"continue your answer", re.IGNORECASE)
# Words of a function's name that say nothing about its subject.
_VERBS = frozenset({"and", "call", "find", "for", "from", "get", "make", "set", "the", "with"})
_NAME_PARTS = re.compile(r"[A-Z]?[^\W\d_A-Z]{2,}|[A-Z]{3,}")


def answer(request: DemoRequest) -> DemoAnswer:
    """Return the answer to a request; the same request gets the same answer."""
    thinking = ""
    if request.think:
        number = counted(count(request.prompt), "word")
        thinking = f"The prompt has {number}. A demo model cannot think, so I follow my rules."
    if calls := list(_calls(request)):
        return DemoAnswer(thinking=thinking, calls=calls)
    return DemoAnswer(_text(request), thinking=thinking)


def _text(request: DemoRequest) -> str:
    if (schema := request.schema) is not None:
        return json.dumps(fitting_value(schema, request.prompt), ensure_ascii=False)
    if results := request.tool_results:
        lines = (f"`{name}` answered: {one_line(text, _LONGEST_QUOTE)}" for name, text in results)
        return "\n\n".join(lines)
    if _ASKS_TO_CONTINUE.match(request.prompt) and (rest := _rest(request)):
        return rest
    if _ASKS_FOR_HELP.fullmatch(one_line(request.prompt, _LONGEST_QUESTION)):
        return HELP
    return " ".join(_sentences(request))


def _sentences(request: DemoRequest) -> Iterator[str]:
    number = counted(count(request.prompt), "word")
    yield f"You asked in {number}: “{one_line(request.prompt, _LONGEST_QUOTE)}”"
    if request.images:
        yield f"I was shown {counted(request.images, 'image')}."
    if len(request.prompts) > 1:
        yield f"It is prompt {len(request.prompts)} of our conversation."
    yield "I am the demo model and only repeat; ask me for `help`."


def _rest(request: DemoRequest) -> str:
    """Return the rest of the answer that the conversation ends with; empty if it is not ours."""
    messages = request.sent
    if len(messages) < 3:
        return ""
    earlier = replace(request, body={**request.body, "messages": messages[:-2]})
    whole, begun = _text(earlier), text_of(messages[-2])
    return whole[len(begun) :] if begun and whole.startswith(begun) else ""


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
    return any(re.search(rf"\b{re.escape(word)}", prompt) for word in words)
