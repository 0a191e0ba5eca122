"""Formulas and amounts of money are told apart, and only safe formulas are typeset."""

from __future__ import annotations

import pytest

from cbai_notebook.notebook.markdown import fragment, render
from cbai_notebook.notebook.markdown.tex import COMMANDS, ENVIRONMENTS, typesettable
from tests.notebook.markdown.walk import FORBIDDEN_TEX, walk


@pytest.mark.parametrize(
    "formula",
    [
        "$x$",
        "$x_1 + y^2$",
        "$ x + y $",
        "$ E = mc^2 $",
        "$|x|$",
        "$5$",
        r"$x\$y$",
        r"$\frac{a}{b}$",
        r"$\text{if $x>0$}$",
        "$a\nb$",
        "$$x$$",
        "$$ x $$",
        r"$$f(x) = \text{for $x$}$$",
        r"\(x\)",
        r"\[x\]",
        r"\begin{align}a&=b\\c&=d\end{align}",
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        "$\\ce{H2O}$",
        r"$\color{red}{x}$",
        r"$\hspace{2em}$",
        r"$x \\ y$",
        r"$\begin{alignat}{2}a&=b\end{alignat}$",
        r"$\begin{array}{c|c}a&b\end{array}$",
        r"$\begin{array}{c@{\quad}c}a^*&b * {c}\end{array}$",
        "$中文$",
        "$a<b$",
        "$a * b * c$",
        "$a_b_c$",
        r"$\{x\}$",
    ],
)
def test_a_formula_is_typeset_as_written(formula: str) -> None:
    assert walk(render(f"Text {formula} text.")).formulas == [formula]


@pytest.mark.parametrize(
    "source",
    [
        "$5 and $10",
        "It costs $5, or $10.",
        "US$5-$10",
        "between $5–$10 and $20",
        "from $5 to 10$",
        "$5 and US$",
        "价格是$5，另外一个是$6。",
        "花了5$和6$",
        "$HOME and $PATH",
        "$HOME/$USER",
        r"\$5 and \$6",
        "5 $ and 10 $ more",
        "$",
        "$$",
        "$$$$",
        "$ $",
        "$$ $$",
        r"\(\)",
        "$`a`$",
        "a$b$c",
        r"\\(x\\)",
        r"\begin{itemize}\end{itemize}",
        r"\begin{align}",
        "$x",
        "`$x$` and ``\\(y\\)``",
        "    $x$",
        "```\n$x$\n```",
        "$a\n\nb$",
    ],
)
def test_what_is_no_formula_stays_text(source: str) -> None:
    assert walk(render(source)).formulas == []


@pytest.mark.parametrize(
    "formula",
    [
        "$$\nx\n$$",
        "$$\nx = 1\n- y\n= z\n# w\n$$",
        "$$\n\nx\n\ny\n\n$$",
        "$$x\n+ y$$",
        "\\[\nx\n\\]",
        "\\[\nx\n\ny\n\\]",
        "\\begin{align}\na &= b\n\nc &= d\n\\end{align}",
        "\\begin{equation*}\n\\begin{split}\nx\n\\end{split}\n\\end{equation*}",
    ],
)
@pytest.mark.parametrize("place", ["{}", "Text:\n{}\nmore", "- item\n  {}\n", "> {}\n"])
def test_a_formula_may_be_a_block(formula: str, place: str) -> None:
    indent = {"- ": "  ", "> ": "> "}.get(place[:2], "")
    source = place.replace("{}", formula.replace("\n", "\n" + indent))
    found = walk(render(source)).formulas
    assert [line.strip() for line in found[0].split("\n")] == formula.split("\n")
    assert len(found) == 1


@pytest.mark.parametrize(
    "source",
    [
        "$$ is much money.\n\nMore text.\n\nAnd $$ again.\n",
        "$$\nx\n\ntext, and then $$ again",
        "$$\n" + "x\n\n" * 200 + "$$\n",
        "$$\n" + "x" * 6_000 + "\n$$\n",
        "\\[\n\n\\)\n",
    ],
)
def test_a_stray_delimiter_swallows_nothing(source: str) -> None:
    page = walk(render(source))
    assert page.formulas == []
    assert page.text.strip()


def test_a_formula_that_does_more_is_shown_as_code() -> None:
    assert fragment(r"See $\href{https://a.test}{x}$.") == (
        "<p>See <code>$\\href{https://a.test}{x}$</code>.</p>\n"
    )
    assert (
        fragment("$$\n\\require{html}\n$$") == "<pre><code>$$\n\\require{html}\n$$</code></pre>\n"
    )


def test_the_text_around_a_formula_is_not_touched() -> None:
    assert fragment("a*b $c*d$ e*f") == (
        '<p>a<em>b <span class="mathjax_process tex2jax_process">$c*d$</span> e</em>f</p>\n'
    )


def test_no_forbidden_command_is_on_the_list() -> None:
    assert not [name for name in COMMANDS if FORBIDDEN_TEX.search(f"\\{name} ")]
    assert len(COMMANDS) > 600
    assert len(ENVIRONMENTS) > 30


@pytest.mark.parametrize(
    ("formula", "allowed"),
    [
        (r"\\begin{evil}", True),  # a line break and a word
        (r"\\\begin{evil}", False),
        (r"\\href", True),
        (r"\\\href", False),
        (r"\hrefx", False),
        (r"\alpha1", True),
        (r"\begin{align*}\end{align*}", True),
        (r"\begin {align}\end{align}", True),
        (r"\beginx", False),
        (r"\hspace{-5em}", True),
        (r"\hspace{-50em}", False),
        (r"\hspace{500em}", False),
        (r"\kern1.5em", True),
        (r"\\[2pt]", True),
        (r"\\[200pt]", False),
        (r"\textcolor{#ff0000}{x}", True),
        (r"\color{red;x}", False),
        (r"\ce{H2O}", True),
        (r"\ce{a}\\b", False),
    ],
)
def test_only_what_draws_is_typeset(formula: str, allowed: bool) -> None:
    assert typesettable(formula) is allowed


@pytest.mark.parametrize("source", ["$$\n\\frac{a_1}{b_1}\n_c_", "Text \\(a_1 *b* c", "\\[\nx *y*"])
def test_an_unfinished_formula_is_shown_as_its_source(source: str) -> None:
    page = walk(render(source, final=False))
    assert page.tags == ["p"]
    assert page.text.strip() == source
    assert page.formulas == []


@pytest.mark.parametrize(
    "columns",
    [
        "*{30000000}{c}",
        r">{\bf}c*{30000000}{c}",
        "c" * 1_500 + "*{30000000}{c}",
        "{&}*{9}{c}",
        "%\n*{9}{c}",
    ],
)
def test_columns_with_a_count_are_not_typeset(columns: str) -> None:
    assert not typesettable(rf"$$\begin{{array}}{{{columns}}}a\end{{array}}$$")
    assert not typesettable(rf"$$\begin{{array}}[t] {{{columns}}}a\end{{array}}$$")


def test_a_product_beside_an_array_is_typeset() -> None:
    assert typesettable(r"$$\begin{array}{c|c}a * b & c*{d}\end{array} * {e}$$")
