"""Imports between modules run downward only, and nothing is imported before it is used."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

import cbai_notebook

PACKAGE = Path(cbai_notebook.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# What each folder or module of the package may import, besides itself. TOP may import everything.
FLOOR = {"_version", "errors", "files", "forks", "i18n", "preferences", "session", "text"}
MAY_IMPORT = {
    "_version": set(),
    "i18n": set(),
    "errors": {"i18n", "text"},
    "text": set(),
    "files": {"errors", "i18n"},
    "forks": set(),
    "preferences": {"errors", "i18n"},
    "session": set(),
    "bridge": FLOOR,
    "prompts": FLOOR,
    "client": FLOOR,
    "local": {"client", *FLOOR},
    "conversation": {"client", *FLOOR},
    "mcp_servers": {"bridge", "client", "local", *FLOOR},
    "batching": {"bridge", "prompts", "conversation", "client", *FLOOR},
    "comparison": {"bridge", "conversation", "client", *FLOOR},
    "evaluation": {"bridge", "prompts", "conversation", "batching", "client", *FLOOR},
    "notebook": {
        "bridge",
        "prompts",
        "conversation",
        "batching",
        "comparison",
        "evaluation",
        "mcp_servers",
        "local",
        "client",
        *FLOOR,
    },
}
TOP = {"__init__", "__main__", "cli", "configuration"}

# What each folder of notebook/ may import from notebook/, besides itself.
NOTEBOOK_MAY_IMPORT = {
    "command_line": set(),
    "markdown": set(),
    "screen": {"markdown"},
    "grid": {"screen", "render_loop"},
    "panel": {
        "markdown",
        "screen",
        "frontend",
        "offline_hints",
        "render_loop",
        "tool_sources",
    },
    "commands": {"command_line", "markdown", "screen", "panel", "diff_view", "frontend"},
}


def module_of(file: Path) -> str:
    """Return the full name of the module in a file of the package."""
    name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_of(file): file for file in FILES}


@dataclass(frozen=True)
class Import:
    """One import statement of one module."""

    importer: str
    module: str
    line: int
    when: Literal["at import", "in a function", "for types"]

    def __str__(self) -> str:
        file = MODULES[self.importer].relative_to(PACKAGE.parent).as_posix()
        return f"{file}:{self.line} imports {self.module} ({self.when})"


def rooms(module: str) -> tuple[str, ...]:
    """Return the names of a module below the package: ``("client", "tools", "loop")``."""
    return tuple(module.split(".")[1:])


def ids_inside(nodes: list[ast.stmt]) -> set[int]:
    """Return the ids of all nodes in the statements."""
    return {id(inner) for node in nodes for inner in ast.walk(node)}


def imports_of(importer: str, file: Path) -> Iterator[Import]:
    """Yield every module that a module imports, at any place in its file."""
    tree = ast.parse(file.read_text("utf-8"))
    typing_only: set[int] = set()
    in_function: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            typing_only |= ids_inside(node.body)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            in_function |= ids_inside(node.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: write relative imports out"
            # `from cbai_notebook import errors` imports a module, `from typing import Any` a name.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name if name in MODULES else str(node.module) for name in names]
        else:
            continue
        for module in dict.fromkeys(modules):
            yield Import(
                importer,
                module,
                node.lineno,
                "for types" if id(node) in typing_only
                else "in a function" if id(node) in in_function
                else "at import",
            )  # fmt: skip


ALL_IMPORTS = [found for module, file in MODULES.items() for found in imports_of(module, file)]


def room_of(file: Path) -> str:
    """Return the first name below the package: a folder, or a module without its suffix."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def find_circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of a circle: each imports the next, and the last imports the first.

    The list is empty if there is no circle.
    """
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[:0:-1]  # graphlib names the imported module first, and repeats it at the end
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in ALL_IMPORTS:
        if found.module in MODULES and found.module != found.importer:
            graph[found.importer].add(found.module)
    circles = []
    while circle := find_circle(graph):
        steps = list(pairwise([*circle, circle[0]]))
        circles.append([str(one) for one in ALL_IMPORTS if (one.importer, one.module) in steps])
        importer, module = steps[0]
        graph[importer].discard(module)  # so that the next round finds another circle
    assert circles == []


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set[str]()}
    circle = find_circle(graph)
    assert sorted(circle) == ["a", "b", "c"]
    assert all(module in graph[importer] for importer, module in pairwise([*circle, circle[0]]))
    assert find_circle({"a": {"b"}, "b": set()}) == []


def test_every_room_is_known() -> None:
    assert {room_of(file) for file in FILES} <= {*MAY_IMPORT, *TOP}
    folders = {file.parent.name for file in FILES if file.parent.parent == PACKAGE / "notebook"}
    assert folders == set(NOTEBOOK_MAY_IMPORT)


def test_imports_run_downward_only() -> None:
    upward = []
    for found in ALL_IMPORTS:
        room = room_of(MODULES[found.importer])
        # `from cbai_notebook import __version__` imports no folder or module below the package.
        if room in TOP or found.module not in MODULES or not rooms(found.module):
            continue
        if rooms(found.module)[0] not in {room, *MAY_IMPORT[room]}:
            upward.append(str(found))
    assert upward == []


def test_the_folders_of_the_notebook_import_downward_only() -> None:
    upward = []
    for found in ALL_IMPORTS:
        base, folder, *_ = *rooms(found.importer), "", ""
        if base != "notebook" or folder not in NOTEBOOK_MAY_IMPORT:
            continue
        base, target, *_ = *rooms(found.module), "", ""
        allowed = {folder, *NOTEBOOK_MAY_IMPORT[folder]}
        if found.module in MODULES and base == "notebook" and target not in allowed:
            upward.append(str(found))
    assert upward == []


def test_the_base_of_the_client_loads_without_its_folders() -> None:
    # A program that only streams text does not need agents, images, tools or response types.
    folders = {file.parent.name for file in FILES if file.parent.parent == PACKAGE / "client"}
    assert folders == {"agents", "demo", "images", "structured", "tools"}
    values = {
        "cbai_notebook.client.tools.tool_calls"
    }  # holds only frozen dataclasses, and imports only the standard library
    heavy = [
        str(found)
        for found in ALL_IMPORTS
        if found.when == "at import"
        and found.module not in values
        and MODULES[found.importer].parent == PACKAGE / "client"
        and found.module in MODULES
        and rooms(found.module)[0] == "client"
        and not folders.isdisjoint(rooms(found.module))
    ]
    assert heavy == []


def test_the_folders_of_the_client_do_not_load_each_other() -> None:
    across = []
    for found in ALL_IMPORTS:
        if found.module not in MODULES or found.when == "for types":
            continue
        importer, target = MODULES[found.importer].parent, MODULES[found.module].parent
        if importer.parent == target.parent == PACKAGE / "client" and importer != target:
            across.append(str(found))
    assert across == []


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("httpx", {"client/transport.py"}),
        ("httpcore", {"client/transport.py"}),
        ("aiohttp", {"client/transport.py"}),
        ("httpx_aiohttp", {"client/transport.py"}),
        ("IPython", {"notebook/"}),
        ("ipykernel", {"notebook/", "cli.py"}),
        ("ipywidgets", {"notebook/"}),
        ("anywidget", {"notebook/"}),
        ("markdown_it", {"notebook/", "conversation/formats/markdown.py"}),
        ("nh3", {"notebook/markdown/"}),
        ("xllamacpp", {"local/"}),
        ("mcp", {"mcp_servers/"}),
        ("mcp_types", {"mcp_servers/"}),
        ("httpx2", {"mcp_servers/"}),
        ("anyio", {"mcp_servers/"}),
        ("PIL", {"client/images/"}),
        ("scipy", {"evaluation/"}),
        ("matplotlib", {"evaluation/"}),
    ],
)
def test_a_library_is_known_in_one_room_only(library: str, home: set[str]) -> None:
    outside = [
        str(found)
        for found in ALL_IMPORTS
        if found.module.partition(".")[0] == library
        and found.when != "for types"
        and not MODULES[found.importer].relative_to(PACKAGE).as_posix().startswith(tuple(home))
    ]
    assert outside == []


def test_the_clients_package_file_does_nothing() -> None:
    body = ast.parse((PACKAGE / "client" / "__init__.py").read_text("utf-8")).body
    assert [type(statement) for statement in body] == [ast.Expr], "a docstring, and no code"


def test_no_public_name_is_that_of_a_module() -> None:
    # Importing a module `cbai_notebook.batch` would replace the public function `batch`.
    modules = {room_of(file) for file in FILES}
    assert modules & set(cbai_notebook.__all__) == set()


def test_markdown_knows_no_notebook() -> None:
    libraries = {"IPython", "ipywidgets", "ipykernel"}
    knows = [
        str(found)
        for found in ALL_IMPORTS
        if MODULES[found.importer].is_relative_to(PACKAGE / "notebook" / "markdown")
        and found.module.partition(".")[0] in libraries
    ]
    assert knows == []


HEAVY = {
    "PIL", "aiohttp", "anywidget", "dask", "distributed", "docstring_parser", "httpcore", "httpx", "httpx_aiohttp", "ipywidgets",
    "httpx2", "jiter", "keyring", "markdown_it", "matplotlib", "mcp", "msgspec", "narwhals", "nbclient", "nest_asyncio",
    "nest_asyncio2", "nh3", "numpy", "openai", "pandas", "polars", "pyarrow", "stamina",
    "pydantic", "scipy", "tenacity", "tqdm", "xllamacpp",
}  # fmt: skip


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a new interpreter has imported after running ``code``."""
    script = f"import json, sys\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


SHELL = (
    "from IPython.core.interactiveshell import InteractiveShell\n"
    "shell = InteractiveShell.instance()\n"
)


def test_importing_the_package_does_no_work() -> None:
    ours = {m for m in modules_after("import cbai_notebook") if m.startswith("cbai_notebook")}
    assert ours == {"cbai_notebook"}
    brought = modules_after("import cbai_notebook") - modules_after(
        "import __future__, importlib, typing"
    )
    assert brought == {"cbai_notebook"}


def test_a_script_needs_no_ipython() -> None:
    needed = ("bridge", "client.model", "client.stream", "conversation", "prompts.template")
    loaded = modules_after("import " + ", ".join(f"cbai_notebook.{module}" for module in needed))
    assert loaded.isdisjoint({"IPython", "ipykernel", "ipywidgets"})


def test_loading_the_extension_imports_nothing_heavy() -> None:
    # Checked directly after loading: a little later a thread prepares the HTTP client.
    loaded = modules_after(SHELL + "shell.run_line_magic('load_ext', 'cbai_notebook')")
    brought = {module.partition(".")[0] for module in loaded - modules_after(SHELL)}
    assert "cbai_notebook" in brought
    assert brought & HEAVY == set()
    assert "pygments" not in brought, "IPython brings what it needs of it itself"


def test_loading_the_extension_imports_only_what_it_registers() -> None:
    # What a prompt, a Tab or an answer needs is imported with the first one.
    code = SHELL + (
        "shell.Completer.use_jedi = False\n"
        "from cbai_notebook.notebook import extension\n"
        "extension.WARM_UP_AFTER_S = 1000\n"
        "shell.run_line_magic('load_ext', 'cbai_notebook')\n"
        "shell.run_cell('x = 5 % 3; x').raise_error()\n"
        "assert 'print' in shell.complete('pri')[1]\n"
    )
    assert {module for module in modules_after(code) if module.startswith("cbai_notebook")} == {
        "cbai_notebook",
        "cbai_notebook.notebook",
        "cbai_notebook.notebook.answer_formatters",
        "cbai_notebook.notebook.cell_as_written",
        "cbai_notebook.notebook.extension",
        "cbai_notebook.notebook.held_interrupts",
        "cbai_notebook.notebook.question_mark",
        "cbai_notebook.notebook.shift_tab",
        "cbai_notebook.notebook.tab_key",
    }


def test_every_public_name_is_there_and_listed() -> None:
    for name in cbai_notebook.__all__:
        assert getattr(cbai_notebook, name) is not None
    assert set(cbai_notebook.__all__) <= set(dir(cbai_notebook))
    assert cbai_notebook.__all__ == sorted(cbai_notebook.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        cbai_notebook.no_such_name  # noqa: B018


TESTS = Path(__file__).parent


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=["package", "tests"])
def test_every_file_is_read_by_this_python(folder: Path) -> None:
    # No test imports the benchmarks, and the linter does not report all syntax that is too new for
    # this Python.
    for file in folder.rglob("*.py"):
        compile(file.read_text("utf-8"), str(file), "exec", dont_inherit=True)


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_a_parallel_run_keeps_groups_together() -> None:
    pytest.importorskip("xdist")
    from tests.scheduling import group_of

    assert group_of("tests/browser/test_answers.py::test_a[lab]") == "browser-lab"
    assert group_of("tests/browser/test_answers.py::test_a[notebook7-dark]") == "browser-notebook7"
    assert group_of("tests/kernel/test_local_model.py::test_a[newest]") == "local-model"
    alone = "tests/client/test_events.py::test_a"
    assert group_of(alone) == alone
