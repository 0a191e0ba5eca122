"""What an option or a command of a cell is in a panel and in Python code: each stands once, here.

A text of the tables names one by its key in braces, as in ``"{--max-tokens} allows more."``. A cell
reads ``--max-tokens`` there, Python code ``max_tokens=…``, and a panel the argument of
``ChatPanel``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Place = Literal["cell", "panel", "python"]
"""Who reads a text: ``"cell"``, the user of a ``%%cbai`` cell, ``"panel"``, the user of a chat panel,
or ``"python"``, the author of the code that called this package."""

CELL: Place = "cell"
PANEL: Place = "panel"
PYTHON: Place = "python"


class Spelling(NamedTuple):
    """The ways to write one thing; values of the text stand in braces, as in the tables.

    Attributes:
        cell: In a cell.
        python: In Python code.
        panel: In a panel, in English and in Chinese; None is as in a cell.
    """

    cell: str
    python: str
    panel: tuple[str, str] | None = None

    def at(self, place: Place, language: str) -> str:
        """Return the way to write it at a place, in a language."""
        if place == PANEL and self.panel is not None:
            return self.panel[language == "zh"]
        return self.python if place == PYTHON else self.cell


def _in_menu(model: str) -> tuple[str, str]:
    """Return how a panel's user chooses a model; in Chinese it goes behind a colon."""
    return f"{model} in the model menu", f"在模型菜单中填写 {model}"


def _in_a_cell(command: str) -> tuple[str, str]:
    """Return how a panel's user runs a command that the panel has not."""
    return f"{command} in a cell", f"单元格中的 {command}"


def _argument(code: str) -> tuple[str, str]:
    """Return an argument of the code that made the panel."""
    return f"ChatPanel({code})", f"ChatPanel({code})"


SPELLINGS: Mapping[str, Spelling] = {
    # the model
    "-m": Spelling("-m", "model=…", ("the model menu", "模型菜单")),
    "-m PROVIDER/MODEL": Spelling("-m {provider}/MODEL", "model='…'", _in_menu("{provider}/MODEL")),
    "-m PROVIDER": Spelling(
        "-m cloudbase/hy3", "cbai.create_model('cloudbase')", _in_menu("cloudbase/hy3")
    ),
    "-m custom": Spelling(
        "-m custom/MODEL", "cbai.create_model('custom')", _in_menu("custom/MODEL")
    ),
    "-m PROVIDER/NAME": Spelling(
        "-m {provider}/{name}", "model='{provider}/{name}'", _in_menu("{provider}/{name}")
    ),
    "-m custom/NAME": Spelling(
        "-m custom/{name}",
        "cbai.create_model('custom').generate_text(model={name!r}, …)",
        _in_menu("custom/{name}"),
    ),
    "-m local": Spelling("-m local", "cbai.create_model('local')", _in_menu("local")),
    "-m FILE": Spelling(
        "-m local:/path/model.gguf",
        "cbai.create_model('local').generate_text(model='/path/model.gguf', …)",
        _in_menu("local:/path/model.gguf"),
    ),
    "--draw": Spelling("--draw -m hunyuan-image", "cbai.create_image_model('hunyuan-image')"),
    "--agent": Spelling("--agent BOT_ID", "model='BOT_ID'", _argument("agent='BOT_ID'")),
    # the request
    "-s": Spelling("-s", "system=…", ("the settings", "面板的设置")),
    "--max-tokens": Spelling(
        "--max-tokens", "max_tokens=…", _argument('params={{"max_tokens": …}}')
    ),
    "--max-steps": Spelling("--max-steps", "max_steps=…", _argument("max_steps=…")),
    "--no-think": Spelling("--no-think", "think=False"),
    "--schema": Spelling("--schema {name}", "response_type={name}"),
    "--tool": Spelling(
        "--tool get_weather", "tools=[get_weather]", _argument("tools=[get_weather]")
    ),
    "--dry-run": Spelling(
        "--dry-run", "await model.prepare(stream, …)", _in_a_cell("%%cbai --dry-run")
    ),
    "--allow-secrets": Spelling(
        "--allow-secrets", "allow_secrets=True", _in_a_cell("%%cbai --allow-secrets")
    ),
    "-P search": Spelling("-P search=true", "search=True", _argument('params={{"search": True}}')),
    "-P files": Spelling("-P files=[…]", "files=[…]", _argument('params={{"files": […]}}')),
    "-P conversation_id": Spelling(
        "-P conversation_id=…", "conversation_id='…'", _argument('params={{"conversation_id": …}}')
    ),
    # rows
    "--column": Spelling("--column", "column=…"),
    "--column NAME": Spelling("--column {column}", "column={column}"),
    "--prefix TEXT": Spelling("--prefix {example}", "prefix={example}"),
    "--missing skip": Spelling("--missing skip", "missing='skip'"),
    "--missing send": Spelling("--missing send", "missing='send'"),
    # a comparison
    "--samples": Spelling("--samples", "samples=…"),
    "--systems": Spelling("--systems", "systems=…"),
    "--yes": Spelling("--yes", "yes=True"),
    # an export
    "--force": Spelling("--force", "overwrite=True"),
    "--examples": Spelling("--examples", "examples=…"),
    "--every-turn": Spelling("--every-turn", "every_turn=True"),
    # batches
    "%cbai batches": Spelling("%cbai batches", "cbai.batches()"),
    # servers of tools
    "%cbai mcp confirm": Spelling(
        "%cbai mcp confirm {name}", "server.confirm()", _in_a_cell("%cbai mcp confirm {name}")
    ),
    # lists
    "%cbai models": Spelling("%cbai models", "%cbai models", ("see the model menu", "见模型菜单")),
    # keys
    "%cbai login": Spelling(
        "%cbai login", "cbai.configure(env_id=…, api_key=…)", _in_a_cell("%cbai login")
    ),
    "%cbai login SERVER": Spelling(
        "%cbai login {name}",
        "cbai.configure(servers={{{name!r}: …}})",
        _in_a_cell("%cbai login {name}"),
    ),
}
"""The spellings by their keys, which begin as an option or a command does."""
