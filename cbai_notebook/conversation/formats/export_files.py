"""The files of an export, to be written or downloaded."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded, temporary_path, write_atomically
from cbai_notebook.i18n import say


@dataclass(frozen=True)
class Export:
    """The result of an export: one file, or a folder of files.

    Attributes:
        name: The name of the file or the folder.
        mime: The MIME type of a download.
        files: The content of each file by its path inside the folder; a single file by its name.
        folder: Whether the export is a folder.
    """

    name: str
    mime: str
    files: Mapping[str, str | bytes]
    folder: bool = False

    def __post_init__(self) -> None:
        if not self.folder and len(self.files) != 1:
            raise ValueError("an export of several files is a folder")

    @property
    def data(self) -> bytes:
        """The bytes of a download: the file, or the folder as a zip file."""
        return self.zip() if self.folder else _bytes(next(iter(self.files.values())))

    @property
    def download_name(self) -> str:
        """The file name of the download."""
        return f"{self.name}.zip" if self.folder else self.name

    def write(self, to: str | Path | None = None, *, overwrite: bool = False) -> Path:
        """Write the file or the folder.

        A file or a new folder is written atomically. In an existing folder, each file is written
        atomically.

        Args:
            to: For a file: its path, or an existing folder to write it into. For a folder: its
                path. By default the export's name in the current folder.
            overwrite: Replace files of the same names. Other files in the folder stay.

        Returns:
            The path of the written file or folder.

        Raises:
            UsageError: The file, or a folder with files, already exists, or writing failed.
        """
        path = expanded(self.name if to is None else to)
        with told_if_not_written(path):
            target = self._target(path)
            if not overwrite:
                self._require_free(target)
            if self.folder:
                self._write_folder(target)
            else:
                write_atomically(target, _bytes(next(iter(self.files.values()))))
        return target

    def require_free(self, to: str | Path | None = None) -> None:
        """Check that :meth:`write` would replace nothing there.

        Args:
            to: As :meth:`write` takes it.

        Raises:
            UsageError: The file, or a folder with files, already exists, or cannot be looked at.
        """
        path = expanded(self.name if to is None else to)
        with told_if_not_written(path):
            self._require_free(self._target(path))

    def _require_free(self, target: Path) -> None:
        if any(target.iterdir()) if self.folder and target.is_dir() else target.exists():
            raise UsageError(say("export.exists", path=str(target)))

    def zip(self) -> bytes:
        """Return a zip file that unpacks into one folder, or into the single file."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in self.files.items():
                member = f"{self.name}/{path}" if self.folder else path
                archive.writestr(zipfile.ZipInfo(member), _bytes(content), zipfile.ZIP_DEFLATED)
        return packed.getvalue()

    def _target(self, path: Path) -> Path:
        return path / self.name if path.is_dir() and not self.folder else path

    def _write_folder(self, folder: Path) -> None:
        if folder.exists():
            self._fill(folder)
            return
        temporary = temporary_path(folder)
        try:
            self._fill(temporary)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _fill(self, folder: Path) -> None:
        for path, content in self.files.items():
            write_atomically(folder / path, _bytes(content))


@contextmanager
def told_if_not_written(path: Path) -> Iterator[None]:
    """Say what the disk refused.

    Raises:
        UsageError: An `OSError` came; it names the path.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(
            say("export.not_written", path=str(path), reason=error.strerror or str(error))
        ) from error


def _bytes(content: str | bytes) -> bytes:
    # A lone surrogate has no UTF-8 form; it comes from text that was cut inside a surrogate pair.
    return content.encode("utf-8", "replace") if isinstance(content, str) else content
