"""Count what a warm prompt in a cell does before its request is sent.

``python -m tests.benchmarks.prompt BASE_URL`` prints, as JSON, the package's own calls from the
start of the third ``%%cbai`` until its request is written to the socket, how often a call is in
another file than the call before it on its thread, the number of files, and how often the settings,
the context and the model spec are resolved. With ``--list`` it prints every call first, one on each line.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.table import Row, child
from tests.call_counts import ONCE, CallCounts, counting
from tests.gateway import DEFAULT_KEY, serve_process
from tests.isolation import isolated_environment


def count(base_url: str) -> CallCounts:
    """Run three cells in a new shell and return the counts of the last."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "cbai_notebook")
    for number in range(2):
        shell.run_cell(f"%%cbai\nHello {number}").raise_error()
    with counting(urlsplit(base_url).port or 0) as counts:
        shell.run_cell("%%cbai\nAnd now?").raise_error()
    return counts


def rows() -> Iterator[Row]:
    """Count and yield the rows of the table."""
    with serve_process() as gateway, tempfile.TemporaryDirectory() as home:
        environment = isolated_environment(
            Path(home),
            CBAI_BASE_URL=gateway.base_url,
            CBAI_API_KEY=DEFAULT_KEY,
            JPY_SESSION_NAME=str(Path(home) / "notebook.ipynb"),
        )
        found = child("tests.benchmarks.prompt", gateway.base_url, env=environment)
    yield Row(
        "prompt: our calls from the start of a warm cell to the socket",
        "≤ 400",
        f"{found['calls']} in {found['files']} files",
    )
    yield Row("prompt: changes of file among them", "≤ 120", f"{found['changes']}")
    yield Row(
        f"prompt: {', '.join(ONCE)} resolved", "once each", ", ".join(map(str, found["once"]))
    )


def main(base_url: str, *options: str) -> None:
    """Print the counts of a warm prompt."""
    # What a cell prints must not be between the lines of this command.
    with redirect_stdout(io.StringIO()):
        counts = count(base_url)
    if "--list" in options:
        for file, function in counts.calls:
            print(f"{file}:{function}")
    once = [counts.of(*function) for function in ONCE.values()]
    found = {
        "calls": len(counts.calls),
        "changes": counts.changes_of_file,
        "files": counts.files,
        "once": once,
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
