"""The manual names all that there is, says the same in both languages, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from inspect import signature
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

import cbai_notebook
from cbai_notebook import preferences
from cbai_notebook.configuration import HISTORY, SERVICE
from cbai_notebook.notebook.command_line import conflicts
from cbai_notebook.notebook.command_line.commands import COMMANDS
from cbai_notebook.notebook.command_line.options import OPTIONS
from cbai_notebook.notebook.command_line.parser import PromptOptions, parse_cell, parse_line
from tests.manual import help_pages, pages
from tests.manual.pages import DOCS, FRONT_PAGES, REPOSITORY

PACKAGE = Path(cbai_notebook.__file__).parent
MANUALS = {
    "en": [page for page in pages.written_pages() if page.parent == DOCS],
    "zh": [page for page in pages.written_pages() if page.parent == DOCS / "zh"],
}
WRITTEN = {language: "\n".join(map(pages.read, found)) for language, found in MANUALS.items()}


def mentioned(name: str, text: str) -> bool:
    """Return whether a text names something: ``--to`` does not name ``--tool``."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


# In step ------------------------------------------------------------------------------------------


def in_step(english: Path, chinese: Path) -> None:
    """Check that two pages have the same headings, code and tables."""
    one, other = pages.read(english), pages.read(chinese)
    assert pages.heading_levels(one) == pages.heading_levels(other)
    assert pages.code_blocks(one) == pages.code_blocks(other)
    assert pages.names_in_first_column(one) == pages.names_in_first_column(other)


def test_the_front_pages_are_in_step() -> None:
    in_step(*FRONT_PAGES)


ENGLISH_ONLY = {"architecture", "figures", "glossary", "reference"}


def test_every_page_of_the_guide_is_in_both_languages() -> None:
    english, chinese = ({page.stem for page in MANUALS[language]} for language in ("en", "zh"))
    assert english - ENGLISH_ONLY == chinese


@pytest.mark.parametrize("page", MANUALS["zh"], ids=lambda page: page.stem)
def test_a_chinese_page_is_in_step_with_the_english_one(page: Path) -> None:
    in_step(DOCS / page.name, page)


@pytest.mark.parametrize("language", help_pages.PAGES)
def test_the_pages_of_the_options_are_those_of_the_help(language: str) -> None:
    written = pages.read(help_pages.PAGES[language])
    assert written == help_pages.help_page(language), "write it anew: python -m tests.manual"


# Links --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [*pages.written_pages(), *help_pages.PAGES.values()],
    ids=lambda page: page.relative_to(REPOSITORY).as_posix(),
)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in pages.links(pages.read(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in pages.anchors(pages.read(target)), link


# Code ---------------------------------------------------------------------------------------------

_PAGES_WITH_CODE = [page for page in pages.written_pages() if pages.code_blocks(pages.read(page))]


@pytest.mark.parametrize(
    "page", _PAGES_WITH_CODE, ids=lambda page: page.relative_to(REPOSITORY).as_posix()
)
def test_the_code_of_a_page_can_be_run(page: Path) -> None:
    for language, code in pages.code_blocks(pages.read(page)):
        if language == "python":
            # A cell may await.
            compile(
                TransformerManager().transform_cell(code),
                page.name,
                "exec",
                PyCF_ALLOW_TOP_LEVEL_AWAIT,
            )
        for line in code.splitlines():
            if line.startswith("%%cbai"):
                conflicts.check(parse_cell(line.removeprefix("%%cbai").strip()))
            elif line.startswith("%cbai") and language == "":
                parsed = parse_line(line.removeprefix("%cbai").strip())
                if isinstance(parsed, PromptOptions):
                    conflicts.check(parsed)


# Documented ---------------------------------------------------------------------------------------


def environment_variables() -> set[str]:
    """Return the environment variables that the package reads.

    They are the capital names in the modules that read the environment, and those of the settings of
    the notebook, whose names are put together.
    """
    found = {f"CBAI_{name.upper()}" for name in preferences.NAMES}
    for file in PACKAGE.rglob("*.py"):
        source = file.read_text("utf-8")
        if not re.search(r"\benviron\b|user_directory", source):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^[A-Z]+(?:_[A-Z]+)+$", node.value))
    return found - NOT_READ


NOT_READ = {"CREATE_NO_WINDOW", "JUPYTER_PATH", "OMP_WAIT_POLICY", "O_BINARY"}
"""Variables that the package sets for processes that it starts, and flags of the system."""

SETTINGS = [*SERVICE, *preferences.NAMES, HISTORY]


@pytest.mark.parametrize("language", MANUALS)
def test_every_option_command_setting_and_variable_is_in_the_manual(language: str) -> None:
    flags = {max(option.flags, key=len) for option in OPTIONS}
    flags |= {max(each.flags, key=len) for command in COMMANDS for each in command.options}
    commands = {f"%cbai {command.name}" for command in COMMANDS}
    names = {*flags, *commands, *SETTINGS, *environment_variables()}
    missing = sorted(name for name in names if not mentioned(name, WRITTEN[language]))
    assert missing == []


def test_every_option_of_the_command_line_is_in_the_manual() -> None:
    source = (PACKAGE / "cli.py").read_text("utf-8")
    flags = set(re.findall(r'add_argument\("(--[a-z-]+)"', source))
    assert {"--run", "--port"} <= flags
    assert sorted(flag for flag in flags if not mentioned(flag, WRITTEN["en"])) == []


def test_every_public_name_is_in_the_manual() -> None:
    missing = [name for name in cbai_notebook.__all__ if not mentioned(name, WRITTEN["en"])]
    assert missing == []


def test_every_argument_of_a_public_function_is_in_its_docstring() -> None:
    missing = []
    for name in cbai_notebook.__all__:
        value = getattr(cbai_notebook, name)
        if isinstance(value, type) or not callable(value):
            continue
        described = value.__doc__ or ""
        missing += [
            f"{name}({argument}=)"
            for argument in signature(value).parameters
            if not mentioned(argument, described)
        ]
    assert missing == []


def test_every_room_is_on_the_map_of_the_code() -> None:
    rooms = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    rooms |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {"client", "errors"} <= rooms
    text = pages.read(REPOSITORY / "CONTRIBUTING.md")
    assert sorted(room for room in rooms if f"`{room}`" not in text) == []


def test_every_extra_is_in_the_manual() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    table = project.partition("[project.optional-dependencies]")[2].partition("\n[project.")[0]
    extras = re.findall(r"^(\w+) = \[", table, re.MULTILINE)
    assert {"local", "test"} <= set(extras)
    for page in (REPOSITORY / "README.md", DOCS / "settings.md"):
        text = pages.read(page)
        assert [extra for extra in extras if f"`{extra}`" not in text] == []
