"""JSON that is still arriving."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.client.structured.partial_json import PartialJSON

# A busy machine is no failure of what is tested.

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=6),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
OBJECTS = st.one_of(
    st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.lists(VALUES, max_size=4)
)


def grown_from(before: Any, after: Any) -> bool:
    """Tell whether a value can be what an earlier one grew to."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(name in after and grown_from(before[name], after[name]) for name in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) <= len(after) and all(map(grown_from, before, after))
    if isinstance(before, str) and isinstance(after, str):
        return after.startswith(before)
    return bool(before == after)


@given(
    OBJECTS,
    st.lists(st.integers(1, 9), max_size=20),
    st.booleans(),
    st.sampled_from([None, 2]),
    st.sampled_from(["", "Here it is:\n```json\n", " "]),
)
def test_it_only_grows_and_ends_with_the_value(
    value: Any, sizes: list[int], ascii_: bool, indent: int | None, before: str
) -> None:
    text = before + json.dumps(value, ensure_ascii=ascii_, indent=indent) + "\n``` {}"
    reader = PartialJSON()
    last: Any = None
    position = 0
    for size in [*sizes, *([1] * len(text))]:
        now = reader.feed(text[position : position + size])
        position += size
        assert last is None or grown_from(last, now)
        last = now
    assert last == value
    assert reader.done


@given(st.text(alphabet='{}[]",:\\u0123456789 antrfe', max_size=60), st.integers(1, 7))
def test_no_text_breaks_it(text: str, size: int) -> None:
    reader = PartialJSON()
    for start in range(0, len(text), size):
        value = reader.feed(text[start : start + size])
        assert value is None or isinstance(value, (dict, list))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("prose", None),
        ("{", {}),
        ('{"na', {}),
        ('{"name"', {}),
        ('{"name": ', {}),
        ('{"name": "', {"name": ""}),
        ('{"name": "Li', {"name": "Li"}),
        ('{"name": "Li\\', {"name": "Li"}),
        ('{"name": "Li\\u67', {"name": "Li"}),
        ('{"name": "\\ud83c', None),
        ('{"name": "\\ud83c\\udf0d', {"name": "🌍"}),
        ('{"name": "Li", "born": 70', {"name": "Li"}),
        ('{"name": "Li", "born": 701,', {"name": "Li", "born": 701}),
        ('{"a": [1, tru', {"a": [1]}),
        ('{"a": [1, true]', {"a": [1, True]}),
        ('{"a": {"b": [{}, "x', {"a": {"b": [{}, "x"]}}),
        ('[{"a": 1}] {"b": 2}', [{"a": 1}]),
    ],
)
def test_it_is_read_as_far_as_it_has_come(text: str, value: Any) -> None:
    assert PartialJSON().feed(text) == value


def test_what_is_nested_without_end_is_given_up() -> None:
    reader = PartialJSON()
    reader.feed("[" * 100_000)
    assert reader.done
