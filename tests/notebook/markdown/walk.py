"""An independent check of the HTML: parse a page, and assert that all of it is allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

WRAPPER = "cbai-markdown jp-RenderedHTMLCommon jp-RenderedMarkdown mathjax_ignore tex2jax_ignore"
FORMULA = "mathjax_process tex2jax_process"
VOID = {"br", "hr", "img"}
ALLOWED: dict[str, set[str]] = {
    **{tag: set() for tag in str.split("h1 h2 h3 h4 h5 h6 p br hr ul li blockquote pre code")},
    **{tag: set() for tag in str.split("table thead tbody tr em strong del sub sup kbd")},
    "ol": {"start"},
    "th": {"style"},
    "td": {"style"},
    "a": {"href", "title", "target", "rel"},
    "img": {"src", "alt"},
    "span": {"style", "class"},
    "code": {"class"},
}
LANGUAGE = re.compile(r"cbai-code-in-[a-z0-9+#.-]{1,20}")
COLOUR = re.compile(
    r"color: var\(--jp-mirror-editor-[a-z0-9-]+-color, #[0-9a-f]{6}\)"
    r"(; font-weight: bold)?(; font-style: italic)?"
)
PICTURE = re.compile(r"data:image/(png|gif|jpeg|webp);base64,[A-Za-z0-9+/]+=*")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Commands that a typesetter must never get, even if the list of the package had them.
FORBIDDEN_TEX = re.compile(
    r"\\(href|url|style|class|cssId|data|html[A-Za-z]*|require|def|edef|gdef|let|newcommand"
    r"|renewcommand|providecommand|newenvironment|DeclareMathOperator|DeclarePairedDelimiter"
    r"|Newextarrow|input|include|includegraphics|unicode|mmlToken|bbox|enclose|toggle|mathtip"
    r"|texttip|action|fcolorbox|definecolor|ref|eqref|rule|raise|lower|csname|catcode|verb)(?![A-Za-z])"
)


@dataclass
class Page:
    """The contents of a page."""

    tags: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)
    text: str = ""


def walk(html: str, *, wrapped: bool = True) -> Page:
    """Parse a page and assert that everything in it is allowed.

    Args:
        html: The output of the renderer.
        wrapped: Whether the wrapper must be around it.
    """
    walker = _Walker(wrapped=wrapped)
    walker.feed(html)
    walker.close()
    assert not walker.stack, f"not closed: {walker.stack}"
    assert not UNSEEN.search(walker.page.text)
    return walker.page


class _Walker(HTMLParser):
    def __init__(self, *, wrapped: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.stack: list[str] = []
        self.wrapper_due = wrapped

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.wrapper_due:
            assert (tag, attrs) == ("div", [("class", WRAPPER)])
            self.wrapper_due = False
            self.stack.append(tag)
            return
        assert tag in ALLOWED, f"<{tag}>"
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"twice the same attribute: {attrs}"
        for name, value in attrs:
            assert name in ALLOWED[tag], f"<{tag} {name}>"
            assert value is not None
            assert not UNSEEN.search(value)
            getattr(self, f"see_{name}")(tag, value)
        if tag == "img":
            assert "src" in names
        if tag == "a":
            assert "href" in names
            assert "a" not in self.stack, "a link in a link"
        assert "span" not in self.stack or tag == "span", "an element in a formula or a colour"
        self.page.tags.append(tag)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"<{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        assert self.stack or not data.strip() or not self.wrapper_due, "text outside of the wrapper"
        self.page.text += data
        if self.page.links and "a" in self.stack:
            href, text = self.page.links[-1]
            self.page.links[-1] = (href, text + data)
        if self.in_formula():
            self.page.formulas[-1] += data
            assert not FORBIDDEN_TEX.search(self.page.formulas[-1].replace("\\\\", " "))

    def in_formula(self) -> bool:
        return bool(self.stack) and self.stack[-1] == "span" and self.formula

    formula = False

    def see_class(self, tag: str, value: str) -> None:
        if tag == "code":
            assert LANGUAGE.fullmatch(value), value
            return
        assert (tag, value) == ("span", FORMULA)
        self.page.formulas.append("")
        self.formula = True

    def see_style(self, tag: str, value: str) -> None:
        if tag == "span":
            assert COLOUR.fullmatch(value), value
            assert "pre" in self.stack
            self.formula = False
        else:
            assert re.fullmatch(r"text-align:(left|right|center)", value), value

    def see_start(self, tag: str, value: str) -> None:
        assert re.fullmatch(r"[0-9]{1,9}", value)

    def see_href(self, tag: str, value: str) -> None:
        self.page.links.append((value, ""))
        if value.startswith("#"):
            return
        assert not re.search(r"[\s\\<>\"]", value), value
        parts = urlsplit(value)
        assert parts.scheme in ("http", "https", "mailto"), value
        if parts.scheme != "mailto":
            assert re.match(r"https?://[^/]", value, re.IGNORECASE), value
            assert re.fullmatch(r"[a-z0-9_.-]+|[0-9a-f:.]+", parts.hostname or ""), value

    def see_target(self, tag: str, value: str) -> None:
        assert value == "_blank"

    def see_rel(self, tag: str, value: str) -> None:
        assert value == "noopener noreferrer"

    def see_title(self, tag: str, value: str) -> None:
        self.page.titles.append(value)

    def see_src(self, tag: str, value: str) -> None:
        assert PICTURE.fullmatch(value), value[:80]
        self.page.pictures.append(value)

    def see_alt(self, tag: str, value: str) -> None:
        pass

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"<![{data}]>")
