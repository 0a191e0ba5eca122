"""A server without any library, which misbehaves as it is told: it starts in a moment.

Usage: ``python plain_server.py [WORD…]``; each word is a way to misbehave:

- ``silent``: never answers anything.
- ``fails``: writes an error and ends before it answers.
- ``tells``: as ``fails``; the error has the value of the variable MYVAL.
- ``stubborn``: does not end with its input, and ignores SIGTERM.
- ``noisy``: writes lines that are no messages, and messages that nobody has asked for.
- ``about=@FILE``: describes its tool ``add`` with the text of this file.
- ``title=@FILE``: gives its tool ``add`` this title and no description.
- ``tools=N``: has N tools more.
- ``more=@FILE``: has the tools more that this file names.
- ``changes=@FILE``: its tool ``change`` says that the list of tools is another one; it describes
  ``add`` with what is in the file by then.
- ``refuses=@FILE``: refuses to list its tools while there is this file.
- ``error=CODE``: answers the call of ``add`` with an error of this code and the message that is in
  the variable MESSAGE.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

WORDS = sys.argv[1:]
FILES = ("about", "title", "more", "changes")
VALUES = dict(word.split("=", 1) for word in WORDS if "=" in word)

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
NONE = {"type": "object"}
TOOLS: dict[str, dict[str, Any]] = {
    "add": SCHEMA,
    "process": NONE,
    "child": NONE,
    "stubborn_child": NONE,
    "crash": NONE,
    "flood": NONE,
    "wait": NONE,
    "sample": NONE,
    "roots": NONE,
    "elicit": NONE,
    "change": NONE,
    **{f"tool_{number}": SCHEMA for number in range(int(VALUES.get("tools", 0)))},
}

WISHES: dict[str, tuple[str, dict[str, Any]]] = {
    "sample": ("sampling/createMessage", {"messages": [], "maxTokens": 1}),
    "roots": ("roots/list", {}),
    "elicit": (
        "elicitation/create",
        {"message": "Your key?", "requestedSchema": {**NONE, "properties": {}}},
    ),
}
"""What a server may ask of a client, by the tool that asks it."""


def write(message: dict[str, Any]) -> None:
    """Send a message to the client."""
    os.write(1, json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def result_of(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Answer a request."""
    if method == "initialize":
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "plain", "version": "1"},
        }
    if method == "tools/list":
        texts = {word: Path(VALUES[word][1:]).read_text() for word in FILES if word in VALUES}
        about = texts.get("changes") or texts.get("about", "" if "title" in texts else "Add one.")
        more = dict.fromkeys(texts.get("more", "").split(), SCHEMA)
        return {
            "tools": [
                {
                    "name": name,
                    "title": texts.get("title", ""),
                    "description": about if name == "add" else "",
                    "inputSchema": schema,
                }
                for name, schema in {**TOOLS, **more}.items()
            ]
        }
    return {"content": [{"type": "text", "text": called(params["name"], params["arguments"])}]}


def called(tool: str, arguments: dict[str, Any]) -> str:
    """Call a tool."""
    if tool == "add":
        return str(arguments["x"] + 1)
    if tool == "change":
        for _ in range(1_000):
            write({"method": "notifications/tools/list_changed"})
        return "changed"
    if tool == "process":
        return str(os.getpid())
    if tool.endswith("child"):
        reaction = "SIG_DFL" if tool == "child" else "SIG_IGN"
        code = f"import signal; signal.signal(signal.SIGTERM, signal.{reaction}); print(flush=True)"
        child = subprocess.Popen(
            [sys.executable, "-c", f"{code}; signal.pause()"], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()  # it has decided what SIGTERM does
        return str(child.pid)
    if tool == "crash":
        sys.stderr.write("Traceback:\n  a line\nMemoryError: too much\n")
        sys.stderr.flush()
        os._exit(3)
    while tool == "flood":
        os.write(1, b"x" * 1_000_000)
    return ""


def refuses_to_list() -> bool:
    """Return whether there is the file that forbids it."""
    return "refuses" in VALUES and Path(VALUES["refuses"][1:]).exists()


def main() -> None:
    """Answer requests until the input ends."""
    if "fails" in WORDS:
        sys.exit("No such database: sales")
    if "tells" in WORDS:
        sys.exit(f"Refused: {os.environ['MYVAL']}")
    if "stubborn" in WORDS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        message = json.loads(line)
        if "noisy" in WORDS:
            os.write(1, b"Starting ...\n\n[1, 2]\n")
            for _ in range(1_000):
                log = {"level": "info", "data": "x" * 1_000}
                write({"method": "notifications/message", "params": log})
        if "silent" in WORDS or "id" not in message or "method" not in message:
            continue
        params = message.get("params") or {}
        tool = params.get("name") if message["method"] == "tools/call" else ""
        if tool == "add" and "error" in VALUES:
            error = {"code": int(VALUES["error"]), "message": os.environ["MESSAGE"]}
            write({"id": message["id"], "error": error})
        elif message["method"] == "tools/list" and refuses_to_list():
            write({"id": message["id"], "error": {"code": -32000, "message": "Not now."}})
        elif tool == "wait":
            Path(os.environ["WAITING"]).touch()
        elif tool in WISHES:
            method, wish = WISHES[tool]
            write({"id": "s", "method": method, "params": wish})
            answer = json.loads(sys.stdin.readline())
            text = json.dumps(answer.get("error"))
            write({"id": message["id"], "result": {"content": [{"type": "text", "text": text}]}})
        elif message["method"] in ("initialize", "tools/list", "tools/call"):
            write({"id": message["id"], "result": result_of(message["method"], params)})
        else:
            write({"id": message["id"], "error": {"code": -32601, "message": "no such method"}})
    if "stubborn" in WORDS:
        signal.pause()


if __name__ == "__main__":
    main()
