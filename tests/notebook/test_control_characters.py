"""Nothing that is printed controls a terminal: dry runs, hints, errors and lists."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.errors import CbaiError, UsageError
from tests.gateway import Gateway
from tests.notebook.cells import run

HOSTILE = "\x1b]0;title\x07\x9b2J\x1b[31m\u202etxt.exe\x08\x00\x7f\u2066"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Hostile:
    def __repr__(self) -> str:
        return HOSTILE


@pytest.fixture
def plain_shell(shell: TerminalInteractiveShell) -> Iterator[TerminalInteractiveShell]:
    """The shell without colours, which are control characters of its own."""
    shell.run_line_magic("colors", "nocolor")
    yield shell
    cbai.configure(before_send=None)


@pytest.mark.parametrize(
    "cell",
    [
        f"%%cbai --{HOSTILE}\nx",
        f"%%cbai {HOSTILE}\nx",
        f'%%cbai -s "{HOSTILE}\nx',
        f"%%cbai -P {HOSTILE}=1\nx",
        f"%%cbai -P x={{{HOSTILE}\nx",
        f"%%cbai --image {HOSTILE}.png\nx",
        f"%%cbai --image hostile\n{HOSTILE}",
        "%%cbai --tool hostile\nx",
        f"%%cbai --draw -o /none/{HOSTILE}.png\nx",
        f"%cbai histroy -c {HOSTILE}",
        f'%cbai history -c "{HOSTILE}"',
        f'%cbai import "{HOSTILE}"',
        f"%cbai use \"{HOSTILE}\"\n%cbai use\n%cbai history -c '{HOSTILE}2'",
        f"%cbai export --to '{HOSTILE}'",
        f"%cbai history --since '{HOSTILE}'",
        f"%cbai -m 'nosuch{HOSTILE}/x' hello",
        f'%%cbai --dry-run -m "{HOSTILE}" -s "{HOSTILE}" -P user=\'{HOSTILE}\'\n{HOSTILE} {{nam}} {{hostile}}',
        "import cbai_notebook as cbai; cbai.configure(before_send=refuse)\n%cbai hello",
    ],
)
def test_what_is_printed_is_plain(
    plain_shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    def refuse(messages: object) -> None:
        raise ValueError(HOSTILE)

    plain_shell.user_ns.update(hostile=Hostile(), name=1, refuse=refuse)
    error = run(plain_shell, cell).error_in_exec
    shown = capsys.readouterr()
    assert not CONTROLS.findall(shown.out + shown.err)
    assert not CONTROLS.findall(str(error))
    assert error is None or (isinstance(error, CbaiError) and "\n" not in str(error))


def test_a_dry_run_shows_each_character_that_would_be_sent(
    plain_shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cbai.chat().append({"role": "user", "content": "q"})
    cbai.chat().append({"role": "assistant", "content": HOSTILE})
    run(plain_shell, f"%%cbai --dry-run\n{HOSTILE} 诗　👩‍👧").raise_error()
    shown = capsys.readouterr().out
    body: dict[str, Any] = json.loads(shown[shown.index("{") : shown.rindex("}") + 1])
    run(plain_shell, f"%%cbai\n{HOSTILE} 诗　👩‍👧").raise_error()
    assert body["messages"] == gateway.last.json["messages"]
    assert body["messages"][-1]["content"] == f"{HOSTILE} 诗　👩‍👧"
    assert "诗　👩‍👧" in shown


def test_an_error_shows_control_characters_as_escapes() -> None:
    error = UsageError("A\x1b[31m name \u202e 诗　👩‍👧\nand \ud83d more")
    assert str(error) == error.message == "A\\x1b[31m name \\u202e 诗　👩‍👧\nand \\ud83d more"
    assert str(copy.copy(error)) == str(error)
