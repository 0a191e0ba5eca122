"""What an answer draws on: the pages that were found in the web, and the knowledge that was looked up.

All of it comes from outside. A page is a link only where a link may lead, and the host that it really
leads to stands behind its title, whatever the title says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cbai_notebook.notebook.screen import html

if TYPE_CHECKING:
    from cbai_notebook.client.agents.values import SearchResult

MOST = 10
"""Pages, and names of knowledge, that are shown; the rest is counted."""

_LONGEST_TITLE = 80
_LONGEST_INDEX = 8


@dataclass(frozen=True)
class Line:
    """A line under an answer, as safe markup and as plain text."""

    html: str
    plain: str


WORDS = ("Searched", "Looked up")
"""What stands before the pages, and before the knowledge."""


def lines(
    searched: Sequence[SearchResult],
    looked_up: Sequence[str],
    words: tuple[str, str] = WORDS,
) -> list[Line]:
    """Return the lines that tell where an answer comes from; none where nothing is known.

    Args:
        searched: Pages of the web.
        looked_up: Names of knowledge bases.
        words: What stands before each, as safe markup.
    """
    made = [(words[0], [_page(one) for one in searched[:MOST]], len(searched))]
    names = [_short(name, _LONGEST_TITLE) for name in looked_up[:MOST]]
    made.append((words[1], [Line(html.escape(name), name) for name in names], len(looked_up)))
    return [_line(what, shown, count) for what, shown, count in made if shown]


def _line(what: str, shown: Sequence[Line], count: int) -> Line:
    rest = [f"+ {count - len(shown)}"] if count > len(shown) else []
    return Line(
        f"{what}: " + " · ".join([*(one.html for one in shown), *rest]),
        f"{what}: " + " · ".join([*(one.plain for one in shown), *rest]),
    )


def _page(found: SearchResult) -> Line:
    host = _host(found.url)
    title = _short(found.title, _LONGEST_TITLE) or host or "a page without a title"
    index = _short(found.index, _LONGEST_INDEX)
    before = f"{index} " if index else ""
    if not host:
        return Line(html.escape(before + title), before + title)
    link = (
        f'<a href="{html.escape(found.url)}" target="_blank" rel="noopener noreferrer">'
        f"{html.escape(title)}</a>"
    )
    behind = "" if title == host else f" ({host})"
    return Line(html.escape(before) + link + html.escape(behind), f"{before}{title} {found.url}")


def _host(url: str) -> str:
    """Return the host that an address of the web leads to, or nothing for what may be no link."""
    # Loaded here: whoever shows no answer of an agent's needs no rules for links.
    from cbai_notebook.notebook.markdown.links import allowed_link

    if url[:7].lower() != "http://" and url[:8].lower() != "https://":
        return ""
    return (urlsplit(url).hostname or "") if allowed_link(url) else ""


def _short(text: str, most: int) -> str:
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else line[: most - 1] + "…"
