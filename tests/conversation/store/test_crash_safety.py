"""A killed kernel loses at most the last second of an answer, and never a complete turn."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.conversation.store import Store
from cbai_notebook.conversation.store.queries import Filter, messages
from cbai_notebook.conversation.store.store import kernel_ended
from tests.conversation.store.registry import open_registry
from tests.gateway import GatewayProcess

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

KILLS = 220


@pytest.fixture(scope="module")
def aftermath(
    gateway_process: GatewayProcess, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The file that killed kernels have left, and the reports of each kernel."""
    file = tmp_path_factory.mktemp("killed") / "data" / "history.sqlite"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.conversation.store.killed_kernels"),
            *(str(file), gateway_process.base_url, str(KILLS), "20261125"),
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return file, json.loads(done.stdout)


def seconds_it_ran(told: list[float], killed: float) -> list[float]:
    """Return for each report of a kernel how many seconds the kernel ran after it.

    A report comes every hundredth of a second. A gap counts as a tenth of a second at most: in a
    longer gap the system let other processes run, and a kernel that does not run writes nothing.
    """
    ran = 0.0
    left = []
    for when, following in zip(reversed(told), reversed([*told, killed][1:]), strict=True):
        ran += min(following - when, 0.1)
        left.append(ran)
    return left[::-1]


def test_nothing_is_lost_but_the_last_second(aftermath: tuple[Path, dict[str, Any]]) -> None:
    file, report = aftermath
    registry = open_registry(file)
    finished = broken = 0
    for name, kernel in report.items():
        turns = {turn.prompt: turn for turn in registry.get(name).turns}
        ran = seconds_it_ran([when for when, *_ in kernel["told"]], kernel["killed"])
        for (_, kind, prompt, text), left in zip(kernel["told"], ran, strict=True):
            turn = turns[prompt]
            if kind == "finished":
                finished += 1
                assert (turn.status, turn.text) == ("complete", text)
            elif left >= 1:
                assert turn.text.startswith(text)
        open_ = [turn for turn in turns.values() if turn.status != "complete"]
        for turn in open_:
            broken += 1
            assert (turn.status, turn.error) == ("partial", kernel_ended())
    assert len(report) == KILLS
    # The kills have hit both complete and streaming turns.
    assert finished >= KILLS / 3
    assert broken >= KILLS / 3


def test_the_file_is_sound_and_what_is_left_can_be_found(
    aftermath: tuple[Path, dict[str, Any]],
) -> None:
    file, report = aftermath
    store = Store(file)
    store.close_orphaned_turns()
    found = messages(store.database, Filter(search="asks", role="user"))
    prompts = {told[2] for kernel in report.values() for told in kernel["told"]}
    assert prompts <= {record["content"] for record in found}
    assert not any(record["status"] == "streaming" for record in messages(store.database, Filter()))
    store.close()
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    assert not list((file.parent / "history-kernels").iterdir())
