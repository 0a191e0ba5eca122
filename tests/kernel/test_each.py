"""``%%cbai --each`` in a real kernel: its progress, the stop button, and frontends of other kinds."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from tests.gateway import Gateway, Scenario
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.kernel.harness import PATIENCE, Cell, Kernel, assert_one_readable_line, notebook_of
from tests.require import require

DEFINE = "reviews = [{'text': f'review {number}'} for number in range(20)]"
CELL = "%%cbai --each reviews --concurrency 1 -o rated\nRate {text}"
ANSWERED = "[row['answer'] is not None for row in rated]"
ECHO = Scenario(echo=True)
NEVER = "hang:headers"


def displays(cell: Cell) -> list[str]:
    """Return the kinds of the messages that display something, in order."""
    kinds = ("display_data", "update_display_data", "execute_result")
    return [message["msg_type"] for message in cell.messages if message["msg_type"] in kinds]


@pytest.fixture
def rows(kernel: Kernel) -> Kernel:
    """A kernel with rows."""
    kernel.must(DEFINE)
    return kernel


def test_progress_is_one_output_that_ends_with_the_last_state(
    rows: Kernel, gateway: Gateway
) -> None:
    gateway.always(ECHO)
    cell = rows.must("%%cbai --each reviews -o rated\nRate {text}")
    assert displays(cell)[0] == "display_data"
    assert set(displays(cell)[1:]) == {"update_display_data"}
    (output,) = cell.outputs
    assert "20 of 20 rows" in output["data"]["text/plain"]
    assert 'aria-valuenow="20"' in output["data"]["text/html"]
    assert rows.value(ANSWERED) == [True] * 20
    notebook_of([cell])


def test_without_a_variable_the_frame_is_shown_once(rows: Kernel, gateway: Gateway) -> None:
    gateway.always(ECHO)
    cell = rows.must("%%cbai --each reviews\nRate {text}")
    assert displays(cell).count("execute_result") == 1
    assert cell.text.count("Rate review 7") == 1
    assert rows.value("_[7]['answer']") == "Rate review 7"


@pytest.mark.parametrize("answers", [0, 7, 19])
def test_an_interrupt_keeps_the_rows_so_far(rows: Kernel, gateway: Gateway, answers: int) -> None:
    gateway.script(*[ECHO] * answers, NEVER)
    cell = rows.send(CELL)
    behind = rows.send("'ran'")
    gateway.wait_until(lambda: len(gateway.requests) == answers + 1)
    rows.interrupt()
    rows.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert_one_readable_line(cell)
    assert rows.finish(behind).status == "aborted", "Run All stops"
    assert rows.value(ANSWERED) == [True] * answers + [False] * (20 - answers)
    assert rows.value("rated[-1]['error']") == "Not sent."
    shown = cell.outputs[0]["data"]["text/plain"]
    assert f"interrupted · {answers} of 20 rows" in shown
    assert "rated has the rows so far." in shown
    gateway.always(ECHO)
    before = len(gateway.requests)
    rows.must(CELL)
    assert len(gateway.requests) - before == 20 - answers, "what was answered is known"
    assert rows.value(ANSWERED) == [True] * 20


def test_an_interrupt_without_a_variable_keeps_the_rows_too(rows: Kernel, gateway: Gateway) -> None:
    gateway.script(*[ECHO] * 3, NEVER)
    cell = rows.send("%%cbai --each reviews --concurrency 1\nRate {text}")
    gateway.wait_until(lambda: len(gateway.requests) == 4)
    rows.interrupt()
    rows.finish(cell)
    assert "cbai.last_batch().frame has the rows so far." in cell.text
    frame = "[row['answer'] is not None for row in __import__('cbai_notebook').last_batch().frame]"
    assert sum(rows.value(frame)) == 3


def test_an_interrupt_of_the_function_is_told_in_one_line(rows: Kernel, gateway: Gateway) -> None:
    gateway.script(*[ECHO] * 3, NEVER)
    rows.must("import cbai_notebook as cbai")
    cell = rows.send("cbai.batch(reviews, 'Rate {text}', concurrency=1)")
    gateway.wait_until(lambda: len(gateway.requests) == 4)
    rows.interrupt()
    rows.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert_one_readable_line(cell)
    assert "cbai.last_batch().frame has the rows so far." in cell.text


def test_an_interrupt_while_all_wait_for_a_refusal_to_pass(rows: Kernel, gateway: Gateway) -> None:
    gateway.script(ECHO)
    gateway.always("error:429:EXCEED_CONCURRENT_REQUEST_LIMIT")
    cell = rows.send("%%cbai --each reviews -o rated\nRate {text}")
    rows.wait_for(lambda: "1 of 20 rows" in cell.html, "the first row")
    gateway.wait_until(lambda: len(gateway.requests) > 1)
    rows.interrupt()
    rows.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert sum(rows.value(ANSWERED)) == 1


def test_a_batch_that_stops_fails_its_cell_with_one_sentence(
    rows: Kernel, gateway: Gateway
) -> None:
    gateway.script(*[ECHO] * 5)
    gateway.always("error:401")
    cell, behind = rows.send(CELL), rows.send("'ran'")
    assert_one_readable_line(rows.finish(cell))
    assert cell.error["ename"] == "AuthenticationError"
    assert "5 of 20 rows" in cell.error["evalue"]
    assert rows.finish(behind).status == "aborted", "Run All stops"
    assert rows.value(ANSWERED) == [True] * 5 + [False] * 15
    assert "stopped · " in cell.outputs[0]["data"]["text/plain"]
    assert "rated has the rows so far." in cell.outputs[0]["data"]["text/plain"]


def test_a_batch_of_the_api_shows_its_progress_without_the_extension(
    start_kernel: object, gateway: Gateway
) -> None:
    kernel: Kernel = start_kernel(**gateway_variables(gateway))  # type: ignore[operator]
    gateway.always(ECHO)
    kernel.must(DEFINE)
    cell = kernel.must("import cbai_notebook as cbai\nr = cbai.batch(reviews, 'Rate {text}')")
    (output,) = cell.outputs
    assert 'role="progressbar"' in output["data"]["text/html"]
    assert "20 of 20 rows" in output["data"]["text/plain"]
    quiet = kernel.must("r = cbai.batch(reviews, 'Rate {text}', progress=False)")
    assert quiet.outputs == []


def test_two_batches_of_a_cell_have_an_output_each(rows: Kernel, gateway: Gateway) -> None:
    gateway.always(ECHO)
    cell = rows.must(
        "import cbai_notebook as cbai\n"
        "for prompt in ('Rate {text}', 'Translate {text}'):\n"
        "    cbai.batch(reviews, prompt, name='reviews')\n"
    )
    assert len(cell.outputs) == 2


def test_a_console_gets_the_last_line_once(rows: Kernel, gateway: Gateway) -> None:
    rows.names_cells = False
    gateway.always(ECHO)
    cell = rows.must("%%cbai --each reviews -o rated\nRate {text}")
    assert displays(cell) == ["display_data"]
    assert cell.text.startswith("reviews → rated: 20 of 20 rows")


def test_a_whole_notebook_that_is_run_gets_one_clean_output(
    tmp_path: Path, gateway: Gateway
) -> None:
    require(find_spec("nbconvert"), "nbconvert is missing")
    gateway.always(ECHO)
    cells = ["%load_ext cbai_notebook", DEFINE, "%%cbai --each reviews -o rated\nRate {text}"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    file = tmp_path / "rows.ipynb"
    nbformat.write(notebook, file)
    environment = isolated_environment(tmp_path / "home", **gateway_variables(gateway))
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", str(file)],
        env=environment, check=True, timeout=PATIENCE, capture_output=True,
    )  # fmt: skip
    (output,) = nbformat.read(file, as_version=4).cells[-1].outputs
    assert "20 of 20 rows" in output.data["text/plain"]
    assert 'role="progressbar"' in output.data["text/html"]
