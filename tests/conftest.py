"""Set up every test run: environment, order of the tests, artefacts, measured figures."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.isolation import isolate_this_process
from tests.scheduling import LARGEST_GROUP, GroupScheduling, group_of

# How long an example takes depends on the machine and on what else runs on it, not on the code.
settings.register_profile(
    "no_time_limit", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("no_time_limit")

pytest_plugins = ["tests.gateway.fixtures"]

# Fast tests run first, so that failures show early. Within one rank the order of the files is kept.
# One worker runs all of the largest group. So it comes before the other slow tests, which the other
# worker runs meanwhile, and both end at about the same time.
_RANKS = (LARGEST_GROUP, "kernel", "local_model", "sdk", "browser")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute a parallel run (``-n 2``) over its workers, in the order below."""
    config.option.loadscopereorder = False  # True would start with the largest group
    return GroupScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run plain tests first, then JupyterLab, kernels, the offline model and the other browsers."""

    def rank(item: pytest.Item) -> int:
        if group_of(item.nodeid) == LARGEST_GROUP:
            return _RANKS.index(LARGEST_GROUP) + 1
        marks = {mark.name for mark in item.iter_markers()}
        return max((_RANKS.index(name) + 1 for name in _RANKS if name in marks), default=0)

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that exists before the first test.

    The shell of each test collects, and the thousands of tests would be looked through each time.
    """
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded with ``record_property``; they are not checked."""
    figures = [
        f"{report.nodeid}: {name} = {value}"
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if report.when == "call"
    ]
    if figures:
        terminalreporter.section("measured figures")
        for figure in sorted(figures):
            terminalreporter.write_line(figure)


@pytest.fixture(scope="session", autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run every test without the developer's settings and history; a test that wants some sets them."""
    with pytest.MonkeyPatch.context() as patch:
        isolate_this_process(patch, tmp_path_factory.mktemp("config"))
        yield


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Return the folder for screenshots and other files that are kept after the run."""
    folder = Path(
        os.environ.get("CBAI_ARTEFACTS") or Path(__file__).parent.parent / "test-artefacts"
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder
