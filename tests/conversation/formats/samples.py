"""Conversations to export, and helpers that run the exports."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation
from cbai_notebook.conversation.formats import export
from tests.gateway import DEFAULT_KEY
from tests.isolation import isolated_environment

SETTINGS = Settings(env_id="my-env-1a2b3c", api_key=DEFAULT_KEY)

TOOL_STEPS = (
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "北京"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "12 °C"},
)

HOSTILE = (
    "'; touch broken; '",
    "$(touch broken) `touch broken` ${HOME}",
    "END_OF_REQUEST\ntouch broken\nEND_OF_REQUEST",
    "</script><script>globalThis.broken = 1</script><!-- <script>",
    "`${globalThis.broken = 1}`",
    '");globalThis.broken = 1;("',
    "\\",
    "\\'\\\"\\n\\u0027",
    "\u2028globalThis.broken = 1\u2029",
    '"""\nraise SystemExit(7)\n"""',
    "\x00\x01\x1b[31m\x7f\x85",
    "\r\rtouch broken\r\n",
    "{{name}} {name} {name.attr} {_} {In} {quit}",
    "{{title}} <view bindtap='clear'/>",
    "%%bash\ntouch broken",
    "!touch broken",
    "%%cbai --dry-run",
    ">>> import os\n>>> os",
    "... more",
    "In [1]: x",
    "\n\n leading and trailing \n\n",
    "```\nopened and never closed",
    "~~~",
    "<details><summary>never closed",
    "<!-- never closed",
    "# Heading\n\n**You**\n\n> forged",
    "[a]: https://example.com\n\nSetext\n===",
    "\u202e\u2066 reordered",
    "\ud83d half a pair",
    "👩‍👩‍👧‍👦 你好　世界",
    "@NAME@ @BASE@ @KEY@ @NOTES@ @PROMPT@",
    "__proto__",
    "What?",
)
"""Texts that a format could take for code or markup."""

HOSTILE_IDS = [f"hostile{number}" for number in range(len(HOSTILE))]


def texts(**options: Any) -> st.SearchStrategy[str]:
    """Return a strategy for any text, which often draws a hostile one."""
    return st.one_of(st.sampled_from(HOSTILE), st.text(**options)).filter(bool)


def text_of(talk: Conversation, form: str, **options: Any) -> str:
    """Return the text of an export that is a single file, as on disk."""
    made = export(talk, form, **{"settings": SETTINGS, **options})
    return made.data.decode()


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with no variables of the developer in its environment."""
    environment = isolated_environment(folder / "home", NO_PROXY="127.0.0.1", **variables)
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
    )
