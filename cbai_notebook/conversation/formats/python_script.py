"""Export requests as a Python script that needs only the standard library."""

from __future__ import annotations

from pprint import pformat
from typing import TYPE_CHECKING

from cbai_notebook.conversation.formats.escaping import fill
from cbai_notebook.conversation.formats.requests import ExportedRequest, base_url, requests_of
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation

_SCRIPT = '''\
# The conversation @NAME@. Run it with: python THIS-FILE
import json
import os
import sys
import urllib.error
import urllib.request


def setting(name, meaning):
    return os.environ.get(name) or sys.exit(f"Set {name} to {meaning}.")


@BASE@
@KEY@


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is for one server; it follows no redirect to another."""

    def redirect_request(self, *_):
        return None


def ask(path, headers, body):
    """Send one request and print the answer as it comes."""
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
        sys.exit(f"No connection: {error.reason}")
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
            sys.exit(f"The server broke off: {data.decode()}")
        for choice in event["choices"]:
            yield choice.get("delta", {}).get("content") or ""

'''


def script(conversation: Conversation, settings: Settings, *, every_turn: bool) -> str:
    """Return a script that sends the last request with its context, or every turn's request."""
    requests = requests_of(conversation, settings, every_turn=every_turn)
    head = fill(
        _SCRIPT,
        BASE=_base(settings, requests),
        KEY=_key(requests),
        NAME=one_line(conversation.name),
    )
    return head + "\n".join(map(_call, requests))


def _base(settings: Settings, requests: list[ExportedRequest]) -> str:
    before, env, after = base_url(settings, requests)
    if env:
        missing = '"the id of your CloudBase environment"'
        return f"""\
BASE = os.environ.get("CBAI_BASE_URL")
if not BASE:
    BASE = {before!r} + setting("CLOUDBASE_ENV_ID", {missing}) + {after!r}"""
    if before:
        return f'BASE = os.environ.get("CBAI_BASE_URL") or {before!r}'
    return 'BASE = setting("CBAI_BASE_URL", "the address of your server, up to its /v1")'


def _key(requests: list[ExportedRequest]) -> str:
    if any(request.needs_key for request in requests):
        return 'KEY = setting("CLOUDBASE_API_KEY", "the API key of your CloudBase environment")'
    return 'KEY = os.environ.get("CLOUDBASE_API_KEY")'


def _call(request: ExportedRequest) -> str:
    body = pformat(dict(request.body), width=96, sort_dicts=False)
    return f"\n{request.comment}body = {body}\nask({request.path!r}, {dict(request.headers)!r}, body)\n"
