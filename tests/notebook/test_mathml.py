"""Formulas for pages without MathJax: MathML, of which nothing runs, links or loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

from cbai_notebook.notebook.markdown import fragment
from cbai_notebook.notebook.markdown.mathml import ELEMENTS, NAMES, mathml
from cbai_notebook.notebook.markdown.sanitize import sanitize
from cbai_notebook.notebook.markdown.tex import COMMANDS, ENVIRONMENTS


def tree(formula: str) -> ElementTree.Element:
    made = mathml(formula)
    assert made is not None, formula
    return ElementTree.fromstring(made)


def drawn(formula: str) -> str:
    """Return the text that a browser draws for a formula."""
    first = tree(formula)[0][0]
    return "".join(first.itertext())


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("$E=mc^2$", "E=mc2"),
        (r"\(\alpha<\beta\)", "α<β"),
        (r"$$\frac{a}{b}$$", "ab"),
        (r"$\sum_{i=1}^n \sqrt[3]{x}$", "∑i=1nx3"),
        (r"\begin{align}a&=b\\c&=d\end{align}", "a=bc=d"),
        (r"\begin{aligned}[t]{2}&=x\end{aligned}", "2=x"),
        (r"$\text{a <b> &#x3c;}$", "a\xa0<b>\xa0<"),
    ],
)
def test_a_formula_is_drawn_and_keeps_its_source(formula: str, text: str) -> None:
    assert drawn(formula) == text
    assert tree(formula).findtext(".//annotation") == f" {formula}"
    assert (tree(formula).get("display") == "block") == formula.startswith(("$$", "\\begin"))


@pytest.mark.parametrize(
    "formula",
    [
        r"$\href{javascript:alert(1)}{x}$",
        r"$\ce{H2O}$",
        "$a_b_c$",
        "$a&b$",
        r"$a\\b$",
        r"$\cancel{x}$",
        r"$\left($",
        r"\begin{align}a",
        f"${'x+' * 600}x$",
        f"${'{' * 400}x{'}' * 400}$",
    ],
)
def test_what_cannot_be_drawn_stays_its_source(formula: str) -> None:
    assert mathml(formula) is None


@pytest.mark.parametrize("star", ["", "*"])
@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_a_table_is_drawn_as_a_table_or_not_at_all(name: str, star: str) -> None:
    columns = "{cc}" if "array" in name else "{2}" if name.endswith("at") else ""
    environment = f"{name}{star}"
    made = mathml(rf"\begin{{{environment}}}{columns}a&=b\\[2pt]c&=d\end{{{environment}}}")
    is_common = name.startswith(("align", "gather", "split")) or name.endswith(("cases", "matrix"))
    if made is None:
        assert not is_common or star or name in LEFT_OUT
        return
    (table,) = ElementTree.fromstring(made).iter("mtable")
    assert [["".join(cell.itertext()) for cell in row] for row in table] == [
        ["a", "=b"],
        ["c", "=d"],
    ]


LEFT_OUT = {
    *("rcases", "drcases", "numcases"),
    *("psmallmatrix", "bsmallmatrix", "Bsmallmatrix", "vsmallmatrix", "Vsmallmatrix"),
}
"""What latex2mathml does not draw."""


HOSTILE = [
    rf"$\{command}{tail}$"
    for command in sorted(COMMANDS)
    for tail in ("", "{a}{b}", "[<b>]{\"'><img src=x>}", r" \text{</math><script>}_{&lt;}")
] + [
    rf"\begin{{{name}}}{{<b onload=x>}} a & \text{{</annotation>}}\end{{{name}}}"
    for name in ENVIRONMENTS
]


def test_nothing_but_known_elements_and_attributes_is_written() -> None:
    count = 0
    for formula in HOSTILE:
        made = mathml(formula)
        if made is None:
            continue
        count += 1
        for element in ElementTree.fromstring(made).iter():
            assert element.tag in ELEMENTS
            assert set(element.attrib) <= NAMES
            assert not re.search(
                "[<>\"'&():/]", "".join(set(element.attrib.values()) - {"application/x-tex"})
            )
        # The last check changes nothing but how characters are written.
        same = ElementTree.fromstring(sanitize(made).replace("&nbsp;", "\xa0"))
        assert ElementTree.tostring(same) == ElementTree.tostring(ElementTree.fromstring(made))
    assert count > 1_000


@pytest.fixture
def in_vscode(shell: TerminalInteractiveShell) -> Iterator[None]:
    shell.user_ns["__vsc_ipynb_file__"] = "/home/me/notebook.ipynb"
    yield
    del shell.user_ns["__vsc_ipynb_file__"]


def test_mathjax_gets_the_formula_in_jupyter(shell: TerminalInteractiveShell) -> None:
    assert "tex2jax_process" in fragment("So $x^2$.")
    assert "<math" not in fragment("So $x^2$.")


@pytest.mark.usefixtures("in_vscode")
def test_the_browser_draws_the_formula_in_vscode() -> None:
    html = fragment("So $x^2$, `$y$`, $5 and <math><mi>z</mi></math>:\n\n$$\n\\frac{a}{b}\n$$")
    assert html.count("<math") == html.count("<annotation") == 2
    assert "<code>$y$</code>, $5 and &lt;math&gt;" in html
    assert "tex2jax_process" in fragment(r"$\ce{H2O}$"), "this one stays its source"
