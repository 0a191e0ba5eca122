"""A saved notebook as a Markdown document to read: prompts, answers, code and what it printed.

Answers and prompts become block quotes as in an export of a conversation, so that nothing in them can
imitate the rest of the document. Buttons, footers and panels are left out.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from cbai_notebook.conversation.formats.markdown import code_block, quoted
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.parser import PromptOptions, parse_cell, parse_line
from cbai_notebook.text import plain

_PICTURES = {"image/png": "png", "image/jpeg": "jpg"}
_TRANSCRIPT = re.compile(r'<details [^<>]*class="cbai-transcript[ "]')
_LOADING = re.compile(r"\A\s*%(re)?load_ext[ \t]+cbai_notebook[ \t]*(\n|$)")
"""The line that loads this extension, at the beginning of a cell."""
_TITLE = re.compile(r"# (?:\\.|[^\\<\[])*")
_OURS_IN_TRANSCRIPT = re.compile(r"(?:\*(?:\\.|[^\\<\[])*)?")
"""A line of a transcript that is no message: empty, or in bold or italics and without live marks."""


class _NotANotebookError(Exception):
    """A part of a notebook's file has another type than the format says."""


@dataclass
class NotebookMarkdown:
    """A notebook as Markdown.

    Attributes:
        text: The document.
        pictures: The pictures of its outputs, by the names that the document has for them.
    """

    text: str = ""
    pictures: dict[str, bytes] = field(default_factory=dict)


def notebook_markdown(content: str, name: str, folder: str) -> NotebookMarkdown:
    """Return a saved notebook as Markdown.

    Args:
        content: The notebook's file, in version 4 of the format.
        name: The name of the file, for error messages.
        folder: The folder that the document names for its pictures.

    Raises:
        UsageError: The text is no notebook of version 4.
    """
    result = NotebookMarkdown()
    try:
        blocks = list(_blocks(content, folder, result.pictures))
    except _NotANotebookError as error:
        raise UsageError(say("terminal.no_notebook", file=name)) from error
    kept = (block.strip("\n") for block in blocks)
    result.text = "\n\n".join(filter(str.strip, kept)) + "\n"
    return result


def _blocks(content: str, folder: str, pictures: dict[str, bytes]) -> Iterator[str]:
    try:
        notebook = _mapping(json.loads(content))
    except (ValueError, RecursionError) as error:  # the latter from a file that is too deep
        raise _NotANotebookError from error
    if notebook.get("nbformat") != 4 or notebook.get("cells") is None:
        raise _NotANotebookError
    language = _language(_mapping(notebook.get("metadata")))
    for cell in _list(notebook["cells"]):
        if cell.get("cell_type") == "code":
            yield from _code_cell(cell, language, folder, pictures)
        else:
            yield _joined(cell.get("source"))


def _language(metadata: Mapping[str, Any]) -> str:
    for part in ("language_info", "kernelspec"):
        known = _mapping(metadata.get(part))
        if name := known.get("name" if part == "language_info" else "language"):
            return str(name)
    return "python"


def _code_cell(
    cell: Mapping[str, Any], language: str, folder: str, pictures: dict[str, bytes]
) -> Iterator[str]:
    source = _joined(cell.get("source")).strip("\n")
    outputs = _list(cell.get("outputs"))
    answer = "".join(_joined(_data(output).get("text/markdown")) for output in outputs)
    prompt = _prompt(source)
    if prompt is not None and answer.strip():
        yield f"**{say('export.you')}**"
        yield quoted(prompt)
        yield f"**{say('export.answer')}**"
        yield quoted(answer.strip())
        outputs = [output for output in outputs if not _is_ours(output)]
    elif shown := _LOADING.sub("", source, count=1).strip("\n"):
        yield code_block(shown, language)
    for output in outputs:
        yield from _output(output, folder, pictures)


def _prompt(source: str) -> str | None:
    """Return the prompt of a cell, or None if the cell is anything else."""
    line, _, body = source.partition("\n")
    try:
        if line.startswith("%%cbai"):
            parse_cell(line.removeprefix("%%cbai"))
            return body
        if line.startswith("%cbai") and not body.strip():
            parsed = parse_line(line.removeprefix("%cbai").strip())
            return parsed.prompt if isinstance(parsed, PromptOptions) else None
    except UsageError:
        return None
    return None


def _output(output: Mapping[str, Any], folder: str, pictures: dict[str, bytes]) -> Iterator[str]:
    kind, data = output.get("output_type"), _data(output)
    if kind == "stream":
        yield _verbatim(_joined(output.get("text")))
    elif kind == "error":
        yield _verbatim(f"{output.get('ename')}: {output.get('evalue')}")
    elif _TRANSCRIPT.match(_joined(data.get("text/html"))):
        yield _transcript(_joined(data.get("text/plain")))
    elif "application/vnd.jupyter.widget-view+json" in data:
        return
    elif picture := _picture(data):
        suffix, content = picture
        name = f"{len(pictures) + 1}.{suffix}"
        pictures[name] = content
        yield f"![]({folder}/{name})"
    elif "text/markdown" in data:
        yield quoted(_joined(data["text/markdown"]).strip())
    else:
        yield _verbatim(_joined(data.get("text/plain")))


def _transcript(text: str) -> str:
    """Return the transcript of a panel as a section; quoted if it is none, as any program can say so."""
    title, *lines = plain(text).split("\n")
    blocks = [f"#{title}"]
    is_ours = _TITLE.fullmatch(title) is not None
    for is_quote, group in groupby(lines, lambda line: line.startswith(">")):
        part = list(group)
        if is_quote:
            blocks.append(quoted("\n".join(line[1:].removeprefix(" ") for line in part)))
        else:
            is_ours = is_ours and all(map(_OURS_IN_TRANSCRIPT.fullmatch, part))
            blocks += part
    return "\n".join(blocks) if is_ours else quoted(text)


def _verbatim(text: str) -> str:
    return code_block(text.strip("\n")) if text.strip() else ""


def _picture(data: Mapping[str, Any]) -> tuple[str, bytes] | None:
    for mime, suffix in _PICTURES.items():
        if mime in data:
            try:
                return suffix, base64.b64decode(_joined(data[mime]))
            except (binascii.Error, ValueError):
                return None
    return None


def _is_ours(output: Mapping[str, Any]) -> bool:
    """Return whether an output is a part of an answer, such as its footer."""
    data = _data(output)
    return "text/markdown" in data or 'class="cbai-' in _joined(data.get("text/html"))


def _data(output: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(output.get("data"))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) and value is not None:
        raise _NotANotebookError
    return value or {}


def _list(values: Any) -> list[Mapping[str, Any]]:
    if not isinstance(values, list) and values is not None:
        raise _NotANotebookError
    return [_mapping(value) for value in values or ()]


def _joined(text: Any) -> str:
    """Return a text of a notebook's file, which may stand there as a list of lines."""
    lines = [text] if isinstance(text, str) else text
    if lines is None:
        return ""
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise _NotANotebookError
    return "".join(lines)
