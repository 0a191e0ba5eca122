"""An answer under a cell, sent by IPython's own display publisher."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from cbai_notebook.notebook.screen import CellSurface, Facts, Screen
from tests.notebook.screen.recording import Clock, markdown, play, tokens


class Publisher(CapturingDisplayPublisher):
    """Record the outputs of a notebook, and how often they were cleared."""

    cleared = 0

    def clear_output(self, wait: bool = False) -> None:
        assert wait, "the page would jump"
        self.cleared += 1
        self.outputs.clear()


@pytest.fixture
def recording_shell(tmp_path: Path) -> InteractiveShell:
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config, ipython_dir=str(tmp_path))
    shell.display_pub = Publisher()
    return shell


def notebook(shell: InteractiveShell) -> list[dict[str, Any]]:
    """Return the outputs as a front end shows them, with updates applied."""
    cells: dict[str, dict[str, Any]] = {}
    for output in shell.display_pub.outputs:
        display_id = output["transient"]["display_id"]
        assert output["update"] == (display_id in cells)
        cells[display_id] = output["data"]
    return list(cells.values())


def test_an_answer_becomes_one_output(recording_shell: InteractiveShell) -> None:
    clock = Clock()
    screen = Screen(CellSurface(owns_cell=True, shell=recording_shell), clock=clock)
    screen.wait()
    source = markdown(9000)
    play(screen, clock, tokens(source, 900), per_s=60)
    assert len(notebook(recording_shell)) > 3
    screen.finish("complete", footer=Facts(label="local"))
    (whole,) = notebook(recording_shell)
    assert whole["text/markdown"] == source
    assert recording_shell.display_pub.cleared == 1


def test_a_cell_with_other_outputs_is_not_cleared(recording_shell: InteractiveShell) -> None:
    clock = Clock()
    screen = Screen(CellSurface(owns_cell=False, shell=recording_shell), clock=clock)
    source = markdown(9000)
    play(screen, clock, tokens(source, 900), per_s=60)
    screen.finish("complete")
    assert "".join(output["text/markdown"] for output in notebook(recording_shell)) == source
    assert recording_shell.display_pub.cleared == 0


def test_two_answers_do_not_touch_each_other(recording_shell: InteractiveShell) -> None:
    first = Screen(CellSurface(owns_cell=False, shell=recording_shell), format="text")
    second = Screen(CellSurface(owns_cell=False, shell=recording_shell), format="text")
    first.text("one")
    second.text("two")
    first.finish("complete")
    second.finish("complete")
    assert [output["text/plain"] for output in notebook(recording_shell)] == ["one", "two"]


def test_an_answer_stays_where_it_was_started(recording_shell: InteractiveShell) -> None:
    captured = recording_shell.display_pub
    screen = Screen(CellSurface(owns_cell=True, shell=recording_shell), format="text")
    recording_shell.display_pub = Publisher()
    thread = threading.Thread(target=lambda: (screen.text("one"), screen.finish("complete")))
    thread.start()
    thread.join()
    assert captured.outputs
    assert not recording_shell.display_pub.outputs


def test_an_output_whose_sending_was_interrupted_is_sent_again(
    recording_shell: InteractiveShell,
) -> None:
    class Interrupted(Publisher):
        armed = True

        def publish(self, *args: Any, **kwargs: Any) -> None:
            if self.armed:
                self.armed = False
                raise KeyboardInterrupt
            super().publish(*args, **kwargs)

    recording_shell.display_pub = Interrupted()
    screen = Screen(CellSurface(owns_cell=True, shell=recording_shell), format="text")
    with pytest.raises(KeyboardInterrupt):
        screen.text("one")
    screen.finish("cancelled")
    (output,) = notebook(recording_shell)
    assert output["text/plain"] == "one\n\nstopped"
