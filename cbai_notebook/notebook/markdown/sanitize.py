"""The last check: HTML that is not on an allow-list does not reach the page.

This package's own renderer writes the HTML; the check is for the case that the renderer is wrong.
"""

from __future__ import annotations

import re

import nh3

from cbai_notebook.notebook.markdown import mathml
from cbai_notebook.notebook.markdown.links import allowed_link, allowed_picture

FORMULA_CLASS = "mathjax_process tex2jax_process"

CODE_CLASS = "cbai-code-in-"
"""Begin of the class of a code block; the language follows. No style sheet has a rule for one."""

CODE_CLASSES = re.compile(CODE_CLASS + r"[a-z][a-z0-9+#.-]{0,19}")

TAGS = frozenset(
    str.split(
        "h1 h2 h3 h4 h5 h6 p br hr ul ol li blockquote pre code table thead tbody tr th td"
        " em strong del sub sup kbd a img span"
    )
)
ATTRIBUTES = {
    "a": {"href", "title", "target"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "th": {"style"},
    "td": {"style"},
    "span": {"style", "class"},
    "code": {"class"},
}
WITH_MATHML = {**ATTRIBUTES, **{each: set(mathml.NAMES) for each in mathml.ELEMENTS}}
STYLE = re.compile(
    r"text-align:(?:left|right|center)"
    r"|color: var\(--jp-mirror-editor-[a-z0-9-]{1,20}-color, #[0-9a-f]{6}\)"
    r"(?:; font-weight: bold)?(?:; font-style: italic)?"
)
REL = "noopener noreferrer"


def sanitize(html: str) -> str:
    """Keep only the elements, attributes and addresses on the allow-list.

    Args:
        html: An HTML fragment.

    Returns:
        A well-formed fragment that runs nothing and loads nothing.
    """
    has_mathml = "<math" in html  # the longer lists cost time, in every frontend
    return nh3.clean(
        html,
        tags=set(TAGS | mathml.ELEMENTS) if has_mathml else set(TAGS),
        attributes=WITH_MATHML if has_mathml else ATTRIBUTES,
        attribute_filter=keep,
        link_rel=REL,
        url_schemes={"http", "https", "mailto", "data"},
    )


def keep(element: str, attribute: str, value: str) -> str | None:
    """Return the value of an attribute when it is allowed, else ``None``."""
    match element, attribute:
        case _, "style":
            allowed = bool(STYLE.fullmatch(value))
        case "code", "class":
            allowed = bool(CODE_CLASSES.fullmatch(value))
        case _, "class":
            allowed = value == FORMULA_CLASS
        case "a", "href":
            allowed = allowed_link(value)
        case "a", "target":
            allowed = value == "_blank"
        case "img", "src":
            allowed = allowed_picture(value)
        case _ if element in mathml.ELEMENTS:
            allowed = mathml.may_write(attribute, value)
        case "ol", "start":
            allowed = value.isdecimal() and len(value) < 10
        case _:
            allowed = attribute in ("title", "alt", "rel")
    return value if allowed else None
