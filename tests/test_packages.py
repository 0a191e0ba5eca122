"""The wheel and the source archive: built, installed in a new environment, and used from there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from importlib.util import find_spec
from pathlib import Path

import pytest

import cbai_notebook
from tests.isolation import isolated_environment
from tests.require import require

PATIENCE = 300
REPOSITORY = Path(__file__).parents[1]
PACKAGE = Path(cbai_notebook.__file__).parent


def run(
    *command: str | Path, folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@dataclass(frozen=True)
class Built:
    """What is published: the source archive, the wheel made from it, the wheel made from the files."""

    sdist: Path
    wheel: Path
    wheel_of_files: Path

    @property
    def files_of_sdist(self) -> set[str]:
        with tarfile.open(self.sdist) as archive:
            return {name.partition("/")[2] for name in archive.getnames()}

    @property
    def metadata(self) -> Message:
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            return Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    for module in ("build", "hatchling"):
        require(find_spec(module), f"{module} is missing: pip install -e '.[test]'")
    folder = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--no-isolation", REPOSITORY, "--outdir")
    run(*build, folder, folder=folder)  # the archive, and the wheel from it
    run(*build, folder / "of-files", "--wheel", folder=folder)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    (wheel_of_files,) = folder.glob("of-files/*.whl")
    return Built(sdist, wheel, wheel_of_files)


def contents(wheel: Path) -> dict[str, int]:
    """Return the files in a wheel with their checksums."""
    with zipfile.ZipFile(wheel) as archive:
        return {file.filename: file.CRC for file in archive.infolist()}


def test_the_wheel_has_all_files_of_the_package_and_no_others(built: Built) -> None:
    expected = {
        file.relative_to(PACKAGE.parent).as_posix()
        for file in PACKAGE.rglob("*")
        if file.is_file()
        and not any(
            part.startswith((".", "__pycache__")) for part in file.relative_to(PACKAGE).parts
        )
    }
    shipped = {"quickstart.ipynb", "quickstart.zh.ipynb", "py.typed"}
    assert {f"cbai_notebook/{name}" for name in shipped} <= expected
    found = {name for name in contents(built.wheel) if ".dist-info/" not in name}
    shared = {name for name in found if ".data/data/" in name}
    assert found - shared == expected
    place = "share/jupyter/labextensions/cbai-notebook/"
    assert {name.partition(".data/data/")[2].removeprefix(place) for name in shared} == {
        "install.json",
        "package.json",
        "static/cells.js",
    }


def test_the_source_archive_makes_the_same_wheel(built: Built) -> None:
    assert contents(built.wheel) == contents(built.wheel_of_files)


def test_the_source_archive_has_what_the_readme_links_to(built: Built) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", readme))
    assert targets
    assert {"LICENSE", "pyproject.toml", "tests/test_packages.py", *targets} <= built.files_of_sdist


def test_the_metadata_tell_an_index_what_it_shows(built: Built) -> None:
    metadata = built.metadata
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Version"] == cbai_notebook.__version__
    assert str(metadata.get_payload()).startswith("# cbai-notebook")


@dataclass(frozen=True)
class Installation:
    """A new virtual environment into which only the wheel was installed."""

    scripts: Path
    packages: Path


@pytest.fixture(scope="module")
def installation(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", scripts / "python")
    run(*pip, "install", "--no-deps", "--no-index", built.wheel, folder=folder)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(scripts / "python", "-c", code, folder=folder).stdout.strip())
    # What the package needs comes from this environment. The `.pth` files there are not read, so an
    # editable installation of the package is not found.
    needed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "needed.pth").write_text("\n".join(needed), encoding="utf-8")
    return Installation(scripts, packages)


@pytest.mark.kernel
@pytest.mark.local_model
@pytest.mark.timeout(600)  # the first use may download the weights of the model
def test_the_demo_of_the_wheel_answers_where_nothing_is_configured(
    installation: Installation, tmp_path: Path
) -> None:
    require(find_spec("xllamacpp"), "the offline model is missing: pip install -e '.[local]'")
    work = tmp_path / "work"
    work.mkdir()
    quickstart = installation.packages / "cbai_notebook" / "quickstart.ipynb"
    shipped = quickstart.read_bytes()
    environment = isolated_environment(tmp_path / "home", PYTHONUTF8="1")
    command = (installation.scripts / "cbai-notebook", "demo", "--run")
    printed = run(*command, folder=work, environment=environment).stdout
    order = [
        "capital of France is Paris",
        "Eiffel Tower",
        "Beijing, Shanghai",
        "chat panel",
        "Tokyo",
    ]
    places = [printed.index(piece) for piece in order]
    assert places == sorted(places)
    assert list(work.iterdir()) == []
    assert quickstart.read_bytes() == shipped
