"""How a shell is told to show answers: with the first one, and in the user's own way if there is one."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

import cbai_notebook as cbai
from cbai_notebook.client.answer import Answer
from tests.gateway import Gateway, Scenario
from tests.notebook.cells import must


@pytest.fixture
def answer(configured: None, gateway: Gateway) -> Answer:
    gateway.script(Scenario(text="The sky is *blue*."))
    prompt = [{"role": "user", "content": "Why?"}]
    model = cbai.create_model("cloudbase")
    return cbai.run(cbai.run(model.stream_text(model="m", messages=prompt)).finish())


def html_of(shell: InteractiveShell, answer: Answer) -> str | None:
    assert shell.display_formatter is not None
    return shell.display_formatter.format(answer)[0].get("text/html")


def test_an_answer_is_shown_from_loading_until_unloading(
    bare_shell: InteractiveShell, answer: Answer
) -> None:
    for _ in range(2):
        assert html_of(bare_shell, answer) is None
        must(bare_shell, "%load_ext cbai_notebook")
        for _ in range(2):
            assert "<em>blue</em>" in str(html_of(bare_shell, answer))
        must(bare_shell, "%unload_ext cbai_notebook")


def test_loading_makes_no_formatters(bare_shell: InteractiveShell) -> None:
    must(bare_shell, "%load_ext cbai_notebook")
    assert bare_shell.display_formatter is not None
    assert not bare_shell.display_formatter.trait_has_value("formatters"), "IPython has to make ten"


def test_a_formatter_of_the_user_stays(bare_shell: InteractiveShell, answer: Answer) -> None:
    must(bare_shell, "%load_ext cbai_notebook")
    assert bare_shell.display_formatter is not None
    bare_shell.display_formatter.formatters["text/html"].for_type(Answer, lambda _: "<b>mine</b>")
    assert html_of(bare_shell, answer) == "<b>mine</b>"
