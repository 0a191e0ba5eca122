"""The footer of an answer: dimmed lines with provider, model, usage, timing, sources and errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cbai_notebook.client.providers import model_label
from cbai_notebook.client.sources import Sources
from cbai_notebook.i18n import PYTHON, Place, said_now, say
from cbai_notebook.notebook.screen import html, sources
from cbai_notebook.notebook.screen.notice import Notice
from cbai_notebook.text import plain

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer

Status = Literal["complete", "partial", "cancelled", "failed"]


@dataclass(frozen=True)
class Facts:
    """The known facts about one answer; unknown ones are not in the footer.

    Attributes:
        label: Provider and model, such as ``"cloudbase/hy3"``.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens of the completion.
        cached_tokens: How many of the prompt's tokens the server had in its cache.
        first_token_s: Seconds from the request to the first token.
        duration_s: Seconds from the request to the last token.
        note: How the answer ended and what to do next; it also explains an empty answer.
        dropped: A sentence about the turns dropped from the context.
        sources: The web pages and the knowledge bases that an agent used.
        place: Who reads the footer: a cell names options, a stream that Python code shows names arguments.
        shown_elsewhere: Whether another part of the page shows the status, also of an empty answer.
    """

    label: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    first_token_s: float | None = None
    duration_s: float | None = None
    note: str = ""
    dropped: str = ""
    sources: Sources = field(default_factory=Sources)
    place: Place = PYTHON
    shown_elsewhere: bool = False

    @classmethod
    def of(cls, answer: Answer, dropped: str = "", place: Place = PYTHON) -> Facts:
        """Return the facts of a complete answer.

        Args:
            answer: The answer.
            dropped: A sentence about the turns dropped from the context.
            place: Who reads the footer.
        """
        has_label = answer.label != answer.provider
        usage = answer.usage
        return cls(
            label=answer.label if has_label else model_label(answer.provider, answer.model),
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            first_token_s=answer.timing.first_token_s,
            duration_s=answer.timing.duration_s,
            note=answer.note,
            dropped=dropped,
            sources=answer.sources,
            place=place,
        )

    @property
    def tokens_per_s(self) -> float | None:
        """Speed after the first token, or None when it cannot be measured well."""
        if not self.completion_tokens or self.duration_s is None:
            return None
        writing = self.duration_s - (self.first_token_s or 0.0)
        if self.completion_tokens < 2 or writing < 0.05:
            return None
        return (self.completion_tokens - 1) / writing

    def parts(self) -> Iterator[str]:
        """Yield the parts of the last line, from the most to the least important."""
        if self.label:
            yield said_now(self.label)
        sent, received, cached = self.prompt_tokens, self.completion_tokens, self.cached_tokens
        if received is not None and sent is not None and cached:
            yield say("answer.tokens_in_out_cached", n=sent, cached=cached, out=received)
        elif received is not None and sent is not None:
            yield say("answer.tokens_in_out", n=sent, out=received)
        elif received is not None:
            yield say("answer.tokens", n=received)
        if self.first_token_s is not None:
            yield say("answer.first_token", duration=seconds(self.first_token_s))
        if self.tokens_per_s is not None:
            yield say("answer.speed", n=self.tokens_per_s)


@dataclass(frozen=True)
class Closing:
    """The footer of an answer, as safe markup and as plain text; both may be empty."""

    html: str
    plain: str


def seconds(value: float) -> str:
    """Return a duration as text: ``"0.42 s"``, ``"3.1 s"``, ``"2 min 5 s"``."""
    if value < 60:
        digits = 2 if value < 1 else 1 if value < 10 else 0
        return say("answer.seconds", value=f"{value:.{digits}f}")
    minutes, rest = divmod(round(value), 60)
    return say("answer.minutes", minutes=minutes, seconds=rest)


def closing(
    status: Status,
    facts: Facts | None = None,
    *,
    hints: Sequence[str] = (),
    note: Notice | str | None = None,
    received: str = "text",
) -> Closing:
    """Return the footer of an answer.

    Args:
        status: How the answer ended; any status but complete is shown.
        facts: The known facts about the answer.
        hints: Sentences about the prompt, each on a separate line.
        note: The error, if there was one.
        received: ``"text"``; ``"reasoning"`` or ``""`` when the answer is empty.
    """
    facts = facts or Facts()
    notice = Notice(note) if isinstance(note, str) else note
    mark = "" if status == "complete" else say(f"answer.{status}")
    sentences = [hint for hint in hints if hint]
    if facts.note:
        sentences.insert(0, facts.note)
    elif received != "text" and status == "complete" and not facts.shown_elsewhere:
        sentences.insert(0, _empty(received))
    if facts.dropped:
        sentences.append(facts.dropped)
    sentences = [said_now(sentence, facts.place) for sentence in sentences]
    parts = list(facts.parts())
    source_lines = sources.lines(facts.sources)
    rows = [notice.plain] if notice else []
    rows += [line.plain for line in source_lines]
    rows += sentences
    rows += [" · ".join(([mark] if mark else []) + parts)]
    return Closing(
        html=(notice.html if notice else "") + _footer(mark, parts, source_lines, sentences),
        plain="\n".join(plain(line) for line in rows if line),
    )


def _empty(received: str) -> str:
    if received == "reasoning":
        return say("answer.only_reasoning")
    return say("answer.empty")


def _footer(
    mark: str, parts: Sequence[str], source_lines: Sequence[sources.Line], sentences: Sequence[str]
) -> str:
    marked = [f"<strong>{html.escape(mark)}</strong>"] if mark else []
    last = " · ".join(marked + [html.escape(part) for part in parts])
    rows = [line.html for line in source_lines]
    rows += [html.lines(line) for line in sentences] + ([last] if last else [])
    if not rows:
        return ""
    small = f'<small style="{html.QUIET}">{"<br>".join(rows)}</small>'
    return html.element(
        "div", small, name="footer", style="margin-top:0.5em;line-height:1.5;overflow-wrap:anywhere"
    )
