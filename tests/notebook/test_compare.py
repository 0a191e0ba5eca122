"""``%%cbai --models a,b``: one prompt asked in several ways, in a shell against the test gateway."""

from __future__ import annotations

import re
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.errors import BadRequestError, UsageError
from cbai_notebook.notebook.command_line.completion import CompletionSources, complete
from tests.gateway import Gateway
from tests.notebook.cells import error_of, must, run


def texts(shell: InteractiveShell) -> list[Any]:
    """Return the texts of the answers in the variable ``grid``."""
    return [None if text is not text else text for text in shell.user_ns["grid"]["text"].tolist()]


# In a cell


def test_answers_stand_below_each_other_in_a_terminal(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["what"] = "tea"
    must(shell, "%%cbai --models say:A,error:400,say:B -t 0.5 -o grid\nA slogan for {what}.")
    shown = capsys.readouterr().out
    heads = re.findall(r"── .* ──", shown)
    assert heads == ["── 1 · say:A ──", "── 2 · error:400 ──", "── 3 · say:B ──"]
    assert shown.index("A parameter was refused") < shown.index(heads[2])
    assert "goes on with answer 1 (say:A). %cbai pick 3 takes another one." in shown
    grid = shell.user_ns["grid"]
    assert grid["text"].fillna("").tolist() == ["A", "", "B"]
    assert grid["temperature"].tolist() == [0.5] * 3
    sent = {request.json["messages"][-1]["content"] for request in gateway.requests}
    assert sent == {"A slogan for tea."}


def test_a_grid_in_chinese(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    cbai.configure(language="zh")
    try:
        must(shell, "%%cbai --models say:A,say:B --temperatures 0.5 --samples 2\n你好")
        must(shell, "%cbai pick 2")
    finally:
        cbai.configure(language=None)
    shown = capsys.readouterr().out
    assert "── 3 · say:A · 温度 0.5 · 样本 2 ──" in shown
    assert "对话从回答 1 (say:A · 温度 0.5 · 样本 1) 继续。用 %cbai pick 2 可换成另一个。" in shown


def test_every_axis_is_an_option(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    shell.user_ns["roles"] = {"poet": "You write {style}.", "clerk": "You are a clerk."}
    shell.user_ns["style"] = "haiku"
    must(
        shell,
        "%%cbai --models say:A --models say:B --temperatures 0,1 --systems roles "
        "--vary top_p=0.5,0.9 --samples 2 --yes -o grid\nHi",
    )
    grid = shell.user_ns["grid"]
    assert len(grid) == 32
    assert set(grid["system"]) == {"poet", "clerk"}
    assert set(grid["top_p"]) == {0.5, 0.9}
    assert gateway.requests[0].json["messages"][0]["content"] == "You write haiku."


def test_samples_alone_are_several_answers_of_one_model(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always("say:A")
    must(shell, "%cbai --samples 3 -m hy3 -o grid Hi")
    assert len(gateway.requests) == 3
    assert texts(shell) == ["A"] * 3


def test_the_cell_fails_only_if_all_answers_did(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    error = error_of(shell, "%%cbai --models error:400,error:400+say:x -o grid\nHi")
    assert isinstance(error, BadRequestError)
    assert str(error).startswith("All 2 answers failed: A parameter was refused.")
    assert len(shell.user_ns["grid"]) == 2, "the variable says why, too"


def test_a_dry_run_says_how_many_and_shows_the_first(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%%cbai --models say:A,say:B --samples 20 --dry-run\nHi")
    shown = capsys.readouterr().out
    assert "This asks for 40 answers, about " in shown
    assert '"model": "say:A"' in shown
    assert "Nothing was sent." in shown
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--models a,b -m c", "--model does not go with --models"),
        ("--temperatures 0,1 -t 1", "--temperature does not go with --temperatures"),
        ("--systems s -s x", "--system does not go with --systems"),
        ("--models a,b --draw", "--draw does not go with --models"),
        ("--models a,b --insert", "--insert does not go with --models"),
        ("--models a,b --into out", "--into does not go with --models"),
        ("--models a,b --raw", "--raw does not go with --models"),
        ("--samples 2 --agent bot-1", "--agent does not go with --samples"),
        ("--models a,b --rows 3", "--each"),
        ("--each rows --models a,b", "--models does not go with --each"),
        ("--each rows --yes", "--yes does not go with --each"),
        ("--vary top_p=1,2 -P top_p=3", "top_p is varied and has one value too"),
        ("--vary max_tokens=1,2 --max-tokens 3", "max_tokens is varied"),
        ("--vary top_p", "--vary"),
        ("--vary top_p=[]", "--vary names no values for top_p"),
        ("--vary temperature=0,1", "temperature cannot be varied by that name"),
        ("--models a,,b", "--models needs values with commas between them"),
        ("--temperatures 0,hot", "--temperatures"),
        ("--systems nothing", "no such variable"),
        ("--yes", "--yes is for a comparison"),
        ("--models a,b --samples 13", "Nothing was sent. Add --yes"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    shell: TerminalInteractiveShell, gateway: Gateway, line: str, told: str
) -> None:
    shell.user_ns.update(s=["x", "y"], rows=[{"text": "x"}])
    error = error_of(shell, f"%%cbai {line}\nHi {{text}}")
    assert isinstance(error, UsageError)
    assert told in str(error)
    assert gateway.requests == []


def test_the_models_of_a_list_are_completed() -> None:
    sources = CompletionSources(models=lambda: ["hy3", "demo", "deepseek-v4-pro"])
    assert complete("%%cbai --models hy3,de", sources).choices == (
        "hy3,demo",
        "hy3,deepseek-v4-pro",
    )
    assert complete("%%cbai --models h", sources).choices == ("hy3",)


# Pick and diff


def test_pick_goes_on_with_an_answer_by_number_or_model(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%%cbai --models say:A,say:B,say:C --samples 2 -o grid\nHi")
    must(shell, "%cbai pick 3")
    assert cbai.chat().turns[0].text == "C"
    assert shell.user_ns["grid"]["chosen"].tolist() == [False, False, True, *[False] * 3]
    must(shell, "%cbai pick say:B")
    assert "goes on with answer 2 (say:B · sample 1)." in capsys.readouterr().out
    must(shell, "%cbai And now?")
    sent = gateway.last.json["messages"]
    assert [message["content"] for message in sent] == ["Hi", "B", "And now?"]
    must(shell, "%cbai pick")
    listed = capsys.readouterr().out
    assert re.search(r"2 +→ +say:B", listed)


def test_pick_chooses_among_the_versions_of_the_last_turn_without_a_comparison(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    cbai.compare("Hi", models=["say:A", "say:B"], conversation="other")  # of another conversation
    must(shell, "%cbai -m say:first Asked once")
    must(shell, "%cbai pick 1")
    assert cbai.chat().turns[0].text == "first"
    error = error_of(shell, "%cbai pick 2")
    assert str(error) == "There is no answer '2'. There are 1 (cloudbase/say:first)."


def test_undo_takes_all_answers_of_a_comparison_back(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai use undoing")
    must(shell, "%cbai -m say:first Asked first")
    must(shell, "%%cbai --models say:A,error:400,say:B\nHi")
    must(shell, "%cbai pick 3")
    must(shell, "%cbai -m say:later And now?")
    must(shell, "%cbai undo")
    assert [turn.text for turn in cbai.chat().turns] == ["first", "B"]
    capsys.readouterr()
    must(shell, "%cbai undo")
    assert capsys.readouterr().out == "Took back 3 answers to: Hi\n"
    (kept,) = cbai.chat().turns
    assert kept.text == "first"


def test_a_comparison_after_a_reset_is_taken_back_to_an_empty_conversation(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "%cbai use begun-again")
    must(shell, "%cbai -m say:1 old one")
    must(shell, "%cbai reset")
    must(shell, "%%cbai --models say:A,say:B\nHi")
    must(shell, "%cbai undo")
    assert not cbai.chat().turns
    must(shell, "%cbai -m say:2 new one")
    assert [each["content"] for each in gateway.last.json["messages"]] == ["new one"]


def test_diff_compares_two_answers(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%%cbai --models say:red,error:400,say:blue\nHi")
    capsys.readouterr()
    must(shell, "%cbai diff --answers 1 3")
    must(shell, "%cbai diff --answers")
    heading = "- 1 · say:red\n+ 3 · say:blue\n\n"
    assert capsys.readouterr().out == f"{heading}[-red-]{{+blue+}}\n" * 2


def test_commands_about_answers_are_prompts_in_other_words(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "%cbai pick a card")
    assert gateway.last.json["messages"][-1]["content"] == "pick a card"


def test_a_grid_without_history_has_no_answer_that_counts(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%%cbai --models say:A,say:B --no-history\nHi")
    assert "goes on with" not in capsys.readouterr().out
    assert cbai.chat().messages == []
    assert not run(shell, "%cbai pick 2").success
