"""The model's server: one child process for each file, which ends with its parent."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from cbai_notebook.errors import LocalModelError
from cbai_notebook.local import server
from cbai_notebook.local.child import READY
from cbai_notebook.local.server import Address

pytestmark = [
    pytest.mark.local_model,
    pytest.mark.xdist_group("local-model"),
]
PATIENCE = 120
QUESTION = {
    "stream": True,
    "temperature": 0,
    "max_tokens": 64,
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ],
}


def ensure(gguf: Path) -> Address:
    return server.ensure(gguf, "tiny", threading.Event())


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended just now
            if "child.py" in " ".join(child.cmdline()):
                found.append(child)
    return found


def deltas(address: Address, body: dict[str, object] = QUESTION) -> Iterator[str]:
    """Send a prompt over plain HTTP and yield the deltas of the answer."""
    with (
        httpx.Client(trust_env=False, timeout=PATIENCE) as client,
        client.stream(
            "POST",
            f"{address.url}/v1/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {address.key}"},
        ) as response,
    ):
        assert response.status_code == 200, response.read()
        for line in response.iter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line.removeprefix("data: "))["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text


@pytest.fixture
def parent(demo_weights: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], int]]]:
    """Start another process that serves the model, runs the given lines, and waits."""
    started: list[subprocess.Popen[str]] = []

    def start(more: str = "") -> tuple[subprocess.Popen[str], int]:
        script = (
            "import os, sys, threading, time\n"
            "from pathlib import Path\n"
            "from cbai_notebook.local import server\n"
            f"gguf = Path({str(demo_weights)!r})\n"
            "threading.Thread(target=server.ensure, args=(gguf, 'tiny', threading.Event())).run()\n"
            "child = server._servers[gguf].process.pid\n"
            f"{more}\n"
            "print(child, flush=True)\n"
            "sys.stdin.read()\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def gone(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        process.wait(PATIENCE)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


@pytest.mark.usefixtures("stopped")
def test_real_prompt_is_answered_in_a_stream(
    demo_weights: Path, record_property: Callable[[str, object], None]
) -> None:
    begun = time.perf_counter()
    address = ensure(demo_weights)
    loaded = time.perf_counter()
    answer = []
    times = []
    for piece in deltas(address):
        answer.append(piece)
        times.append(time.perf_counter())
    assert "Paris" in "".join(answer)
    (child,) = children()
    record_property("seconds to start the offline model", round(loaded - begun, 2))
    record_property("seconds to its first token", round(times[0] - loaded, 2))
    rate = (len(times) - 1) / (times[-1] - times[0])
    record_property("tokens a second", round(rate, 1))
    record_property("its memory in MB", child.memory_info().rss // 1_000_000)


def test_only_who_has_the_key_may_ask(demo_weights: Path) -> None:
    address = ensure(demo_weights)
    for path in ("/v1/chat/completions", "/completion", "/slots", "/props", "/metrics"):
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = httpx.post(address.url + path, json=QUESTION, headers=headers, trust_env=False)
            assert answer.status_code in (401, 404), path


def test_no_web_page_may_ask_from_a_browser(demo_weights: Path) -> None:
    address = ensure(demo_weights)
    for page in ("https://evil.example", "null"):
        answer = httpx.options(
            f"{address.url}/v1/chat/completions",
            headers={"Origin": page, "Access-Control-Request-Method": "POST"},
            trust_env=False,
        )
        assert answer.headers.get("access-control-allow-origin") not in ("*", page)


def test_it_listens_on_the_loopback_interface_only(demo_weights: Path) -> None:
    ensure(demo_weights)
    (child,) = children()
    listening = [c.laddr.ip for c in child.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]


def test_key_shows_neither_in_ps_nor_in_the_environment(demo_weights: Path) -> None:
    address = ensure(demo_weights)
    (child,) = children()
    assert address.key not in " ".join(child.cmdline())
    assert address.key not in " ".join(child.environ().values())
    assert address.key not in repr(address)


def test_idle_threads_of_the_child_do_not_spin(demo_weights: Path) -> None:
    ensure(demo_weights)
    (child,) = children()
    assert child.environ()["OMP_WAIT_POLICY"] == "passive"


@pytest.mark.usefixtures("stopped")
def test_it_is_started_once_whoever_asks(demo_weights: Path) -> None:
    addresses: list[Address] = []
    threads = [
        threading.Thread(target=lambda: addresses.append(ensure(demo_weights))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(addresses) == 8
    assert len(set(addresses)) == 1
    assert len(children()) == 1
    assert server.serving(demo_weights) == addresses[0]


def test_it_is_started_again_after_a_crash(demo_weights: Path) -> None:
    before = ensure(demo_weights)
    (child,) = children()
    child.kill()
    child.wait(PATIENCE)
    assert server.serving(demo_weights) is None
    after = ensure(demo_weights)
    assert after.key != before.key
    assert "Paris" in "".join(deltas(after))


def test_crash_in_the_middle_of_an_answer_cuts_the_stream(demo_weights: Path) -> None:
    address = ensure(demo_weights)
    (child,) = children()
    pieces = deltas(address, {**QUESTION, "max_tokens": 2000, "ignore_eos": True})
    next(pieces)
    child.kill()
    with pytest.raises(httpx.HTTPError):
        list(pieces)
    child.wait(PATIENCE)
    assert "Paris" in "".join(deltas(ensure(demo_weights)))


def test_reader_who_leaves_does_not_block_the_next(demo_weights: Path) -> None:
    address = ensure(demo_weights)
    endless = deltas(address, {**QUESTION, "max_tokens": 4000, "ignore_eos": True})
    next(endless)
    endless.close()
    assert "Paris" in "".join(deltas(address))


def test_killed_parent_leaves_no_child(
    parent: Callable[..., tuple[subprocess.Popen[str], int]],
) -> None:
    process, child = parent()
    assert psutil.pid_exists(child)
    process.kill()
    assert gone(child)


def test_parent_that_ends_by_itself_leaves_no_child(
    parent: Callable[..., tuple[subprocess.Popen[str], int]],
) -> None:
    process, child = parent()
    process.communicate("")
    assert gone(child)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("fork", ["os.fork()", "__import__('ctypes').PyDLL(None).fork()"])
def test_killed_parent_leaves_no_child_though_a_forked_process_lives_on(
    parent: Callable[..., tuple[subprocess.Popen[str], int]], fork: str
) -> None:
    process, child = parent(f"if {fork} == 0: time.sleep(600)")
    (forked,) = (p for p in psutil.Process(process.pid).children() if p.pid != child)
    process.kill()
    assert gone(child)
    assert forked.is_running()
    forked.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_forked_process_has_a_server_of_its_own(
    parent: Callable[..., tuple[subprocess.Popen[str], int]],
) -> None:
    more = (
        "if (pid := os.fork()) == 0:\n"
        "    own = server.ensure(gguf, 'tiny', threading.Event())\n"
        "    os._exit(0 if server._servers[gguf].process.pid != child else 1)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
        "assert server.serving(gguf) is not None"
    )
    _, child = parent(more)
    assert psutil.Process(child).is_running()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a process group")
def test_interrupting_the_notebook_does_not_reach_the_model(
    parent: Callable[..., tuple[subprocess.Popen[str], int]],
) -> None:
    process, child = parent("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
    os.killpg(process.pid, signal.SIGINT)
    assert psutil.Process(child).is_running()
    assert os.getpgid(child) != process.pid


def test_two_processes_serve_side_by_side(
    demo_weights: Path, parent: Callable[..., tuple[subprocess.Popen[str], int]]
) -> None:
    parent()
    parent()
    assert "Paris" in "".join(deltas(ensure(demo_weights)))


@pytest.mark.usefixtures("stopped")
def test_cancelled_start_leaves_no_child(demo_weights: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(LocalModelError, match="stopped"):
        server.ensure(demo_weights, "tiny", cancel)
    assert children() == []


@pytest.mark.usefixtures("stopped")
def test_file_that_cannot_be_loaded_shows_what_the_child_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\xff" * 1000)
    with pytest.raises(LocalModelError, match=r"(?s)broken\.gguf did not start.*load"):
        ensure(broken)
    assert children() == []


@pytest.mark.usefixtures("stopped")
def test_missing_openmp_library_is_named(
    demo_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "libgomp.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "xllamacpp.py").write_text(f"raise ImportError({message!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LocalModelError, match="apt-get install libgomp1"):
        ensure(demo_weights)


@pytest.mark.usefixtures("stopped")
def test_modules_in_the_working_folder_do_not_get_in_the_way(
    demo_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('a module of the user')")
    monkeypatch.chdir(tmp_path)
    assert ensure(demo_weights).url.startswith("http://127.0.0.1:")


@pytest.fixture
def child(demo_weights: Path) -> Iterator[Callable[[float], subprocess.Popen[bytes]]]:
    """Start the child's program, which ends after some seconds without use."""
    started: list[subprocess.Popen[bytes]] = []

    def start(idle_s: float) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, Path(server.__file__).with_name("child.py"), "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        config = {
            "gguf": str(demo_weights),
            "name": "tiny",
            "key": "key",
            "threads": 1,
            "context": 512,
            "idle_s": idle_s,
        }
        assert process.stdin is not None
        process.stdin.write(json.dumps(config).encode() + b"\n")
        process.stdin.flush()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def address_of(process: subprocess.Popen[bytes]) -> Address:
    """Read the address that a child tells when it is ready."""
    assert process.stdout is not None
    line = next(line for line in process.stdout if line.startswith(READY.encode()))
    return Address(json.loads(line.decode().removeprefix(READY))["url"], "key")


def test_a_server_that_is_not_used_ends(
    child: Callable[[float], subprocess.Popen[bytes]],
) -> None:
    process = child(0.5)
    address_of(process)
    assert process.wait(PATIENCE) == 0


def test_an_answer_that_takes_longer_is_use(
    child: Callable[[float], subprocess.Popen[bytes]],
) -> None:
    process = child(1)
    address = address_of(process)
    begun = time.monotonic()
    body = {**QUESTION, "max_tokens": 400, "ignore_eos": True}
    text = "".join(deltas(address, body))
    assert text
    took = time.monotonic() - begun
    assert process.poll() is None or took < 1, "it ended during the answer"
    assert process.wait(PATIENCE) == 0


def test_an_announced_request_keeps_the_server(
    child: Callable[[float], subprocess.Popen[bytes]],
) -> None:
    process = child(2)
    address = address_of(process)
    assert process.stdin is not None
    for _ in range(16):
        process.stdin.write(b"\n")
        process.stdin.flush()
        time.sleep(0.25)
    assert process.poll() is None
    assert "".join(deltas(address, {**QUESTION, "max_tokens": 4}))


@pytest.mark.usefixtures("stopped")
def test_after_an_end_the_next_request_starts_it_again(demo_weights: Path) -> None:
    first = ensure(demo_weights)
    (process,) = children()
    process.kill()
    process.wait(PATIENCE)
    assert server.serving(demo_weights) is None
    again = ensure(demo_weights)
    assert again.key != first.key
    assert "".join(deltas(again, {**QUESTION, "max_tokens": 4}))
