"""An agent's answer: while it arrives, and when it is there."""

from __future__ import annotations

from typing import Any

from cbai_notebook.client.agents.decoder import AgentAccumulator, merged
from cbai_notebook.client.agents.values import SearchResult
from cbai_notebook.client.answer import Answer
from cbai_notebook.client.stream import TextStream


class AgentAnswer(Answer):
    """What an agent answered: an `Answer` that also tells where it comes from.

    ``raw`` is what the events add up to, in the shape of one of them.
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
        """The id under which the agent keeps the answer; feedback is sent to it."""
        return self.id


class AgentStream(TextStream):
    """A stream of one agent's answer, with all that a `TextStream` has.

    The answer ends at ``[DONE]``, and also without it once a finish reason other than
    ``"continue"`` has come. A finish reason ``"content_filter"`` ends it in order, with the text so
    far; ``"error"`` is a failure of the stream, whose ``partial`` holds that text.
    """

    def __init__(self, *args: Any, agent_id: str, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.agent_id = agent_id

    @property
    def search_results(self) -> tuple[SearchResult, ...]:
        """The pages of the web that the agent used, as far as it has told."""
        return self._accumulator.search_results

    @property
    def knowledge(self) -> tuple[str, ...]:
        """The knowledge bases that the agent used, as far as it has told."""
        return self._accumulator.knowledge

    @property
    def record_id(self) -> str | None:
        """The id under which the agent keeps the answer; feedback is sent to it."""
        return self._accumulator.id

    async def finish(self) -> AgentAnswer:
        """Read to the end and return the whole answer.

        Raises:
            CbaiError: The stream failed; ``partial`` holds the text that had arrived.
        """
        await super().finish()
        return self.answer()

    def answer(self) -> AgentAnswer:
        """Return what has arrived so far, as an answer."""
        return AgentAnswer(
            agent_id=self.agent_id,
            search_results=self.search_results,
            knowledge=self.knowledge,
            **self._facts(merged),
        )

    @property
    def _accumulator(self) -> AgentAccumulator:
        accumulator = self._log.accumulator
        assert isinstance(accumulator, AgentAccumulator)
        return accumulator
