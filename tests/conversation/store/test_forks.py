"""After a fork, parent and child both go on: each with its own history in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
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
