"""HTML of the panel around prompts and answers. All text of users and models is escaped here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from cbai_notebook.conversation import ToolCall, Turn
from cbai_notebook.conversation.turn import CANCELLED, COMPLETE, FAILED, PARTIAL, STREAMING
from cbai_notebook.notebook.markdown.links import allowed_link
from cbai_notebook.notebook.panel.rendered import source_lines
from cbai_notebook.notebook.screen import earlier_session, endings
from cbai_notebook.notebook.screen.approval import Piece, shown_arguments
from cbai_notebook.notebook.screen.html import NO_MATH, escape, lines

NOT_LOADED = "cbai-by-address"
"""CSS class of the placeholder for a user's image that is not shown: to show it would load it."""

# Formats that a browser can only show as a picture, in `data:` URLs of the user's own images.
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+\Z")

_MARKS = {CANCELLED: ("stopped", "已停止"), PARTIAL: ("incomplete", "不完整")}


def bilingual(english: str, chinese: str) -> str:
    """Return a text in both languages; the style sheet shows the language of the browser.

    Args:
        english, chinese: The text, as safe HTML.
    """
    return f'<span data-say="en" lang="en">{english}</span><span data-say="zh" lang="zh">{chinese}</span>'


def prompt(turn: Turn, key: str, number: int, total: int) -> str:
    """Return the user's message with its buttons.

    Args:
        turn: The turn.
        key: The panel's key of the turn.
        number: The turn's number among its alternatives, from 1.
        total: The number of alternatives.
    """
    return (
        f'<div class="cbai-ask-row {NO_MATH}"><span class="cbai-unseen">{bilingual("You", "你")}</span>'
        f'{_images(turn)}<div class="cbai-prompt">{escape(turn.prompt)}</div>'
        f'<div class="cbai-actions">{_button("edit", key, "Edit and resend", "修改并重新发送", idle=True)}'
        f"{_version_buttons(key, number, total)}</div></div>"
    )


def footer(turn: Turn, key: str, waiting: Sequence[ToolCall] = ()) -> str:
    """Return the footer of an answer: error, buttons, model, tokens and duration.

    Args:
        turn: The turn.
        key: The panel's key of the turn.
        waiting: Tool calls that wait for the user's approval.
    """
    if turn.status == STREAMING:
        return (
            f"{''.join(_approval_request(call, key) for call in waiting)}"
            f'<div class="cbai-thinking"><i></i><i></i><i></i>'
            f'<span class="cbai-unseen">{bilingual("Answering", "正在回答")}</span></div>'
        )
    actions = ""
    if turn.text:
        actions += _button("copy", key, "Copy answer", "复制回答")
    # An image that a cell generated is generated again by its cell, where it is shown.
    if turn.status != FAILED and not turn.drawn:
        actions += _button("again", key, "Regenerate", "重新生成", idle=True)
    if turn.record_id:
        actions += _button("up", key, "Good answer", "回答有帮助")
        actions += _button("down", key, "Bad answer", "回答没有帮助")
    actions += _button("delete", key, "Delete turn", "删除这一轮", idle=True)
    # An HTML parser drops the first newline in a `pre`, so write one more.
    source = f'<pre hidden class="cbai-source">\n{escape(turn.text)}</pre>' if turn.text else ""
    return (
        f'<div class="{NO_MATH}">{_problem(turn, key)}{_note(turn, key)}{_sources(turn)}<div class="cbai-actions">{actions}'
        f'<span class="cbai-facts">{_marks_html(turn)}{_facts(turn)}</span></div>{source}</div>'
    )


def problem(message: str, details: str = "", retry: str = "", more: str = "") -> str:
    """Return the notice of an error.

    Args:
        message: What happened and what to do next, as plain text.
        details: Details for a support ticket.
        retry: The key of the turn that a Retry button sends again; empty for no button.
        more: Other buttons, as HTML.
    """
    folded = (
        f"<details><summary>{bilingual('Details', '详情')}</summary><span>{lines(details)}</span></details>"
        if details
        else ""
    )
    button = (
        f'<button type="button" class="cbai-plain-button" data-cbai="retry" data-turn="{retry}" '
        f"data-needs-idle>{bilingual('Retry', '重试')}</button>"
        if retry
        else ""
    )
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", lines(message))
    return f'<div class="cbai-problem {NO_MATH}" role="alert">{html}{folded}{button}{more}</div>'


def _approval_request(call: ToolCall, key: str) -> str:
    """Return the question whether a tool may run, with two buttons."""

    def button(action: str, words: str) -> str:
        return (
            f'<button type="button" class="cbai-plain-button" data-cbai="{action}" data-turn="{key}" '
            f'data-call="{escape(call.id)}">{words}</button>'
        )

    name = f"<code>{escape(call.name)}</code>"
    arguments = "".join(
        f"<div>{''.join(map(_piece, line))}</div>" for line in shown_arguments(call)
    )
    shown = f'<div class="cbai-arguments" tabindex="0">{arguments}</div>' if arguments else ""
    return (
        f'<div class="cbai-question {NO_MATH}" role="group">'
        f"<div>{bilingual(f'Run {name}?', f'要运行 {name} 吗？')}</div>"
        f"{shown}"
        f"{button('allow', bilingual('Run it', '运行'))} {button('refuse', bilingual('Do not', '不运行'))}</div>"
    )


_LEFT_OUT_ZH = {
    "blanks": "{0.count:,} 个空格",
    "repeats": "{0.count:,} 个 {0.of}",
    "characters": "省略 {0.count:,} 个字符",
    "arguments": "省略 {0.count:,} 个参数",
    "secret": "{0.of} 的值",
}


def _piece(piece: Piece) -> str:
    """Return a piece of an argument; our own words look different."""
    if isinstance(piece, str):
        return escape(piece)
    chinese = f"⟨{_LEFT_OUT_ZH[piece.kind].format(piece)}⟩"
    return f'<em class="cbai-left-out">{bilingual(escape(str(piece)), escape(chinese))}</em>'


def _images(turn: Turn) -> str:
    if not turn.images:
        return ""
    return f'<div class="cbai-images">{"".join(map(_image, turn.images))}</div>'


def _image(address: str) -> str:
    if _PICTURE.match(address):
        return f'<img class="cbai-thumbnail" alt="" src="{escape(address)}">'
    if not allowed_link(address):
        words = bilingual("An image", "一张图片")
        return f'<span class="{NOT_LOADED}" data-address="{escape(address)}">{words}</span>'
    host = escape(urlsplit(address).hostname or "")
    return (
        f'<a class="{NOT_LOADED}" href="{escape(address)}" target="_blank" rel="noopener noreferrer">'
        f"{bilingual(f'Image from {host}', f'来自 {host} 的图片')}</a>"
    )


def earlier(hidden: int) -> str:
    """Return the button that shows earlier turns, or an empty string when no turn is hidden."""
    if not hidden:
        return ""
    words = bilingual(
        f"Show earlier messages ({hidden} hidden)", f"显示更早的消息（还有 {hidden} 轮）"
    )
    return (
        '<div class="cbai-earlier"><button type="button" class="cbai-plain-button" '
        f'data-cbai="earlier">{words}</button></div>'
    )


def welcome(name: str | None, *, offline: bool, cells: bool) -> str:
    """Return the text of an empty conversation.

    Args:
        name: The conversation's name, if a cell needs ``-c NAME`` to use it, else None.
        offline: Whether the offline model answers because no other is configured.
        cells: Whether the page has cells.
    """
    note = ""
    if offline:
        note = f'<div class="cbai-note">{bilingual(_OFFLINE, _OFFLINE_ZH)}</div>'
    shared = f"<code>%%cbai{f' -c {escape(name)}' if name else ''}</code>"
    about_cells = ""
    if cells:
        about_cells = bilingual(
            f"Cells that begin with {shared} share this conversation.",
            f"以 {shared} 开头的单元格与这里共用同一个对话。",
        )
    return (
        f'<div class="cbai-welcome {NO_MATH}"><strong>{bilingual("What shall we talk about?", "想聊点什么？")}</strong>'
        f"<span>{about_cells}</span>{note}</div>"
    )


_OFFLINE = (
    "Nothing is configured, so the offline demo model answers: tiny, English only, often wrong. "
    "Run <code>%cbai login</code> in a cell to connect to CloudBase."
)
_OFFLINE_ZH = (
    "尚未配置，因此由离线演示模型回答：模型很小、只懂英语、经常出错。"
    "在单元格中运行 <code>%cbai login</code> 即可连接云开发 CloudBase。"
)


def _button(action: str, key: str, english: str, chinese: str, *, idle: bool = False) -> str:
    return (
        f'<button type="button" class="cbai-icon-button cbai-icon-{action}" data-cbai="{action}" '
        f'data-turn="{key}"{" data-needs-idle" if idle else ""}>'
        f'<span class="cbai-tip">{bilingual(english, chinese)}</span></button>'
    )


def _version_buttons(key: str, number: int, total: int) -> str:
    if total < 2:
        return ""
    back = _button("back", key, "Previous version", "上一版本")
    following = _button("next", key, "Next version", "下一版本")
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
        f"data-needs-idle>{bilingual('Continue', '继续')}</button>"
    )


def _note(turn: Turn, key: str) -> str:
    """Return the notes about how an answer ended that is not the error's, with a button if one helps."""
    notes = []
    if turn.ending is not None:
        notes.append(bilingual(*endings.in_panel(turn.ending)))
    elif turn.status == COMPLETE and not turn.text.strip() and not turn.error:
        words = _ONLY_REASONING if turn.reasoning else ("The answer is empty.", "回答是空的。")
        notes.append(bilingual(*words))
    if turn.earlier:
        notes.append(bilingual(*earlier_session.in_panel(turn.earlier)))
    if turn.note:
        notes.append(lines(turn.note))
    button = "" if turn.error else _continue_button(turn, key)
    if not notes:
        return f"<div>{button}</div>" if button else ""
    return (
        f'<div class="cbai-note" role="note">{"<br>".join(notes)}{button and "<br>"}{button}</div>'
    )


_ONLY_REASONING = (
    "The answer is empty: only reasoning came. With more tokens there may be room for an answer.",
    "回答是空的：模型只输出了思考过程。增加词元上限后或许会有回答。",
)


def _sources(turn: Turn) -> str:
    found = source_lines(turn, (bilingual("Searched", "已搜索"), bilingual("Looked up", "已查阅")))
    return "".join(f'<div class="cbai-sources">{line}</div>' for line in found)


def _marks_html(turn: Turn) -> str:
    marks = [_MARKS[turn.status]] if turn.status in _MARKS else []
    if turn.stale:
        marks.append(("stale: an earlier turn has changed", "已过时：前面的内容已改变"))
    return "".join(f'<span class="cbai-mark">{bilingual(*mark)}</span>' for mark in marks)


def _facts(turn: Turn) -> str:
    if turn.status == FAILED:
        return ""
    facts = []
    label = "/".join(part for part in (turn.provider, turn.model) if part)
    if label:
        facts.append(escape(label))
    tokens = turn.total_tokens or turn.completion_tokens
    if tokens:
        cached = turn.cached_tokens
        facts.append(
            bilingual(
                f"{tokens:,} tokens" + (f" ({cached:,} cached)" if cached else ""),
                f"{tokens:,} 词元" + (f"（{cached:,} 来自缓存）" if cached else ""),
            )
        )
    if turn.duration_s is not None:
        facts.append(bilingual(f"{turn.duration_s:.1f} s", f"{turn.duration_s:.1f} 秒"))
    if turn.dropped_turns:
        turns = "turn" if turn.dropped_turns == 1 else "turns"
        facts.append(
            bilingual(
                f"{turn.dropped_turns} earlier {turns} not sent",
                f"更早的 {turn.dropped_turns} 轮未发送",
            )
        )
    return " · ".join(facts)
