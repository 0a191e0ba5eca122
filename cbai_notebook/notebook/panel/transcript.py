"""The conversation as plain output below the panel: readable without kernel and widgets."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.conversation.formats.markdown import document
from cbai_notebook.conversation.turn import CANCELLED, COMPLETE, PARTIAL
from cbai_notebook.i18n import PANEL, language, said_now, say, template
from cbai_notebook.notebook.panel.rendered import answer_html, source_lines
from cbai_notebook.notebook.screen.html import NO_MATH, QUIET, escape, lines
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.text import plain

_CODE = re.compile(r"<pre><code[^>]*>.*?</code></pre>", re.DOTALL)
_COLOUR = re.compile(r"</?span[^>]*>")
_BLANK = re.compile(r"\n(?=[ \t]*\n)")


MAX_TURNS = 200
"""The newest turns that the transcript of a conversation holds, at least."""


@dataclass(frozen=True)
class Part:
    """Turns of a conversation that follow each other and stand in one output.

    Attributes:
        first: The number of turns before the part.
        turns: The turns.
    """

    first: int
    turns: tuple[Turn, ...]

    @property
    def end(self) -> int:
        """The number of turns up to the end of the part."""
        return self.first + len(self.turns)


def bundle(conversation: Conversation, css_class: str) -> Bundle:
    """Return the newest turns of a conversation as HTML and plain text.

    Args:
        conversation: The conversation.
        css_class: A CSS class by which the page finds the transcript.
    """
    turns = conversation.turns
    first = max(0, len(turns) - MAX_TURNS)
    part = Part(first, turns[first:])
    return part_bundle(conversation.name, part, first, len(turns), css_class)


def part_bundle(name: str, part: Part, first: int, count: int, css_class: str) -> Bundle:
    """Return a part of a transcript as HTML and plain text for the saved notebook.

    It is unfolded, because a notebook that is opened without its kernel has no panel. While there is
    one, the page folds it (``transcript.js``).

    Only the last part depends on the number of turns, so a new turn leaves the others as they are.

    Args:
        name: The conversation's name.
        part: The part.
        first: The number of turns before the first part of the transcript.
        count: The number of turns of the conversation.
        css_class: A CSS class by which the page finds the part.
    """
    body = "".join(map(_html, part.turns))
    if not body:
        body = f'<p style="{QUIET}">{say("page.nothing_said")}</p>'
    range_text = _range_text(part, count)
    title = escape(say("page.transcript_of", name=name, range=range_text))
    is_all = len(part.turns) == count
    note = _export_note(name, first, count) if first and part.end == count else ""
    return {
        "text/html": (
            f'<details open class="cbai-transcript {css_class}"><summary class="{NO_MATH}" style="cursor:pointer">'
            f'<small style="{QUIET}">{title}</small></summary>{_for_saved_file(body)}</details>{note}'
        ),
        "text/plain": plain(document(name if is_all else f"{name} ({range_text})", part.turns)),
    }


def _range_text(part: Part, count: int) -> str:
    if len(part.turns) == count:
        return say("page.all_turns", n=count)
    if len(part.turns) == 1:
        return say("page.one_turn", last=part.end)
    return say("page.some_turns", first=part.first + 1, last=part.end)


def _export_note(name: str, first: int, count: int) -> str:
    text = escape(template("page.export_all", language()))
    command = f"<code>%cbai export --to markdown -c {escape(shlex.quote(name))}</code>"
    text = text.format_map({"shown": count - first, "n": count, "command": command})
    return f'<p class="{NO_MATH}" style="{QUIET}"><small>{text}</small></p>'


def _for_saved_file(html: str) -> str:
    """Make the HTML of answers fit for a saved and converted file: no colours, no blank lines.

    In an answer with code, the colours take more bytes than all the rest. `nbconvert` may write the
    HTML into a Markdown document, where a blank line ends it
    (https://spec.commonmark.org/0.31.2/#html-blocks).
    """
    plain_code = _CODE.sub(lambda code: _COLOUR.sub("", code[0]), html)
    return _BLANK.sub("&#10;", plain_code)


def _html(turn: Turn) -> str:
    end = _end_text(turn)
    notes = [*source_lines(turn), *([lines(end)] if end else [])]
    mark = f'<p style="{QUIET}"><small>{"<br>".join(notes)}</small></p>' if notes else ""
    prompt = f'<p class="{NO_MATH}"><strong>{lines(turn.prompt)}</strong></p>'
    if turn.status in (COMPLETE, CANCELLED, PARTIAL):
        return f"<hr>{prompt}{answer_html(turn)}{mark}"
    return f"<hr>{prompt}{mark}"


def _end_text(turn: Turn) -> str:
    mark = say(f"page.mark_{turn.status}") if turn.status in (CANCELLED, PARTIAL) else ""
    ending = turn.ending.mark if turn.ending else ""
    return " · ".join(part for part in (mark, ending, said_now(turn.error or "", PANEL)) if part)
