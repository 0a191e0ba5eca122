"""The pages of commands and options: the texts of ``%cbai help``, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cbai_notebook.i18n import choose
from cbai_notebook.notebook.command_line.commands import COMMANDS, help_of, help_text
from tests.manual.pages import DOCS

PAGES = {"en": DOCS / "commands.md", "zh": DOCS / "zh" / "commands.md"}

_TITLE = {"en": "Commands and options", "zh": "命令和选项"}
_LEAD = {
    "en": "The text of `%cbai help`, and of each command with `--help`. `python -m tests.manual` writes "
    "this page.\nThe guide says more: [In a cell](cells.md), [Conversations](conversations.md), "
    "[A prompt for every row](batch.md),\n[Several models side by side](compare.md).",
    "zh": "`%cbai help` 和各命令 `--help` 的内容，由 `python -m tests.manual` 生成。\n"
    "详细说明见指南：[在单元格中](cells.md)、[对话](conversations.md)、[逐行提问](batch.md)、"
    "[多个模型并排比较](compare.md)。",
}
_COMMANDS = {"en": "Options of commands", "zh": "命令的选项"}


@contextmanager
def _speaking(language: str) -> Iterator[None]:
    choose(language)
    try:
        yield
    finally:
        choose(None)


def help_page(language: str) -> str:
    """Return the page in one language, ``"en"`` or ``"zh"``, as Markdown."""
    with _speaking(language):
        of_commands = "\n\n".join(help_of(command) for command in COMMANDS if command.options)
        return (
            f"# {_TITLE[language]}\n\n{_LEAD[language]}\n\n```text\n{help_text()}\n```\n\n"
            f"## {_COMMANDS[language]}\n\n```text\n{of_commands}\n```\n"
        )


def write() -> list[Path]:
    """Write the page in all languages; return the files."""
    for language, page in PAGES.items():
        page.write_text(help_page(language), encoding="utf-8")
    return list(PAGES.values())
