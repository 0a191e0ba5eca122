"""The history outlives the kernel, and a cell that runs again replaces its own turn."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conversation.store.registry import write_cells
from tests.gateway import Gateway, Scenario
from tests.gateway_access import gateway_variables
from tests.kernel.conftest import StartKernel
from tests.kernel.harness import PATIENCE, Kernel

CELLS = {"one": "%%cbai\nfirst", "two": "%%cbai -s 'Be brief.'\nsecond", "three": "%%cbai\nthird"}
SAID = ["first", "re: first", "Be brief.", "second", "re: second", "third", "re: third"]


@pytest.fixture
def settings(gateway: Gateway, tmp_path: Path) -> dict[str, str]:
    """Environment variables of a kernel that a Jupyter server starts for a notebook."""
    return {
        **gateway_variables(gateway),
        "CBAI_MODEL": "m",
        "CBAI_DATA_DIR": str(tmp_path / "data"),
        "JPY_SESSION_NAME": str(write_cells(tmp_path / "analysis.ipynb", *CELLS)),
    }


def ready(kernel: Kernel) -> Kernel:
    kernel.must("%load_ext cbai_notebook\nimport cbai_notebook as cbai")
    return kernel


def ask_all(kernel: Kernel, gateway: Gateway, cells: dict[str, str] = CELLS) -> None:
    for name, code in cells.items():
        gateway.script(Scenario(text=f"re: {code.splitlines()[-1]}"))
        kernel.must(code, cell_id=name)


def contents(kernel: Kernel) -> list[str]:
    found: list[str] = kernel.value("[m['content'] for m in cbai.chat().messages]")
    return found


def test_restart_and_run_all_gives_one_conversation(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    assert kernel.value("cbai.chat().name") == "analysis.ipynb"
    ask_all(kernel, gateway)
    assert contents(kernel) == SAID
    kernel.restart()
    ready(kernel)
    assert contents(kernel) == SAID, "the conversation goes on where it was"
    ask_all(kernel, gateway)
    assert contents(kernel) == SAID
    assert kernel.value("any(m['stale'] for m in cbai.chat().messages)") is False
    asked = [[m["content"] for m in request.json["messages"]] for request in gateway.requests]
    assert asked[3:] == asked[:3], "each cell is sent what stands before it, and no more"
    assert "re: third" in kernel.must("%cbai history --versions").stdout


def test_a_cell_run_again_replaces_its_turn_and_marks_what_follows(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    ask_all(kernel, gateway)
    ask_all(kernel, gateway, {"two": "%%cbai\nsecond, again"})
    wanted = ["first", "re: first", "second, again", "re: second, again", "third", "re: third"]
    assert contents(kernel) == wanted, "the system prompt went with the version that set it"
    assert kernel.value("[t.stale for t in cbai.chat().turns]") == [False, False, True]
    assert "stale" in kernel.must("%cbai history").stdout
    versions = kernel.must("%cbai history --versions").stdout
    assert "re: second, again" in versions
    assert "re: second\n" in versions
    ask_all(kernel, gateway, {"three": CELLS["three"]})
    assert kernel.value("[t.stale for t in cbai.chat().turns]") == [False] * 3


def test_a_loop_in_a_cell_owns_as_many_turns_as_it_makes(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    gateway.always("echo")
    loop = "for word in ['a', 'b', 'c']:\n    get_ipython().run_line_magic('cbai', word)"
    kernel.must(loop, cell_id="loop")
    kernel.must(loop, cell_id="loop")
    assert contents(kernel) == ["a", "a", "b", "b", "c", "c"]


def test_without_a_cell_id_turns_append(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    gateway.always("echo")
    kernel.must("%%cbai\nagain")
    kernel.must("%%cbai\nagain")
    assert contents(kernel) == ["again"] * 4


def await_on_disk(file: Path, word: str) -> None:
    """Wait until the file contains a streaming answer with at least one word."""
    until = time.monotonic() + PATIENCE
    with contextlib.closing(sqlite3.connect(file)) as connection:
        open_answers = "SELECT text || tail FROM turns WHERE status = 'streaming'"
        while not any(word in text for (text,) in connection.execute(open_answers)):
            assert time.monotonic() < until, f"{word!r} was never written"
            time.sleep(0.05)


def test_a_killed_kernel_loses_no_finished_turn_and_shows_the_open_one_as_partial(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    ask_all(kernel, gateway)
    gateway.script("english+hang:40")
    open_ = kernel.send("%%cbai\nlast")
    kernel.wait_for(lambda: "hash" in open_.html, "the first words")

    await_on_disk(Path(settings["CBAI_DATA_DIR"]) / "history.sqlite", "hash")
    kernel.kill()
    later = ready(start_kernel(**settings))
    assert contents(later)[:-1] == [*SAID, "last"]
    (turn,) = later.value("[[t.status, t.text, t.error] for t in cbai.chat().turns][-1:]")
    assert turn[0] == "partial"
    assert "hash" in turn[1]
    assert "kernel ended" in turn[2]


def test_an_unchanged_prompt_is_answered_from_the_history(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    ask_all(kernel, gateway)
    sent = len(gateway.requests)
    for name, code in CELLS.items():
        cell = kernel.must(code.replace("%%cbai", "%%cbai --cached"), cell_id=name)
        assert "nothing was sent" in cell.html
        assert f"re: {code.splitlines()[-1]}" in cell.html
    assert len(gateway.requests) == sent
    assert contents(kernel) == SAID
    gateway.always("echo")
    changed = kernel.must("%%cbai --cached -t 0.1\nfirst", cell_id="one")
    assert "nothing was sent" not in changed.html
    assert len(gateway.requests) == sent + 1


def test_history_can_be_off(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str], tmp_path: Path
) -> None:
    kernel = ready(start_kernel(**settings, CBAI_HISTORY="off"))
    ask_all(kernel, gateway)
    assert contents(kernel) == SAID
    assert not (tmp_path / "data").exists()
    kernel.restart()
    assert contents(ready(kernel)) == []


def test_a_full_disk_keeps_the_answer_on_the_screen_and_says_what_is_not_stored(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    ask_all(kernel, gateway, {"one": CELLS["one"]})
    kernel.must(
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))"
    )
    gateway.script(Scenario(text="all of it"))
    cell = kernel.must("%%cbai\nmore", cell_id="two")
    assert "all of it" in cell.html
    assert "Not stored" in cell.html
    kernel.must("resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)")
    gateway.script(Scenario(text="again"))
    assert "Not stored" not in kernel.must("%%cbai\nthen", cell_id="three").html
    later = ready(start_kernel(**settings))
    assert contents(later) == ["first", "re: first", "more", "all of it", "then", "again"]


def value(kernel: Kernel, code: str) -> Any:
    return kernel.must(code).stdout


def test_conversations_are_used_forked_renamed_undone_and_deleted(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str]
) -> None:
    kernel = ready(start_kernel(**settings))
    gateway.always("echo")
    kernel.must("%cbai use poems")
    for word in ("rose", "thorn"):
        kernel.must(f"%cbai {word}")
    assert "Copied 1 turn of 'poems' to 'short'" in value(kernel, "%cbai fork short --at 0")
    assert contents(kernel) == ["rose", "rose"]
    kernel.must("%cbai moss")
    assert "Took back: moss" in value(kernel, "%cbai undo")
    assert "now called 'brief'" in value(kernel, "%cbai rename brief")
    listed = value(kernel, "%cbai use")
    assert "from poems" in listed
    assert kernel.value("cbai.chat('poems').turns[1].prompt") == "thorn"
    assert "rose" in value(kernel, "%cbai history --search ROS")
    cell = kernel.send("%cbai delete poems")
    assert "Forget 'poems'" in kernel.answer_prompt("n")[0]
    assert "Nothing was forgotten" in kernel.finish(cell).stdout
    assert "Forgot 'poems'" in value(kernel, "%cbai delete poems --yes")
    assert "poems" not in value(kernel, "%cbai history --all")
    failed = kernel.run("%cbai delete poems --yes")
    assert "There is no conversation 'poems'" in failed.error["evalue"]
    kernel.must("%cbai history --pandas frame")
    assert kernel.value("[str(frame.created_at.dt.tz), len(frame)]") == ["UTC", 2]
    assert "Nothing was asked yet" in value(kernel, "%cbai usage"), "a copy is no request"
    kernel.must("%cbai fern")
    used = value(kernel, "%cbai usage")
    assert "cloudbase/" in used
    assert "█" in used


def test_a_cell_is_answered_while_another_program_locks_the_history(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str], tmp_path: Path
) -> None:
    kernel = ready(start_kernel(**settings))
    ask_all(kernel, gateway, {"one": CELLS["one"]})
    file = tmp_path / "data" / "history.sqlite"
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    gateway.script(Scenario(text="re: second"))
    cell = kernel.must(CELLS["two"], cell_id="two")
    # All this while the lock is held.
    assert "re: second" in cell.text
    assert f"Not stored: The history in {file} is locked by another program." in cell.text
    assert 'cbai.configure(history="…")' in cell.text
    assert "Not stored" not in kernel.must("%%cbai --no-history\nthird").text
    lock.close()
    kernel.must("import time\nwhile cbai.chat().not_stored: time.sleep(0.02)")
    kernel.restart()
    ready(kernel)
    assert contents(kernel) == SAID[:5]


def locked_for_all(tmp_path: Path) -> sqlite3.Connection:
    """Lock the history as a program without a write-ahead log does: nobody else can read it."""
    lock = sqlite3.connect(tmp_path / "data" / "history.sqlite", isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("PRAGMA journal_mode = DELETE")
    lock.execute("BEGIN EXCLUSIVE")
    return lock


def test_a_cell_waits_with_a_line_for_a_past_that_is_locked(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str], tmp_path: Path
) -> None:
    kernel = ready(start_kernel(**settings))
    ask_all(kernel, gateway, {"two": CELLS["two"]})
    kernel.restart()
    ready(kernel)
    lock = locked_for_all(tmp_path)
    cell = kernel.send(CELLS["three"], cell_id="three")
    kernel.wait_for(lambda: "Waiting up to 5 s. The history in" in cell.text, "the line")
    lock.close()
    kernel.finish(cell)
    assert "Waiting" not in cell.text
    sent = gateway.requests[-1].json["messages"]
    assert [message["content"] for message in sent] == [*SAID[2:5], "third"]


def test_a_console_prints_the_line_once(
    start_kernel: StartKernel, gateway: Gateway, settings: dict[str, str], tmp_path: Path
) -> None:
    kernel = ready(start_kernel(**settings))
    ask_all(kernel, gateway, {"two": CELLS["two"]})
    kernel.restart()
    ready(kernel)
    kernel.names_cells = False
    lock = locked_for_all(tmp_path)
    cell = kernel.send(CELLS["three"])
    kernel.wait_for(lambda: "Waiting up to 5 s. The history in" in cell.text, "the line")
    lock.close()
    kernel.finish(cell)
    assert cell.text.count("Waiting up to 5 s.") == 1
    kinds = {message["msg_type"] for message in cell.messages}
    assert not kinds & {"update_display_data", "clear_output"}
