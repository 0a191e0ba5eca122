"""Generated images, with their bytes."""

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
from cbai_notebook.i18n import say


@dataclass(frozen=True)
class GeneratedImage:
    """One generated image. Jupyter displays it from its bytes.

    Args:
        data: The bytes of the image file.
        mime: Their media type, such as ``"image/png"``, detected from the bytes.
        url: The link that they were downloaded from, valid for 24 hours; None for a base64 image.
        revised_prompt: The prompt as the server changed it; None if the server sent none.
    """

    data: bytes = field(repr=False)
    mime: str
    url: str | None = field(default=None, repr=False)
    revised_prompt: str | None = None

    def save(self, path: str | Path) -> Path:
        """Write the image to a file and return its path.

        Args:
            path: The path; the right suffix is added if it has none.

        Raises:
            UsageError: There are no bytes, the suffix is that of another format, or the file cannot
                be written.
        """
        path = expanded(path)
        suffix = SUFFIXES.get(self.mime)
        if suffix is None:
            raise UsageError(say("image.was_not_downloaded"))
        if not path.suffix:
            path = path.with_suffix(suffix)
        elif path.suffix.lower() not in (suffix, ".jpeg" if suffix == ".jpg" else suffix):
            raise UsageError(
                say(
                    "image.needs_another_suffix",
                    mime=self.mime,
                    name=path.with_suffix(suffix).name,
                )
            )
        try:
            path.write_bytes(self.data)
        except OSError as error:
            raise UsageError(
                say("image.cannot_be_saved", path=str(path), reason=error.strerror)
            ) from error
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
    """The answer of an image model. Jupyter displays all images from their bytes.

    Args:
        images: The images, in the server's order.
        model: The model.
        provider: The provider.
        timing: The time of the request and the downloads.
        request_id: The server's id of the request.
        raw: The server's response.
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
            path: The path. For several images, ``-1``, ``-2`` … is added before the suffix.

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
        # A MIME bundle holds one image of each type; several need HTML.
        return {
            "text/html": "\n".join(
                f'<img src="data:{image.mime};base64,{image._encoded}" '
                f'alt="{escape(image.revised_prompt or say("image.description"))}" style="max-width: 100%">'
                for image in self.images
                if image.data
            ),
            "text/plain": repr(self),
        }
