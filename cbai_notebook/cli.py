"""The command line: ``cbai-notebook demo`` runs the quickstart, ``export`` writes a notebook to read."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from cbai_notebook._version import __version__
from cbai_notebook.errors import (
    CbaiError,
    ConfigurationError,
    MissingDependencyError,
    UsageError,
)
from cbai_notebook.files import expanded, write_atomically
from cbai_notebook.i18n import CELL, language, listed, said_now, say
from cbai_notebook.text import plain

USAGE = 2
INTERRUPTED = 130
CELL_SECONDS = 600
"""The most seconds for one cell of the quickstart."""

QUICKSTARTS = {
    "en": Path(__file__).with_name("quickstart.ipynb"),
    "zh": Path(__file__).with_name("quickstart.zh.ipynb"),
}
"""The quickstart of the package in each language. It is only read: the demo works on a copy, or in memory."""

OWN_COPY = "cbai-{name}"
"""File name of the user's copy; it must differ from the quickstarts of other packages."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments after the command's name; those of this process by default.

    Returns:
        The exit code: 0 for success, 1 for a failure, 2 for wrong arguments, 130 for an interrupt.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return USAGE
    try:
        return _export(options) if options.command == "export" else _demo(options)
    except CbaiError as error:
        told = said_now(error.words or str(error), CELL)  # options are spelled as in a cell
        print(f"cbai-notebook: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ncbai-notebook: {say('terminal.stopped')}", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser, options = _command_parser(
        partial(_Parser, prog="cbai-notebook"), description=say("terminal.description")
    )
    options.add_argument(
        "--version",
        action="version",
        version=f"cbai-notebook {__version__}",
        help=say("terminal.version"),
    )
    commands = parser.add_subparsers(
        title=say("terminal.commands"), metavar="COMMAND", dest="command", parser_class=_Parser
    )
    _, options = _command_parser(
        partial(commands.add_parser, "demo", help=say("terminal.demo")),
        description=say("terminal.demo_description"),
    )
    options.add_argument("--run", action="store_true", help=say("terminal.run"))
    options.add_argument("--no-browser", action="store_true", help=say("terminal.no_browser"))
    options.add_argument("--port", type=int, help=say("terminal.port"))
    export, options = _command_parser(
        partial(commands.add_parser, "export", help=say("terminal.export")),
        description=say("terminal.export_description"),
    )
    export.add_argument_group(say("terminal.arguments")).add_argument(
        "notebook", type=Path, help=say("terminal.export_notebook")
    )
    options.add_argument(
        "--to", choices=["markdown"], default="markdown", help=say("terminal.export_to")
    )
    options.add_argument("-o", "--output", type=Path, help=say("terminal.export_output"))
    options.add_argument("--force", action="store_true", help=say("terminal.export_force"))
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser whose own words are those of the tables: argparse has them in English only."""

    def format_help(self) -> str:
        """Return the help, which begins with the usage."""
        return self._with_own_word(super().format_help())

    def format_usage(self) -> str:
        """Return the usage."""
        return self._with_own_word(super().format_usage())

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and exit."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, say("terminal.wrong", prog=self.prog, problem=message) + "\n")

    @staticmethod
    def _with_own_word(text: str) -> str:
        return text.replace("usage:", say("terminal.usage"), 1)  # the help begins with it


def _command_parser(
    make: Callable[..., argparse.ArgumentParser], **given: Any
) -> tuple[argparse.ArgumentParser, argparse._ArgumentGroup]:
    """Return a parser, and the group of its options, which has ``--help``."""
    parser = make(add_help=False, **given)
    options = parser.add_argument_group(say("terminal.options"))
    options.add_argument("-h", "--help", action="help", help=say("terminal.help"))
    return parser, options


def _export(options: argparse.Namespace) -> int:
    from cbai_notebook.conversation.formats.export_files import Export, told_if_not_written
    from cbai_notebook.notebook.notebook_markdown import notebook_markdown

    source: Path = options.notebook
    name = source.with_suffix(".md").name
    target = source.with_name(name) if options.output is None else expanded(options.output)
    with told_if_not_written(target):
        if target.is_dir():
            target /= name
    folder = f"{target.stem}_files"
    try:
        content = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(say("terminal.unreadable", file=str(source), reason=reason)) from error
    made = notebook_markdown(content, str(source), quote(folder))
    document = Export(target.name, "text/markdown", {target.name: made.text})
    pictures = Export(folder, "application/zip", made.pictures, folder=True)
    if not options.force:
        document.require_free(target)  # before the first picture is written
    if made.pictures:
        pictures.write(target.with_name(folder), overwrite=options.force)
    written = document.write(target, overwrite=options.force)
    print(say("terminal.wrote", file=str(written)))
    return 0


def _demo(options: argparse.Namespace) -> int:
    _require(*(("nbclient", "ipykernel") if options.run else ("jupyterlab", "ipykernel")))
    _prepare_model()
    with _kernel_of_this_python() as kernels:
        if options.run:
            return _print_run(_quickstart(), kernels)
        return _open_jupyterlab(_own_quickstart(), kernels, options)


def _require(*modules: str) -> None:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingDependencyError(
            say(
                "terminal.missing",
                packages=listed(missing),
                command='python -m pip install "cbai-notebook[all]"',
            )
        )


def _prepare_model() -> None:
    """Fetch the offline model, if it is the default provider."""
    from cbai_notebook.client.settings import settings

    if settings().default_provider != "local":
        return
    from cbai_notebook.local import require_runtime, weights

    require_runtime()
    if weights.present() is None and not sys.stderr.isatty():
        print(say("terminal.fetching"), file=sys.stderr, flush=True)
    weights.fetch()


# The notebook


def _quickstart() -> Path:
    """Return the quickstart in the language of the user."""
    return QUICKSTARTS[language()]


def _own_quickstart() -> Path:
    """Return the path of the user's copy in the working directory; keep an existing one."""
    copy = Path.cwd() / OWN_COPY.format(name=_quickstart().name)
    if copy.exists():
        print(say("terminal.opening", file=copy))
        return copy
    try:
        write_atomically(copy, _quickstart().read_bytes())
    except OSError as error:
        raise ConfigurationError(
            say("terminal.cannot_copy", folder=copy.parent, reason=error.strerror)
        ) from error
    print(say("terminal.copied", file=copy))
    return copy


# The kernel


@contextmanager
def _kernel_of_this_python() -> Iterator[Path]:
    """Yield a folder whose kernel ``python3`` is this interpreter.

    Without it, a ``python3`` kernel of another environment in the user's home would come first.
    """
    from ipykernel.kernelspec import write_kernel_spec

    with tempfile.TemporaryDirectory(prefix="cbai-notebook-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "kernels").mkdir()
        write_kernel_spec(folder / "kernels" / "python3")
        yield folder


# In JupyterLab


def _open_jupyterlab(notebook: Path, kernels: Path, options: argparse.Namespace) -> int:
    # With default_url the printed URL contains the notebook; with an argument it does not.
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",
    ]
    if options.no_browser:
        command.append("--no-browser")
    if options.port is not None:
        command.append(f"--port={options.port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    path = os.pathsep.join(filter(None, (str(kernels), os.environ.get("JUPYTER_PATH"))))
    print(say("terminal.starting"), flush=True)
    process = subprocess.Popen(
        command,
        cwd=notebook.parent,
        env={**os.environ, "JUPYTER_PATH": path},
    )
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal sent the interrupt to JupyterLab too, which asks before it ends.
            continue


# Without a browser


def _print_run(notebook: Path, kernels: Path) -> int:
    """Execute a notebook and print its cells and outputs; return 1 if a cell fails, else 0."""
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    content = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    stopped = threading.Event()
    specs = KernelSpecManager(kernel_dirs=[str(kernels / "kernels")])
    client = NotebookClient(
        content,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs),
        kernel_name="python3",
        extra_arguments=["--log-level=CRITICAL"],  # the kernel's log is not for the user
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(Path.cwd())}},
        on_notebook_start=lambda **_: _let_ctrl_c_cancel(stopped),
        on_cell_execute=_print_cell,
        on_cell_executed=lambda cell, **_: _print_outputs(cell["outputs"]),
    )
    try:
        # nbclient does not shut down a kernel manager that it was given.
        client.execute(cleanup_kc=True)
    except CellExecutionError as error:
        failed = say("terminal.cell_failed", error=_clean(error.evalue))
        print(f"\ncbai-notebook: {failed}", file=sys.stderr)
        return 1
    except (CellTimeoutError, DeadKernelError, asyncio.CancelledError) as error:
        if stopped.is_set():
            raise KeyboardInterrupt from error
        print(f"\ncbai-notebook: {_clean(str(error))}", file=sys.stderr)
        return 1
    return 0


def _let_ctrl_c_cancel(stopped: threading.Event) -> None:
    """Make Ctrl-C cancel the run; nbclient's own handler would report a dead kernel."""
    task = asyncio.current_task()

    def stop() -> None:
        stopped.set()
        if task is not None:
            task.cancel()

    with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt by itself
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)


def _print_cell(cell: Mapping[str, Any], **_: Any) -> None:
    if cell["cell_type"] == "code":
        print()
        for line in str(cell["source"]).splitlines():
            print(f"> {line}")
        print(flush=True)


def _print_outputs(outputs: Sequence[Mapping[str, Any]]) -> None:
    text = "".join(_as_text(output) for output in outputs)
    if text.strip():
        print(_clean(text).strip("\n"), flush=True)


def _as_text(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "error":
        return ""  # reported once, at the end
    if output["output_type"] == "stream":
        return str(output["text"])  # one line can be split over several outputs
    data = output["data"]
    text = str(data.get("text/markdown") or data.get("text/plain") or "")
    return f"\n{text}\n"


def _clean(text: str) -> str:
    """Remove terminal control sequences: the answer of a model is not trusted."""
    # A progress bar writes carriage returns; they must not become newlines.
    return plain(text.replace("\r", ""))
