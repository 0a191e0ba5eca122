"""Agents, generated images and attached images in the cells of real kernels."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from tests.gateway import DEFAULT_KEY, Fault, Gateway, Scenario, pictures
from tests.kernel.harness import Cell, Kernel, assert_one_readable_line, notebook_of

HOSTILE = (
    "javascript:alert(1)",
    "JAVASCRIPT&#58;alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/api/contents/x",
    "file:///etc/passwd",
    'https://example.com/"><script>alert(1)</script>',
    "https://bank.example@evil.example/",
)


def event(**fields: Any) -> str:
    return json.dumps({"record_id": "r1", "finish_reason": "continue", **fields})


def turns(kernel: Kernel) -> list[list[str]]:
    return kernel.value(  # type: ignore[no-any-return]
        "[[m['role'], m['content'], m['status']] for m in __import__('cbai_notebook').chat().messages]"
    )


def pictures_in(cell: Cell) -> list[bytes]:
    data = [output.get("data", {}).get("image/png") for output in cell.outputs]
    return [base64.b64decode(one) for one in data if one]


def test_an_agent_answers_in_a_cell_of_its_own_turn(kernel: Kernel, gateway: Gateway) -> None:
    gateway.script(Scenario(text="first"), Scenario(text="**second**"))
    for _ in range(2):
        cell = kernel.must("%%cbai --agent bot-reader -P search=true\nHi", cell_id="one")
    assert len(cell.outputs) == 1
    assert "<strong>second</strong>" in cell.html
    assert '<a href="https://example.com/li-bai" target="_blank"' in cell.html
    assert "Looked up: poems · 诗集" in cell.html
    assert "agent bot-reader" in cell.html
    assert turns(kernel) == [["user", "Hi", "complete"], ["assistant", "**second**", "complete"]]
    assert gateway.last.json["history"] == []
    notebook_of([cell])


def test_what_an_agent_found_cannot_do_harm(kernel: Kernel, gateway: Gateway) -> None:
    found = [
        {"index": "<b>", "title": f"<img src=x onerror=alert(1)>{number}", "url": url}
        for number, url in enumerate(HOSTILE)
    ]
    gateway.script(
        Scenario(
            payloads=(
                event(type="search", search_info={"search_results": found}),
                event(type="knowledge", knowledge_base=["<script>alert(1)</script>"]),
                event(type="text", content="Here.", finish_reason="stop"),
            )
        )
    )
    cell = kernel.must("%%cbai --agent bot-reader\nHi")
    links = re.findall(r"<a [^>]*href=\"([^\"]*)\"", cell.html)
    assert links == ["https://bank.example@evil.example/"]
    assert "(evil.example)" in cell.html
    for tag in ("<script", "<img", "<b>"):
        assert tag not in cell.html


def test_interrupting_an_agent_keeps_what_it_said(kernel: Kernel, gateway: Gateway) -> None:
    gateway.script(Scenario(text=("Half ", "an ", "answer"), faults=(Fault("pause", 2),)))
    cell = kernel.send("%%cbai --agent bot-poet\nHi")
    kernel.wait_for(lambda: "Half an" in cell.html, "the first words")
    kernel.interrupt()
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert kernel.finish(cell).error["ename"] == "KeyboardInterrupt"
    assert turns(kernel)[-1] == ["assistant", "Half an ", "cancelled"]


def test_a_drawing_is_shown_from_its_own_bytes(kernel: Kernel, gateway: Gateway) -> None:
    gateway.images.file = Scenario(body=pictures.png(64, 64), content_type="image/png")
    cells = [
        kernel.must("%%cbai --draw -P n=2 -o cat.png\nA <b>cat</b>", cell_id="one")
        for _ in range(2)
    ]
    for cell in cells:
        assert pictures_in(cell) == [pictures.png(64, 64)] * 2
        assert "http" not in cell.html
        assert "Drawing with" not in cell.html
        assert "Drawn as: A &lt;b&gt;cat&lt;/b&gt;, in oil" in cell.html
        assert "Saved as cat-1.png, cat-2.png." in cell.html
    written = notebook_of(cells)
    assert DEFAULT_KEY not in str(written)
    assert turns(kernel) == [
        ["user", "A <b>cat</b>", "complete"],
        ["assistant", "Drew 2 images: A <b>cat</b>, in oil", "complete"],
    ]
    assert gateway.leaks == []


def test_a_waiting_line_stands_until_the_picture_comes(kernel: Kernel, gateway: Gateway) -> None:
    gateway.script("hang:headers")
    cell = kernel.send("%%cbai --draw\nA cat")
    gateway.wait_until(lambda: gateway.requests)
    kernel.wait_for(lambda: "Drawing with hunyuan-image" in cell.html, "the waiting line")
    kernel.interrupt()
    gateway.wait_until(lambda: gateway.last.disconnected)
    kernel.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert "Drawing with" not in cell.html
    assert "stopped" in cell.html
    assert turns(kernel) == [["user", "A cat", "complete"], ["assistant", "", "cancelled"]]
    assert kernel.value("1 + 1") == 2


@pytest.mark.parametrize("spec", ["error:404:AI_MODEL_NOT_FOUND", "error:401:INVALID_CREDENTIALS"])
def test_a_drawing_that_fails_fails_its_cell_in_one_line(
    kernel: Kernel, gateway: Gateway, spec: str
) -> None:
    gateway.script(spec)
    cell = kernel.run("%%cbai --draw -o cat.png\nA cat")
    assert_one_readable_line(cell)
    assert "failed" in cell.html
    assert "Drawing with" not in cell.html
    notebook_of([cell])


def test_links_that_are_dead_fail_in_one_line_and_show_what_is_there(
    kernel: Kernel, gateway: Gateway
) -> None:
    gateway.images.items = [
        {"b64_json": base64.b64encode(pictures.png()).decode()},
        {"url": "javascript:alert(1)"},
    ]
    cell = kernel.run("%%cbai --draw\nA cat")
    assert_one_readable_line(cell)
    assert pictures_in(cell) == [pictures.png()]
    assert "incomplete" in cell.html


def test_a_drawing_goes_into_an_output_widget(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must("import ipywidgets; box = ipywidgets.Output(); display(box)")
    cell = kernel.must("%%cbai --draw --into box -o picture\nA cat")
    assert cell.outputs == []
    kinds = kernel.value("[sorted(one['data']) for one in box.outputs]")
    assert kinds == [["image/png", "text/plain"], ["text/html", "text/plain"]]
    assert kernel.value("len(picture.images)") == 1


def test_an_image_goes_along_and_outlives_the_kernel(kernel: Kernel, gateway: Gateway) -> None:
    large = base64.b64encode(pictures.png(1_000, 1_000, noise=True)).decode()
    kernel.must(f"import base64; picture = base64.b64decode({large!r})")
    kernel.must("%%cbai -c seen --image picture\nWhat is it?", cell_id="one")
    (part,) = [p for p in gateway.last.json["messages"][-1]["content"] if p["type"] == "image_url"]
    assert part["image_url"]["url"] == f"data:image/png;base64,{large}"
    kernel.restart()
    kernel.must("%load_ext cbai_notebook")
    kept = kernel.value("__import__('cbai_notebook').chat('seen').messages[0]['images']")
    assert kept == [part["image_url"]["url"]]


def test_a_figure_goes_along(kernel: Kernel, gateway: Gateway) -> None:
    pytest.importorskip("matplotlib")
    kernel.must("import matplotlib; matplotlib.use('agg'); import pandas as pd")
    kernel.must("axes = pd.DataFrame({'a': [1, 3, 2]}).plot()")
    kernel.must("%%cbai --image axes\nWhat is it?")
    url = gateway.last.json["messages"][-1]["content"][1]["image_url"]["url"]
    assert base64.b64decode(url.partition(",")[2]).startswith(b"\x89PNG")


def test_an_option_that_is_wrong_fails_in_one_line(kernel: Kernel, gateway: Gateway) -> None:
    for code in (
        "%%cbai --image nothing\nHi",
        "%%cbai --draw -o /no/such/place/cat.png\nHi",
        "%%cbai --agent bot-poet -t 1\nHi",
        "%%cbai --draw --into nothing\nHi",
        "%%cbai -o cat.png\nHi",
    ):
        assert_one_readable_line(kernel.run(code))
    assert gateway.requests == []
