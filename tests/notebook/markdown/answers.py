"""Markdown for property tests: as models write it, and as nobody does."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = st.sampled_from(
    [
        "word",
        "two words",
        "中文",
        "**“引号”**后面",
        "**bold**",
        "*it*",
        "_u_",
        "~~gone~~",
        "`code`",
        "``a ` b``",
        "$x_1$",
        "$5",
        "\\(y\\)",
        "\\[z\\]",
        "$$d$$",
        "[link](https://a.test)",
        "[ref]",
        "[text][ref]",
        "[other]",
        "![p](https://a.test/p.png)",
        "<https://a.test>",
        "<br>",
        "H<sub>2</sub>O",
        "[^1]",
        "**open",
        "`open",
        "$open",
        "\\(open",
        "[open",
        "\\*",
        "&amp;",
        "a|b",
        "  \n",
        "\n",
        "\\\n",
        "😀",
    ]
)
LINE = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
LANGUAGES = st.sampled_from(["", "python", "json", "nosuch", "{=html}"])
CODE = st.lists(
    st.sampled_from(["x = 1", "", "    indented", "# not a heading", "- not", "$$", "</script>"]),
    max_size=6,
).map("\n".join)


def _indent(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join([first + lines[0], *(rest + line if line else line for line in lines[1:])])


FENCES = st.builds(
    lambda mark, language, code, closed: f"{mark}{language}\n{code}" + (f"\n{mark}" * closed),
    st.sampled_from(["```", "~~~", "````"]),
    LANGUAGES,
    CODE,
    st.booleans(),
)
FORMULAS = st.builds(
    lambda pair, body, closed: pair[0] + body + (pair[1] if closed else ""),
    st.sampled_from(
        [
            ("$$\n", "\n$$"),
            ("\\[\n", "\n\\]"),
            ("\\begin{align}\n", "\n\\end{align}"),
            ("$$", "$$"),
            ("$$ ", " $$ and more"),
            ("\\[", "\\]."),
        ]
    ),
    st.sampled_from(["x", "x\n- y\n= z", "x\n\ny", "\\frac{a}{b} \\\\ c", "\\href{a}{b}", "# x"]),
    st.booleans(),
)
TABLES = st.builds(
    lambda rows, outer: "\n".join(
        ["| a | b |", "|:--|--:|", *(f"| {r} |" if outer else r for r in rows)]
    ),
    st.lists(
        st.sampled_from(["1 | 2", "$|x|$ | y", "one", "1 | 2 | 3", "`a\\|b` | $5", "", "<br>|-"]),
        max_size=4,
    ),
    st.booleans(),
)
DEFINITIONS = st.sampled_from(
    [
        "[ref]: https://a.test/ref",
        "[ref]: https://a.test/second 'title'",
        "[other]:\nhttps://a.test/other",
        "[other]: https://a.test/other\n'title\nover lines'",
        "[^1]: a footnote",
        "[bad]: javascript:alert(1)",
        "[ref]:",
        "[a]: b\n[c]: d\ntext",
    ]
)
SIMPLE = st.one_of(
    LINE,
    st.lists(LINE, min_size=1, max_size=3).map("\n".join),
    st.builds(lambda n, t: "#" * n + " " + t.replace("\n", " "), st.integers(1, 7), LINE),
    st.builds(lambda t, u: f"{t}\n{u}", LINE, st.sampled_from(["===", "---", "-", "=="])),
    st.sampled_from(
        ["---", "***", "* * *", "- - -", "$$", "```", "    code", "\tcode", "|-|", ">"]
    ),
    st.sampled_from(["<div>\n\n</div>", "<!-- x\n\n-->", "- [ ] task\n- [x] done", "1986\\. x"]),
    FENCES,
    FORMULAS,
    TABLES,
    DEFINITIONS,
)
GAPS = st.sampled_from(["\n", "\n\n", "\n\n\n", "\n \t\n"])


def _nest(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(inner, min_size=1, max_size=3)
    bodies = st.builds(lambda gap, items: gap.join(items), GAPS, parts)
    return st.one_of(
        st.builds(lambda b: _indent(b, "> ", "> "), bodies),
        st.builds(lambda b: _indent(b, "- ", "  "), bodies),
        st.builds(lambda n, b: _indent(b, f"{n}. ", "   "), st.integers(1, 9), bodies),
        st.builds(lambda bs, gap: gap.join(_indent(b, "* ", "  ") for b in bs), parts, GAPS),
        st.builds(lambda b: _indent(b, "- ", " "), bodies),  # badly indented
    )


BLOCKS = st.recursive(SIMPLE, _nest, max_leaves=5)
ANSWERS = st.builds(
    lambda parts, end: "".join(part + gap for part, gap in parts) + end,
    st.lists(st.tuples(BLOCKS, GAPS), max_size=12),
    st.sampled_from(["", "last line", "\n", "```", "\r\n"]),
)


@st.composite
def splits(draw: st.DrawFn, text: str) -> list[str]:
    """Cut a text into parts; some may be empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=30)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


# Texts in which the border between two blocks is hard to find.
TRICKY = [
    "- a\n\n- b\n\n\n- c\n\npara\n",
    "- a\n\n  b\n\nc\n\n    d\n",
    "- a\n\n      code\n\n  b\n\nc\n",
    "1. a\n\n2. b\n\n3) c\n\n- d\n\n+ e\n",
    "- a\n\n<!-- -->\n\n- b\n",
    "> a\n\n> b\n\nc\n",
    "> - a\n>\n>   b\n\n- c\n",
    "```\na\n\nb\n```\n\nc\n\n```\nd\n\ne\n",
    "- ```\n  a\n\n  b\n\nc\n",
    "~~~\n```\n\n~~~\n\n```\n\n~~~\n",
    "    code\n\n    more\n\n\n    code\n\npara\n",
    "a\n\n    code\n\nb\n",
    "a\n===\n\nb\n---\n\nc\n\n---\n",
    "a\n\n===\n\nb\n\n---\n",
    "| a |\n|---|\n| b |\n\n| c |\n\n| d |\n|---|\n",
    "| a |\n\n|---|\n\nb\n",
    "[a]: https://a.test\n\n[a]\n\n[b]\n\n[b]: https://b.test\n\n[b]\n",
    "[a]\n\n[a]:\nhttps://a.test\n\nb\n",
    "[a]: https://a.test\n'title'\n\nb [a]\n",
    "[a]: https://a.test\n'title\n\nnot a title'\n\n[a]\n",
    "[a]: https://first.test\n\n[a]\n\n[a]: https://second.test\n",
    "- [a]: https://a.test\n\n[a]\n",
    "> [a]: https://a.test\n\n[a]\n",
    "[a]\n\n```\n[a]: https://a.test\n```\n",
    "[A]\n\n[ a ]: https://a.test\n\n[ẞ]\n\n[SS]: https://b.test\n",
    "![a]\n\nx\n\n[a]: https://a.test/p.png\n",
    "$$\na\n\nb\n$$\n\nc\n",
    "$$\na\n\nb\n\nc\n",
    "$$\na\n\nb\n\n$$ x\n\nc\n",
    "x\n\n$$\n\ny\n\n\\[\n\nz\n\n\\]\n\nw\n\n$$\n",
    "- $$\n  a\n\n  b\n  $$\n\n- c\n\n$$\nd\n\ne\n",
    "> $$\n> a\n\nb\n\n$$\n",
    "\\begin{align}\na\n\nb\n\\end{align}\n\nc\n\n\\begin{align}\n\nd\n",
    "$$\n" + "x\n\n" * 120 + "$$\n\ny\n",
    "$$\n" + "x\n\n" * 30 + "$$\n\ny\n",
    "\n\n\na\n\n\n\n\nb\n\n",
    " \t\n\na\n \n\t\nb\n",
    "a  \n\nb\\\n\nc\n",
    "a\r\n\r\nb\r\rc\r\n",
    "\x00\n\na\n\x00\n\nb\n",
    "a\n\u2028\nb\n\n\x0c\nc\n\x85\nd\n\n\x1b[0m\ne\n",
    "# a\n\n## b\n\ntext\n# c\n\n#\n\n#d\n",
    "* * *\n\n- - -\n\n- a\n- - -\n\n- b\n",
    "<div>\n\n*a*\n\n</div>\n\n<script>\n\nx\n\n</script>\n\ny\n",
    "- a\n- b\n\n\n  c\n-\n\n  d\n\ne\n",
    "-\n\n  a\n\n-  \n\n   b\n",
    "1. a\n\n   ```\n   x\n\n   y\n   ```\n\n2. b\n\nc\n",
    "- [ ] a\n\n- [x] b\n\n[ ] c\n",
    "[^1]: a\n\n    b\n\n[^1]\n\nc\n",
    "**a\n\nb**\n\n`c\n\nd`\n\n$e\n\nf$\n",
]
