"""Preferences: arguments win over the environment, and an invalid value changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cbai_notebook.errors import UsageError
from cbai_notebook.preferences import NAMES, prefer, preferences


@pytest.fixture(autouse=True)
def reset_preferences() -> Iterator[None]:
    yield
    prefer(**dict.fromkeys(NAMES))


def test_defaults_hold_when_nothing_is_set() -> None:
    assert preferences({}).history_turns == 20
    assert preferences({}).bridge == "background"


def test_an_environment_variable_serves_and_an_argument_wins() -> None:
    environ = {"CBAI_HISTORY_TURNS": "5"}
    assert preferences(environ).history_turns == 5
    prefer(history_turns=3)
    assert preferences(environ).history_turns == 3
    prefer(history_turns=None)
    assert preferences(environ).history_turns == 5


@pytest.mark.parametrize(
    "change",
    [
        {"history_turns": -1},
        {"table_rows": "many"},
        {"table_columns": -1},
        {"table_digits": 0},
        {"bridge": "magic"},
        {"colour": "red"},
    ],
)
def test_a_bad_setting_is_refused_and_changes_nothing(change: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        prefer(**{"table_rows": 7, **change})
    assert preferences({}).table_rows == 20


def test_the_limits_of_tables_are_preferences() -> None:
    prefer(table_columns=8)
    now = preferences({"CBAI_TABLE_DIGITS": "17", "CBAI_TABLE_COLUMNS": "9"})
    assert (now.table_rows, now.table_columns, now.table_digits) == (20, 8, 17)


def test_a_bad_environment_variable_is_named() -> None:
    with pytest.raises(UsageError, match="CBAI_TABLE_ROWS"):
        preferences({"CBAI_TABLE_ROWS": "all"})
