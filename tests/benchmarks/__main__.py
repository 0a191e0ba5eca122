"""Measure all figures and print the table; each row is printed as soon as it is measured."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from tests.benchmarks import (
    answers,
    batch,
    batch_dask,
    browser,
    compare,
    evaluate,
    history,
    kernel,
    mcp_servers,
    panel,
    prompt,
    scaling,
    store,
    tables,
    tools,
)
from tests.benchmarks.table import Row, child, in_turns
from tests.gateway import serve_process
from tests.isolation import package_settings


def stream_rows() -> Iterator[Row]:
    """Measure CPU per chunk and the time to the first token, compared with openai-python."""
    module = "tests.benchmarks.stream"
    with serve_process() as gateway:
        cpu, first = (
            in_turns(
                {
                    peer: (module, peer, figure, gateway.base_url)
                    for peer in ("ours", "ours-fast", "openai")
                },
                rounds=5,
            )
            for figure in ("cpu", "first")
        )
    for peer, goal, name in (("ours", "≤ 1/8", "plain"), ("ours-fast", "≤ 1/30", "`[fast]`")):
        yield Row(
            f"CPU per streamed chunk against openai-python, {name}",
            goal,
            f"1/{cpu['openai'] / cpu[peer]:.0f} ({cpu[peer] * 1e6:.1f} µs against "
            f"{cpu['openai'] * 1e6:.0f} µs)",
        )
    for peer, name in (("ours", "plain"), ("ours-fast", "`[fast]`")):
        yield Row(
            f"first token on a warm connection against openai-python, {name}",
            "≤ 0.6",
            f"{first[peer] / first['openai']:.2f} ({first[peer] * 1e3:.1f} ms against "
            f"{first['openai'] * 1e3:.1f} ms)",
        )


def load_rows() -> Iterator[Row]:
    """Measure the cost of loading the extension."""
    runs = [child("tests.benchmarks.load") for _ in range(7)]
    heavy = sorted({name for _, imported in runs for name in imported})
    yield Row(
        "`%load_ext cbai_notebook` over a bare IPython, CPU",
        "≤ 80 ms",
        f"{median(used for used, _ in runs) * 1e3:.0f} ms, "
        + (f"imports {', '.join(heavy)}" if heavy else "nothing heavy imported"),
    )


SECTIONS: dict[str, Callable[[], Iterator[Row]]] = {
    "stream": stream_rows,
    "answers": answers.rows,
    "load": load_rows,
    "kernel": kernel.rows,
    "browser": browser.rows,
    "panel": panel.rows,
    "history": history.rows,
    "prompt": prompt.rows,
    "tables": tables.rows,
    "tools": tools.rows,
    "mcp": mcp_servers.rows,
    "store": store.rows,
    "scaling": scaling.rows,
    "batch": batch.rows,
    "compare": compare.rows,
    "evaluate": evaluate.rows,
}


def main(arguments: list[str]) -> None:
    """Print the rows of the chosen sections, by default of all sections."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument(
        "--flexllm", action="store_true", help="batch: compare with flexllm too, from PyPI"
    )
    parser.add_argument(
        "--dask", action="store_true", help="batch: only on a Dask cluster of two workers"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: none of {', '.join(SECTIONS)}")
    sections: dict[str, Callable[[], Iterator[Row]]] = {
        **SECTIONS,
        "batch": batch_dask.rows if options.dask else partial(batch.rows, flexllm=options.flexllm),
    }
    for name in package_settings():
        del os.environ[name]
    print(f"{platform.python_version()}, {os.cpu_count()} cores\n")
    print("| what | goal | measured |\n|---|---|---|", flush=True)
    for name in options.sections or sections:
        for row in sections[name]():
            print(row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
