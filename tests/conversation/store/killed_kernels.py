"""Test kernels: processes that ask the gateway, write to one history file, and are killed.

``python -m tests.conversation.store.killed_kernels FILE BASE_URL COUNT SEED`` forks COUNT warm children, a
few at a time. Each child asks prompts and reports over a pipe what it has received and when. Each
is killed at a random time. The reports are printed as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store

AT_ONCE = 16
LONGEST_LIFE_S = 2.4


def child(store: Store, base_url: str, name: str, pipe: int) -> None:
    """Ask one prompt after the other until killed, and report every delta."""

    def tell(kind: str, prompt: str, text: str = "") -> None:
        told = json.dumps([time.monotonic(), kind, prompt, text])
        os.write(pipe, told.encode() + b"\n")

    async def run() -> None:
        model = create_model("cloudbase", settings=Settings(base_url=base_url, api_key="test-key"))
        talk = ConversationRegistry(store, None).get(name)
        for number in range(1000):
            prompt = f"{name} asks {number}"
            pieces: list[str] = []
            # A short answer first, so that most children have complete turns that could be lost.
            spec = "paced:100x20" if number == 0 else "paced:100x400"

            def listen(delta, prompt=prompt, pieces=pieces):  # type: ignore[no-untyped-def]
                pieces.append(delta.text)
                tell("grown", prompt, "".join(pieces))

            await ask(prepare(talk, Prompt(prompt, model=spec), model=model), listener=listen)
            tell("finished", prompt, "".join(pieces))

    asyncio.run(run())


async def warm_up(base_url: str) -> None:
    """Import modules and build objects that every child needs, before the forks."""
    model = create_model("cloudbase", settings=Settings(base_url=base_url, api_key="test-key"))
    await ask(prepare(Conversation("warm"), Prompt("Hello", model="blast:3"), model=model))


def main(file: str, base_url: str, count: int, seed: int) -> None:
    """Fork and kill the children; print the reports of each, and when it was killed."""
    asyncio.run(warm_up(base_url))
    dice = random.Random(seed)
    store = Store(Path(file))
    running: dict[int, tuple[str, int, float]] = {}
    told: dict[str, list[bytes]] = {}
    killed: dict[str, float] = {}
    started = 0
    while started < count or running:
        while started < count and len(running) < AT_ONCE:
            name = f"kernel-{started}"
            started += 1
            reading, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(reading)
                child(store, base_url, name, writing)
                os._exit(1)
            os.close(writing)
            os.set_blocking(reading, False)
            told[name] = []
            running[pid] = (name, reading, time.monotonic() + dice.uniform(0.02, LONGEST_LIFE_S))
        for pid, (name, reading, end) in list(running.items()):
            if time.monotonic() >= end:
                os.kill(pid, signal.SIGKILL)
                killed[name] = time.monotonic()
                os.waitpid(pid, 0)
                os.set_blocking(reading, True)
                while data := os.read(reading, 1 << 20):
                    told[name].append(data)
                os.close(reading)
                del running[pid]
        readable, _, _ = select.select([each[1] for each in running.values()], [], [], 0.01)
        for name, reading, _ in running.values():
            if reading in readable and (data := os.read(reading, 1 << 20)):
                told[name].append(data)
    report = {
        name: {
            "killed": killed[name],
            # The last line may be incomplete.
            "told": [json.loads(line) for line in b"".join(parts).split(b"\n")[:-1]],
        }
        for name, parts in told.items()
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
