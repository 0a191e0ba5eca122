"""What the commands of ``%cbai`` print and ask in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.text import columns
from tests.conversation.turns import turn
from tests.notebook.cells import error_of, must

Command = Callable[[str], str]


@pytest.fixture
def command(
    shell: TerminalInteractiveShell,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    """Return a function that runs a command in Chinese and returns what it prints."""
    monkeypatch.setenv("CBAI_LANGUAGE", "zh")

    def run(line: str) -> str:
        capsys.readouterr()
        must(shell, f"%cbai{line}")
        return capsys.readouterr().out

    return run


def test_what_commands_say(command: Command, shell: TerminalInteractiveShell) -> None:
    cbai.chat("诗").extend([turn("你好", "好")])
    assert command(" use 诗") == "现在在对话 '诗'（1 轮）中提问。\n"
    assert "已把 '诗' 的 1 轮复制到 '副本'" in command(" fork 副本")
    assert command(" undo") == "已撤回：你好\n"
    assert "是空的。提个问题吧" in command(" history")
    assert str(error_of(shell, "%cbai history -c 词")).startswith("没有对话 '词'。")
    assert command(" help use").startswith("%cbai use [NAME]   切换到一个对话")
    assert "向语言模型提问" in command("?")


def test_columns_are_aligned(command: Command) -> None:
    cbai.chat("poems").extend([turn("Hello", "Hi")])
    cbai.chat("很长的名字").extend([turn("你好", "好")])
    table = command(" use").split("\n\n")[0].splitlines()
    lines = [line for line in table if re.search(r"轮数|\bpoems |很长的名字", line)]
    second = [found for line in lines if (found := re.search(r"轮数|(?<=  )[01](?=  )", line))]
    assert len(second) == len(lines) == 3
    # Amounts end at the same place.
    assert len({columns(found.string[: found.end()]) for found in second}) == 1


@pytest.mark.parametrize(("answer", "says"), [("是", "已删除 'x'（1 轮）。"), ("否", "没有删除")])
def test_a_question_takes_a_chinese_yes(
    command: Command, monkeypatch: pytest.MonkeyPatch, answer: str, says: str
) -> None:
    asked: list[str] = []
    cbai.chat("x").extend([turn("a", "b")])

    def reply(question: str = "") -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("builtins.input", reply)
    assert says in command(" delete x")
    assert asked == ["要永久删除 'x'（1 轮）吗？[y/N] "]


def test_settings_say_the_language_in_use(command: Command) -> None:
    said = command(" config")
    assert [line.split() for line in said.splitlines() if line.startswith("language")] == [
        ["language", "zh"]
    ]
    assert "参数" in said
    assert "已设置，不显示" in said
