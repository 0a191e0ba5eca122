"""What runs in a child process: the model's server, or pip. Either ends when its parent does.

The parent starts this file by its path, so that neither the package nor anything in the user's
working directory has to be importable: ``child.py serve`` or ``child.py pip ARGUMENTS…``.

The parent holds the other end of standard input open for as long as it lives. The first line there
is the configuration of ``serve``, as JSON, so the key shows neither in ``ps`` nor in the
environment. When the server is ready, one line ``READY`` + JSON goes to standard output.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading
import time
from typing import TypedDict

READY = "cbai-local-server-ready "


class ServeConfig(TypedDict):
    """What the server needs to know.

    Keys:
        gguf: Path of the weights.
        name: Name of the model in the answers.
        key: Key that every request must carry.
        threads: Number of CPU threads.
        context: Tokens of prompt and answer together.
    """

    gguf: str
    name: str
    key: str
    threads: int
    context: int


# Renamed or added since the oldest version that we take. Without the key nothing is answered, so
# the page, the address and the origins are second locks.
_NOT_IN_EVERY_VERSION: dict[str, object] = {
    "hostname": "127.0.0.1",
    "hostnames": ["127.0.0.1"],
    "webui": False,
    "ui": False,
    # By default any web page may ask; "null" is what a sandboxed page calls itself.
    # This domain can belong to nobody (RFC 2606).
    "cors_origins": "https://nobody.invalid",
}


def end_with_parent() -> None:
    """End this process as soon as its parent is gone, however the parent ended.

    Standard input reaches its end when the parent dies, on every system. A process that the parent
    forked can hold it open longer, so where a parent's id changes with its death (POSIX) that
    is watched too. The kernel's own death signal is of no use: it fires when the *thread* that
    started the child ends (prctl(2), PR_SET_PDEATHSIG).
    """

    def watch_input() -> None:
        # os.read, not sys.stdin: a blocked buffered reader is a fatal error at interpreter exit.
        while os.read(0, 4096):
            pass
        os._exit(0)

    def watch_parent(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch_input, daemon=True).start()
    if os.name == "posix":
        threading.Thread(target=watch_parent, args=(os.getppid(),), daemon=True).start()


def serve(config: ServeConfig) -> None:
    """Serve one model on a free loopback port until the parent is gone."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = config["gguf"]
    params.model_alias = {config["name"]}
    params.port = 0
    params.api_keys = [config["key"]]
    params.endpoint_slots = False
    params.n_ctx = config["context"]
    params.cache_ram_mib = 0  # the prompts of other conversations; up to 8 GB by default
    params.cpuparams.n_threads = config["threads"]
    params.cpuparams_batch.n_threads = config["threads"]
    params.verbosity = 2  # errors and warnings
    for name, value in _NOT_IN_EVERY_VERSION.items():
        if hasattr(params, name):
            setattr(params, name, value)
    server = xllamacpp.Server(params)
    # The runtime may have left a line unfinished on the shared pipe.
    sys.stdout.write("\n" + READY + json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


def main(arguments: list[str]) -> None:
    """Do what the first argument names."""
    if arguments[0] == "serve":
        config: ServeConfig = json.loads(sys.stdin.buffer.readline())
        end_with_parent()
        serve(config)
    else:
        end_with_parent()
        sys.argv = arguments
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
