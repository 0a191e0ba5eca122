"""Pictures that ``-o FILE`` saves.

A cell that is run again writes its picture again, so a picture is replaced, as ``savefig`` would do it;
a file that is no picture never is. A picture of another kind than the name says gets the ending of its
own, for it has been paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded

if TYPE_CHECKING:
    from cbai_notebook.client.images.image import GeneratedImage


def destination(output: str) -> Path:
    """Return where a picture is to go, looked at before anything is asked.

    Raises:
        UsageError: There is no such folder, or something stands there that is no picture.
    """
    path = expanded(output)
    if not path.parent.is_dir():
        raise UsageError(f"-o {output}: there is no folder {path.parent}. Make it first.")
    _must_be_free(path)
    return path


def save(images: Sequence[GeneratedImage], path: Path) -> list[Path]:
    """Write the pictures that are there to files; of several, ``-1``, ``-2`` … goes before the ending.

    Raises:
        UsageError: A file cannot be written, or something stands there that is no picture.
    """
    return [
        _save(image, path if len(images) == 1 else _numbered(path, number))
        for number, image in enumerate(images, 1)
        if image.data
    ]


def _save(image: GeneratedImage, path: Path) -> Path:
    from cbai_notebook.client.images.formats import SUFFIXES

    right = SUFFIXES[image.mime]
    if path.suffix.lower() not in (right, ".jpeg" if right == ".jpg" else right):
        path = path.with_suffix(right)
    _must_be_free(path)
    return image.save(path)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _must_be_free(path: Path) -> None:
    from cbai_notebook.client.images.formats import mime_of

    try:
        if not path.exists():
            return
        with path.open("rb") as file:
            taken = mime_of(file.read(16)) is None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}. Take another name with -o."
        ) from error
    if taken:
        raise UsageError(f"{path} is there and no picture, so it stays. Take another name with -o.")
