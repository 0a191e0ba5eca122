"""The sources of an agent's answer in the footer; a link only to an allowed address."""

from __future__ import annotations

import re

import pytest

from cbai_notebook.client.sources import SearchResult, Sources
from cbai_notebook.notebook.screen import Facts, Screen
from cbai_notebook.notebook.screen.sources import MAX_SHOWN
from tests.notebook.screen.recording import Clock, RecordingSurface


def show_sources(*found: SearchResult, knowledge: tuple[str, ...] = ()) -> RecordingSurface:
    surface = RecordingSurface()
    screen = Screen(surface, format="text", clock=Clock())
    screen.text("42")
    screen.finish("complete", footer=Facts(label="x", sources=Sources(found, knowledge)))
    return surface


def test_pages_are_links_that_tell_their_host() -> None:
    surface = show_sources(SearchResult("Li Bai", "https://example.com/li?a=1&b=2", "【1】"))
    assert (
        'Searched: 【1】 <a href="https://example.com/li?a=1&amp;b=2" target="_blank" '
        'rel="noopener noreferrer">Li Bai</a> (example.com)<br>x'
    ) in surface.html
    assert "Searched: 【1】 Li Bai https://example.com/li?a=1&b=2\nx" in surface.plain


def test_knowledge_is_named() -> None:
    surface = show_sources(knowledge=("poems", "诗集", "<b>"))
    assert "Looked up: poems · 诗集 · &lt;b&gt;<br>x" in surface.html
    assert "Looked up: poems · 诗集 · <b>\nx" in surface.plain


def test_nothing_is_said_of_nothing() -> None:
    assert show_sources().plain == "42\n\nx"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "vbscript:x",
        "mailto:a@example.com",
        "#top",
        "/api/kernels",
        "//evil.example/x",
        "lab/tree/x.ipynb",
        'https://example.com/"onmouseover="alert(1)',
        "https://example.com/<script>",
        "https://exa mple.com/",
        "https://[bad",
        "https://",
        "https:\\\\evil.example",
        "https://例え.example/",
        "https://example.com/" + "x" * 5_000,
    ],
)
def test_an_address_that_is_no_page_is_no_link(url: str) -> None:
    surface = show_sources(SearchResult("Title", url))
    assert "<a" not in surface.html
    assert "Searched: Title" in surface.html


@pytest.mark.parametrize(
    "title",
    [
        "<img src=x onerror=alert(1)>",
        "</a><script>alert(1)</script>",
        '" onmouseover="alert(1)',
        "[x](javascript:alert(1))",
        "$\\href{javascript:alert(1)}{x}$",
    ],
)
def test_a_title_is_text(title: str) -> None:
    surface = show_sources(SearchResult(title, "https://example.com/", title))
    tags = set(re.findall(r"<(\w+)", surface.html))
    assert tags <= {"div", "small", "a", "br", "pre", "span", "code"}
    (link,) = re.findall(r"<a [^>]*>", surface.html)
    assert link == '<a href="https://example.com/" target="_blank" rel="noopener noreferrer">'


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://bank.example@evil.example/login", "evil.example"),
        ("https://bank.example%2f@evil.example/", "evil.example"),
        ("https://EVIL.example/bank.example", "evil.example"),
    ],
)
def test_the_true_host_stands_behind_whatever_the_title_says(url: str, host: str) -> None:
    surface = show_sources(SearchResult("https://bank.example/login", url))
    assert f"</a> ({host})" in surface.html


def test_signs_that_reorder_or_steer_are_taken_out() -> None:
    surface = show_sources(
        SearchResult("a\u202eb\x1b[31mc", "https://example.com/\u202ex"), knowledge=("\x07k",)
    )
    for sign in ("\u202e", "\x1b", "\x07"):
        assert sign not in surface.html
        assert sign not in surface.plain


def test_a_flood_is_cut() -> None:
    many = [SearchResult(f"{number} " + "x" * 10_000, "") for number in range(5_000)]
    surface = show_sources(*many, knowledge=tuple("k" * 10_000 for _ in range(50)))
    assert f"+ {5_000 - MAX_SHOWN}" in surface.plain
    assert f"+ {50 - MAX_SHOWN}" in surface.plain
    assert len(surface.html) < 10_000
