"""A cell advises its options, Python code its arguments, each where the same text is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook import i18n
from cbai_notebook.conversation.formats import export
from cbai_notebook.errors import CbaiError
from tests.gateway import Gateway, Scenario
from tests.gateway.tools import Call, calling
from tests.notebook.cells import error_of, must
from tests.notebook.panel.panels import converse, eventually, shown

CUT = Scenario(text='{"people": 1', finish_reason="length")
NOT_SET_UP = "error:400:AI_MODEL_CONFIG_MISSING"


@dataclass
class City:
    people: int


@pytest.fixture(params=["en", "zh"])
def _in_each_language(request: pytest.FixtureRequest) -> Iterator[None]:
    i18n.choose(request.param)
    yield
    i18n.choose(None)


def from_python(**params: object) -> CbaiError:
    """Return the error of a request from Python code."""
    model = cbai.create_model("cloudbase")
    messages = [{"role": "user", "content": "Hello"}]
    with pytest.raises(CbaiError) as caught:
        cbai.run(model.generate_text(model="echo", messages=messages, **params))
    return caught.value


@pytest.mark.usefixtures("_in_each_language")
@pytest.mark.parametrize(
    ("scenario", "options", "params", "option", "argument"),
    [
        (CUT, "--schema City", {"response_type": City}, "--max-tokens", "max_tokens=…"),
        (NOT_SET_UP, "", {}, "-m", "model=…"),
        ("error:401:INVALID_CREDENTIALS", "", {}, "%cbai login", "cbai.configure("),
        ("error:400:AI_MODEL_PARAM_INVALID", "", {}, "--dry-run", "model.prepare("),
        ("error:400:context_length_exceeded", "", {}, "--max-tokens", "max_tokens=…"),
        (Scenario(), "--schema City", {"response_type": object}, "--schema", "response_type="),
    ],
)
def test_an_error_names_the_option_in_a_cell_and_the_argument_in_python(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    scenario: Scenario | str,
    options: str,
    params: dict[str, object],
    option: str,
    argument: str,
) -> None:
    gateway.always(scenario)
    shell.user_ns["City"] = params.get("response_type")
    of_cell = error_of(shell, f"%%cbai {options}\nHello")
    assert isinstance(of_cell, CbaiError)
    for shown_in_cell in (str(of_cell), of_cell.line, capsys.readouterr().out):
        assert option in shown_in_cell
        assert argument not in shown_in_cell
    of_python = from_python(**params)
    assert type(of_python) is type(of_cell)
    for read_in_python in (str(of_python), of_python.line, of_python.in_language("zh")):
        assert argument in read_in_python
        assert option not in read_in_python


def test_python_code_in_a_cell_is_told_the_argument(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.always(NOT_SET_UP)
    code = "cbai.run(cbai.create_model('cloudbase').generate_text(model='echo', messages=messages))"
    shell.user_ns.update(cbai=cbai, messages=[{"role": "user", "content": "Hello"}])
    error_of(shell, code)
    printed = capsys.readouterr().out
    assert "model=…" in printed
    assert "-m" not in printed


def test_a_kept_error_names_what_the_place_writes_that_shows_it(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always(NOT_SET_UP)
    error_of(shell, "%%cbai -c places\nHello")
    talk = cbai.chat("places")
    for read_in_python in (talk.turns[-1].error, talk.messages[-1]["error"]):
        assert "name another with model=…." in read_in_python
    (document,) = export(talk, "markdown").files.values()
    assert "name another with -m." in str(document)
    panel = cbai.ChatPanel("places")
    eventually(lambda: "name another with the model menu." in shown(panel.widget))
    assert "或用模型菜单指定其他模型" in shown(panel.widget)
    assert "model=…" not in shown(panel.widget)
    assert " -m" not in shown(panel.widget)
    panel.close()


def test_an_error_of_a_panel_names_what_a_panel_has_on_the_page_and_the_argument_in_python(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always("error:401:INVALID_CREDENTIALS")
    panel = cbai.ChatPanel("of-panel")
    converse(panel, "Hello")
    assert "with cbai.configure(env_id=…, api_key=…)." in panel.messages[-1]["error"]
    eventually(lambda: "with %cbai login in a cell." in shown(panel.widget))
    assert "cbai.configure" not in shown(panel.widget)
    panel.close()


@pytest.mark.parametrize(
    ("scenario", "params", "option", "argument"),
    [
        (Scenario(text="Once", finish_reason="length"), "", "--max-tokens", "max_tokens=…"),
        (Scenario(text="", reasoning="Hm."), "", "--max-tokens", "max_tokens=…"),
        (Scenario(text="", finish_reason="content_filter"), "", "-m", "model=…"),
        (calling(Call("look")), "max_steps=1, tools=[look], ", "--max-steps", "max_steps=…"),
    ],
)
def test_the_end_of_an_answer_names_the_option_in_a_cell_and_the_argument_under_a_shown_stream(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    scenario: Scenario,
    params: str,
    option: str,
    argument: str,
) -> None:
    def look() -> str:
        """Look outside."""
        return "sun"

    gateway.always(scenario)
    shell.user_ns.update(cbai=cbai, look=look, messages=[{"role": "user", "content": "Hello"}])
    must(shell, f"%%cbai {'--max-steps 1 --tool look' if params else ''}\nHello")
    printed = capsys.readouterr().out
    assert option in printed
    assert argument not in printed
    asked = f"stream_text(model='echo', {params}messages=messages)"
    must(shell, f"shown = cbai.show(cbai.run(cbai.create_model('cloudbase').{asked}))")
    printed = capsys.readouterr().out
    assert argument in printed
    assert option not in printed


def test_a_command_prints_a_problem_with_the_options_of_cells(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    cbai.configure(model="no such provider/hy3")
    must(shell, "%cbai config")
    printed = capsys.readouterr().out
    assert "as in -m cloudbase/hy3." in printed
    assert "create_model" not in printed
