"""The bridge: synchronous code runs a coroutine to its end, or stops it and waits until it ends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

import cbai_notebook as cbai
from cbai_notebook import bridge
from cbai_notebook.bridge import submit
from cbai_notebook.errors import CbaiError


async def give(value: object) -> object:
    await asyncio.sleep(0)
    return value


def test_a_plain_function_gets_the_result() -> None:
    assert cbai.run(give(42)) == 42


def test_an_exception_reaches_the_caller_unchanged() -> None:
    async def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        cbai.run(fail())


async def test_it_works_while_the_callers_own_loop_runs() -> None:
    assert cbai.run(give("answer")) == "answer"


def test_every_call_shares_one_loop() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert cbai.run(loop()) is cbai.run(loop())


def test_what_is_no_coroutine_is_refused_with_a_hint() -> None:
    with pytest.raises(TypeError, match="takes a coroutine, not int"):
        cbai.run(3)  # type: ignore[arg-type]


def test_waiting_for_itself_is_refused_rather_than_hanging() -> None:
    async def inner() -> None:
        cbai.run(give(1))

    with pytest.raises(CbaiError, match="Use await"):
        cbai.run(inner())


def test_the_callers_context_goes_along() -> None:
    where = contextvars.ContextVar("where", default="nowhere")
    where.set("this cell")

    async def look() -> str:
        return where.get()

    assert cbai.run(look()) == "this cell"


def test_what_swallows_every_stop_is_not_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bridge, "CANCEL_GRACE_S", 0.1)
    started, stopped_again = threading.Event(), threading.Event()

    async def stubborn() -> None:
        started.set()
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        stopped_again.set()
        await asyncio.Event().wait()  # nothing but the task itself keeps this alive

    call = submit(stubborn())
    assert started.wait(10)
    call.stop()
    assert stopped_again.wait(10)
    del call
    cbai.run(give(1))
    gc.collect()
    assert caplog.records == []


def test_stop_waits_until_the_coroutine_has_cleaned_up() -> None:
    started, cleaned = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            cleaned.set()

    call = submit(work())
    assert started.wait(60)
    call.stop()
    assert cleaned.is_set()
    assert call.done


@pytest.mark.parametrize("attempt", range(5))
def test_an_interrupt_cancels_the_coroutine_and_waits_for_its_cleanup(attempt: int) -> None:
    script = textwrap.dedent(
        """
        import asyncio
        import signal
        import cbai_notebook as cbai

        # A shell starts background jobs with SIGINT ignored, and their children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        async def work():
            print("started", flush=True)
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.1)
                print("cleaned", flush=True)

        try:
            cbai.run(work())
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "started\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "cleaned\ninterrupted\n"
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    script = textwrap.dedent(
        """
        import os
        import cbai_notebook as cbai

        async def pid():
            return os.getpid()

        cbai.run(pid())
        child = os.fork()
        if child == 0:
            os._exit(0 if cbai.run(pid()) == os.getpid() else 1)
        raise SystemExit(os.waitpid(child, 0)[1])
        """
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0


def test_nested_outside_a_loop_is_a_plain_run() -> None:
    assert cbai.run(give(1), nested=True) == 1


def test_nested_runs_on_the_callers_own_loop() -> None:
    # In a separate process: nesting patches asyncio permanently.
    script = textwrap.dedent(
        """
        import asyncio
        import cbai_notebook as cbai

        async def loop():
            return asyncio.get_running_loop()

        async def main():
            mine = asyncio.get_running_loop()
            assert cbai.run(loop(), nested=True) is mine
            cbai.configure(bridge="nested")
            assert cbai.run(loop()) is mine
            assert cbai.run(loop(), nested=False) is not mine

        asyncio.run(main())
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
