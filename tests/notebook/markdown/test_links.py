"""Which addresses a link may have, and that a misleading link shows its true host."""

from __future__ import annotations

import pytest

from cbai_notebook.notebook.markdown import fragment, render
from tests.notebook.markdown.corpus import PNG
from tests.notebook.markdown.walk import walk


@pytest.mark.parametrize(
    "target",
    [
        "https://a.test",
        "http://a.test/b?c=d&e=f#g",
        "HTTPS://A.TEST/x",
        "https://a.test:8443/x",
        "http://127.0.0.1:5000/",
        "https://a.test/%E4%B8%AD",
        "https://a.test/(x)",
        "mailto:a@b.test",
        "mailto:a@b.test?subject=x",
        "#section",
    ],
)
def test_a_link_leads_to_the_web_to_mail_or_into_the_page(target: str) -> None:
    assert [href for href, _ in walk(render(f"[x](<{target}>)")).links] == [target]


@pytest.mark.parametrize("target", ["/api", "lab?reset", "../x", "//a.test", "files/x.png", "x:y"])
def test_another_address_is_text_behind_the_words(target: str) -> None:
    page = walk(render(f"[words]({target})"))
    assert page.links == []
    assert page.text.strip() == f"words ({target})"


def test_an_address_that_is_its_own_text_is_written_once() -> None:
    assert fragment("[src/a.py](src/a.py)") == "<p>src/a.py</p>\n"


def test_links_into_the_page_stay_in_the_page() -> None:
    assert "target" not in fragment("[x](#y)")
    assert 'target="_blank"' in fragment("[x](https://a.test)")


@pytest.mark.parametrize(
    ("text", "target", "shown"),
    [
        ("https://bank.test", "https://evil.test", "evil.test"),
        ("bank.com", "https://evil.test", "evil.test"),
        ("www.bank.test", "https://evil.test", "evil.test"),
        ("Bank.COM", "https://evil.test/bank.com", "evil.test"),
        ("go to bank.com now", "https://evil.test", "evil.test"),
        ("`https://bank.test/login`", "https://evil.test", "evil.test"),
        ("**bank**.com", "https://evil.test", "evil.test"),
        ("访问bank.com官网", "https://evil.test", "evil.test"),
        ("中文.com", "https://evil.test", "evil.test"),
        ("ｂａｎｋ．ｃｏｍ", "https://evil.test", "evil.test"),
        ("bank\u200b.com", "https://evil.test", "evil.test"),
        ("bank&#46;com", "https://evil.test", "evil.test"),
        ("https://bank.test@evil.test", "https://evil.test", "evil.test"),
        ("bank.com", "https://bank.com.evil.test", "bank.com.evil.test"),
        ("bank.com", "https://notbank.com", "notbank.com"),
        ("127.0.0.1", "https://evil.test", "evil.test"),
        ("localhost", "https://evil.test", "evil.test"),
        ("https:/bank.test", "https://evil.test", "evil.test"),
        ("ftp://bank.test", "https://evil.test", "evil.test"),
        ("help@bank.com", "mailto:x@evil.test", "x@evil.test"),
        ("help@bank.com", "https://evil.test", "evil.test"),
        ("words", "https://bank.test@evil.test", "evil.test"),
        ("words", "https://аррӏе.com", "xn--80ak6aa92e.com"),
        ("https://bank.test", "#section", "#section"),
    ],
)
def test_a_link_whose_text_misleads_shows_the_true_host(text: str, target: str, shown: str) -> None:
    assert walk(render(f"[{text}]({target})")).text.strip().endswith(f" ({shown})")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("words", "https://a.test"),
        ("https://a.test", "https://a.test"),
        ("https://a.test/b/c.com/d.py?e=f.com", "https://a.test/b/c.com/d.py?e=f.com"),
        ("A.test", "https://a.test"),
        ("a.test", "https://www.a.test"),
        ("www.a.com", "https://a.com"),
        ("a.com", "https://docs.a.com/x"),
        ("访问a.com官网", "https://a.com"),
        ("main.py", "https://a.test"),
        ("README.md", "https://a.test"),
        ("Node.js", "https://nodejs.org"),
        ("`numpy.array`", "https://numpy.org/doc"),
        ("`pd.read_csv()`", "https://pandas.pydata.org"),
        ("v1.2.3", "https://a.test"),
        ("e.g. this", "https://a.test"),
        ("a@b.com", "mailto:a@b.com"),
        ("see 3.14", "https://a.test"),
        ("localhost:5000", "http://localhost:5000"),
        ("$x$", "https://a.test"),
    ],
)
def test_an_honest_link_is_left_alone(text: str, target: str) -> None:
    html = fragment(f"[{text}]({target})")
    assert html.endswith("</a></p>\n")


def test_a_title_cannot_pose_as_the_address() -> None:
    page = walk(render('[x](https://evil.test "https://bank.test")'))
    assert page.titles == ["https://bank.test (https://evil.test)"]


def test_a_link_without_words_shows_its_address() -> None:
    for words in ("", " ", "\u200b", "&nbsp;"):
        assert walk(render(f"[{words}](https://a.test)")).links == [("https://a.test",) * 2]


def test_a_picture_from_elsewhere_becomes_a_link() -> None:
    page = walk(render("![A cat](https://a.test/cat.png)"))
    assert page.pictures == []
    assert page.links == [("https://a.test/cat.png", "A cat")]


def test_a_picture_in_a_link_becomes_its_description() -> None:
    page = walk(render("[![build](https://b.test/badge.svg)](https://a.test)"))
    assert page.links == [("https://a.test", "build")]


def test_a_picture_in_the_text_itself_is_shown() -> None:
    page = walk(render(f'![dot](data:image/png;base64,{PNG} "t")'))
    assert page.pictures == [f"data:image/png;base64,{PNG}"]


def test_a_link_in_a_link_is_one_link() -> None:
    page = walk(render("[a <https://b.test> c](https://c.test)"))
    assert page.links == [("https://c.test", "a https://b.test c")]
    assert page.text.strip().endswith(" (c.test)")


def test_an_address_that_is_written_out_at_every_use_is_short() -> None:
    source = f"[a]: https://a.test/{'x' * 10_000}\n\n" + "[a] " * 1_000
    assert len(fragment(source)) < 2 * len(source)


def test_a_long_address_is_no_link() -> None:
    page = walk(render(f"[a](https://a.test/{'x' * 5_000})"))
    assert page.links == []
    assert len(page.text) < 200
