"""Where links may lead, and how a link shows where it leads."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote

from markdown_it.token import Token

from .limits import SHOWN_TARGET

if TYPE_CHECKING:
    from collections.abc import Sequence

# A browser reads a host differently when it holds anything else, so such an address is no link.
_WEB = re.compile(
    r"https?://(?:[^\s/?#@\\\[\]]*@)?"
    r"(?P<host>[a-z0-9_](?:[a-z0-9_.-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?(?:[/?#][^\s\\<>\"]*)?",
    re.IGNORECASE,
)
_MAIL = re.compile(r"mailto:(?P<host>[^\s\\<>\"?#]{1,320})(?:\?[^\s\\<>\"#]*)?", re.IGNORECASE)
_FRAGMENT = re.compile(r"#[^\s\\<>\"]*")
_PICTURE = re.compile(r"data:image/(?:png|gif|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}")

_HOST_IN_TEXT = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*:/*)?(?P<user>[\w.%+-]*@)?"
    r"(?P<host>(?:[\w-]+[.\u3002])+(?P<top>[a-z]{2,24}|xn--[a-z0-9-]{2,59})|\d{1,3}(?:\.\d{1,3}){3}|localhost)"
    r"(?![\w-])",
    re.IGNORECASE,
)
# Names of files, which models link all the time and nobody takes for a host.
_FILE_ENDINGS = frozenset(
    str.split(
        "c cc cfg conf cpp cs css csv go h hpp html ini ipynb java jl js json jsx kt lock log lua md mjs"
        " pdf php pl png py pyi r rb rs rst sass scala sh sql svg swift tex toml ts tsx txt vue xml"
        " yaml yml zip net"
    )
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u2060-\u206f\u3164\ufeff\uffa0]"
)


def allowed_link(target: str) -> bool:
    """Tell whether a link may lead to an address.

    Only absolute ``http``, ``https`` and ``mailto`` addresses and fragments may: a relative one can
    reach the Jupyter server itself.
    """
    return any(rule.fullmatch(target) for rule in (_WEB, _MAIL, _FRAGMENT))


def allowed_picture(source: str) -> bool:
    """Tell whether an image carries its own pixels, in a format that holds nothing but pixels."""
    return bool(_PICTURE.fullmatch(source))


def secure(children: Sequence[Token]) -> list[Token]:
    """Rewrite the links and images of one paragraph to what may be shown.

    A link to where no link may lead becomes its text with the address behind it. A link whose text
    looks like another address is followed by the true one. An image that is not in the text
    itself becomes a link to it.

    Args:
        children: The inline tokens of a paragraph, heading or cell.

    Returns:
        Inline tokens, in which links and images are safe.
    """
    safe: list[Token] = []
    index = 0
    while index < len(children):
        token = children[index]
        if token.type == "link_open":
            end = index + 1
            while children[end].type != "link_close":
                end += 1
            safe += _link(token, children[index + 1 : end], children[end])
            index = end
        elif token.type == "image":
            safe += _image(token)
        else:
            safe.append(token)
        index += 1
    return safe


def _link(opening: Token, inside: Sequence[Token], closing: Token) -> list[Token]:
    """Make one link safe."""
    target = str(opening.attrs.get("href", ""))
    content = [_image_in_link(token) if token.type == "image" else token for token in inside]
    words = _words(content)
    if not allowed_link(target):
        return [*content, *_address(target, words)]
    if not _visible(words) and not any(token.type == "image" for token in content):
        content = [_text(_shown(target))]
        words = content[0].content
    opening.attrs = _attributes(target, str(opening.attrs.get("title", "")))
    true_host = misleading(words, target)
    tail = [_text(f" ({_shown(true_host)})")] if true_host else []
    return [opening, *content, closing, *tail]


def _image(token: Token) -> list[Token]:
    """Keep an image that carries its own pixels; make any other a link, or text."""
    source = str(token.attrs.get("src", ""))
    words = _words(token.children or [])
    if allowed_picture(source):
        token.attrs = {"src": source, "alt": words}
        return [token]
    if not allowed_link(source) or source.startswith("#"):
        return [_text(words or "image"), *_address(source, words)]
    opening, closing = Token("link_open", "a", 1), Token("link_close", "a", -1)
    opening.attrs = {"href": source, "title": str(token.attrs.get("title", ""))}
    return _link(opening, [_text(words)], closing)


def _image_in_link(token: Token) -> Token:
    """Keep an image that carries its own pixels; make any other its own description."""
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
        # A title is shown where the browser would show the address, so it may not stand alone.
        attributes["title"] = f"{title} ({_shown(target)})"
    return attributes


def misleading(words: str, target: str) -> str:
    """Find the host to show, when a link's text names another, or its address hides it.

    Args:
        words: The text of the link.
        target: An address that :func:`allowed_link` allows.

    Returns:
        The true host, or mail address; empty when the text misleads nobody.
    """
    match = _WEB.fullmatch(target) or _MAIL.fullmatch(target)
    host = unquote(match["host"]).lower().rstrip(".") if match else ""
    is_mail = target[:7].lower() == "mailto:"
    userinfo = bool(re.match(r"https?://[^/?#]*@", target, re.IGNORECASE))
    if host and (userinfo or any(part.startswith("xn--") for part in re.split(r"[.@]", host))):
        return host
    for named in _HOST_IN_TEXT.finditer(_readable(words)):
        name = named["host"].lower().replace("\u3002", ".").rstrip(".")
        bare = not named["scheme"] and not named["user"] and name.count(".") == 1
        if bare and (named["top"] or "").lower() in _FILE_ENDINGS and not words.startswith("www."):
            continue
        if is_mail and named["user"]:
            name = named["user"].lower() + name
        if not _same_place(name, host):
            return host or _shown(target)
    return ""


def _same_place(name: str, host: str) -> bool:
    """Tell whether the name of a place is the place, or one that only owner of the place can name."""
    return (
        name == host or f"www.{name}" == host or name == f"www.{host}" or host.endswith(f".{name}")
    )


def _readable(words: str) -> str:
    """Read a text as a person does: compatible letters alike, and nothing that is not seen."""
    return (
        _INVISIBLE.sub("", unicodedata.normalize("NFKC", words)) if not words.isascii() else words
    )


def _visible(words: str) -> bool:
    return bool(_INVISIBLE.sub("", words).strip())


def _words(tokens: Sequence[Token]) -> str:
    """Join what is read in inline tokens, without markup."""
    out = []
    for token in tokens:
        if token.type == "image":
            out.append(_words(token.children or []))
        elif token.type in ("softbreak", "hardbreak"):
            out.append(" ")
        else:
            out.append(token.content)
    return "".join(out)


def _address(target: str, words: str) -> list[Token]:
    """Write an address that is no link, unless it has been read already."""
    if not target or target == words or unquote(target) == words:
        return []
    return [_text(f" ({_shown(unquote(target))})")]


def _shown(target: str) -> str:
    """Cut an address to what fits in a line, its host first."""
    return target if len(target) <= SHOWN_TARGET else target[:SHOWN_TARGET] + "…"


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token
