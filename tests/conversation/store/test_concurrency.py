"""Several kernels, threads and forked children use one file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.conversation import Prompt, ask, prepare
from cbai_notebook.conversation.store import Store
from cbai_notebook.errors import UsageError
from tests.conversation.store.conftest import Ask
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts, turn
from tests.gateway import Gateway

PROCESSES, TURNS = 8, 500


def check(file: Path) -> None:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_many_processes_write_at_once_and_nothing_is_lost(file: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.conversation.store.writers"),
            *(str(file), str(PROCESSES), str(TURNS)),
        ],
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "")
    registry = open_registry(file)
    for number in range(PROCESSES):
        own = registry.get(f"own {number}").turns
        assert [each.prompt for each in own] == [
            f"{number}/{count}" for count in range(TURNS) if count % 8
        ]
        assert all(
            (each.status, each.text) == ("complete", f"answer {each.prompt}") for each in own
        )
    shared = registry.get("shared").turns
    assert len(shared) == PROCESSES * len(range(0, TURNS, 8))
    for number in range(PROCESSES):
        mine = [each.prompt for each in shared if each.prompt.startswith(f"{number}/")]
        assert mine == [f"{number}/{count}" for count in range(0, TURNS, 8)]
    check(file)


def test_the_prompt_is_on_disk_before_the_request_leaves(
    file: Path, model: Model, gateway: Gateway
) -> None:
    gateway.script("hang:headers")

    async def run() -> None:
        talk = open_registry(file).get("talk")
        asking = asyncio.ensure_future(ask(prepare(talk, Prompt("What is on disk?"), model=model)))
        await gateway.until(lambda: len(gateway.requests) == 1)
        connection = sqlite3.connect(file)
        found = connection.execute("SELECT prompt, status FROM turns").fetchall()
        assert found == [("What is on disk?", "streaming")]
        asking.cancel()
        await asyncio.wait([asking])

    asyncio.run(run())
    (left,) = open_registry(file).get("talk").turns
    assert left.status == "cancelled"


def test_an_answer_under_way_is_seen_and_so_is_its_end(file: Path) -> None:
    here, there = open_registry(file).get("talk"), open_registry(file).get("talk")
    asked = turn("a", status="streaming")
    here.open(asked).wait(30)
    here.grow(asked, "half ", "")
    here.checkpoint(asked).wait(30)
    there.refresh()
    (seen,) = there.turns
    assert (seen.status, seen.text) == ("streaming", "half ")
    here.grow(asked, "an answer", "")
    here.close(asked, "complete").wait(30)
    there.refresh()
    assert there.turns == (seen,)
    assert (seen.status, seen.text) == ("complete", "half an answer")


def test_kernels_that_go_on_with_one_conversation_see_each_other(
    file: Path, ask_prompt: Ask
) -> None:
    one, two = open_registry(file).get("talk"), open_registry(file).get("talk")
    heard: list[str] = []
    two.watch(lambda change: heard.append(change.kind))
    ask_prompt(one, "a", model="blast:3")
    ask_prompt(two, "b", model="blast:3")
    assert "arranged" in heard
    ask_prompt(one, "c", model="blast:3")
    two.refresh()
    assert (
        prompts(one) == prompts(two) == prompts(open_registry(file).get("talk")) == ["a", "b", "c"]
    )


def test_kernels_that_begin_the_same_conversation_share_it(file: Path, ask_prompt: Ask) -> None:
    one, two = open_registry(file).get("talk"), open_registry(file).get("talk")
    assert not one.turns
    assert not two.turns
    ask_prompt(one, "a", model="blast:3")
    ask_prompt(two, "b", model="blast:3")
    assert prompts(open_registry(file).get("talk")) == ["a", "b"]


def test_a_cell_that_runs_in_two_kernels_keeps_one_place(file: Path, ask_prompt: Ask) -> None:
    one = open_registry(file).get("talk")
    ask_prompt(one, "a", model="blast:3", cell_id="1")
    ask_prompt(one, "b", model="blast:3", cell_id="2")
    two = open_registry(file).get("talk")
    ask_prompt(one, "a", model="blast:4", cell_id="1", replaces=one.turns[0])
    ask_prompt(two, "a", model="blast:5", cell_id="1", replaces=two.turns[0])
    one.refresh()
    for talk in (one, two, open_registry(file).get("talk")):
        assert prompts(talk) == ["a", "b"]
        assert len(talk.alternatives(talk.turns[0])) == 3
        assert [each.stale for each in talk.turns] == [False, True]


def test_what_another_kernel_deleted_is_gone(file: Path) -> None:
    one = open_registry(file)
    talk = one.get("talk")
    first, second = turn("a", "1"), turn("b", "2")
    talk.extend([first, second])
    other = open_registry(file).get("talk")
    talk.delete(first)
    with pytest.raises(UsageError, match="no longer in the conversation"):
        other.delete(other.turns[0])
    assert prompts(other) == ["b"]


def test_a_conversation_that_another_kernel_deleted_begins_anew(
    file: Path, ask_prompt: Ask
) -> None:
    one, two = open_registry(file), open_registry(file)
    ask_prompt(one.get("talk"), "a", model="blast:3")
    held = two.get("talk")
    one.delete(one.get("talk"))
    ask_prompt(one.get("other"), "not in there", model="blast:3")
    ask_prompt(held, "b", model="blast:3")
    assert prompts(held) == ["b"]
    assert prompts(open_registry(file).get("talk")) == ["b"]
    assert prompts(open_registry(file).get("other")) == ["not in there"]


def test_an_answer_whose_conversation_was_deleted_meanwhile_does_not_bring_it_back(
    file: Path,
) -> None:
    one, two = open_registry(file), open_registry(file)
    talk, asked = one.get("talk"), turn("a", status="streaming")
    talk.open(asked).wait(30)
    two.delete(two.get("talk"))
    talk.grow(asked, "text", "")
    talk.checkpoint(asked).wait(30)
    talk.close(asked, "complete").wait(30)
    assert asked.text == "text"
    assert talk.not_stored == ""
    assert open_registry(file).names() == ()


def test_an_agents_number_for_its_answer_outlives_the_kernel(file: Path) -> None:
    open_registry(file).get("talk").open(turn("a", "1", record_id="record-1")).wait(30)
    assert [each.record_id for each in open_registry(file).get("talk").turns] == ["record-1"]


def test_what_an_agent_drew_on_outlives_the_kernel(file: Path) -> None:
    page = {"title": "A page", "url": "https://example.com/1", "index": "1"}
    sources = {"searched": [page], "looked_up": ["名录"]}
    open_registry(file).get("talk").open(turn("a", "1", sources=sources)).wait(30)
    assert [each.sources for each in open_registry(file).get("talk").turns] == [sources]


def test_threads_write_at_once(file: Path) -> None:
    registry = open_registry(file)
    talk = registry.get("talk")

    def write(number: int) -> None:
        for count in range(50):
            asked = turn(f"{number}/{count}", status="streaming")
            talk.open(asked).wait(30)
            talk.grow(asked, "text", "")
            talk.checkpoint(asked).wait(30)
            talk.close(asked, "complete").wait(30)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert talk.not_stored == ""
    assert prompts(open_registry(file).get("talk")) == prompts(talk)
    assert sorted(prompts(talk)) == sorted(f"{n}/{count}" for n in range(6) for count in range(50))
    check(file)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_and_its_parent_write_side_by_side(file: Path) -> None:
    talk = open_registry(file).get("talk")
    under_way = turn("from the parent", status="streaming")
    talk.open(under_way).wait(30)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        talk.open(turn("from the child", "1")).wait(30)
        os.write(writing, talk.not_stored.encode() or b"stored")
        os._exit(0)
    assert os.read(reading, 1000) == b"stored"
    os.waitpid(pid, 0)
    os.close(reading)
    os.close(writing)
    talk.grow(under_way, "text", "")
    talk.close(under_way, "complete").wait(30)
    assert talk.not_stored == ""
    again = open_registry(file).get("talk")
    assert [(each.prompt, each.status) for each in again.turns] == [
        ("from the parent", "complete"),
        ("from the child", "complete"),
    ]
    check(file)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_outlives_a_killed_kernel_does_not_keep_its_answers_open(file: Path) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        talk = open_registry(file).get("talk")
        talk.open(turn("a", status="streaming")).wait(30)
        grandchild = os.fork()
        if grandchild == 0:
            threading.Event().wait(60)
            os._exit(0)
        os.write(writing, str(grandchild).encode())
        threading.Event().wait(60)
    grandchild = int(os.read(reading, 100))
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    try:
        assert [each.status for each in open_registry(file).get("talk").turns] == ["partial"]
    finally:
        os.kill(grandchild, 9)
        os.close(reading)
        os.close(writing)


def test_a_new_file_that_another_kernel_writes_to_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    # While another process writes to a file that is not in WAL mode yet, SQLite refuses to switch
    # it.
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE other (x)")
    leaves = threading.Timer(0.3, other.close)
    leaves.start()
    store = Store(file)
    assert store.writer.call(lambda: store.create("talk")).name == "talk"
    leaves.join()
    store.close()
