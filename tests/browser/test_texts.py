"""Every text of the tables, in both languages, as a notebook shows it: what fits, and for the eye.

The screenshots ``lab-texts-NN.png`` show all of them, English on the left and Chinese on the right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.i18n import CELL, LANGUAGES, Words, listed, say
from cbai_notebook.notebook.markdown import render
from cbai_notebook.notebook.screen.notice import Notice
from tests.browser.conftest import OpenNotebook
from tests.browser.server import JupyterServer
from tests.test_i18n import ENTRIES, chinese, english, placeholders

WIDTH = 700
"""The width of an output in pixels, for each language."""

PER_PICTURE = 50
"""Texts on one screenshot."""

MARKDOWN = {"app.sign_in", "demo.help", "demo.only_repeats", "demo.tool_answered"}
"""The texts that are Markdown: a notebook shows them as that."""

LONG_ADDRESS = f"https://environment1a2b3c4d.api.tcloudbasegateway.com/{'v1ai' * 20}/completions"

# A value for each name in braces; other names stand for themselves.
VALUES: dict[str, Any] = {
    "address": LONG_ADDRESS,
    "advice": say("advice.check_base_url"),
    "code": 1,
    "column": 7,
    "command": "%cbai continue",
    "complaint": "No matching distribution",
    "configure": "cbai.configure(env_id=…)",
    "conversations": listed(["poems", "plan.ipynb"]),
    "duration": say("answer.seconds", value="3.1"),
    "error": "ValueError",
    "example": "'hy3'",
    "expected": say("messages.kind_content"),
    "failure": "PermissionError",
    "file": "answer.md",
    "files": listed(["cat-1.png", "cat-2.png"]),
    "flag": "--model",
    "folder": "/home/li/notebooks/spring",
    "forms": listed(["markdown", "notebook"]),
    "height": 480,
    "host": "api.example.com",
    "index": 3,
    "install": 'pip install "cbai-notebook[all]"',
    "known": listed(["poems", "plan.ipynb"]),
    "label": "cloudbase/hy3",
    "largest": 20,
    "least": 1,
    "levels": 100,
    "line": 12,
    "login": "%cbai login",
    "magic": "%%cbai",
    "megabytes": 93,
    "mime": "image/png",
    "minutes": 2,
    "model": "hy3",
    "name": "hy3",
    "names": listed(["get_weather", "add"]),
    "number": 3,
    "offline": "-m local",
    "option": "--max-tokens",
    "packages": listed(["jupyterlab", "nbclient"]),
    "path": "/home/li/.local/share/cbai-notebook/history.sqlite",
    "problem": say("provider.key_of_cloudbase_stays"),
    "prompt": "“Hi”",
    "provider": "cloudbase",
    "quoted": "The model does not exist.",
    "range": say("page.all_turns", n=3),
    "reason": "PermissionError",
    "reset": "%cbai reset",
    "row": 4,
    "seconds": 5,
    "setting": "cbai.configure(history_turns=…)",
    "since": "2026-01-31 12:00",
    "status": 429,
    "steps": 5,
    "tools": listed(["get_weather", "add"]),
    "turns": say("command.turns", n=3),
    "type": "int",
    "url": LONG_ADDRESS,
    "variable": "CBAI_API_KEY",
    "version": "0.1.0",
    "where": "language",
    "why": "model: CBAI_MODEL",
    "width": 640,
}  # fmt: skip
OF_ADVICE = {
    "login": say("advice.set_key_again"),
    "model": say("advice.model", name="hy3"),
    "provider": say("advice.provider", name="cloudbase"),
}
NUMBERS = {"n": 1234, "out": 250, "cached": 20, "last": 9, "size": 20, "shown": 200, "first": 3}

# What is no prose: code, options, names in quotation marks, addresses, and what a server has said.
_NO_PROSE = re.compile(
    r"\[[^。]*\]|“[^”]*”|'[^']*'|\"[^\"]*\"|https?://\S+|%%?cbai\b[^。；，]*|[\w.]+\([^)]*\)"
)
_ENGLISH = re.compile(r"(?:\b[A-Za-z][a-z]+[ ,]+){3,}[a-z]+\b")


def said(key: str) -> Words:
    """Return a text with example values."""
    names = set().union(*map(placeholders, (*english(ENTRIES[key]), *chinese(ENTRIES[key]))))
    known = {**VALUES, **NUMBERS, **(OF_ADVICE if key.startswith("advice.") else {})}
    values = {name: known.get(name, name) for name in names}
    return say(key, **{"n": NUMBERS["n"], **values})


def shown(key: str, language: str) -> str:
    text = said(key).in_language(language, CELL)
    return render(text) if key in MARKDOWN else Notice(text).html


def pictures() -> Iterator[str]:
    """Yield HTML of two columns, for one screenshot each."""
    keys = list(ENTRIES)
    for first in range(0, len(keys), PER_PICTURE):
        rows = "".join(
            f'<code style="grid-column:1/3;color:#999">{escape(key)}</code>'
            + "".join(
                f'<div class="said" data-key="{escape(key)}" lang="{name}" style="width:{WIDTH}px">'
                f"{shown(key, name)}</div>"
                for name in LANGUAGES
            )
            for key in keys[first : first + PER_PICTURE]
        )
        yield (
            f'<div class="picture" style="display:grid;grid-template-columns:repeat(2,{WIDTH}px);'
            f'column-gap:24px;background:#fff">{rows}</div>'
        )


_READ = """() => [...document.querySelectorAll(".said")].map(box => ({
    key: box.dataset.key,
    language: box.lang,
    text: box.innerText.trim(),
    wide: [box, ...box.querySelectorAll("*")].some(one => one.scrollWidth > one.clientWidth
        && getComputedStyle(one).display !== "inline"),
}))"""


@pytest.mark.parametrize("server", ["lab"], indirect=True)
async def test_every_text_fits_and_is_whole_in_both_languages(
    open_notebook: OpenNotebook, server: JupyterServer, artefacts: Path
) -> None:
    (server.root / "texts.html").write_text("".join(pictures()), "utf-8")
    show = "from IPython.display import HTML, display\ndisplay(HTML(open('texts.html', encoding='utf-8').read()))"
    notebook = await open_notebook(show)
    page = notebook.page
    await page.set_viewport_size({"width": 1920, "height": 4200})
    await notebook.run_to_end()
    parts = notebook.output(0).locator(".picture")
    for number in range(await parts.count()):
        await parts.nth(number).evaluate("node => node.scrollIntoView({block: 'start'})")
        file = artefacts / f"{server.app}-texts-{number + 1:02}.png"
        await parts.nth(number).screenshot(path=file, animations="disabled")
    found = await page.evaluate(_READ)
    assert len(found) == len(ENTRIES) * len(LANGUAGES)
    problems = [
        f"{each['key']} ({each['language']}): {what}" for each in found for what in wrong(each)
    ]
    assert problems == []


def wrong(box: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a text on the page."""
    key, text = box["key"], box["text"]
    if box["wide"]:
        yield "wider than its box"
    if not text:
        yield "empty"
    if "`" in text:
        yield f"a backtick: {text}"
    names = set().union(*map(placeholders, english(ENTRIES[key])))
    if any(f"{{{name}" in text for name in names) or "{{" in text:
        yield f"a brace: {text}"
    if box["language"] == "zh" and _ENGLISH.search(_NO_PROSE.sub("", text)):
        yield f"English: {text}"
