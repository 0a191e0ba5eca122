"""DataFrames and Series as Markdown tables."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cbai_notebook.prompts.tables import is_table, markdown_table


class MyFrame(pd.DataFrame):
    """A subclass of DataFrame, as GeoPandas has one."""


def test_a_dataframe_becomes_a_table() -> None:
    frame = pd.DataFrame({"city": ["Paris", "北京"], "people": [2.1, 21.5]})
    assert markdown_table(frame) == (
        "| city | people |\n| --- | --- |\n| Paris | 2.1 |\n| 北京 | 21.5 |"
    )


def test_a_subclass_of_a_dataframe_is_one() -> None:
    assert is_table(MyFrame({"a": [1]}))
    assert markdown_table(MyFrame({"a": [1]})) == "| a |\n| --- |\n| 1 |"


def test_a_series_becomes_a_table_with_its_name() -> None:
    assert markdown_table(pd.Series([1, 2], name="n")) == "| n |\n| --- |\n| 1 |\n| 2 |"
    assert markdown_table(pd.Series({"x": 1})) == "|  | value |\n| --- | --- |\n| x | 1 |"


def test_an_index_that_says_something_is_a_column() -> None:
    named = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    assert markdown_table(named).startswith("| key | a |\n| --- | --- |\n| x | 1 |")
    filtered = pd.DataFrame({"a": [1, 2]})[1:]
    assert markdown_table(filtered) == "|  | a |\n| --- | --- |\n| 1 | 2 |"
    levels = pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])
    assert markdown_table(pd.DataFrame({"a": [3, 4]}, index=levels)) == (
        "| k |  | a |\n| --- | --- | --- |\n| x | 1 | 3 |\n| y | 2 | 4 |"
    )


def test_columns_of_every_kind() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=pd.Index([("a", "b"), 7, 7], tupleize_cols=False))
    assert markdown_table(frame) == "| a / b | 7 | 7 |\n| --- | --- | --- |\n| 1 | 2 | 3 |"


def test_missing_values_are_empty_cells() -> None:
    frame = pd.DataFrame(
        {"a": pd.Series([None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), 0], dtype=object)}
    )
    assert markdown_table(frame).splitlines()[2:] == ["|  |"] * 5 + ["| 0 |"]


def test_pipes_and_line_ends_do_not_break_a_table() -> None:
    frame = pd.DataFrame({"a|b": ["x|y", "one\ntwo\r\nthree\u2028four", " | "]})
    assert markdown_table(frame).splitlines() == [
        "| a\\|b |",
        "| --- |",
        "| x\\|y |",
        "| one<br>two<br>three<br>four |",
        "| \\| |",
    ]


@pytest.mark.parametrize("whole", [0, 1, 20, 21, 500])
def test_a_table_is_cut_and_says_so(whole: int) -> None:
    table = markdown_table(pd.DataFrame({"a": range(whole)}))
    rows, _, said = table.partition("\n\n")
    assert len(rows.splitlines()) == 2 + min(whole, 20)
    expected = f"({whole - 20} more rows left out; these are the first 20 of {whole}.)"
    assert said == (expected if whole > 20 else "")


def test_no_rows_and_no_columns() -> None:
    assert markdown_table(pd.DataFrame({"a": [1, 2]}), rows=0) == (
        "| a |\n| --- |\n\n(2 more rows left out; these are the first 0 of 2.)"
    )
    assert markdown_table(pd.DataFrame(index=range(3))) == "(a table of 3 rows and no columns)"


@pytest.mark.parametrize(
    "value", [[1], {"a": 1}, "| a |", pd.Index([1]), np.array([1]), pd.DataFrame]
)
def test_other_things_are_no_tables(value: object) -> None:
    assert not is_table(value)
    with pytest.raises(TypeError):
        markdown_table(value)


@given(
    st.lists(st.lists(st.text(max_size=8), min_size=3, max_size=3), min_size=1, max_size=5),
)
def test_every_text_stays_in_its_cell(rows: list[list[str]]) -> None:
    table = markdown_table(pd.DataFrame(rows, columns=["a", "b", "c"]))
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    assert sum(token.type == "td_open" for token in tokens) == 3 * len(rows)
    assert [token.type for token in tokens][-1] == "table_close"


def test_polars_frames_and_series_become_tables() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, None], "b": ["x|y", "z"]})
    assert markdown_table(frame) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n|  | z |"
    assert markdown_table(pl.Series("n", [1, 2]), rows=1).startswith(
        "| n |\n| --- |\n| 1 |\n\n(1 more"
    )
    assert markdown_table(pl.Series([1])) == "| value |\n| --- |\n| 1 |"


def test_nobody_pays_for_pandas_who_does_not_use_it() -> None:
    code = (
        "import sys; from cbai_notebook.prompts.template import expand; "
        "assert expand('{x} {n}', {'x': [1], 'n': 2}).text == '[1] 2'; "
        "sys.exit('pandas' in sys.modules or 'polars' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
