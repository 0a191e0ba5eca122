"""The conversation as plain output below the panel: readable without kernel and widgets."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.conversation.formats.markdown import markdown
from cbai_notebook.conversation.turn import CANCELLED, COMPLETE, PARTIAL
from cbai_notebook.notebook.panel.rendered import answer_html, source_lines
from cbai_notebook.notebook.screen import endings
from cbai_notebook.notebook.screen.html import NO_MATH, QUIET, escape, lines
from cbai_notebook.notebook.screen.sources import LABELS
from cbai_notebook.notebook.screen.surfaces import Bundle, Surface
from cbai_notebook.text import plain

_ENDS = {CANCELLED: "stopped", PARTIAL: "incomplete"}

_CODE = re.compile(r"<pre><code>.*?</code></pre>", re.DOTALL)
_COLOUR = re.compile(r"</?span[^>]*>")
_BLANK = re.compile(r"\n(?=[ \t]*\n)")


def bundle(conversation: Conversation, css_class: str, language: str = "en") -> Bundle:
    """Return the whole conversation, collapsed, as HTML and plain text for the saved notebook.

    Args:
        conversation: The conversation.
        css_class: A CSS class by which the page finds the transcript.
        language: ``"en"`` or ``"zh"``, for the headings and notes.
    """
    turns = conversation.turns
    name, count = escape(conversation.name), len(turns)
    if language == "zh":
        title, nothing = f"“{name}”的对话记录（{count} 轮）", "还没有对话。"
    else:
        turns_text = f"{count} turn{'' if count == 1 else 's'}"
        title, nothing = f"Transcript of “{name}” ({turns_text})", "Nothing has been said yet."
    body = "".join(_html(turn, language) for turn in turns) or f'<p style="{QUIET}">{nothing}</p>'
    return {
        "text/html": (
            f'<details class="cbai-transcript {css_class}"><summary class="{NO_MATH}" style="cursor:pointer">'
            f'<small style="{QUIET}">{title}</small></summary>{_for_saved_file(body)}</details>'
        ),
        "text/plain": plain(markdown(conversation)),
    }


def _for_saved_file(html: str) -> str:
    """Make the HTML of answers fit for a saved and converted file: no colours, no blank lines.

    In an answer with code, the colours take more bytes than all the rest. `nbconvert` may write the
    HTML into a Markdown document, where a blank line ends it
    (https://spec.commonmark.org/0.31.2/#html-blocks).
    """
    plain_code = _CODE.sub(lambda code: _COLOUR.sub("", code[0]), html)
    return _BLANK.sub("&#10;", plain_code)


def _html(turn: Turn, language: str) -> str:
    labels = ("已搜索", "已查阅") if language == "zh" else LABELS
    end = _end_text(turn, language)
    notes = [*source_lines(turn, labels), *([lines(end)] if end else [])]
    mark = f'<p style="{QUIET}"><small>{"<br>".join(notes)}</small></p>' if notes else ""
    prompt = f'<p class="{NO_MATH}"><strong>{lines(turn.prompt)}</strong></p>'
    if turn.status in (COMPLETE, CANCELLED, PARTIAL):
        return f"<hr>{prompt}{answer_html(turn)}{mark}"
    return f"<hr>{prompt}{mark}"


def _end_text(turn: Turn, language: str) -> str:
    ending = endings.in_transcript(turn.ending, language) if turn.ending else ""
    return " · ".join(
        part for part in (_ENDS.get(turn.status, ""), ending, turn.error or "") if part
    )


class Transcript:
    """The transcript on a surface, rewritten on a separate thread.

    Rendering a long conversation takes time, and a streaming answer must be painted meanwhile.

    Args:
        surface: The surface of the transcript; it accepts paints from any thread.
        make: Returns the transcript to write.
        on_written: Called with the transcript that was written.
    """

    def __init__(
        self,
        surface: Surface,
        make: Callable[[], Bundle],
        *,
        on_written: Callable[[Bundle], None],
    ) -> None:
        self._surface = surface
        self._make = make
        self._on_written = on_written
        self._lock = threading.Lock()
        self._painted: Bundle | None = None
        self._requested = False
        self._thread: threading.Thread | None = None

    def write_now(self) -> None:
        """Write the transcript and return when it is written."""
        new = self._make()
        # Repainting would close a transcript that the user has opened.
        if new != self._painted:
            self._surface.paint({0: new})
            self._painted = new
        self._on_written(new)

    def write(self) -> None:
        """Request a rewrite on the thread; several requests in a row lead to one rewrite."""
        with self._lock:
            self._requested = True
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="cbai-notebook transcript", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._requested:
                    self._thread = None
                    return
                self._requested = False
            self.write_now()
