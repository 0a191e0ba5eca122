"""A saved notebook as a Markdown document to read: prompts, answers, code and what it printed.

Answers and prompts become block quotes as in an export of a conversation, so that nothing in them can
imitate the rest of the document. Buttons, footers and panels are left out.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cbai_notebook.conversation.formats.markdown import code_block, quoted
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.parser import PromptOptions, parse_cell, parse_line

_PICTURES = {"image/png": "png", "image/jpeg": "jpg"}
_TRANSCRIPT = "cbai-transcript"


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
    try:
        notebook = json.loads(content)
        cells = notebook["cells"] if notebook["nbformat"] == 4 else None
    except (ValueError, KeyError, TypeError):
        cells = None
    if not isinstance(cells, list):
        raise UsageError(say("terminal.no_notebook", file=name))
    language = _language(notebook.get("metadata") or {})
    result = NotebookMarkdown()
    blocks: list[str] = []
    for cell in cells:
        if cell.get("cell_type") == "code":
            blocks += _code_cell(cell, language, folder, result.pictures)
        else:
            blocks.append(_joined(cell.get("source")))
    kept = (block.strip("\n") for block in blocks)
    result.text = "\n\n".join(filter(str.strip, kept)) + "\n"
    return result


def _language(metadata: Mapping[str, Any]) -> str:
    for part in ("language_info", "kernelspec"):
        known = metadata.get(part) or {}
        if name := known.get("name" if part == "language_info" else "language"):
            return str(name)
    return "python"


def _code_cell(
    cell: Mapping[str, Any], language: str, folder: str, pictures: dict[str, bytes]
) -> Iterator[str]:
    source, outputs = _joined(cell.get("source")).strip("\n"), cell.get("outputs") or []
    answer = "".join(_joined(_data(output).get("text/markdown")) for output in outputs)
    prompt = _prompt(source)
    if prompt is not None and answer.strip():
        yield f"**{say('export.you')}**"
        yield quoted(prompt)
        yield f"**{say('export.answer')}**"
        yield quoted(answer.strip())
        outputs = [output for output in outputs if not _is_ours(output)]
    elif source and not source.startswith("%load_ext"):
        yield code_block(source, language)
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
    elif _TRANSCRIPT in _joined(data.get("text/html")):
        yield _joined(data.get("text/plain")).replace("# ", "## ", 1)
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
    return output.get("data") or {}


def _joined(text: str | Sequence[str] | None) -> str:
    """Return a text of a notebook's file, which may stand there as a list of lines."""
    return text if isinstance(text, str) else "".join(text or ())
