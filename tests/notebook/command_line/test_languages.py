"""The option line and its help in both languages."""

from __future__ import annotations

import pytest

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n.words import table
from cbai_notebook.notebook.command_line import conflicts
from cbai_notebook.notebook.command_line.commands import COMMANDS, help_of, help_text
from cbai_notebook.notebook.command_line.options import FORMATS, OPTIONS
from cbai_notebook.notebook.command_line.parser import parse_cell, parse_line
from cbai_notebook.text import columns


@pytest.mark.parametrize(
    ("line", "english", "chinese"),
    [
        (
            "-t warm Hello",
            "-t takes a number, 0 or more, such as 0.7; not 'warm'.",
            "-t 需要不小于 0 的数，例如 0.7，不能是 'warm'。",
        ),
        (
            "--formt text Hello",
            "There is no option --formt. Did you mean --format? If the prompt begins with a dash, put "
            "-- before it.",
            "没有选项 --formt。是想用 --format 吗？如果提示词以短横线开头，请在它前面加上 --。",
        ),
        (
            "-f jsn Hello",
            "-f takes markdown, text, code or json; not 'jsn'. Did you mean json?",
            "-f 只能是 markdown、text、code 或 json，不能是 'jsn'。是想用 json 吗？",
        ),
        (
            "histroy",
            "There is no command histroy. Did you mean %cbai history? To ask a model, write "
            "%cbai -- histroy",
            "没有命令 histroy。是想用 %cbai history 吗？要向模型提问，请写 %cbai -- histroy",
        ),
        (
            "delete --older soon",
            "--older takes up to 99999 hours, days or weeks, such as 12h, 30d or 2w; not 'soon'.",
            "--older 需要不超过 99999 的小时数、天数或周数，例如 12h、30d 或 2w，不能是 'soon'。",
        ),
        (
            "-P model=hy3 Hello",
            "-P cannot set 'model': choose the model with -m.",
            "-P 不能设置 'model'：请用 -m 选择模型。",
        ),
    ],
)
def test_what_is_wrong_with_a_line(line: str, english: str, chinese: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    assert caught.value.in_language("en") == str(caught.value) == english
    assert caught.value.in_language("zh") == chinese


def test_options_that_exclude_each_other() -> None:
    with pytest.raises(UsageError) as caught:
        conflicts.check(parse_cell("--draw --think"))
    assert caught.value.in_language("zh") == (
        "--think 不能与 --draw 一起使用：它只用于文字回答。请去掉 --think。"
    )
    with pytest.raises(UsageError) as caught:
        conflicts.check_agent(parse_cell("-t 1"))
    assert caught.value.in_language("zh").startswith("--temperature 不能用于智能体：")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_help_describes_every_option_and_command(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CBAI_LANGUAGE", language)
    pages = [help_text(), *map(help_of, COMMANDS)]
    assert max(columns(line) for page in pages for line in page.splitlines()) <= 100
    assert all(name in pages[0] for name in FORMATS)
    assert ("选项" in pages[0]) is (language == "zh")


def test_nothing_is_described_that_is_not_there() -> None:
    of_commands = [option for syntax in COMMANDS for option in syntax.options]
    described = [described.help.key for described in (*OPTIONS, *of_commands, *COMMANDS)]
    names = {key.partition(".")[2] for key in described}
    assert names == {name for name in table("help") if name.startswith(("option_", "command_"))}


def test_an_option_is_described_by_what_its_command_does_with_it() -> None:
    pages = {syntax.name: help_of(syntax) for syntax in COMMANDS}
    talks = {name for name, page in pages.items() if "talk in the conversation" in page}
    assert talks == {"panel"}
    assert "put the rows of the table into this variable" in pages["usage"]
