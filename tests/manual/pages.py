"""The pages of the manual, and what a page consists of: headings, blocks of code, links."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"

GENERATED = {"commands.md"}
"""The pages that `python -m tests.manual` writes."""

FRONT_PAGES = [REPOSITORY / "README.md", REPOSITORY / "README.zh-CN.md"]

_FENCE = re.compile(r"^```(?P<language>\S*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def written_pages() -> list[Path]:
    """Return the pages that people write: the README and the manual, in both languages."""
    pages = [page for folder in (DOCS, DOCS / "zh") for page in sorted(folder.glob("*.md"))]
    return [*FRONT_PAGES, *(page for page in pages if page.name not in GENERATED)]


def without_code(text: str) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", text)


def heading_levels(text: str) -> list[int]:
    """Return the level of each heading, from the first to the last."""
    return [len(found) for found in re.findall(r"^(#+) ", without_code(text), re.MULTILINE)]


def code_blocks(text: str) -> list[tuple[str, str]]:
    """Return language and code of each block, without comments, which are translated."""
    return [
        (block["language"], re.sub(r"\s*# .*", "", block["code"]))
        for block in _FENCE.finditer(text)
    ]


def names_in_first_column(text: str) -> list[list[str]]:
    """Return the code in the first cell of each row of the tables."""
    rows = re.findall(r"^\| (.*?) \|", without_code(text), re.MULTILINE)
    return [re.findall(r"`([^`]+)`", row) for row in rows]


def links(text: str) -> list[str]:
    """Return the targets of the links and pictures that stand in this repository."""
    targets = [found["target"] for found in _LINK.finditer(without_code(text))]
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and the manual make it."""
    plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return plain.replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the anchors of all headings of a page."""
    return {anchor(found) for found in re.findall(r"^#+ (.*)$", without_code(text), re.MULTILINE)}
