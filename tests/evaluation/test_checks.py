"""Checks of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook.errors import UsageError

check = cbai.check


@dataclass
class City:
    name: str
    people: int


@pytest.mark.parametrize(
    ("made", "answer", "row", "score"),
    [
        (check.equals("is"), " Refund\n", {"is": "Refund"}, True),
        (check.equals("is"), "refund", {"is": "Refund"}, False),
        (check.equals("is", ignore_case=True), "refund", {"is": "Refund"}, True),
        (check.equals("is"), "3", {"is": 3}, True),
        (check.equals("is"), "3", {"is": None}, None),
        (check.equals("is", field="name"), {"name": "Rome"}, {"is": "Rome"}, True),
        (check.equals("is", field="name"), "Rome", {"is": "Rome"}, False),
        (check.equals("is", field="people"), {"people": 3}, {"is": 3.0}, True),
        (check.contains("is"), "It is Rome.", {"is": "Rome"}, True),
        (check.contains("is"), "It is Rome.", {"is": ["Rome", "Paris"]}, False),
        (check.contains("is"), "It is Rome.", {"is": None}, None),
        (check.matches(r"^\w+$"), "refund", {}, True),
        (check.matches(r"^\w+$"), "a refund", {}, False),
        (check.schema(City), '```json\n{"name": "Rome", "people": 3}\n```', {}, True),
        (check.schema(City), '{"name": "Rome"}', {}, False),
        (check.number("is"), "6 times 7 is 42.", {"is": 42}, True),
        (check.number("is"), "It costs −1,234.5 yuan", {"is": "-1234.5"}, True),
        (check.number("is"), "about 40", {"is": 42}, False),
        (check.number("is", within=2), "about 40", {"is": 42}, True),
        (check.number("is"), "I do not know", {"is": 42}, False),
        (check.number("is"), "42", {"is": None}, None),
        (check.number("is", field="people"), {"people": 3}, {"is": 3}, True),
    ],
)
def test_a_check_says_whether_an_answer_is_right(
    made: Any, answer: Any, row: dict[str, Any], score: object
) -> None:
    assert made(answer, row) is score


def test_a_mistake_in_a_pattern_is_told_where_it_is_written() -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        check.matches("(")


def test_completion_offers_the_checks_only() -> None:
    assert dir(check) == sorted(check.__all__)
