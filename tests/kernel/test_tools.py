"""The user's functions, called by a model from a cell."""

from __future__ import annotations

from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.kernel.harness import Kernel

DEFINE = '''
import cbai_notebook as cbai

def add(x: int, y: int = 1) -> int:
    """Add two numbers."""
    return x + y

@cbai.tool(confirm=True)
def drop(path: str) -> str:
    """Delete a file."""
    dropped.append(path)
    return "gone"

dropped = []
'''


def test_a_function_is_called_and_all_of_it_is_kept(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(DEFINE)
    gateway.script(calling(Call("add", {"x": 2, "y": 3}), text="Let me see."))
    gateway.script("say:It is 5.")
    cell = kernel.must("%%cbai --tool add -o answer\nWhat is 2 + 3?")
    for piece in ("Let me see.", "It is 5.", "add", "<details"):
        assert piece in cell.html, piece
    assert kernel.value("answer.text") == "It is 5."
    said = kernel.value("[[m['role'], m['content']] for m in cbai.chat().messages]")
    assert said == [
        ["user", "What is 2 + 3?"],
        ["assistant", "Let me see."],
        ["tool", "5"],
        ["assistant", "It is 5."],
    ]
    gateway.script("say:Still 5.")
    kernel.must("%%cbai\nSure?")
    roles = [message["role"] for message in gateway.last.json["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_the_user_is_asked_first(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(DEFINE)
    for answer, dropped in (("n", []), ("y", ["a.csv"])):
        gateway.script(calling(Call("drop", {"path": "a.csv"})))
        gateway.script("say:Done.")
        cell = kernel.send("%%cbai --tool drop --no-history\nClean up")
        prompt, hidden = kernel.answer_prompt(answer)
        assert prompt == 'The model wants to run drop:\n  "path": "a.csv"\nAllow it? [y/N] '
        assert not hidden
        assert "Done." in kernel.finish(cell).html
        assert kernel.value("dropped") == dropped
    told = gateway.requests[1].json["messages"][-1]["content"]
    assert "did not allow" in told


def test_where_nobody_can_be_asked_the_call_is_refused(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(DEFINE)
    kernel.must("get_ipython().kernel._allow_stdin = False")
    gateway.script(calling(Call("drop", {"path": "a.csv"})))
    gateway.script("say:Nothing was done.")
    cell = kernel.run(
        "get_ipython().kernel._allow_stdin = False\n"
        "get_ipython().run_cell_magic('cbai', '--tool drop', 'Clean up')"
    )
    assert "refused" in cell.html
    assert kernel.value("dropped") == []


def test_an_interrupt_ends_a_long_tool(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(
        "import time\ndef slow() -> str:\n    '''Wait.'''\n    started.append(1)\n    time.sleep(60)\n"
        "started = []"
    )
    gateway.script(calling("slow"))
    cell = kernel.send("%%cbai --tool slow\nGo")
    kernel.wait_for(lambda: "slow" in cell.html, "the call")
    kernel.interrupt()
    assert kernel.finish(cell).status == "error"
    assert "Stopped" in cell.error["evalue"] or cell.error["ename"] == "KeyboardInterrupt"
    assert kernel.value("1 + 1") == 2


def test_a_tool_can_use_what_belongs_to_the_kernels_loop(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(
        "import asyncio\nimport cbai_notebook as cbai\nhome = asyncio.get_running_loop()\n"
        "@cbai.tool(nested=True)\nasync def where() -> str:\n    '''Tell the loop.'''\n"
        "    await asyncio.sleep(0)\n    return str(asyncio.get_running_loop() is home)"
    )
    gateway.script(calling("where"))
    gateway.script("say:ok")
    cell = kernel.run("%%cbai --tool where\nGo")
    told = gateway.last.json["messages"][-1]["content"]
    # If a nested event loop would lose queued cells, the tool fails with a message instead.
    assert told == "True" or "nest" in told, (told, cell.outputs)


def test_an_answer_is_an_object(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(
        "from dataclasses import dataclass\n@dataclass\nclass City:\n    name: str\n    people: int"
    )
    gateway.script('say:{"name": "Shenzhen", "people": "many"}')
    gateway.script('say:{"name": "Shenzhen", "people": 17}')
    cell = kernel.must("%%cbai --schema City -o city\nShenzhen")
    assert kernel.value("[city.parsed.name, city.parsed.people]") == ["Shenzhen", 17]
    assert "many" not in cell.html, "the repaired answer is shown, and it alone"
    assert kernel.value("__import__('cbai_notebook').chat().messages[-1]['content']") == (
        '{"name": "Shenzhen", "people": 17}'
    )
    gateway.always("say:no object at all")
    failed = kernel.run("%%cbai --schema City\nParis")
    assert failed.status == "error"
    assert "no object at all" in failed.html, "what the model said is not lost"


def test_an_answer_can_be_a_list_of_models(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(
        "import pydantic\nclass City(pydantic.BaseModel):\n    name: str\n"
        "Cities = list[City]\nMaybe = City | None"
    )
    gateway.script('say:{"value": [{"name": "Shenzhen"}, {"name": "Rome"}]}')
    kernel.must("%%cbai --schema Cities -o cities\nTwo cities")
    assert kernel.value("[city.name for city in cities.parsed]") == ["Shenzhen", "Rome"]
    gateway.script('say:{"value": null}')
    kernel.must("%%cbai --schema Maybe -o city\nNo city")
    assert kernel.value("city.parsed") is None


def test_a_slip_in_a_name_is_said_before_anything_is_sent(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(DEFINE)
    for line, said in (
        ("--tool ad", "Did you mean add?"),
        ("--tool opne", "Define the function in a cell above."),  # not the builtin `open`
        ("--tool open", "there is no such variable"),
        ("--schema Nope", "there is no such variable"),
        ("--tool dropped", "can be no tool"),
    ):
        assert said in kernel.run(f"%%cbai {line}\nGo").error["evalue"]
    assert gateway.requests == []


def test_a_question_says_how_much_of_a_call_it_does_not_show(
    kernel: Kernel, gateway: Gateway
) -> None:
    kernel.must(DEFINE)
    gateway.script(calling(Call("drop", {"path": "x" * 1_000 + ".csv"})), "say:Done.")
    cell = kernel.send("%%cbai --tool drop --no-history\nClean up")
    prompt, _ = kernel.answer_prompt("n")
    beginning, end = prompt.split(" ⟨205 characters left out⟩ ")
    assert beginning.endswith('  "path": "' + "x" * 533 + '"')
    assert end == '"' + "x" * 262 + '.csv"\nAllow it? [y/N] '
    kernel.finish(cell)


def test_what_the_user_sees_is_what_runs(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(DEFINE)
    hidden = "a.csv" + " " * 400 + "; b.csv"
    disguised = "c.csv\nAllow it? [y/N] \u202e\x1b[2J"
    escaped = "".join(f"\\u{ord(char):04x}" for char in "rm -rf ~")
    for arguments, shown in (
        ({"path": hidden}, '"path": "a.csv" ⟨400 blanks⟩ "; b.csv"'),
        ({"path": "א 100 ב 999"}, r'"path": "\u05d0 100 \u05d1 999"'),
        ({"path": disguised}, r'"path": "c.csv\nAllow it? [y/N] \u202e\u001b[2J"'),
        (f'{{"path": "{escaped}"}}', '"path": "rm -rf ~"'),
    ):
        gateway.script(calling(Call("drop", arguments), shape="together"), "say:Done.")
        cell = kernel.send("%%cbai --tool drop --no-history\nClean up")
        prompt, _ = kernel.answer_prompt("n")
        assert prompt.split("\n") == [
            "The model wants to run drop:",
            f"  {shown}",
            "Allow it? [y/N] ",
        ]
        kernel.finish(cell)
    twice = '{"path": "a.csv", "p\\u0061th": "b.csv"}'
    gateway.script(calling(Call("drop", twice), shape="together"), "say:Sorry.")
    cell = kernel.must("%%cbai --tool drop --no-history\nClean up")
    assert "arguments do not fit" in cell.html
    assert "'path' is there twice" in gateway.last.json["messages"][-1]["content"]
    assert kernel.value("dropped") == []
