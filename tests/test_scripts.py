"""Scripts and web servers: a process without IPython, ipykernel and ipywidgets asks all the same."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment

PREPARATION = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"IPython", "ipykernel", "ipywidgets", "anywidget", "traitlets"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())

import asyncio
import cbai_notebook as cbai

def question(text):
    return {"model": "m", "messages": [{"role": "user", "content": text}]}
"""


class Script:
    """Runs code where nothing of Jupyter is installed, and returns what it prints."""

    def __init__(self, gateway: Gateway, home: Path) -> None:
        self._environment = isolated_environment(home, **gateway_variables(gateway), PYTHONUTF8="1")

    def __call__(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PREPARATION + textwrap.dedent(code)],
            cwd=Path(__file__).parents[1],
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def script(gateway: Gateway, tmp_path: Path) -> Script:
    gateway.always("echo")
    return Script(gateway, tmp_path)


def test_every_public_name_can_be_imported(script: Script) -> None:
    assert script("from cbai_notebook import *\nprint(ChatPanel.__name__)") == "ChatPanel\n"


def test_a_plain_function_asks(script: Script) -> None:
    code = """
    answer = cbai.run(cbai.create_model().generate_text(**question("one")))
    print(answer)
    """
    assert "one" in script(code)


def test_a_web_server_asks_many_at_once(script: Script) -> None:
    code = """
    async def handle(text):
        model = cbai.create_model()
        stream = await model.stream_text(**question(text))
        streamed = "".join([piece async for piece in stream.text_stream])
        assert streamed == str(await stream.finish()) == str(await model.generate_text(**question(text)))
        return streamed

    async def main():
        for text in await asyncio.gather(*[handle(f"visitor {number}") for number in range(5)]):
            print(text)

    asyncio.run(main())
    """
    printed = script(code).splitlines()
    assert [line[-1] for line in printed] == list("01234")


def test_an_agent_answers(script: Script) -> None:
    code = """
    async def main():
        async with await cbai.agent("bot-reader").send_message("Who?") as stream:
            print(await stream.finish())

    cbai.run(main())
    """
    assert script(code).strip()


def test_a_tool_is_called(script: Script, gateway: Gateway) -> None:
    gateway.script(calling(Call("add", {"x": 1, "y": 2})), "say:It is 3.")
    code = """
    from tests.sample_tools import add

    print(cbai.run(cbai.create_model().generate_text(**question("1 + 2"), tools=[add])))
    """
    assert script(code) == "It is 3.\n"


def test_a_stream_is_shown_and_turns_are_kept(script: Script) -> None:
    code = """
    answer = cbai.show(cbai.run(cbai.create_model().stream_text(**question("shown"))))
    cbai.chat("poems").extend(cbai.Conversation.from_messages(answer.messages).turns)
    print(len(cbai.chat("poems").messages), "messages")
    print(len(cbai.history(search="shown")) > 0)
    """
    printed = script(code)
    assert "shown" in printed
    assert printed.endswith("2 messages\nTrue\n")


def test_a_panel_says_that_it_needs_a_notebook(script: Script) -> None:
    assert "notebook" in script("print(cbai.ChatPanel())")
