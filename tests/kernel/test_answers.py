"""What a real kernel shows of an answer: how it ended, how it goes on, and at the end of a cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway import Gateway, Scenario
from tests.gateway.payloads import streamed
from tests.gateway_access import gateway_variables
from tests.kernel.conftest import StartKernel
from tests.kernel.harness import Kernel, assert_one_readable_line

CUT = Scenario(text="Once *upon* a", finish_reason="length")
MODEL = "import cbai_notebook as cbai\nmodel = cbai.create_model('cloudbase')"
STREAM = (
    "stream = cbai.run(model.stream_text(model='m', messages=[{'role': 'user', 'content': 'Hi'}]))"
)


@pytest.fixture
def notebook(start_kernel: StartKernel, gateway: Gateway, tmp_path: Path) -> Kernel:
    kernel = start_kernel(
        **gateway_variables(gateway),
        CBAI_MODEL="m",
        CBAI_DATA_DIR=str(tmp_path / "data"),
        JPY_SESSION_NAME=str(tmp_path / "tales.ipynb"),
    )
    kernel.must("%load_ext cbai_notebook\nimport cbai_notebook as cbai")
    return kernel


def test_a_cut_answer_goes_on_in_another_cell(notebook: Kernel, gateway: Gateway) -> None:
    gateway.script(CUT, Scenario(text=" time."), "say:Later.")
    cut = notebook.must("%%cbai\nTell", cell_id="one")
    assert "cut at the token limit" in cut.html
    assert "%cbai continue" in cut.text
    whole = notebook.must("%cbai continue", cell_id="two")
    assert "Once <em>upon</em> a time." in whole.html
    assert "cut at" not in whole.html
    notebook.must("%%cbai\nAnd?", cell_id="three")
    # Run All: each cell does again what it did, also with later turns behind it.
    gateway.script(CUT, Scenario(text=" day."), "say:Later.")
    notebook.must("%%cbai\nTell", cell_id="one")
    assert "Once <em>upon</em> a day." in notebook.must("%cbai continue", cell_id="two").html
    notebook.must("%%cbai\nAnd?", cell_id="three")
    assert notebook.value("[[t.text, t.stale] for t in cbai.chat().turns]") == [
        ["Once *upon* a day.", False],
        ["Later.", False],
    ]
    again = notebook.must("%cbai continue", cell_id="two")
    assert "nothing to continue" in again.stdout, (
        "Run All goes on when the answer is whole this time"
    )
    failed = notebook.run("%cbai continue", cell_id="four")
    assert_one_readable_line(failed)
    assert "nothing to continue" in failed.error["evalue"]


def test_an_interrupted_answer_goes_on_after_a_restart(notebook: Kernel, gateway: Gateway) -> None:
    gateway.script("say:one two three four+hang:3", Scenario(text=" and more"))
    cell = notebook.send("%%cbai\nCount", cell_id="one")
    notebook.wait_for(lambda: "one" in cell.html, "the first words")
    notebook.interrupt()
    notebook.finish(cell)
    assert "%cbai continue" in cell.text
    half = notebook.value("cbai.chat().turns[-1].text")
    notebook.restart()
    notebook.must("%load_ext cbai_notebook\nimport cbai_notebook as cbai")
    notebook.must("%cbai continue", cell_id="two")
    assert notebook.value("cbai.chat().turns[-1].text") == half + " and more"


def test_a_refusal_is_shown_and_marked(notebook: Kernel, gateway: Gateway) -> None:
    refusal = streamed(
        {"content": None, "refusal": ""}, {"refusal": "I cannot "}, {"refusal": "do it."}
    )
    gateway.script(refusal)
    cell = notebook.must("%%cbai -o answer\nHelp", cell_id="one")
    assert "I cannot do it." in cell.html
    assert "refusal" in cell.html
    assert "empty" not in cell.html
    assert "refused by the model" in notebook.must("%cbai history").stdout
    assert notebook.value("[m['content'] for m in cbai.chat().messages]") == [
        "Help",
        "I cannot do it.",
    ]
    assert "I cannot do it." in notebook.must("answer").html
    gateway.script(refusal)
    shown = notebook.must(f"{MODEL}\n{STREAM}\ncbai.show(stream)")
    assert shown.html.count("I cannot do it.") == 1


@pytest.mark.each_variant
def test_an_answer_is_shown_as_markdown_at_the_end_of_a_cell(
    start_kernel: StartKernel, gateway: Gateway
) -> None:
    kernel = start_kernel(**gateway_variables(gateway))
    gateway.always("say:It is *blue*.\n\n<img src=x onerror=alert(1)><script>alert(2)</script>")
    kernel.must(f"{MODEL}\n{STREAM}")
    kernel.must("answer = cbai.run(stream.finish())")
    cell = kernel.must("answer")
    (output,) = cell.outputs
    assert output["output_type"] == "execute_result"
    assert "<em>blue</em>" in output["data"]["text/html"]
    assert "<script" not in cell.html
    assert "<img" not in cell.html
    assert output["data"]["text/plain"].startswith("<Answer ")
    assert set(output["data"]) == {"text/html", "text/plain"}
    kernel.must("%load_ext cbai_notebook")
    assert "<em>blue</em>" in kernel.must("display(answer)").html


def test_what_show_has_shown_is_not_shown_again_by_the_end_of_its_cell(
    kernel: Kernel, gateway: Gateway
) -> None:
    gateway.always("say:It is *blue*.")
    kernel.must(MODEL)
    for last in ("cbai.show(stream)", "answer = cbai.show(stream)\nanswer"):
        cell = kernel.must(f"{STREAM}\n{last}")
        assert cell.html.count("<em>blue</em>") == 1
        assert all(output["output_type"] == "display_data" for output in cell.outputs)
    assert kernel.must("answer").html.count("<em>blue</em>") == 1
    twice = kernel.must(f"{STREAM}\nanswer = cbai.show(stream)\ndisplay(answer)")
    assert twice.html.count("<em>blue</em>") == 2, "the user asked for it"
    awaited = kernel.must(
        "stream = await model.stream_text(model='m', messages=[{'role': 'user', 'content': 'Hi'}])\n"
        "await cbai.show(stream)"
    )
    assert awaited.html.count("<em>blue</em>") == 1


@pytest.mark.parametrize("text", ["Hello", "x\\ud800y"])
def test_half_a_character_is_sent_as_the_replacement_character(
    notebook: Kernel, gateway: Gateway, text: str
) -> None:
    gateway.always("echo")
    cell = notebook.must(f"half = '{text}'\nget_ipython().run_cell_magic('cbai', '', half)")
    is_half = text != "Hello"
    assert ("half of a character" in cell.text) is is_half
    sent = "x\ufffdy" if is_half else text
    assert gateway.last.json["messages"][-1]["content"] == sent
    assert notebook.value("[m['content'] for m in cbai.chat().messages]") == [sent, sent]


def test_a_stream_without_its_end_mark_is_told(notebook: Kernel, gateway: Gateway) -> None:
    gateway.script("say:Whole.+nodone")
    cell = notebook.must("%%cbai\nHello", cell_id="one")
    assert "Whole." in cell.text
    assert "end mark" in cell.text
