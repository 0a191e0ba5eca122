"""What the user has seen: commands out of files, and the definitions of tools.

A command out of a file is run, and a definition of a tool that has changed is sent to a model, only
after the user has seen it. A file keeps a digest of each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cbai_notebook.files import user_directory, write_atomically


def digest(value: Any) -> str:
    """Return what stands for a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


class Confirmed:
    """The file of what was seen.

    Args:
        path: The file; None is the one in the user's folder for settings.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._unsaved: dict[str, Any] = {}

    def knows_command(self, identity: str) -> bool:
        """Return whether a command or an address out of a file was seen."""
        return identity in self._read()["commands"]

    def add_command(self, identity: str) -> None:
        """Note that the user has seen a command or an address out of a file."""
        record = self._read()
        record["commands"][identity] = True
        self._write(record)

    def changed(
        self, identity: str, digests: Mapping[str, str], known: Mapping[str, str] | None
    ) -> list[str]:
        """Return the names of the tools that are new or others since the server was last seen.

        Nothing has changed of a server that was never seen.

        Args:
            identity: What stands for the server.
            digests: The digests of the definitions by the names of the tools.
            known: Those that were seen in this session; they count where nothing is noted. None if
                there was no list yet.
        """
        seen = self._read()["tools"].get(identity)
        if not isinstance(seen, dict):
            seen = known
        if seen is None:
            return []
        return [name for name, found in digests.items() if seen.get(name) != found]

    def add_tools(self, identity: str, digests: Mapping[str, str]) -> None:
        """Note the definitions of a server's tools as seen; those that it lists no more are kept."""
        record = self._read()
        seen = record["tools"].get(identity)
        found = {**(seen if isinstance(seen, dict) else {}), **digests}
        if found != seen:
            record["tools"][identity] = found
            self._write(record)

    def _file(self) -> Path:
        return self._path or user_directory("config", "CBAI_CONFIG_DIR") / "mcp_confirmed.json"

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            record = json.loads(self._file().read_text("utf-8"))
        except (OSError, ValueError):
            record = self._unsaved
        if not isinstance(record, dict):
            record = {}
        return {
            kind: dict(found) if isinstance(found := record.get(kind), dict) else {}
            for kind in ("commands", "tools")
        }

    def _write(self, record: Mapping[str, Any]) -> None:
        text = json.dumps(record, indent=1, sort_keys=True)
        try:
            write_atomically(self._file(), text.encode(), private=True)
        except OSError:  # without a folder that can be written it is known for this session
            self._unsaved = dict(record)
