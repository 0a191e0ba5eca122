"""Pages for what stands elsewhere in the repository: notebooks, the changelog, CONTRIBUTING, SECURITY.

They are written into ``docs/repository/`` before a build, and links to the files lead to the pages. The
table of contents is added here too, so that the pages read well where Markdown is shown as it is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
FOLDER = DOCS / "repository"

NOTEBOOKS = [
    REPOSITORY / "cbai_notebook" / "quickstart.ipynb",
    *sorted((REPOSITORY / "notebooks").glob("*.ipynb")),
]
NOTEBOOK_IN_CHINESE = REPOSITORY / "cbai_notebook" / "quickstart.zh.ipynb"
PAGES: Mapping[Path, Path] = {
    **{
        file: FOLDER / "notebooks" / f"{file.stem}.md" for file in (*NOTEBOOKS, NOTEBOOK_IN_CHINESE)
    },
    **{
        REPOSITORY / name: FOLDER / name
        for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
    },
    REPOSITORY / "README.md": DOCS / "index.md",
    REPOSITORY / "README.zh-CN.md": DOCS / "zh" / "index.md",
}
"""The file in the repository, and the page that shows it."""

_GUIDE = (
    "try-it", "cloudbase", "servers", "cells", "panel", "frontends", "conversations", "batch",
    "compare", "evaluate", "tools", "mcp", "python", "how-to",
)  # fmt: skip
_REFERENCE = ("commands", "settings", "reference", "figures")
_CARRY_ON = ("architecture", "glossary")

_LINK = re.compile(r"(?<=\]\()(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]+)?(?=\))")


def _fenced(language: str, code: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
    return f"{fence}{language}\n{code}\n{fence}"


def _cells(notebook: Mapping[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
        elif source:
            yield _fenced("text" if source.lstrip().startswith("%") else "python", source)


def _pointing_at_pages(text: str, file: Path, page: Path) -> str:
    """Return a text whose links lead from its page to pages.

    Args:
        text: Markdown.
        file: Where the text stands; its links start there.
        page: The page that shows the text.
    """

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if re.match(r"[a-z]+:", target):
            return found[0]
        there = (file.parent / target).resolve()
        if there == page and found["anchor"]:
            return found["anchor"]
        to = PAGES.get(there, there)
        anchor = "" if to.name == "index.md" else found["anchor"] or ""
        return Path(os.path.relpath(to, page.parent)).as_posix() + anchor

    return _LINK.sub(link, text)


def _write_pages(app: Sphinx) -> None:
    for page in set(FOLDER.rglob("*.md")) - set(PAGES.values()):
        page.unlink()  # of a file that is no longer in the repository
    for file, page in PAGES.items():
        if page.is_relative_to(FOLDER):
            text = file.read_text("utf-8")
            if file.suffix == ".ipynb":
                text = "\n\n".join(_cells(json.loads(text))) + "\n"
            page.parent.mkdir(parents=True, exist_ok=True)
            text = _pointing_at_pages(text, file, page)
            if not page.exists() or page.read_text("utf-8") != text:
                page.write_text(text, encoding="utf-8")


def _contents(caption: str, names: tuple[str, ...]) -> str:
    entries = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    page = DOCS / f"{name}.md"
    if not page.is_relative_to(FOLDER):
        source[0] = _pointing_at_pages(source[0], page, page)
    if name == "index":
        notebooks = tuple(f"repository/notebooks/{file.stem}" for file in NOTEBOOKS)
        source[0] += "\n" + "\n".join(
            (
                _contents("Guide", _GUIDE),
                _contents("Reference", (*_REFERENCE, "repository/CHANGELOG")),
                _contents("Notebooks", notebooks),
                _contents(
                    "For whoever carries on",
                    ("repository/CONTRIBUTING", *_CARRY_ON, "repository/SECURITY"),
                ),
                _contents("简体中文", ("zh/index",)),
            )
        )
    elif name == "zh/index":
        quickstart = f"/repository/notebooks/{NOTEBOOK_IN_CHINESE.stem}"
        source[0] += "\n" + _contents("指南", (*_GUIDE, *_REFERENCE[:2], quickstart))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this extension to a build."""
    app.connect("builder-inited", _write_pages)
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}
