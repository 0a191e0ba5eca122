"""What a cell says about an answer that did not simply end, and how `%cbai continue` goes on."""

from __future__ import annotations

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.conversation.formats import export
from cbai_notebook.errors import CbaiError, UsageError
from tests.gateway import Gateway, Scenario
from tests.gateway.payloads import streamed
from tests.gateway.tools import Call, calling
from tests.notebook.cells import error_of, must

CUT = Scenario(text="Once upon a", finish_reason="length")


@pytest.mark.parametrize(
    ("options", "scenario", "told", "not_told"),
    [
        ("", CUT, "%cbai continue goes on, --max-tokens allows more", "max_tokens="),
        ("--no-history", CUT, "--max-tokens allows more", "%cbai continue"),
        ("--no-stream", CUT, "%cbai continue goes on", "max_tokens="),
        (
            "",
            Scenario(text="", reasoning="Hm.", finish_reason="length"),
            "--no-think",
            "continue",
        ),
        ("", Scenario(text="", finish_reason="content_filter"), "A content filter", "is empty"),
        ("", streamed({"refusal": "I cannot."}), "I cannot.\nThese words are", "is empty"),
        ("", streamed({"content": "Well."}, {"refusal": "No."}), "Well.\n\nNo.\nThese", "empty"),
        ("--format text", streamed({"refusal": "I cannot."}), "I cannot.", "is empty"),
        ("--max-steps 1 --tool look", calling(Call("look")), "--max-steps", "is empty"),
    ],
)
def test_how_an_answer_ended_is_told_with_the_option_that_helps(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    options: str,
    scenario: Scenario,
    told: str,
    not_told: str,
) -> None:
    def look() -> str:
        """Look outside."""
        return "sun"

    shell.user_ns["look"] = look
    gateway.script(scenario)
    must(shell, f"%%cbai {options}\nHi")
    printed = capsys.readouterr().out
    assert told in printed
    assert not_told not in printed


@pytest.mark.parametrize(
    ("scenario", "mark"),
    [
        (CUT, "cut at the token limit"),
        (Scenario(text="Well", finish_reason="content_filter"), "ended by a content filter"),
        (streamed({"refusal": "I cannot."}), "refused by the model"),
    ],
)
def test_the_history_tells_how_an_answer_ended(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    scenario: Scenario,
    mark: str,
) -> None:
    gateway.script(scenario)
    must(shell, "%%cbai\nHi")
    for command in ("%cbai history", "%cbai history --versions"):
        capsys.readouterr()
        must(shell, command)
        assert f"complete, {mark}" in capsys.readouterr().out
    assert mark in export(cbai.chat(), "markdown").data.decode()


def test_only_whole_answers_train_a_model(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.script(CUT, "say:Whole.")
    must(shell, "%cbai Tell")
    must(shell, "%cbai Hello")
    text = export(cbai.chat(), "jsonl").data.decode()
    assert "Whole." in text
    assert "Once" not in text


def test_undo_takes_a_continuation_back_and_says_what_is_there_then(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script("say:Before.", CUT, Scenario(text=" time."))
    must(shell, "%cbai Hello")
    must(shell, "%%cbai --max-tokens 3\nTell")
    must(shell, "%cbai continue --max-tokens 100")
    capsys.readouterr()
    must(shell, "%cbai undo")
    assert capsys.readouterr().out == (
        "Took back: Tell\nThe turn stays, in the version before: Tell\n"
    )
    assert [turn.text for turn in cbai.chat().turns] == ["Before.", "Once upon a"]
    must(shell, "%cbai undo")
    assert capsys.readouterr().out == "Took back: Tell\n"
    assert [turn.prompt for turn in cbai.chat().turns] == ["Hello"]


def test_a_continued_answer_is_shown_whole(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(CUT, Scenario(text=" time."))
    must(shell, "%%cbai --max-tokens 3\nTell")
    capsys.readouterr()
    must(shell, "%cbai continue --max-tokens 100")
    printed = capsys.readouterr().out
    assert "Once upon a time." in printed
    assert "cut at" not in printed
    assert gateway.last.json["max_tokens"] == 100


@pytest.mark.parametrize(
    ("scenario", "reason", "continues"),
    [
        (streamed({"refusal": "I cannot."}), "refusal", False),
        (Scenario(text='{"people": "many"}'), "stop", False),
        (Scenario(text='{"people": 1', finish_reason="length"), "length", True),
    ],
)
def test_only_a_cut_answer_that_does_not_fit_its_type_can_be_continued(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    scenario: Scenario,
    reason: str,
    continues: bool,
) -> None:
    must(shell, "from dataclasses import dataclass\n@dataclass\nclass City:\n    people: int")
    gateway.always(scenario)
    assert isinstance(error_of(shell, "%cbai --schema City How many?"), CbaiError)
    assert ("%cbai continue" in capsys.readouterr().out) is continues
    turn = cbai.chat().turns[-1]
    assert (turn.status, turn.finish_reason, turn.can_continue) == ("partial", reason, continues)
    if continues:
        gateway.always("say:7}")
        must(shell, "%cbai continue")
        assert cbai.chat().turns[-1].text == '{"people": 17}'


def test_a_builtin_type_needs_no_variable(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.script('say:{"value": 7}')
    must(shell, "%cbai --schema int -o days How many days?")
    assert shell.user_ns["days"].parsed == 7
    shell.user_ns["int"] = 3
    assert "is int and no type" in str(error_of(shell, "%cbai --schema int How many?"))
    del shell.user_ns["int"]


def test_a_structured_answer_that_failed_twice_is_kept_as_its_last_attempt(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "from dataclasses import dataclass\n@dataclass\nclass City:\n    people: int")
    gateway.script("say:I do not know.", "say:Really not.")
    assert isinstance(error_of(shell, "%cbai --schema City How many?"), CbaiError)
    assert len(gateway.requests) == 2
    assert cbai.chat().messages[-1]["content"] == "Really not."


def test_a_named_conversation_is_continued(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.script(CUT, "say:Hello.", Scenario(text=" time."))
    must(shell, "%cbai -c tales Tell")
    must(shell, "%cbai Hi")
    must(shell, "%cbai continue -c tales")
    assert cbai.chat("tales").turns[-1].text == "Once upon a time."
    assert isinstance(error_of(shell, "%cbai continue -c tails"), UsageError)


def test_a_failed_continuation_keeps_the_answer_and_names_the_command(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(CUT, "error:404:AI_MODEL_NOT_FOUND")
    must(shell, "%cbai Tell")
    capsys.readouterr()
    assert isinstance(error_of(shell, "%cbai continue"), CbaiError)
    printed = capsys.readouterr().out
    assert "Once upon a" in printed
    assert "incomplete" in printed
    assert "%cbai continue" in printed
    assert cbai.chat().turns[-1].text == "Once upon a"


def test_without_a_cut_answer_there_is_nothing_to_continue(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    assert "empty" in str(error_of(shell, "%cbai continue"))
    must(shell, "%cbai Hello")
    assert "nothing to continue" in str(error_of(shell, "%cbai continue"))
    assert len(gateway.requests) == 1
    must(shell, "%cbai continue the story")
    assert gateway.last.json["messages"][-1]["content"] == "continue the story"


def test_the_request_of_a_dry_run_can_be_printed_whatever_is_in_it(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["half"] = "x\ud800y\x9b2J"
    must(shell, "%%cbai --dry-run\n{half}")
    printed = capsys.readouterr().out
    assert "x\ufffdy" in printed
    assert "\x9b" not in printed


def test_an_answer_is_its_repr_in_a_console(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script("say:It is *blue*.")
    must(shell, "%%cbai -o answer\nHi")
    capsys.readouterr()
    must(shell, "answer")
    assert "<Answer 'It is *blue*.' from cloudbase/" in capsys.readouterr().out
