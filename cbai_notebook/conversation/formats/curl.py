"""The raw requests as a shell script that any POSIX shell runs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from cbai_notebook.conversation.formats.escaping import json_text, one_line
from cbai_notebook.conversation.formats.requests import Asked, base_url, requests_of

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation

# Every line of indented JSON begins with a space, a bracket or a brace, so this is none of them.
_END = "END_OF_REQUEST"


def script(conversation: Conversation, settings: Settings, *, every_turn: bool) -> str:
    """Return a script that asks the last prompt, with what came before, or every prompt in turn."""
    asked = requests_of(conversation, settings, every_turn=every_turn)
    with_key = any(one.with_key for one in asked)
    head = [
        "#!/bin/sh",
        f"# The conversation {one_line(conversation.name)}. Run it with: sh THIS-FILE",
        "set -eu",
    ]
    if with_key:
        head.append(
            ': "${CLOUDBASE_API_KEY:?Set it to the API key of your CloudBase environment.}"'
        )
    return "\n".join([*head, _base(settings, asked), *map(_call, asked)]) + "\n"


def _base(settings: Settings, asked: list[Asked]) -> str:
    before, env, after = base_url(settings, asked)
    if env:
        missing = "Set it to the id of your CloudBase environment."
        default = f'"{before}${{CLOUDBASE_ENV_ID:?{missing}}}{after}"'
    elif before:
        default = shlex.quote(before)
    else:
        default = '"${CBAI_BASE_URL:?Set it to the address of your server, up to its /v1.}"'
    return f'base=${{CBAI_BASE_URL:-}}\n[ -n "$base" ] || base={default}'


def _call(asked: Asked) -> str:
    lines = [""]
    if asked.instead_of:
        lines.append(
            f"# This asked {one_line(asked.instead_of)}, which is only there in the notebook; "
            "CloudBase stands in for it."
        )
    lines.append(f'curl --silent --show-error --fail-with-body --no-buffer "$base{asked.path}" \\')
    if asked.with_key:
        lines.append('  --header "Authorization: Bearer $CLOUDBASE_API_KEY" \\')
    lines += [
        f"  --header {shlex.quote(f'{name}: {value}')} \\" for name, value in asked.headers.items()
    ]
    lines += [f"  --data-binary @- <<'{_END}'", json_text(asked.body, indent=2), _END]
    return "\n".join(lines)
