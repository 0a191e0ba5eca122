"""Parse Markdown into tokens, and write the tokens as safe HTML."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from cbai_notebook.notebook.markdown.debug_log import drop_our_records, our_parsing
from cbai_notebook.notebook.markdown.highlight import highlight, language_name
from cbai_notebook.notebook.markdown.limits import BLOCK_CHARACTERS, NESTING
from cbai_notebook.notebook.markdown.links import secure_links
from cbai_notebook.notebook.markdown.mathematics import block_formula, inline_formula, may_typeset
from cbai_notebook.notebook.markdown.mathml import mathml
from cbai_notebook.notebook.markdown.rules import (
    InlineParser,
    definition,
    html_tag,
    is_long,
    limit_emphasis,
    mark_tasks,
    too_deep,
)
from cbai_notebook.notebook.markdown.sanitize import (
    CODE_CLASS,
    FORMULA_CLASS,
    sanitize,
)
from cbai_notebook.notebook.markdown.tables import table
from cbai_notebook.session import draws_mathml
from cbai_notebook.text import split_lines

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    Environment = MutableMapping[str, Any]


# A paragraph without any of these characters is plain text, as most cells of a table are.
_MARKUP = re.compile(r"[\n&*<\[\\_`~$]")


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """Build the parser: CommonMark without HTML, plus tables, strikethrough and our own rules."""
    markdown = MarkdownIt(
        "commonmark",
        {"html": False, "linkify": False, "xhtmlOut": False, "maxNesting": NESTING},
        renderer_cls=_Renderer,
    )
    inline = InlineParser()
    markdown.inline = inline
    inline.ruler.enableOnly(
        str.split("text newline escape backticks strikethrough emphasis link image autolink entity")
    )
    inline.ruler2.enableOnly(["balance_pairs", "strikethrough", "emphasis", "fragments_join"])
    inline.ruler.before("escape", "formula", inline_formula)
    inline.ruler.before("autolink", "tag", html_tag)

    block = markdown.block.ruler
    block.disable(["html_block"])
    block.at("table", table, {"alt": ["paragraph", "reference"]})
    block.enable(["table"])
    block.at("reference", definition, {"alt": []})
    block.before(
        "table", "formula", block_formula, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    block.before("formula", "too_deep", too_deep, {"alt": []})
    # links.py decides which addresses are allowed, once for every way to write a link.
    markdown.validateLink = lambda url: True  # type: ignore[method-assign]
    drop_our_records()
    return markdown


def parse_blocks(source: str, environment: Environment) -> list[Token]:
    """Parse the blocks of a text: paragraphs stay unparsed, blocks that are too long become source.

    Args:
        source: Markdown, already plain.
        environment: Receives the definitions as ``references``, the lines where definitions begin
            as ``definitions``, and the line of an unfinished formula as ``open_line``.
    """
    tokens: list[Token] = []
    markdown = parser()
    with our_parsing():
        markdown.block.parse(source, markdown, environment, tokens)
    return _with_long_blocks_as_source(tokens, split_lines(source))


def to_html(tokens: Sequence[Token], environment: Environment) -> str:
    """Parse the paragraphs of complete blocks, and return the blocks as safe HTML."""
    markdown = parser()
    mark_tasks(tokens)
    for token in tokens:
        if token.type == "inline":
            children = parse_inline(token, environment)
            is_text = len(children) == 1 and children[0].type == "text"
            token.children = children if is_text else secure_links(limit_emphasis(children))
    return sanitize(str(markdown.renderer.render(tokens, markdown.options, environment)))


def parse_inline(token: Token, environment: Environment) -> list[Token]:
    """Parse the content of an ``inline`` token: what is long stays text."""
    if is_long(token.content) or not _MARKUP.search(token.content):
        text = Token("text", "", 0)
        text.content = token.content
        return [text]
    children: list[Token] = []
    markdown = parser()
    markdown.inline.parse(token.content, markdown, environment, children)
    return children


def block_starts(tokens: Sequence[Token], environment: Environment) -> list[int]:
    """Return the lines where the top-level blocks of a text begin, in order."""
    lines = {token.map[0] for token in tokens if token.level == 0 and token.map}
    return sorted(lines.union(environment.get("definitions", ())))


def _with_long_blocks_as_source(tokens: list[Token], lines: Sequence[str]) -> list[Token]:
    """Replace the top-level blocks that are too long by their source.

    Args:
        tokens: Tokens of complete blocks.
        lines: The lines that they were parsed from, with their ends.
    """
    if sum(map(len, lines)) <= BLOCK_CHARACTERS:
        return tokens
    kept: list[Token] = []
    skip = False
    for token in tokens:
        if token.level == 0 and token.map and token.nesting >= 0:
            block = "".join(lines[slice(*token.map)])
            skip = len(block) > BLOCK_CHARACTERS
            if skip:
                source = Token("code_block", "code", 0)
                source.content = block
                source.map = token.map
                kept.append(source)
        if not skip:
            kept.append(token)
    return kept


class _Renderer(RendererHTML):
    """Write the HTML of each token type, without any class or id that the text could choose."""

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write a fenced block; its info string only selects the colours and the language's name."""
        words = tokens[idx].info.split(None, 1)
        language = words[0] if words else ""
        name = language_name(language)
        marked = f' class="{CODE_CLASS}{name}"' if name else ""
        return f"<pre><code{marked}>{highlight(tokens[idx].content, language)}</code></pre>\n"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write an indented block."""
        return f"<pre><code>{escape(tokens[idx].content, quote=False)}</code></pre>\n"

    def formula(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write a formula for MathJax, or for the browser where there is none.

        One that may not be typeset becomes code.
        """
        source = tokens[idx].content
        if not may_typeset(source):
            return f"<code>{escape(source, quote=False)}</code>"
        if draws_mathml() and (made := mathml(source)):
            return made
        return f'<span class="{FORMULA_CLASS}">{escape(source, quote=False)}</span>'

    def block_formula(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write a formula as a separate paragraph."""
        source = tokens[idx].content
        if not may_typeset(source):
            return f"<pre><code>{escape(source, quote=False)}</code></pre>\n"
        return f"<p>{self.formula(tokens, idx, options, env)}</p>\n"

    def open_formula(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write the source of a formula that is still arriving."""
        return f"<p>{escape(tokens[idx].content, quote=False)}</p>\n"

    def text_special(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write an escaped character or an entity."""
        return escape(tokens[idx].content, quote=False)
