"""One answer of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbai_notebook.comparison.variants import Variant
from cbai_notebook.conversation import PreparedPrompt
from cbai_notebook.conversation.placement import Placement
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.errors import CbaiError

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.model import Model


@dataclass(eq=False)
class Candidate:
    """One answer of a comparison.

    Attributes:
        number: Its number, from 1.
        variant: How the prompt is asked.
        label: What tells it from the others, for the user.
        prepared: The prompt.
        placement: Has its turn, once there is one.
        answer: The complete answer.
        error: Why there is none.
        ended: Whether it has ended, well or not.
    """

    number: int
    variant: Variant
    label: str
    prepared: PreparedPrompt[Model]
    placement: Placement
    answer: Answer | None = None
    error: CbaiError | None = None
    ended: bool = False

    @property
    def turn(self) -> Turn | None:
        """Its turn, once there is one."""
        return self.placement.turn

    @property
    def text(self) -> str:
        """The answer, as far as it has come."""
        return self.turn.text if self.turn is not None else ""

    @property
    def ended_well(self) -> bool:
        """Whether it is a complete answer with text, neither cut nor filtered nor refused."""
        turn = self.turn
        if turn is None or self.answer is None or not turn.text.strip():
            return False
        return self.answer.ending is None
