"""The conversation as plain output under the panel: readable when no kernel and no widget is left."""

from __future__ import annotations

from functools import lru_cache

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.conversation.turn import CANCELLED, COMPLETE, PARTIAL
from cbai_notebook.notebook.panel.markup import NO_MATH
from cbai_notebook.notebook.screen.html import QUIET, escape, lines
from cbai_notebook.notebook.screen.surface import Bundle

_ENDS = {CANCELLED: "stopped", PARTIAL: "incomplete"}


def bundle(conversation: Conversation) -> Bundle:
    """Return the whole conversation, folded away, in forms that a saved notebook keeps."""
    turns = conversation.turns
    count = f"{len(turns)} turn{'' if len(turns) == 1 else 's'}"
    title = f"Transcript of “{escape(conversation.name)}” ({count})"
    body = "".join(map(_html, turns)) or f'<p style="{QUIET}">Nothing has been said yet.</p>'
    return {
        "text/html": (
            f'<details class="cbai-transcript"><summary class="{NO_MATH}" style="cursor:pointer">'
            f'<small style="{QUIET}">{title}</small></summary>{body}</details>'
        ),
        "text/markdown": markdown(conversation),
        "text/plain": "\n\n".join(
            f"{message['role']}: {message['content']}" for message in conversation
        )
        or title,
    }


def markdown(conversation: Conversation) -> str:
    """Return the conversation as a Markdown document."""
    parts = [f"# {conversation.name}"]
    for turn in conversation.turns:
        parts.append("\n".join(f"> {line}".rstrip() for line in turn.prompt.splitlines()))
        parts.append(turn.text.strip() or f"*({_end(turn) or 'no answer'})*")
    return "\n\n".join(parts) + "\n"


def _html(turn: Turn) -> str:
    end = _end(turn)
    mark = f'<p style="{QUIET}"><small>{lines(end)}</small></p>' if end else ""
    asked = f'<p class="{NO_MATH}"><strong>{lines(turn.prompt)}</strong></p>'
    if turn.status in (COMPLETE, CANCELLED, PARTIAL):
        return f"<hr>{asked}{_rendered(turn.text)}{mark}"
    return f"<hr>{asked}{mark}"


def _end(turn: Turn) -> str:
    return " · ".join(part for part in (_ENDS.get(turn.status, ""), turn.error or "") if part)


@lru_cache(maxsize=256)
def _rendered(text: str) -> str:
    from cbai_notebook.notebook.markdown import render

    return render(text) if text else ""
