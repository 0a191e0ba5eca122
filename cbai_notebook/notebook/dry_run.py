"""``--dry-run``: print a request without sending it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation import secrets
from cbai_notebook.i18n import say
from cbai_notebook.text import plain, without_surrogates

if TYPE_CHECKING:
    from cbai_notebook.batching.dry_run import DryRun
    from cbai_notebook.client.request import Request
    from cbai_notebook.conversation import PreparedPrompt

SHOWN_DATA = 40
"""Characters of an image's data that are shown."""

_DATA = re.compile(r"data:[\w/+.-]+;base64,")


def show_request(request: Request, prepared: PreparedPrompt[Any]) -> None:
    """Print a request and the hints of its prompt, with the data of images shortened.

    Every secret is masked, also one that ``--allow-secrets`` would send: a notebook is saved with
    what its cells print.

    Args:
        request: The request that would be sent.
        prepared: The prompt of the request.
    """
    from cbai_notebook.conversation.formats.escaping import json_text

    with secrets.known_keys(prepared.secrets):
        mask = secrets.masker()
    shown = request.shown()
    lines = [f"{shown['method']} {shown['url']}"]
    lines += [f"{name}: {value}" for name, value in shown["headers"].items()]
    lines += [
        "",
        mask(json_text(abbreviated(shown["body"]), indent=2)),
        "",
        say("cell.nothing_sent"),
    ]
    sys.stdout.write(plain("\n".join([*prepared.hints, *lines]) + "\n"))


def show_requests(run: DryRun) -> None:
    """Print what a batch would send, with secrets masked and the data of images shortened."""
    shown = secrets.masker()(str(replace(run, first=abbreviated(run.first))))
    sys.stdout.write(plain(f"{shown}\n\n{say('cell.nothing_sent')}\n"))


def pretty_json(value: Any) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def abbreviated(value: Any) -> Any:
    """Return a request's body for display, with the data of its images shortened.

    Args:
        value: A JSON value: a scalar, a list or a dict.
    """
    if isinstance(value, str):
        value = without_surrogates(value)  # as it is sent
        match = _DATA.match(value)
        hidden = len(value) - match.end() - SHOWN_DATA if match else 0
        return f"{value[:-hidden]}… ({hidden:,} more characters)" if hidden > 0 else value
    if isinstance(value, Mapping):
        return {name: abbreviated(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [abbreviated(item) for item in value]
    return value
