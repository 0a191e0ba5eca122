"""HTML of the panel around prompts and answers. All text of users and models is escaped here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cbai_notebook.client.endings import Ending
from cbai_notebook.client.providers import model_label
from cbai_notebook.conversation import ToolCall, Turn
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.conversation.turn import CANCELLED, COMPLETE, FAILED, PARTIAL, STREAMING
from cbai_notebook.i18n import LANGUAGES, PANEL, Words, template
from cbai_notebook.notebook.markdown.links import allowed_link
from cbai_notebook.notebook.panel.rendered import source_lines
from cbai_notebook.notebook.screen import earlier_session
from cbai_notebook.notebook.screen.approval import Piece, shown_arguments
from cbai_notebook.notebook.screen.html import NO_MATH, escape, lines

MOST_EXAMPLES = 6
"""The most prompts that an empty conversation offers."""

NOT_LOADED = "cbai-by-address"
"""CSS class of the placeholder for a user's image that is not shown: to show it would load it."""

# Formats that a browser can only show as a picture, in `data:` URLs of the user's own images.
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+\Z")

_MARKS = (CANCELLED, PARTIAL)


def both(key: str, /, **values: Any) -> str:
    """Return a text of the tables in both languages; the style sheet shows that of the page.

    Args:
        key: ``AREA.NAME``.
        values: The values of the text, as safe HTML or numbers.
    """
    return _in_both(
        {
            name: escape(template(key, name, values.get("n"))).format_map(values)
            for name in LANGUAGES
        }
    )


def _in_both(texts: Mapping[str, str]) -> str:
    return "".join(
        f'<span data-say="{name}" lang="{name}">{text}</span>' for name, text in texts.items()
    )


def prompt(turn: Turn, key: str) -> str:
    """Return the user's message with its buttons and its time.

    Args:
        turn: The turn.
        key: The panel's key of the turn.
    """
    return (
        f'<div class="cbai-ask-row {NO_MATH}"><span class="cbai-unseen">{both("page.you")}</span>'
        f'{_images(turn)}<div class="cbai-prompt">{escape(turn.prompt)}</div>'
        f'<div class="cbai-actions">{_button("edit", key, idle=True)}{_time(turn.created_at)}'
        "</div></div>"
    )


def footer(
    turn: Turn,
    key: str,
    position: tuple[int, int] = (1, 1),
    waiting: Sequence[ToolCall] = (),
    others: Sequence[str] = (),
) -> str:
    """Return the footer of an answer: error, versions, buttons, model, tokens, duration and time.

    Args:
        turn: The turn.
        key: The panel's key of the turn.
        position: The turn's number among its alternatives, from 1, and the number of alternatives.
        waiting: Tool calls that wait for the user's approval.
        others: The models that are offered to answer the prompt too.
    """
    if turn.status == STREAMING:
        return (
            f"{''.join(_approval_request(call, key) for call in waiting)}"
            f'<div class="cbai-thinking"><i></i><i></i><i></i>'
            f'<span class="cbai-unseen">{both("page.answering")}</span></div>'
        )
    actions = _version_buttons(key, *position)
    if turn.text:
        actions += _button("copy", key)
    # An image that a cell generated is generated again by its cell, where it is shown.
    if turn.status != FAILED and not turn.drawn:
        actions += _button("again", key, idle=True)
    if turn.record_id:
        actions += _button("up", key)
        actions += _button("down", key)
    actions += _button("delete", key, idle=True)
    # An HTML parser drops the first newline in a `pre`, so write one more.
    source = f'<pre hidden class="cbai-source">\n{escape(turn.text)}</pre>' if turn.text else ""
    return (
        f'<div class="{NO_MATH}">{_problem(turn, key)}{_note(turn, key)}{_sources(turn)}<div class="cbai-actions">{actions}'
        f'<span class="cbai-facts">{_marks_html(turn)}{_facts(turn)}</span>{_end_time(turn)}</div>'
        f"{_others(turn, key, others)}{source}</div>"
    )


def _end_time(turn: Turn) -> str:
    if turn.duration_s is None:
        return ""
    return _time(turn.created_at + timedelta(seconds=turn.duration_s))


def _time(moment: datetime) -> str:
    """Return a time as the user's clock shows it; the date only if it is another day."""
    local = in_zone(moment)
    date, clock = f"{local:%Y-%m-%d}", f"{local:%H:%M}"
    today = f"{datetime.now():%Y-%m-%d}"
    shown = clock if date == today else f"{date} {clock}"
    return f'<time class="cbai-time" title="{date} {local:%H:%M:%S}">{shown}</time>'


def problem(message: str, details: str = "", retry: str = "", more: str = "") -> str:
    """Return the notice of an error.

    Args:
        message: What happened and what to do next, as plain text.
        details: Details for a support ticket.
        retry: The key of the turn that a Retry button sends again; empty for no button.
        more: Other buttons, as HTML.
    """
    folded = (
        f"<details><summary>{both('page.details')}</summary><span>{lines(details)}</span></details>"
        if details
        else ""
    )
    button = (
        f'<button type="button" class="cbai-plain-button" data-cbai="retry" data-turn="{retry}" '
        f"data-needs-idle>{both('page.retry')}</button>"
        if retry
        else ""
    )
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", _said(message))
    return f'<div class="cbai-problem {NO_MATH}" role="alert">{told}{folded}{button}{more}</div>'


def _said(text: str) -> str:
    """Return a text as safe HTML; one of ours in both languages."""
    if not isinstance(text, Words):
        return lines(text)
    return _in_both({name: lines(text.in_language(name, PANEL)) for name in LANGUAGES})


def _approval_request(call: ToolCall, key: str) -> str:
    """Return the question whether a tool may run, with two buttons."""

    def button(action: str) -> str:
        return (
            f'<button type="button" class="cbai-plain-button" data-cbai="{action}" data-turn="{key}" '
            f'data-call="{escape(call.id)}">{both(f"page.{action}")}</button>'
        )

    name, server = (f"<code>{escape(word)}</code>" for word in (call.name, call.server))
    question = (
        both("page.run_tool_of_server", name=name, server=server)
        if call.server
        else both("page.run_tool", name=name)
    )
    arguments = "".join(
        f"<div>{''.join(map(_piece, line))}</div>" for line in shown_arguments(call)
    )
    shown = f'<div class="cbai-arguments" tabindex="0">{arguments}</div>' if arguments else ""
    return (
        f'<div class="cbai-question {NO_MATH}" role="group">'
        f"<div>{question}</div>"
        f"{shown}"
        f"{button('allow')} {button('refuse')}</div>"
    )


def _piece(piece: Piece) -> str:
    """Return a piece of an argument; our own words look different."""
    if isinstance(piece, str):
        return escape(piece)
    words = both(f"answer.left_out_{piece.kind}", **piece.values)
    return f'<em class="cbai-left-out">{words}</em>'


def _images(turn: Turn) -> str:
    if not turn.images:
        return ""
    return f'<div class="cbai-images">{"".join(map(_image, turn.images))}</div>'


def _image(address: str) -> str:
    if _PICTURE.match(address):
        return f'<img class="cbai-thumbnail" alt="" src="{escape(address)}">'
    if not allowed_link(address):
        words = both("page.picture_without_host")
        return f'<span class="{NOT_LOADED}" data-address="{escape(address)}">{words}</span>'
    host = escape(urlsplit(address).hostname or "")
    return (
        f'<a class="{NOT_LOADED}" href="{escape(address)}" target="_blank" rel="noopener noreferrer">'
        f"{both('page.picture_from', host=host)}</a>"
    )


def earlier(hidden: int) -> str:
    """Return the button that shows earlier turns, or an empty string when no turn is hidden."""
    if not hidden:
        return ""
    words = both("page.earlier", n=hidden)
    return (
        '<div class="cbai-earlier"><button type="button" class="cbai-plain-button" '
        f'data-cbai="earlier">{words}</button></div>'
    )


def welcome(
    name: str | None,
    *,
    offline: bool,
    cells: bool,
    greeting: str = "",
    examples: Sequence[str] | None = None,
) -> str:
    """Return the text of an empty conversation, with prompts to begin with.

    Args:
        name: The conversation's name, if a cell needs ``-c NAME`` to use it, else None.
        greeting: What an agent says first, as plain text of a server.
        examples: The prompts, as plain text; ours when None.
        offline: Whether the offline model answers because no other is configured.
        cells: Whether the page has cells.
    """
    note = ""
    if offline:
        words = both("page.offline", command="<code>%cbai login</code>")
        note = f'<div class="cbai-note">{words}</div>'
    shared = f"<code>%%cbai{f' -c {escape(name)}' if name else ''}</code>"
    about_cells = ""
    if cells:
        about_cells = both("page.shared", magic=shared)
    return (
        f'<div class="cbai-welcome {NO_MATH}">'
        f"<strong>{lines(greeting.strip()) or both('page.welcome')}</strong>"
        f"{_examples(examples)}<span>{about_cells}</span>{note}</div>"
    )


def _examples(prompts: Sequence[str] | None) -> str:
    if prompts is None:
        texts = [both(f"page.example_{kind}") for kind in ("explain", "code", "write")]
    else:
        texts = [escape(text) for text in prompts if text.strip()][:MOST_EXAMPLES]
    buttons = "".join(
        f'<button type="button" class="cbai-chip" data-cbai="example">{text}</button>'
        for text in texts
    )
    return f'<div class="cbai-examples">{buttons}</div>' if buttons else ""


def _button(action: str, key: str, *, idle: bool = False) -> str:
    return (
        f'<button type="button" class="cbai-icon-button cbai-icon-{action}" data-cbai="{action}" '
        f'data-turn="{key}"{" data-needs-idle" if idle else ""}>'
        f'<span class="cbai-tip">{both(f"page.{action}")}</span></button>'
    )


def _others(turn: Turn, key: str, models: Sequence[str]) -> str:
    """Return the fold with a button for each model that can answer the prompt too."""
    if turn.drawn or not models:
        return ""
    buttons = "".join(
        f'<button type="button" class="cbai-plain-button" data-cbai="ask_model" data-turn="{key}" '
        f'data-model="{escape(model)}" data-needs-idle>{escape(model)}</button> '
        for model in models
    )
    return f'<details class="cbai-others"><summary>{both("page.ask_model")}</summary>{buttons}</details>'


def _version_buttons(key: str, number: int, total: int) -> str:
    if total < 2:
        return ""
    back = _button("back", key)
    following = _button("next", key)
    if number == 1:
        back = back.replace("<button", "<button disabled", 1)
    if number == total:
        following = following.replace("<button", "<button disabled", 1)
    return f'<span class="cbai-branch">{back}<span>{number}/{total}</span>{following}</span>'


def _problem(turn: Turn, key: str) -> str:
    if turn.error:
        retry = "" if turn.drawn else key
        return problem(turn.error, turn.error_details, retry, _continue_button(turn, key))
    return ""


def _continue_button(turn: Turn, key: str) -> str:
    if not turn.can_continue:
        return ""
    return (
        f' <button type="button" class="cbai-plain-button" data-cbai="continue" data-turn="{key}" '
        f"data-needs-idle>{both('page.continue')}</button>"
    )


def _note(turn: Turn, key: str) -> str:
    """Return the notes about how an answer ended that is not the error's, with a button if one helps."""
    notes = []
    if turn.ending is not None:
        notes.append(_said(turn.ending.note()))
    elif turn.status == COMPLETE and not turn.text.strip() and not turn.error:
        notes.append(_said(Ending.ONLY_THINKING.note()) if turn.reasoning else both("page.empty"))
    if turn.earlier:
        since = escape(earlier_session.local_time(turn.earlier.since))
        notes.append(both("page.earlier_session", n=turn.earlier.count, since=since))
    if turn.note:
        notes.append(_said(turn.note))
    button = "" if turn.error else _continue_button(turn, key)
    if not notes:
        return f"<div>{button}</div>" if button else ""
    return (
        f'<div class="cbai-note" role="note">{"<br>".join(notes)}{button and "<br>"}{button}</div>'
    )


def _sources(turn: Turn) -> str:
    found = source_lines(turn, (both("answer.searched"), both("answer.looked_up")))
    return "".join(f'<div class="cbai-sources">{line}</div>' for line in found)


def _marks_html(turn: Turn) -> str:
    marks = [turn.status] if turn.status in _MARKS else []
    if turn.stale:
        marks.append("stale")
    return "".join(f'<span class="cbai-mark">{both(f"page.mark_{mark}")}</span>' for mark in marks)


def _facts(turn: Turn) -> str:
    if turn.status == FAILED:
        return ""
    facts = []
    if label := model_label(turn.provider, turn.model):
        facts.append(escape(label))
    tokens = turn.total_tokens or turn.completion_tokens
    if tokens and turn.cached_tokens:
        facts.append(both("page.fact_tokens_cached", n=tokens, cached=turn.cached_tokens))
    elif tokens:
        facts.append(both("page.fact_tokens", n=tokens))
    if turn.duration_s is not None:
        facts.append(both("page.fact_seconds", n=turn.duration_s))
    if turn.dropped_turns:
        facts.append(both("page.fact_dropped", n=turn.dropped_turns))
    return " · ".join(facts)
