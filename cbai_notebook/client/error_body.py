"""Read the code, the message and the request id from the body of an error, in whatever shape it comes.

Servers use many names for the same things: ``error_msg``, ``Message``, ``base_resp.status_msg``,
``detail``. The names are looked up without case and underscores, in the object itself and in the
objects inside it that usually hold an error. No server has rules of its own here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cbai_notebook.client import chat_wire
from cbai_notebook.errors import InvalidResponseError

# In these tables the names have no case and no underscores, and the first name that is found counts.
_INNER = ("error", "response", "baseresp")
"""The objects that hold the error."""
_MESSAGES = (
    "message", "errormessage", "errormsg", "statusmsg", "errmsg", "msg", "errordescription",
    "detail", "details", "description", "reason", "errors", "error", "title",
)  # fmt: skip
_CODES = ("code", "errorcode", "errcode", "statuscode", "errortype")
_KINDS = ("type", "status")
"""The kind of an error stands here, but only in an object that is nothing else than an error."""
_STATUSES = ("code", "errorcode", "statuscode", "httpstatus", "status")
_REQUEST_IDS = ("requestid",)
_PLACES = ("loc", "param", "field", "pointer", "property")
"""The names for the field of the request that is wrong."""

# A body with status 200 reports an error when one of these codes is not one of the good ones.
_CODES_OF_200 = ("code", "errorcode", "errcode", "statuscode")
_GOOD = frozenset({"", "0", "200", "ok", "success", "succeeded", "normal", "none", "null"})
_ERROR_WORDS = frozenset({"error", "failed", "failure", "fail"})

# Deeper objects, and more entries of a list, are not read: the body may be hostile.
_DEEPEST = 6
_MOST_ENTRIES = 3
_MOST_READ = 20
# Where the reason is searched in text that is not JSON, in bytes.
_LONGEST_SEARCHED = 16 * 1024

_HTML_REASON = re.compile(r"<(?:title|message|h1)\b[^<>]{0,200}>([^<]{1,1000})<", re.IGNORECASE)
_BROKEN_REASON = re.compile(
    rb'"(?:message|msg|detail|error|error_msg)"\s*:\s*("(?:[^"\\]|\\.){1,4000}")', re.IGNORECASE
)
_TOKEN = re.compile(r"[A-Za-z][\w.-]*[_.-][\w.-]*")


@dataclass(frozen=True)
class ErrorBody:
    """The content of an error body.

    Args:
        code: The error code, as text; None if there is none.
        message: The server's words; empty if there are none.
        request_id: The id of the request, or None.
        status: The HTTP status that the body itself names, or None.
        is_page: Whether the body is an HTML page or XML.
    """

    code: str | None = None
    message: str = ""
    request_id: str | None = None
    status: int | None = None
    is_page: bool = False


def read(body: bytes) -> ErrorBody:
    """Read the body of an error: JSON of any shape, an HTML page, or plain text."""
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"[", b'"'):
        try:
            return of_value(chat_wire.load(text))
        except InvalidResponseError:
            # The end of a large body was not read: a server may repeat the prompt in it.
            found = _BROKEN_REASON.search(text[:_LONGEST_SEARCHED])
            if found:
                return ErrorBody(message=_unescaped(found[1]))
    words = text.decode("utf-8", "replace")
    if text[:1] == b"<":
        return ErrorBody(message=title(words), is_page=True)
    return ErrorBody(message=words)


def of_value(value: Any) -> ErrorBody:
    """Read the JSON value of an error."""
    if isinstance(value, Mapping) and not _is_error(value.get("error")):
        value = next(_errors_of_choices(value), value)
    objects = list(_objects(value, 0))
    return ErrorBody(
        code=_code(objects),
        message=_reason(value, 0),
        request_id=next(_texts(objects, _REQUEST_IDS), None),
        status=next(
            (
                int(text)
                for text in _texts(objects, _STATUSES)
                if text.isdecimal() and _is_error_status(text)
            ),
            None,
        ),
    )


def _unescaped(text: bytes) -> str:
    try:
        return str(chat_wire.load(text))
    except InvalidResponseError:
        return text.decode("utf-8", "replace")


def title(page: str) -> str:
    """Return the title or the main heading of an HTML page, or the message of an XML error."""
    import html

    found = _HTML_REASON.search(page[:_LONGEST_SEARCHED])
    return " ".join(html.unescape(found[1]).split()) if found else ""


def reports_error(value: Mapping[str, Any]) -> bool:
    """Return whether the JSON object in a response with status 200 reports an error.

    An object with choices is an answer, except if it or one of them has an ``error`` too.
    """
    names = _plain_names(value)
    if _is_error(names.get("error")) or any(True for _ in _errors_of_choices(value)):
        return True
    if names.get("choices"):
        return False
    if names.get("errors") or names.get("success") is False:
        return True
    if any(
        str(names.get(name, "")).strip().lower() in _ERROR_WORDS
        for name in ("object", "type", "status")
    ):
        return bool(_reason(value, 0))
    return any(
        isinstance(code, (str, int))
        and not isinstance(code, bool)
        and str(code).strip().lower() not in _GOOD
        for each in _objects(value, 0)
        for name in _CODES_OF_200
        if (code := _plain_names(each).get(name)) is not None
    )


def _errors_of_choices(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the errors that stand in the choices of an answer."""
    choices = value.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        error = choice.get("error") if isinstance(choice, Mapping) else None
        if isinstance(error, Mapping) and _is_error(error):
            yield error


def _is_error(value: Any) -> bool:
    """Return whether the value of ``error`` is one: ``{"code": 0, "message": ""}`` is none."""
    if isinstance(value, Mapping):
        code = _plain_names(value).get("code")
        if code not in (None, "") and str(code).strip().lower() in _GOOD:
            return False
        return any(
            not (inner is None or str(inner).strip().lower() in _GOOD) for inner in value.values()
        )
    return bool(value) and str(value).strip().lower() not in _GOOD


def _objects(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that describe the error, the innermost first."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value[:1]:
            yield from _objects(each, depth + 1)
    elif isinstance(value, Mapping):
        names = _plain_names(value)
        for name in (*_INNER, "detail", "errors"):
            yield from _objects(names.get(name), depth + 1)
        yield value


def _reason(value: Any, depth: int) -> str:
    """Return the server's words in a JSON value; empty if there are none."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, str):
        return _reason_in_text(value, depth)
    if isinstance(value, list):
        return _joined([_reason(each, depth + 1) for each in value[:_MOST_READ]])
    if not isinstance(value, Mapping):
        return ""
    names = _plain_names(value)
    for name in _INNER:
        if isinstance(names.get(name), (Mapping, list)):
            inner = _reason(names[name], depth + 1)
            if inner:
                return inner
    message, found = "", ""
    for found in _MESSAGES:
        message = _reason(names.get(found), depth + 1)
        if message:
            break
    if not message:
        # For example {"errors": {"model": ["is required"]}}.
        entries = {
            name: _reason(each, depth + 1)
            for name, each in list(value.items())[:_MOST_READ]
            if isinstance(each, list)
        }
        return _joined([f"{name}: {reason}" for name, reason in entries.items() if reason])
    if found != "errors":
        more = _reason(names.get("errors"), depth + 1)
        message = f"{message.rstrip('.: ')}: {more}" if more not in message else message
    heading = names.get("title")
    if isinstance(heading, str) and heading.strip() not in message:
        message = f"{heading.strip()}: {message}"
    metadata = names.get("metadata")
    raw = _reason(metadata.get("raw"), depth + 1) if isinstance(metadata, Mapping) else ""
    if raw and raw not in message:
        message = f"{message}: {raw}"
    place = _place(names)
    return f"{place}: {message}" if place and place not in message else message


def _reason_in_text(text: str, depth: int) -> str:
    """Return the words in a text, which may be the JSON of another server's error."""
    text = text.strip()
    if text[:1] in ("{", "["):
        try:
            inner = _reason(chat_wire.load(text.encode("utf-8", "replace")), depth + 1)
        except InvalidResponseError:
            inner = ""
        return inner or text
    return text


def _joined(reasons: list[str]) -> str:
    found = list(dict.fromkeys(reason for reason in reasons if reason))
    more = len(found) - _MOST_ENTRIES
    return "; ".join(found[:_MOST_ENTRIES]) + (f"; and {more} more" if more > 0 else "")


def _place(names: Mapping[str, Any]) -> str:
    """Return the field of the request that is wrong, as ``body.messages.0.content``."""
    for name in _PLACES:
        place = names.get(name)
        if isinstance(place, list):
            return ".".join(str(part) for part in place if isinstance(part, (str, int)))
        if isinstance(place, str) and place:
            return place
    return ""


def _code(objects: list[Mapping[str, Any]]) -> str | None:
    """Return the first code that says more than an HTTP status does; else the status."""
    found = [
        text
        for number, value in enumerate(objects, 1)
        for text in _texts([value], _codes_of(value, inner=number < len(objects)))
        if text.lower() not in _GOOD | _ERROR_WORDS and "about:" not in text and "/" not in text
    ]
    return next((text for text in found if not _is_error_status(text)), next(iter(found), None))


def _codes_of(value: Mapping[str, Any], *, inner: bool) -> tuple[str, ...]:
    """Return the names under which an object has its code."""
    names = _plain_names(value)
    codes: tuple[str, ...] = _CODES
    if (inner or names.get("object") == "error") and "loc" not in names:
        codes += _KINDS
    error = names.get("error")
    if isinstance(error, str) and _TOKEN.fullmatch(error):
        # As in {"error": "invalid_request", "error_description": "…"}.
        codes += ("error",)
    return codes


def _texts(objects: list[Mapping[str, Any]], wanted: tuple[str, ...]) -> Iterator[str]:
    for value in objects:
        names = _plain_names(value)
        for name in wanted:
            found = names.get(name)
            if isinstance(found, (str, int)) and not isinstance(found, bool) and found != "":
                yield str(found)


def _is_error_status(text: str) -> bool:
    return len(text) == 3 and text.isdecimal() and 400 <= int(text) < 600


def _plain_names(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with its names in lower case and without underscores.

    An underscore at the beginning stays: such a name is a field of the server's own.
    """
    return {
        f"{name[:1]}{name[1:].replace('_', '')}".lower(): value[name] for name in map(str, value)
    }
