"""Two languages in one site.

Each page links to the other language, the search knows Chinese, and the ends of lines are no blanks
in Chinese text.
"""

from __future__ import annotations

import posixpath
import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

_CHINESE = r"\u4e00-\u9fff"
_WIDE = r"\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef“”‘’…—"
_LINE_END = re.compile(rf"(?<=[{_WIDE}])\n(?=[{_WIDE}])")
_RUN = re.compile(rf"[{_CHINESE}]+|[^\W{_CHINESE}]+")


_SPLIT_QUERY = r"""
var splitQuery = (query) =>
  (query.match(/[CHINESE]+|(?:(?![CHINESE])[\p{Letter}\p{Number}_])+/gu) || []).flatMap((run) =>
    /[CHINESE]/.test(run) && run.length > 2
      ? Array.from({length: run.length - 1}, (_, i) => run.slice(i, i + 2))
      : [run]);
""".replace("CHINESE", _CHINESE)
"""The same as `SearchBoth.split`, for the words that a reader looks for."""


class SearchBoth(SearchEnglish):
    """English words, and Chinese text in pairs of characters, for it has no blanks between words."""

    lang = "both"
    language_name = "English"  # Sphinx makes the name of the stemmer of it
    js_splitter_code = _SPLIT_QUERY

    def split(self, input: str) -> list[str]:
        """Return the words of a text, and each two Chinese characters that stand together."""
        words: list[str] = []
        for run in _RUN.findall(input):
            if re.match(rf"[{_CHINESE}]", run):
                words += [run[at : at + 2] for at in range(max(1, len(run) - 1))]
            else:
                words.append(run)
        return words


def _join_chinese_lines(app: Sphinx, doctree: nodes.document) -> None:
    """Join lines between Chinese characters: a browser shows the end of a line as a blank."""
    if app.env.docname.startswith("zh/"):
        for text in list(doctree.findall(nodes.Text)):
            if not isinstance(text.parent, nodes.literal_block):
                joined = _LINE_END.sub("", text.astext())
                text.parent.replace(text, nodes.Text(joined))


def _other_page(app: Sphinx, name: str) -> tuple[str, str] | None:
    """Return the page of the same name in the other language, and the name of the language."""
    other, language = (
        (name[3:], "English") if name.startswith("zh/") else (f"zh/{name}", "简体中文")
    )
    return (other, language) if other in app.env.all_docs else None


def _link_languages(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if name.startswith("zh/"):
        context["language"] = "zh-CN"
    found = _other_page(app, name)
    if found and "body" in context:
        there = posixpath.relpath(
            app.builder.get_target_uri(found[0]), posixpath.dirname(name) or "."
        )
        link = f'<p class="other-language"><a href="{escape(there)}">{found[1]}</a></p>'
        context["body"] = link + context["body"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this extension to a build."""
    app.add_search_language(SearchBoth)
    app.config.html_search_language = SearchBoth.lang
    app.connect("doctree-read", _join_chinese_lines)
    app.connect("html-page-context", _link_languages)
    return {"parallel_read_safe": True}
