"""Export a conversation's prompt as an app: a WeChat Mini Program, or a web page.

No text of a conversation is written into code. It goes into one data file, or one data element of
the page; all other files are the same in every export.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.formats.escaping import (
    file_stem,
    fill,
    in_markdown,
    javascript,
    json_in_html,
    json_text,
)
from cbai_notebook.conversation.formats.requests import target_of, turns_of
from cbai_notebook.errors import UsageError
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation, Message
    from cbai_notebook.conversation.turn import Turn

NO_ENV = "YOUR_ENV_ID"
"""The placeholder for the environment's id if it is not known."""

_FOLDER = Path(__file__).parent
_PAGES = (
    "app.js",
    "app.json",
    "app.wxss",
    "sitemap.json",
    "pages/chat/chat.js",
    "pages/chat/chat.json",
    "pages/chat/chat.wxml",
    "pages/chat/chat.wxss",
)

# The providers that the base library supports since 3.7.1; all others need a newer version.
# https://developers.weixin.qq.com/miniprogram/dev/wxcloudservice/wxcloud/reference-sdk-api/extend/ai
_FIRST_PROVIDERS = frozenset({"hunyuan-exp", "deepseek"})
_FIRST_LIBRARY, _LIBRARY = "3.7.1", "3.15.1"

# Parameters that need code in the notebook, or that the app's own call sets.
_NOTEBOOK_ONLY = frozenset(
    {
        "tools", "tool_choice", "parallel_tool_calls", "max_steps", "on_step_finish", "model",
        "messages", "stream", "stream_options", "timeout", "data",
    }
)  # fmt: skip


def mini_program(
    conversation: Conversation, settings: Settings, examples: Iterable[int]
) -> dict[str, str]:
    """Return the files of a folder that opens in WeChat DevTools.

    Args:
        conversation: Its last answered turn gives the provider, the model and the parameters.
        settings: Settings with the environment's id.
        examples: Numbers of the turns that are sent before every prompt as examples.

    Raises:
        UsageError: The conversation is empty, or an example does not exist or has no answer.
    """
    prompt, notes = _prompt(conversation, settings, examples)
    library = _FIRST_LIBRARY if prompt["provider"] in _FIRST_PROVIDERS else _LIBRARY
    project = {
        "description": "A chat with a CloudBase AI model. See README.md.",
        "appid": "touristappid",
        "projectname": file_stem(conversation.name),
        "compileType": "miniprogram",
        "libVersion": library,
        "setting": {"es6": True, "enhance": True, "postcss": True, "minified": True},
        "packOptions": {"ignore": [{"type": "file", "value": "README.md"}], "include": []},
        "condition": {},
    }
    folder = _FOLDER / "mini_program"
    readme = (folder / "README.md").read_text("utf-8")
    notes.insert(0, f"It needs WeChat's base library {library} or newer.")
    return {
        "README.md": fill(
            readme,
            NAME=in_markdown(conversation.name),
            NOTES="\n".join(f"- {note}" for note in notes),
        ),
        "project.config.json": json_text(project, indent=2) + "\n",
        "prompt.js": (
            "// What was tried out in the notebook. This file holds no key, and needs none.\n"
            f"module.exports = {javascript({**prompt, 'baseLibrary': library})};\n"
        ),
        **{path: (folder / path).read_text("utf-8") for path in _PAGES},
    }


def web_page(conversation: Conversation, settings: Settings, examples: Iterable[int]) -> str:
    """Return an HTML page that sends prompts with the CloudBase Web SDK.

    Args:
        conversation: Its last answered turn gives the provider, the model and the parameters.
        settings: Settings with the environment's id and region.
        examples: Numbers of the turns that are sent before every prompt as examples.

    Raises:
        UsageError: The conversation is empty, or an example does not exist or has no answer.
    """
    prompt, notes = _prompt(conversation, settings, examples)
    data = {
        **prompt,
        "region": settings.region or "ap-shanghai",
        "publishableKey": "",
        "notes": notes,
    }
    page = (_FOLDER / "web_page.html").read_text("utf-8")
    return fill(page, PROMPT=json_in_html(data))


def _prompt(
    conversation: Conversation, settings: Settings, examples: Iterable[int]
) -> tuple[dict[str, Any], list[str]]:
    """Return the data that the app sends with every prompt, and notes for its reader."""
    turns = turns_of(conversation)
    # Not simply the last turn: if that one failed, the app should use settings that worked.
    last = next((turn for turn in reversed(turns) if turn.text), turns[-1])
    target = target_of(last, settings, custom=False)
    omitted = [name for name in last.params if name in _NOTEBOOK_ONLY - {"stream_options"}]
    notes = []
    if target.replaced_provider:
        notes.append(
            f"The notebook asked {in_markdown(target.replaced_provider)}, which an app cannot reach. "
            f"Here the provider is {target.provider}: try the prompt again, another model may "
            "answer in another way."
        )
    if omitted:
        notes.append(
            f"Left out, for it needs the notebook: {', '.join(map(in_markdown, omitted))}."
        )
    if not settings.env_id:
        notes.append(f"Put the id of your CloudBase environment in the place of {NO_ENV}.")
    return {
        "title": one_line(conversation.name),
        "env": settings.env_id or NO_ENV,
        "provider": target.provider,
        "model": target.model or "",
        "params": {
            name: value
            for name, value in last.params.items()
            if name not in _NOTEBOOK_ONLY and value is not None
        },
        "system": conversation.system or "",
        "examples": _examples(turns, examples),
    }, notes


def _examples(turns: tuple[Turn, ...], numbers: Iterable[int]) -> list[Message]:
    """Return the messages of turns by number: from 0, or from the end with -1."""
    messages: list[Message] = []
    for number in numbers:
        if not -len(turns) <= number < len(turns) or not turns[number].text:
            raise UsageError(
                f"Turn {number} cannot be an example: there is no such turn with an answer. The "
                f"turns are numbered from 0 to {len(turns) - 1}."
            )
        turn = turns[number]
        messages += [
            {"role": "user", "content": turn.prompt},
            {"role": "assistant", "content": turn.final_text},
        ]
    return messages
