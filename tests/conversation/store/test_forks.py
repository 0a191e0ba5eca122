"""After a fork, parent and child both go on: each with its own history in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    # Python 3.12 and later warn of any fork in a process with threads.
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

# A program of its own, so that nothing of the tests is forked.
PROGRAM = """
import multiprocessing, sys

import cbai_notebook as cbai
from cbai_notebook.bridge import run
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Prompt, ask, prepare
from cbai_notebook.conversation.history import usage

model = create_model("cloudbase", settings=Settings(base_url=sys.argv[1], api_key="test-key"))

def say(name, prompt):
    talk = cbai.chat(name)
    run(ask(prepare(talk, Prompt(prompt, model="blast:3"), model=model)))
    assert talk.not_stored == "", talk.not_stored
    assert [turn.status for turn in talk.turns] == ["complete"] * len(talk.turns)
    return [turn.prompt for turn in talk.turns]

def asked(**filters):
    return [each["content"] for each in cbai.history(role="user", **filters)]

def in_child(number):
    # The conversation that the child goes on with is written to its own history; "other" is not.
    empty = asked()
    prompts = say("talk", f"child {number}")
    assert asked() == prompts, asked()
    assert asked(search="first") == ["first"]
    return empty, prompts

def check(results):
    for number, (empty, prompts) in enumerate(results):
        assert prompts == ["first", f"child {number}"], prompts
        assert empty == [], empty
    assert say("talk", "second") == ["first", "second"]
    assert say("new", "alone") == ["alone"]
    assert asked() == ["first", "elsewhere", "second", "alone"], asked()
    assert sum(each["requests"] for each in usage()) == 4
    print("good")

if __name__ == "__main__":
    say("talk", "first")
    say("other", "elsewhere")
"""
MULTIPROCESSING = """
    context = multiprocessing.get_context("fork")
    with context.Pool(2, maxtasksperchild=1) as pool:
        check(pool.map(in_child, range(4), chunksize=1))
"""
JOBLIB = """
    import joblib
    tasks = [joblib.delayed(in_child)(number) for number in range(2)]
    check(joblib.Parallel(n_jobs=2, backend="multiprocessing", batch_size=1)(tasks))
"""
JOBLIB_LOKY = """
    import joblib
    tasks = [joblib.delayed(pow)(number, 2) for number in range(4)]
    assert joblib.Parallel(n_jobs=2)(tasks) == [0, 1, 4, 9]
    check([])
"""
THREADS = """
    # Another thread writes all the time while this one forks.
    import faulthandler, os, threading
    from datetime import datetime, timezone
    from cbai_notebook.conversation import Turn
    ended = threading.Event()
    def write():
        busy = cbai.chat("busy")
        while not ended.is_set():
            turn = Turn("x", datetime.now(timezone.utc))
            busy.open(turn)
            busy.close(turn, "complete")
            busy.delete(turn)
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    for number in range(20):
        pid = os.fork()
        if pid == 0:
            faulthandler.dump_traceback_later(20, exit=True)
            good = in_child(number) == ([], ["first", f"child {number}"])
            os._exit(0 if good and not cbai.chat("busy").not_stored else 1)
        assert os.waitpid(pid, 0)[1] == 0
    ended.set()
    writer.join()
    check([])
"""


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(MULTIPROCESSING, id="multiprocessing"),
        pytest.param(JOBLIB, id="joblib"),
        pytest.param(JOBLIB_LOKY, id="joblib with loky"),
        pytest.param(THREADS, id="another thread writes"),
    ],
)
def test_parent_and_child_go_on(way: str, gateway_process: Any) -> None:
    if "joblib" in way:
        pytest.importorskip("joblib")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM) + way, gateway_process.base_url],
        env={**os.environ, "CBAI_HISTORY": "off"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.stdout, done.returncode) == ("good\n", 0), done.stderr


# What a child does with conversations of its parent; "good" is printed in the child or after it.
IN_CHILD = """
import os, sys, threading, time
from datetime import datetime, timezone
from pathlib import Path
import cbai_notebook as cbai
from cbai_notebook.conversation import Turn
from cbai_notebook.conversation.store import current_store

def turn(prompt, status="complete", request=None):
    found = Turn(prompt, datetime.now(timezone.utc), request=request)
    found.add("answer of " + prompt if status != "failed" else "", "")
    found.status = status
    return found

def asked():
    return [each["content"] for each in cbai.history(role="user")]

def fork(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            print(repr(error), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)

def expect(found, wanted):
    print("good" if found == wanted else f"{found!r} is not {wanted!r}", flush=True)
"""
UNDO = """
talk, other = cbai.chat("talk"), cbai.chat("other")
talk.extend([turn("a"), turn("b")])
def work():
    other.extend([turn("c"), turn("d")])
    talk.undo()
    expect(asked(), ["c", "d", "a"])
fork(work)
"""
REPEATED = """
talk, other = cbai.chat("talk"), cbai.chat("other")
talk.extend([turn("again", "failed")])
def work():
    other.extend([turn("c")])
    talk.open(turn("again")).wait(30)
    expect(asked(), ["c", "again"])
fork(work)
"""
REPLAYED = """
talk, other = cbai.chat("talk"), cbai.chat("other")
talk.extend([turn("x", request="of x")])
def work():
    other.extend([turn("y", request="of y")])
    expect(talk.answered("of y").prompt, "y")
fork(work)
"""
STREAMING = """
talk = cbai.chat("talk")
streaming = Turn("a", datetime.now(timezone.utc))
talk.open(streaming)
talk.grow(streaming, "half an", "")
def work():
    talk.extend([turn("b")])
    found = [(each["status"], each["content"]) for each in cbai.history(role="assistant")]
    expect(found, [("partial", "half an"), ("complete", "answer of b")])
fork(work)
"""
# The write of another thread waits for a lock in the moment of the fork.
WAITING = """
import subprocess
file = Path(sys.argv[1]) / "history.sqlite"
cbai.configure(history=str(file))
talk = cbai.chat("talk")
talk.extend([turn("a")])
hold = "import sqlite3, sys; lock = sqlite3.connect(sys.argv[1]); lock.execute('BEGIN IMMEDIATE'); "
hold += "print('held', flush=True); sys.stdin.read()"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
holder = subprocess.Popen([sys.executable, "-c", hold, str(file)], **pipes)
holder.stdout.readline()
writer = threading.Thread(target=lambda: talk.extend([turn("b")]), daemon=True)
writer.start()
time.sleep(0.3)
released = threading.Timer(0.5, holder.kill)
released.start()
def work():
    talk.extend([turn("c")])
    current_store().writer.finish(5)
fork(work)
writer.join()
holder.communicate()
current_store().writer.finish(5)
expect(sorted(asked()), ["a", "b", "c"])
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(UNDO, id="undo"),
        pytest.param(REPEATED, id="a failed prompt again"),
        pytest.param(REPLAYED, id="an equal request"),
        pytest.param(STREAMING, id="an answer that streams in the parent"),
        pytest.param(WAITING, id="a write that waits in the parent"),
    ],
)
def test_a_child_does_not_confuse_what_its_parent_stored(program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_CHILD + program, tmp_path],
        env={**os.environ, "CBAI_HISTORY": "off"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.stdout, done.returncode) == ("good\n", 0), done.stderr


def test_a_lock_is_released_in_a_child_even_if_a_hook_fails() -> None:
    program = """
import os, threading
from cbai_notebook.forks import fork_safe_lock, register_fork_hooks

class Fails:
    def before_fork(self): pass
    def after_fork(self, *, in_child): raise OSError("cannot close")

class Holder:
    def __init__(self): self._lock = fork_safe_lock(self)

failing, holder, unfinished = Fails(), Holder(), Fails()
register_fork_hooks(failing)
fork_safe_lock(unfinished)  # its attribute is not assigned yet
held = threading.Event()
def hold():
    with holder._lock:
        held.set()
        threading.Event().wait(5)
threading.Thread(target=hold, daemon=True).start()
held.wait()
pid = os.fork()
if pid == 0:
    register_fork_hooks(Fails())
    print("good" if holder._lock.acquire(timeout=3) else "held", flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50
    )
    assert done.stdout == "good\n", done.stderr
