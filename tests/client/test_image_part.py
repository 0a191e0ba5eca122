"""Images as parts of a message, from every kind of value that a notebook has."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.client.images.formats import mime_of
from cbai_notebook.client.images.image import GeneratedImage
from cbai_notebook.client.images.part import LARGEST_BYTES, LONGEST_SIDE, image_part
from cbai_notebook.errors import UsageError
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Gateway, pictures

Image = pytest.importorskip("PIL.Image")
PNG = pictures.png()


def data_of(part: dict[str, Any]) -> bytes:
    assert set(part) == {"type", "image_url"}
    assert part["type"] == "image_url"
    head, _, body = part["image_url"]["url"].partition(",")
    data = base64.b64decode(body, validate=True)
    assert head == f"data:{mime_of(data)};base64"
    return data


def test_bytes_paths_and_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.dat"
    path.write_bytes(PNG)
    monkeypatch.setenv("HOME", str(tmp_path))
    encoded = "data:image/png;base64," + base64.b64encode(PNG).decode()
    for source in (PNG, bytearray(PNG), memoryview(PNG), path, str(path), "~/picture.dat", encoded):
        assert data_of(image_part(source)) == PNG
    url = "https://example.com/a.png?x=1"
    assert image_part(url) == {"type": "image_url", "image_url": {"url": url}}
    assert image_part(url, detail="low")["image_url"] == {"url": url, "detail": "low"}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_every_kind_that_is_taken(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(out, kind)
    data = data_of(image_part(out.getvalue()))
    assert mime_of(data) == f"image/{kind.lower()}"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_pil_images_of_every_mode(mode: str) -> None:
    data = data_of(image_part(Image.new("RGB", (4, 3), "red").convert(mode)))
    assert Image.open(io.BytesIO(data)).size == (4, 3)


def test_figures_axes_and_plots_of_a_dataframe() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    figure, axes = plt.subplots()
    several = frame.plot(subplots=True)
    for source in (figure, axes, frame.plot(), several, several[0]):
        assert mime_of(data_of(image_part(source))) == "image/png"
    plt.close("all")


def test_whatever_jupyter_shows_as_a_png() -> None:
    from IPython.display import Image as Shown

    for drawn in (Shown(data=pictures.GIF), GeneratedImage(pictures.GIF, "image/gif")):
        assert data_of(image_part(drawn)) == pictures.GIF

    class Chart:
        def __init__(self, shown: Any) -> None:
            self.shown = shown

        def _repr_png_(self) -> Any:
            return self.shown

    encoded = base64.b64encode(PNG).decode()
    for source in (Shown(data=PNG), Chart(PNG), Chart((PNG, {"width": 2})), Chart(encoded)):
        assert data_of(image_part(source)) == PNG
    with pytest.raises(UsageError, match="Chart is no image"):
        image_part(Chart(None))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"<svg xmlns='x'></svg>", "an SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", "an SVG drawing"),
        (b"<!doctype html>", "a web page"),
        (b"%PDF-1.7", "a PDF"),
        (b"BM1234", "a BMP image"),
        (b"II*\x00abcd", "a TIFF image"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (b"hello", "no image"),
        (b"", "empty"),
        (b"RIFF\x00\x00\x00\x00WAVE", "no image"),
        ("http://example.com/a.png", "https"),
        ("https://user:secret@example.com/a.png", "no address"),
        ("https://", "no address"),
        ("data:image/png;base64,???", "no base64"),
        ("data:image/svg+xml,<svg/>", "no base64"),
        ("no/such/file.png", "cannot be read"),
        ("nul\0byte.png", "cannot be read"),
        (".", "cannot be read"),
        (3, "int is no image"),
        (None, "NoneType is no image"),
        ({"a": 1}, "dict is no image"),
        ([], "list is no image"),
    ],
)
def test_what_is_no_image_is_refused_in_words(source: Any, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        image_part(source)
    assert said in raised.value.message


def test_numbers_and_tables_are_no_images() -> None:
    import numpy as np
    import pandas as pd

    for source in (np.zeros((2, 2)), np.array([]), pd.DataFrame({"a": [1]})):
        with pytest.raises(UsageError, match="is no image"):
            image_part(source)


def test_a_file_is_refused_by_what_it_is_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_text("<svg></svg>")
    with pytest.raises(UsageError, match="SVG"):
        image_part(path)


def test_a_large_image_is_scaled(tmp_path: Path) -> None:
    noisy = pictures.png(3000, 1000, noise=True)
    assert len(noisy) > LARGEST_BYTES
    data = data_of(image_part(noisy))
    assert len(data) <= LARGEST_BYTES
    with Image.open(io.BytesIO(data)) as scaled:
        assert scaled.width == LONGEST_SIDE
        assert scaled.height == round(LONGEST_SIDE / 3)


def test_a_scaled_image_keeps_its_transparency_or_stands_on_white() -> None:
    import numpy as np

    noise = np.random.default_rng(1).integers(0, 255, (1500, 1500, 4), dtype=np.uint8)
    noise[:, :750, 3] = 0
    with Image.open(io.BytesIO(data_of(image_part(Image.fromarray(noise, "RGBA"))))) as scaled:
        left = scaled.convert("RGBA").getpixel((5, 5))
    assert left[3] == 0 or min(left[:3]) > 240


def test_a_large_image_that_is_damaged_is_told() -> None:
    damaged = pictures.png(3000, 1000, noise=True)[: LARGEST_BYTES + 100]
    with pytest.raises(UsageError, match="damaged"):
        image_part(damaged)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    with huge.open("wb") as out:
        out.write(PNG)
        out.truncate(65 * 2**20)
    with pytest.raises(UsageError, match="at most 64 MB"):
        image_part(huge)
    with pytest.raises(UsageError, match="at most 64 MB"):
        image_part(PNG + bytes(65 * 2**20))
    bomb = pictures.png(11_000, 10_000)
    with pytest.raises(UsageError, match="too many"):
        image_part(bomb + bytes(LARGEST_BYTES))


def test_without_pillow_the_error_names_what_to_install() -> None:
    code = """
import sys
sys.modules["PIL"] = None
from cbai_notebook import image_part
from cbai_notebook.errors import MissingDependencyError
from tests.gateway import pictures
assert image_part(pictures.png())
try:
    image_part(pictures.png(3000, 1000, noise=True))
except MissingDependencyError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert 'pip install "cbai-notebook[images]"' in done.stdout


def test_making_a_part_imports_no_library_for_it() -> None:
    code = """
import sys
from cbai_notebook import image_part
from tests.gateway import pictures
image_part(pictures.png())
print([name for name in ("PIL", "matplotlib", "numpy", "pandas", "httpx") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


async def test_a_part_reaches_the_model(make_model: MakeModel, gateway: Gateway) -> None:
    content = [{"type": "text", "text": "What is this?"}, image_part(PNG)]
    messages = [*MESSAGES, {"role": "user", "content": content}]
    answer = await make_model().generate_text(model="echo", messages=messages)
    assert answer.text == "What is this?"
    assert gateway.last.json["messages"][-1]["content"] == content
