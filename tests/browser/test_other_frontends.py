"""The panel and an answer where there is no Jupyter page: what VS Code and Colab do, simulated.

Neither program runs here. Simulated is what their renderers do, as far as it matters for us: the
widgets' JavaScript in a page without Jupyter's style sheets and MathJax; in Colab in a frame that is
made as high as its content; the theme as a class of the page or as the system's preference. What is
stored is also shown after DOMPurify, with which many pages that show notebooks clean HTML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from playwright.async_api import Browser, Frame, Page, expect

import cbai_notebook as cbai
from cbai_notebook.conversation import Conversation
from cbai_notebook.notebook.markdown import fragment
from cbai_notebook.notebook.panel.transcript import bundle
from cbai_notebook.notebook.panel.widgets import Bar, Composer
from tests.browser.axe import serious_violations
from tests.conversation.turns import conversation, turn
from tests.notebook.panel.panels import eventually, shown
from tests.require import require

PURIFIER = "marimo/_static/assets/purify.es-*.js"

ANSWER = "Energy is $E = mc^2$:\n\n```python\nprint('x' * 80)\n```\n\n" + "Some words. " * 60

# Both parts of the panel with a model that belongs to no kernel, as anywidget calls them.
_RENDER = """async ({bar, composer, html, state}) => {
    document.body.innerHTML = `<div class="cbai-panel" style="display: flex; flex-direction: column">
        <div id="bar"></div><div class="cbai-scroll"><div class="cbai-list">${html}</div></div>
        <div id="composer"></div></div>`;
    const style = document.createElement("style");
    style.textContent = composer.css;
    document.head.append(style);
    for (const [id, {esm}] of Object.entries({bar, composer})) {
        const address = URL.createObjectURL(new Blob([esm], {type: "text/javascript"}));
        const {default: part} = await import(address);
        const model = {
            get: name => state[id][name], set: () => {}, save_changes: () => {},
            on: () => {}, off: () => {}, send: () => {},
        };
        part.render({model, el: document.getElementById(id)});
    }
}"""

# Colab makes the frame of an output as high as its content, again and again.
_AS_HIGH_AS_CONTENT = """async frame => {
    const heights = [];
    for (let round = 0; round < 6; round += 1) {
        frame.style.height = `${frame.contentDocument.documentElement.scrollHeight}px`;
        await new Promise(requestAnimationFrame);
        heights.push(frame.clientHeight);
    }
    return heights;
}"""

_LIGHTNESS = """node => ["backgroundColor", "color"].map(name => {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = getComputedStyle(node)[name];
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / 765;
})"""


def _state(widget: object) -> dict[str, object]:
    """Return the values that a widget's JavaScript reads."""
    names = widget.trait_names(sync=True)  # type: ignore[attr-defined]
    own = (
        name
        for name in names
        if not name.startswith("_") and name not in ("layout", "tabbable", "tooltip")
    )
    return {name: getattr(widget, name) for name in own}


def _parts(talk: Conversation) -> dict[str, object]:
    """Return what the page needs to show a panel."""
    panel = cbai.ChatPanel(talk)
    bar, scroll, composer = panel.widget.children
    eventually(
        lambda: "cbai-facts" in shown(scroll) if talk.turns else "cbai-welcome" in shown(scroll)
    )
    if talk.turns:
        box = scroll.children[0].children[1]
        parts = "".join(
            f'<div class="{" ".join(part._dom_classes)}">{shown(part)}</div>'
            for part in box.children
        )
        html = f'<div class="cbai-turn">{parts}</div>'
    else:
        html = shown(scroll)
    state = {"bar": _state(bar), "composer": _state(composer)}
    panel.close()
    return {
        "bar": {"esm": Bar._esm},
        "composer": {"esm": Composer._esm, "css": Composer._css},
        "html": html,
        "state": json.loads(json.dumps(state)),
    }


async def _looks_right(page: Page, where: Page | Frame, *, dark: bool) -> None:
    panel = where.locator(".cbai-panel")
    await expect(where.get_by_role("button", name="Send", exact=True)).to_be_visible()
    paper, ink = await panel.evaluate(_LIGHTNESS)
    assert (paper < 0.25 and ink > 0.75) if dark else (paper > 0.75 and ink < 0.25)
    box = await panel.bounding_box()
    assert box is not None
    assert 320 <= box["height"] <= 640
    wide = await panel.evaluate("node => node.scrollWidth - node.clientWidth")
    assert wide == 0


@pytest.fixture(autouse=True)
def in_vscode() -> Iterator[None]:
    """Be in a kernel that VS Code has started."""
    shell = TerminalInteractiveShell.instance()
    shell.user_ns["__vsc_ipynb_file__"] = "/home/me/notebook.ipynb"
    yield
    del shell.user_ns["__vsc_ipynb_file__"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("talk", ["empty", "long"])
async def test_a_panel_in_a_page_with_a_theme_of_its_own(
    browser: Browser, artefacts: Path, theme: str, talk: str
) -> None:
    context = await browser.new_context(viewport={"width": 700, "height": 900})
    page = await context.new_page()
    other = "dark" if theme == "light" else "light"
    await page.emulate_media(color_scheme=other)  # type: ignore[arg-type]
    # VS Code names its theme in the body, whatever the system prefers.
    await page.set_content(f'<body class="vscode-{theme}"></body>')
    said = conversation(turn("Why?", ANSWER)) if talk == "long" else Conversation("empty")
    await page.evaluate(_RENDER, _parts(said))
    await _looks_right(page, page, dark=theme == "dark")
    if talk == "long":
        # Without MathJax the browser draws the formula: the exponent is small and high.
        letter, exponent = [
            await page.locator(f".cbai-answer math {name}").bounding_box()
            for name in ("mi:text('c')", "mn")
        ]
        assert letter is not None
        assert exponent is not None
        assert exponent["y"] + exponent["height"] < letter["y"] + letter["height"]
        await expect(page.locator(".cbai-answer annotation")).to_be_hidden()
        await expect(page.locator(".cbai-code-language")).to_have_text("python")
    assert await serious_violations(page, page.locator(".cbai-panel")) == []
    await page.screenshot(path=artefacts / f"page-with-theme-{theme}-{talk}.png")
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_panel_in_a_frame_as_high_as_its_content(
    browser: Browser, artefacts: Path, scheme: str
) -> None:
    context = await browser.new_context(viewport={"width": 700, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.set_content(
        '<iframe srcdoc="<body></body>" style="width: 100%; border: 0"></iframe>'
    )
    frame = page.frames[-1]
    await frame.wait_for_load_state()
    await frame.evaluate(_RENDER, _parts(conversation(turn("Why?", ANSWER * 3))))
    heights = await page.locator("iframe").evaluate(_AS_HIGH_AS_CONTENT)
    assert heights[-1] == heights[-2] >= 320, "the frame finds its height"
    await _looks_right(page, frame, dark=scheme == "dark")
    await page.screenshot(path=artefacts / f"frame-{scheme}.png")
    await context.close()


_PURIFIED = """async ({purifier, html}) => {
    const address = URL.createObjectURL(new Blob([purifier], {type: "text/javascript"}));
    const {t: purify} = await import(address);
    document.body.innerHTML = purify.sanitize(html);
    return purify.removed.map(({element, attribute}) => (element ?? attribute).nodeName).sort();
}"""


async def test_what_is_stored_is_readable_after_a_sanitiser(
    browser: Browser, artefacts: Path
) -> None:
    require(find_spec("marimo"), "marimo is missing: `pip install marimo`")
    folder = Path(str(find_spec("marimo").origin)).parents[1]  # type: ignore[union-attr]
    (purifier,) = folder.glob(PURIFIER)
    cbai.demo(pace=0)
    cases = [{"text": name, "expected": "delivery"} for name in ("parcel", "letter")]
    prompts = {"short": "Intent of: {text}", "long": "One word: {text}"}
    checks = [cbai.check.contains("expected")]
    ev = cbai.evaluate(cases, prompts, models=["demo"], checks=checks, progress=False)
    cbai.demo()
    stored = {
        "answer": fragment(ANSWER),
        "transcript": bundle(conversation(turn("Why?", ANSWER)), "cbai-past")["text/html"],
        "evaluation": ev._repr_html_(),
    }
    context = await browser.new_context(viewport={"width": 700, "height": 900})
    page = await context.new_page()
    for name, html in stored.items():
        await page.set_content("<body></body>")
        removed = await page.evaluate(
            _PURIFIED, {"purifier": purifier.read_text("utf-8"), "html": html}
        )
        assert set(removed) <= {"annotation", "semantics"}, "their text stays"
        text = page.locator("body")
        if name == "evaluation":
            await expect(text).to_contain_text("short")
            await expect(page.locator("svg text").first).to_be_visible()
        else:
            await expect(text).to_contain_text("print('x' * 80)")
            await expect(page.locator("math msup")).to_have_count(1)
            await expect(text).to_contain_text("$E = mc^2$")
        assert await page.evaluate("document.body.scrollWidth <= innerWidth")
        await page.screenshot(path=artefacts / f"purified-{name}.png")
    await context.close()
