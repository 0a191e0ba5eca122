"""Conversations, their history, their exports and imports speak the language of the user."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook import i18n
from cbai_notebook.conversation import Conversation, Prompt, prepare, secrets
from cbai_notebook.conversation.continuation import check_continuable
from cbai_notebook.conversation.formats import FORMS, export, parse
from cbai_notebook.conversation.history import history
from cbai_notebook.conversation.records import Records
from cbai_notebook.conversation.store import Store, keep_history
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.i18n import say
from tests.conversation.formats.samples import SETTINGS
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import conversation, turn


@pytest.fixture(autouse=True)
def _in_chinese() -> Iterator[None]:
    i18n.choose("zh")
    yield
    i18n.choose(None)


def said(call: Callable[[], Any]) -> tuple[str, str]:
    """Return the error of a call, in Chinese and in English."""
    with pytest.raises(CbaiError) as caught:
        call()
    return str(caught.value), caught.value.in_language("en")


def test_the_history_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    assert said(Store(file).check) == (
        f"{file} 中历史记录的数据表与 cbai-notebook 创建的不同：这是其他程序的数据库。文件已保持原样，"
        "本次会话只保存在内存中。要新建历史记录，请移走该文件并重启内核。",
        f"The history in {file} has other tables than cbai-notebook gives it: it is a database of another "
        "program. It was left as it is, and this session is kept in memory only. To begin a new history, "
        "move the file away and restart the kernel.",
    )
    assert said(lambda: keep_history(" ")) == (
        "history 的值为空，请使用 'on'、'off' 或文件路径。",
        "history is empty; use 'on', 'off' or the path of a file.",
    )
    assert "请使用日期或时间" in said(lambda: history(since="soon"))[0]


def test_a_conversation_whose_past_is_not_read_says_so_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    file.write_bytes(b"no database" * 100)
    talk = open_registry(file).get("talk")
    (hint,) = prepare(talk, Prompt("Hello"), settings=SETTINGS).hints
    assert hint.startswith("模型没有看到此对话之前的各轮和系统提示词：无法读取。")
    assert hint.endswith("要新建历史记录，请移走该文件并重启内核。")
    assert isinstance(hint, i18n.Words)
    assert hint.in_language("en").startswith("The model did not see the earlier turns")
    assert "is damaged (file is not a database)" in hint.in_language("en")


def test_what_cannot_be_continued_says_why() -> None:
    assert said(lambda: check_continuable(turn("a", "b", finish_reason="content_filter"))) == (
        "回答被内容过滤器终止，无法继续。请换一种方式提问。",
        "The answer was ended by a content filter, so there is nothing to continue. Put the prompt in "
        "other words.",
    )


def test_a_secret_is_refused() -> None:
    request = {"messages": [{"role": "user", "content": "my key is key-4f9a8b7c6d5e"}]}
    keys = {"MY_KEY": "key-4f9a8b7c6d5e"}
    assert said(lambda: secrets.check_request(request, api_key=keys, environ={}))[0] == (
        "未发送：提示词中含有 MY_KEY 的值。请去掉，或用 allow_secrets=True 明确允许发送。"
    )


def test_messages_that_are_wrong() -> None:
    assert said(lambda: Conversation.from_messages([{"role": "user", "content": 3}])) == (
        "第 0 行：content 的值是 3，应为文本或内容片段的列表，请修改。（行号从 0 开始。）",
        "row 0: content is 3, not text or a list of parts. Change it. (Rows are counted from 0.)",
    )
    assert said(lambda: parse('{"role": "user", "content": "a"}\n{}', "talk.jsonl")) == (
        'talk.jsonl 第 2 行：消息需要有 "role"，例如 "user" 或 "assistant"。'
        "可以导入 JSON Lines 或 JSON 消息列表，例如导出格式 messages 和 jsonl。",
        'talk.jsonl, line 2: a message needs a "role", such as "user" or "assistant". What can be imported '
        "is JSON Lines or a JSON list of messages, such as the forms messages and jsonl of an export.",
    )
    assert repr(Records([{"role": "user", "content": "a"}] * 21)).startswith(
        "<21 条消息，显示最后 20 条>"
    )


def test_an_export_is_in_the_language_of_the_user() -> None:
    i18n.choose("en")
    error = say("history.name_taken", name="poems")
    talk = conversation(
        turn("a", "b", system="Be brief.", params={"data": "x"}),
        turn("c", status="failed", error=error),
    )
    i18n.choose("zh")
    made = {form.name: export(talk, form.name, settings=SETTINGS) for form in FORMS}
    texts = {name: "\n".join(map(str, each.files.values())) for name, each in made.items()}
    assert texts["markdown"] == (
        "# poems\n\n**系统**\n\n> Be brief.\n\n**我**\n\n> a\n\n**hy3**\n\n> b\n\n**我**\n\n> c\n\n**hy3**\n\n"
        "*(失败：已有名为 'poems' 的对话，请换一个名称。)*\n"
    )
    assert "下一个提示词不含：参数 data。" in texts["notebook"]
    assert "# 对话 poems。运行方式：sh THIS-FILE" in texts["curl"]
    assert "?请设为 CloudBase 环境的 API 密钥。}" in texts["curl"]
    assert 'setting("CLOUDBASE_API_KEY", "请将 CLOUDBASE_API_KEY 设为 ' in texts["python"]
    compile(texts["python"], "script", "exec")
    assert "- 已略去，因为需要笔记本：data。" in texts["mini-program"]
    assert "只有一个页面的微信小程序" in texts["mini-program"]
    assert '<html lang="zh-CN">' in texts["web"]
    assert {"微信小程序", "网页"} <= {form.label for form in FORMS}


def test_an_unknown_form() -> None:
    assert said(lambda: export(conversation(turn("a", "b")), "webpage"))[0].startswith(
        "对话不能导出为 'webpage'。是否指 web？可用的格式有 markdown、messages、"
    )


def test_a_change_that_is_refused(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "history.sqlite")
    registry.get("poems")
    with pytest.raises(UsageError, match="已有名为 'poems' 的对话"):
        registry.rename(registry.get("prose"), "poems")
