"""What a reader of a notebook is told about an answer that did not simply end."""

from __future__ import annotations

from collections.abc import Sequence

from cbai_notebook.client.endings import Ending
from cbai_notebook.client.secret_values import listed

CONTINUE = "`%cbai continue` goes on with this answer."
"""The hint under an answer that was stopped or broken off."""


def left_running(names: Sequence[str]) -> str:
    """Return the hint under an answer that was stopped, about tools whose functions go on.

    Args:
        names: The names of the tools.
    """
    if len(names) == 1:
        return f"{names[0]} still runs: its function cannot be stopped. Its result is dropped."
    return (
        f"{listed(names)} still run: their functions cannot be stopped. Their results are dropped."
    )


# Chinese is for the panel; in a cell the option is named, in the panel a button is there.
_IN_CELL = {
    Ending.CUT: "The answer was cut at the token limit. `--max-tokens` allows more.",
    Ending.ONLY_THINKING: (
        "The answer is empty: the model spent all its tokens on thinking. `--max-tokens` allows "
        "more, `--no-think` asks without thinking."
    ),
    Ending.FILTERED: (
        "A content filter ended the answer here. Put the prompt in other words, or ask another "
        "model with `-m`."
    ),
    Ending.REFUSED: (
        "These words are the model's refusal. Put the prompt in other words, or ask another model "
        "with `-m`."
    ),
    Ending.OUT_OF_STEPS: (
        "The model still wanted to call tools. Ask it to go on, or allow more with `--max-steps`."
    ),
}
_IN_PANEL = {
    Ending.CUT: (
        "The answer was cut at the token limit. ChatPanel(params={&quot;max_tokens&quot;: …}) allows more.",
        "回答达到词元上限，被截断。可用 ChatPanel(params={&quot;max_tokens&quot;: …}) 提高上限。",
    ),
    Ending.ONLY_THINKING: (
        "The answer is empty: only reasoning came. With more tokens there may be room for an answer.",
        "回答是空的：模型只输出了思考过程。增加词元上限后或许会有回答。",
    ),
    Ending.FILTERED: (
        "A content filter ended the answer here. Put the prompt in other words, or choose another model.",
        "内容过滤器在此处终止了回答。请换一种说法，或换一个模型。",
    ),
    Ending.REFUSED: (
        "These words are the model's refusal. Put the prompt in other words, or choose another model.",
        "以上是模型的拒绝回复。请换一种说法，或换一个模型。",
    ),
    Ending.OUT_OF_STEPS: (
        "The model still wanted to call tools. Ask it to go on, or allow more with max_steps=….",
        "模型还想继续调用工具。可以让它继续，或用 max_steps=… 增加步数。",
    ),
}

_CHINESE_MARKS = {
    Ending.CUT: "达到词元上限，被截断",
    Ending.ONLY_THINKING: "思考时达到词元上限",
    Ending.FILTERED: "被内容过滤器终止",
    Ending.REFUSED: "模型拒绝回答",
    Ending.OUT_OF_STEPS: "工具调用步数用完",
}


def in_cell(ending: Ending | None, hints: Sequence[str], *, kept: bool) -> str:
    """Return the note under an answer in a cell, as plain text.

    Args:
        ending: How the answer ended.
        hints: Other sentences about the answer.
        kept: Whether the answer is in a conversation, so that it can be continued there.
    """
    note = _IN_CELL[ending] if ending else ""
    if kept and ending is Ending.CUT:
        note = (
            "The answer was cut at the token limit. `%cbai continue` goes on, `--max-tokens` allows "
            "more."
        )
    return "\n".join(part for part in (note, *hints) if part)


def in_panel(ending: Ending) -> tuple[str, str]:
    """Return the note under an answer in the panel, as safe HTML in English and in Chinese."""
    return _IN_PANEL[ending]


def in_transcript(ending: Ending, language: str) -> str:
    """Return a mark of a few words, for ``"en"`` or ``"zh"``."""
    return _CHINESE_MARKS[ending] if language == "zh" else ending.value
