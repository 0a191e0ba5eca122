"""With which of several programs a test runs: with one of them, or with each.

JupyterLab and Notebook 7 share the code that shows cells, outputs and widgets, and both ipykernels
that of IPython. So most tests run with one of the two only, and half of them with each program.
``@pytest.mark.each_variant`` is for tests of what differs: how a program looks, saves, opens,
interrupts and sends outputs. ``CBAI_EACH_VARIANT=1`` runs every test with each.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence

import pytest

EACH = bool(os.environ.get("CBAI_EACH_VARIANT"))


def choose_variants(metafunc: pytest.Metafunc, fixture: str, variants: Sequence[str]) -> None:
    """Give a fixture of a test one of its parameters, or each.

    A test that names the parameters itself keeps them.

    Args:
        metafunc: The test, as ``pytest_generate_tests`` gets it.
        fixture: The name of the fixture.
        variants: Its parameters.
    """
    if fixture not in metafunc.fixturenames or _named(metafunc.definition, fixture):
        return
    each = EACH or metafunc.definition.get_closest_marker("each_variant") is not None
    # By the name, so that a test always runs with the same program, also on another machine.
    one = zlib.crc32(metafunc.function.__name__.encode()) % len(variants)
    chosen = variants if each else [variants[one]]
    metafunc.parametrize(fixture, chosen, indirect=True)


def _named(item: pytest.Item, fixture: str) -> bool:
    """Return whether the test's own ``parametrize`` names the fixture."""
    return any(
        fixture in (mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0])
        for mark in item.iter_markers("parametrize")
    )
