"""One-line prompts that end with a question mark."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook import question_mark
from tests.notebook.cells import error_of, must


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


@pytest.mark.parametrize("prompt", ["Why?", "what's up?", "list(a)?", "what (is?", "a = b?", "no"])
@pytest.mark.parametrize("names", ["x", "x, y", "x['a=b']", "x: str", "self.x"])
def test_a_question_behind_a_name_reaches_the_magic(
    asking_shell: InteractiveShell, prompt: str, names: str
) -> None:
    line = f"{names} = %cbai {prompt}"
    assert asking_shell.transform_cell(line) == f"{names} = {call(prompt)}"
    assert (
        asking_shell.transform_cell(f"if x:\n    {line}\n%cbai {prompt}\n{line}")
        == f"if x:\n    {names} = {call(prompt)}{call(prompt)}{names} = {call(prompt)}"
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
        ("x = %cbai?", "get_ipython().run_line_magic('pinfo', '%cbai')\n"),
        ("x = %time y?", "get_ipython().run_line_magic('pinfo', 'y')\n"),
        ("x = '%cbai why?'", "x = '%cbai why?'\n"),
        ("x = y %cbai", "x = y %cbai\n"),
        ("5 %cbai", "5 %cbai\n"),
    ],
)
def test_help_and_strings_stay_what_they_are(
    asking_shell: InteractiveShell, code: str, runs: str
) -> None:
    assert asking_shell.transform_cell(code) == runs


@pytest.mark.parametrize("blank", ["\t", "\u3000", "\u00a0", " "])
def test_any_blank_ends_the_name_of_the_magic(asking_shell: InteractiveShell, blank: str) -> None:
    assert asking_shell.transform_cell(f"%cbai{blank}你好吗?") == call("你好吗?")
    assert asking_shell.transform_cell(f"x = %cbai{blank}你好吗?") == f"x = {call('你好吗?')}"


@pytest.mark.parametrize(
    "prompt",
    [
        "%cbai why is the sky blue?",
        "if True:\n    %cbai why?",
        "%cbai\thistory",
        "x = %cbai Why?",
    ],
)
def test_a_prompt_in_the_cell_that_loads_the_extension_fails_it(
    bare_shell: InteractiveShell, capsys: pytest.CaptureFixture[str], prompt: str
) -> None:
    error = error_of(bare_shell, f"%load_ext cbai_notebook\nreached = True\n{prompt}")
    assert isinstance(error, UsageError)
    assert "Put %load_ext in a cell of its own" in str(error)
    assert "reached" not in bare_shell.user_ns
    shown = capsys.readouterr()
    assert "Object" not in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
    must(bare_shell, "%load_ext cbai_notebook")


@pytest.mark.parametrize(
    "rest",
    ["", "%cbai help", "x = 1", "s = '''\n%cbai why?\n'''", "# %cbai why?", "list?"],
)
def test_other_cells_may_load_the_extension(bare_shell: InteractiveShell, rest: str) -> None:
    must(bare_shell, f"%load_ext cbai_notebook\n{rest}")
    must(bare_shell, f"%reload_ext cbai_notebook\n{rest}")


def test_registering_twice_and_taking_it_back(asking_shell: InteractiveShell) -> None:
    question_mark.register(asking_shell)
    question_mark.unregister(asking_shell)
    assert (
        asking_shell.transform_cell("%cbai why?")
        == "get_ipython().run_line_magic('pinfo', 'why')\n"
    )
