"""Show an answer as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cbai_notebook.i18n import say
from cbai_notebook.notebook.screen.bodies.base import Ending, Part, joined_html, joined_source
from cbai_notebook.notebook.screen.bodies.code import code_html, unfenced
from cbai_notebook.notebook.screen.bodies.text import text_part
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.text import plain

WINDOW = 4000
"""Characters of a JSON answer that are shown while it streams; the end shows all of it."""


class JsonBody:
    """An answer in JSON: as code while it streams, indented when it is complete and valid.

    Nothing is sealed, since all of it changes at the end. Until then only recent text is shown.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._recent = ""
        self._total = 0

    def feed(self, text: str) -> None:
        """Append text to the answer."""
        self._parts.append(text)
        self._total += len(text)
        self._recent = (self._recent + text)[-WINDOW:]

    def take_sealed(self) -> Sequence[Part]:
        """Return no parts."""
        return []

    @property
    def open_chars(self) -> int:
        """Number of characters that are shown."""
        return len(self._recent)

    def tail_html(self) -> str:
        """Return the most recent text as code."""
        if not self._recent.strip():
            return ""
        cut = "…" if self._total > len(self._recent) else ""
        return code_html(cut + self._recent, "json")

    def finish(self, complete: bool) -> Ending:
        """Return the answer as one part."""
        part, note = _json_part("".join(self._parts), complete)
        return Ending([part], note=note)

    def merged(self, complete: bool) -> tuple[Bundle, str]:
        """Return the answer as one output."""
        part, note = _json_part("".join(self._parts), complete)
        return self.bundle([part]), note

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return the answer as one output in all its MIME types."""
        return {"text/html": joined_html(parts), "text/plain": plain(joined_source(parts))}


def _json_part(source: str, complete: bool) -> tuple[Part, str]:
    text = unfenced(source)[0].strip()
    try:
        pretty = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        return text_part(source), _not_json(error) if complete and text else ""
    return Part(pretty, code_html(pretty, "json")), ""


def _not_json(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return say("answer.not_json_at", line=error.lineno, column=error.colno)
    return say("answer.not_json")
