"""DataFrames and Series as Markdown tables."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cbai_notebook.preferences import Preferences
from cbai_notebook.prompts.tables import is_table, markdown_table


class MyFrame(pd.DataFrame):
    """A subclass of DataFrame, as GeoPandas has one."""


def text_of(value: object, **limits: int) -> str:
    return markdown_table(
        value, Preferences(**{f"table_{name}": value for name, value in limits.items()})
    ).text


def column(values: object, **limits: int) -> list[str]:
    """Return the texts of the cells of one column."""
    lines = text_of(pd.DataFrame({"a": values}), **limits).splitlines()
    return [line.removeprefix("|").removesuffix("|").strip() for line in lines[2:]]


def numbers(*values: float, **limits: int) -> list[str]:
    """Return the texts of numbers, each in a table of its own."""
    return [column([value], **limits)[0] for value in values]


def test_a_dataframe_becomes_a_table() -> None:
    frame = pd.DataFrame({"city": ["Paris", "北京"], "people": [2.1, 21.5]})
    assert text_of(frame) == ("| city | people |\n| --- | --- |\n| Paris | 2.1 |\n| 北京 | 21.5 |")


def test_a_subclass_of_a_dataframe_is_one() -> None:
    assert is_table(MyFrame({"a": [1]}))
    assert text_of(MyFrame({"a": [1]})) == "| a |\n| --- |\n| 1 |"


def test_a_series_becomes_a_table_with_its_name() -> None:
    assert text_of(pd.Series([1, 2], name="n")) == "| n |\n| --- |\n| 1 |\n| 2 |"
    assert text_of(pd.Series({"x": 1})) == "|  | value |\n| --- | --- |\n| x | 1 |"


def test_an_index_that_says_something_is_a_column() -> None:
    named = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    assert text_of(named).startswith("| key | a |\n| --- | --- |\n| x | 1 |")
    filtered = pd.DataFrame({"a": [1, 2]})[1:]
    assert text_of(filtered) == "|  | a |\n| --- | --- |\n| 1 | 2 |"
    levels = pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])
    assert text_of(pd.DataFrame({"a": [3, 4]}, index=levels)) == (
        "| k |  | a |\n| --- | --- | --- |\n| x | 1 | 3 |\n| y | 2 | 4 |"
    )


def test_columns_of_every_kind() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=pd.Index([("a", "b"), 7, 7], tupleize_cols=False))
    assert text_of(frame) == "| a / b | 7 | 7 |\n| --- | --- | --- |\n| 1 | 2 | 3 |"


def test_missing_values_are_empty_cells() -> None:
    frame = pd.DataFrame(
        {"a": pd.Series([None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), 0], dtype=object)}
    )
    assert text_of(frame).splitlines()[2:] == ["|  |"] * 5 + ["| 0 |"]


def test_pipes_and_line_ends_do_not_break_a_table() -> None:
    frame = pd.DataFrame({"a|b": ["x|y", "one\ntwo\r\nthree\u2028four", " | "]})
    assert text_of(frame).splitlines() == [
        "| a\\|b |",
        "| --- |",
        "| x\\|y |",
        "| one<br>two<br>three<br>four |",
        "| \\| |",
    ]


@pytest.mark.parametrize("whole", [0, 1, 20, 21, 500])
def test_a_table_is_cut_and_says_so(whole: int) -> None:
    table = text_of(pd.DataFrame({"a": range(whole)}))
    rows, _, said = table.partition("\n\n")
    assert len(rows.splitlines()) == 2 + min(whole, 20)
    if whole <= 20:
        assert said == ""
    else:
        more = "1 more row" if whole == 21 else f"{whole - 20} more rows"
        assert said == f"({more} left out; these are the first 20 of {whole}.)"


def test_no_rows_and_no_columns() -> None:
    assert text_of(pd.DataFrame({"a": [1, 2]}), rows=0) == (
        "| a |\n| --- |\n\n(2 more rows left out; these are the first 0 of 2.)"
    )
    assert text_of(pd.DataFrame(index=range(3))) == "(a table of 3 rows and no columns)"


def test_columns_are_cut_with_a_mark_in_the_table_and_a_line_below() -> None:
    frame = pd.DataFrame([range(50)] * 3, index=pd.Index(list("xyz"), name="key"))
    assert text_of(frame, columns=2, rows=1) == (
        "| key | 0 | 1 | … |\n| --- | --- | --- | --- |\n| x | 0 | 1 | … |\n\n"
        "(2 more rows left out; these are the first 1 of 3.)\n\n"
        "(48 more columns left out; these are the first 2 of 50.)"
    )
    assert "these are the first 30 of 50." in text_of(frame)
    assert markdown_table(frame).columns == 50
    assert "…" not in text_of(frame, columns=50)
    assert text_of(pd.DataFrame({"a": [1], "b": [2]}), columns=0).startswith("| … |\n")


# Numbers -------------------------------------------------------------------------------------------


def test_whole_numbers_are_integers() -> None:
    assert numbers(0.0, -0.0, 3.0, -12.0, 2.0**53, 1e20) == [
        "0", "0", "3", "-12", "9007199254740992", "100000000000000000000",
    ]  # fmt: skip
    assert column([1234567890.0, None, 7.0]) == ["1234567890", "", "7"]


def test_fractions_have_four_significant_digits() -> None:
    assert numbers(0.123456, 12.3456, -123.456, 0.00123456) == [
        "0.1235", "12.35", "-123.5", "0.001235",
    ]  # fmt: skip


def test_two_decimals_are_kept_as_amounts_of_money_have_them() -> None:
    amounts = [0.99, 129.99, 1234.56, -1234567.8]
    assert numbers(*amounts, digits=1) == ["0.99", "129.99", "1234.56", "-1234567.8"]
    assert numbers(129.99000000000001, 1234.5600000000002) == ["129.99", "1234.56"]


def test_the_integer_part_is_never_rounded() -> None:
    assert numbers(1234567.891, 1234.9999, -99999.987) == ["1234567", "1234", "-99999"]
    assert numbers(999.987, 9.99996, 0.99996, -0.99996, 2.9999999999999996) == [
        "999.9", "9.999", "0.9999", "-0.9999", "2.999",
    ]  # fmt: skip


def test_small_and_large_numbers_are_readable() -> None:
    assert numbers(1.2e-9, -1.23456e-9, 1e21, -1.7976931348623157e308) == [
        "1.2e-9", "-1.235e-9", "1e21", "-1.7976931348623157e308",
    ]  # fmt: skip
    assert column([float("inf"), -float("inf")]) == ["inf", "-inf"]


def test_the_digits_can_be_chosen() -> None:
    assert numbers(math.pi, digits=1) == ["3"]
    assert numbers(math.pi, 0.1, 1234.56789, digits=8) == ["3.1415927", "0.1", "1234.5679"]
    assert numbers(0.2500000000001, 129.99, digits=16) == ["0.2500000000001", "129.99"]
    assert numbers(math.pi, 0.1, 0.1 + 0.2, 1.2345678e22, digits=17) == [
        "3.141592653589793", "0.1", "0.30000000000000004", "1.2345678e22",
    ]  # fmt: skip


def test_a_table_tells_whether_numbers_were_rounded() -> None:
    def rounded(value: object, digits: int = 4) -> bool:
        return markdown_table(value, Preferences(table_digits=digits)).rounded

    frame = pd.DataFrame({"a": ["x", "y"], "b": [0.5, 1 / 3]})
    assert rounded(frame) and rounded(frame.b) and rounded(frame.set_index("b"))
    assert not rounded(frame, digits=17)
    assert not rounded(frame[:1])
    assert not rounded(pd.DataFrame({"a": np.array([0.1, 129.99], "float32")}))


@pytest.mark.parametrize("kind", ["float32", "Float32", "float[pyarrow]", "float16"])
def test_numbers_of_few_bits_have_no_digits_of_a_conversion(kind: str) -> None:
    values = pd.Series([0.1, 12.34, 1 / 3, 2.0]).astype(kind)
    assert column(values, digits=17)[:2] == ["0.1", "12.34"]
    assert column(values)[2:] == ["0.3333", "2"]


def test_single_numbers_of_numpy_are_numbers() -> None:
    values = [np.float64(1 / 3), np.float32(0.1), np.float16(0.1), np.int64(7), np.bool_(True)]
    assert column(pd.Series(values, dtype=object)) == ["0.3333", "0.1", "0.1", "7", "True"]


def test_different_values_of_an_index_a_sorted_column_and_an_id_stay_different() -> None:
    times = [1699999999.12, 1699999999.123, 1699999999.123, 1699999999.124]
    shown = ["1699999999.12", "1699999999.123", "1699999999.123", "1699999999.124"]
    mixed = [1.00011, 3.5, 1.00012]
    assert column(times) == column(times[::-1])[::-1] == shown
    assert column(mixed) == ["1", "3.5", "1"]
    for name in ("id", "order_id", "Order ID", "orderId"):
        frame = pd.DataFrame({name: mixed})
        assert text_of(frame).splitlines()[2:] == ["| 1.00011 |", "| 3.5 |", "| 1.00012 |"]
    index = pd.DataFrame({"a": [1, 2, 3]}, index=mixed)
    assert text_of(index).splitlines()[2:] == ["| 1.00011 | 1 |", "| 3.5 | 2 |", "| 1.00012 | 3 |"]
    levels = pd.DataFrame({"a": [1, 2, 3]}, index=pd.MultiIndex.from_arrays([mixed, list("xyz")]))
    assert "| 1.00011 | x | 1 |" in text_of(levels)
    assert column(pd.Categorical(mixed)) == ["1.00011", "3.5", "1.00012"]
    assert text_of(pd.DataFrame([mixed], columns=mixed)).startswith("| 1.00011 | 3.5 | 1.00012 |")


_FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e7, 1e7)
_INT64 = st.integers(-(2**63), 2**63 - 1)


@given(_FINITE, st.integers(1, 18))
def test_a_printed_number_has_the_exact_integer_part_and_a_small_error(
    number: float, digits: int
) -> None:
    (text,) = numbers(number, digits=digits)
    printed, exact = Decimal(text), Decimal(number)
    if number.is_integer() and abs(number) >= 1e21:
        assert float(text) == number
        return
    assert int(printed) == int(number)
    places = digits - (len(str(abs(int(number)))) if int(number) else exact.adjusted() + 1)
    # The second term is the distance between neighbouring floats.
    assert abs(printed - exact) < Decimal(10) ** -max(
        places, 0 if int(number) else places
    ) + Decimal(math.ulp(number))
    if digits >= 17:
        assert float(text) == number
    mantissa = text.lstrip("-").partition("e")[0]
    fraction = mantissa.partition(".")[2]
    if len(fraction) > 2 or "e" in text:
        assert len(mantissa.replace(".", "").lstrip("0")) <= digits


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
    st.sampled_from(["float32", "float16"]),
)
def test_all_digits_of_numbers_of_few_bits_give_the_same_number(
    values: list[float], kind: str
) -> None:
    numbers = np.array(values).clip(-6e4, 6e4).astype(kind)
    assert list(np.array(column(numbers, digits=17), dtype=float).astype(kind)) == list(numbers)
    assert [int(Decimal(text)) for text in column(numbers)] == [int(number) for number in numbers]


@given(_INT64, _INT64)
def test_different_whole_numbers_never_look_alike(one: int, other: int) -> None:
    first, last = column([one, other])
    assert (first == last) == (one == other)
    # With a missing value, pandas makes them numbers of 53 bits.
    for values in ([one, None, other], [float(one), float(other)]):
        first, *_, last = column(values)
        assert (first == last) == (float(one) == float(other))
    assert column(pd.Series([one, None, other], dtype="Int64")) == [str(one), "", str(other)]
    assert column(pd.Series([one, other, 0.5], dtype=object))[:2] == [str(one), str(other)]


@given(st.lists(_FINITE, min_size=1, max_size=9))
def test_different_numbers_in_order_never_look_alike(values: list[float]) -> None:
    assert len(set(column(sorted(values)))) == len(set(values))
    index = pd.DataFrame({"a": 1}, index=pd.Index(values, name="x"))
    names = {line.split(" | ")[0] for line in text_of(index).splitlines()[2:]}
    assert len(names) == len(set(values))


# Other values --------------------------------------------------------------------------------------


def test_dates_have_no_midnight_if_the_whole_column_has_no_time() -> None:
    days = pd.to_datetime(["2026-11-01", None, "2026-11-02"])
    assert column(days) == ["2026-11-01", "", "2026-11-02"]
    times = pd.to_datetime(["2026-11-01 00:00", "2026-11-02 10:30"])
    assert column(times) == ["2026-11-01 00:00:00", "2026-11-02 10:30:00"]
    assert column(days.tz_localize("UTC"))[0] == "2026-11-01 00:00:00+00:00"
    assert column(["2026-11-01 00:00:00"]) == ["2026-11-01 00:00:00"]
    assert column(pd.Series([datetime(2026, 11, 1), "soon"], dtype=object)) == [
        "2026-11-01",
        "soon",
    ]
    assert column([date(2026, 11, 1)]) == ["2026-11-01"]
    by_day = pd.DataFrame([[1, 2, 3]], columns=days.fillna(days[0]))
    assert text_of(by_day).startswith("| 2026-11-01 | 2026-11-01 | 2026-11-02 |")
    assert text_of(pd.DataFrame({"a": [1]}, index=days[:1])).endswith("| 2026-11-01 | 1 |")
    levels = pd.MultiIndex.from_product([["a"], days[:1]])
    assert text_of(pd.DataFrame([[1]], columns=levels)).startswith("| a / 2026-11-01 |")


def test_durations_have_no_time_if_all_are_whole_days() -> None:
    assert column(pd.to_timedelta([1, None, 20], unit="D")) == ["1 days", "", "20 days"]
    assert column(pd.to_timedelta([24, 25], unit="h")) == ["1 days 00:00:00", "1 days 01:00:00"]
    assert column(pd.Series([timedelta(1)], dtype=object)) in (["1 days"], ["1 day"])


def test_other_values_are_written_as_they_are() -> None:
    assert column([True, False]) == ["True", "False"]
    assert column(pd.array([True, None], dtype="boolean")) == ["True", ""]
    assert column(pd.Categorical(["a|b", None])) == ["a\\|b", ""]
    assert column([Decimal("1.2345678"), Decimal("10.00"), None]) == ["1.2345678", "10.00", ""]
    assert column(pd.array([1, None], dtype="Int64")) == ["1", ""]
    assert column(pd.array([1 / 3, None, 2], dtype="Float64")) == ["0.3333", "", "2"]
    assert column(["0.123456", "nan", "None", ""]) == ["0.123456", "nan", "None", ""]
    assert column([1 / 3, "x|y", None, 1 + 2j]) == ["0.3333", "x\\|y", "", "(1+2j)"]


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
    table = text_of(pd.DataFrame(rows, columns=["a", "b", "c"]))
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    assert sum(token.type == "td_open" for token in tokens) == 3 * len(rows)
    assert [token.type for token in tokens][-1] == "table_close"


def test_polars_frames_and_series_become_tables() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, None], "b": ["x|y", "z"]})
    assert text_of(frame) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n|  | z |"
    assert text_of(pl.Series("n", [1, 2]), rows=1).startswith("| n |\n| --- |\n| 1 |\n\n(1 more")
    assert text_of(pl.Series([1])) == "| value |\n| --- |\n| 1 |"
    values = pl.DataFrame(
        {
            "n": pl.Series([1 / 3, None], dtype=pl.Float32),
            "day": [datetime(2026, 11, 1), None],
            "for": [timedelta(1), timedelta(2)],
            "exact": [Decimal("1.10"), None],
            "kind": pl.Series(["x", None], dtype=pl.Categorical),
            "on": [True, None],
        }
    )
    assert text_of(values, columns=5).splitlines() == [
        "| n | day | for | exact | kind | … |",
        "| --- | --- | --- | --- | --- | --- |",
        "| 0.3333 | 2026-11-01 | 1 day | 1.10 | x | … |",
        "|  |  | 2 days |  |  | … |",
        "",
        "(1 more column left out; these are the first 5 of 6.)",
    ]
    assert (
        text_of(pl.DataFrame({"a": pl.Series([0.1], dtype=pl.Float32)}), digits=17)[-5:] == "0.1 |"
    )


def test_nobody_pays_for_pandas_who_does_not_use_it() -> None:
    code = (
        "import sys; from cbai_notebook.prompts.template import expand; "
        "assert expand('{x} {n}', {'x': [1], 'n': 2}).text == '[1] 2'; "
        "sys.exit('pandas' in sys.modules or 'polars' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
