"""The plot of means and intervals, as SVG and as axes of matplotlib."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.evaluation.plot import PlotRow, interval_svg, plot_axes

NAN = math.nan
ROWS = [
    PlotRow("short", 0.78, 0.72, 0.83, is_baseline=True),
    PlotRow("long", 0.84, 0.78, 0.88),
]
SVG = "{http://www.w3.org/2000/svg}"


def parsed(rows: list[PlotRow], *, is_share: bool = True) -> ElementTree.Element:
    return ElementTree.fromstring(interval_svg(rows, title="equals", is_share=is_share))


def texts(svg: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


def test_each_row_is_a_dot_on_its_interval() -> None:
    svg = parsed(ROWS)
    dots = list(svg.iter(f"{SVG}circle"))
    assert [dot.get("fill") for dot in dots] == ["none", None]
    assert float(dots[0].get("cx", "")) < float(dots[1].get("cx", ""))
    assert {"short (baseline)", "78 % [72–83]", "long", "84 % [78–88]"} <= set(texts(svg))
    assert {"70 %", "75 %", "80 %", "85 %", "90 %"} <= set(texts(svg))
    assert "Dot: mean. Line: 95 % interval." in texts(svg)


def test_no_line_crosses_a_label() -> None:
    svg = parsed([PlotRow("all", 1.0, 0.5, 1.0, is_baseline=True), *ROWS[1:]])
    lines = [
        (float(each.get("y1", "")), float(each.get("y2", ""))) for each in svg.iter(f"{SVG}line")
    ]
    labels = {float(each.get("y", "")) for each in svg.iter(f"{SVG}text")}
    assert {16, 56} <= labels
    for label in (16, 56):  # a label is 12 pixels high, and a bracket goes below its foot
        assert not any(low < label + 3 and high > label - 11 for low, high in lines)


def test_a_screen_reader_reads_title_and_numbers() -> None:
    svg = parsed(ROWS)
    assert (svg.get("role"), svg.get("aria-label")) == ("img", "equals")
    assert svg.findtext(f"{SVG}title") == "equals"
    assert svg.findtext(f"{SVG}desc") == "short (baseline): 78 % [72–83]; long: 84 % [78–88]"


def test_it_needs_nothing_from_elsewhere_and_has_the_colour_of_the_text_around() -> None:
    markup = interval_svg(ROWS, title="equals")
    assert not re.search("script|href|url|import|@|on[a-z]+=", markup)
    colours = re.findall(r'(?:fill|stroke|color)="([^"]*)"', markup)
    assert set(colours) == {"currentColor", "none"}
    assert 'width="360"' in markup
    assert "max-width:100%" in markup


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", '"&<b>', "a\nb\x00\x1b[31m", "]]>"])
def test_labels_and_titles_are_text(label: str) -> None:
    markup = interval_svg([PlotRow(label, 0.5, 0.4, 0.6)], title=label)
    assert "<script" not in markup
    assert "\x1b" not in markup
    svg = ElementTree.fromstring(markup)
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} == {
        "svg", "title", "desc", "line", "text", "circle",
    }  # fmt: skip


def test_a_long_label_is_shortened_and_read_whole() -> None:
    label = "一个很长的提示词版本的名字" * 3
    svg = parsed([PlotRow(label, 0.5, 0.4, 0.6)])
    shown = texts(svg)[-3]
    assert "…" in shown
    assert len(shown) <= 16
    assert label in (svg.findtext(f"{SVG}desc") or "")


def test_a_row_without_a_value_is_named_and_empty() -> None:
    svg = parsed([*ROWS, PlotRow("failed", NAN, NAN, NAN)])
    assert len(list(svg.iter(f"{SVG}circle"))) == 2
    assert texts(svg)[-3:-1] == ["failed", "–"]
    assert not list(parsed([PlotRow("failed", NAN, NAN, NAN)]).iter(f"{SVG}circle"))
    assert texts(parsed([]))


def test_other_scores_are_not_in_percent() -> None:
    svg = parsed([PlotRow("a", 3.2, 3.0, 3.4)], is_share=False)
    assert "3.20 [3.00–3.40]" in texts(svg)
    assert not any("%" in text for text in texts(svg)[:-1])


numbers = st.floats(-1e9, 1e9)


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=5))
def test_all_that_is_drawn_lies_within_the_picture(rows: list[tuple[float, float, float]]) -> None:
    ordered = [sorted(row) for row in rows]
    svg = parsed([PlotRow("a", value, low, high) for low, value, high in ordered], is_share=False)
    places = [float(each.get(name, "0")) for each in svg.iter() for name in ("x1", "x2", "cx")]
    assert all(0 <= place <= 360 for place in places)
    assert 2 <= sum(each.get("text-anchor") == "middle" for each in svg.iter()) <= 8


def test_matplotlib_plots_the_same() -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    axes = plot_axes([*ROWS, PlotRow("failed", NAN, NAN, NAN)], title="equals")
    assert [each.get_text() for each in axes.get_yticklabels()] == [
        "short (baseline)", "long", "failed",
    ]  # fmt: skip
    assert axes.get_title() == "equals"
    assert len(axes.containers) == 2
    again = plot_axes(ROWS, title="more", axes=axes)
    assert again is axes
    pyplot.close(axes.figure)


def test_without_matplotlib_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from cbai_notebook.evaluation.plot import plot_axes\n"
        "plot_axes([], title='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "MissingDependencyError" in done.stderr
    assert "python -m pip install matplotlib" in done.stderr


def test_the_room_does_not_load_matplotlib() -> None:
    code = (
        "import sys; import cbai_notebook.evaluation.plot, cbai_notebook.evaluation.preference\n"
        "assert not {'matplotlib', 'scipy.stats', 'pandas', 'IPython'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
