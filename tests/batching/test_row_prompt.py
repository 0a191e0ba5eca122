"""The prompt of a row: its columns, the notebook's variables, missing values, mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.batching.row_prompt import RowPrompt, RowText
from cbai_notebook.batching.rows import rows_of
from cbai_notebook.errors import UsageError
from cbai_notebook.prompts.template import expand


def prompts(data: Any, prompt: Any, namespace: Any = None, **options: Any) -> list[RowText]:
    rows = rows_of(data)
    made = RowPrompt.of(prompt, rows, namespace or {}, **options)
    return [
        made.of_row({name: values[at] for name, values in part.values.items()})
        for part in rows.slices(made.used)
        for at in range(part.count)
    ]


def texts(data: Any, prompt: Any, namespace: Any = None, **options: Any) -> list[str | None]:
    return [row.text for row in prompts(data, prompt, namespace, **options)]


class Unprintable:
    def __str__(self) -> str:
        raise ZeroDivisionError("never shown")


def test_columns_come_before_variables() -> None:
    data = [{"text": "good", "n": 1}, {"text": "bad", "n": 2}]
    assert texts(data, "{n}. {text} in {language}", {"text": "no", "language": "French"}) == [
        "1. good in French",
        "2. bad in French",
    ]


def test_only_the_columns_of_the_template_are_used() -> None:
    rows = rows_of(pd.DataFrame({"a": ["x"], "b": ["y"], "c": ["z"]}))
    assert RowPrompt.of("{c} {a} {c}", rows, {}).used == ("c", "a")
    assert RowPrompt.of("{a}", rows, {}, system="{b}", images="c").used == ("a", "b", "c")
    assert RowPrompt.of("{row}", rows, {}).used == ("a", "b", "c")
    assert RowPrompt.of(lambda row: "x", rows, {}).used == ("a", "b", "c")


def test_a_column_with_any_name_is_written_as_a_key_of_the_row() -> None:
    data = pd.DataFrame({"unit price": [2.5], 7: ["seven"], ("a", 1): ["both"]}, index=["i"])
    data = data.astype({"unit price": object})
    template = """{row["unit price"]} {row['7']} {row["('a', 1)"]}"""
    assert texts(data, template, {"row": "a variable"}) == ["2.5 seven both"]


def test_a_column_may_be_called_row() -> None:
    assert texts([{"row": {"k": 1}}], '{row["k"]} {row}') == ['1 {"k": 1}']


def test_the_whole_row_is_json() -> None:
    data = pl.DataFrame({"a": ["名", None], "n": [1, 2]})
    assert texts(data, "{row}") == ['{"a": "名", "n": 1}', '{"a": null, "n": 2}']


def test_parts_of_a_value_are_filled_in() -> None:
    data = [
        {"meta": {"tags": ["x", "y"]}},
        {"meta": {}},
        {"meta": None},
        {"meta": {"tags": [None]}},
    ]
    first, without, nothing, empty = prompts(data, '{meta["tags"][0]} {row["meta"]["tags"][0]}')
    assert first.text == "x x"
    assert without.text is None
    assert '["tags"]' in without.error
    assert nothing.missing == 'meta["tags"][0]'
    assert empty.missing == 'meta["tags"][0]'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""), (5, "5"), (5.0, "5"), (-0.1, "-0.1"), (1e-9, "1e-9"), (2.0**60, str(2**60)),
        (0.1 + 0.2, "0.30000000000000004"), (123456.789, "123456.789"), (float("inf"), "inf"),
        (1e300, "1e300"), (True, "True"), (Decimal("1.50"), "1.50"), (date(2026, 1, 2), "2026-01-02"),
        ({"a": "é"}, '{"a": "é"}'), ([1, "x"], '[1, "x"]'), (np.float64(3.0), "3"),
        (np.int32(3), "3"), ("{other} {{x}}", "{other} {{x}}"),
    ],
)  # fmt: skip
def test_the_text_of_a_value(value: Any, text: str) -> None:
    assert texts([{"v": value, "other": 1}], "<{v}>") == [f"<{text}>"]


def test_integers_in_a_column_of_floats_are_integers() -> None:
    assert texts(pd.DataFrame({"n": [1, None, 3]}), "{n}") == ["1", None, "3"]


def test_a_table_gets_its_own_lines() -> None:
    table = pd.DataFrame({"x": [1]})
    assert texts([{"t": table}], "See {t} here") == [expand("See {t} here", {"t": table}).text]


plain = st.text(st.characters(codec="utf-8"), max_size=8) | st.integers() | st.lists(st.integers())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["{a}", "{b}", "{v}", "{{a}}", "x_{a}", r"\frac{a}{b}", "a {", "}", "\n", "`", "price "]
        ),
        max_size=12,
    ).map("".join),
    plain,
    plain,
)
def test_a_row_gets_the_text_that_a_cell_would_get(template: str, a: Any, b: Any) -> None:
    rows = rows_of([{"a": a, "b": b}])
    try:
        made = RowPrompt.of(template, rows, {"v": "V"})
    except UsageError:
        assert expand(template, {"a": a, "b": b}).used == ()
        return
    assert made.of_row({"a": a, "b": b}).text == expand(template, {"a": a, "b": b, "v": "V"}).text


# Missing values -------------------------------------------------------------------------------------

GAPS = [{"a": "x", "b": 1}, {"a": None, "b": 2}, {"a": "", "b": None}]


def test_a_row_without_a_value_is_not_sent() -> None:
    assert [(row.text, row.missing) for row in prompts(GAPS, "{a}{b}")] == [
        ("x1", None),
        (None, "a"),
        (None, "b"),
    ]
    assert texts(GAPS, "{a}") == ["x", None, ""]


def test_a_missing_value_can_be_sent_as_an_empty_text() -> None:
    assert texts(GAPS, "<{a}{b}>", missing="send") == ["<x1>", "<2>", "<>"]


@pytest.mark.parametrize("kind", ["pandas", "polars", "list", "csv"])
def test_a_missing_value_can_stop_the_batch_before_it_begins(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(GAPS)
    path = tmp_path / "gaps.csv"
    path.write_text("a,b\nx,1\n,2\nz,\n")
    data = {"pandas": frame, "polars": pl.DataFrame(GAPS), "list": GAPS, "csv": path}[kind]
    with pytest.raises(UsageError, match=r"missing: a \(1\) and b \(1\)"):
        RowPrompt.of("{a} {b}", rows_of(data), {}, missing="raise")
    RowPrompt.of("{row}", rows_of(data), {}, missing="raise")


def test_a_missing_value_of_an_iterable_stops_the_batch_when_it_comes() -> None:
    rows = iter([{"a": "x"}, {"a": None}])
    with pytest.raises(UsageError, match="Row 1 has no a"):
        prompts(rows, "{a}", missing="raise")


# Mistakes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Is {txet} good?", r"\{txet\} is neither a column nor a variable. Did you mean \{text\}"),
        ("In {langage}: {text}", r"Did you mean \{language\}"),
        ("About {qqq}: {text}", r"\{qqq\} is neither .* The columns are text, unit price"),
        ('{row["unit prise"]}', r'Did you mean \{row\["unit price"\]\}'),
        ('{row["qqq"]}', "The columns are text"),
        ("{row.text}", r'the column of a row is written \{row\["text"\]\}'),
        ("{text} {row[0]}", "the column of a row is written"),
        ("{text} {function}", "it is a function"),
        ("{text} {language.size}", "no attribute size"),
        ("The same for all", r"Every row would get the same prompt.*\{text\}"),
        ("{language} {{text}}", "Every row would get the same prompt"),
        ("", "Every row would get the same prompt"),
    ],
)
def test_a_mistake_is_said_before_anything_is_sent(template: str, says: str) -> None:
    rows = rows_of([{"text": "x", "unit price": 1}])
    with pytest.raises(UsageError, match=says):
        RowPrompt.of(template, rows, {"language": "French", "function": len})
    with pytest.raises(UsageError):
        RowPrompt.of("{text}", rows, {}, system=f"{template}{{qqq}}")


def test_braces_in_code_are_sent_as_written() -> None:
    template = 'Like `{code}` or {"a": 1}: {text} {{text}}'
    made = RowPrompt.of(template, rows_of([{"text": "x"}]), {})
    assert made.of_row({"text": "x"}).text == 'Like `{code}` or {"a": 1}: x {{text}}'
    assert "{{text}}" in made.hints[0]


def test_an_expression_gets_a_hint() -> None:
    made = RowPrompt.of("{text} {text.upper()} {row.keys()}", rows_of([{"text": "x"}]), {})
    assert made.of_row({"text": "x"}).text == "x {text.upper()} {row.keys()}"
    assert [hint.partition(" ")[0] for hint in made.hints] == ["{text.upper()}", "{row.keys()}"]


async def coroutine(row: dict[str, Any]) -> str:
    return ""


@pytest.mark.parametrize(
    ("prompt", "options", "says"),
    [
        (3, {}, "int"),
        (coroutine, {}, "async"),
        ("{text}", {"missing": "drop"}, "'skip', 'send' or 'raise'"),
        ("{text}", {"images": "photo"}, "no column 'photo'"),
    ],
)
def test_wrong_arguments_are_said(prompt: Any, options: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        RowPrompt.of(prompt, rows_of([{"text": "x"}]), {}, **options)


def test_no_rows_are_no_mistake() -> None:
    nothing: list[dict[str, Any]] = []
    for data in (nothing, iter(nothing), pd.DataFrame()):
        assert prompts(data, "{text}") == []
    assert prompts(pd.DataFrame({"text": nothing}), "{text}") == []
    with pytest.raises(UsageError):
        prompts(pd.DataFrame({"text": nothing}), "{txet}")


def test_a_value_without_text_fails_its_row_only() -> None:
    bad, good = prompts([{"a": Unprintable()}, {"a": "x"}], "{a}")
    assert "{a}" in bad.error
    assert "ZeroDivisionError" in bad.error
    assert (good.text, good.error) == ("x", "")


def test_variables_are_read_once() -> None:
    class Counted:
        times = 0

        def __str__(self) -> str:
            type(self).times += 1
            return "v"

    assert texts([{"a": 1}, {"a": 2}], "{a}{v}", {"v": Counted()}) == ["1v", "2v"]
    assert Counted.times == 1


# Functions, system prompts, images ------------------------------------------------------------------


def test_a_function_makes_text_or_messages() -> None:
    def prompt(row: dict[str, Any]) -> Any:
        if row["n"] == 1:
            return f"{row['a']}!"
        return [{"role": "user", "content": row["a"]}]

    text, messages = prompts([{"a": "x", "n": 1}, {"a": None, "n": 2}], prompt)
    assert (text.text, text.messages) == ("x!", None)
    assert (messages.text, messages.messages) == (None, [{"role": "user", "content": None}])


def test_a_function_that_fails_fails_its_row_only() -> None:
    def prompt(row: dict[str, Any]) -> Any:
        if row["n"] == 0:
            raise KeyError("text")
        return [None, 3, ["x"], [], "fine"][row["n"] - 1]

    rows = prompts([{"n": number} for number in range(6)], prompt)
    assert "KeyError: 'text'" in rows[0].error
    assert [bool(row.error) for row in rows] == [True] * 5 + [False]
    assert "NoneType" in rows[1].error


def test_a_function_cannot_change_the_rows() -> None:
    data = [{"a": 1}]
    assert texts(data, lambda row: str(row.pop("a"))) == ["1"]
    assert data == [{"a": 1}]


def test_the_system_prompt_is_a_template_too() -> None:
    rows = prompts([{"a": "x", "b": "y"}], "{a}", {"v": "V"}, system="{b} {v}")
    assert rows == [RowText(text="x", system="y V")]


def test_images_are_taken_from_columns() -> None:
    data = [{"p": "a.png", "q": ["b.png", "c.png"]}, {"p": None, "q": "d.png"}]
    rows = prompts(data, "What is it?", images=["p", "q"])
    assert [(row.images, row.missing) for row in rows] == [
        (("a.png", "b.png", "c.png"), None),
        ((), "p"),
    ]
    assert prompts(data, "What?", images="p", missing="send")[1] == RowText(text="What?")


def test_an_iterable_can_be_the_rows() -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield {"a": "x"}

    assert texts(rows(), "{a}") == ["x"]
