"""`Records` is a list, and its display is small and safe."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.conversation import Turn
from cbai_notebook.conversation.records import SHOWN_ROWS, Records
from tests.conversation.frames.messages import NOW, many, records_of, turns

OURS = {"div", "table", "thead", "tbody", "tr", "th", "td", "p"}


class Tags(HTMLParser):
    """Element names, attribute names and text of an HTML string."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_it_is_a_list() -> None:
    records = many(6)
    assert records == list(records)
    assert isinstance(records, list)
    assert len(records) == 6
    records.append(records[0])
    assert records[-1] is records[0]


def test_a_slice_goes_to_a_table_as_well() -> None:
    some = many(6)[2:4]
    assert isinstance(some, Records)
    assert some.to_pandas()["turn"].tolist() == [1, 1]


def test_it_shows_the_last_rows_and_says_how_many_there_are() -> None:
    records = many(2_000)
    shown = Tags(records._repr_html_())
    assert shown.names.count("tr") == SHOWN_ROWS + 1
    assert "2,000 messages; the last 20" in shown.text
    assert "What of number 999?" in shown.text
    assert "number 0?" not in shown.text
    assert repr(records).startswith("<2,000 messages; the last 20>\n")
    assert len(repr(records).splitlines()) == SHOWN_ROWS + 1


def test_none_and_one_are_said_in_words() -> None:
    assert repr(Records()) == "<no messages>"
    assert repr(many(2)[:1]).startswith("<1 message>\n     user  What of number 0?")


def test_long_text_is_cut() -> None:
    turn = Turn(prompt="long " * 100_000, created_at=NOW)
    records = records_of([turn])
    assert len(records._repr_html_()) < 2_000
    assert len(repr(records)) < 300
    assert "…" in repr(records)


@given(made=turns(st.text(st.characters() | st.sampled_from("<>&\"'\x1b\u202e$"))))
def test_nothing_that_a_model_writes_becomes_markup_or_steers_a_terminal(made: Turn) -> None:
    records = records_of([made])
    shown = Tags(records._repr_html_())
    assert set(shown.names) <= OURS
    assert set(shown.attributes) == {"class", "style"}
    lines = repr(records).split("\n")
    assert len(lines) == len(records) + 1
    assert all(line.isprintable() for line in lines)
    assert repr(records).encode("utf-8")


def test_a_script_is_shown_as_text() -> None:
    turn = Turn(prompt="<script>alert(1)</script> $x$", created_at=NOW)
    shown = records_of([turn])._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "mathjax_ignore" in shown
