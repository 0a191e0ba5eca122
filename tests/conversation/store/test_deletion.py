"""Deleted turns and conversations leave nothing behind, in memory or in a file."""

from __future__ import annotations

import gc
import sqlite3
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import turn

Forget = Callable[[Conversation, Path], None]


# While an answer streams --------------------------------------------------------------------------


def its_turn(talk: Conversation, file: Path) -> None:
    talk.delete(talk.turns[-1])


def every_turn(talk: Conversation, file: Path) -> None:
    talk.clear()


def the_conversation(talk: Conversation, file: Path) -> None:
    talk.forget()


def by_another_kernel(talk: Conversation, file: Path) -> None:
    other = open_registry(file)
    other.delete(other.get(talk.name))
    talk.refresh()


@pytest.mark.parametrize("forget", [its_turn, every_turn, the_conversation, by_another_kernel])
def test_a_turn_that_is_forgotten_while_it_streams_is_held_by_nobody(
    file: Path, forget: Forget
) -> None:
    talk, asked = open_registry(file).get("talk"), turn("a", status="streaming")
    talk.open(asked).wait(30)
    talk.grow(asked, "half ", "")
    talk.checkpoint(asked).wait(30)
    forget(talk, file)
    talk.grow(asked, "an answer", "")
    talk.checkpoint(asked).wait(30)
    talk.close(asked, "complete").wait(30)
    assert talk.turns == ()
    left = weakref.ref(asked)
    del asked
    gc.collect()
    assert left() is None


def test_a_turn_that_was_forgotten_before_there_was_room_for_it_brings_nothing_back(
    file: Path,
) -> None:
    file.mkdir(parents=True)  # nothing can be written there
    talk, asked = open_registry(file).get("talk"), turn("a", status="streaming")
    talk.open(asked).wait(30)
    assert talk.not_stored
    talk.forget()
    file.rmdir()
    talk.grow(asked, "half an answer", "")
    talk.checkpoint(asked).wait(30)
    talk.close(asked, "complete").wait(30)
    assert open_registry(file).names() == ()


# In the files -------------------------------------------------------------------------------------

# Words that share no prefix with other words: the index stores only what differs from the word
# before.
ASCII, CHINESE = "qzxylophonist", "槐树下埋着一封信"
TRACES = (ASCII[2:].encode(), CHINESE.encode(), CHINESE[3:].encode())


def traces(file: Path) -> list[tuple[str, bytes]]:
    """Return the traces of the words that are left in any file."""
    files = [each for each in file.parent.rglob("*") if each.is_file()]
    assert file in files
    return [
        (each.name, trace)
        for each in files
        for trace in TRACES
        if trace in each.read_bytes().lower()
    ]


def secretive(number: int) -> Turn:
    """Return a turn with the words in every field that holds text."""
    said = f"{ASCII} {CHINESE} {number}"
    step = {"role": "assistant", "content": said, "tool_calls": []}
    made = turn(
        said,
        system=said,
        params={said: said},
        steps=(step,),
        images=(f"data:image/png;base64,{ASCII}",),
        error=said,
        error_details=said,
        cell_id=said,
        status="streaming",
    )
    made.finish_reason = said
    return made


def grow_conversation(registry: ConversationRegistry, name: str) -> Conversation:
    """Return a conversation whose answers grew on disk, among others that did, in a file with gaps."""
    talk, other = registry.get(name), registry.get("harmless")
    for number in range(20):
        asked, harmless = secretive(number), turn(f"harmless {number}", status="streaming")
        for each, one in ((talk, asked), (other, harmless)):
            each.open(one)
            for piece in range(4):
                # Longer than a page, so that SQLite has to move the row.
                text = f"The answer of {one.prompt} goes on in {piece}. " * 40
                each.grow(one, text, text)
                each.checkpoint(one)
            each.close(one, "complete").wait(30)
    return talk


def test_nothing_of_a_conversation_that_was_deleted_is_in_any_file(file: Path) -> None:
    store = Store(file)
    registry, other_store = ConversationRegistry(store, None), Store(file)
    talk = grow_conversation(registry, f"about {ASCII} {CHINESE}")
    other = registry.get("harmless")
    other_store.check()  # another kernel that is idle
    talk.delete(talk.turns[3])
    assert traces(file)
    registry.delete(talk)
    assert talk.not_stored == ""
    assert traces(file) == []
    other_store.close()
    store.close()
    assert traces(file) == []
    again = open_registry(file).get("harmless")
    assert [each.text for each in again.turns] == [each.text for each in other.turns]
    connection = sqlite3.connect(file)
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    (found,) = connection.execute(
        "SELECT count(*) FROM words WHERE words MATCH 'harmless'"
    ).fetchone()
    assert found == 20


def test_another_kernel_that_reads_holds_up_no_deletion(file: Path) -> None:
    registry = ConversationRegistry(store := Store(file), None, lambda: True)
    talk = grow_conversation(registry, "talk")
    reader = sqlite3.connect(file)
    reader.execute("BEGIN")
    (before,) = reader.execute("SELECT count(*) FROM turns").fetchone()
    registry.delete(talk)
    assert open_registry(file).names() == ("harmless",)
    # The reader still sees its snapshot.
    assert reader.execute("SELECT count(*) FROM turns").fetchone() == (before,)
    reader.close()
    store.close()
    gc.collect()
    assert traces(file) == []
