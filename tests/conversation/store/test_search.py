"""Messages are found by words and by filters, as in a simple model."""

from __future__ import annotations

import re
import sqlite3
import tempfile
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cbai_notebook.conversation import Conversation, Turn, chat, keep_history
from cbai_notebook.conversation.history import history
from cbai_notebook.conversation.registry import conversations
from cbai_notebook.conversation.store import queries
from cbai_notebook.conversation.store.search import matches
from cbai_notebook.errors import UsageError
from tests.conversation.turns import turn


@pytest.fixture
def talk(kept: Path) -> Conversation:
    made = chat("talk")
    made.extend(
        [
            turn("What is the weather?", "It rains in Aachen, heavily."),
            turn("介绍一下李白", "李白是唐代诗人，字太白。"),
            turn("Et un résumé, s'il vous plaît", "Voilà un re\u0301sume\u0301 of Python3 代码."),
            turn("東京の天気は", "雨です。snake_case and x = [1, 2]"),
        ]
    )
    return made


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("weather", 1),
        ("WEATHER", 1),
        ("weath", 1),
        ("we", 0),
        ("eather", 0),
        ("rains heavily", 1),
        ("heavily rains", 1),
        ('"rains in"', 1),
        ('"in rains"', 0),
        ('"weath"', 0),
        ("weather rains", 0),
        ("李白", 2),
        ("李", 2),
        ("白", 2),
        ("唐代诗人", 1),
        ("唐人", 0),
        ("唐代 太白", 1),
        ("resume", 2),
        ("RÉSUMÉ", 2),
        ("re\u0301sume\u0301", 2),
        ("python3 代码", 1),
        ("天気", 1),
        ("snake case", 1),
        ("snake_case", 1),
        ("1, 2", 1),
        ("", 0),
        ("?!", 0),
    ],
)
def test_what_is_found(talk: Conversation, query: str, count: int) -> None:
    assert len(history(search=query)) == count


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_words_are_looked_for_in_the_messages_of_a_role(talk: Conversation, role: str) -> None:
    assert [record["role"] for record in history(search="李白", role=role)] == [role]


def test_what_is_deleted_is_found_no_more(talk: Conversation, kept: Path) -> None:
    talk.delete(talk.turns[1])
    assert history(search="李白") == []
    talk.clear()
    assert history(search="weather") == []
    connection = sqlite3.connect(kept)
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    assert connection.execute("SELECT count(*) FROM words WHERE words MATCH 'a*'").fetchone() == (
        0,
    )


def test_what_a_conversation_held_goes_with_it(talk: Conversation) -> None:
    chat("other").open(turn("weather here", "too")).wait(30)
    conversations().delete(talk)
    assert [record["content"] for record in history(search="weather")] == ["weather here"]


def test_an_answer_is_found_with_what_it_ended_as(kept: Path) -> None:
    talk, answer = chat("talk"), turn("a", status="streaming")
    talk.open(answer).wait(30)
    talk.grow(answer, "half", "")
    talk.checkpoint(answer).wait(30)
    talk.grow(answer, "way there", "")
    talk.close(answer, "complete").wait(30)
    assert history(search="half") == history(search="halfway") != []
    assert history(search='"half"') == []


@pytest.fixture(scope="module")
def searchable_history() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        keep_history(Path(folder) / "history.sqlite")
        chat("talk").extend(turn(f"a {word}", word) for word in ("weather", "李白", "x\0y", "NEAR"))
        yield
        keep_history(None)


@given(
    query=st.text(
        st.one_of(st.sampled_from('"*^(){}:-+ANDORNEAR\0 \ud800李é'), st.characters(codec=None))
    )
)
@example('"')
@example('a" OR "b')
@example("prompt: weather")
@example("NEAR(a b, 2)")
@example("-weather")
@example("a\0b")
@example("\ud800\udfff")
@settings(max_examples=300)
def test_no_query_fails(searchable_history: None, query: str) -> None:
    try:
        found = history(search=query)
    except UsageError:
        return
    assert all(record["conversation"] == "talk" for record in found)


# Against a model ----------------------------------------------------------------------------------

VOCABULARY = ("rain", "rains", "Aachen", "über", "李白", "诗", "x1")
START = datetime(2026, 11, 1, tzinfo=timezone.utc)
text = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(" ".join)
said = st.builds(
    dict,
    talk=st.sampled_from(["one", "two"]),
    prompt=text,
    answer=text,
    model=st.sampled_from(["hy3", "glm"]),
    status=st.sampled_from(["asked", "complete", "partial", "cancelled", "failed"]),
    system=st.none() | text,
)


def either(*values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


def holds(content: str, query: str) -> bool:
    """Return whether every word matches: a longer one as a prefix, Chinese anywhere."""

    def plain(word: str) -> str:
        bare = unicodedata.normalize("NFD", word.casefold())
        return "".join(each for each in bare if not unicodedata.combining(each))

    held = [plain(word) for word in content.split()]
    for word in map(plain, query.split()):
        if re.match(r"[一-鿿]", word):
            found = any(word in each for each in held)
        elif len(word) >= 3:
            found = any(each.startswith(word) for each in held)
        else:
            found = word in held
        if not found:
            return False
    return True


@given(
    turns=st.lists(said, max_size=12),
    wanted=st.fixed_dictionaries(
        {
            "conversation": either("one", "two", "none"),
            "model": either("hy3", "cloudbase/glm", "other"),
            "status": either("asked", "complete", "partial", "cancelled", "other"),
            "role": either("system", "user", "assistant", "tool"),
            "since": either(*(START + timedelta(hours=hours) for hours in (0, 3, 20))),
            "until": either(*(START + timedelta(hours=hours) for hours in (0, 5, 20))),
            "search": either("rain", "Rains", "uber", "李", "李白 诗", "x1", "x", "aach rain"),
            "limit": either(1, 3, 100),
        }
    ),
)
@settings(max_examples=150)
def test_the_filters_find_what_a_model_finds(
    turns: list[dict[str, Any]], wanted: dict[str, Any]
) -> None:
    expected: list[tuple[Any, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        keep_history(Path(folder) / "history.sqlite")
        try:
            for hour, each in enumerate(turns):
                moment = START + timedelta(hours=hour)
                made = Turn(
                    each["prompt"],
                    moment,
                    provider="cloudbase",
                    model=each["model"],
                    status=each["status"],
                    system=each["system"],
                )
                made.add(each["answer"], "")
                chat(each["talk"]).extend([made])
                messages = [("user", each["prompt"])]
                if each["status"] != "asked":
                    messages.append(("assistant", each["answer"]))
                if each["system"] is not None:
                    messages.insert(0, ("system", each["system"]))
                if (
                    wanted["conversation"] in (None, each["talk"])
                    and wanted["model"] in (None, each["model"], f"cloudbase/{each['model']}")
                    and wanted["status"] in (None, each["status"])
                    and (wanted["since"] is None or moment >= wanted["since"])
                    and (wanted["until"] is None or moment < wanted["until"])
                ):
                    expected += [
                        (each["talk"], moment, role, content)
                        for role, content in messages
                        if wanted["role"] in (None, role)
                        and (
                            wanted["search"] is None
                            or (role != "system" and holds(content, wanted["search"]))
                        )
                    ]
            if wanted["limit"] is not None:
                expected = expected[-wanted["limit"] :]
            keys = ("conversation", "created_at", "role", "content")
            found = [tuple(record[key] for key in keys) for record in history(**wanted)]
            assert found == expected
        finally:
            keep_history(None)


def test_what_did_not_end_well_is_found_by_its_index(kept: Path) -> None:
    chat("talk").extend([turn("good", "yes"), turn("bad", "", status="failed")])
    plan = f"EXPLAIN QUERY PLAN SELECT * FROM turns WHERE status = ? AND {queries.NOT_SUCCESSFUL}"
    found = sqlite3.connect(kept).execute(plan, ("failed",)).fetchall()
    assert "turns_by_end" in str(found)


@pytest.mark.parametrize("place", ["disk", "memory"])
def test_a_status_is_that_of_the_turn_and_a_limit_may_be_nothing(
    request: pytest.FixtureRequest, place: str
) -> None:
    if place == "disk":
        request.getfixturevalue("kept")
    talk = chat(f"statuses {place}")
    talk.extend([turn("good", "yes"), turn("bad", "", status="failed")])
    look = partial(history, conversation=talk.name)
    assert [each["content"] for each in look(status="failed")] == ["bad", ""]
    assert [each["content"] for each in look(status="complete")] == ["good", "yes"]
    assert look(limit=0) == []
    assert [each["content"] for each in look(limit=3)] == ["yes", "bad", ""]


def test_a_word_under_a_heap_of_marks_is_found() -> None:
    text = "H" + "\u0301\u0316" * 500 + "allo " + "\u0301\u0316" * 500 + " Welt"
    assert matches(text, "hallo welt")
    assert not matches(text, "hallo mars")
