"""Export requests as a Python script that needs only the standard library."""

from __future__ import annotations

from pprint import pformat
from typing import TYPE_CHECKING

from cbai_notebook.conversation.formats.escaping import fill
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

_SCRIPT = '''\
# @HEADING@
import json
import os
import sys
import urllib.error
import urllib.request


def setting(name, missing):
    return os.environ.get(name) or sys.exit(missing)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """@REDIRECT@"""

    def redirect_request(self, *_):
        return None


def ask(path, headers, body):
    """@SENDS@"""
    request = urllib.request.Request(BASE.rstrip("/") + path, json.dumps(body).encode(), headers)
    if KEY:
        request.add_header("Authorization", f"Bearer {KEY}")
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=600) as answer:
            for text in pieces(answer, body["stream"]):
                print(text, end="", flush=True)
    except urllib.error.HTTPError as error:
        sys.exit(f"HTTP {error.code}: {error.read().decode(errors='replace')}")
    except urllib.error.URLError as error:
        sys.exit(f"@UNCONNECTED@")
    print()


def pieces(answer, stream):
    if not stream:
        yield json.load(answer)["choices"][0]["message"]["content"] or ""
        return
    for line in answer:
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data == b"[DONE]":
            continue
        event = json.loads(data)
        if "choices" not in event:
            sys.exit(f"@BROKEN@")
        for choice in event["choices"]:
            yield choice.get("delta", {}).get("content") or ""

'''


def script(conversation: Conversation, settings: Settings, *, every_turn: bool) -> str:
    """Return a script that sends the last request with its context, or every turn's request."""
    requests = requests_of(conversation, settings, every_turn=every_turn)
    parts = [
        fill(
            _SCRIPT,
            HEADING=say("export.python_heading", name=one_line(conversation.name)),
            REDIRECT=say("export.no_redirect"),
            SENDS=say("export.sends_one"),
            UNCONNECTED=say("export.no_connection", reason="{error.reason}"),
            BROKEN=say("export.broken_off", reason="{data.decode()}"),
        )
    ]
    server = None
    for request in requests:
        if request.server != server:
            server = request.server
            parts.append(_address(server))
        parts.append(_call(request))
    return "\n".join(parts)


def _address(server: ExportedServer) -> str:
    """Return the lines that set ``BASE`` and ``KEY``."""
    before, env, after = server.base
    base = repr(before)
    if env:
        setting = _setting("CLOUDBASE_ENV_ID", say("export.cloudbase_env"))
        base = f"{before!r} + {setting} + {after!r}"
    key = f'os.environ.get("{server.key}")'
    if server.needs_key:
        key = _setting(server.key, server.key_meaning)
    if server.fixed:
        return f"BASE = {base}\nKEY = {key}"
    if not before:
        base = _setting("CBAI_BASE_URL", say("export.server_address"))
        return f"BASE = {base}\nKEY = {key}"
    if server.key == "CBAI_API_KEY":
        return f'BASE = os.environ.get("CBAI_BASE_URL") or {base}\nKEY = {key}'
    return f"""\
BASE, KEY = os.environ.get("CBAI_BASE_URL"), os.environ.get("CBAI_API_KEY")
if not BASE:
    BASE = {base}
    KEY = {key}"""


def _setting(variable: str, meaning: str) -> str:
    """Return the call that reads an environment variable, or says what to set it to."""
    missing = say("export.set_variable", variable=variable, meaning=meaning)
    return f'setting("{variable}", "{missing}")'


def _call(request: ExportedRequest) -> str:
    body = pformat(dict(request.body), width=96, sort_dicts=False)
    headers = repr(dict(request.headers))
    for name, variable in request.server.headers.items():
        value = _setting(variable, say("export.header_value"))
        headers = f"{headers[:-1]}, {name!r}: {value}}}"
    return f"\n{request.comment}body = {body}\nask({request.path!r}, {headers}, body)\n"
