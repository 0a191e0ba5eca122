"""The sources of an agent's answer: web pages that it found, and knowledge bases that it used.

Sources are untrusted. A page is a link only if its address is allowed, and its true host is shown
after the title, whatever the title is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cbai_notebook.i18n import say
from cbai_notebook.notebook.screen import html
from cbai_notebook.text import shortened

if TYPE_CHECKING:
    from cbai_notebook.client.sources import SearchResult, Sources

MAX_SHOWN = 10
"""Maximum number of pages, and of knowledge bases, that are shown; the others are counted."""

_LONGEST_TITLE = 80
_LONGEST_INDEX = 8


@dataclass(frozen=True)
class Line:
    """A line of the footer, as safe markup and as plain text."""

    html: str
    plain: str


def lines(sources: Sources, labels: tuple[str, str] | None = None) -> list[Line]:
    """Return the lines about the sources of an answer; no lines when there are none.

    Args:
        sources: The web pages and the knowledge bases.
        labels: The labels of the line with the pages, and of the line with the knowledge bases, as
            safe markup.
    """
    labels = labels or (say("answer.searched"), say("answer.looked_up"))
    pages = [_page(page) for page in sources.pages[:MAX_SHOWN]]
    names = [shortened(name, _LONGEST_TITLE) for name in sources.knowledge[:MAX_SHOWN]]
    bases = [Line(html.escape(name), name) for name in names]
    groups = zip(labels, (pages, bases), (sources.pages, sources.knowledge), strict=True)
    return [_line(label, shown, len(found)) for label, shown, found in groups if shown]


def _line(label: str, shown: Sequence[Line], count: int) -> Line:
    rest = [f"+ {count - len(shown)}"] if count > len(shown) else []
    return Line(
        f"{label}: " + " · ".join([*(line.html for line in shown), *rest]),
        f"{label}: " + " · ".join([*(line.plain for line in shown), *rest]),
    )


def _page(page: SearchResult) -> Line:
    host = _host(page.url)
    title = shortened(page.title, _LONGEST_TITLE) or host or say("answer.page_without_title")
    index = shortened(page.index, _LONGEST_INDEX)
    before = f"{index} " if index else ""
    if not host:
        return Line(html.escape(before + title), before + title)
    link = (
        f'<a href="{html.escape(page.url)}" target="_blank" rel="noopener noreferrer">'
        f"{html.escape(title)}</a>"
    )
    behind = "" if title == host else f" ({host})"
    return Line(html.escape(before) + link + html.escape(behind), f"{before}{title} {page.url}")


def _host(url: str) -> str:
    """Return the host of a web address, or an empty string for an address that is not allowed."""
    # Imported on use: only answers of agents need the rules for links.
    from cbai_notebook.notebook.markdown.links import allowed_link

    if url[:7].lower() != "http://" and url[:8].lower() != "https://":
        return ""
    return (urlsplit(url).hostname or "") if allowed_link(url) else ""
