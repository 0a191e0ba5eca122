"""The images of a prompt: what ``--image`` names, and how they are shown before they are sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.files import expanded
from cbai_notebook.notebook.command_line.lexer import shortened
from cbai_notebook.prompts.references import REFERENCE, Found, NotFound, Reference, resolve

_SHOWN = 40
_DATA = re.compile(r"data:[\w/+.-]+;base64,")


def addresses(images: Iterable[str], namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the addresses of images, ``data:`` ones for all that is not in the web.

    A name of the user's wins over a file that is called the same; ``./cat`` is always a file. A
    name is a variable, or a path from there as in ``figures[0]`` or ``row["photo"]``.

    Args:
        images: What the options name: files, https addresses, variables.
        namespace: The user's variables.

    Raises:
        UsageError: There is no such thing, or it is no image.
        MissingDependencyError: It is too large, and Pillow is not there to scale it.
    """
    return tuple(_address(text, namespace) for text in images)


def _address(text: str, namespace: Mapping[str, Any]) -> str:
    from cbai_notebook.client.images.part import image_part

    source = _source(text, namespace)
    try:
        return str(image_part(source)["image_url"]["url"])
    except CbaiError as error:
        raise type(error)(f"--image {shortened(text)}: {error.message}") from error


def _source(text: str, namespace: Mapping[str, Any]) -> Any:
    """Return what is named: a value of the user's, or else the text, as a path or an address."""
    match = REFERENCE.fullmatch(f"{{{text}}}")
    if match is None:
        return text
    found = resolve(Reference(match["name"], match["path"]), namespace)
    if isinstance(found, Found):
        return found.value
    if not _is_file(text):
        raise UsageError(f"--image {shortened(text)}: {_absent(found, match['path'])}")
    return text


def _is_file(text: str) -> bool:
    try:
        return expanded(text).is_file()
    except (OSError, UsageError):
        return False


def _absent(found: NotFound, path: str) -> str:
    if found.known and found.reason:
        return f"{found.reason}. Name a figure, a PIL image, bytes, a file or an https address."
    what = "file" if path else "variable and no file"
    return (
        f"there is no {what} of this name in {Path.cwd()}. Name a variable that holds an image, "
        "a file or an https address."
    )


def abbreviated(value: Any) -> Any:
    """Return a request's body with the data of its images cut short, to be looked at.

    Args:
        value: JSON values, lists and dicts of them.
    """
    if isinstance(value, str):
        match = _DATA.match(value)
        cut = len(value) - match.end() - _SHOWN if match else 0
        return f"{value[:-cut]}… ({cut:,} more characters)" if cut > 0 else value
    if isinstance(value, Mapping):
        return {name: abbreviated(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [abbreviated(one) for one in value]
    return value
