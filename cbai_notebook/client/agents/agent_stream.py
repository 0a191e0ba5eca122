"""An agent's answer, as a stream and as a completion."""

from __future__ import annotations

from typing import Any

from cbai_notebook.client.agents.decoder import AgentAccumulator, merged
from cbai_notebook.client.agents.values import SearchResult
from cbai_notebook.client.answer import Answer
from cbai_notebook.client.stream import TextStream


class AgentAnswer(Answer):
    """An agent's answer: an `Answer` with search results and knowledge bases.

    ``raw`` is all events merged into one of their shape.
    """

    def __init__(
        self,
        *,
        agent_id: str,
        search_results: tuple[SearchResult, ...],
        knowledge: tuple[str, ...],
        **facts: Any,
    ) -> None:
        super().__init__(**facts)
        self.object = "agent.message"
        self.agent_id = agent_id
        self.search_results = search_results
        self.knowledge = knowledge

    @property
    def record_id(self) -> str | None:
        """The id of the agent's record of the answer; feedback refers to it."""
        return self.id

    def _reply(self) -> dict[str, Any]:
        return {"role": "assistant", "content": self.text}


class AgentStream(TextStream):
    """A `TextStream` of one agent's answer.

    The answer ends at ``[DONE]``, or without it after a finish reason other than ``"continue"``.
    The finish reason ``"content_filter"`` ends the answer normally, with the text so far;
    ``"error"`` fails the stream, with that text in ``partial``.
    """

    def __init__(self, *args: Any, agent_id: str, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.agent_id = agent_id

    @property
    def search_results(self) -> tuple[SearchResult, ...]:
        """The web pages that the agent has used so far."""
        return self._accumulator.search_results

    @property
    def knowledge(self) -> tuple[str, ...]:
        """The knowledge bases that the agent has used so far."""
        return self._accumulator.knowledge

    @property
    def record_id(self) -> str | None:
        """The id of the agent's record of the answer; feedback refers to it."""
        return self._accumulator.id

    async def finish(self) -> AgentAnswer:
        """Read to the end and return the answer.

        Raises:
            CbaiError: The stream failed; ``partial`` holds the text that had arrived.
        """
        await super().finish()
        return self.answer()

    def answer(self) -> AgentAnswer:
        """Return the answer so far."""
        return AgentAnswer(
            agent_id=self.agent_id,
            search_results=self.search_results,
            knowledge=self.knowledge,
            **self._facts(lambda values, choices: merged(values)),
        )

    def _reply(self) -> dict[str, Any]:
        return {"role": "assistant", "content": self.text}

    @property
    def _accumulator(self) -> AgentAccumulator:
        accumulator = self._log.accumulator
        assert isinstance(accumulator, AgentAccumulator)
        return accumulator
