"""The difference of two answers in a real kernel."""

from __future__ import annotations

from tests.kernel.harness import Kernel, notebook_of


def test_a_cell_shows_the_difference_in_colour_and_as_text(kernel: Kernel) -> None:
    cell = kernel.must(
        "from cbai_notebook.notebook.diff_view import show; show('the red fox', 'the blue fox')"
    )
    (output,) = cell.outputs
    assert "<del" in output["data"]["text/html"]
    assert output["data"]["text/plain"] == "the [-red-]{+blue+} fox"
    notebook_of([cell])
