"""A model looks at the variables of a notebook, and never sees a secret."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.notebook.cells import must

SECRET = "k9PqX7vLw2ZtR5uN"


class Loud:
    """An object whose own code must not run."""

    def __repr__(self) -> str:
        raise AssertionError("shown")

    def __len__(self) -> int:
        raise AssertionError("measured")


class LoudList(list[Any]):
    """A list whose own code must not run."""

    def __len__(self) -> int:
        raise AssertionError("measured")

    def __iter__(self) -> Any:
        raise AssertionError("read")


class Proxy:
    """An object that would say of what class it is, and how large."""

    @property
    def __class__(self) -> Any:
        raise AssertionError("asked for its class")

    @property
    def shape(self) -> Any:
        raise AssertionError("measured")


Proxy.__name__ = "ndarray"

NAMES: dict[str, Any] = {
    "sales": pd.DataFrame({"city": ["Rome"] * 9, "amount": range(9), "token": [SECRET] * 9}),
    "points": np.zeros((3, 2)),
    "words": np.array(["Rome", SECRET]),
    "users": pd.Series([SECRET[:9]] * 2, name="password"),
    "indexed": pd.DataFrame({"city": ["Rome"]}, index=pd.Index([SECRET[:9]], name="token")),
    "levels": pd.Series([1], index=[SECRET]),
    "cells": pd.DataFrame({"note": ["Rome", SECRET, [SECRET], {"a": SECRET}]}),
    "polar": pl.DataFrame({"city": ["Rome", SECRET], "password": [SECRET[:9]] * 2}),
    "notes": ["a", 2, SECRET],
    "city": "Rome",
    "api_key": SECRET,
    "found": SECRET,
    "settings": {"password": SECRET, "user": "me", SECRET: 1},
    "loud": Loud(),
    "loud_list": LoudList([1, 2]),
    "proxy": Proxy(),
    "np": np,
    "_hidden": 1,
}


def test_the_list_has_types_and_shapes() -> None:
    assert cbai.variables(NAMES)().splitlines() == [
        "api_key: str, length 16",
        "cells: pandas.DataFrame, shape (4, 1)",
        "city: str, length 4",
        "found: str, length 16",
        "indexed: pandas.DataFrame, shape (1, 1)",
        "levels: pandas.Series, shape (1,)",
        "loud: tests.Loud",
        "loud_list: tests.LoudList, length 2",
        "notes: list, length 3",
        "points: numpy.ndarray, shape (3, 2)",
        "polar: polars.DataFrame, shape (2, 2)",
        "proxy: tests.ndarray",
        "sales: pandas.DataFrame, shape (9, 3)",
        "settings: dict, length 3",
        "users: pandas.Series, shape (2,)",
        "words: numpy.ndarray, shape (2,)",
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("np", "_hidden")])
def test_no_value_is_a_secret(name: str) -> None:
    shown = cbai.variables(NAMES)(name)
    assert shown.startswith(f"{name}: ")
    assert SECRET[:9] not in shown


def test_a_table_shows_its_first_rows() -> None:
    shown = cbai.variables(NAMES)("sales")
    assert shown.count("Rome") == 5
    assert "left out" in shown
    assert "Rome" in cbai.variables(NAMES)("city")


def test_the_values_of_a_table_run_no_code_and_stay_readable() -> None:
    day = pd.Timestamp("2026-11-29")
    values = [Loud(), np.float64(2.5), np.int64(7), day, None, "Rome"]
    shown = cbai.variables({"table": pd.DataFrame({"value": pd.Series(values[:5], dtype=object)})})
    for text in ("(Loud)", "| 2.5 |", "| 7 |", "2026-11-29"):
        assert text in shown("table")
    array = np.array([Loud(), "Rome"], dtype=object)
    assert "['(Loud)', 'Rome']" in cbai.variables({"array": array})("array")


@pytest.mark.parametrize("name", ["np", "_hidden", "nothing"])
def test_other_names_are_no_variables(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        cbai.variables(NAMES)(name)


def test_a_cell_asks_for_it_by_its_name(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    shell.user_ns["population"] = 2_800_000
    gateway.script(calling(Call("variables", {"name": "population"})), "say:2.8 million.")
    must(shell, "%%cbai --tool variables\nHow many?")
    assert gateway.last.json["messages"][-1]["content"] == "population: int\n2800000"
