"""Completion of prompts: by the function, in a shell and in a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager

from cbai_notebook.conversation import chat
from cbai_notebook.notebook import tab_key
from cbai_notebook.notebook.command_line.commands import COMMANDS
from cbai_notebook.notebook.command_line.completion import CompletionSources, complete
from cbai_notebook.notebook.command_line.options import OPTION_OF, OPTIONS
from tests.isolation import isolated_environment

SOURCES = CompletionSources(
    models=lambda: ("local", "hy3", "hy4-preview", "cloudbase/hy3"),
    providers=lambda: ("cloudbase", "deepseek", "local"),
    conversations=lambda: ("poems", "my work"),
    variables=lambda: ("answer", "topic"),
    outputs=lambda: ("panel",),
    servers=lambda: ("mine", "ollama"),
)


@pytest.mark.parametrize(
    ("line", "fragment", "choices"),
    [
        ("%cbai --m", "--m", ("--model", "--max-tokens", "--max-steps")),
        ("%%cbai --no", "--no", ("--no-history", "--no-cached", "--no-stream", "--no-think")),
        ("%%cbai -t 0.5 --ra", "--ra", ("--raw",)),
        ("%cbai -m ", "", ("local", "hy3", "hy4-preview", "cloudbase/hy3")),
        ("%cbai -m hy", "hy", ("hy3", "hy4-preview")),
        ("%cbai -m HY", "HY", ("hy3", "hy4-preview")),
        ("%cbai -mhy", "hy", ("hy3", "hy4-preview")),
        ("%cbai --model=cl", "cl", ("cloudbase/hy3",)),
        ("%cbai -s 'Be brief.' -c ", "", ("poems", '"my work"')),
        ("%cbai -c my", "my", ('"my work"',)),
        ('%cbai -c "my w', '"my w', ('"my work"',)),
        ("%%cbai -f ", "", ("markdown", "text", "code", "json")),
        ("%%cbai --format=j", "j", ("json",)),
        ("%%cbai -o an", "an", ("answer",)),
        ("%%cbai --into ", "", ("panel",)),
        ("x = %cbai -f c", "c", ("code",)),
        ("%cbai hi", "hi", ("history",)),
        ("%cbai models d", "d", ("deepseek",)),
        ("%cbai login m", "m", ("mine",)),
        ("%cbai logout ", "", ("mine", "ollama")),
        ("%cbai panel ", "", ("-c",)),
        ("%cbai history --v", "--v", ("--versions",)),
        ("%cbai history --model hy", "hy", ("hy3", "hy4-preview")),
        ("%cbai use ", "", ("poems", '"my work"')),
        ("%cbai use 'my", "'my", ('"my work"',)),
        ("%cbai fork new --", "--", ("--conversation", "--at")),
        ("%cbai export --to mini", "mini", ("mini-program",)),
        ("%cbai history -c p", "p", ("poems",)),
        ("%cbai reset my", "my", ('"my work"',)),
        ("%cbai reset -c p", "p", ("poems",)),
        ("%cbai Tell me about {to", "to", ("topic",)),
        ("%cbai -m hy3 -- {", "", ("answer", "topic")),
        ("%cbai {to", "to", ("topic",)),
        ("%cbai -m hy3 {to", "to", ("topic",)),
        ("%cbai history {to", "to", ("topic",)),
        ("%cbai history -cpo", "po", ("poems",)),
        ("%cbai history --model=hy", "hy", ("hy3", "hy4-preview")),
        ("%cbai -m= hy", "hy", ("hy3", "hy4-preview")),
        ("%cbai fork new -c poems ", "", ("--at",)),
        ("%%cbai -P a='x y' --ra", "--ra", ("--raw",)),
        ('%%cbai -P a={"b": [1, 2]} --ra', "--ra", ("--raw",)),
    ],
)
def test_what_fits(line: str, fragment: str, choices: tuple[str, ...]) -> None:
    found = complete(line, SOURCES)
    assert (found.fragment, found.choices) == (fragment, choices)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "print(1)",
        "%cbai",
        "%cbaix --m",
        "%cbai -t ",
        "%cbai -t 0",
        '%cbai -s "be -m ',
        "%cbai --unknown --m",
        "%cbai What about -m ",
        "%cbai -- hist",
        "%cbai -m hy3 hist",
        "%cbai help me wr",
        "%cbai models of d",
        "%%cbai hist",
        "%%cbai {to",
        "%cbai topic {topic} to",
        "%cbai -- reset my",
        "%cbai --raw=",
        "%cbai -model hy3 --ra",
        "%cbai history -x --mo",
        "%cbai panel about -",
        "%cbai reset -c poems my work --",
    ],
)
def test_where_nothing_is_offered(line: str) -> None:
    assert complete(line, SOURCES).choices == ()


def test_an_empty_line_offers_commands_and_options() -> None:
    long = tuple(option.flags[-1] for option in OPTIONS)
    assert complete("%cbai ").choices == (*(form.name for form in COMMANDS), *long)
    assert complete("%%cbai ").choices == long
    assert set(complete("%cbai -").choices) == set(OPTION_OF)


def test_an_option_is_offered_once_but_parameters_again() -> None:
    again = complete("%%cbai -m hy3 -P a=1 --no-history --").choices
    assert "--model" not in again
    assert "--no-history" not in again
    assert "--param" in again


@given(st.text(), st.sampled_from(["%cbai ", "%%cbai ", "%cbai -", "%cbai -c '", "%cbai reset "]))
def test_any_line_is_fine(rest: str, start: str) -> None:
    line = start + rest
    assert line.endswith(complete(line, SOURCES).fragment)


# In a shell ----------------------------------------------------------------------------------------


@pytest.fixture
def completing_shell(bare_shell: InteractiveShell) -> InteractiveShell:
    bare_shell.register_magic_function(lambda line, cell=None: None, "line_cell", "cbai")
    tab_key.register(bare_shell)
    tab_key.register(bare_shell)
    return bare_shell


def offered(shell: InteractiveShell, code: str) -> list[tuple[int, str]]:
    """Return the completions that a frontend shows at the end of `code`, each with its start."""
    with provisionalcompleter():
        found = rectify_completions(code, shell.Completer.completions(code, len(code)))
        return [(each.start, each.text) for each in found]


@pytest.mark.parametrize("jedi", [True, False])
def test_a_shell_offers_what_fits_and_nothing_else(
    completing_shell: InteractiveShell, jedi: bool
) -> None:
    completing_shell.Completer.use_jedi = jedi
    assert offered(completing_shell, "%%cbai --no-s") == [(7, "--no-stream")]
    assert offered(completing_shell, "%cbai -f j") == [(9, "json")]
    assert offered(completing_shell, "x = 1\n%cbai -f j") == [(15, "json")]
    assert offered(completing_shell, "%cbai -m loc") == [(9, "local")]
    assert (9, "cloudbase/hy3") in offered(completing_shell, "%cbai -m cl")
    assert (6, "history") in offered(completing_shell, "%cbai ")


def test_a_shell_offers_its_variables_and_conversations(completing_shell: InteractiveShell) -> None:
    chat("a long name")
    completing_shell.user_ns.update(zebra=1, zen=ipywidgets.Output(), zip_=zip, _z=1)
    assert offered(completing_shell, "%cbai -o z") == [(9, "zebra"), (9, "zen")]
    assert offered(completing_shell, "%cbai --into z") == [(13, "zen")]
    assert offered(completing_shell, "%cbai -c 'a l") == [(9, '"a long name"')]
    assert offered(completing_shell, "%%cbai -m hy3\nAsk {zeb") == [(19, "zebra")]
    assert offered(completing_shell, "\n%%cbai\n\nAsk {zeb") == [(14, "zebra")]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_the_older_call_works_too(completing_shell: InteractiveShell) -> None:
    line = "%cbai --no-s"
    assert completing_shell.complete(None, line, len(line)) == ("--no-s", ["--no-stream"])
    assert completing_shell.complete("--no-s", line, len(line)) == ("--no-s", ["--no-stream"])


class UnboundProxy:
    """Raises on access to any attribute, also ``__class__``, like the proxies of web frameworks."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("working outside of a context")


def test_no_variable_can_break_completion(
    completing_shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    completing_shell.user_ns.update(zebra=1, zoo=UnboundProxy())
    assert (9, "zebra") in offered(completing_shell, "%cbai -o z")
    assert offered(completing_shell, "%cbai --into z") != [(13, "zoo")]
    assert "Traceback" not in capsys.readouterr().err


def test_python_is_completed_as_before(completing_shell: InteractiveShell) -> None:
    completing_shell.user_ns["zebra"] = 1
    assert (0, "zebra") in offered(completing_shell, "zeb")
    assert (0, "%%cbai") in offered(completing_shell, "%%cb")
    assert "real" in [text for _, text in offered(completing_shell, "zebra.re")]


def test_completion_is_taken_back(completing_shell: InteractiveShell) -> None:
    tab_key.unregister(completing_shell)
    tab_key.unregister(completing_shell)
    assert "--no-stream" not in [text for _, text in offered(completing_shell, "%%cbai --no-s")]


@pytest.mark.kernel
def test_a_kernel_answers_a_frontend_that_asks(tmp_path: Path) -> None:
    manager = KernelManager()
    manager.start_kernel(env=isolated_environment(tmp_path), cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        loaded = client.execute("%load_ext cbai_notebook\nzebra = 1", reply=True, timeout=60)
        assert loaded["content"]["status"] == "ok"

        def ask(code: str) -> dict[str, Any]:
            reply = client.complete(code, len(code), reply=True, timeout=60)["content"]
            return {name: reply[name] for name in ("matches", "cursor_start", "cursor_end")}

        assert ask("%%cbai -f js") == {"matches": ["json"], "cursor_start": 10, "cursor_end": 12}
        assert ask("%%cbai\nAsk {zeb") == {
            "matches": ["zebra"],
            "cursor_start": 12,
            "cursor_end": 15,
        }
        assert ask("1\n%cbai his") == {"matches": ["history"], "cursor_start": 8, "cursor_end": 11}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_continue_and_its_options_are_completed() -> None:
    assert complete("%cbai cont", SOURCES).choices == ("continue",)
    assert complete("%cbai continue --m", SOURCES).choices == ("--max-tokens",)
