"""``cbai.prompt``: a prompt in a file, with the model and the parameters that it is meant for."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import GenericAlias
from typing import Any, Literal

from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import Words, listed, say

VERSION_CHARS = 8
"""The characters of the version of a prompt: the beginning of the hash of its content."""

_FENCE = "---"
_LINE = re.compile(r"(?P<indent>\s*)(?P<name>[^\W\d][\w-]*)\s*:\s*(?P<value>.*?)\s*")
_TYPES: Mapping[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}


@dataclass(frozen=True)
class PromptFile:
    """A prompt of a file, as `prompt` returns it.

    Attributes:
        name: The name of the file, without its suffix.
        text: The template.
        version: What its content is known by: two files with the same version are equal.
        model: The model that it is meant for; None leaves it open.
        system: The system prompt, a template too; None for none.
        params: The parameters of its requests.
        fields: The types of the fields of its answers; empty if answers are text.
    """

    name: str
    text: str
    version: str
    model: str | None = None
    system: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def response_type(self) -> Any:
        """The type of its answers; None if they are text."""
        if not self.fields:
            return None
        import msgspec

        name = re.sub(r"\W+", "_", self.name.title()).strip("_") or "Answer"
        return msgspec.defstruct(name, list(self.fields.items()))


def prompt(path: str | os.PathLike[str]) -> PromptFile:
    """Read a prompt from a file, for `batch` and `evaluate`.

    The file is Markdown: the template, and before it, if it has any, settings between two lines with
    three dashes::

        ---
        model: hy3
        system: You sort the mail of a shop.
        temperature: 0
        schema:
          intent: refund | delivery | invoice | other
          urgent: boolean
        ---
        What does this customer want?

        {text}

    ``model`` and ``system`` are those of the request, ``schema`` has the fields of the answer: ``string``,
    ``integer``, ``number``, ``boolean``, a list such as ``[string]``, or the words that it can be. All other
    names are parameters of the request. Arguments of `batch` and `evaluate` win over the file.

    Args:
        path: The path of the file.

    Raises:
        UsageError: The file cannot be read, or a line of its settings is wrong; the message names it.
    """
    file = expanded(path)
    try:
        content = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(say("prompt_file.not_read", file=str(path), reason=reason)) from error
    version = sha256(content.encode()).hexdigest()[:VERSION_CHARS]
    settings, text = _parts(content, file)
    if not text.strip():
        raise UsageError(say("prompt_file.empty", file=str(path)))
    fields = settings.pop("schema", {})
    model, system = settings.pop("model", None), settings.pop("system", None)
    return PromptFile(
        file.stem,
        text.strip("\n"),
        version,
        None if model is None else str(model),
        None if system is None else str(system),
        settings,
        fields,
    )


def _parts(content: str, file: Path) -> tuple[dict[str, Any], str]:
    """Return the settings and the template of a file.

    Raises:
        UsageError: A line of the settings is wrong.
    """
    lines = content.splitlines(keepends=True)
    if not lines or lines[0].strip() != _FENCE:
        return {}, content
    settings: dict[str, Any] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip() == _FENCE:
            return settings, "".join(lines[number:])
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        read = _LINE.fullmatch(line.rstrip("\n"))
        if read is None:
            raise _wrong(file, number, say("prompt_file.no_setting", example="temperature: 0.2"))
        name, value = read["name"], read["value"]
        if read["indent"]:
            if not isinstance(settings.get("schema"), dict):
                raise _wrong(file, number, say("prompt_file.indented"))
            settings["schema"][name] = _type_of(value, file, number)
        elif name == "schema":
            if value:
                raise _wrong(file, number, say("prompt_file.no_type", types=listed(_TYPES)))
            settings[name] = {}
        else:
            settings[name] = _value(value)
    raise _wrong(file, len(lines), say("prompt_file.not_closed", fence=_FENCE))


def _value(text: str) -> Any:
    """Return a value: JSON, or text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _type_of(text: str, file: Path, number: int) -> Any:
    """Return the type of a field.

    Raises:
        UsageError: It is not known.
    """
    if text in _TYPES:
        return _TYPES[text]
    if text.startswith("[") and text.endswith("]"):
        return GenericAlias(list, _type_of(text[1:-1].strip(), file, number))
    words = tuple(word.strip() for word in text.split("|"))
    if len(words) > 1 and all(words):
        return Literal[words]
    raise _wrong(file, number, say("prompt_file.no_type", types=listed(_TYPES)))


def _wrong(file: Path, number: int, problem: Words) -> UsageError:
    return UsageError(say("prompt_file.line", file=str(file), line=number, problem=problem))
