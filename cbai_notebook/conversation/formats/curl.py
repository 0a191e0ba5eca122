"""Export requests as a script of curl commands for any POSIX shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from cbai_notebook.conversation.formats.escaping import json_text
from cbai_notebook.conversation.formats.requests import ExportedRequest, base_url, requests_of
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation

# No line of indented JSON can be this: each begins with a space, a bracket or a brace.
_HERE_DOCUMENT_END = "END_OF_REQUEST"


def script(conversation: Conversation, settings: Settings, *, every_turn: bool) -> str:
    """Return a script that sends the last request with its context, or every turn's request."""
    requests = requests_of(conversation, settings, every_turn=every_turn)
    needs_key = any(request.needs_key for request in requests)
    head = [
        "#!/bin/sh",
        f"# The conversation {one_line(conversation.name)}. Run it with: sh THIS-FILE",
        "set -eu",
    ]
    if needs_key:
        head.append(
            ': "${CLOUDBASE_API_KEY:?Set it to the API key of your CloudBase environment.}"'
        )
    return "\n".join([*head, _base(settings, requests), *map(_call, requests)]) + "\n"


def _base(settings: Settings, requests: list[ExportedRequest]) -> str:
    before, env, after = base_url(settings, requests)
    if env:
        missing = "Set it to the id of your CloudBase environment."
        default = f'"{before}${{CLOUDBASE_ENV_ID:?{missing}}}{after}"'
    elif before:
        default = shlex.quote(before)
    else:
        default = '"${CBAI_BASE_URL:?Set it to the address of your server, up to its /v1.}"'
    return f'base=${{CBAI_BASE_URL:-}}\n[ -n "$base" ] || base={default}'


def _call(request: ExportedRequest) -> str:
    lines = [
        "",
        f"{request.comment}curl --silent --show-error --fail-with-body --no-buffer "
        f'"$base{request.path}" \\',
    ]
    if request.needs_key:
        lines.append('  --header "Authorization: Bearer $CLOUDBASE_API_KEY" \\')
    lines += [
        f"  --header {shlex.quote(f'{name}: {value}')} \\"
        for name, value in request.headers.items()
    ]
    lines += [
        f"  --data-binary @- <<'{_HERE_DOCUMENT_END}'",
        json_text(request.body, indent=2),
        _HERE_DOCUMENT_END,
    ]
    return "\n".join(lines)
