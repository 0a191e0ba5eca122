"""Export requests as a script of curl commands for any POSIX shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from cbai_notebook.conversation.formats.escaping import json_text
from cbai_notebook.conversation.formats.requests import (
    ExportedRequest,
    ExportedServer,
    requests_of,
)
from cbai_notebook.i18n import say
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation

# No line of indented JSON can be this: each begins with a space, a bracket or a brace.
_HERE_DOCUMENT_END = "END_OF_REQUEST"


def script(conversation: Conversation, settings: Settings, *, every_turn: bool) -> str:
    """Return a script that sends the last request with its context, or every turn's request."""
    requests = requests_of(conversation, settings, every_turn=every_turn)
    lines = [
        "#!/bin/sh",
        f"# {say('export.curl_heading', name=one_line(conversation.name))}",
        "set -eu",
    ]
    server = None
    for request in requests:
        if request.server != server:
            server = request.server
            lines += _address(server)
        lines.append(_call(request))
    return "\n".join(lines) + "\n"


def _address(server: ExportedServer) -> list[str]:
    """Return the lines that set ``base`` and ``key``."""
    before, env, after = server.base
    key = f"key=${{{server.key}:-}}"
    if server.needs_key:
        key = f'key="${{{server.key}:?{_hint(server.key_meaning)}}}"'
    if server.fixed:
        return [f"base={shlex.quote(before)}", key]
    if not before:
        return [
            f'base="${{CBAI_BASE_URL:?{_hint(say("export.server_address"))}}}"',
            key,
        ]
    base = shlex.quote(before)
    if env:
        missing = _hint(say("export.cloudbase_env"))
        base = f'"{before}${{CLOUDBASE_ENV_ID:?{missing}}}{after}"'
    if server.key == "CBAI_API_KEY":
        return ["base=${CBAI_BASE_URL:-}", f'[ -n "$base" ] || base={base}', key]
    return [
        "base=${CBAI_BASE_URL:-}",
        "key=${CBAI_API_KEY:-}",
        'if [ -z "$base" ]; then',
        f"  base={base}",
        f"  {key}",
        "fi",
    ]


def _hint(meaning: str) -> str:
    return say("export.set_it", meaning=meaning)


def _call(request: ExportedRequest) -> str:
    lines = [
        "",
        f"{request.comment}curl --silent --show-error --fail-with-body --no-buffer "
        f'"$base{request.path}" \\',
        '  ${key:+--header "Authorization: Bearer $key"} \\',
    ]
    missing = _hint(say("export.header_value"))
    lines += [
        f'  --header {shlex.quote(f"{name}: ")}"${{{variable}:?{missing}}}" \\'
        for name, variable in request.server.headers.items()
    ]
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
