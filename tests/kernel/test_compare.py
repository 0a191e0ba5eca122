"""A comparison in a real kernel: widgets while it runs, one grid at the end, the stop button."""

from __future__ import annotations

from tests.gateway import Gateway
from tests.kernel.harness import Kernel, assert_one_readable_line, notebook_of

WIDGET = "application/vnd.jupyter.widget-view+json"
CELL = "%%cbai --models say:A,error:400,say:B -o grid\nHi"
ALIVE = "len(__import__('ipywidgets').Widget.widgets)"


def test_the_grid_replaces_the_widgets(kernel: Kernel, gateway: Gateway) -> None:
    before = kernel.value(ALIVE)
    cell = kernel.must(CELL, cell_id="one")
    displays = [each for each in cell.messages if "display_data" in each["msg_type"]]
    assert WIDGET in displays[0]["content"]["data"]
    (output,) = cell.outputs
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert output["data"]["text/html"].count("cbai-grid-cell") == 3
    assert "A parameter was refused" in output["data"]["text/html"]
    assert "── 3 · say:B ──\nB" in output["data"]["text/plain"]
    assert "%cbai pick 3 takes another one." in output["data"]["text/plain"]
    notebook_of([cell])
    left = kernel.value(ALIVE) - before
    assert left == 2, "what hears the buttons, with its layout"
    again = kernel.must(CELL, cell_id="one")
    assert kernel.value(ALIVE) - before == left, "those of the last run only"
    kernel.must("%cbai pick say:B")
    marked = again.outputs[0]["data"]["text/html"]
    assert marked.index("goes on with this answer") > marked.index("say:B")
    assert kernel.value("grid['chosen'].tolist()") == [False, False, True]


def test_the_same_cell_with_cached_shows_the_grid_and_the_pick_again(
    kernel: Kernel, gateway: Gateway
) -> None:
    source = "%%cbai --models say:A,say:B --samples 2 --cached -o grid\nHi"
    kernel.must(source, cell_id="one")
    kernel.must("%cbai pick 4")
    sent = len(gateway.requests)
    cell = kernel.must(source, cell_id="one")
    assert len(gateway.requests) == sent == 4
    assert "goes on with answer 4" in cell.outputs[0]["data"]["text/plain"]
    turns = "len(__import__('cbai_notebook').chat().alternatives(__import__('cbai_notebook').chat().turns[0]))"
    assert kernel.value(turns) == 4, "no new versions"


def test_an_interrupt_keeps_what_is_there(kernel: Kernel, gateway: Gateway) -> None:
    cell = kernel.send("%%cbai --models say:A,hang:3,hang:headers -o grid\nHi")
    behind = kernel.send("'ran'")
    kernel.wait_for(lambda: "first token" in str(cell.messages), "the first answer")
    gateway.wait_until(lambda: len(gateway.requests) == 3)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert_one_readable_line(cell)
    assert kernel.finish(behind).status == "aborted", "Run All stops"
    html = cell.outputs[0]["data"]["text/html"]
    assert html.count("stopped") >= 1
    assert kernel.value("grid['text'].notna().tolist()[0]") is True
    assert kernel.value("grid['chosen'].tolist()") == [True, False, False]
    assert kernel.value("grid['error'].tolist()[2]") == "The answer was stopped."
    last = "__import__('cbai_notebook').last_comparison().to_pandas()"
    assert kernel.value(f"{last}['text'].tolist()[0]") == "A"
    kernel.must("%cbai -m echo And now?")
    sent = [message["content"] for message in gateway.last.json["messages"]]
    assert sent == ["Hi", "A", "And now?"]


def test_the_function_shows_its_answers_while_they_come(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must("import cbai_notebook as cbai")
    call = "cbai.compare('Hi', models=['say:A', 'say:B'], conversation='tea'{})['text'].tolist()"
    cell = kernel.must(call.format(""), cell_id="one")
    first = next(each for each in cell.messages if "display_data" in each["msg_type"])
    assert WIDGET in first["content"]["data"]
    grid, result = cell.outputs
    assert grid["data"]["text/html"].count("cbai-grid-cell") == 2
    assert result["data"]["text/plain"] == "['A', 'B']"
    quiet = kernel.must(call.format(", progress=False"), cell_id="two")
    assert len(quiet.outputs) == 1
    kernel.must("%cbai undo --conversation tea")
    assert kernel.value("[turn.text for turn in cbai.chat('tea').turns]") == ["A"]


def test_an_interrupted_function_keeps_what_is_there(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must("import cbai_notebook as cbai")
    cell = kernel.send("cbai.compare('Hi', models=['say:A', 'hang:headers'])", cell_id="one")
    kernel.wait_for(lambda: "first token" in str(cell.messages), "the first answer")
    gateway.wait_until(lambda: len(gateway.requests) == 2)
    kernel.interrupt()
    kernel.finish(cell)
    assert_one_readable_line(cell)
    last = "cbai.last_comparison().to_pandas()['error'].fillna('').tolist()"
    assert kernel.value(last) == ["", "The answer was stopped."]


def test_a_frontend_that_cannot_change_an_output_gets_the_grid_once(
    kernel: Kernel, gateway: Gateway
) -> None:
    kernel.names_cells = False
    cell = kernel.must(CELL)
    displays = [each for each in cell.messages if "display_data" in each["msg_type"]]
    assert len(displays) == 1
    assert "cbai-grid-cell" in displays[0]["content"]["data"]["text/html"]
