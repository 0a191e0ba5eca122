"""The fields of a request that servers have refused, so that each refusal costs one request only.

Some fields are added by this package and not by the user: ``stream_options``, and those of the
assistant's messages that go back as they were received, such as ``reasoning_content``. A server that
does not know one of them refuses the complete request. The request is then sent without the field,
and the field is left out of all later requests of this process to the same address.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cbai_notebook.errors import APIError, BadRequestError

USAGE_IN_STREAM: Mapping[str, Any] = {"include_usage": True}
"""The ``stream_options`` of a request whose caller gave none."""

_STREAM_OPTIONS = "stream_options"
# The fields of an assistant's message, and of a tool call in it, that every server knows.
_KNOWN = frozenset({"role", "content", "name", "tool_calls"})
_KNOWN_IN_CALLS = frozenset({"id", "type", "function"})

# Addresses are remembered for as many servers as this; the address used longest ago goes first.
_MOST_SERVERS = 256

_refused: OrderedDict[str, frozenset[str]] = OrderedDict()

# Refusals of a field that do not name it.
_UNKNOWN_FIELD = re.compile(
    r"(?:extra|additional|unknown|unrecogni[sz]ed|unexpected|unsupported|undefined)\W+"
    r"(?:\w+\W+){0,2}?(?:field|parameter|param|argument|input|propert|key|attribute|option)"
    r"|(?:field|parameter|argument|property|key|option)s?\W+(?:\w+\W+){0,3}?"
    r"not\W+(?:supported|permitted|allowed|recogni[sz]ed)"
    r"|extra_forbidden|(?:未知|不支持|无法识别|多余)的?(?:请求)?(?:参数|字段)",
    re.IGNORECASE,
)
# These are in every request, and their names are everyday words.
_ALWAYS_SENT = frozenset({"model", "messages", "stream"})


def refused(url: str) -> frozenset[str]:
    """Return the names of the fields that the server at this address has refused.

    Args:
        url: The URL of a request; a query does not count.
    """
    return _refused.get(_address(url), frozenset())


def remember_refused(url: str, names: Iterable[str]) -> None:
    """Remember that the server at this address refuses fields.

    Call it when the request without the fields was accepted: only then they were the reason.

    Args:
        url: The URL of the request.
        names: The names of the fields in the request's body, or in its messages.
    """
    address = _address(url)
    _refused[address] = _refused.pop(address, frozenset()) | {*names}
    while len(_refused) > _MOST_SERVERS:
        _refused.popitem(last=False)


def refused_fields(error: APIError, body: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that may be the reason of an error, and that can be left out.

    Args:
        error: The error of the request.
        body: The body of the request.
    """
    names = set()
    if body.get(_STREAM_OPTIONS) == USAGE_IN_STREAM and may_refuse(error, _STREAM_OPTIONS, body):
        names.add(_STREAM_OPTIONS)
    if isinstance(error, BadRequestError):
        for message in _assistant_messages(body):
            calls = [call for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
            optional = ({*message} - _KNOWN).union(*({*call} - _KNOWN_IN_CALLS for call in calls))
            names |= {name for name in optional if names_field(error, name)}
    return names


def without(body: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return a body without some optional fields, its own and those of the assistant's messages."""
    if not names:
        return dict(body)
    kept = dict(body)
    if _STREAM_OPTIONS in names and kept.get(_STREAM_OPTIONS) == USAGE_IN_STREAM:
        del kept[_STREAM_OPTIONS]
    kept["messages"] = [
        _message_without(message, {*names}) if _is_assistants(message) else message
        for message in body.get("messages", ())
    ]
    return kept


def _message_without(message: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    kept = {name: value for name, value in message.items() if name not in names - _KNOWN}
    if isinstance(kept.get("tool_calls"), list):
        dropped = names - _KNOWN_IN_CALLS
        kept["tool_calls"] = [
            {name: value for name, value in call.items() if name not in dropped}
            if isinstance(call, Mapping)
            else call
            for call in kept["tool_calls"]
        ]
    return kept


def _assistant_messages(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [message for message in body.get("messages", ()) if _is_assistants(message)]


def _is_assistants(message: Any) -> bool:
    return isinstance(message, Mapping) and message.get("role") == "assistant"


def names_field(error: APIError, name: str) -> bool:
    """Return whether the server's message names this field of the request."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", error.server_message) is not None


def may_refuse(error: APIError, name: str, sent: Iterable[str] = ()) -> bool:
    """Return whether an error may be the refusal of a field.

    The server's message names the field, or it speaks of an unknown field and names none of the
    others.

    Args:
        error: The error.
        name: The name of the field.
        sent: The names of all fields of the request.
    """
    if names_field(error, name):
        return True
    if not isinstance(error, BadRequestError) or not _UNKNOWN_FIELD.search(error.server_message):
        return False
    others = {*sent} - _ALWAYS_SENT - {name}
    return not any(names_field(error, other) for other in others)


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
