"""The command ``cbai-notebook``, run in a separate process, as a user runs it."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest

import cbai_notebook
from cbai_notebook.cli import main
from tests.isolation import isolated_environment

PATIENCE = 120
PACKAGE = Path(cbai_notebook.__file__).parent


class Installed:
    """The package as installed from a wheel, with a quickstart for the test, in an empty home."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        site = folder / "site"
        self.quickstart = site / "cbai_notebook" / "quickstart.ipynb"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, site / "cbai_notebook", ignore=ignored)
        self.environment = isolated_environment(
            self.home, PYTHONPATH=str(site), CBAI_PROVIDER="cloudbase", PYTHONUTF8="1"
        )

    def write(self, *cells: str, name: str = "quickstart.ipynb") -> None:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, self.quickstart.with_name(name))

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cbai_notebook", *arguments],
            cwd=self.work,
            env={**self.environment, **variables},
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path)


def put_foreign_kernel(home: Path) -> None:
    """Put a broken kernel ``python3`` of another interpreter into the home."""
    folder = home / ".local/share/jupyter/kernels/python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["/nowhere/python", "-f", "{connection_file}"], "display_name": "Old"}
    (folder / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))


def test_version_is_that_of_the_package(installed: Installed) -> None:
    assert installed.run("--version").stdout == f"cbai-notebook {cbai_notebook.__version__}\n"


def test_without_a_command_the_usage_is_shown(installed: Installed) -> None:
    done = installed.run()
    assert done.returncode == 2
    assert "demo" in done.stderr


@pytest.mark.parametrize("command", [(), ("demo",), ("export",)])
def test_help_is_in_one_language(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CBAI_LANGUAGE", "zh")
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    said = re.sub(r"JupyterLab|Jupyter|Markdown|MB", "", capsys.readouterr().out)
    # What is left of Latin letters is typed: commands, options and their values.
    words = set(re.findall(r"(?<![-\w])[a-z]{3,}", said))
    assert words <= {"cbai", "demo", "export", "notebook", "markdown"}


@pytest.mark.kernel
class TestRun:
    def test_prompts_and_answers_are_printed_in_order(self, installed: Installed) -> None:
        installed.write("print('first', end=' ')\nprint('answer')", "x = 1", "x + 41")
        done = installed.run("demo", "--run")
        assert done.returncode == 0, done.stderr
        order = ["> print('first'", "first answer", "> x = 1", "> x + 41", "42"]
        places = [done.stdout.index(piece) for piece in order]
        assert places == sorted(places)
        assert done.stderr == ""

    def test_it_is_the_quickstart_of_the_language(self, installed: Installed) -> None:
        installed.write("print('in English')")
        installed.write("print('in Chinese')", name="quickstart.zh.ipynb")
        assert "\nin Chinese\n" in installed.run("demo", "--run", CBAI_LANGUAGE="zh").stdout
        assert "\nin English\n" in installed.run("demo", "--run", LC_ALL="en_GB.UTF-8").stdout

    def test_text_printed_in_pieces_stays_on_its_line(self, installed: Installed) -> None:
        installed.write("import time\nfor p in 'abc':\n    print(p, end='', flush=True)")
        assert "\nabc\n" in installed.run("demo", "--run").stdout

    def test_markdown_is_preferred_to_plain_text(self, installed: Installed) -> None:
        installed.write("from IPython.display import Markdown\nMarkdown('**bold**')")
        assert "**bold**" in installed.run("demo", "--run").stdout

    def test_cell_that_fails_ends_the_run_with_an_error(self, installed: Installed) -> None:
        installed.write("raise ValueError('no such thing')", "print('never reached')")
        done = installed.run("demo", "--run")
        assert done.returncode == 1
        assert "no such thing" in done.stderr
        assert "Traceback" not in done.stderr
        assert "never reached\n" not in done.stdout

    def test_kernel_that_dies_is_reported(self, installed: Installed) -> None:
        installed.write("import os\nos._exit(7)")
        done = installed.run("demo", "--run")
        assert done.returncode == 1
        assert done.stderr.startswith("\ncbai-notebook: ")
        assert "Traceback" not in done.stderr

    def test_output_cannot_command_the_terminal(self, installed: Installed) -> None:
        installed.write(r"print('\x1b]0;title\x07\x1b[2Jgone\x9b31m \x1b[31mred\x1b[0m')")
        printed = installed.run("demo", "--run").stdout
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", printed.replace("\r\n", "\n"))
        assert "red" in printed

    def test_kernel_is_this_python_whatever_the_home_holds(self, installed: Installed) -> None:
        put_foreign_kernel(installed.home)
        installed.write("import sys\nprint(sys.executable)")
        done = installed.run("demo", "--run")
        assert done.returncode == 0, done.stderr
        assert sys.executable in done.stdout

    def test_shipped_notebook_is_left_as_it_was(self, installed: Installed) -> None:
        installed.write("print('new')")
        before = installed.quickstart.read_bytes()
        installed.run("demo", "--run")
        assert installed.quickstart.read_bytes() == before
        assert list(installed.work.iterdir()) == []

    @pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C")
    def test_ctrl_c_ends_it_and_its_kernel(self, installed: Installed) -> None:
        installed.write("print('begun')", "import time\ntime.sleep(600)")
        process = subprocess.Popen(
            [sys.executable, "-m", "cbai_notebook", "demo", "--run"],
            cwd=installed.work,
            env=installed.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        while "time.sleep" not in process.stdout.readline():
            pass
        kernels = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130, printed
        assert "Traceback" not in printed
        assert psutil.wait_procs(kernels, PATIENCE)[1] == []


def test_missing_jupyter_is_named_with_what_installs_it(
    installed: Installed, tmp_path: Path
) -> None:
    script = (
        "import sys; sys.modules['nbclient'] = None\n"
        "from cbai_notebook.cli import main\n"
        "sys.exit(main(['demo', '--run']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=installed.environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert 'pip install "cbai-notebook[all]"' in done.stderr


def test_without_network_one_line_says_what_helps(installed: Installed, tmp_path: Path) -> None:
    installed.write("1")
    done = installed.run(
        "demo",
        "--run",
        CBAI_PROVIDER="local",
        CBAI_CACHE_DIR=str(tmp_path / "cache"),
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_FIND_LINKS="",
    )
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert "Traceback" not in done.stderr


class Lab:
    """A running ``cbai-notebook demo``; its output is read while it runs."""

    def __init__(self, installed: Installed) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cbai_notebook", "demo", "--no-browser", "--port=0"],
            cwd=installed.work,
            env=installed.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.base, self.path, self.token = self._wait_for_address()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def _wait_for_address(self) -> tuple[str, str, str]:
        address = re.compile(r"(http://127\.0\.0\.1:\d+)/lab/tree/(\S+)\?token=(\w+)")
        while not (found := address.search(self.output)):
            self.output += self._lines.get(timeout=PATIENCE)
        return found[1], found[2], found[3]

    def get(self, path: str) -> dict[str, object]:
        request = urllib.request.Request(
            self.base + path, headers={"Authorization": f"token {self.token}"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            try:
                with opener.open(request, timeout=PATIENCE) as answer:
                    found: dict[str, object] = json.load(answer)
                    return found
            except urllib.error.HTTPError:
                raise
            except urllib.error.URLError:  # the address is printed before the server listens
                assert self.process.poll() is None
                time.sleep(0.1)


@pytest.fixture
def open_lab(installed: Installed, request: pytest.FixtureRequest) -> Callable[[], Lab]:
    def start() -> Lab:
        lab = Lab(installed)

        def stop() -> None:
            lab.process.terminate()
            lab.process.wait(PATIENCE)

        request.addfinalizer(stop)
        return lab

    return start


@pytest.mark.kernel
@pytest.mark.skipif(os.name != "posix", reason="ends JupyterLab with a signal")
class TestJupyterLab:
    def test_it_opens_a_copy_of_the_quickstart_with_this_python(
        self, installed: Installed, open_lab: Callable[[], Lab]
    ) -> None:
        put_foreign_kernel(installed.home)
        installed.write("'shipped'")
        lab = open_lab()
        assert lab.path == "cbai-quickstart.ipynb"
        assert "shipped" in json.dumps(lab.get("/api/contents/cbai-quickstart.ipynb"))
        specs = json.dumps(lab.get("/api/kernelspecs"))
        assert json.dumps(sys.executable) in specs
        assert "/nowhere/python" not in specs
        servers = psutil.Process(lab.process.pid).children()
        lab.process.terminate()
        assert lab.process.wait(PATIENCE) is not None
        assert psutil.wait_procs(servers, PATIENCE)[1] == []

    def test_edited_copy_is_never_overwritten(
        self, installed: Installed, open_lab: Callable[[], Lab]
    ) -> None:
        installed.write("'shipped'")
        (installed.work / "cbai-quickstart.ipynb").write_bytes(installed.quickstart.read_bytes())
        installed.write("'a newer one'")
        lab = open_lab()
        assert "as you left it" in lab.output
        assert "a newer one" not in json.dumps(lab.get("/api/contents/cbai-quickstart.ipynb"))
