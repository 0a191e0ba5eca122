"""Real kernels, on the newest ipykernel and on 6.x."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.kernel.harness import Kernel, install_old_ipykernel
from tests.variants import choose_variants

StartKernel = Callable[..., Kernel]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests in this folder, so that they can be deselected by the marker."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.kernel)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the ipykernel of each test."""
    choose_variants(metafunc, "ipykernel_path", ["newest", "6.29"])


@pytest.fixture
def ipykernel_path(request: pytest.FixtureRequest) -> str:
    """The ``PYTHONPATH`` with which the kernel process finds its ipykernel."""
    if request.param == "newest":
        return ""
    directory = request.config.cache.mkdir("ipykernel") / request.param
    install_old_ipykernel(directory)
    return str(directory)


@pytest.fixture
def start_kernel(ipykernel_path: str, tmp_path: Path) -> Iterator[StartKernel]:
    """Start kernels with environment variables of the test; they end with the test."""
    started: list[Kernel] = []

    def start(**variables: str) -> Kernel:
        home = tmp_path / f"home{len(started)}"
        environment = isolated_environment(home, PYTHONPATH=ipykernel_path, **variables)
        work = home / "work"
        work.mkdir()
        started.append(Kernel(environment, work))
        return started[-1]

    yield start
    for kernel in started:
        kernel.close()


@pytest.fixture
def kernel(start_kernel: StartKernel, gateway: Gateway) -> Kernel:
    """A kernel that has loaded the extension and sends its requests to the gateway."""
    kernel = start_kernel(**gateway_variables(gateway))
    kernel.must("%load_ext cbai_notebook")
    return kernel
