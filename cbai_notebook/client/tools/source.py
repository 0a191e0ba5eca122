"""A source of tools: one value in ``tools=[…]`` that brings several, such as a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cbai_notebook.errors import ToolServerError, UsageError
from cbai_notebook.i18n import Words, listed, say
from cbai_notebook.text import near_match


class UnconfirmedError(ToolServerError):
    """The user has not seen yet what would be started, or what would be sent to a model.

    Args:
        message: What to do where nobody can be asked.
        question: The question to the user.
        source: What to `confirm` if the user agrees.
        digests: The digests of the tools' definitions that the question shows, by the tools' names;
            None if it is about a command.
    """

    def __init__(
        self,
        message: Words,
        question: Words,
        source: ToolSource,
        digests: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.question = question
        self.source = source
        self.digests = digests


class ToolSource(ABC):
    """Brings several tools. The same tool is the same object each time.

    A tool is a `cbai_notebook.Tool`; its module imports this one.
    """

    @abstractmethod
    def named_tools(self) -> dict[str, Any]:
        """Return the tools by the names that they have at their source.

        It may have to start something, and wait for that.
        """

    @abstractmethod
    def known_names(self) -> list[str]:
        """Return the names of the tools, as far as they are known without waiting."""

    @property
    def starting_name(self) -> str:
        """The name of what `named_tools` would start, and wait for; empty if it would not wait."""
        return ""

    async def start(self) -> None:  # noqa: B027  # most sources have nothing to start
        """Do all that `named_tools` would wait for."""

    def confirm(self, asked: UnconfirmedError | None = None) -> None:  # noqa: B027
        """Note that the user has agreed.

        Args:
            asked: What the user was asked; None agrees to all that is not confirmed now.
        """

    def take_hints(self) -> list[str]:
        """Return sentences for the user that were not taken yet."""
        return []

    def tool(self, name: str) -> Any:
        """Return one tool.

        Args:
            name: Its name at the source, or the name that the model uses.

        Raises:
            UsageError: There is no such tool.
        """
        tools = self.named_tools()
        found = tools.get(name) or next((t for t in tools.values() if t.name == name), None)
        if found is None:
            near = near_match(name, tools, beginning=True)
            raise UsageError(
                say("tool.not_in_source_near", name=name, near=near)
                if near
                else say("tool.not_in_source", name=name, known=listed(tools) or "—")
            )
        return found


def names_of(given: str | Collection[str]) -> tuple[str, ...]:
    """Return the names that an argument such as ``allow`` gives: one string is one name."""
    return (given,) if isinstance(given, str) else tuple(given)


async def start_sources(tools: Any) -> None:
    """Start the sources among what a caller passes as ``tools``.

    Args:
        tools: As `cbai_notebook.client.tools.tool.tools_of` takes it.
    """
    for item in _flat((tools,)):
        if isinstance(item, ToolSource):
            await item.start()


def names_to_start(tools: Any) -> list[str]:
    """Return the names of what has to start before it is known which tools there are.

    Args:
        tools: As for `start_sources`.
    """
    found = (item.starting_name for item in _flat((tools,)) if isinstance(item, ToolSource))
    return list(dict.fromkeys(filter(None, found)))


def _flat(items: Iterable[Any]) -> Iterable[Any]:
    for item in items:
        if isinstance(item, (list, tuple)):
            yield from _flat(item)
        else:
            yield item
