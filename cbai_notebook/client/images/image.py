"""Images that a model drew, with their bytes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from cbai_notebook.client.answer import Timing
from cbai_notebook.client.images.formats import SUFFIXES
from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded


@dataclass(frozen=True)
class GeneratedImage:
    """One image. Jupyter shows it, from its own bytes.

    Args:
        data: The bytes of the image file.
        mime: What they are, such as ``"image/png"``; told from the bytes.
        url: Where they came from, a link that works for 24 hours; None if they came at once.
        revised_prompt: What the server made of the prompt; None if it does not say.
    """

    data: bytes = field(repr=False)
    mime: str
    url: str | None = field(default=None, repr=False)
    revised_prompt: str | None = None

    def save(self, path: str | Path) -> Path:
        """Write the image to a file and return its path.

        Args:
            path: Without a suffix it gets the right one.

        Raises:
            UsageError: There are no bytes, the suffix is that of another kind, or the file cannot
                be written.
        """
        path = expanded(path)
        suffix = SUFFIXES.get(self.mime)
        if suffix is None:
            raise UsageError("This image was not downloaded, so there is nothing to save.")
        if not path.suffix:
            path = path.with_suffix(suffix)
        elif path.suffix.lower() not in (suffix, ".jpeg" if suffix == ".jpg" else suffix):
            raise UsageError(
                f"This image is {self.mime}: save it as {path.with_suffix(suffix).name!r}."
            )
        try:
            path.write_bytes(self.data)
        except OSError as error:
            raise UsageError(f"The image cannot be saved as {path}: {error.strerror}.") from error
        return path

    def _repr_png_(self) -> bytes | None:
        return self.data if self.mime == "image/png" else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if not self.data:
            return {"text/plain": repr(self)}
        return {self.mime: self._encoded, "text/plain": repr(self)}

    @property
    def _encoded(self) -> str:
        return base64.b64encode(self.data).decode()


@dataclass(frozen=True)
class ImageAnswer:
    """What a model drew. Jupyter shows all of it, from its own bytes.

    Args:
        images: The images, in the server's order.
        model: The model that was asked.
        provider: The provider.
        timing: How long it took, downloads included.
        request_id: The server's id of the request.
        raw: Everything the server sent.
    """

    images: tuple[GeneratedImage, ...]
    model: str
    provider: str
    timing: Timing = field(default_factory=Timing, repr=False)
    request_id: str | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def save(self, path: str | Path) -> Sequence[Path]:
        """Write the images to files and return their paths.

        Args:
            path: The file of a single image; of several, ``-1``, ``-2`` … goes before the suffix.

        Raises:
            UsageError: As for `GeneratedImage.save`.
        """
        path = Path(path)
        if len(self.images) == 1:
            return (self.images[0].save(path),)
        return tuple(
            image.save(path.with_name(f"{path.stem}-{number}{path.suffix}"))
            for number, image in enumerate(self.images, 1)
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if len(self.images) == 1:
            return self.images[0]._repr_mimebundle_()
        # A bundle has room for one image of a kind; several stand in a page.
        return {
            "text/html": "\n".join(
                f'<img src="data:{image.mime};base64,{image._encoded}" '
                f'alt="{escape(image.revised_prompt or "Image")}" style="max-width: 100%">'
                for image in self.images
                if image.data
            ),
            "text/plain": repr(self),
        }
