"""Watchers are called on every change, from any thread, until they are removed."""

from __future__ import annotations

import threading

from cbai_notebook.conversation import Change, Conversation, names, new_conversation
from tests.conversation.turns import turn


def test_a_watcher_hears_of_every_change_in_order() -> None:
    talk, heard = Conversation("test"), []
    talk.watch(heard.append)
    asked, other = turn("a"), turn("a, differently")
    talk.open(asked).wait(30)
    talk.grow(asked, "1", "")
    talk.close(asked, "complete").wait(30)
    talk.open(other, branch_of=asked).wait(30)
    talk.choose(asked)
    talk.delete(other)
    talk.reset()
    assert heard == [
        Change("opened", asked),
        Change("grown", asked),
        Change("closed", asked),
        Change("opened", other),
        Change("arranged"),
        Change("arranged"),
        Change("arranged"),
    ]


def test_a_watcher_sees_the_conversation_as_it_is_by_then() -> None:
    talk, seen = Conversation("test"), []
    talk.watch(lambda change: seen.append([(each.text, each.status) for each in talk.turns]))
    asked = turn("a", status="streaming")
    talk.open(asked).wait(30)
    talk.grow(asked, "1", "")
    talk.close(asked, "complete").wait(30)
    assert seen == [[("", "streaming")], [("1", "streaming")], [("1", "complete")]]


def test_a_watcher_that_leaves_hears_nothing_more_and_may_leave_twice() -> None:
    talk, heard = Conversation("test"), []
    leave, _ = talk.watch(heard.append), talk.watch(heard.append)
    leave()
    leave()
    talk.reset()
    assert len(heard) == 1


def test_watchers_come_and_go_on_many_threads() -> None:
    talk = Conversation("test")

    def watch_and_leave() -> None:
        for _ in range(200):
            talk.watch(lambda change: None)()

    threads = [threading.Thread(target=watch_and_leave) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard: list[Change] = []
    talk.watch(heard.append)
    talk.reset()
    assert len(heard) == 1


def test_a_reader_at_its_own_pace_misses_nothing() -> None:
    growing = turn("a")
    growing.add("one ", "")
    text, reasoning, mark = growing.text_since((0, 0))
    growing.add("two ", "hm")
    growing.add("three", "")
    more, thought, mark = growing.text_since(mark)
    assert (text + more, reasoning + thought) == ("one two three", "hm")
    assert growing.text_since(mark)[:2] == ("", "")


def test_a_fresh_conversation_has_a_name_of_its_own() -> None:
    first, second = new_conversation(), new_conversation()
    assert first.name != second.name
    assert {first.name, second.name} <= set(names())
