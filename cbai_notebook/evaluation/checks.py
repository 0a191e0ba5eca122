"""Checks of answers, public as ``cbai.check``.

A check is a function ``(answer, row) -> bool | float``: the answer of a model, and the case as a dict.
True and 1 are right, False and 0 are wrong, anything between is a grade; None lowers the number of cases.
`judge` and `prefer` ask a model instead, and only where they are asked for.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from cbai_notebook.client.structured.response_type import response_type_of
from cbai_notebook.errors import StructuredAnswerError, UsageError
from cbai_notebook.i18n import say
from cbai_notebook.prompts.values import as_text

if TYPE_CHECKING:
    from cbai_notebook.client.demo.script import DemoModel
    from cbai_notebook.client.model import Model

__all__ = ["contains", "equals", "judge", "matches", "number", "prefer", "schema"]

Row: TypeAlias = Mapping[str, Any]
Score: TypeAlias = bool | float | None
"""What a check says of an answer: None if there is nothing to compare with."""

Test: TypeAlias = Callable[[Any, Row], Score]

_NUMBER = re.compile(r"[-+−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Check:
    """A check with a name.

    Attributes:
        name: The name of its column.
        test: The check itself.
        column: The column of the cases that it compares with; ``""`` for none.
    """

    name: str
    test: Test
    column: str = ""

    def __call__(self, answer: Any, row: Row) -> Score:
        """Return what the check says of an answer."""
        return self.test(answer, row)


@dataclass(frozen=True)
class Judge:
    """A model that judges each answer, as `judge` returns it.

    Attributes:
        name: The name of its column.
        question: What it is asked, a template with the columns of the case.
        model: The model.
        scale: The best grade, where 1 is the worst; 2 or more. None for yes and no.
    """

    name: str
    question: str
    model: str | Model | DemoModel
    scale: int | None = None


@dataclass(frozen=True)
class Prefer:
    """A model that compares the answers of two variants, as `prefer` returns it.

    Attributes:
        question: What it is asked, a template with the columns of the case.
        model: The model.
    """

    question: str
    model: str | Model | DemoModel


def equals(
    column: str, *, field: str = "", ignore_case: bool = False, name: str = "equals"
) -> Check:
    """Check that an answer is the value of a column. Blanks around both are not compared.

    Args:
        column: The column with what is expected; a case without a value there has no score.
        field: The field of the answer that is compared, where answers are objects.
        ignore_case: Whether capital and small letters are the same.
        name: The name of the check.
    """

    def test(answer: Any, row: Row) -> Score:
        expected, found = row[column], _part(answer, field)
        if expected is None:
            return None
        if isinstance(found, str) or isinstance(expected, str):
            return _text(found, ignore_case) == _text(expected, ignore_case)
        return bool(found == expected)

    return Check(name, test, column)


def contains(column: str, *, ignore_case: bool = False, name: str = "contains") -> Check:
    """Check that an answer contains the value of a column: a text, or each text of a list.

    Args:
        column: The column with what is expected; a case without a value there has no score.
        ignore_case: Whether capital and small letters are the same.
        name: The name of the check.
    """

    def test(answer: Any, row: Row) -> Score:
        expected, text = row[column], _text(answer, ignore_case)
        if expected is None:
            return None
        parts = expected if isinstance(expected, (list, tuple)) else [expected]
        return all(_text(part, ignore_case) in text for part in parts)

    return Check(name, test, column)


def matches(pattern: str | re.Pattern[str], *, name: str = "matches") -> Check:
    """Check that a regular expression is found in an answer.

    Args:
        pattern: The regular expression; ``^`` and ``$`` are the ends of the whole answer.
        name: The name of the check.

    Raises:
        UsageError: It is not a regular expression.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        problem = say("evaluate.no_pattern", pattern=repr(pattern), reason=str(error))
        raise UsageError(problem) from None
    return Check(name, lambda answer, row: compiled.search(as_text(answer)) is not None)


def schema(kind: Any, *, name: str = "schema") -> Check:
    """Check that an answer is JSON of a type, alone or in a code fence.

    Args:
        kind: A dataclass, TypedDict, Struct, pydantic model, or another type of JSON values.
        name: The name of the check.

    Raises:
        UsageError: JSON cannot represent the type.
    """
    response = response_type_of(kind)

    def test(answer: Any, row: Row) -> Score:
        try:
            response.parse(as_text(answer))
        except StructuredAnswerError:
            return False
        return True

    return Check(name, test)


def number(column: str, *, within: float = 0.0, field: str = "", name: str = "number") -> Check:
    """Check that the last number in an answer is the value of a column.

    Args:
        column: The column with the number; a case without a value there has no score.
        within: The largest difference that is right, in the unit of the numbers.
        field: The field of the answer with the number, where answers are objects.
        name: The name of the check.
    """

    def test(answer: Any, row: Row) -> Score:
        expected, found = _last_number(row[column]), _last_number(_part(answer, field))
        if expected is None:
            return None
        if found is None:
            return False
        return abs(found - expected) <= within or math.isclose(found, expected, rel_tol=1e-9)

    return Check(name, test, column)


def judge(
    question: str, *, model: str | Model | DemoModel, scale: int | None = None, name: str = "judge"
) -> Judge:
    """Let a model judge each answer.

    The answer stands in its prompt as data, between marks. An answer that failed is not judged: it is
    wrong. Where the judge fails, the case has no score.

    Args:
        question: What it is asked of the answer, such as ``"Is it faithful to {text}?"``: a template with
            the columns of the case.
        model: The model that judges; best one of another family than the models that answer.
        scale: For grades, the best one: 5 lets it grade from 1, the worst, to 5. Scores are then from 0
            to 1. Without it the answer to the question is yes or no.
        name: The name of the check.

    Raises:
        UsageError: The scale is no whole number above 1.
    """
    if scale is not None and not _is_scale(scale):
        raise UsageError(say("evaluate.no_scale", value=repr(scale)))
    return Judge(name, question, model, scale)


def prefer(question: str, *, model: str | Model | DemoModel) -> Prefer:
    """Let a model say which of two answers is better, for the argument ``prefer`` of `evaluate`.

    Each variant is compared with the baseline, on every case in both orders. Where the two orders
    disagree, it is a tie: a judge that always prefers the first answer gives ties only. Equal answers are a
    tie and an answer that failed has lost, without a request. Of several samples the first is compared.

    Args:
        question: What it is asked, such as ``"Which answer helps the customer more?"``: a template with
            the columns of the case.
        model: The model that judges; best one of another family than the models that answer.
    """
    return Prefer(question, model)


def _is_scale(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 1


def _part(answer: Any, field: str) -> Any:
    """Return a field of an answer; of an answer without it, nothing."""
    if not field:
        return answer
    return answer.get(field) if isinstance(answer, Mapping) else None


def _text(value: Any, ignore_case: bool) -> str:
    text = as_text(value).strip()
    return text.casefold() if ignore_case else text


def _last_number(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    found = _NUMBER.findall(as_text(value))
    return float(found[-1].replace(",", "").replace("−", "-")) if found else None


def __dir__() -> list[str]:
    return __all__


check = sys.modules[__name__]
"""The public name of this module."""
