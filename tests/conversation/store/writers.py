"""Concurrent writers: ``python -m tests.conversation.store.writers FILE PROCESSES TURNS``.

Each process writes TURNS turns, every eighth into a conversation that all processes share. Each
write that fails prints one line.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

from cbai_notebook.conversation import Turn
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store


def write(file: Path, number: int, turns: int) -> int:
    """Write turns as a kernel does, from prompt to end; return the number of failed writes."""
    registry = ConversationRegistry(store := Store(file), None)
    own, shared = registry.get(f"own {number}"), registry.get("shared")
    troubles = 0
    for count in range(turns):
        talk = shared if count % 8 == 0 else own
        turn = Turn(f"{number}/{count}", datetime.now(timezone.utc))
        talk.open(turn).wait(30)
        talk.grow(turn, f"answer {number}/{count}", "")
        talk.close(turn, "complete").wait(30)
    if not store.writer.finish(30):
        troubles += 1
        print(talk.not_stored, flush=True)
    return troubles


def main(file: str, processes: int, turns: int) -> None:
    """Write from several processes at once; none of them has opened the file before."""
    children = []
    for number in range(processes):
        pid = os.fork()
        if pid == 0:
            os._exit(bool(write(Path(file), number, turns)))
        children.append(pid)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
