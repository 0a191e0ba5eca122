"""Formulas as MathML, for pages without MathJax: browsers draw it themselves.

latex2mathml makes a tree of elements. Only elements and attributes of the lists below are written, by
code of this module, which escapes all text. What is not on them leaves the formula as its source.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from cbai_notebook.notebook.markdown.mathematics import is_display, may_typeset, tex_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ELEMENTS = frozenset(
    str.split(
        "math semantics annotation mrow mi mn mo mtext mspace msup msub msubsup munder mover"
        " munderover mfrac msqrt mroot mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts"
        " mprescripts none"
    )
)
"""The elements of MathML that are written; none of them can link, load or run."""

_TOKENS = frozenset({"mi", "mn", "mo", "mtext", "mspace", "annotation"})
"""The elements that hold text alone: others in them would be read as HTML."""

ATTRIBUTES = {
    "display": "block|inline",
    "stretchy|fence|separator|largeop|movablelimits|accent|accentunder|displaystyle|symmetric": (
        "true|false"
    ),
    "form": "prefix|infix|postfix",
    "scriptlevel": r"[+-]?\d",
    "mathvariant": "[a-z-]{1,30}",
    "columnalign|rowalign|columnlines|rowlines": "[a-z ]{1,80}",
    "width|height|depth|lspace|rspace|linethickness|minsize|maxsize|rowspacing|columnspacing": (
        r"-?[\d.]{1,8}(?:em|ex|px|pt|%)?"
    ),
    "mathcolor|mathbackground": "[a-zA-Z]{1,20}",
    "notation": "[a-z ]{1,60}",
    "encoding": "application/x-tex",
}
"""The attributes that are written, by alternatives of names, and the pattern of their values."""

NAMES = frozenset("|".join(ATTRIBUTES).split("|"))
"""The names of these attributes."""

_ATTRIBUTES = [(re.compile(name), re.compile(value)) for name, value in ATTRIBUTES.items()]
_DRAWN_AS = {
    **dict.fromkeys(
        ("align", "aligned", "alignat", "alignedat", "xalignat", "flalign", "eqnarray"), "align*"
    ),
    **dict.fromkeys(("gather", "gathered", "multline", "multlined"), "matrix"),
    **dict.fromkeys(("equation", "displaymath", "math"), "equation*"),
    "dcases": "cases",
}
"""Environments by names, and those that latex2mathml draws in their place: it writes the marks of most
others as letters, and numbers the lines of some, which MathJax in Jupyter does not."""

_ENVIRONMENT = re.compile(
    rf"\\(begin|end)\{{({'|'.join(_DRAWN_AS)})\*?\}}(?:\[[tbc]\])?(\{{\d{{1,2}}\}})?"
)
# The height of a line end, which it would draw as text.
_HEIGHT = re.compile(r"\\\\\*?\s?\[-?[\d.]{1,8} ?[a-z]{2}\]")
_MOST_CHARACTERS = 1_000
"""A longer formula stays its source: latex2mathml takes the square of the length, 1 s for 6,000."""


@lru_cache(maxsize=256)
def mathml(formula: str) -> str | None:
    """Return a formula as a ``<math>`` element.

    Its source is kept as an annotation, which a browser does not show. JupyterLab drops these elements
    and keeps their text where a notebook is not trusted: there the source stands behind the letters.

    Args:
        formula: TeX with its delimiters.

    Returns:
        HTML, or None if the formula has to stay its source: it may not be typeset, is too long, has a
        command that is not known, or would be drawn as another formula.
    """
    if len(formula) > _MOST_CHARACTERS or not may_typeset(formula):
        return None
    from latex2mathml import converter

    tex = _ENVIRONMENT.sub(_with_known_name, _HEIGHT.sub(r"\\\\ ", tex_of(formula)))
    try:
        tree = converter.convert_to_element(tex)
        inner = "".join(_written(child) for child in tree)
    except _errors_of_latex2mathml():
        return None
    display = ' display="block"' if is_display(formula) else ""
    source = escape(formula, quote=False)
    annotation = f'<annotation encoding="application/x-tex"> {source}</annotation>'
    return f"<math{display}><semantics><mrow>{inner}</mrow>{annotation}</semantics></math>"


def _errors_of_latex2mathml() -> tuple[type[Exception], ...]:
    """Return what a conversion raises.

    Its own errors have no common class. The others are mistakes that it makes with hostile formulas.
    """
    from latex2mathml import exceptions

    named = vars(exceptions).values()
    own = [each for each in named if isinstance(each, type) and issubclass(each, Exception)]
    return (*own, AttributeError, LookupError, RuntimeError, StopIteration, TypeError, ValueError)


def _with_known_name(environment: re.Match[str]) -> str:
    bound, name, number = environment.groups()
    # The number of columns of `alignat` is left out; after another environment it is text.
    text = "" if number is None or name.endswith("at") else number
    return f"\\{bound}{{{_DRAWN_AS[name]}}}{text}"


class _CannotBeWritten(ValueError):
    """An element is not on the list, a command was not known, or a browser would draw another formula."""


def _written(element: Element) -> str:
    if element.tag not in ELEMENTS or (element.tag in _TOKENS and len(element)):
        raise _CannotBeWritten(element.tag)
    # Marks of a table that it has not read as one; and browsers do not draw what strikes out.
    is_of_table = "linebreak" in element.attrib or element.text == "&"
    if is_of_table or "strike" in element.get("notation", ""):
        raise _CannotBeWritten(element.tag)
    text = unescape(element.text or "")  # it writes symbols as references
    if "\\" in text:  # how latex2mathml writes a command that it does not know
        raise _CannotBeWritten(text)
    attributes = "".join(
        f" {name}={quoteattr(value)}"
        for name, value in element.attrib.items()
        if may_write(name, value)
    )
    inner = escape(text, quote=False) + "".join(_written(child) for child in element)
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"


def may_write(name: str, value: str) -> bool:
    """Return whether an attribute of a MathML element may be written with a value."""
    return any(known.fullmatch(name) and values.fullmatch(value) for known, values in _ATTRIBUTES)
