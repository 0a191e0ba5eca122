"""One-line prompts that end with a question mark."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cbai_notebook.notebook import question_mark


@pytest.fixture
def asking_shell(bare_shell: InteractiveShell) -> InteractiveShell:
    question_mark.register(bare_shell)
    return bare_shell


def call(prompt: str) -> str:
    return f"get_ipython().run_line_magic('cbai', {prompt!r})\n"


@pytest.mark.parametrize(
    "prompt",
    [
        "why?",
        "what's up?",
        "really??",
        "-m hy3 why is the sky blue?",
        "what is 3?",
        "list(a)?",
        "what (is?",
        'he said "hello?',
        "100% sure?",
        "什么是诗 ok?",
        "no question",
        "?",
    ],
)
def test_a_question_reaches_the_magic(asking_shell: InteractiveShell, prompt: str) -> None:
    assert asking_shell.transform_cell(f"%cbai {prompt}") == call(prompt)
    assert (
        asking_shell.transform_cell(f"x = 1\n%cbai {prompt}\ny = 2")
        == f"x = 1\n{call(prompt)}y = 2\n"
    )
    assert (
        asking_shell.transform_cell(f"if x:\n    %cbai {prompt}\n") == f"if x:\n    {call(prompt)}"
    )


@pytest.mark.parametrize(
    ("code", "runs"),
    [
        ("%cbai?", "get_ipython().run_line_magic('pinfo', '%cbai')\n"),
        ("%cbai??", "get_ipython().run_line_magic('pinfo2', '%cbai')\n"),
        ("%%cbai?", "get_ipython().run_line_magic('pinfo', '%%cbai')\n"),
        ("list?", "get_ipython().run_line_magic('pinfo', 'list')\n"),
        ("%time x?", "get_ipython().run_line_magic('pinfo', 'x')\n"),
        ("s = '''\n%cbai why?\n'''", "s = '''\n%cbai why?\n'''\n"),
        ("%cbai", "get_ipython().run_line_magic('cbai', '')\n"),
        ("5 %cbai", "5 %cbai\n"),
    ],
)
def test_help_and_strings_stay_what_they_are(
    asking_shell: InteractiveShell, code: str, runs: str
) -> None:
    assert asking_shell.transform_cell(code) == runs


def test_registering_twice_and_taking_it_back(asking_shell: InteractiveShell) -> None:
    question_mark.register(asking_shell)
    question_mark.unregister(asking_shell)
    assert (
        asking_shell.transform_cell("%cbai why?")
        == "get_ipython().run_line_magic('pinfo', 'why')\n"
    )
