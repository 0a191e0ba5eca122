"""The sources of an answer: the web pages and the knowledge bases that an agent used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class SearchResult:
    """One web page that an agent found and used."""

    title: str = ""
    url: str = ""
    index: str = ""

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> SearchResult:
        """Read one search result; a field of another type than text is read as missing."""
        from cbai_notebook.client.chat_wire import text_of  # the screen loads without msgspec

        return cls(*(text_of(value.get(name)) or "" for name in ("title", "url", "index")))


@dataclass(frozen=True)
class Sources:
    """What an answer is based on; empty for the answer of a model, and false then.

    Args:
        pages: The web pages, in the order of arrival.
        knowledge: The names of the knowledge bases.
    """

    pages: tuple[SearchResult, ...] = ()
    knowledge: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pages or self.knowledge)

    @classmethod
    def from_stored(cls, value: Mapping[str, Any]) -> Sources:
        """Read the sources of a turn."""
        pages = tuple(map(SearchResult.of, value.get("searched", ())))
        return cls(pages, tuple(value.get("looked_up", ())))

    def stored(self) -> dict[str, Any]:
        """Return the sources as a turn stores them: a dict without empty values."""
        found = {
            "searched": [asdict(page) for page in self.pages],
            "looked_up": list(self.knowledge),
        }
        return {name: value for name, value in found.items() if value}
