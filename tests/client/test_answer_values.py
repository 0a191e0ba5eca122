"""An answer as a value: it is kept, copied, pickled, and returned from another process."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

import msgspec
import pytest

import cbai_notebook as cbai
from cbai_notebook.client.answer import Answer
from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from tests.client.streams import ASK
from tests.gateway import Gateway
from tests.gateway_access import gateway_settings


@dataclass
class City:
    name: str
    people: int


class Refusal(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, reason: str, *, code: int) -> None:
        super().__init__(reason)
        self.code = code


def same(one: Answer, other: Answer) -> bool:
    facts = ("text", "reasoning", "messages", "raw", "usage", "timing", "finish_reason", "parsed")
    return all(getattr(one, name) == getattr(other, name) for name in facts) and (
        [step.messages for step in one.steps] == [step.messages for step in other.steps]
    )


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_is_pickled_and_copied(model: Model, stream: bool) -> None:
    params = {**ASK, "model": "english+reason"}
    if stream:
        answer = await (await model.stream_text(**params)).finish()
    else:
        answer = await model.generate_text(**params)
    for other in (pickle.loads(pickle.dumps(answer)), copy.copy(answer), copy.deepcopy(answer)):
        assert same(answer, other)
        assert repr(other) == repr(answer)


async def test_only_an_agent_has_sources_and_a_record(model: Model, gateway: Gateway) -> None:
    async with await model.stream_text(**{**ASK, "model": "english"}) as stream:
        answer = await stream.finish()
    for each in (stream, answer):
        assert not each.sources
        assert (each.record_id, each.agent_id) == (None, None)
    agents = create_model("agent", settings=gateway_settings(gateway))
    asked = {**ASK, "model": "bot-reader", "search": True}
    async with await agents.stream_text(**asked) as stream:
        answer = await stream.finish()
    for each in (stream, answer, pickle.loads(pickle.dumps(answer))):
        assert [page.title for page in each.sources.pages] == ["Li Bai", "李白"]
        assert each.sources.knowledge == ("poems", "诗集")
        assert (each.record_id, each.agent_id) == ("record-000002", "bot-reader")


async def test_an_answer_that_is_still_arriving_is_pickled(model: Model, gateway: Gateway) -> None:
    async with await model.stream_text(**{**ASK, "model": "tokens:20+hold:5"}) as stream:
        answer = pickle.loads(pickle.dumps(stream.answer()))
        assert answer.text == stream.text
        gateway.let_go()


async def test_an_answer_with_steps_and_an_object_is_pickled(
    model: Model, gateway: Gateway
) -> None:
    def find(city: str) -> str:
        """Find a city."""
        raise Refusal(city, code=3)

    gateway.script('call:find:{"city":"Rome"}', 'say:{"name": "Rome", "people": 3}')
    answer = await model.generate_text(tools=[find], response_type=City, **ASK)
    other = pickle.loads(pickle.dumps(answer))
    assert same(answer, other)
    assert other.parsed == City("Rome", 3)
    assert other.steps[0].results[0].status == "error"
    assert "Rome" in other.steps[0].results[0].text


def ask(base_url: str) -> Answer:
    cbai.configure(base_url=base_url, api_key="test-key", env_id="test-env")

    async def read() -> Answer:
        stream = await cbai.create_model("cloudbase").stream_text(**{**ASK, "model": "english"})
        return await stream.finish()

    return cbai.run(read())


POOL = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.client.test_answer_values import ask

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        answer = pool.submit(ask, sys.argv[1]).result(60)
    print(answer.messages[-1]["role"], len(answer.text))
"""


async def test_an_answer_comes_back_from_a_pool(
    model: Model, gateway: Gateway, tmp_path: Path
) -> None:
    here = await (await model.stream_text(**{**ASK, "model": "english"})).finish()
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    command = [sys.executable, str(script), gateway.base_url]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=environment
    )
    said, _ = await process.communicate()
    assert said.decode().split() == ["assistant", str(len(here.text))]


async def test_an_answer_keeps_its_text_once(model: Model) -> None:
    answer = await (await model.stream_text(**{**ASK, "model": "blast:20000"})).finish()
    assert len(answer.text) > 50_000
    assert answer.raw["usage"]["completion_tokens"] == 20_000
    assert size_of(answer) < 1.5 * len(answer.text)


def size_of(value: object) -> int:
    """Return the bytes of an object and of all objects that it refers to, without types and code."""
    seen: dict[int, object] = {}
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, (type, ModuleType, FunctionType)):
            continue
        seen[id(found)] = found
        waiting += gc.get_referents(found)
        if isinstance(found, msgspec.Struct):
            waiting += [getattr(found, name) for name in found.__struct_fields__]
    return sum(map(sys.getsizeof, seen.values()))
