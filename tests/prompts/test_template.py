"""References in prompts: which are filled in, which are not, and the hints about them."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cbai_notebook.preferences import Preferences
from cbai_notebook.prompts.template import LONG_VALUE_CHARS, expand


class User:
    """An object with attributes of every kind."""

    name = "Ada"
    tags = ("x", "y")
    _secret = "hidden"

    def __init__(self) -> None:
        self.read = 0

    @property
    def broken(self) -> str:
        raise ZeroDivisionError("never shown")

    @property
    def counted(self) -> int:
        self.read += 1
        return self.read

    def method(self) -> str:
        raise AssertionError("nothing is called")


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("never shown")


class UnboundProxy:
    """Raises on every attribute, `__class__` included, like the proxies of web frameworks."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("working outside of a context")


def namespace(**more: Any) -> dict[str, Any]:
    return {
        "topic": "tea",
        "n": 3,
        "i": 7,
        "x": 1,
        "a": "A",
        "b": "B",
        "year": 2026,
        "user": User(),
        "row": {"price": 1.5, "a key": "q", "名": "李白", 3: "three"},
        "xs": [10, 20, 30],
        "主题": "诗",
        **more,
    }


def filled(prompt: str, **more: Any) -> str:
    return expand(prompt, namespace(**more)).text


def hints(prompt: str, **more: Any) -> tuple[str, ...]:
    return expand(prompt, namespace(**more)).hints


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("About {topic}.", "About tea."),
        ("{topic}{topic}", "teatea"),
        ("{user.name} is {row.price}", "Ada is {row.price}"),
        ("{row[\"price\"]} and {row['a key']}", "1.5 and q"),
        ("{row[3]} {xs[0]} {xs[-1]}", "three 10 30"),
        ("{user.tags[1]}", "y"),
        ('{row["名"]}的{主题}', "李白的诗"),
        ("介绍{topic}的历史", "介绍tea的历史"),
        ("It costs ${n}.", "It costs $3."),
        ("report_{year}.csv, {topic}_{year}", "report_2026.csv, tea_2026"),
        ("_{topic}_ **{topic}** `{topic}`", "_tea_ **tea** `tea`"),
        ("C:\\Users\\{a}", "C:\\Users\\A"),
        ("one\\n{topic}", "one\\ntea"),
        ('{"topic": "{topic}", "xs": {xs}}', '{"topic": "tea", "xs": [10, 20, 30]}'),
        ("```python\nprint({n})\n```", "```python\nprint(3)\n```"),
        ("{ unclosed {topic}", "{ unclosed tea"),
    ],
)
def test_what_names_something_is_filled_in(prompt: str, sent: str) -> None:
    assert filled(prompt) == sent


@pytest.mark.parametrize(
    "prompt",
    [
        "{}",
        "{ topic }",
        "{{topic}}",
        "{{{topic}}}",
        "{{ topic }}",
        "{%topic%}",
        "{topic!r} {n:.2f} {n:>10}",
        "{n + 1} {xs[0:2]} {xs[n]} {user.method()} {topic.upper()} {[topic]}",
        "{topic.}",
        "{topic..upper}",
        "{xs[]} {xs[9]} {xs['0']} {row['no']} {row[price]}",
        "{user._secret} {user.__class__} {user.__init__.__globals__} {__name__} {__builtins__}",
        "{user.broken} {user.missing} {user.method} {topic.upper}",
        "{list} {id} {print} {nothing}",
        "{math} {User} {pd.DataFrame}",
        '{"a": [1, {"b": null}], "n": 3}',
        'print(f"{nothing:.2f}") # {x=}',
        "const { topic } = require('tea'); `${nothing}`",
        "for (i = 0; i < n; i++) { x; }",
        "\\frac{a}{b} \\sqrt[n]{x} \\hat{x}_{i} \\sum_{i}^{n} x^{n} x_{i} \\alpha_{i} f(x)_{i}",
        "\\begin{a}{b} \\operatorname*{x} \\{x\\} \\frac{\\sqrt{a}}{b}",
    ],
)
def test_everything_else_is_sent_as_it_is_written(prompt: str) -> None:
    expanded = expand(prompt, namespace(math=math, User=User, pd=pd, __name__="x", __builtins__={}))
    assert expanded.text == prompt
    assert expanded.used == ()


def test_inside_a_group_of_a_formula_a_name_is_filled_in() -> None:
    assert filled("\\text{about {topic}}") == "\\text{about tea}"


@pytest.mark.parametrize("value", ["{n}", "{{n}}", "{topic}", "{nothing} {", "\\frac{", "}"])
def test_a_value_is_never_looked_at_again(value: str) -> None:
    assert filled("{topic} {n}", topic=value) == f"{value} 3"
    assert filled("{topic}{n}}", topic=value) == f"{value}3}}"


def test_what_was_filled_in_is_told_once_and_in_order() -> None:
    used = expand("{xs[0]} {topic} {xs[0]} {nothing} {user.name}", namespace()).used
    assert used == ("xs[0]", "topic", "user.name")


def test_a_property_is_read_once_however_often_it_is_written() -> None:
    assert filled("{user.counted} {user.counted}") == "1 1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ({"a": "诗", "b": [1, None, True]}, '{"a": "诗", "b": [1, null, true]}'),
        ([(1, 2)], "[[1, 2]]"),
        ((1, 2), "(1, 2)"),
        ([pd.Series([1]).dtype.type(5)], "[5]"),
        ({"when": pd.Timestamp("2026-01-02")}, '{"when": "2026-01-02 00:00:00"}'),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (None, "None"),
        (0.1, "0.1"),
        (b"raw", "b'raw'"),
    ],
)
def test_values_become_text(value: Any, text: str) -> None:
    assert filled("{v}", v=value) == text


def test_a_list_that_holds_itself_becomes_text_as_well() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert filled("{v}", v=endless) == "[[...]]"


def test_a_table_stands_on_lines_of_its_own() -> None:
    frame = pd.DataFrame({"a": [1]})
    table = "| a |\n| --- |\n| 1 |"
    assert filled("{df}", df=frame) == table
    assert filled("Explain {df}", df=frame) == f"Explain \n\n{table}"
    assert filled("Explain:\n  {df}\nBriefly.", df=frame) == f"Explain:\n  {table}\n\nBriefly."
    assert filled("{df} now", df=frame) == f"{table}\n\n now"
    assert filled("{df}\n\nnow", df=frame) == f"{table}\n\nnow"
    assert filled("{df.a}", df=frame) == table


def test_a_table_is_cut_where_the_caller_says() -> None:
    frame = pd.DataFrame({"a": range(30)})
    assert "10 more rows left out" in filled("{df}", df=frame)
    text = expand("{df}", {"df": frame}, limits=Preferences(table_rows=2)).text
    assert text.endswith("| 1 |\n\n(28 more rows left out; these are the first 2 of 30.)")


def test_the_caller_may_choose_the_text_of_values() -> None:
    assert expand("{n}{n}", {"n": 1}, to_text=lambda value: f"<{value}>").text == "<1><1>"


def test_results_are_names_and_the_rest_of_ipython_is_not() -> None:
    ins = ["", "1+1"]
    shell = {
        "_": "last",
        "__": "",
        "_2": "second",
        "Out": {2: "second"},
        "In": ins,
        "_ih": ins,
        "_i": "1+1",
        "_i2": "1+1",
        "_oh": {},
        "_dh": [],
        "exit": User(),
        "quit": print,
        "get_ipython": print,
        "open": print,
    }
    rest = "{__} {In} {In.append} {_ih} {_i} {_i2} {_oh} {_dh} {quit} {get_ipython} {open}"
    assert expand("{_} {_2} {Out[2]}", shell).text == "last second second"
    assert expand(rest, shell).text == rest
    assert expand("{In} {exit}", {"In": "mine", "exit": "out"}).text == "mine out"


def test_a_cell_stands_for_its_source_as_it_was_written() -> None:
    shell = {"In": ["", "get_ipython().system('ls')", "2"], "_i1": "!ls"}
    shell["_ih"] = shell["In"]
    assert expand("{In[1]} {In[2]} {In[-1]} {In[-2]}", shell).text == "!ls 2 2 !ls"
    assert expand("{In[1]}", {"In": ["mine", "too"]}).text == "too"
    for missing in ("{In[9]}", "{In[0]}", "{In[-9]}"):
        (hint,) = expand(f"Explain {missing} now", shell).hints
        assert hint == f"{missing} was sent as written: there is no cell {missing[1:-1]}."


def test_without_an_error_its_name_gets_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "last_value", raising=False)
    (hint,) = expand("Explain {_err} to me", {}).hints
    assert hint == "{_err} was sent as written: no cell has failed yet."
    assert expand("Explain {_err}", {"_err": "mine"}).text == "Explain mine"


def test_a_long_error_is_cut_in_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "last_value", ValueError("a" * 9_000 + "end"), raising=False)
    text = expand("{_err}", {}).text
    assert len(text) < 8_100
    assert text.startswith("ValueError: aaa")
    assert text.endswith("aend")


# Hints ---------------------------------------------------------------------------------------------


def test_a_typo_gets_a_hint_with_what_was_meant() -> None:
    assert hints("About {topik}.") == (
        "{topik} is no variable here and was sent as written (did you mean {topic}?).",
    )
    assert hints("关于{topci}的诗") != ()
    assert hints("{Topic}")[0].endswith("(did you mean {topic}?).")
    assert hints("{zebra}") == ("{zebra} is no variable here and was sent as written.",)
    assert hints("{zebra} {zebra}, {zebra}") == hints("{zebra}")
    assert "did you mean {user}" in hints("{usr.name}")[0]
    assert "did you mean {year}" in hints("report_{yaer}.csv")[0]


@pytest.mark.parametrize(
    "prompt",
    [
        "{topic} and {xs[0]}",
        "no braces at all",
        '{"a": 1} {} { x }',
        "`{topik}`",
        "```\n{topik}\n```",
        "~~~python\n{topik}\n~~~",
        "```\n{topik}",
        "Code:\n\n    {topik}\n",
        'print(f"{topik}")',
        "'{topik}'.format(topik=1)",
        "\\frac{topik}{b} x^{topik}",
        "GET /users/{id}/posts",
        "${HOME} #{id} @{id} %{id}",
        "{{topik}}",
        "a{id}b",
        "`{user.missing}` `{topic.upper()}`",
        "{user._secret}",
        "\\frac{x}{n}",
    ],
)
def test_code_and_formulas_get_no_hint(prompt: str) -> None:
    assert hints(prompt) == ()


@pytest.mark.parametrize(
    ("prompt", "hint"),
    [
        ("{user.nmae}", "{user.nmae} was sent as written: user has no attribute nmae."),
        ('{row["no"]}', '{row["no"]} was sent as written: row has no ["no"].'),
        ("{xs[9]}", "{xs[9]} was sent as written: xs has no [9]."),
        ("{n[0]}", "{n[0]} was sent as written: n takes no [0]."),
        (
            "{row.price}",
            '{row.price} was sent as written: the key of a dict is written {row["price"]}.',
        ),
        (
            "{user.broken}",
            "{user.broken} was sent as written: reading it failed (ZeroDivisionError).",
        ),
        (
            "{user.method}",
            "{user.method} was sent as written: it is a function, not a value.",
        ),
        ("{m}", "{m} was sent as written: it is a module, not a value."),
        ("{U}", "{U} was sent as written: it is a class, not a value."),
        ("{u}", "{u} was sent as written: making text of it failed (RuntimeError)."),
        (
            "{topic.upper()}",
            "{topic.upper()} was sent as written: only names, attributes and [keys] are filled in. "
            "Put the result into a variable first.",
        ),
        (
            "{n:.2f}",
            "{n:.2f} was sent as written: only names, attributes and [keys] are filled in. "
            "Put the result into a variable first.",
        ),
        ("{{topic}}", "{{topic}} was sent as written; one pair of braces fills it in."),
        ("x_{i}", "{i} behind an underscore may be a formula and was sent as written."),
    ],
)
def test_what_looks_meant_and_is_not_filled_in_gets_a_hint(prompt: str, hint: str) -> None:
    assert hints(f"So: {prompt} ", m=math, U=User, u=Unprintable()) == (hint,)


def test_a_very_long_value_is_sent_whole_with_a_hint() -> None:
    long = "z" * (LONG_VALUE_CHARS + 1)
    expanded = expand("{v}", {"v": long})
    assert expanded.text == long
    assert expanded.hints == ("{v} put 20,001 characters into the prompt.",)


def test_rounded_numbers_get_one_hint_that_names_their_tables() -> None:
    frame, exact = pd.DataFrame({"a": [1 / 3], "b": [2 / 3]}), pd.DataFrame({"a": [1.5]})
    rounded = hints("{f} {e} {f.a} {f} {n}", f=frame, e=exact, n=1 / 3)
    assert rounded == (
        "Numbers of {f}, {f.a} were rounded to 4 digits; "
        "cbai.configure(table_digits=17) sends all digits.",
    )
    assert expand("{f}", {"f": frame}, limits=Preferences(table_digits=17)).hints == ()
    assert hints("{e}", e=exact) == ()


def test_columns_that_are_left_out_get_a_hint() -> None:
    frame = pd.DataFrame([range(31)])
    assert hints("{f}", f=frame) == (
        "The first 30 of 31 columns of {f} were sent; cbai.configure(table_columns=31) sends all.",
    )
    assert expand("{f}", {"f": frame}, limits=Preferences(table_columns=31)).hints == ()


def test_many_hints_are_counted_not_listed() -> None:
    said = hints(" ".join(f"{{zebra{number}}}" for number in range(9)))
    assert len(said) == 6
    assert said[-1] == "And 4 more places like these."


def test_an_object_that_raises_whatever_is_asked_harms_nothing() -> None:
    assert filled("{p} {p.name} {p[0]}", p=UnboundProxy()) == "{p} {p.name} {p[0]}"


# Properties ----------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        "{",
        "}",
        "{a}",
        "{b}",
        "{{a}}",
        "\\frac",
        "^",
        "_",
        "x",
        ".",
        "[0]",
        '["k"]',
        " ",
        "\n",
        "`",
        "中",
    ]
)
_TEXTS = st.one_of(st.text(), st.lists(_PIECES).map("".join))


@given(_TEXTS)
def test_text_without_names_of_ours_is_returned_to_the_letter(text: str) -> None:
    assert expand(text, {}).text == text
    assert expand(text, {"zebra": 1}).text == text.replace("{zebra}", "1")


@given(_TEXTS, st.text(alphabet="{}ab\\_^[]", max_size=8))
def test_a_value_with_braces_is_put_in_and_never_expanded(text: str, value: str) -> None:
    marker = "\0"
    assume(marker not in text)
    marked = expand(text, {"a": marker, "b": "B"}).text
    assert expand(text, {"a": value, "b": "B"}).text == marked.replace(marker, value)


@given(_TEXTS, _TEXTS)
def test_texts_on_either_side_of_a_blank_line_do_not_touch_each_other(one: str, two: str) -> None:
    # Without backslashes, no command of a formula opens a group that spans both texts.
    one, two = one.replace("\\", ""), two.replace("\\", "")
    values = {"a": "A", "b": "B"}
    joined = expand(f"{one}\n\n{two}", values).text
    assert joined == f"{expand(one, values).text}\n\n{expand(two, values).text}"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    )
)
def test_json_is_sent_to_the_letter(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    assert expand(text, {"zebra": 1}).text == text.replace("{zebra}", "1")


class Counting(dict[str, Any]):
    """Counts the look-ups of names."""

    asked = 0

    def __contains__(self, name: object) -> bool:
        self.asked += 1
        return super().__contains__(name)


@pytest.mark.parametrize(
    "piece", ["{a}", "{nope}", "{x.y}", '{a["', "{", "}", "\\frac{", "\\a[", "{a(1)}", "`", "x_{a}"]
)
def test_a_long_prompt_is_read_in_one_go(piece: str) -> None:
    # The cost of one reference must not grow with the length of the prompt.
    values = Counting(a="A")
    text = piece * 50_000
    expanded = expand(text, values)
    assert expanded.text == (text if piece == "x_{a}" else text.replace("{a}", "A"))
    assert values.asked <= 300
