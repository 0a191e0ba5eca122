"""The text of a tool's result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pydantic
import pytest

from cbai_notebook.client.tools.result import CHARACTERS, ROWS, result_text


@dataclass
class Place:
    city: str
    since: date


class Model(pydantic.BaseModel):
    city: str


class Odd:
    def __str__(self) -> str:
        return "odd"


TABLE = {"city": ["Xi'an", "成都"], "size": [13, 21]}
RECORDS = '[{"city":"Xi\'an","size":13},{"city":"成都","size":21}]'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        ("half \ud83c", "half ?"),
        (None, "null"),
        (True, "true"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (Place("西安", date(2026, 1, 2)), '{"city":"西安","since":"2026-01-02"}'),
        ([Model(city="西安")], '[{"city":"西安"}]'),
        (pd.DataFrame(TABLE), RECORDS),
        (pl.DataFrame(TABLE), RECORDS),
        ({"table": pd.DataFrame(TABLE)}, f'{{"table":{RECORDS}}}'),
        (pd.DataFrame({"at": [pd.Timestamp("2026-01-02")], "n": [np.nan]}),
         '[{"at":"2026-01-02T00:00:00","n":null}]'),
        (pd.Series([1, 2]), "[1,2]"),
        (np.arange(3), "[0,1,2]"),
        (np.float64(0.5), "0.5"),
        ({"n": np.int64(3)}, '{"n":3}'),
        ({1, }, "[1]"),
        (Odd(), '"odd"'),
        ({(1, 2): 3}, '{"(1, 2)":3}'),
    ],
)  # fmt: skip
def test_values_become_text(value: Any, text: str) -> None:
    assert result_text(value) == text


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_long_table_is_its_first_rows(frame: Any) -> None:
    text = result_text(frame({"n": range(ROWS + 500)}))
    records, _, note = text.partition("\n")
    assert records.count('"n"') == ROWS
    assert note == "(the first 1,000 of 1,500 rows)"


def test_a_long_text_is_cut_and_says_so() -> None:
    text = result_text("x" * (CHARACTERS + 1))
    assert text.startswith("x" * CHARACTERS + "\n(cut: the first 100,000 of 100,001")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"token=abc", "token=abc"),
        ({"file": b"token=abc", "size": 9}, '{"file":"token=abc","size":9}'),
        ([bytearray("你好".encode())], '["你好"]'),
        (b"\xff\xfe", '"//4="'),
    ],
)
def test_bytes_that_are_text_are_read_as_text(value: Any, text: str) -> None:
    assert result_text(value) == text
    masked = result_text(value, lambda found: found.replace("abc", "•••"))
    assert "abc" not in masked
