"""Shift+Tab in a real kernel."""

from __future__ import annotations

import pytest

from tests.kernel.harness import Kernel

OPTIONS = "the lines below are the prompt"
EXPORT = "write a conversation to a file"


@pytest.mark.parametrize(
    ("code", "shown", "not_shown"),
    [
        ("%%cbai", OPTIONS, ""),
        ("%%cbai -m hy3 --think", OPTIONS, ""),
        ("%cbai", OPTIONS, ""),
        ("%cbai?", OPTIONS, ""),
        ("%cbai export", "%cbai export", OPTIONS),
        ("1\n  %cbai export --to html -c poems", EXPORT, OPTIONS),
        ("x = %cbai history", "--search", OPTIONS),
        ("%cbai history of Rome", OPTIONS, "--search"),
        ("%%cbai\nSum up {sales", "an int of ours", OPTIONS),
        ("sales", "an int of ours", OPTIONS),
        ("print('%cbai', sales", "print", OPTIONS),
    ],
)
def test_shift_tab_shows_the_help(kernel: Kernel, code: str, shown: str, not_shown: str) -> None:
    kernel.must("class Sales(int):\n    'an int of ours'\nsales = Sales(3)")
    found = kernel.inspect(code)
    assert shown in found
    assert not not_shown or not_shown not in found


def test_shift_tab_is_taken_back(kernel: Kernel) -> None:
    kernel.must("%unload_ext cbai_notebook")
    assert OPTIONS not in kernel.inspect("%%cbai -m hy3")
