"""Highlight code with inline styles, in the colours of Jupyter's editor."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.markdown.limits import (
    HIGHLIGHT_CHARACTERS,
    HIGHLIGHT_LINE,
    HIGHLIGHT_SECONDS,
    HIGHLIGHT_SECONDS_PER_CHARACTER,
    HIGHLIGHT_SPACE,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# JupyterLab's names for the colours of its editor. The value is the fallback where the variable is
# missing: a tone that is readable on white and on black.
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
    "meta": "#a156ea",
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

# Styles by Pygments token type; the longest matching type name wins.
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
# Lexers, by one of their names, that were tried on code made to be slow, within the limits: every
# single step was short. The clock can stop a lexer between two steps, not inside one.
_LEXERS = frozenset(
    str.split(
        "apacheconf awk bash bat bibtex c c++ clojure cmake common-lisp console csharp css cuda dart"
        " diff django docker elixir erlang fortran fsharp glsl go graphql groovy haskell html http"
        " ini ipython java javascript jinja json jsx julia kotlin less lua make markdown matlab mysql"
        " nasm nginx nim nix objective-c ocaml octave pascal perl php postgresql powershell prolog"
        " properties protobuf pycon pytb python racket restructuredtext ruby rust s scala scheme scss"
        " sed solidity sql swift tcl terraform tex toml tsx typescript vb.net verilog vhdl vim vue xml"
        " yaml zig gas graphviz"
    )
)
_SPACE = re.compile(rf"\s{{{HIGHLIGHT_SPACE}}}")
_NAME = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")


def highlight(code: str, language: str, *, clock: Callable[[], float] = time.thread_time) -> str:
    """Return code as HTML, in the colours of Jupyter's editor.

    Args:
        code: The code.
        language: The first word of a fence, such as ``python``; only used to find the lexer.
        clock: Returns CPU seconds, to measure the lexer.

    Returns:
        Escaped HTML for the inside of ``<code>``; in one colour when the language is unknown, or
        the code is too long or takes too long.
    """
    lexer = _lexer(language.lower()) if _NAME.fullmatch(language) else None
    if lexer is None or _too_long(code) or _is_slow(language, code):
        return escape(code, quote=False)
    limit = clock() + HIGHLIGHT_SECONDS + HIGHLIGHT_SECONDS_PER_CHARACTER * len(code)
    output = _ColouredRuns()
    for number, (_, kind, value) in enumerate(lexer.get_tokens_unprocessed(code)):
        output.add(kind, value)
        # On some systems the clock is a system call, which costs more than a token.
        if number % _TOKENS_PER_CLOCK == 0 and clock() > limit:
            _remember_slow(language, code)
            return escape(code, quote=False)
    # A lexer that loses or reorders text must not change the code that is shown.
    return output.html() if output.text == code else escape(code, quote=False)


def language_name(language: str) -> str:
    """Return the name of a language that :func:`highlight` knows, such as ``"python"`` for ``py``.

    Args:
        language: The first word of a fence.

    Returns:
        A name of a fixed list, which no text can add to; ``""`` for any other word.
    """
    lexer = _lexer(language.lower()) if _NAME.fullmatch(language) else None
    return "" if lexer is None else str(lexer.aliases[0])


# A growing block is painted again and again; one that was slow once is slow every time.
_slow: OrderedDict[tuple[str, str], None] = OrderedDict()
_TOKENS_PER_CLOCK = 32
_SLOW_KEPT = 256
_SLOW_KEY = 200


def _is_slow(language: str, code: str) -> bool:
    return (language, code[:_SLOW_KEY]) in _slow


def _remember_slow(language: str, code: str) -> None:
    _slow[language, code[:_SLOW_KEY]] = None
    while len(_slow) > _SLOW_KEPT:
        _slow.popitem(last=False)


def _too_long(code: str) -> bool:
    if len(code) > HIGHLIGHT_CHARACTERS or _SPACE.search(code):
        return True
    return len(code) > HIGHLIGHT_LINE and max(map(len, code.split("\n"))) > HIGHLIGHT_LINE


@lru_cache(maxsize=64)
def _lexer(language: str) -> Any | None:
    """Return the lexer for a language, or None when it is not on the list."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(_ALIASES.get(language, language))
    except ClassNotFound:
        return None
    return lexer if _LEXERS.intersection(lexer.aliases) else None


_ALIASES = {"jsonc": "json", "json5": "json", "jsonl": "json", "py": "python", "ipython": "python"}


class _ColouredRuns:
    """Tokens as HTML, neighbours of one style merged; white space takes the style before it."""

    def __init__(self) -> None:
        self._all: list[str] = []
        self._out: list[str] = []
        self._style = ""
        self._text: list[str] = []

    def add(self, kind: Any, text: str) -> None:
        """Add the next token."""
        self._all.append(text)
        style = _style(kind)
        if style != self._style and not text.isspace():
            self._close()
            self._style = style
        self._text.append(text)

    @property
    def text(self) -> str:
        """The text of all tokens, unchanged."""
        return "".join(self._all)

    def html(self) -> str:
        """Return the HTML of all tokens."""
        self._close()
        return "".join(self._out)

    def _close(self) -> None:
        if self._text:
            text = escape("".join(self._text), quote=False)
            self._out.append(f'<span style="{self._style}">{text}</span>' if self._style else text)
            self._text = []


@lru_cache(maxsize=512)
def _style(kind: Any) -> str:
    """Return the style of a token type, or of its nearest parent type that has one."""
    names = str(kind).split(".")[1:]
    while names:
        style = _KINDS.get(".".join(names))
        if style is not None:
            return style
        names.pop()
    return ""
