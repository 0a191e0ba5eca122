"""A stored text of ours is said in the language of its reader; any other stored text stays as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook import i18n
from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.conversation.ask import record_error
from cbai_notebook.conversation.store.store import kernel_ended
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import CELL, PYTHON, said_now, say
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import turn

TAKEN = "There is a conversation 'poems' already. Choose another name."


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    i18n.choose("en")
    yield
    i18n.choose(None)


def failed(error: Exception, **values: Any) -> Turn:
    made = turn("Hello", **values)
    made.status = record_error(made, error)
    return made


def stored(file: Path, *turns: Turn) -> Conversation:
    """Store turns, and return them as a kernel reads them whose user reads Chinese."""
    talk = open_registry(file).get("talk")
    for each in turns:
        talk.open(each).wait(30)
    i18n.choose("zh")
    return open_registry(file).get("talk")


def change(file: Path, sql: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(sql)
    connection.commit()
    connection.close()


def test_a_stored_error_is_said_for_the_place_that_shows_it(file: Path) -> None:
    talk = stored(file, failed(UsageError(say("provider.name_another_model_or_connect"))))
    error = talk.turns[0].error
    assert (
        error
        == "请用 model=… 指定其他模型，或用 cbai.configure(env_id=…, api_key=…) 连接 CloudBase。"
    )
    assert talk.messages[-1]["error"] == error
    assert said_now(error, CELL) == "请用 -m 指定其他模型，或用 %cbai login 连接 CloudBase。"
    i18n.choose("en")
    assert said_now(error, CELL).startswith("Name another model with -m, or connect")
    assert said_now(error, PYTHON).startswith("Name another model with model=…, or connect")


def test_an_error_is_said_in_the_language_of_the_reader(file: Path) -> None:
    made = failed(UsageError(say("history.name_taken", name="poems")))
    assert made.error == TAKEN
    talk = stored(file, made)
    assert talk.turns[0].error == "已有名为 'poems' 的对话，请换一个名称。"
    assert talk.messages[-1]["error"] == talk.turns[0].error
    i18n.choose("en")
    assert talk.messages[-1]["error"] == TAKEN
    assert open_registry(file).get("talk").turns[0].error == TAKEN


def test_the_end_of_a_kernel_is_said_in_the_language_of_the_reader(file: Path) -> None:
    open_registry(file).get("talk").open(turn("Hello", status="streaming")).wait(30)
    change(file, "UPDATE turns SET owner = 'gone'")
    for language in ("en", "zh", "en"):
        i18n.choose(language)
        assert open_registry(file).get("talk").turns[0].error == kernel_ended()


def test_an_error_that_is_not_ours_stays_as_it_is(file: Path) -> None:
    talk = stored(file, failed(ValueError("odd")), turn("b", error="of an earlier version"))
    assert [each.error for each in talk.turns] == ["ValueError: odd", "of an earlier version"]


@pytest.mark.parametrize(
    "said",
    ["NULL", """'{"error": {"key": "history.gone", "values": {}}}'""", "'{}'", "'{\"error\": 1}'"],
)
def test_the_stored_text_is_shown_where_its_key_is_unknown(file: Path, said: str) -> None:
    stored(file, failed(UsageError(say("history.name_taken", name="poems"))))
    change(file, f"UPDATE turns SET said = {said}")
    assert open_registry(file).get("talk").turns[0].error == TAKEN


def test_an_error_that_an_older_version_has_removed_does_not_come_back(file: Path) -> None:
    stored(file, failed(UsageError(say("history.name_taken", name="poems"))))
    change(file, "UPDATE turns SET error = NULL")
    assert open_registry(file).get("talk").turns[0].error is None


def test_control_characters_in_a_value_stay_escaped(file: Path) -> None:
    made = failed(CbaiError(say("history.no_answer_yet", file="a\x1b[31m")))
    talk = stored(file, made)
    assert talk.turns[0].error == r"a\x1b[31m 中的历史记录尚未响应。"


def test_no_secret_is_in_a_stored_value(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "tok_9f8e7d6c5b4a39281706"
    monkeypatch.setenv("SERVICE_TOKEN", secret)
    talk = stored(file, failed(CbaiError(say("history.name_taken", name=secret))))
    assert talk.turns[0].error == "已有名为 '••••••' 的对话，请换一个名称。"
    assert not any(secret.encode() in each.read_bytes() for each in file.parent.glob("history*"))


def test_the_line_about_drawn_images_too(file: Path) -> None:
    made = turn("a cat", drawn=True)
    made.add(say("conversation.drew_with_prompts", n=2, prompts="A cat."), "")
    assert made.text == "Drew 2 images: A cat."
    talk = stored(file, made)
    (drawn,) = talk.turns
    assert drawn.text == "画了 2 张图片：A cat."
    copy = drawn.copy()
    i18n.choose("en")
    assert drawn.text == copy.text == "Drew 2 images: A cat."
    assert talk.turns[0].sent()[1]["content"] == "Drew 2 images: A cat."
