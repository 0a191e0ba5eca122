"""The house: imports run downward only, and nothing is imported before it is used."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import cbai_notebook

PACKAGE = Path(cbai_notebook.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# A room may import itself and what stands behind it; the top may import every room.
FLOOR = {"_version", "errors", "files", "preferences", "text"}
MAY_IMPORT = {
    "_version": set(),
    "errors": set(),
    "text": set(),
    "files": {"errors"},
    "preferences": {"errors"},
    "bridge": FLOOR,
    "prompts": FLOOR,
    "client": FLOOR,
    "local": {"client", *FLOOR},
    "conversation": {"client", *FLOOR},
    "notebook": {"bridge", "prompts", "conversation", "local", "client", *FLOOR},
}
TOP = {"__init__", "__main__", "cli", "configuration"}


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    module: str
    file: Path
    line: int
    at_run_time: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(PACKAGE.parent)}:{self.line} imports {self.module}"


def room_of(file: Path) -> str:
    """Return the first name below the package."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> Iterator[Import]:
    """Yield every import of a module, relative ones spelt out."""
    tree = ast.parse(file.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = ("cbai_notebook", *file.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            # `from cbai_notebook import client` names a room as well.
            modules = [f"{module}.{alias.name}" for alias in node.names]
        for module in modules:
            yield Import(module, file, node.lineno, id(node) not in typing_only)


ALL_IMPORTS = [found for file in MODULES for found in imports_of(file)]


def test_every_room_is_known() -> None:
    assert {room_of(file) for file in MODULES} <= {*MAY_IMPORT, *TOP}


def test_imports_run_downward_only() -> None:
    upward = []
    for found in ALL_IMPORTS:
        room = room_of(found.file)
        parts = found.module.split(".")
        if room in TOP or parts[0] != "cbai_notebook" or len(parts) < 2:
            continue
        # `from cbai_notebook import __version__` is no room.
        target = parts[1]
        if target in {*MAY_IMPORT, *TOP} and target not in {room, *MAY_IMPORT[room]}:
            upward.append(str(found))
    assert upward == []


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
        ("markdown_it", {"notebook/"}),
        ("nh3", {"notebook/markdown/"}),
        ("xllamacpp", {"local/"}),
        ("PIL", {"client/images/"}),
    ],
)
def test_a_library_is_known_in_one_room_only(library: str, home: set[str]) -> None:
    outside = [
        str(found)
        for found in ALL_IMPORTS
        if found.module.partition(".")[0] == library
        and found.at_run_time
        and not found.file.relative_to(PACKAGE).as_posix().startswith(tuple(home))
    ]
    assert outside == []


def test_the_clients_package_file_does_nothing() -> None:
    body = ast.parse((PACKAGE / "client" / "__init__.py").read_text("utf-8")).body
    assert [type(statement) for statement in body] == [ast.Expr], "a docstring, and no code"


def test_no_public_name_is_that_of_a_module() -> None:
    # Importing `cbai_notebook.batch` as a module would replace a public function of that name.
    modules = {room_of(file) for file in MODULES}
    assert modules & set(cbai_notebook.__all__) == set()


def test_markdown_knows_no_notebook() -> None:
    libraries = {"IPython", "ipywidgets", "ipykernel"}
    knows = [
        str(found)
        for found in ALL_IMPORTS
        if found.file.is_relative_to(PACKAGE / "notebook" / "markdown")
        and found.module.partition(".")[0] in libraries
    ]
    assert knows == []


HEAVY = {
    "PIL", "aiohttp", "anywidget", "docstring_parser", "httpcore", "httpx", "httpx_aiohttp", "ipywidgets",
    "keyring", "markdown_it", "msgspec", "narwhals", "nbclient", "nest_asyncio",
    "nest_asyncio2", "nh3", "numpy", "openai", "pandas", "polars", "pyarrow", "stamina",
    "pydantic", "tenacity", "tqdm", "xllamacpp",
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


def test_loading_the_extension_imports_nothing_heavy() -> None:
    # Measured right after loading: the HTTP client is prepared in the background a little later.
    loaded = modules_after(SHELL + "shell.run_line_magic('load_ext', 'cbai_notebook')")
    brought = {module.partition(".")[0] for module in loaded - modules_after(SHELL)}
    assert "cbai_notebook" in brought
    assert brought & HEAVY == set()
    assert "pygments" not in brought, "IPython brings what it needs of it itself"


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
    # Those of the benchmarks are imported by no test, and no linter knows every syntax that came later.
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
