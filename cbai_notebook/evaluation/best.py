"""The best variant of an evaluation, and how it is shipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cbai_notebook.batching.job import Batch
from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.formats.export import export
from cbai_notebook.conversation.formats.export_files import Export
from cbai_notebook.conversation.turn import COMPLETE, Turn
from cbai_notebook.errors import UsageError
from cbai_notebook.evaluation.comparison import Estimate
from cbai_notebook.evaluation.number_texts import estimate_text
from cbai_notebook.evaluation.runs import current_time
from cbai_notebook.i18n import listed, say
from cbai_notebook.prompts.template import Slot

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings

APPS = ("mini-program", "web")
"""The forms in which a prompt is shipped: in both, the user of the app writes the value of the template."""


@dataclass(frozen=True)
class ShippedPrompt:
    """What an app needs of a variant.

    Attributes:
        pieces: The template, with places for the columns; empty if the prompt is a function.
        provider: The provider of the model.
        model: The name of the model; None leaves it to the provider.
        system: The system prompt.
        params: The parameters of the requests.
    """

    pieces: Sequence[str | Slot]
    provider: str
    model: str | None
    system: str | None
    params: Mapping[str, Any]

    @classmethod
    def of(cls, batch: Batch) -> ShippedPrompt:
        """Return what the requests of a batch are made of."""
        options, prepared = batch.options, batch.prepared
        params = dict(options.params)
        if batch.response is not None:
            params["response_format"] = batch.response.format
        return cls(
            batch.template_pieces(),
            prepared.provider,
            prepared.asked_model,
            options.system,
            params,
        )


@dataclass(frozen=True)
class BestVariant:
    """The variant with the highest mean.

    Attributes:
        name: The name of the variant.
        check: The check by which it is the best.
        estimate: Its mean with the interval. Another variant may be as good: see the verdicts.
        prompt: What an app needs of it.
    """

    name: str
    check: str
    estimate: Estimate
    prompt: ShippedPrompt

    def __repr__(self) -> str:
        found = self.estimate
        text = estimate_text(found.value, found.low, found.high, is_share=found.is_share)
        return f"<BestVariant {self.name!r}: {self.check} {text}>"

    def export(self, form: str = "mini-program", *, settings: Settings | None = None) -> Export:
        """Make an app that sends this prompt, with what its user writes in the place of the column.

        Each text is asked alone, as in the evaluation: no past goes along.

        Args:
            form: ``"mini-program"``, a folder for WeChat DevTools, or ``"web"``, a page.
            settings: Settings with the environment's id; the current ones by default.

        Returns:
            The files, not written yet: ``.write(path)`` writes them.

        Raises:
            UsageError: The form is no app, or the prompt is a function or has not one place to fill in.
        """
        if form not in APPS:
            raise UsageError(say("evaluate.no_app", form=repr(form), known=listed(APPS, "or")))
        prompt = self.prompt
        places = [piece for piece in prompt.pieces if isinstance(piece, Slot)]
        if len(places) != 1:
            names = listed(f"{{{place.reference}}}" for place in places)
            raise UsageError(
                say("evaluate.not_one_place", name=repr(self.name), places=names or "–")
            )
        at = prompt.pieces.index(places[0])
        before, after = (
            "".join(map(str, pieces)) for pieces in (prompt.pieces[:at], prompt.pieces[at + 1 :])
        )
        turn = Turn(
            prompt=f"{before}{{{places[0].reference}}}{after}",
            created_at=current_time(),
            system=prompt.system,
            provider=prompt.provider,
            model=prompt.model,
            asked_model=prompt.model,
            params=prompt.params,
            status=COMPLETE,
        )
        app = Conversation(self.name)
        app.extend([turn])
        return export(app, form, settings=settings, template=(before, after))
