"""The code of an answer in a new cell."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from cbai_notebook.notebook.insert import (
    CodeBlock,
    code_blocks,
    insert_answer,
    new_cell_text,
)


def cell_of(markdown: str) -> str:
    return new_cell_text(code_blocks(markdown))


@pytest.mark.parametrize(
    ("markdown", "blocks"),
    [
        ("No code, only `inline`.", []),
        ("```python\nx = 1\n```", [CodeBlock("python", "x = 1")]),
        ("~~~ Python title='a.py'\nx\n~~~", [CodeBlock("python", "x")]),
        ("```{.python .numberLines}\nx\n```", [CodeBlock("python", "x")]),
        ("```python,linenos\nx\n```", [CodeBlock("python", "x")]),
        ("```\nx\n\n  y\n\n```", [CodeBlock("", "x\n\n  y")]),
        ("1. Do:\n   ```py\n   a\n     b\n   ```\n", [CodeBlock("py", "a\n  b")]),
        ("> ```py\n> a\n> ```", [CodeBlock("py", "a")]),
        ("````md\n```py\nx\n```\n````", [CodeBlock("md", "```py\nx\n```")]),
        ("```python\ncut off", [CodeBlock("python", "cut off")]),
        ("```python\n\n```\n```py\na\n```", [CodeBlock("py", "a")]),
    ],
)
def test_fenced_blocks_are_found(markdown: str, blocks: list[CodeBlock]) -> None:
    assert code_blocks(markdown) == blocks


@pytest.mark.parametrize(
    ("markdown", "cell"),
    [
        ("Just text.", ""),
        ("```python\na = 1\n```\nThen:\n```py\nb = 2\n```", "a = 1\n\nb = 2"),
        ("```\nprint(1)\n```", "print(1)"),
        ("```\nTotal: five apples\n```", "# Total: five apples"),
        ("```python\n1 + 1\n```\nprints\n```\n2\n```", "1 + 1\n\n# 2"),
        ("```bash\nls\n```\n```shell\npwd\n```", "%%bash\nls\n\npwd"),
        ("```sh\nls\n```", "%%sh\nls"),
        ("```html\n<b>hi</b>\n```", "%%html\n<b>hi</b>"),
        ("```js\nalert(1)\n```", "%%javascript\nalert(1)"),
        (
            "```bash\npip install x\n\nls\n```\n```python\nimport x\n```",
            "# bash:\n# pip install x\n#\n# ls\n\nimport x",
        ),
        ("```sql\nselect 1\n```", "# sql:\n# select 1"),
        ("```html\n<b>\n```\n```css\nb {}\n```", "# html:\n# <b>\n\n# css:\n# b {}"),
        ("```python\n%%time\nx\n```", "%%time\nx"),
        ("```bash\n%%bash\nls\n```", "%%bash\nls"),
        ("```python\n%%time\nx\n```\n```python\ny\n```", "# python:\n# %%time\n# x\n\ny"),
        (
            "```pycon\n>>> a\n1\n>>> for i in x:\n...     b\n...\n3\n```",
            "a\nfor i in x:\n    b\n",
        ),
        ("```python\n>>> a = 1\n>>> a\n1\n```", "a = 1\na"),
    ],
)
def test_blocks_become_one_cell_that_fits_their_language(markdown: str, cell: str) -> None:
    assert cell_of(markdown) == cell


def test_characters_that_hide_code_are_taken_out() -> None:
    assert (
        cell_of("```python\nif ok\u202e: \u2066# x\x1b[8m\n    pass\n```") == "if ok: # x\n    pass"
    )


@given(st.text())
def test_a_comment_never_ends_before_its_block_does(source: str) -> None:
    cell = new_cell_text([CodeBlock("sql", source), CodeBlock("python", "x")])
    shown = cell.removesuffix("x").splitlines()
    assert all(line.startswith("#") or not line for line in shown)
    assert ast.dump(ast.parse(cell.replace("\0", ""))) == ast.dump(ast.parse("x"))


def test_the_new_cell_is_the_shells_next_input(bare_shell: InteractiveShell) -> None:
    assert insert_answer(bare_shell, "Try this:\n```python\nprint('hi')\n```") == ""
    assert bare_shell.rl_next_input == "print('hi')"


def test_without_code_nothing_is_inserted_and_the_user_is_told(
    bare_shell: InteractiveShell,
) -> None:
    assert (
        insert_answer(bare_shell, "There is nothing to run.")
        == "The answer holds no code block, so no cell was inserted."
    )
    assert not hasattr(bare_shell, "rl_next_input")
