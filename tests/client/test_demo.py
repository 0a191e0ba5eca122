"""The demo model: its script, its simple rules, and the real client that talks to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbai_notebook as cbai
from cbai_notebook.client.demo.schema_values import fitting_value
from cbai_notebook.client.providers import parse_model_spec
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ServerError,
    StreamCutError,
    UsageError,
)

Ask = Any


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    cbai.demo(pace=0)
    yield
    cbai.demo()
    cbai.configure(language=None)


@pytest.fixture(params=["complete", "stream"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Return a function that asks the demo model, once for each way to ask."""

    async def ask(prompt: str | list[dict[str, Any]], **params: Any) -> cbai.Answer:
        model = cbai.create_model("demo", settings=Settings())
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        if request.param == "complete":
            return await model.generate_text(messages=messages, **params)
        stream = await model.stream_text(messages=messages, **params)
        return await stream.finish()

    return ask


def get_weather(city: str, days: int = 1) -> str:
    """Get the weather forecast."""
    return f"sunny in {city} for {days} d"


async def test_without_a_script_it_repeats_what_was_asked(ask: Ask) -> None:
    answer = await ask("Why is the sky blue?")
    assert answer.text.startswith("You asked in 5 words: “Why is the sky blue?”")
    assert (await ask("Why is the sky blue?")).text == answer.text
    assert "not a real one" in answer.label
    assert answer.usage.prompt_tokens == 5
    assert answer.reasoning == ""
    assert "6 words" in (await ask("介绍一下李白")).text
    assert "`--tool get_weather`" in (await ask("What can you do?")).text


async def test_a_prompt_of_several_lines_keeps_them(ask: Ask) -> None:
    prompt = "Explain the table.\n\n| city | ```n``` |\n|---|---|\n| Rome | 3 |\n"
    answer = await ask(prompt)
    assert answer.text.startswith(f"You asked in 7 words:\n\n````\n{prompt}````\n\n")
    assert answer.text.count("\n") == prompt.count("\n") + 5
    long = "\n".join(f"row {number}" for number in range(1_000))
    assert "row 19\n…\n```" in (await ask(long)).text
    cbai.configure(language="zh")
    assert (await ask("一\n二")).text.startswith(
        "你的提问有 2 个字词：\n\n```\n一\n二\n```\n\n我是"
    )


async def test_it_speaks_the_language_of_the_user(ask: Ask) -> None:
    cbai.configure(language="zh")
    answer = await ask("Why?")
    assert answer.text.startswith("你的提问有 1 个字词：“Why?”。")
    assert answer.label == "演示模型，并非真实模型"
    assert (await ask("为什么？", think=True)).reasoning.startswith("提示词有 3 个字词。")
    assert "`--tool get_weather`" in (await ask("你能做什么？")).text
    answer = await ask("用get_weather查询“深圳”的天气", tools=[get_weather])
    assert answer.text == "`get_weather` 返回：sunny in 深圳 for 1 d"
    cbai.demo(status=401, pace=0)
    with pytest.raises(AuthenticationError, match="状态码 401"):
        await ask("Hello")


async def test_an_answer_goes_on_in_the_language_in_which_it_began(ask: Ask) -> None:
    whole = (await ask("Why is the sky blue?")).text
    cut = await ask("Why is the sky blue?", max_tokens=6)
    cbai.configure(language="zh")
    more = {"role": "user", "content": "Continue your answer exactly where it stopped."}
    assert cut.text + (await ask([*cut.messages, more])).text == whole


async def test_it_counts_the_prompts_of_a_conversation_and_the_images(ask: Ask) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    answer = await ask(
        [
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "Two"},
            {"role": "user", "content": [{"type": "text", "text": "Three"}, image, image]},
        ]
    )
    assert "I was shown 2 images." in answer.text
    assert "It is prompt 2 of our conversation." in answer.text


async def test_it_thinks_when_asked_to(ask: Ask) -> None:
    assert (await ask("Why?", think=True)).reasoning.startswith("The prompt has 1 word.")
    cbai.demo(thinking="Six times seven.", text="42", pace=0)
    answer = await ask("6 × 7?")
    assert (answer.reasoning, answer.text) == ("Six times seven.", "42")
    assert (await ask("6 × 7?", think=False)).reasoning == ""


async def test_answers_come_in_their_order_and_the_last_one_repeats(ask: Ask) -> None:
    model = cbai.demo("first", "second", pace=0)
    assert [(await ask(prompt)).text for prompt in "abc"] == ["first", "second", "second"]
    assert [request.prompt for request in model.requests] == ["a", "b", "c"]
    cbai.demo()
    assert (await ask("a")).text.startswith("You asked")


async def test_rules_choose_by_the_prompt(ask: Ask) -> None:
    cbai.demo({"weather|rain": "Sunny.", r"\d+ legs": lambda messages: "A cat."}, pace=0)
    assert (await ask("Is there RAIN?")).text == "Sunny."
    assert (await ask("What has 4 legs?")).text == "A cat."
    assert (await ask("Hello")).text.startswith("You asked"), "no rule fits"


async def test_a_function_gets_the_messages(ask: Ask) -> None:
    model = cbai.demo(lambda messages: messages.pop()["content"].upper(), pace=0)
    assert (await ask("hello")).text == "HELLO"
    assert model.requests[0].messages == [{"role": "user", "content": "hello"}]
    cbai.demo(lambda messages: 1 / 0, pace=0)
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        await ask("hello")
    cbai.demo(lambda messages: 42, pace=0)
    with pytest.raises(UsageError, match="not int"):
        await ask("hello")


async def test_it_calls_a_tool_whose_name_is_in_the_prompt(ask: Ask) -> None:
    answer = await ask("What is the weather in San Francisco for 3 days?", tools=[get_weather])
    assert answer.text == "`get_weather` answered: sunny in San Francisco for 3 d"
    assert len(answer.steps) == 2
    answer = await ask("Tell me a joke.", tools=[get_weather])
    assert len(answer.steps) == 1


async def test_a_script_calls_tools(ask: Ask) -> None:
    twice = [("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Paris"})]
    cbai.demo(cbai.DemoAnswer("Let me look.", calls=twice), "Sunny in both.", pace=0)
    answer = await ask("Rome or Paris?", tools=[get_weather])
    assert answer.text == "Sunny in both."
    assert [call.result for call in answer.steps[0].results] == [
        "sunny in Rome for 1 d",
        "sunny in Paris for 1 d",
    ]


@pytest.mark.parametrize("by_rule", [False, True])
async def test_a_repeated_answer_calls_its_tools_once_for_each_prompt(
    ask: Ask, by_rule: bool
) -> None:
    calling = cbai.DemoAnswer(calls={"get_weather": {"city": "Rome"}})
    cbai.demo({"": calling} if by_rule else calling, pace=0)
    for _ in range(2):
        answer = await ask("Go", tools=[get_weather])
        assert answer.text == "`get_weather` answered: sunny in Rome for 1 d"
        assert len(answer.steps) == 2


async def test_ways_to_end(ask: Ask) -> None:
    cbai.demo(text="Mix flour", finish="length", pace=0)
    assert "cut at the token limit" in (await ask("Bread?")).note
    cbai.demo(text="Mix", finish="content_filter", pace=0)
    assert (await ask("Bread?")).finish_reason == "content_filter"
    cbai.demo(refusal="I would rather not.", pace=0)
    assert (await ask("Bread?")).refusal == "I would rather not."
    cbai.demo(text="Mix flour", finish="broken", pace=0)
    with pytest.raises((StreamCutError, ConnectionFailedError)) as raised:
        await ask("Bread?")
    assert "Mix flour".startswith(raised.value.partial)


async def test_errors_by_status(ask: Ask) -> None:
    cbai.demo(status=401, text="Who are you?", pace=0)
    with pytest.raises(AuthenticationError, match="Who are you"):
        await ask("Hello")
    model = cbai.demo(cbai.DemoAnswer(status=503), "It works now.", pace=0)
    assert (await ask("Hello")).text == "It works now.", "asked again, as with every server"
    assert len(model.requests) == 2
    cbai.demo(status=500, pace=0)
    with pytest.raises(ServerError):
        await ask("Hello")


async def test_the_token_limit_cuts_and_the_rest_can_be_asked_for(ask: Ask) -> None:
    whole = (await ask("Why is the sky blue?")).text
    cut = await ask("Why is the sky blue?", max_tokens=6)
    assert cut.finish_reason == "length"
    assert whole.startswith(cut.text)
    more = {"role": "user", "content": "Continue your answer exactly where it stopped."}
    rest = await ask([*cut.messages, more])
    assert cut.text + rest.text == whole


async def test_pieces_come_one_after_the_other_and_stop_when_closed() -> None:
    cbai.demo("one two three four " * 500, pace=0.01)
    stream = await cbai.create_model("demo").stream_text(
        messages=[{"role": "user", "content": "Count"}]
    )
    pieces = []
    async for text in stream.text_stream:
        pieces.append(text)
        if len(pieces) == 3:
            break
    await stream.aclose()
    assert "".join(pieces).startswith("one two")
    assert len("".join(pieces)) < 1_000
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "cbai stream"]


async def test_time_limits_are_those_of_the_client() -> None:
    cbai.demo("one two", pace=60)
    with pytest.raises(cbai.CbaiError, match=r"0\.05"):
        await cbai.create_model("demo").generate_text(
            messages=[{"role": "user", "content": "Count"}], timeout=0.05
        )


async def test_several_demo_models_have_a_script_each(ask: Ask) -> None:
    cbai.demo("the usual one", pace=0)
    cbai.demo("the other one", model="other", pace=0)
    assert (await ask("Who?", model="other")).text == "the other one"
    assert (await ask("Who?", model="unknown")).text == "the usual one"
    assert "demo model other, not a real one" in (await ask("Who?", model="other")).label
    cbai.demo(model="other")


async def test_a_named_server_can_stand_on_it() -> None:
    played = cbai.demo("Green buds.", model="qwen3-32b", pace=0)
    server = {
        "base_url": played.base_url,
        "api_key": "sk-0f1e2d3c",
        "headers": {"X-Team": "blue-7"},
    }
    settings = Settings(servers={"work": server})  # type: ignore[dict-item]
    model = cbai.create_model("work", settings=settings)
    answer = await model.generate_text(
        model="qwen3-32b", messages=[{"role": "user", "content": "Spring?"}], think=True
    )
    assert answer.text == "Green buds."
    headers = played.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == ("Bearer sk-0f1e2d3c", "blue-7")
    assert played.requests[0].think is True
    assert "sk-0f1e2d3c" not in f"{played.requests}{headers['authorization']}"
    cbai.demo(model="qwen3-32b")


def test_the_word_is_reserved() -> None:
    assert parse_model_spec("demo", Settings(env_id="e", api_key="k")) == ("demo", None)
    assert parse_model_spec("demo/other", Settings()) == ("demo", "other")
    with pytest.raises(ConfigurationError, match="'demo' is taken"):
        cbai.configure(servers={"demo": {"base_url": "http://127.0.0.1:1/v1"}})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (((3,), {}), "not int"),
        ((({"(": "x"},), {}), "regular expression"),
        ((("a",), {"text": "b"}), "one after the other"),
        (((), {"text": "b", "finish": "soon"}), "finish"),
        (((), {"text": "b", "status": 99}), "status"),
        (((), {"calls": "get_weather"}), "calls"),
        (((), {"pace": -1}), "pace"),
        (((), {"model": " "}), "model"),
    ],
)
def test_what_is_no_script_is_refused(
    arguments: tuple[tuple[Any, ...], dict[str, Any]], says: str
) -> None:
    positional, named = arguments
    with pytest.raises(UsageError, match=says):
        cbai.demo(*positional, **named)


@dataclass
class City:
    name: str
    people: float


@dataclass
class Animal:
    name: Annotated[str, msgspec.Meta(max_length=20)]
    legs: Annotated[int, msgspec.Meta(ge=0, le=8)]
    kind: Literal["wild", "pet"]
    parent: Optional[Animal] = None  # noqa: UP045 - Python 3.10 resolves it


@pytest.mark.parametrize(
    ("prompt", "wanted", "parsed"),
    [
        ("Describe a dog with 4 legs, a pet.", Animal, Animal("dog", 4, "pet")),
        (
            "Two cities: Shenzhen has 17.8 million people, Rome 2.7.",
            list[City],
            [City("Shenzhen", 17.8), City("Rome", 2.7)],
        ),
        ("Name one city.", City, City("city", 1)),
        ("The numbers 3, 1,200 and 5", list[int], [3, 1200, 5]),
    ],
)
async def test_an_object_gets_the_names_and_numbers_of_the_prompt(
    ask: Ask, prompt: str, wanted: Any, parsed: Any
) -> None:
    assert (await ask(prompt, response_type=wanted)).parsed == parsed


class Everything(msgspec.Struct):
    texts: Annotated[list[str], msgspec.Meta(min_length=2, max_length=4)]
    short: Annotated[str, msgspec.Meta(min_length=3, max_length=5)]
    share: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    even: Annotated[int, msgspec.Meta(multiple_of=2, ge=11)]
    pair: tuple[int, str]
    either: int | str
    maybe: str | None
    flag: bool
    by_name: dict[str, int]
    more: Everything | None
    data: bytes


@given(st.text())
def test_an_object_fits_whatever_the_prompt_says(prompt: str) -> None:
    (schema,), components = msgspec.json.schema_components(
        [Everything], ref_template="#/$defs/{name}"
    )
    made = fitting_value({**schema, "$defs": components}, prompt)
    msgspec.json.decode(json.dumps(made), type=Everything)


def test_a_schema_that_requires_itself_comes_to_an_end() -> None:
    twice = {"left": {"$ref": "#/$defs/Node"}, "right": {"$ref": "#/$defs/Node"}}
    node = {"type": "object", "properties": twice, "required": ["left", "right"]}
    assert fitting_value({"$ref": "#/$defs/Node", "$defs": {"Node": node}}, "A tree") is not None


async def test_long_prompts_are_read_in_part(ask: Ask) -> None:
    prompt = "Please name " + "Anna Berta " * 200_000
    assert (await ask(prompt, response_type=City)).parsed.name.startswith("Anna")
    assert len((await ask(prompt)).text) < 1_000
