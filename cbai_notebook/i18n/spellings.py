"""What an option or a command of a cell is in Python code: each pair stands once, here.

A text of the tables names a pair by its key in braces, as in ``"{--max-tokens} allows more."``. A
cell reads ``--max-tokens`` there, and Python code ``max_tokens=…``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Place = Literal["cell", "python"]
"""Who reads a text: ``"cell"``, the user of a ``%%cbai`` cell or of the panel, or ``"python"``, the
author of the code that called this package."""

CELL: Place = "cell"
PYTHON: Place = "python"


class Spelling(NamedTuple):
    """The two ways to write one thing; values of the text stand in braces, as in the tables.

    Attributes:
        cell: In a cell.
        python: In Python code.
    """

    cell: str
    python: str

    def at(self, place: Place) -> str:
        """Return the way to write it at a place."""
        return self.cell if place == CELL else self.python


SPELLINGS: Mapping[str, Spelling] = {
    # the model
    "-m": Spelling("-m", "model=…"),
    "-m PROVIDER/MODEL": Spelling("-m {provider}/MODEL", "model='…'"),
    "-m PROVIDER": Spelling("-m cloudbase/hy3", "cbai.create_model('cloudbase')"),
    "-m custom": Spelling("-m custom/MODEL", "cbai.create_model('custom')"),
    "-m PROVIDER/NAME": Spelling("-m {provider}/{name}", "model='{provider}/{name}'"),
    "-m custom/NAME": Spelling(
        "-m custom/{name}", "cbai.create_model('custom').generate_text(model={name!r}, …)"
    ),
    "-m local": Spelling("-m local", "cbai.create_model('local')"),
    "-m FILE": Spelling(
        "-m local:/path/model.gguf",
        "cbai.create_model('local').generate_text(model='/path/model.gguf', …)",
    ),
    "--draw": Spelling("--draw -m hunyuan-image", "cbai.create_image_model('hunyuan-image')"),
    "--agent": Spelling("--agent BOT_ID", "model='BOT_ID'"),
    # the request
    "--max-tokens": Spelling("--max-tokens", "max_tokens=…"),
    "--max-steps": Spelling("--max-steps", "max_steps=…"),
    "--no-think": Spelling("--no-think", "think=False"),
    "--schema": Spelling("--schema {name}", "response_type={name}"),
    "--tool": Spelling("--tool get_weather", "tools=[get_weather]"),
    "--dry-run": Spelling("--dry-run", "await model.prepare(stream, …)"),
    "-P search": Spelling("-P search=true", "search=True"),
    "-P files": Spelling("-P files=[…]", "files=[…]"),
    "-P conversation_id": Spelling("-P conversation_id=…", "conversation_id='…'"),
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
    "%cbai mcp confirm": Spelling("%cbai mcp confirm {name}", "server.confirm()"),
    # keys
    "%cbai login": Spelling("%cbai login", "cbai.configure(env_id=…, api_key=…)"),
    "%cbai login SERVER": Spelling("%cbai login {name}", "cbai.configure(servers={{{name!r}: …}})"),
}
"""The pairs by their keys, which begin as an option or a command does."""
