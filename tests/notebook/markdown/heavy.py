"""Answers made to be slow: one construct many times, closed or left open."""

from __future__ import annotations

from collections.abc import Iterator


def heavy(size: int) -> Iterator[tuple[str, str]]:
    """Make every kind of heavy answer, of about `size` characters.

    Args:
        size: Characters.

    Yields:
        A name and the text.
    """
    root = int(size**0.5)
    yield "para", "word " * (size // 5)
    yield "para lines", "word word\n" * (size // 10)
    yield "fence py", "```python\n" + "x = [1, 'a']\n" * (size // 13)
    yield "fence none", "```\n" + "x = [1, 'a']\n" * (size // 13)
    yield "fence oneline", "```python\n" + "x" * size
    yield "quotes deep", ">" * size
    yield "quotes deep lines", (">" * 50 + " a\n") * (size // 53)
    yield "quote lines", "> a\n" * (size // 4)
    yield "lists deep", "- " * (size // 2)
    yield "lists nested", "".join("  " * i + "- a\n" for i in range(root))
    yield "list items", "- a\n" * (size // 4)
    yield "list loose", "- a\n\n" * (size // 5)
    yield "ol", "1. a\n" * (size // 5)
    yield "brackets", "[" * size
    yield "brackets both", "[" * (size // 2) + "a" + "]" * (size // 2)
    yield "bracket links", "[a](" * (size // 4)
    yield "bracket ![", "![" * (size // 2)
    yield "[a][", "[a][" * (size // 4)
    yield "[ (", "[(" * (size // 2)
    yield "links", "[a](http://b.c) " * (size // 16)
    yield "stars", "*" * size
    yield "stars a", "*a " * (size // 3)
    yield "a*", "a* " * (size // 3)
    yield "**a", "**a " * (size // 4)
    yield "**x** nest", "**a " * (size // 8) + "a** " * (size // 8)
    yield "*a_ ", "*a_ " * (size // 4)
    yield "a**b", "a**b" * (size // 4)
    yield "x*x_", "a*b_c" * (size // 5)
    yield "_ a", "_a " * (size // 3)
    yield "__", "_" * size
    yield "tilde", "~" * size
    yield "~~a", "~~a " * (size // 4)
    yield "dollars", "$" * size
    yield "$a", "$a " * (size // 3)
    yield "$a$", "$a$ " * (size // 4)
    yield "$$a", "$$a " * (size // 4)
    yield "$$a\\n", "$$a\n" * (size // 4)
    yield "$$\\n", "$$\n" * (size // 3)
    yield "$$\\na\\n\\n", "$$\na\n\n" * (size // 6)
    yield "\\(", "\\(" * (size // 2)
    yield "\\[", "\\[" * (size // 2)
    yield "\\[nl", "\\[\n" * (size // 3)
    yield "\\begin", "\\begin{align}\n" * (size // 14)
    yield "\\begin il", "a \\begin{align} " * (size // 16)
    yield "backticks", "`" * size
    yield "backticks incr", "".join("a" + "`" * i for i in range(root))
    yield "` a", "`a " * (size // 3)
    yield "` ``", "` `` " * (size // 5)
    yield "table rows", "|a|b|\n|-|-|\n" + "|1|2|\n" * (size // 6)
    yield "table wide", "|a" * (size // 4) + "|\n" + "|-" * (size // 4) + "|\n"
    yield (
        "table short rows",
        "|a" * (size // 8) + "|\n" + "|-" * (size // 8) + "|\n" + "x\n" * (size // 4),
    )
    yield "table pipes", "|" * size
    yield "table header repeat", "|a|b|\n" * (size // 6)
    yield "table delim repeat", "a|b\n-|-\n" * (size // 8)
    yield "table $", "|a|b|\n|-|-|\n" + "|$1|$2|\n" * (size // 8)
    yield "table row $", "|a|\n|-|\n" + "|$a" * (size // 3)
    yield "refs", "".join(f"[a{i}]: http://b.c\n" for i in range(size // 20))
    yield (
        "refs+use",
        "".join(f"[a{i}]: http://b.c\n" for i in range(size // 40))
        + "\n"
        + "".join(f"[a{i}] " for i in range(size // 20)),
    )
    yield "ref open", "[a\n" * (size // 3)
    yield "ref title", "[a]: b '\n" * (size // 9)
    yield "ref one label", "[" + "a" * size + "]: b"
    yield "ref lines", "[a]:\n" * (size // 5)
    yield "ref esc", "[\\\n" * (size // 3)
    yield "autolinks", "<http://a" * (size // 9)
    yield "autolinks2", "<http://a.b>" * (size // 12)
    yield "lt", "<" * size
    yield "<br", "<br " * (size // 4)
    yield "<br>", "<br>" * (size // 4)
    yield "<sub>", "<sub>" * (size // 5)
    yield "<sub>a", "<sub>a</sub" * (size // 11)
    yield "amp", "&" * size
    yield "&#", "&#1" * (size // 3)
    yield "&amp;", "&amp;" * (size // 5)
    yield "backslash", "\\" * size
    yield "esc", "\\*" * (size // 2)
    yield "hr", "- " * (size // 2) + "\n"
    yield "hrs", "---\n" * (size // 4)
    yield "setext", "a\n-\n" * (size // 4)
    yield "headings", "# a\n" * (size // 4)
    yield "heading #", "#" * size
    yield "heading trail", "# a" + " #" * (size // 2)
    yield "spaces", " " * size
    yield "spaces x", "a" + " " * size + "b"
    yield "trailing spaces", "a  \n" * (size // 4)
    yield "tabs", "\t" * size
    yield "tabs lines", "\ta\n" * (size // 3)
    yield "newlines", "\n" * size
    yield "blank lines sp", " \n" * (size // 2)
    yield "nul", "\0" * size
    yield "esc seqs", "\x1b]" * (size // 2)
    yield "c1", "\x9d" * size
    yield "csi", "\x9b" * size
    yield "csi args", "\x9b" + "0" * size
    yield "bidi", "\u202e" * size
    yield "cjk", "中文**粗体**。" * (size // 9)
    yield "cjk quotes", "**“引号”**后面" * (size // 10)
    yield "data img", "![a](data:image/png;base64," + "A" * size + ")"
    yield "data link", "[a](data:text/html," + "A" * size + ")"
    yield "long url", "[a](http://b.c/" + "a" * size + ")"
    yield "url dots", "[a.b](http://" + "a." * (size // 2) + "com)"
    yield "link text dots", "[" + "a." * (size // 2) + "](http://b.c)"
    yield "link text dashes", "[" + "a-" * (size // 2) + "](http://b.c)"
    yield "link text at", "[" + "a@" * (size // 2) + "](http://b.c)"
    yield "link text colon", "[" + "a:" * (size // 2) + "](http://b.c)"
    yield "parens url", "[a](" + "(" * size
    yield "title", '[a](b "' + "a" * size
    yield "fences", "```\n" * (size // 4)
    yield "fences nest", "".join("`" * (3 + i) + "\n" for i in range(root))
    yield "fence info", "```" + "a" * size + "\nx"
    yield "tilde fences", "~~~a\n" * (size // 5)
    yield "list fence", "- ```\n" * (size // 6)
    yield "quote fence", "> ```\n" * (size // 6)
    yield "quote list", "> - a\n" * (size // 6)
    yield "quote lazy", "> a\n" + "b\n" * (size // 2)
    yield "list lazy", "- a\n" + "b\n" * (size // 2)
    yield "list code", "-     a\n" * (size // 8)
    yield "tasks", "- [ ] a\n" * (size // 8)
    yield "footnotes", "[^1]: a\n" * (size // 8)
    yield "braces", "$" + "{" * 4000 + "}" * 900 + "$ " * (size // 5000)
    yield "formula backslashes", "$" + "\\" * size + "$"
    yield "\\hspace", "$" + "\\hspace{" * (size // 8) + "$"
    yield "html deep", "<div>" * (size // 5)
    yield "mixed nest", "> - " * (size // 4)
    yield "mixed nest nl", "> - a\n> > b\n" * (size // 12)
    yield "1) 1.", "1) a\n1. b\n" * (size // 10)
    yield "*_*_", "*_" * (size // 2)
    yield "**_ a", "**_ a" * (size // 5)
    yield "[*", "[*" * (size // 2)
    yield "*[", "*[a" * (size // 3)
    yield "[a](<", "[a](<b" * (size // 6)
    yield "![a](<", "![a](<b" * (size // 7)
    yield "`[", "`[" * (size // 2)
    yield "$[", "$[" * (size // 2)
    yield "[$", "[$a$" * (size // 4)
    yield "emails", "<a@" * (size // 3)
    yield "emails2", "<" + "a" * size + "@b>"
    yield "emails3", "<a@" + "b." * (size // 2) + ">"
    yield "${", "${" * (size // 2)
    yield "${ ", "${ $" * (size // 4)
    yield "$$a$", "$$a$b " * (size // 6)
    yield "surrogates", "\ud83d" * size
