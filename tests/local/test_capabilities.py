"""What the offline model cannot do is refused before anything is sent, fetched or started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from cbai_notebook.errors import LocalModelError, UsageError
from tests.local import gguf_files
from tests.notebook.cells import error_of
from tests.notebook.conftest import configured, shell  # noqa: F401 - fixtures
from tests.sample_tools import add

ASK = [{"role": "user", "content": "What is 1 + 2?"}]
PICTURE = "data:image/png;base64,iVBORw0KGgo="
SEEN = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PICTURE}},
        ],
    }
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"messages": ASK, "tools": [add]}, "The offline model cannot call tools"),
    ({"messages": ASK, "tools": [{"type": "function", "function": {"name": "f"}}]}, "call tools"),
    ({"messages": ASK, "think": True}, "The offline model cannot think"),
    ({"messages": SEEN}, "The offline model cannot see images"),
]
TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"
WITH_TOOLS = "{% if tools %}{{ tools | tojson }}{% endif %}" + TEMPLATE
WITH_THINKING = TEMPLATE + "{% if enable_thinking %}<think>{% endif %}"


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the demo model be missing, with nowhere to fetch it from."""
    monkeypatch.setenv("CBAI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")


async def test_who_is_connected_already_is_not_told_to_log_in() -> None:
    model = create_model("local", settings=Settings(env_id="e", api_key="k"))
    with pytest.raises(UsageError, match="Name another model with model=…") as raised:
        await model.generate_text(messages=ASK, think=True)
    for place in ("cell", "python"):
        said = raised.value.in_language("en", place)
        assert "login" not in said
        assert "configure" not in said


@pytest.mark.parametrize(("params", "says"), REFUSED)
async def test_the_demo_model_refuses_what_it_cannot_do(params: dict[str, Any], says: str) -> None:
    model = create_model("local", settings=Settings())
    for asked in (model.generate_text, model.stream_text, lambda **all: model.prepare(True, **all)):
        with pytest.raises(UsageError, match=says) as raised:
            await asked(**params)
        assert "model=…" in str(raised.value)
        assert "-m, or connect to CloudBase with %cbai login" in raised.value.in_language(
            "en", "cell"
        )


@pytest.mark.parametrize("params", [{}, {"tools": []}, {"think": False}, {"response_type": dict}])
async def test_it_is_started_for_everything_else(params: dict[str, Any]) -> None:
    with pytest.raises(LocalModelError):  # there is nothing to fetch it from
        await create_model("local", settings=Settings()).generate_text(messages=ASK, **params)


async def test_a_refused_prompt_is_not_kept() -> None:
    conversation = Conversation("offline")
    model = create_model("local", settings=Settings())
    for prompt in (
        Prompt("add", options={"tools": [add]}),
        Prompt("think", options={"think": True}),
        Prompt("look", images=(PICTURE,)),
        Prompt("slip", options={"max_steps": 0}),
    ):
        with pytest.raises(UsageError):
            await ask(prepare(conversation, prompt, model=model))
    assert conversation.messages == []


async def test_an_image_of_an_earlier_prompt_is_told_apart() -> None:
    messages = [*SEEN, {"role": "assistant", "content": "A cat."}, *ASK]
    with pytest.raises(UsageError, match="Leave that one out") as raised:
        await create_model("local", settings=Settings()).generate_text(messages=messages)
    assert "earlier message: --no-history" in raised.value.in_language("en", "cell")


@pytest.mark.parametrize(
    ("texts", "refused"),
    [
        ({}, {"tools", "think", "image"}),
        ({"tokenizer.chat_template": TEMPLATE}, {"tools", "think", "image"}),
        ({"tokenizer.chat_template": WITH_TOOLS}, {"think", "image"}),
        ({"tokenizer.chat_template": WITH_THINKING}, {"tools", "image"}),
        ({"tokenizer.chat_template": WITH_TOOLS + WITH_THINKING}, {"image"}),
        ({"tokenizer.chat_template": TEMPLATE, "tokenizer.chat_template.tool_use": WITH_TOOLS},
         {"think", "image"}),
    ],
)  # fmt: skip
def test_the_chat_template_of_another_file_decides(
    tmp_path: Path, texts: dict[str, str], refused: set[str]
) -> None:
    gguf = gguf_files.write(tmp_path / "mine.gguf", texts)
    model = create_model("local", settings=Settings())
    asked: dict[str, dict[str, Any]] = {
        "tools": {"messages": ASK, "tools": [add]},
        "think": {"messages": ASK, "think": True},
        "image": {"messages": SEEN},
    }
    for name, params in asked.items():
        if name in refused:
            with pytest.raises(UsageError, match="The offline model mine cannot"):
                model.check(model=str(gguf), **params)
        else:
            model.check(model=str(gguf), **params)


def test_another_file_in_the_same_place_is_read_again(tmp_path: Path) -> None:
    model = create_model("local", settings=Settings())
    gguf = gguf_files.write(tmp_path / "mine.gguf", {"tokenizer.chat_template": TEMPLATE})
    with pytest.raises(UsageError):
        model.check(model=str(gguf), messages=ASK, tools=[add])
    gguf_files.write(gguf, {"tokenizer.chat_template": WITH_TOOLS})
    model.check(model=str(gguf), messages=ASK, tools=[add])


@pytest.mark.parametrize("cut", [0, 3, 12, 30, 100, -10])
async def test_a_damaged_file_is_left_to_the_runtime(tmp_path: Path, cut: int) -> None:
    gguf = gguf_files.write(tmp_path / "mine.gguf", {"tokenizer.chat_template": TEMPLATE})
    data = gguf.read_bytes()
    gguf.write_bytes(data[:cut])
    model = create_model("local", settings=Settings())
    model.check(model=str(gguf), messages=ASK, tools=[add])
    # A count that no file holds: reading stops at its end, and does not take for ever.
    gguf.write_bytes(data[:16] + b"\xff" * 8 + data[24:])
    model.check(model=str(gguf), messages=ASK, tools=[add])
    with pytest.raises(LocalModelError, match="no model file"):
        await model.generate_text(model=str(tmp_path / "no.gguf"), messages=ASK, tools=[add])


@pytest.mark.parametrize(
    ("options", "says"),
    [("--tool add", "call tools"), ("--think", "think"), ("--image cat.png", "see images")],
)
def test_a_cell_says_it_and_keeps_nothing(
    shell: TerminalInteractiveShell,  # noqa: F811
    options: str,
    says: str,
) -> None:
    Path("cat.png").write_bytes(
        bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de")
    )
    shell.user_ns["add"] = add
    for more in ("", " --dry-run"):
        error = error_of(shell, f"%%cbai -m local {options}{more}\nHi")
        assert isinstance(error, UsageError)
        assert f"The offline model cannot {says}" in str(error)
    assert cbai.chat().messages == []


@pytest.mark.usefixtures("configured")
def test_a_panel_says_it_and_keeps_nothing() -> None:
    panel = cbai.ChatPanel("panel-offline", model="local", tools=[add])
    try:
        with pytest.raises(UsageError, match="cannot call tools"):
            panel.send("Hi")
        assert panel.messages == []
        assert not panel.isLoading
    finally:
        panel.close()
