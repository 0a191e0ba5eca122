"""Export a conversation's prompt as an app: a WeChat Mini Program, or a web page.

No text of a conversation is written into code. It goes into one data file, or one data element of
the page; all other files are the same in every export of a language.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
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
from cbai_notebook.i18n import language, listed, say
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
    conversation: Conversation,
    settings: Settings,
    examples: Iterable[int],
    template: tuple[str, str] | None = None,
) -> dict[str, str]:
    """Return the files of a folder that opens in WeChat DevTools.

    Args:
        conversation: Its last answered turn gives the provider, the model and the parameters.
        settings: Settings with the environment's id.
        examples: Numbers of the turns that are sent before every prompt as examples.
        template: What stands before and behind each text of the user, which is then asked alone.

    Raises:
        UsageError: The conversation is empty, or an example does not exist or has no answer.
    """
    prompt, notes = _prompt(conversation, settings, examples, template)
    library = _FIRST_LIBRARY if prompt["provider"] in _FIRST_PROVIDERS else _LIBRARY
    project = {
        "description": say("app.description"),
        "appid": "touristappid",
        "projectname": file_stem(conversation.name),
        "compileType": "miniprogram",
        "libVersion": library,
        "setting": {"es6": True, "enhance": True, "postcss": True, "minified": True},
        "packOptions": {"ignore": [{"type": "file", "value": "README.md"}], "include": []},
        "condition": {},
    }
    folder = _FOLDER / "mini_program"
    readme = (folder / f"README.{language()}.md").read_text("utf-8")
    labels = {
        **_labels("clear", "empty", "input", "send", "thinking", "incomplete", "toast", "retry"),
        "tooOld": say("app.wechat_too_old"),
        "update": say("app.update_wechat", version=library),
    }
    notes.insert(0, say("app.library", version=library))
    return {
        "README.md": fill(
            readme,
            NAME=in_markdown(conversation.name),
            NOTES="\n".join(f"- {note}" for note in notes),
        ),
        "project.config.json": json_text(project, indent=2) + "\n",
        "prompt.js": (
            f"// {say('app.data')}\nmodule.exports = {javascript({**prompt, 'labels': labels})};\n"
        ),
        "app.json": fill((folder / "app.json").read_text("utf-8"), TITLE=say("app.label_title")),
        **{path: (folder / path).read_text("utf-8") for path in _PAGES},
    }


def web_page(
    conversation: Conversation,
    settings: Settings,
    examples: Iterable[int],
    template: tuple[str, str] | None = None,
) -> str:
    """Return an HTML page that sends prompts with the CloudBase Web SDK.

    Args:
        conversation: Its last answered turn gives the provider, the model and the parameters.
        settings: Settings with the environment's id and region.
        examples: Numbers of the turns that are sent before every prompt as examples.
        template: What stands before and behind each text of the user, which is then asked alone.

    Raises:
        UsageError: The conversation is empty, or an example does not exist or has no answer.
    """
    prompt, notes = _prompt(conversation, settings, examples, template)
    data = {
        **prompt,
        "region": settings.region or "ap-shanghai",
        "publishableKey": "",
        "notes": notes,
        "labels": _labels("thinking", "incomplete", "failed", "retry"),
    }
    page = (_FOLDER / "web_page.html").read_text("utf-8")
    around = _labels("title", "clear", "input", "message", "send")
    return fill(
        page,
        PROMPT=json_in_html(data),
        LANGUAGE={"zh": "zh-CN"}.get(language(), "en"),
        ABOUT=say("app.about_page"),
        DOMAIN=say("app.safe_domain"),
        SIGNIN=say("app.sign_in"),
        **{name.upper(): escape(label) for name, label in around.items()},
    )


def _labels(*names: str) -> dict[str, str]:
    """Return what the users of the app see, by the names in its code."""
    return {name: say(f"app.label_{name}") for name in names}


def _prompt(
    conversation: Conversation,
    settings: Settings,
    examples: Iterable[int],
    template: tuple[str, str] | None,
) -> tuple[dict[str, Any], list[str]]:
    """Return the data that the app sends with every prompt, and notes for its reader."""
    turns = turns_of(conversation)
    # Not simply the last turn: if that one failed, the app should use settings that worked.
    last = next((turn for turn in reversed(turns) if turn.text), turns[-1])
    target = target_of(last, settings, custom=False)
    omitted = [name for name in last.params if name in _NOTEBOOK_ONLY - {"stream_options"}]
    notes: list[str] = []
    if target.replaced_provider:
        notes.append(
            say(
                "app.replaced_provider",
                asked=in_markdown(target.replaced_provider),
                provider=target.provider,
            )
        )
    if omitted:
        notes.append(say("app.left_out", names=listed(map(in_markdown, omitted))))
    if not settings.env_id:
        notes.append(say("app.env_needed", placeholder=NO_ENV))
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
        **({"template": list(template)} if template else {}),
    }, notes


def _examples(turns: tuple[Turn, ...], numbers: Iterable[int]) -> list[Message]:
    """Return the messages of turns by number: from 0, or from the end with -1."""
    messages: list[Message] = []
    for number in numbers:
        if not -len(turns) <= number < len(turns) or not turns[number].text:
            raise UsageError(say("app.no_example", number=number, last=len(turns) - 1))
        turn = turns[number]
        messages += [
            {"role": "user", "content": turn.prompt},
            {"role": "assistant", "content": turn.final_text},
        ]
    return messages
