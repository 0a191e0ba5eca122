"""The end of a growing text does not change its look back and forth."""

from __future__ import annotations

import pytest

from cbai_notebook.notebook.markdown import fragment
from tests.notebook.markdown.walk import walk

ANSWER = (
    "Intro **bold text** and `code x` then [link](https://a.test/b) and *both* of them:\n"
    "- **one** item\n- two\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n| **3** | 4 |\n\n"
    "## Heading\n\n1. first\n2. second\n\n> quote\n\n"
    "$$\n\\frac{x_1}{y_1}\n$$\n\nThen \\(a_1\\) and $\\frac{a}{b}$.\n\n"
    "```python\nx = 1\n\ny = [2]\n```\n\n---\n\nDone.\n"
)


def unfinished(source: str) -> str:
    return fragment(source, final=False)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("Text:\n-", "<p>Text:</p>\n"),
        ("Text:\n--", "<p>Text:</p>\n"),
        ("Text\n=", "<p>Text</p>\n"),
        ("Text:\n\n1", "<p>Text:</p>\n"),
        ("Text:\n\n1.", "<p>Text:</p>\n"),
        ("Text\n\n#", "<p>Text</p>\n"),
        ("Text\n\n`", "<p>Text</p>\n"),
        ("Text\n\n```", "<p>Text</p>\n"),
        ("Text\n\n|", "<p>Text</p>\n"),
        ("Text\n\n| a | b |", "<p>Text</p>\n"),
        ("Text\n\n| a | b |\n", "<p>Text</p>\n"),
        ("Text\n\n| a | b |\n|--", "<p>Text</p>\n"),
        ("Text\n\n$", "<p>Text</p>\n"),
        ("- one\n-", "<ul>\n<li>one</li>\n</ul>\n"),
        ("> a\n>", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("so **bo", "<p>so <strong>bo</strong></p>\n"),
        ("so **bold*", "<p>so <strong>bold</strong></p>\n"),
        ("so **bold ", "<p>so <strong>bold</strong></p>\n"),
        ("so **", "<p>so </p>\n"),
        ("so `co", "<p>so <code>co</code></p>\n"),
        ("so [link](https://a.te", "<p>so link</p>\n"),
        ("so ![cat](https://a.te", "<p>so cat</p>\n"),
        ("```python\nx", '<pre><code class="cbai-code-in-python">x</code></pre>\n'),
        ("`a ** b", "<p><code>a ** b</code></p>\n"),
        ("2 ** 3", "<p>2 ** 3</p>\n"),
        ("**a** b", "<p><strong>a</strong> b</p>\n"),
    ],
)
def test_an_open_end_looks_as_it_will(source: str, shown: str) -> None:
    assert unfinished(source) == shown


def test_nothing_is_held_back_in_the_end() -> None:
    assert fragment("Text\n-") == "<h2>Text</h2>\n"
    assert fragment("| a | b |") == "<p>| a | b |</p>\n"
    assert fragment("so **bo") == "<p>so **bo</p>\n"
    assert fragment("7") == "<p>7</p>\n"


def test_no_element_appears_that_goes_away_again() -> None:
    seen: list[str] = []
    for end in range(1, len(ANSWER) + 1):
        tags = [t for t in walk(unfinished(ANSWER[:end]), wrapped=False).tags if t != "span"]
        # Only the empty cells of an unfinished row, and words after a mark, may come later.
        assert tags[: len(seen)] == seen, ANSWER[:end][-40:]
        seen = tags
    assert seen == [t for t in walk(fragment(ANSWER), wrapped=False).tags if t != "span"]


def test_no_heading_is_made_of_a_list_that_begins() -> None:
    for end in range(1, len(ANSWER)):
        tags = walk(unfinished(ANSWER[:end]), wrapped=False).tags
        assert tags.count("h2") <= ("## H" in ANSWER[:end])
        assert "hr" not in tags or "\n---" in ANSWER[:end]
