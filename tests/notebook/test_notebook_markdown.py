"""A saved notebook as clean Markdown, by the command line."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.cli import main

PICTURE = b"\x89PNG\r\n\x1a\n"


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    """Return a code cell."""
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": [*outputs]}


def shows(**data: str) -> dict[str, Any]:
    """Return an output of several formats; ``_`` stands for the slash of a MIME type."""
    named = {name.replace("_", "/"): text for name, text in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


def notebook_file(folder: Path, *cells: Any, **metadata: Any) -> Path:
    """Write a notebook and return its path."""
    notebook = {"cells": [*cells], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    file = folder / "study.ipynb"
    file.write_text(json.dumps(notebook), encoding="utf-8")
    return file


def exported(folder: Path, *cells: Any, options: tuple[str, ...] = (), **metadata: Any) -> str:
    """Write a notebook, export it and return the document."""
    file = notebook_file(folder, *cells, **metadata)
    assert main(["export", str(file), "--to", "markdown", *options]) == 0
    return (folder / "study.md").read_text(encoding="utf-8")


def test_prompts_and_answers_are_quoted_and_footers_left_out(tmp_path: Path) -> None:
    footer = shows(text_html='<div class="cbai-footer">x</div>', text_plain="hy3 · 9 tokens in")
    document = exported(
        tmp_path,
        {"cell_type": "markdown", "source": "# My study"},
        code("%load_ext cbai_notebook"),
        code(
            "%%cbai -m hy3 -o answer\nWhat is <b>it</b>?\n",
            shows(text_markdown="It is\n\n", text_plain="It is"),
            shows(text_markdown="**blue**. <script>x</script>", text_plain="x"),
            footer,
        ),
        code("%cbai -m hy3 And now?", shows(text_markdown="# Red", text_plain="x")),
    )
    assert document == (
        "# My study\n\n"
        "**You**\n\n> What is \\<b>it\\</b>?\n\n"
        "**Answer**\n\n> It is\n>\n> **blue**. \\<script>x\\</script>\n\n"
        "**You**\n\n> And now?\n\n**Answer**\n\n> # Red\n"
    )


def test_code_and_what_it_printed_stay_as_they_are(tmp_path: Path) -> None:
    document = exported(
        tmp_path,
        code("print('```')", {"output_type": "stream", "name": "stdout", "text": ["```\n"]}),
        code("1 / 0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "by zero"}),
        code("%cbai usage", {"output_type": "stream", "name": "stdout", "text": "day  model\n"}),
        code("plot()", shows(image_png=base64.b64encode(PICTURE).decode(), text_plain="<Figure>")),
    )
    assert document == (
        "````python\nprint('```')\n````\n\n````\n```\n````\n\n"
        "```python\n1 / 0\n```\n\n```\nZeroDivisionError: by zero\n```\n\n"
        "```python\n%cbai usage\n```\n\n```\nday  model\n```\n\n"
        "```python\nplot()\n```\n\n![](study_files/1.png)\n"
    )
    assert (tmp_path / "study_files" / "1.png").read_bytes() == PICTURE


def test_of_a_cell_that_loads_the_extension_its_code_is_kept(tmp_path: Path) -> None:
    sales = "import pandas as pd\n\nsales = pd.DataFrame({'orders': [120]})\nsales"
    document = exported(
        tmp_path,
        code(f"%load_ext cbai_notebook\n{sales}", shows(text_plain="   orders\n0     120")),
        code("%reload_ext cbai_notebook\n"),
        code("%load_ext autoreload\n%autoreload 2"),
        code("%%cbai\n%load_ext cbai_notebook"),
    )
    assert document == (
        f"```python\n{sales}\n```\n\n```\n   orders\n0     120\n```\n\n"
        "```python\n%load_ext autoreload\n%autoreload 2\n```\n\n"
        "```python\n%%cbai\n%load_ext cbai_notebook\n```\n"
    )


def test_pictures_replace_no_files_and_stand_beside_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = code("plot()", shows(image_png=base64.b64encode(PICTURE).decode()))
    mine = tmp_path / "study_files" / "1.png"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    file = notebook_file(tmp_path, plot)
    assert main(["export", str(file)]) == 1
    assert "study_files" in capsys.readouterr().err
    assert mine.read_bytes() == b"mine" and not (tmp_path / "study.md").exists()
    folder = tmp_path / "out"
    folder.mkdir()
    assert main(["export", str(file), "-o", str(folder)]) == 0
    assert "(study_files/1.png)" in (folder / "study.md").read_text(encoding="utf-8")
    assert (folder / "study_files" / "1.png").read_bytes() == PICTURE
    assert main(["export", str(file), "--force"]) == 0
    assert mine.read_bytes() == PICTURE


def test_a_panel_is_its_transcript(tmp_path: Path) -> None:
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "A chat panel."}
    document = exported(
        tmp_path,
        code(
            "cbai.ChatPanel()",
            {"output_type": "display_data", "data": view, "metadata": {}},
            shows(
                text_html='<details open class="cbai-transcript"></details>',
                text_plain="# poems\n\n**You**\n\n> Hi\n",
            ),
        ),
    )
    assert document == "```python\ncbai.ChatPanel()\n```\n\n## poems\n\n**You**\n\n> Hi\n"


HEADING = '<details open class="cbai-transcript x"></details>'


@pytest.mark.parametrize(
    ("html", "text", "expected"),
    [
        ("<p>cbai-transcript</p>", "# a\n![x](u)", "```\n# a\n![x](u)\n```\n"),
        (HEADING, "# a\n\n*x*\r# b", "> # a\n>\n> *x*\n> # b\n"),
        (HEADING, "# a\n\n# b\n", "> # a\n>\n> # b\n>\n"),
        (HEADING, "# a\n\n**You**\n\n<img src=x>", "> # a\n>\n> **You**\n>\n> \\<img src=x>\n"),
        (HEADING, "# a\n\n> <img src=x>\n\n*(no)*", "## a\n\n> \\<img src=x>\n\n*(no)*\n"),
    ],
)
def test_an_output_that_passes_for_a_transcript_stays_an_output(
    tmp_path: Path, html: str, text: str, expected: str
) -> None:
    assert exported(tmp_path, code("", shows(text_html=html, text_plain=text))) == expected


def test_the_name_of_a_language_stays_in_its_fence(tmp_path: Path) -> None:
    named = {"name": "python\n```\n# Fake"}
    assert exported(tmp_path, code("1"), language_info=named) == "```python\n1\n```\n"


@pytest.mark.parametrize(
    "cell",
    [
        "text",
        {"cell_type": "code", "source": 5},
        {"cell_type": "markdown", "source": ["a", 5]},
        {"cell_type": "code", "source": "", "outputs": [None, 5]},
        {"cell_type": "code", "source": "", "outputs": [{"data": []}, {"data": {"text/plain": 5}}]},
    ],
)
def test_a_broken_cell_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cell: Any
) -> None:
    assert main(["export", str(notebook_file(tmp_path, cell))]) == 1
    assert "is not a notebook of version 4" in capsys.readouterr().err


def test_what_cannot_be_written_or_read_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported(tmp_path)
    file = tmp_path / "study.ipynb"
    assert main(["export", str(file)]) == 1
    assert "--force" in capsys.readouterr().err
    assert main(["export", str(file), "--force"]) == 0
    file.write_text("{}", encoding="utf-8")
    assert main(["export", str(file), "--force"]) == 1
    assert "is not a notebook of version 4" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "other.ipynb")]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    exported(tmp_path, options=("--force",))
    assert main(["export", str(file), "-o", str(tmp_path / ("x" * 300))]) == 1
    assert "File name too long" in capsys.readouterr().err
