"""What is deleted leaves nothing behind: not in memory, not in a file."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from cbai_notebook.conversation import Conversation
from cbai_notebook.conversation.archive import Archive
from cbai_notebook.conversation.shelf import Shelf
from tests.conversation.test_conversation import turn

Forget = Callable[[Conversation, Path], None]


def kernel(file: Path) -> Shelf:
    return Shelf(Archive(file), None)


# While an answer streams --------------------------------------------------------------------------


def its_turn(talk: Conversation, file: Path) -> None:
    talk.delete(talk.turns[-1])


def every_turn(talk: Conversation, file: Path) -> None:
    talk.clear()


def the_conversation(talk: Conversation, file: Path) -> None:
    talk.forget()


def by_another_kernel(talk: Conversation, file: Path) -> None:
    other = kernel(file)
    other.delete(other.get(talk.name))
    talk.refresh()


@pytest.mark.parametrize("forget", [its_turn, every_turn, the_conversation, by_another_kernel])
def test_a_turn_that_is_forgotten_while_it_streams_is_held_by_nobody(
    file: Path, forget: Forget
) -> None:
    talk, asked = kernel(file).get("talk"), turn("a", status="streaming")
    talk.open(asked)
    talk.grow(asked, "half ", "")
    talk.checkpoint(asked)
    forget(talk, file)
    talk.grow(asked, "an answer", "")
    talk.checkpoint(asked)
    talk.close(asked, "complete")
    assert talk.turns == ()
    left = weakref.ref(asked)
    del asked
    gc.collect()
    assert left() is None


def test_a_turn_that_was_forgotten_before_there_was_room_for_it_brings_nothing_back(
    file: Path,
) -> None:
    file.mkdir(parents=True)  # nothing can be written there
    talk, asked = kernel(file).get("talk"), turn("a", status="streaming")
    talk.open(asked)
    assert talk.not_stored
    talk.forget()
    file.rmdir()
    talk.grow(asked, "half an answer", "")
    talk.checkpoint(asked)
    talk.close(asked, "complete")
    assert kernel(file).names() == ()
