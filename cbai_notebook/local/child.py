"""The child process: the model's server, or pip. It ends when its parent ends.

The parent starts this file by its path, ``child.py serve`` or ``child.py pip ARGUMENTS…``, so that
neither the package nor the user's working directory has to be importable.

The parent keeps the other end of standard input open while it lives. The first line of the input of
``serve`` is the configuration as JSON, so that the key is visible neither in ``ps`` nor in the
environment. When the server is ready, it writes one line ``READY`` + JSON to standard output.
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
    """The configuration of the server.

    Keys:
        gguf: Path of the weights.
        name: Name of the model in responses.
        key: API key that every request must send.
        threads: Number of CPU threads.
        context: Tokens of prompt and answer together.
    """

    gguf: str
    name: str
    key: str
    threads: int
    context: int


# Parameters that were renamed or added after the oldest supported version. The key protects the
# server already; the page, the address and the origins are a second protection.
_NOT_IN_EVERY_VERSION: dict[str, object] = {
    "hostname": "127.0.0.1",
    "hostnames": ["127.0.0.1"],
    "webui": False,
    "ui": False,
    # By default any web page may send requests; "null" is the origin of a sandboxed page.
    # Nobody can own this domain (RFC 2606).
    "cors_origins": "https://nobody.invalid",
}


def end_with_parent() -> None:
    """End this process when its parent ends for any reason.

    Standard input reaches its end when the parent dies, on every system. A process that the parent
    forked can keep it open longer, so on POSIX the parent's id is watched too: it changes when the
    parent dies. The kernel's death signal is not usable: it is sent when the *thread* that started
    the child ends (prctl(2), PR_SET_PDEATHSIG).
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
    """Serve one model on a free loopback port until the parent ends."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = config["gguf"]
    params.model_alias = {config["name"]}
    params.port = 0
    params.api_keys = [config["key"]]
    params.endpoint_slots = False
    params.n_ctx = config["context"]
    params.cache_ram_mib = 0  # the cache of other conversations' prompts; up to 8 GB by default
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
    """Run the program that the first argument names."""
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
