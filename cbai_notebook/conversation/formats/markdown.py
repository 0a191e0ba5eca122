"""Export a conversation as a Markdown document to read.

Every line of a message begins with ``>``, the arguments and results of tools included. Every other
line is written by this module, so no message can imitate one of its headings: the end of a block
quote closes every block inside it (CommonMark 0.31, 5.1).

Two things reach beyond a block quote and are escaped: HTML, which a browser reads without regard to
the quote around it, and link definitions, which hold for the whole document (4.6, 4.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.formats.escaping import answerer, in_markdown
from cbai_notebook.conversation.turn import (
    COMPLETE,
    step_text,
)
from cbai_notebook.i18n import CELL, LANGUAGES, Words, said_now, say
from cbai_notebook.text import plain

if TYPE_CHECKING:
    from markdown_it.token import Token

    from cbai_notebook.conversation.conversation import Conversation
    from cbai_notebook.conversation.turn import Turn

_OUR_NAMES = ("export.you", "export.system", "export.tool")

# Line ends that CommonMark does not know, but editors and `str.splitlines` do.
_LINE_END = re.compile("[\n\u2028\u2029]")
_REACHES_OUT = re.compile(r"<[A-Za-z/!?]|\]:")
# What is already escaped and what is in a code span stays as it is.
_TO_ESCAPE = re.compile(
    r"\\.|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|`+|(?P<mark><(?=[A-Za-z/!?])|\[(?=[^\[\]]*\]:))"
)
# Where a page reads `$$` as mathematics, ticks in it begin no code, and code that holds `$$` may be
# none. So no `$$` is left, and code that holds one, or a picture, becomes text.
_PICTURES_TOO = re.compile(
    _TO_ESCAPE.pattern.replace("(?P<mark>", r"(?P<mark>!(?=\[)|\$(?=\$)|(?<=\$)\$|")
)
_DOUBTFUL_IN_CODE = re.compile(r"!\[|\$\$")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LANGUAGE = re.compile(r"[\w+#.-]*")
_DEEPEST = 15
"""The deepest nesting that is read with certainty: the parser itself ends at 20."""
_LONGEST = 100_000
"""The most characters of a message that is checked, which takes up to 0.1 ms for each; brackets take
the square of their number."""
_MOST_BRACKETS = 5_000


def markdown(conversation: Conversation) -> str:
    """Return the conversation as a Markdown document."""
    return document(conversation.name, conversation.turns)


def document(title: str, turns: Iterable[Turn]) -> str:
    """Return some turns of a conversation as a Markdown document with a title."""
    blocks = [f"# {in_markdown(title)}"]
    for turn in turns:
        blocks += _turn(turn)
    return "\n\n".join(blocks) + "\n"


def _turn(turn: Turn) -> Iterator[str]:
    name = f"**{in_markdown(_model_name(turn))}**"
    if turn.system is not None:
        yield f"**{say('export.system')}**"
        yield quoted(turn.system) if turn.system else f"*({say('export.no_system_prompt')})*"
    yield f"**{say('export.you')}**"
    yield quoted(turn.prompt)
    if turn.images:
        yield f"*({say('export.images_along', n=len(turn.images))})*"
    for step in turn.steps:
        yield from _step(step, name)
    yield name
    if turn.final_text.strip():
        yield quoted(turn.final_text.strip())
    note = _status_note(turn)
    if note or not turn.final_text.strip():
        yield f"*({note or say('export.no_answer')})*"


def _step(step: Mapping[str, Any], name: str) -> Iterator[str]:
    content = step_text(step)
    if step.get("role") == "tool":
        yield f"**{say('export.tool')}**"
        yield _fenced(content)
        return
    if content:
        yield name
        yield quoted(content.strip())
    for call in step.get("tool_calls") or ():
        function = call.get("function") or {}
        tool = f"**{in_markdown(str(function.get('name')))}**"
        yield say("export.calls", name=name, tool=tool)
        yield _fenced(str(function.get("arguments") or ""), "json")


def _status_note(turn: Turn) -> str:
    note = ""
    if turn.status != COMPLETE:
        note = say(f"export.note_{turn.status}")
    elif turn.ending:
        note = say(f"export.note_{turn.ending.name.lower()}")
    error = in_markdown(said_now(turn.error or "", CELL))
    return say("export.note_and_error", note=note, error=error) if note and error else note or error


def _model_name(turn: Turn) -> str:
    name = answerer(turn)
    ours = {Words(key, {}).in_language(each).casefold() for key in _OUR_NAMES for each in LANGUAGES}
    return say("export.model", name=name) if name.casefold() in ours else name


def quoted(text: str) -> str:
    """Return a text as a block quote, as Markdown, or verbatim if it could reach beyond the quote."""
    quote = _quote(plain(text))
    if not _REACHES_OUT.search(quote):
        return quote
    if len(quote) <= _LONGEST and quote.count("[") <= _MOST_BRACKETS:
        quote = _escaped(quote)
        if _stays_inside(quote):
            return quote
    return _fenced(text)


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in _LINE_END.split(text))


def _fenced(text: str, language: str = "") -> str:
    return _quote(code_block(text, language))


def code_block(text: str, language: str = "") -> str:
    """Return a text verbatim, as a code block.

    Args:
        text: The text.
        language: Its language; what cannot stand in a name is left out, with all after it.
    """
    text = plain(text)
    name = _LANGUAGE.match(language)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{name[0] if name else ''}\n{text}\n{fence}"


def harmless(source: str) -> str:
    """Return Markdown without HTML, pictures, link definitions and formulas; they become text.

    Args:
        source: Whole top-level blocks. In doubt they are returned as a code block. After a line end
            comes an empty line, so that nothing in them goes on in the next blocks.
    """
    text = plain(source)
    blocks = text.rstrip("\n")
    changed = None
    if len(text) <= _LONGEST and text.count("[") <= _MOST_BRACKETS:
        changed = _escaped_with_own_fences(blocks)
    if changed is None or not _stays_inside(changed, pictures=False):
        changed = code_block(blocks)
    ending = text[len(blocks) :]
    return changed + (f"{ending}\n" if ending == "\n" else ending)


def _escaped_with_own_fences(text: str) -> str | None:
    """Return Markdown escaped except in code; top-level code has fences of our own. In doubt, None.

    Such a fence ends where it should, whatever a page sees in the text around it.
    """
    lines = text.split("\n")
    written: list[str] = []
    done = 0

    def write_until(line: int) -> None:
        written.extend(_PICTURES_TOO.sub(_escape_doubtful, each) for each in lines[done:line])

    for token in _parsed(f"{text}\n"):  # so that the content of every token ends with its line
        if token.type not in ("fence", "code_block") or not token.map:
            continue
        first, last = token.map
        write_until(first)
        done = last
        if not token.level:
            written.append(code_block(token.content.removesuffix("\n"), token.info))
            continue
        # One that is open would go on in the blocks after these.
        closed = token.type == "code_block" or token.content.count("\n") == last - first - 2
        if not closed or _DOUBTFUL_IN_CODE.search(token.content):
            return None
        written += lines[first:last]
    write_until(len(lines))
    return "\n".join(written)


def _escape_doubtful(match: re.Match[str]) -> str:
    if match["ticks"] and _DOUBTFUL_IN_CODE.search(match[0]):
        return _PUNCTUATION.sub(r"\\\1", match[0])
    return _escape(match)


def _escaped(quote: str) -> str:
    """Return a block quote with its HTML and link definitions escaped, except in code."""
    code: set[int] = set()
    for token in _parsed(quote):
        if token.type in ("fence", "code_block") and token.map:
            code.update(range(*token.map))
    return "\n".join(
        line if number in code else _TO_ESCAPE.sub(_escape, line)
        for number, line in enumerate(quote.split("\n"))
    )


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[0]}" if match["mark"] else match[0]


def _stays_inside(quote: str, *, pictures: bool = True) -> bool:
    """Return whether a text has no HTML and no link definition; in doubt, False.

    Args:
        quote: The text, such as a block quote.
        pictures: Whether it may have pictures.
    """
    for tables in (True, False):  # a table ends a code span at the next cell
        definitions: dict[str, Any] = {}
        for token in _parsed(quote, definitions, tables=tables):
            inside = [token, *(token.children or ())]
            if token.level > _DEEPEST or any(each.type.startswith("html") for each in inside):
                return False
            if not pictures and any(each.type == "image" for each in inside):
                return False
        if definitions.get("references"):
            return False
    return True


def _parsed(
    quote: str, definitions: dict[str, Any] | None = None, *, tables: bool = True
) -> list[Token]:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    return (parser.enable("table") if tables else parser).parse(quote, definitions)
