"""Decide which addresses a link may have, and show the true host where a link misleads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from markdown_it.token import Token

from cbai_notebook.notebook.markdown.limits import ADDRESS_CHARACTERS, SHOWN_TARGET
from cbai_notebook.text import HANGUL, IDEOGRAPHS, KANA, normalized

if TYPE_CHECKING:
    from collections.abc import Sequence

# Browsers read a host with any other character differently, so such an address is not made a link.
_WEB = re.compile(
    r"https?://(?:[^\s/?#@\\\[\]]*@)?"
    r"(?P<host>[a-z0-9_](?:[a-z0-9_.-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?(?:[/?#][^\s\\<>\"]*)?",
    re.IGNORECASE,
)
_MAIL = re.compile(r"mailto:(?P<host>[^\s\\<>\"?#]{1,320})(?:\?[^\s\\<>\"#]*)?", re.IGNORECASE)
_FRAGMENT = re.compile(r"#[^\s\\<>\"]*")
_PICTURE = re.compile(r"data:image/(?:png|gif|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}")

_NAME = re.compile(r"[\w.\u3002-]+")
_TOP_LEVEL_LABEL = re.compile(r"[a-z]{2,24}|xn--[a-z0-9-]{2,59}|[0-9]{1,3}", re.IGNORECASE)
_CJK = re.compile(f"[{KANA}{IDEOGRAPHS}{HANGUL}]+")
# A word with a dot looks like a host when it ends in one of these, or in two letters, except the
# suffixes of files that models name often. ``numpy.array`` does not look like a host.
_TOP_LEVEL_DOMAINS = frozenset(
    str.split(
        "com org net edu gov mil int info biz name pro mobi asia xyz top site online store shop tech"
        " cloud app dev page blog wiki link click live vip work space fun icu club bank finance"
        " money credit insurance wang ren group ltd chat email news media digital agency network"
        " systems services support center world global today life zone host press web website"
    )
)
_FILE_SUFFIXES = frozenset(str.split("cs ex go hs jl js kt md pl ps py rb rs sh ts"))
_MAILBOX = re.compile(r"[\w.%+-]{1,64}@$")
_CHARS_BEFORE = 65
_PATH = re.compile(r"(?::\d{1,5})?[/?#]\S*")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u2060-\u206f\u3164\ufeff\uffa0]"
)


def allowed_link(target: str) -> bool:
    """Return whether a link may have an address.

    Only absolute ``http``, ``https`` and ``mailto`` addresses and fragments are allowed: a relative
    address can reach the Jupyter server itself.
    """
    if len(target) > ADDRESS_CHARACTERS:
        return False
    return any(rule.fullmatch(target) for rule in (_WEB, _MAIL, _FRAGMENT))


def allowed_picture(source: str) -> bool:
    """Return whether an image is a data URL, in a format that holds nothing but pixels."""
    return bool(_PICTURE.fullmatch(source))


def secure_links(children: Sequence[Token]) -> list[Token]:
    """Make the links and images of one paragraph safe.

    A link to an address that is not allowed becomes its text, followed by the address. A link whose
    text looks like another address is followed by the true host. An image that is not a data URL
    becomes a link.

    Args:
        children: The inline tokens of a paragraph, heading or cell.

    Returns:
        Inline tokens whose links and images are safe.
    """
    safe: list[Token] = []
    index = 0
    while index < len(children):
        token = children[index]
        if token.type == "link_open":
            end = _closing(children, index)
            safe += _link(token, children[index + 1 : end], children[end])
            index = end
        elif token.type == "image":
            safe += _image(token)
        else:
            safe.append(token)
        index += 1
    return safe


def _closing(children: Sequence[Token], index: int) -> int:
    """Return the index of the token that closes a link; the text of a link may hold an autolink."""
    depth = 0
    while True:
        if children[index].type in ("link_open", "link_close"):
            depth += children[index].nesting
            if depth == 0:
                return index
        index += 1


def _link(opening: Token, inside: Sequence[Token], closing: Token) -> list[Token]:
    """Make one link safe."""
    target = str(opening.attrs.get("href", ""))
    content = [
        _image_in_link(token) if token.type == "image" else token
        for token in inside
        if token.type not in ("link_open", "link_close")
    ]
    words = _words(content)
    if not allowed_link(target):
        return [*content, *_address_text(target, words)]
    if not _visible(words) and not any(token.type == "image" for token in content):
        content = [_text(_cut(target))]
        words = content[0].content
    opening.attrs = _attributes(target, str(opening.attrs.get("title", "")))
    true_host = misleading(words, target)
    tail = [_text(f" ({_cut(true_host)})")] if true_host else []
    return [opening, *content, closing, *tail]


def _image(token: Token) -> list[Token]:
    """Keep an image that is a data URL; make any other image a link, or text."""
    source = str(token.attrs.get("src", ""))
    words = _words(token.children or [])
    if allowed_picture(source):
        token.attrs = {"src": source, "alt": words}
        return [token]
    if not allowed_link(source) or source.startswith("#"):
        return [_text(words or "image"), *_address_text(source, words)]
    opening, closing = Token("link_open", "a", 1), Token("link_close", "a", -1)
    opening.attrs = {"href": source, "title": str(token.attrs.get("title", ""))}
    return _link(opening, [_text(words)], closing)


def _image_in_link(token: Token) -> Token:
    """Keep an image that is a data URL; replace any other image by its description."""
    source = str(token.attrs.get("src", ""))
    words = _words(token.children or [])
    if not allowed_picture(source):
        return _text(words or "image")
    token.attrs = {"src": source, "alt": words}
    return token


def _attributes(target: str, title: str) -> dict[str, str | int | float]:
    attributes: dict[str, str | int | float] = {"href": target}
    if not target.startswith("#"):
        attributes["target"] = "_blank"
    if title:
        # Browsers show the title in the place of the address, so the address is added to the title.
        attributes["title"] = f"{_cut(title)} ({_cut(target)})"
    return attributes


def misleading(words: str, target: str) -> str:
    """Return the host to show when the text of a link names another one, or the address hides it.

    Args:
        words: The text of the link.
        target: An address that :func:`allowed_link` allows.

    Returns:
        The true host, or mail address; empty when the link does not mislead.
    """
    match = _WEB.fullmatch(target) or _MAIL.fullmatch(target)
    host = unquote(match["host"]).lower().rstrip(".") if match else ""
    hidden = bool(re.match(r"https?://[^/?#]*@", target, re.IGNORECASE))
    encoded = any(part.startswith("xn--") for part in re.split(r"[.@]", host))
    if hidden or encoded:
        return host
    text = _readable(words)
    path = 0
    for found in _NAME.finditer(text):
        if found.start() < path:
            continue
        verdict = _names_host(
            found[0], text[max(0, found.start() - _CHARS_BEFORE) : found.start()], host
        )
        if verdict is False:
            return host or _cut(target)
        rest = _PATH.match(text, found.end()) if verdict else None
        path = rest.end() if rest else 0
    return ""


def _names_host(name: str, before: str, host: str) -> bool | None:
    """Return whether a word in the text of a link names the true host.

    Args:
        name: The word.
        before: The text just before the word.
        host: The host, or mail address, that the link leads to.

    Returns:
        ``None`` when the word names no host at all.
    """
    address = before.endswith(("//", "@", ":", ":/", "\\"))
    mailbox = _MAILBOX.search(before) if before.endswith("@") and "@" in host else None
    user = mailbox[0] if mailbox else ""
    is_host = _is_host(name, address)
    if is_host and _is_same_host(user + name, host):
        return True
    # Chinese has no spaces, so a host may touch the words around it.
    parts = [part for part in _CJK.split(name) if _is_host(part, address)]
    if parts:
        return all(_is_same_host(user + part, host) for part in parts)
    return False if is_host else None


def _is_host(word: str, address: bool) -> bool:
    """Return whether a word looks like a host, alone or as a part of an address."""
    labels = word.replace("\u3002", ".").strip(".-").lower().split(".")
    top = labels[-1]
    if len(labels) == 1:
        return top == "localhost"
    if not _TOP_LEVEL_LABEL.fullmatch(top) or not all(labels):
        return False
    if top.isdecimal():
        return len(labels) == 4 and all(label.isdecimal() for label in labels)
    if address or labels[0] == "www" or top.startswith("xn--") or top in _TOP_LEVEL_DOMAINS:
        return True
    return len(top) == 2 and (top not in _FILE_SUFFIXES or len(labels) > 2)


def _is_same_host(name: str, host: str) -> bool:
    """Return whether a name is the host itself, or a domain that the host belongs to."""
    name = name.lower().replace("\u3002", ".").strip(".-")
    return name == host or name == f"www.{host}" or host.endswith(f".{name}")


def _readable(words: str) -> str:
    """Return a text as it is read: letters normalised (NFKC), invisible characters removed."""
    return words if words.isascii() else _INVISIBLE.sub("", normalized("NFKC", words))


def _visible(words: str) -> bool:
    return bool(_INVISIBLE.sub("", words).strip())


def _words(tokens: Sequence[Token]) -> str:
    """Return the text of inline tokens, without markup."""
    out = []
    for token in tokens:
        if token.type == "image":
            out.append(_words(token.children or []))
        elif token.type in ("softbreak", "hardbreak"):
            out.append(" ")
        else:
            out.append(token.content)
    return "".join(out)


def _address_text(target: str, words: str) -> list[Token]:
    """Return an address that is not allowed as text, unless the words already show it."""
    if not target or target == words or unquote(target) == words:
        return []
    return [_text(f" ({_cut(unquote(target))})")]


def _cut(target: str) -> str:
    """Cut an address or a title after `SHOWN_TARGET` characters, and add "…"."""
    return target if len(target) <= SHOWN_TARGET else target[:SHOWN_TARGET] + "…"


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token
