"""The cells of the exported notebook send exactly the prompts, with their options."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.parser import PromptOptions, parse_cell
from cbai_notebook.prompts.template import expand
from tests.conversation.formats.samples import HOSTILE, HOSTILE_IDS, text_of, texts
from tests.conversation.turns import conversation, turn
from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment


def notebook_of(talk: Conversation) -> nbformat.NotebookNode:
    made = nbformat.reads(text_of(talk, "notebook"), as_version=4)
    nbformat.validate(made)
    assert (made.nbformat, made.nbformat_minor) == (4, 5)
    return made


def cell_prompts(talk: Conversation) -> list[tuple[PromptOptions, str, str | None]]:
    """Return what the prompts' cells would ask: options, prompt and system prompt.

    IPython's transformations, our option parser and our references are all applied. The namespace
    has variables with the names that hostile texts use, to show that they are not filled in.
    """
    names = dict.fromkeys(["name", "x", "quit", "In", "_", "json", "title"], "FILLED IN")
    found = []
    for cell in notebook_of(talk).cells:
        if cell.cell_type != "code" or cell.source == "%load_ext cbai_notebook":
            continue
        code = TransformerManager().transform_cell(cell.source)
        (*_, last) = ast.parse(code).body
        if isinstance(last, ast.Assign):
            assert "get_ipython" not in code
            exec(code, names)
            continue
        assert isinstance(last, ast.Expr)
        assert isinstance(last.value, ast.Call)
        magic, line, body = (ast.literal_eval(argument) for argument in last.value.args)
        assert magic == "cbai"
        options = parse_cell(line)
        system = options.system
        found.append(
            (
                options,
                expand(body.strip("\n"), names).text,
                expand(system, names).text if system else system,
            )
        )
    return found


def test_a_cell_has_the_options_of_its_turn() -> None:
    talk = conversation(
        turn(
            "Hello",
            "Hi",
            system="Be brief.",
            params={"temperature": 0.8, "max_tokens": 50, "top_p": 0.9, "stop": ["\n", "x y"]},
        ),
        turn("Go on", "Yes", system=""),
        turn("And offline?", "No", provider="local", model="SmolLM2-135M-Instruct"),
        turn("Who knows", "Me", provider=None, model=None),
    )
    sources = [cell.source for cell in notebook_of(talk).cells]
    assert sources == [
        "# poems",
        "%load_ext cbai_notebook",
        '%%cbai -m cloudbase/hy3 -s "Be brief." -t 0.8 --max-tokens 50 -P top_p=0.9 '
        '-P stop=["\\n", "x y"]\nHello',
        '%%cbai -m cloudbase/hy3 -s ""\nGo on',
        "%%cbai -m local\nAnd offline?",
        "%%cbai\nWho knows",
    ]


def test_ids_are_those_that_the_format_allows() -> None:
    talk = conversation(turn("a", "b"), name="诗 & " + "x" * 200)
    ids = [cell.id for cell in notebook_of(talk).cells]
    assert len(set(ids)) == len(ids)


def test_what_could_be_filled_in_goes_by_a_variable() -> None:
    talk = conversation(turn('Explain {"a": 1} and {name}\nin "full"', "b", system="{x}\ny"))
    cells = notebook_of(talk).cells
    assert cells[2].source == (
        "system_1 = (\n    '{x}\\n'\n    'y'\n)\n"
        "prompt_1 = (\n    'Explain {\"a\": 1} and {name}\\n'\n    'in \"full\"'\n)"
    )
    assert cells[3].source == '%%cbai -m cloudbase/hy3 -s "{system_1}"\n{prompt_1}'


def test_json_in_a_prompt_stays_in_its_cell() -> None:
    talk = conversation(turn('Return {"city": "北京"} for a_{1} 你好　世界 👩‍👧', "b"))
    assert notebook_of(talk).cells[2].source.endswith(talk.turns[0].prompt)


@pytest.mark.parametrize(
    "text",
    [
        "What is wrong here?\n>>> 1 + '1'\nTypeError",
        "a\n    >>> b",
        "see\n... more",
        "[nav] In [1]: x",
        "a\n  ....: b",
        "a\n   \nb",
        "a\nb\n\t",
        "  def f():\n    return 1",
        "!ls\n  ?",
    ],
)
def test_no_reader_of_the_notebook_changes_a_prompt(text: str) -> None:
    check(turn(text, "b"))


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_hostile_text_comes_out_as_it_went_in(text: str) -> None:
    check(turn(text, text, system=text, params={"user": text, "stop": [text, {text: text}]}))
    check(turn("hello", model=text, provider=text, params={text: 1}))


PARAMS = st.one_of(texts(), st.integers(-9, 9), st.booleans(), st.lists(texts(), max_size=2))


@given(texts(), texts(), st.dictionaries(st.sampled_from(["user", "stop", "seed"]), PARAMS))
def test_any_text_comes_out_as_it_went_in(prompt: str, system: str, params: dict[str, Any]) -> None:
    check(turn(prompt, system=system, params=params))


def check(one: Turn) -> None:
    ((options, prompt, system),) = cell_prompts(conversation(one))
    assert prompt == one.prompt
    assert system == one.system
    for name in ("user", "stop", "seed"):
        assert options.request_params.get(name) == one.params.get(name)


def test_what_no_option_can_say_is_told() -> None:
    talk = conversation(
        turn("a", "b", params={"data": 1, "x y": 2}, images=("data:image/png;base64,AA",))
    )
    assert notebook_of(talk).cells[2].source == (
        "Not in the next prompt: the parameter data, the parameter x y and 1 image."
    )


def test_an_empty_conversation_makes_no_notebook() -> None:
    with pytest.raises(UsageError, match="is empty"):
        text_of(conversation(), "notebook")


@pytest.mark.kernel
def test_the_notebook_runs(gateway: Gateway, tmp_path: Path) -> None:
    prompts = ["Hello", "What is {name}?", "%%bash\necho", 'Say "it\'s"\n\n{x: 1}', *HOSTILE[:3]]
    prompts += ["What is this?\n>>> 1\n    \n  !ls", "... more"]
    talk = conversation(*(turn(prompt, "x", params={"seed": 7}) for prompt in prompts))
    made = notebook_of(talk)
    client = NotebookClient(made, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(
        env=isolated_environment(
            tmp_path / "home",
            **gateway_variables(gateway),
            NO_PROXY="127.0.0.1",
        )
    )
    bodies = [json.loads(exchange.body) for exchange in gateway.requests]
    assert [body["messages"][-1]["content"] for body in bodies] == prompts
    assert {body["seed"] for body in bodies} == {7}
    assert not (tmp_path / "broken").exists()
