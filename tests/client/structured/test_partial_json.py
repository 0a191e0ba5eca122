"""JSON that still arrives: its value so far, and the choice between several."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.client.structured.partial_json import PartialJSON
from cbai_notebook.client.structured.response_type import response_type_of

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
    """Return whether `after` can be `before` with more of the text."""
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
        ('{"name": "\\ud83c', {"name": ""}),
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


IN_PROSE = [
    ('As the source [1] says: {"name": "Shenzhen"}', {"name": "Shenzhen"}),
    ('Sources [1, 2] and [3] say {"name": "Shenzhen"} [4].', {"name": "Shenzhen"}),
    ('{curly} words {"a": 1}', {"a": 1}),
    ("(see [Smith 2020]) [1, 2, 3]", [1, 2, 3]),
    ('See [1, p. 5]: {"a": 1}', {"a": 1}),
    ('Empty is {} or []; yours is {"a": [1]}.', {"a": [1]}),
    ('{x | x > 1} and [0, 1): {"a": 0.5}', {"a": 0.5}),
    ('[注意] 如下：{"名": "深圳"}', {"名": "深圳"}),
    # A bracket that never closes.
    (':-[ Hello {"a": 1}', {"a": 1}),
    ('[1 of 3 {"a": 1}', {"a": 1}),
    # Python's json reads these, the standard does not allow them.
    ('{"a": NaN} {"a": 1}', {"a": 1}),
    ('{"a": "\\ud83c"} {"a": 1}', {"a": 1}),
    # Damaged JSON before valid JSON.
    ('{"a": 1, oops} {"b": 2}', {"b": 2}),
    # A fence comes first.
    ('In the form {"a": 0}:\n```json\n{"a": 1}\n```\n{"a": 2}', {"a": 1}),
    ('```python\nx = {"a": 1}\n```\n', {"a": 1}),
    # The first of several values.
    ('{"a": 1} or {"a": 2}', {"a": 1}),
    ("[1, 2] or [3, 4]", [1, 2]),
]


@pytest.mark.parametrize(("text", "value"), IN_PROSE)
def test_brackets_in_prose_are_passed_over_wherever_the_text_is_split(
    text: str, value: Any
) -> None:
    for split in range(len(text) + 1):
        reader = PartialJSON()
        reader.feed(text[:split])
        assert reader.feed(text[split:]) == value, text[:split]
        assert reader.done
    by_character = PartialJSON()
    for character in text:
        by_character.feed(character)
    assert by_character.value == value


@pytest.mark.parametrize(("text", "value"), IN_PROSE)
def test_the_end_is_what_the_whole_answer_is_parsed_to(text: str, value: Any) -> None:
    kind: Any = dict[str, Any] if isinstance(value, dict) else list[int]
    # An empty object is a `dict` too; a type with fields does not take it.
    parsed = response_type_of(kind).parse(text.replace("Empty is {} or", "Empty is"))
    assert parsed == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "x", "b": {"c": 1},}', {"a": "x", "b": {"c": 1}}),
        ('{"a": "x", "b": "one\ntwo"}', {"a": "x", "b": "one"}),
        ('{"a": "x", "b": "\\ud83c", "c": 1', {"a": "x", "b": ""}),
    ],
)
def test_damaged_json_is_kept_as_far_as_it_is_good(text: str, value: Any) -> None:
    for split in range(len(text) + 1):
        reader = PartialJSON()
        reader.feed(text[:split])
        assert reader.feed(text[split:]) == value
        assert not reader.done
        assert reader.feed('\n{"d": 2}') == {"d": 2}


@given(
    st.lists(
        st.sampled_from([
            "[1]", "[1, 2]", "{}", "[]", "{", "[", "}", "]", ",", ":", '"', "\\", "1", "true", "tru",
            '{"a": 1}', '{"a": 1,', '{"b": {"c": "x"}}', "see", " ", "\n", "```json\n", "```\n", "NaN",
            "\\ud83c", "\\udf0d", "\x01", "\ud83c", "中",
        ]),
        max_size=14,
    ).map("".join),
    st.lists(st.integers(1, 9), max_size=20),
)  # fmt: skip
def test_every_split_of_any_text_ends_alike(text: str, sizes: list[int]) -> None:
    whole, pieces = PartialJSON(), PartialJSON()
    whole.feed(text)
    position = 0
    for size in [*sizes, len(text)]:
        pieces.feed(text[position : position + size])
        position += size
    # repr, because True == 1.
    assert repr(pieces.value) == repr(whole.value)
    assert pieces.done == whole.done


def test_a_long_value_is_followed_and_complete_with_its_last_bracket() -> None:
    value = {"text": 'a "b" {c \\' * 8_000, "list": [{"n": number} for number in range(5_000)]}
    text = "Here:\n" + json.dumps(value)
    reader = PartialJSON()
    last: Any = None
    for start in range(0, len(text), 100):
        assert not reader.done
        now = reader.feed(text[start : start + 100])
        assert last is None or grown_from(last, now)
        shown = len(json.dumps(now)) if now else 0
        assert shown > min(start, start * 62 / 64) - 300
        last = now
    assert reader.done
    assert last == value
