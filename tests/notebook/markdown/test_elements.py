"""Each Markdown construct becomes the elements that Jupyter's own Markdown has."""

from __future__ import annotations

import re

import pytest

from cbai_notebook.notebook.markdown import fragment, render
from tests.notebook.markdown.walk import FORMULA, walk


def test_the_wrapper_carries_the_styles_and_keeps_the_typesetter_out() -> None:
    page = render("a")
    assert page == (
        '<div class="cbai-markdown jp-RenderedHTMLCommon jp-RenderedMarkdown'
        ' mathjax_ignore tex2jax_ignore"><p>a</p>\n</div>'
    )


@pytest.mark.parametrize(
    ("source", "tags"),
    [
        ("# a", "h1"),
        ("###### a", "h6"),
        ("a\n===", "h1"),
        ("a\n---", "h2"),
        ("a\nb", "p"),
        ("a\n\nb", "p p"),
        ("- a\n- b\n  - c", "ul li li ul li"),
        ("- a\n\n- b", "ul li p li p"),
        ("1. a\n2. b", "ol li li"),
        ("> a\n> > b", "blockquote p blockquote p"),
        ("---", "hr"),
        ("    a", "pre code"),
        ("```\na\n```", "pre code"),
        ("```\na", "pre code"),
        ("~~~ nosuch\na\n~~~", "pre code"),
        ("*a* __b__ ~~c~~ `d`", "p em strong del code"),
        ("a  \nb\\\nc<br>d<BR />e", "p br br br br"),
        ("H<sub>2</sub>O x<sup>2</sup> <kbd>Esc</kbd>", "p sub sup kbd"),
        ("[a](https://b.test)", "p a"),
        ("<https://b.test>", "p a"),
        ("| a |\n|---|\n| b |", "table thead tr th tbody tr td"),
        ("| a |\n|---|", "table thead tr th"),
        ("text\n| a | b |\n|---|---|\n| c | d |", "p table thead tr th th tbody tr td td"),
        ("| a | b |\n|---|\n", "p"),
        ("a | b\n--- | ---\n1 | 2\n> q", "table thead tr th th tbody tr td td blockquote p"),
    ],
)
def test_a_construct_has_its_elements(source: str, tags: str) -> None:
    assert " ".join(walk(render(source)).tags) == tags


def test_a_list_keeps_its_first_number() -> None:
    assert '<ol start="5">' in fragment("5. a\n6. b")


def test_tasks_have_boxes_and_no_form_elements() -> None:
    assert fragment("- [ ] a\n- [x] b\n- [X] c\n- [y] d\n- [x]e") == (
        "<ul>\n<li>\u2610 a</li>\n<li>\u2611 b</li>\n<li>\u2611 c</li>\n"
        "<li>[y] d</li>\n<li>[x]e</li>\n</ul>\n"
    )


def test_a_footnote_stays_on_the_page() -> None:
    page = walk(render("See[^1].\n\n[^1]: https://a.test\n"))
    assert page.text.split() == ["See[^1].", "[^1]:", "https://a.test"]


def test_a_definition_leaves_the_page() -> None:
    assert fragment("[a]: https://a.test\n") == ""


def test_cells_are_aligned() -> None:
    html = fragment("| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | 2 | 3 | 4 |\n")
    # The last column sets no alignment: its header is centred, its cells are aligned left.
    assert html.count("text-align:left") == 3
    assert html.count("text-align:center") == 3
    assert html.count("text-align:right") == 2


def test_rows_have_as_many_cells_as_the_header() -> None:
    page = walk(render("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |\n"))
    assert page.tags.count("td") == 4
    assert "3" not in page.text


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (r"| a \| b | c |", ["a | b", "c"]),
        (r"| `a \| b` | c |", ["a | b", "c"]),
        ("| $|x|$ | $P(A|B)$ |", ["$|x|$", "$P(A|B)$"]),
        (r"| \(|x|\) | $$|y|$$ |", [r"\(|x|\)", "$$|y|$$"]),
        (r"| $\left|x\right|$ | b |", [r"$\left|x\right|$", "b"]),
        ("| $5 | $10 |", ["$5", "$10"]),
        ("|$5|$10|", ["$5", "$10"]),
        ("|$5|$(6)|", ["$5", "$(6)"]),
        ("|$a|$b|", ["$a", "$b"]),
        (r"| \\| b |", ["\\", "b"]),
        ("a|b", ["a", "b"]),
        ("| a || b |", ["a", ""]),
    ],
)
def test_a_row_is_split_at_its_pipes_but_not_in_formulas(row: str, cells: list[str]) -> None:
    html = fragment(f"| h | i |\n|---|---|\n{row}\n")
    found = [
        cell.split("</td>")[0].replace(f'<span class="{FORMULA}">', "").replace("</span>", "")
        for cell in re.split("<td[^>]*>", html)[1:]
    ]
    found = [cell.replace("<code>", "").replace("</code>", "") for cell in found]
    assert found == cells


def test_a_wide_table_of_short_rows_does_not_grow_out_of_measure() -> None:
    source = "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n" + "x\n" * 2_000
    assert len(fragment(source)) < 20 * len(source)


@pytest.mark.parametrize(
    ("source", "bold"),
    [
        ("中文**粗体**。", "粗体"),
        ("**“引号”**后面", "“引号”"),
        ("他说**“你好”**。", "“你好”"),
        ("**中文（注）**后面", "中文（注）"),
        ("前面**（注）中文**", "（注）中文"),
        ("**《书名》**很好", "《书名》"),
        ("这是**重点：**下面", "重点："),
        ("**日本語。**次", "日本語。"),
        ("한국어**\u201c강조\u201d**입니다", "\u201c강조\u201d"),
        ("**a**b", "a"),
        ('**"a"** b', '"a"'),
    ],
)
def test_bold_may_touch_chinese_japanese_and_korean(source: str, bold: str) -> None:
    assert f"<strong>{bold}</strong>".replace('"', "&quot;").replace("&quot;", '"') in fragment(
        source
    )


@pytest.mark.parametrize(
    "source", ['a**"b"**c', "a** b**", "** a**", "2 * 3 * 4", "snake_case_name"]
)
def test_without_them_emphasis_is_that_of_commonmark(source: str) -> None:
    assert fragment(source) == f"<p>{source}</p>\n"


def test_strikethrough_and_emphasis_beside_chinese() -> None:
    assert fragment("~~（旧）~~新 *（斜）*体") == "<p><del>（旧）</del>新 <em>（斜）</em>体</p>\n"


def test_what_nests_too_deep_stays_readable() -> None:
    for source in (">" * 100 + " deep", "- " * 100 + "deep", "> - " * 50 + "deep"):
        page = walk(render(source))
        assert "deep" in page.text
        assert len(page.tags) < 30
    page = walk(render("**a " * 200 + "deep" + " b**" * 200))
    assert "deep" in page.text
    assert page.tags.count("strong") <= 10
