"""Measure the cost of storing the history on disk, and the speed of a large history.

``python -m tests.benchmarks.store FIGURE …`` measures one figure in a separate process and prints it as JSON:

- ``build FILE``: the seconds to write a million messages.
- ``open FILE``, ``last FILE``, ``names FILE``, ``search FILE WORDS``, ``forget FILE``: the seconds of each.
- ``turn FOLDER``: the seconds of CPU to store a turn.
- ``stream BASE_URL FILE``: the seconds of CPU of a cell without the store, and those that the store adds.
- ``standstill BASE_URL FILE SECONDS``: the longest standstill of the loop, with another program's lock.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.table import Row, child
from tests.gateway import serve_process

MESSAGES = 1_000_000
CONVERSATIONS = 10_000
ROUNDS = 5
LOCK_S = 30
RARE, EVERYWHERE, CHINESE = "sextant", "weather", "李白"


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    module = "tests.benchmarks.store"
    with tempfile.TemporaryDirectory() as folder:
        used = median(child(module, "turn", folder) for _ in range(3))
        yield Row("storing a turn, CPU over the stream itself", "≤ 1 ms", f"{used * 1e3:.2f} ms")
        yield from _checkpointing(module, Path(folder) / "stream.sqlite")
        yield from _standstill(module, Path(folder))
        file = str(Path(folder) / "million.sqlite")
        built = child(module, "build", file)
        size = Path(file).stat().st_size / 1e6

        def row(what: str, goal: str, *arguments: str) -> Row:
            seconds = median(child(module, *arguments) for _ in range(5))
            return Row(what, goal, f"{seconds * 1e3:.0f} ms")

        yield Row(
            "a history of 1,000,000 messages in 10,000 conversations: writing it",
            "—",
            f"{built:.0f} s, {size:,.0f} MB",
        )
        yield row("opening it", "≤ 50 ms", "open", file)
        yield row("its last conversation", "≤ 50 ms", "last", file)
        for kind, words in (
            ("a rare word", RARE),
            ("a word that is in every answer", EVERYWHERE),
            ("two Chinese characters", CHINESE),
            ("two words", f"{EVERYWHERE} {RARE}"),
        ):
            what = f"full-text search in it, the newest 50 messages with {kind}"
            yield row(what, "≤ 100 ms", "search", file, words)
        yield row("the names of its conversations", "≤ 50 ms", "names", file)
        yield row("forgetting one of its conversations, in every file", "—", "forget", file)


def _checkpointing(module: str, file: Path) -> Iterator[Row]:
    with serve_process() as gateway:
        without, more = child(module, "stream", gateway.base_url, str(file))
    yield Row(
        "checkpointing and storing, of the CPU of a streaming cell (200 tokens/s for 8 s)",
        "≤ 1 %",
        f"{more / without:.1%} ({more * 1e3:.1f} ms of {without * 1e3:.0f} ms)",
    )


def _standstill(module: str, folder: Path) -> Iterator[Row]:
    with serve_process() as gateway:
        for number, (seconds, when) in enumerate(
            (
                (0, "while an answer is stored"),
                (LOCK_S, f"with another program's lock for {LOCK_S} s"),
            )
        ):
            found = [
                child(
                    module,
                    "standstill",
                    gateway.base_url,
                    f"{folder}/{number}-{each}",
                    str(seconds),
                )
                for each in range(1 if seconds else ROUNDS)
            ]
            yield Row(
                f"longest standstill of the loop {when}", "≤ 20 ms", f"{median(found) * 1e3:.0f} ms"
            )


# One figure each, in a separate process ----------------------------------------------------------


def build(file: str) -> float:
    """Write a million messages through the store; return the seconds."""
    from cbai_notebook.conversation import Turn
    from cbai_notebook.conversation.registry import ConversationRegistry
    from cbai_notebook.conversation.store import Store

    started = time.perf_counter()
    registry = ConversationRegistry(Store(Path(file)), None)
    clock = datetime(2025, 1, 1, tzinfo=timezone.utc)
    each = MESSAGES // 2 // CONVERSATIONS
    for conversation in range(CONVERSATIONS):
        turns = []
        for number in range(each):
            clock += timedelta(seconds=40)
            count = conversation * each + number
            turn = Turn(
                f"Question {count}: how is it over there, and what about number {count % 977}?",
                clock,
                provider="cloudbase",
                model="hy3",
                status="complete",
                total_tokens=60,
            )
            rare = f" The {RARE} is on board." if count % 9973 == 0 else ""
            chinese = " 李白是唐代诗人。" if count % 499 == 0 else ""
            turn.add(
                f"The weather of day {count % 3653} was fair, with {count % 37} degrees and a wind from "
                f"the west that carried word {count % 49999} over the hills.{rare}{chinese}",
                "",
            )
            turns.append(turn)
        registry.get(f"conversation {conversation}").extend(turns)
    return time.perf_counter() - started


def open_(file: str) -> float:
    """Return the seconds to open the file."""
    from cbai_notebook.conversation.store import Store

    started = time.perf_counter()
    Store(Path(file)).check()
    return time.perf_counter() - started


def last(file: str) -> float:
    """Return the seconds to open the file and load the turns of the last conversation."""
    from cbai_notebook.conversation.registry import ConversationRegistry
    from cbai_notebook.conversation.store import Store

    started = time.perf_counter()
    talk = ConversationRegistry(Store(Path(file)), None).get(f"conversation {CONVERSATIONS - 1}")
    assert len(talk) == MESSAGES // CONVERSATIONS
    return time.perf_counter() - started


def names(file: str) -> float:
    """Return the seconds to list the conversations by name."""
    from cbai_notebook.conversation.registry import ConversationRegistry
    from cbai_notebook.conversation.store import Store

    registry = ConversationRegistry(Store(Path(file)), None)
    registry.get("another")
    started = time.perf_counter()
    assert len(registry.names()) == CONVERSATIONS + 1
    return time.perf_counter() - started


def search(file: str, words: str) -> float:
    """Return the seconds to find the newest 50 messages in the open file."""
    from cbai_notebook.conversation import keep_history
    from cbai_notebook.conversation.history import history
    from cbai_notebook.conversation.store import current_store

    keep_history(file)
    store = current_store()
    assert store is not None
    store.check()
    started = time.perf_counter()
    found = history(search=words, limit=50)
    seconds = time.perf_counter() - started
    assert len(found) == 50
    return seconds


def forget(file: str) -> float:
    """Return the seconds to delete a conversation from every file."""
    from cbai_notebook.conversation.registry import ConversationRegistry
    from cbai_notebook.conversation.store import Store

    registry = ConversationRegistry(Store(Path(file)), None)
    talk = registry.get(registry.names()[0])
    assert len(talk) == MESSAGES // CONVERSATIONS
    started = time.perf_counter()
    registry.delete(talk)
    return time.perf_counter() - started


def turn(folder: str) -> float:
    """Return the seconds of CPU to store a turn of 2,000 characters, from its prompt to its end."""
    from cbai_notebook.conversation import Conversation, Turn
    from cbai_notebook.conversation.registry import ConversationRegistry
    from cbai_notebook.conversation.secrets import known_keys
    from cbai_notebook.conversation.store import Store

    def run(talk: Conversation, count: int) -> float:
        started = time.process_time()
        for number in range(count):
            made = Turn(f"Question {number}", datetime.now(timezone.utc))
            talk.open(made).wait(30)
            talk.grow(made, "The answer is long. " * 100, "")
            talk.close(made, "complete").wait(30)
        return (time.process_time() - started) / count

    with tempfile.TemporaryDirectory(dir=folder) as own:
        kept = ConversationRegistry(Store(Path(own) / "history.sqlite"), None).get("talk")
        with known_keys({}):  # those of the prompt's settings, as while it is asked
            run(kept, 20)
            return run(kept, 500) - run(Conversation("in memory"), 500)


def stream(base_url: str, file: str) -> tuple[float, float]:
    """Return the seconds of CPU of a cell without the store, client and screen included, and of the store.

    Cells with and without the store run alternately. The part of the store is the additional time for
    opening, checkpointing and closing a turn, because the difference between whole cells is smaller than
    the noise.
    """
    from cbai_notebook import bridge
    from cbai_notebook.client.model_factory import create_model
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.client.transport import aclose
    from cbai_notebook.conversation import Conversation, Prompt, Turn, ask, prepare
    from cbai_notebook.conversation.store import Store
    from cbai_notebook.conversation.store.pending import Write
    from cbai_notebook.conversation.store.sync import StoreSync
    from cbai_notebook.notebook.render_loop import render_answer
    from cbai_notebook.notebook.screen import Screen
    from tests.notebook.screen.recording import RecordingSurface

    model = create_model("cloudbase", settings=Settings(base_url=base_url, api_key="test-key"))

    class Timed(Conversation):
        spent = 0.0

        def open(self, *given: Any, **named: Any) -> Write:
            return self._timed(super().open, *given, **named)

        def checkpoint(self, turn: Turn) -> Write:
            return self._timed(super().checkpoint, turn)

        def close(self, turn: Turn, status: str) -> Write:
            return self._timed(super().close, turn, status)

        def _timed(self, store: Callable[..., Write], *given: Any, **named: Any) -> Write:
            started = time.thread_time()
            write = store(*given, **named)
            self.spent += time.thread_time() - started
            return write

    class TimedSync(StoreSync):
        spent = 0.0

        def write(self) -> None:  # on the store's thread
            started = time.thread_time()
            super().write()
            self.spent += time.thread_time() - started

    def cell(talk: Conversation, spec: str) -> float:
        started = time.process_time()
        screen = Screen(RecordingSurface())
        question = Prompt("Tell me", model=spec)
        render_answer(
            lambda listener, _: ask(prepare(talk, question, model=model), listener=listener), screen
        )
        screen.finish("complete")
        return time.process_time() - started

    in_memory = Timed("talk")
    sync = TimedSync(Store(Path(file)), "talk")
    on_disk = Timed("talk", sync=sync)
    for talk in (in_memory, on_disk):
        cell(talk, "blast:500")
    without, more = [], []
    for _ in range(ROUNDS):
        in_memory.spent = on_disk.spent = sync.spent = 0.0
        without.append(cell(in_memory, "paced:200x1600"))
        cell(on_disk, "paced:200x1600")
        more.append(on_disk.spent + sync.spent - in_memory.spent)
    bridge.run(aclose())
    return median(without), median(more)


def standstill(base_url: str, file: str, seconds: str) -> float:
    """Return the longest time, in seconds, for which the loop stands still while an answer is stored.

    Args:
        base_url: The address of the test gateway.
        file: The path of the history.
        seconds: Another program holds the lock of the file for so long; ``"0"`` for none.
    """
    from cbai_notebook import bridge
    from cbai_notebook.client.model_factory import create_model
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.client.transport import aclose
    from cbai_notebook.conversation import Prompt, ask, prepare
    from cbai_notebook.conversation.registry import ConversationRegistry
    from cbai_notebook.conversation.store import Store

    model = create_model("cloudbase", settings=Settings(base_url=base_url, api_key="test-key"))
    store = Store(Path(file))
    talk = ConversationRegistry(store).get("talk")
    other = sqlite3.connect(file, isolation_level=None)

    async def longest(spec: str) -> float:
        answer = asyncio.ensure_future(
            ask(prepare(talk, Prompt("Tell me", model=spec), model=model))
        )
        found, last = 0.0, time.perf_counter()
        while not answer.done():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            found, last = max(found, now - last), now
        await answer
        return found

    bridge.run(longest("blast:20"))
    if held := float(seconds):
        other.execute("BEGIN IMMEDIATE")
    found = bridge.run(longest(f"paced:100x{max(300, int(100 * held))}"))
    other.close()
    bridge.run(aclose())
    store.close()
    return found


FIGURES: dict[str, Callable[..., Any]] = {
    "build": build,
    "open": open_,
    "last": last,
    "names": names,
    "search": search,
    "forget": forget,
    "turn": turn,
    "stream": stream,
    "standstill": standstill,
}


if __name__ == "__main__":
    print(json.dumps(FIGURES[sys.argv[1]](*sys.argv[2:])))
