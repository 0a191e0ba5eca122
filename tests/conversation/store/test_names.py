"""Names of conversations, and which conversation belongs to which notebook."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.conversation import (
    Conversation,
    chat,
    conversations,
    keep_history,
    names,
    new_conversation,
    use,
)
from cbai_notebook.conversation.kernel_notebook import notebook_path
from cbai_notebook.errors import UsageError
from tests.conversation.store.registry import open_registry, write_cells
from tests.conversation.turns import prompts, turn


def test_a_notebook_goes_on_with_its_own_conversation(file: Path, tmp_path: Path) -> None:
    poems = write_cells(tmp_path / "poems.ipynb", "c1")
    talk = open_registry(file, poems).current()
    talk.open(turn("a", "1", cell_id="c1")).wait(30)
    again = open_registry(file, poems).current()
    assert again.name == talk.name == "poems.ipynb"
    assert prompts(again) == ["a"]


def test_notebooks_of_the_same_file_name_each_have_their_own(file: Path, tmp_path: Path) -> None:
    notebooks = [tmp_path / folder / "poems.ipynb" for folder in ("one", "two", "")]
    for number, path in enumerate(notebooks):
        write_cells(path, f"c{number}")
        open_registry(file, path).current().open(
            turn(f"in {number}", "1", cell_id=f"c{number}")
        ).wait(30)
    assert [prompts(open_registry(file, path).current()) for path in notebooks] == [
        ["in 0"],
        ["in 1"],
        ["in 2"],
    ]
    assert open_registry(file).names()[:2] == ("poems.ipynb", "two/poems.ipynb")


def test_kernels_without_a_notebook_each_have_their_own(file: Path) -> None:
    one, two = open_registry(file).current(), open_registry(file).current()
    assert one.name != two.name
    assert one.name.startswith("session-")


def test_jupyter_says_which_notebook_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "work/poems.ipynb")
    assert notebook_path() == "work/poems.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", "console-1-5b1a")
    assert notebook_path() is None
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert notebook_path() is None


def test_the_own_conversation_can_be_renamed_and_stays_the_own(file: Path, tmp_path: Path) -> None:
    notebook = write_cells(tmp_path / "a.ipynb", "c1")
    mine = open_registry(file, notebook)
    talk = mine.current()
    talk.open(turn("a", "1", cell_id="c1")).wait(30)
    mine.rename(talk, "about everything")
    assert mine.current() is talk
    assert open_registry(file, notebook).current().name == "about everything"
    assert open_registry(file).names() == ("about everything",)


def test_a_name_that_is_taken_is_refused(file: Path) -> None:
    open_registry(file).get("taken").open(turn("a", "1")).wait(30)
    mine = open_registry(file)
    talk = mine.get("mine")
    talk.open(turn("b", "2")).wait(30)
    with pytest.raises(UsageError, match="already"):
        mine.rename(talk, "taken")
    with pytest.raises(UsageError, match="already"):
        mine.fork(talk, "taken", None)
    with pytest.raises(UsageError, match="needs a name"):
        mine.rename(talk, "  ")
    assert talk.name == "mine"


def test_what_is_deleted_is_gone_and_can_be_used_again(kept: Path) -> None:
    own = chat()
    own.open(turn("a", "1")).wait(30)
    use("other").open(turn("b", "2")).wait(30)
    conversations().delete(chat("other"))
    assert chat() is own
    assert "other" not in names()
    conversations().delete(own)
    assert prompts(chat()) == []
    chat().open(turn("c", "3")).wait(30)
    assert prompts(open_registry(kept).get(own.name)) == ["c"]
    chat("other").open(turn("d", "4")).wait(30)
    assert prompts(open_registry(kept).get("other")) == ["d"]


def test_a_deleted_conversation_that_someone_still_holds_is_the_one_that_is_found(
    kept: Path,
) -> None:
    held = chat("held")
    held.open(turn("a", "1")).wait(30)
    conversations().delete(held)
    held.open(turn("b", "2")).wait(30)
    assert chat("held") is held


def test_a_new_conversation_is_none_that_someone_still_holds(kept: Path) -> None:
    held = new_conversation("chat")
    held.open(turn("a", "1")).wait(30)
    conversations().delete(held)
    other = new_conversation("chat")
    held.open(turn("b", "2")).wait(30)
    other.open(turn("c", "3")).wait(30)
    assert (prompts(held), prompts(other)) == (["b"], ["c"])


def test_the_last_used_comes_last_and_fresh_names_are_free(file: Path) -> None:
    mine = open_registry(file)
    for name in ("a", "b", "a"):
        mine.get(name).open(turn(f"in {name}", "1")).wait(30)
    assert open_registry(file).names() == ("b", "a")
    assert [open_registry(file).new("a").name, open_registry(file).new("c").name] == ["a-2", "c"]


@given(name=st.text(st.characters(codec=None), min_size=1, max_size=12))
@settings(max_examples=100)
def test_any_name_will_do(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("names") / "history.sqlite"
    keep_history(file)
    try:
        talk = chat(name)
    except UsageError:
        assert not name.strip()
        return
    finally:
        keep_history(None)
    talk.open(turn("a", "1")).wait(30)
    assert talk.not_stored == ""
    assert prompts(open_registry(file).get(name.strip())) == ["a"]


@pytest.mark.parametrize("name", ["two words", "a/b/c", "../up", "'; DROP TABLE turns; --", "诗"])
def test_names_are_only_names(file: Path, name: str) -> None:
    open_registry(file).get(name).open(turn("a", "1")).wait(30)
    assert prompts(open_registry(file).get(name)) == ["a"]
    assert open_registry(file).names() == (name,)


def test_a_list_of_messages_can_be_said_and_is_kept(file: Path) -> None:
    talk = open_registry(file).get("talk")
    talk.messages.append({"role": "user", "content": "a"})
    talk.messages.append({"role": "assistant", "content": "1"})
    talk.messages.extend([{"role": "user", "content": "b"}, {"role": "assistant", "content": "2"}])
    again = open_registry(file).get("talk")
    assert again.messages == talk.messages
    assert [message["content"] for message in again] == ["a", "1", "b", "2"]
    for change in ("clear", "pop", "sort", "reverse"):
        with pytest.raises(UsageError, match="can only be added to"):
            getattr(again.messages, change)()
    with pytest.raises(UsageError):
        again.messages[0] = {"role": "user", "content": "x"}
    with pytest.raises(UsageError):
        del again.messages[0]
    with pytest.raises(UsageError):
        talk.messages.extend(
            [{"role": "user", "content": "c"}, {"role": "tool", "content": "out of place"}]
        )
    assert open_registry(file).get("talk").messages == talk.messages == again.messages
    taken = Conversation.from_messages(again.messages)
    assert [{**m, "conversation": "talk"} for m in taken.messages] == again.messages


def test_a_new_conversation_is_empty(kept: Path) -> None:
    assert new_conversation("chat").turns == ()
    assert new_conversation("chat").name == "chat-2"
