"""Completion of prompts: by the function, in a shell and in a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import numpy
import pandas
import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager
from matplotlib.figure import Figure
from PIL import Image

import cbai_notebook as cbai
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
    batches=lambda: ("12", "3"),
    evaluations=lambda: ("intent", "tone of voice"),
    tool_servers=lambda: ("files", "my search"),
    variables=lambda: ("answer", "topic"),
    outputs=lambda: ("panel",),
    servers=lambda: ("mine", "ollama"),
    functions=lambda: ("add", "add_all"),
    types=lambda: ("City",),
    pictures=lambda: ("plot",),
    picture_files=lambda beginning: ("pets/", "my pets/", "my cat.png"),
    rows=lambda: ("reviews", "sales"),
    table_files=lambda beginning: ("data/", "my rows.csv"),
    columns=lambda rows: ("text", "unit price") if rows == "reviews" else (),
)


@pytest.mark.parametrize(
    ("line", "fragment", "choices"),
    [
        ("%cbai --mo", "--mo", ("--model", "--models")),
        ("%cbai --max-t", "--max-t", ("--max-tokens", "--max-total-tokens")),
        ("%%cbai --no", "--no", ("--no-history", "--no-cached", "--no-stream", "--no-think")),
        ("%%cbai -t 0.5 --ra", "--ra", ("--raw",)),
        ("%cbai -m ", "", ("local", "hy3", "hy4-preview", "cloudbase/hy3")),
        ("%cbai -m hy", "hy", ("hy3", "hy4-preview")),
        ("%cbai -m HY", "HY", ("hy3", "hy4-preview")),
        ("%cbai -mhy", "hy", ("hy3", "hy4-preview")),
        ("%cbai --model=cl", "cl", ("cloudbase/hy3",)),
        ("%cbai batches ", "", ("delete",)),
        ("%cbai evaluations ", "", ("intent", '"tone of voice"')),
        ("%cbai batches delete ", "", ("12", "3", "all")),
        ("%cbai batches delete 1", "1", ("12",)),
        ("%cbai batches delete 3 -", "-", ("--yes",)),
        ("%cbai mcp ", "", ("confirm", "stop")),
        ("%cbai mcp stop ", "", ("files", '"my search"')),
        ("%cbai -s 'Be brief.' -c ", "", ("poems", '"my work"')),
        ("%cbai -c my", "my", ('"my work"',)),
        ('%cbai -c "my w', '"my w', ('"my work"',)),
        ("%%cbai -f ", "", ("markdown", "text", "code", "json")),
        ("%%cbai --format=j", "j", ("json",)),
        ("%%cbai -o an", "an", ("answer",)),
        ("%%cbai --into ", "", ("panel",)),
        ("%%cbai --tool a", "a", ("add", "add_all")),
        ("%%cbai --schema ", "", ("City",)),
        ("%%cbai --image p", "p", ("plot", "pets/")),
        ('%%cbai --image "my', '"my', ('"my pets/', '"my cat.png"')),
        ("%%cbai --each ", "", ("reviews", "sales", "data/", '"my rows.csv"')),
        ("%%cbai --each re", "re", ("reviews",)),
        ("%%cbai --each reviews --image ", "", ("text", '"unit price"')),
        ("%%cbai --each reviews --missing s", "s", ("skip", "send")),
        ("%cbai --each reviews Rate {te", "te", ("text",)),
        ("%cbai --each reviews Rate {row", "row", ('row["unit price"]',)),
        ("%cbai --each sales Rate {te", "te", ()),
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


@pytest.mark.parametrize("jedi", [True, False])
def test_a_tool_is_a_function(completing_shell: InteractiveShell, jedi: bool) -> None:
    completing_shell.run_cell(
        "import cbai_notebook as cbai, functools, math as zmath\n"
        "from math import sqrt as zsqrt\n"
        "from dataclasses import dataclass as zclass\n"
        "class Zoo:\n    def feed(self): ...\n    def __call__(self): ...\n"
        "def zadd(): ...\n"
        "async def zask(): ...\n"
        "zoo, zero = Zoo(), 0\n"
        "zfeed, zcached = zoo.feed, functools.cache(zadd)\n"
        "zpart, ztool = functools.partial(zadd), cbai.tool(zadd)\n"
        "_zhidden = zadd\n"
    ).raise_error()
    completing_shell.Completer.use_jedi = jedi
    assert offered(completing_shell, "%%cbai --tool zi") == []  # not the builtin `zip`
    assert [name for _, name in offered(completing_shell, "%%cbai --tool z")] == [
        "zadd", "zask", "zcached", "zfeed", "zpart", "ztool",
    ]  # fmt: skip
    names = {name for _, name in offered(completing_shell, "%%cbai --tool ")}
    assert names.isdisjoint({"open", "exit", "quit", "get_ipython", "print"})


def test_a_schema_is_a_type_that_an_answer_can_have(completing_shell: InteractiveShell) -> None:
    completing_shell.run_cell(
        "import dataclasses, enum, typing\n"
        "from enum import Enum as ZEnum\n"
        "from msgspec import Struct as ZStruct\n"
        "from pydantic import BaseModel as ZBase\n"
        "from typing import List as ZList, TypedDict as ZTypedDict\n"
        "@dataclasses.dataclass\nclass ZData:\n    a: int\n"
        "class ZDict(typing.TypedDict):\n    a: int\n"
        "class ZModel(ZBase):\n    a: int\n"
        "class ZColour(ZEnum):\n    RED = 1\n"
        "class ZRecord(ZStruct):\n    a: int\n"
        "class ZPlain: ...\n"
        "ZInt, ZAll, ZEither = int, list[ZData], ZData | ZDict\n"
        "ZNo, Zf = 0, lambda: 0\n"
    ).raise_error()
    assert [name for _, name in offered(completing_shell, "%%cbai --schema Z")] == [
        "ZAll", "ZColour", "ZData", "ZDict", "ZEither", "ZInt", "ZModel", "ZRecord",
    ]  # fmt: skip


PNG = b"\x89PNG\r\n\x1a\n"


def test_an_image_is_a_picture_or_a_file(
    completing_shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zebras and lions").mkdir()
    for name in ("zebras and lions/one.JPG", "zebra.png", "zebra.csv", ".zebra.png"):
        (tmp_path / name).write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    completing_shell.user_ns.update(
        zfigure=Figure(), zaxes=Figure().subplots(), zall=Figure().subplots(2), zpil=Image.new("L", (1, 1)),
        zbytes=PNG, zpath=Path("zoo.png"), ztext="zoo", zdata=b"zoo", znumbers=numpy.zeros(3), zno=None,
    )  # fmt: skip
    assert [name for _, name in offered(completing_shell, "%%cbai --image z")] == [
        "zall", "zaxes", "zbytes", "zfigure", "zpath", "zpil", "zebra.png", '"zebras and lions/',
    ]  # fmt: skip
    for folder, quote in (("zebras and lions/", '"'), ("~/zebras and lions/", '"')):
        (found,) = offered(completing_shell, f"%%cbai --image {quote}{folder}")
        assert found[1] == f'"{folder}one.JPG"'
    assert offered(completing_shell, "%%cbai --image .z")[0][1] == ".zebra.png"
    assert offered(completing_shell, "%%cbai --image nowhere/z") == []


def test_rows_are_tables_lists_of_dicts_and_files(
    completing_shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zebras.csv").write_text("name,full weight\nZoe,300\n", "utf-8")
    (tmp_path / "zebra.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    frame = pandas.DataFrame({"name": ["Zoe"], 'the "weight"': [300]})
    completing_shell.user_ns.update(
        zpandas=frame, zpolars=polars.DataFrame({"name": ["Zoe"]}), zlist=[{"name": "Zoe"}],
        ztable=pyarrow.table({"name": ["Zoe"]}), znumbers=[1], zempty=[], zdict={"name": 1}, zno=None,
    )  # fmt: skip
    assert [name for _, name in offered(completing_shell, "%%cbai --each z")] == [
        "zlist", "zpandas", "zpolars", "ztable", "zebras.csv",
    ]  # fmt: skip
    for each in ("zpandas", "zpolars", "zlist", "ztable", "zebras.csv"):
        cell = f"%%cbai --each {each} -o rated\nWho is {{na"
        assert [name for _, name in offered(completing_shell, cell)] == ["name"]
    last = "\nWho is {row"
    assert (
        offered(completing_shell, f"%%cbai --each zpandas{last}")[0][1] == "row['the \"weight\"']"
    )
    assert (
        offered(completing_shell, f"%%cbai --each zebras.csv{last}")[0][1] == 'row["full weight"]'
    )
    for each in ("zno", "zempty", "znumbers", "nothing", "nothing.csv"):
        assert offered(completing_shell, f"%%cbai --each {each}\nWho is {{na") == []


@pytest.mark.parametrize("jedi", [True, False])
def test_the_package_offers_its_public_names(
    completing_shell: InteractiveShell, jedi: bool
) -> None:
    completing_shell.Completer.use_jedi = jedi
    completing_shell.run_line_magic("load_ext", "cbai_notebook")
    completing_shell.user_ns["cbai"] = cbai
    names = {name.lstrip(".") for _, name in offered(completing_shell, "cbai.")}
    assert names == set(cbai.__all__)


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
    for option in ("--tool", "--schema", "--image", "--each"):
        assert offered(completing_shell, f"%cbai {option} z") == []
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
        assert ask("%%cbai --tool ")["matches"] == []
        assert ask("1\n%cbai his") == {"matches": ["history"], "cursor_start": 8, "cursor_end": 11}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_continue_and_its_options_are_completed() -> None:
    assert complete("%cbai cont", SOURCES).choices == ("continue",)
    assert complete("%cbai continue --m", SOURCES).choices == ("--max-tokens",)
