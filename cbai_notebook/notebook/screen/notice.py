"""One line for the reader: an error, or that the answer has not begun."""

from __future__ import annotations

from dataclasses import dataclass

from cbai_notebook.i18n import say
from cbai_notebook.notebook.screen import html
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.text import plain

# No animation for readers who prefer reduced motion.
_PULSE = (
    "<style>@media (prefers-reduced-motion:no-preference){"
    ".cbai-waiting{animation:cbai-waiting 1.6s ease-in-out infinite alternate}}"
    "@keyframes cbai-waiting{from{opacity:1}to{opacity:0.45}}</style>"
)


@dataclass(frozen=True)
class Notice:
    """One readable line, with folded details.

    Attributes:
        message: What happened and what to do next.
        details: Facts for a support ticket, such as a status, a code and a request id.
    """

    message: str
    details: str = ""

    @property
    def html(self) -> str:
        """The notice as safe markup."""
        body = f"<div>{html.lines(self.message)}</div>"
        if self.details:
            body += (
                f'<details><summary style="{html.QUIET};cursor:pointer"><small>{say("answer.details")}</small>'
                f'</summary><small style="{html.QUIET};{html.WRAP}">{html.lines(self.details)}'
                "</small></details>"
            )
        return html.element(
            "div",
            body,
            name="notice",
            style="border-left:3px solid #d64545;border-left-color:var(--jp-error-color1,#d64545);"
            "padding-left:0.6em;margin:0.5em 0;overflow-wrap:anywhere",
            attributes='role="alert"',
        )

    @property
    def plain(self) -> str:
        """The notice as plain text, details on a second line."""
        return plain("\n".join(part for part in (self.message, self.details) if part))

    def bundle(self) -> Bundle:
        """Return the notice as one output."""
        return {"text/html": self.html, "text/plain": self.plain}


def waiting(message: str) -> Bundle:
    """Return the line that is shown until the first token arrives.

    Args:
        message: Plain text, such as ``"Waiting for cloudbase/hy3"``.
    """
    small = f'<small style="{html.QUIET}">{html.escape(message)} …</small>'
    return {
        "text/html": html.element("div", _PULSE + small, name="waiting", attributes='role="status"')
    }
