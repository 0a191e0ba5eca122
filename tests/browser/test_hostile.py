"""A hostile answer loads and runs nothing: while streaming, when clicked, or when reopened."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.hostile import payloads, potent_payloads
from tests.browser.leaks import LeakListener
from tests.browser.page import NotebookPage, until
from tests.gateway import Gateway, Scenario
from tests.notebook.markdown.corpus import EVERYTHING

LOAD = "%load_ext cbai_notebook"

# The most links clicked with the mouse: each opens a window. A script also clicks every link.
MOUSE_CLICKS = 20

# Elements that a safe answer never contains.
_FORBIDDEN = ", ".join(
    (
        "script, style, link, meta, base, iframe, frame, object, embed, form, input:not([type=checkbox])",
        "button, textarea, select, audio, video, source, template, noscript, svg:not(mjx-container svg)",
        "[srcset], [background], [ping], [download], [data-commandlinker-command], [formaction]",
        "img:not([src^='data:image/']), a[href^='javascript' i], a[href^='data' i], [style*='url(']",
    )
)
_FIND = f"""area => Array.from(area.querySelectorAll(".jp-OutputArea-output *")).filter(node =>
    node.matches("{_FORBIDDEN}")
    || Array.from(node.attributes).some(attribute => attribute.name.startsWith("on"))
).map(node => node.outerHTML.slice(0, 200))"""
_LINKS = """area => Array.from(area.querySelectorAll("a[href]")).map(
    link => [link.getAttribute("href"), link.textContent, link.parentElement.textContent])"""


async def assert_calm(notebook: NotebookPage, leaks: LeakListener, answers: range) -> None:
    """Check that nothing was loaded or run, and that nothing remains that could do so later."""
    await settle(notebook)
    for index in answers:
        found = await notebook.output(index).evaluate(_FIND)
        assert found == [], f"in cell {index}"
    assert await notebook.page.evaluate("() => window.pwned") is None
    assert leaks.hits == notebook.watch.strangers == []
    assert notebook.watch.dialogs == notebook.watch.marks == []


async def settle(notebook: NotebookPage) -> None:
    """Wait until the page has painted, typeset and begun its requests."""
    # Idle callbacks run after layout, typesetting and image requests of the content have begun.
    await notebook.page.evaluate(
        "() => new Promise(done => requestIdleCallback(() => requestIdleCallback(done)))"
    )
    await notebook.page.wait_for_timeout(300)


async def click_everything(notebook: NotebookPage, answers: range) -> None:
    """Click everything in the answers that can be clicked."""
    for index in answers:
        await notebook.output(index).evaluate(
            """area => area.querySelectorAll(
                ".jp-OutputArea-output :is(a, button, input, label, summary, details, img, [role], "
                + "[onclick], [tabindex], mjx-container, mjx-container *)"
            ).forEach(node => node.dispatchEvent(
                new MouseEvent("click", {bubbles: true, cancelable: true, composed: true})))"""
        )
    links = notebook.page.locator(".jp-OutputArea-output a[href]:visible")
    for number in range(min(await links.count(), MOUSE_CLICKS)):
        await links.nth(number).click()


@pytest.mark.each_variant
async def test_the_witnesses_would_see_it(open_notebook: OpenNotebook, leaks: LeakListener) -> None:
    """Shown by Jupyter's own Markdown, the same answers do load and run."""
    shown = "\n".join(f"display(Markdown({p!r}))" for p in potent_payloads(leaks.url))
    notebook = await open_notebook(f"from IPython.display import Markdown\n{shown}")
    await notebook.run_to_end()
    await until(lambda: len(set(leaks.hits)) >= 3, "the payloads' requests")
    assert {"GET /image.png?secret=1", "GET /img", "GET /ran"} <= set(leaks.hits)
    assert notebook.watch.marks


# Each in one of the two, which share the code that shows outputs.
@pytest.mark.parametrize("server", ["lab"], indirect=True)
async def test_hostile_answers_load_and_run_nothing(
    open_notebook: OpenNotebook, cloud: Gateway, leaks: LeakListener
) -> None:
    hostile = payloads(leaks.url)
    # At this speed, incomplete payloads are painted too.
    cloud.script(*(Scenario(text=payload, rate=150) for payload in hostile))
    prompts = [f"%%cbai --no-history\npayload {number}" for number in range(len(hostile))]
    notebook = await open_notebook(LOAD, *prompts)
    await notebook.run_to_end()
    await assert_harmless(open_notebook, notebook, leaks, range(1, len(hostile) + 1))


@pytest.mark.parametrize("server", ["notebook7"], indirect=True)
async def test_the_whole_hostile_corpus_loads_and_runs_nothing(
    open_notebook: OpenNotebook, cloud: Gateway, leaks: LeakListener
) -> None:
    """A real browser shows the text that the renderer's own tests consider safe."""
    host = leaks.url.removeprefix("http://")
    hostile = [
        payload.replace("https://evil.test", leaks.url).replace("evil.test", host)
        for payload in EVERYTHING
    ]
    assert sum(host in payload for payload in hostile) > 50, "the corpus aims at the listener"
    # Cut anywhere, because no token of a model holds control characters; in ASCII, because half a
    # character cannot be written in another way.
    pieces = [tuple(re.findall("(?s).{1,7}", said)) for said in hostile]
    cloud.script(*(Scenario(text=said, ascii=True) for said in pieces))
    # JupyterLab shows at most 50 outputs of a cell.
    cells = [
        f"for _ in range({len(hostile[start : start + 20])}):\n"
        "    get_ipython().run_cell_magic('cbai', '--no-history', 'Hi')"
        for start in range(0, len(hostile), 20)
    ]
    notebook = await open_notebook(LOAD, *cells)
    await notebook.run_to_end()
    await assert_harmless(open_notebook, notebook, leaks, range(1, len(cells) + 1))


async def assert_harmless(
    open_notebook: OpenNotebook, notebook: NotebookPage, leaks: LeakListener, answers: range
) -> None:
    """Check answers while streaming, when clicked, after saving, and in another user's browser."""
    assert not {"[ ]:", "[*]:"} & set(await notebook.prompts())
    assert await notebook.trusted(1), "a live output is trusted: that is what makes it dangerous"
    await assert_calm(notebook, leaks, answers)

    where, cells = notebook.page.url, len(await notebook.prompts())
    await assert_honest_links(notebook, answers)
    await click_everything(notebook, answers)
    await assert_calm(notebook, leaks, answers)
    assert notebook.page.url.partition("#")[0] == where.partition("#")[0]
    assert len(await notebook.prompts()) == cells
    assert notebook.watch.popups, "an honest link opens a window of its own"
    assert not [url for url in notebook.watch.popups if url.startswith(notebook.server.url)]

    await notebook.save()
    await notebook.close()
    again = await open_notebook(file=notebook.file)
    assert await again.trusted(1)
    await assert_calm(again, leaks, answers)
    await again.close()

    content = json.loads(notebook.file.read_text())
    content["metadata"]["from"] = "a stranger"
    file = notebook.file.with_name(f"stranger-{notebook.file.name}")
    file.write_text(json.dumps(content))
    stranger = await open_notebook(file=file)
    assert not await stranger.trusted(1)
    await assert_calm(stranger, leaks, answers)


async def assert_honest_links(notebook: NotebookPage, answers: range) -> None:
    """Check that links lead to the address they show, outside the Jupyter server."""
    for index in answers:
        for href, text, around in await notebook.output(index).evaluate(_LINKS):
            assert re.match(r"https?://|mailto:|#", href), (href, text)
            named = re.search(r"https?://([\w.:-]+)", text)
            if named and named[1] not in href:
                host = urlsplit(href).hostname or href
                assert host in around, f"{text!r} leads to {href!r} and hides it"


async def test_a_link_that_lies_is_unmasked(open_notebook: OpenNotebook, cloud: Gateway) -> None:
    lies = (
        "[https://bank.example/login](https://thief.example/x)",
        "[my.bank.com](http://thief.example)",
        "[safe](https://bank.example@thief.example/)",
    )
    cloud.script(*(Scenario(text=lie) for lie in lies))
    notebook = await open_notebook(LOAD, *(["%%cbai --no-history\nHi"] * len(lies)))
    await notebook.run_to_end()
    for index in range(1, len(lies) + 1):
        await notebook.see(index, "thief.example")
