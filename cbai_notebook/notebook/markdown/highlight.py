"""Code in colour, without style sheets."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from .limits import HIGHLIGHT_CHARACTERS, HIGHLIGHT_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# JupyterLab's names for the colours of its editor; the second value stands in where they are
# missing, in a tone that reads on white and on black.
_COLOURS = {
    "keyword": "#008a00",
    "atom": "#6f6fd8",
    "number": "#008a00",
    "def": "#5a6cf0",
    "builtin": "#008a00",
    "variable-2": "#3f7ab8",
    "property": "#2f7fc4",
    "operator": "#a34fe0",
    "comment": "#4b8585",
    "string": "#d04a4a",
    "string-2": "#b458c0",
    "meta": "#a35ce8",
    "tag": "#3f8a1f",
    "attribute": "#5a6cf0",
    "header": "#5a6cf0",
    "error": "#e03c3c",
}
_STYLES = {
    name: f"color: var(--jp-mirror-editor-{name}-color, {tone})" for name, tone in _COLOURS.items()
}
_BOLD = "; font-weight: bold"
_ITALIC = "; font-style: italic"

# Kinds of token, by the longest matching name that Pygments gives them.
_KINDS = {
    "Keyword": _STYLES["keyword"] + _BOLD,
    "Keyword.Constant": _STYLES["keyword"] + _BOLD,
    "Name.Builtin": _STYLES["builtin"],
    "Name.Builtin.Pseudo": _STYLES["variable-2"],
    "Name.Function": _STYLES["def"],
    "Name.Class": _STYLES["def"],
    "Name.Exception": _STYLES["builtin"],
    "Name.Decorator": _STYLES["meta"],
    "Name.Tag": _STYLES["tag"],
    "Name.Attribute": _STYLES["attribute"],
    "Name.Property": _STYLES["property"],
    "Name.Constant": _STYLES["atom"],
    "Name.Label": _STYLES["string-2"],
    "Name.Entity": _STYLES["atom"],
    "Name.Variable.Magic": _STYLES["variable-2"],
    "Literal": _STYLES["atom"],
    "Literal.String": _STYLES["string"],
    "Literal.String.Interpol": _STYLES["string-2"],
    "Literal.String.Escape": _STYLES["string-2"],
    "Literal.String.Regex": _STYLES["string-2"],
    "Literal.String.Symbol": _STYLES["atom"],
    "Literal.Number": _STYLES["number"],
    "Operator": _STYLES["operator"] + _BOLD,
    "Operator.Word": _STYLES["keyword"] + _BOLD,
    "Comment": _STYLES["comment"] + _ITALIC,
    "Comment.Preproc": _STYLES["meta"],
    "Comment.PreprocFile": _STYLES["string"],
    "Generic.Heading": _STYLES["header"] + _BOLD,
    "Generic.Subheading": _STYLES["header"] + _BOLD,
    "Generic.Deleted": _STYLES["error"],
    "Generic.Inserted": _STYLES["tag"],
    "Generic.Error": _STYLES["error"],
    "Generic.Traceback": _STYLES["error"],
    "Generic.Prompt": _STYLES["meta"],
}
_NAME = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")


def highlight(code: str, language: str) -> str:
    """Write code as HTML, in the colours of Jupyter's editor.

    Args:
        code: The code.
        language: The first word of a fence, such as ``python``; it is only looked up.

    Returns:
        Escaped HTML for the inside of ``<code>``; in one colour when the language is unknown or
        the code is too long.
    """
    lexer = _lexer(language.lower()) if _NAME.fullmatch(language) else None
    if lexer is None or _too_long(code):
        return escape(code, quote=False)
    pieces = list(_runs(lexer.get_tokens_unprocessed(code)))
    if "".join(text for _, text in pieces) != code:
        return escape(code, quote=False)
    return "".join(_span(style, text) for style, text in pieces)


def _too_long(code: str) -> bool:
    if len(code) > HIGHLIGHT_CHARACTERS:
        return True
    return len(code) > HIGHLIGHT_LINE and max(map(len, code.split("\n"))) > HIGHLIGHT_LINE


@lru_cache(maxsize=64)
def _lexer(language: str) -> Any | None:
    """Find the lexer for a language of the list."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(_ALIASES.get(language, language))
    except ClassNotFound:
        return None


_ALIASES = {"jsonc": "json", "json5": "json", "jsonl": "json", "py": "python", "ipython": "python"}


def _runs(tokens: Iterable[tuple[int, Any, str]]) -> Iterator[tuple[str, str]]:
    """Merge neighbours of one style; white space takes the style of what stands before it."""
    style, text = "", ""
    for _, kind, value in tokens:
        own = style if value.isspace() else _style(kind)
        if own == style:
            text += value
        else:
            if text:
                yield style, text
            style, text = own, value
    if text:
        yield style, text


@lru_cache(maxsize=512)
def _style(kind: Any) -> str:
    """Find the style of a kind of token, or of the nearest kind above it."""
    names = str(kind).split(".")[1:]
    while names:
        style = _KINDS.get(".".join(names))
        if style is not None:
            return style
        names.pop()
    return ""


def _span(style: str, text: str) -> str:
    escaped = escape(text, quote=False)
    return f'<span style="{style}">{escaped}</span>' if style else escaped
