"""A conversation belongs to its notebook, also when the file is renamed, moved, copied or made anew."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from cbai_notebook.conversation import Conversation
from cbai_notebook.conversation.registry import ConversationRegistry
from tests.conversation.store.registry import open_registry, write_cells
from tests.conversation.turns import prompts, turn


def say(talk: Conversation, *cells: str) -> None:
    """Add a turn for each cell; its prompt is the id of the cell."""
    for cell in cells:
        talk.open(turn(cell, "1", cell_id=cell)).wait(30)
    assert talk.not_stored == ""


@pytest.fixture
def plan(tmp_path: Path, file: Path) -> Path:
    """A saved notebook whose cells c1 and c2 have asked; its kernel has ended."""
    notebook = write_cells(tmp_path / "work" / "Untitled.ipynb", "c1", "c2")
    say(open_registry(file, notebook).current(), "c1", "c2")
    return notebook


def current(file: Path, notebook: Path, kernel: str | None = None) -> Conversation:
    return open_registry(file, notebook, kernel).current()


def test_a_new_notebook_with_an_old_name_begins_anew(file: Path, plan: Path) -> None:
    moved = plan.rename(plan.with_name("plan.ipynb"))
    write_cells(plan)  # as JupyterLab makes it: no cell is saved yet
    new = current(file, plan)
    assert prompts(new) == []
    say(new, "n1")
    assert new.name == "Untitled.ipynb-2"
    write_cells(plan, "n1")
    assert prompts(current(file, plan)) == ["n1"]
    renamed = current(file, moved)
    assert (renamed.name, prompts(renamed)) == ("Untitled.ipynb", ["c1", "c2"])


@pytest.mark.parametrize("place", ["plan.ipynb", "deep/er/Untitled.ipynb", "../计划.ipynb"])
def test_a_renamed_or_moved_notebook_keeps_its_past(file: Path, plan: Path, place: str) -> None:
    target = plan.parent / place
    target.parent.mkdir(parents=True, exist_ok=True)
    moved = current(file, plan.rename(target))
    assert prompts(moved) == ["c1", "c2"]
    say(moved, "c3")
    write_cells(target, "c3")
    assert prompts(current(file, target)) == ["c1", "c2", "c3"]
    assert len(open_registry(file).names()) == 1


def test_a_restarted_kernel_goes_on_though_nothing_was_saved(file: Path, tmp_path: Path) -> None:
    untitled = write_cells(tmp_path / "Untitled.ipynb")
    say(current(file, untitled, "kernel-1"), "c1")
    assert prompts(current(file, untitled, "kernel-1")) == ["c1"]
    renamed = untitled.rename(tmp_path / "plan.ipynb")
    assert prompts(current(file, renamed, "kernel-1")) == ["c1"], "the new path is given"
    assert prompts(current(file, untitled, "kernel-1")) == ["c1"], "the old path is given"
    write_cells(untitled)
    assert prompts(current(file, untitled, "kernel-2")) == [], "a new notebook, a new kernel"


def test_a_restarted_kernel_does_not_take_the_path_of_a_newer_notebook(
    file: Path, plan: Path
) -> None:
    first = write_cells(plan, "c1", "c2")
    say(current(file, first, "kernel-1"), "c3")
    first.rename(plan.with_name("plan.ipynb"))
    say(current(file, write_cells(plan, "n1"), "kernel-2"), "n1")
    assert prompts(current(file, plan, "kernel-1")) == ["c1", "c2", "c3"]
    assert prompts(current(file, plan, "kernel-3")) == ["n1"]


def test_two_new_notebooks_of_one_name_in_running_kernels_stay_apart(
    file: Path, tmp_path: Path
) -> None:
    untitled = write_cells(tmp_path / "Untitled.ipynb")
    one, two = (open_registry(file, untitled, f"kernel-{n}").current() for n in (1, 2))
    say(one, "a")
    two.refresh()
    say(two, "b")
    say(one, "c")
    assert (prompts(one), prompts(two)) == (["a", "c"], ["b"])
    other = current(file, write_cells(tmp_path / "else" / "Untitled.ipynb"))
    other.refresh()
    assert prompts(other) == []


def test_a_copy_begins_with_the_past_that_its_cells_know(file: Path, plan: Path) -> None:
    copy = Path(shutil.copy(plan, plan.with_name("plan-Copy1.ipynb")))
    say(current(file, plan), "later")
    theirs = current(file, copy)
    assert prompts(theirs) == ["c1", "c2"], "what was asked after it was copied stays out"
    say(theirs, "mine")
    assert prompts(current(file, plan)) == ["c1", "c2", "later"]
    assert prompts(current(file, copy)) == ["c1", "c2", "mine"]
    registry = open_registry(file)
    assert sorted(registry.names()) == ["Untitled.ipynb", "plan-Copy1.ipynb"]


def test_both_go_on_when_a_copy_or_its_original_is_renamed(file: Path, plan: Path) -> None:
    copy = Path(shutil.copy(plan, plan.with_name("plan-Copy1.ipynb")))
    say(current(file, copy), "mine")
    say(current(file, plan), "theirs")
    copy = copy.rename(plan.with_name("draft.ipynb"))
    assert prompts(current(file, copy)) == ["c1", "c2", "mine"]
    final = plan.rename(plan.with_name("final.ipynb"))
    assert prompts(current(file, final)) == ["c1", "c2", "theirs"]


def test_a_cell_that_was_moved_to_another_notebook_does_not_take_the_past_along(
    file: Path, plan: Path
) -> None:
    write_cells(plan, *(f"c{n}" for n in range(1, 7)))
    say(current(file, plan), "c3", "c4", "c5", "c6")
    write_cells(plan, *(f"c{n}" for n in range(1, 6)))
    other = write_cells(plan.with_name("other.ipynb"), "n1", "n2", "n3", "n4", "c6")
    assert prompts(current(file, other)) == []
    alone = write_cells(plan.with_name("alone.ipynb"), "c6")
    assert prompts(current(file, alone)) == []
    plan.unlink()
    last = write_cells(plan.with_name("last.ipynb"), "m1", "m2", "c5")
    assert prompts(current(file, last)) == []


@pytest.mark.parametrize("cells", [("n0", "n1", "c2"), ("c1", "n1")])
def test_a_new_notebook_with_an_old_name_and_a_moved_cell_begins_anew(
    file: Path, plan: Path, cells: tuple[str, ...]
) -> None:
    plans = plan.rename(plan.with_name("plans.ipynb"))
    new = current(file, write_cells(plan, *cells), "kernel-2")
    assert prompts(new) == []
    say(new, "n1")
    assert prompts(current(file, plans)) == ["c1", "c2"]
    assert prompts(current(file, plan)) == ["n1"]
    assert prompts(current(file, plan, "kernel-2")) == ["n1"]


def test_a_kernel_that_is_told_its_old_path_keeps_off_the_new_notebook_there(
    file: Path, plan: Path
) -> None:
    say(current(file, plan, "kernel-1"), "c3")
    plan.rename(plan.with_name("plans.ipynb"))
    say(current(file, write_cells(plan, "n0", "n1", "c2"), "kernel-2"), "n1")
    assert prompts(current(file, plan, "kernel-1")) == ["c1", "c2", "c3"]
    assert prompts(current(file, plan)) == ["n1"]


def test_a_notebook_that_has_lost_most_of_its_cells_goes_on(file: Path, plan: Path) -> None:
    say(current(file, plan), *(f"gone{n}" for n in range(20)))
    for cells in (["c1", "c2", *"abcd"], [*"abcd", *"efgh"], [*"efgh"], ["h"]):
        write_cells(plan, *cells)
        assert len(current(file, plan).turns) == 22
        assert len(current(file, plan, "kernel-9").turns) == 22


@pytest.mark.parametrize("cells", [("c1",), ("c2", "n1"), ("n1", "n2", "c1", "n3")])
def test_one_moved_cell_makes_no_copy(file: Path, plan: Path, cells: tuple[str, ...]) -> None:
    assert prompts(current(file, write_cells(plan.with_name("other.ipynb"), *cells))) == []


def test_a_copy_has_the_turns_of_its_cells_only(file: Path, plan: Path) -> None:
    write_cells(plan, "c1", "c2", "c3", "c4")
    talk = current(file, plan)
    say(talk, "c3")
    talk.open(turn("in the panel", "1")).wait(30)
    say(talk, "c4")
    part = write_cells(plan.with_name("part.ipynb"), "c2", "c4", "mine")
    assert prompts(current(file, part)) == ["c2", "c4"]
    assert prompts(current(file, plan)) == ["c1", "c2", "c3", "in the panel", "c4"]


def test_a_notebook_of_a_single_cell_is_known_by_it(file: Path, tmp_path: Path) -> None:
    single = write_cells(tmp_path / "single.ipynb", "s1")
    say(current(file, single), "s1")
    renamed = single.rename(tmp_path / "renamed.ipynb")
    assert prompts(current(file, renamed)) == ["s1"]
    write_cells(renamed, "s1", "s2", "s3")
    assert prompts(current(file, renamed)) == ["s1"]


def test_a_copy_of_cells_that_never_asked_begins_anew(file: Path, tmp_path: Path) -> None:
    template = write_cells(tmp_path / "template.ipynb", "t1", "t2")
    say(current(file, template), "secret")  # a cell that was not saved
    copy = Path(shutil.copy(template, tmp_path / "copy.ipynb"))
    assert prompts(current(file, copy)) == []
    assert prompts(current(file, template)) == ["secret"], "the other cells say that it is the same"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"cells": [{"id": "c1"}, {"id": "c2"',
        '{"cells": []}',
        '{"cells": [{"id": 3}, {"id": ["c1"]}]}',
        '"id": "c1',
        "\0",
    ],
)
def test_in_doubt_a_new_conversation_begins(file: Path, plan: Path, text: str) -> None:
    plan.write_text(text)
    assert prompts(current(file, plan)) == []
    assert prompts(open_registry(file).get("Untitled.ipynb")) == ["c1", "c2"], "nothing is lost"


def test_a_file_that_cannot_be_read_is_in_doubt(file: Path, plan: Path) -> None:
    plan.unlink()
    assert prompts(current(file, plan)) == []
    plan.mkdir()
    assert prompts(current(file, plan)) == []
    plan.rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(plan)
        assert prompts(current(file, plan)) == [], "and it does not wait for a writer"
    assert prompts(current(file, Path("s3:/bucket/plan.ipynb"))) == []
    assert prompts(current(file, Path("a\0b.ipynb"))) == []


def test_cells_named_in_outputs_and_sources_are_no_cells(file: Path, plan: Path) -> None:
    cell = {"cell_type": "code", "id": "n1", "source": 'print({"id": "c1"})', "outputs": []}
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": '"id": "c1"'}]
    other = plan.with_name("other.ipynb")
    other.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))
    assert prompts(current(file, other)) == []


def test_ids_that_are_not_those_of_cells_are_no_cells(file: Path, plan: Path) -> None:
    shown = {"cells": [{"cell_type": "code", "id": id} for id in ("c1", "c2")]}
    output = {"output_type": "display_data", "data": {"application/json": shown}, "metadata": {}}
    cell = {"cell_type": "code", "id": "n1", "metadata": {"id": "c1"}, "outputs": [output]}
    notebook = {"cells": [cell], "metadata": {"first": {"id": "c1"}, "widgets": {"id": "c2"}}}
    other = plan.with_name("other.ipynb")
    for indent in (1, 4, None):
        other.write_text(json.dumps(notebook, indent=indent))
        assert prompts(current(file, other)) == []
    output["data"]["image/png"] = "A" * 9_000_000  # then it is not parsed
    for keys in (("cells", "metadata"), ("metadata", "cells")):
        other.write_text(json.dumps({key: notebook[key] for key in keys}, indent=1))
        assert prompts(current(file, other)) == []


@pytest.mark.parametrize("indent", [1, 2, "\t"])
def test_cells_are_found_in_a_large_notebook(file: Path, plan: Path, indent: int | str) -> None:
    image = {"output_type": "display_data", "data": {"image/png": "A" * 9_000_000}, "metadata": {}}
    cells = [{"cell_type": "code", "id": f"x{n}", "outputs": [image]} for n in range(2)]
    cells += [{"cell_type": "code", "id": id, "outputs": []} for id in ("c1", "c2")]
    large = plan.rename(plan.with_name("large.ipynb"))
    large.write_text(json.dumps({"metadata": {}, "cells": cells}, indent=indent))
    assert prompts(current(file, large)) == ["c1", "c2"]


def test_cells_are_found_in_a_notebook_without_line_breaks(file: Path, plan: Path) -> None:
    moved = plan.rename(plan.with_name("plan.ipynb"))
    moved.write_text(json.dumps(json.loads(moved.read_text()), separators=(",", ":")))
    assert prompts(current(file, moved)) == ["c1", "c2"]


def test_named_conversations_with_the_same_cells_are_not_the_notebooks_own(
    file: Path, plan: Path
) -> None:
    registry = open_registry(file, plan)
    say(registry.get("poems"), "c1", "c2", "c3", "c4")
    registry.fork(registry.get("poems"), "fork", None)
    moved = plan.rename(plan.with_name("plan.ipynb"))
    write_cells(moved, "c1", "c2", "c3", "c4")
    assert current(file, moved).name == "Untitled.ipynb"


def test_a_deleted_conversation_is_not_found_again(file: Path, plan: Path) -> None:
    registry = open_registry(file, plan, "kernel-1")
    registry.delete(registry.current())
    say(registry.current(), "c2")
    assert prompts(current(file, plan, "kernel-1")) == ["c2"]
    assert open_registry(file).names() == ("Untitled.ipynb",)


def test_a_kernel_without_a_notebook_goes_on_after_its_restart(file: Path) -> None:
    say(open_registry(file, None, "kernel-1").current(), "a")
    assert prompts(open_registry(file, None, "kernel-1").current()) == ["a"]
    assert prompts(open_registry(file, None, "kernel-2").current()) == []


def test_damaged_ids_in_the_history_are_no_ids(file: Path, plan: Path) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE conversations SET cells = '{\"c1\"'")
    connection.close()
    assert prompts(current(file, plan)) == ["c1", "c2"], "the cells of the turns are enough"


def test_without_a_history_the_notebook_has_a_conversation_in_memory(plan: Path) -> None:
    registry: ConversationRegistry = open_registry(None, plan)
    assert (registry.current().name, prompts(registry.current())) == ("default", [])
