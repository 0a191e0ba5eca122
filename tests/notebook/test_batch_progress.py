"""How far a batch is, below a cell: what is painted, and how often."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from cbai_notebook import i18n
from cbai_notebook.batching.progress import Progress
from cbai_notebook.notebook.batch_progress import CellReporter
from cbai_notebook.notebook.screen import Bundle


class Paper:
    """A surface that keeps all paints."""

    repaints_all = False
    can_replace = False
    max_outputs = 40

    def __init__(self, *, live: bool = True) -> None:
        self.live = live
        self.paints: list[Bundle] = []

    def __len__(self) -> int:
        return min(1, len(self.paints))

    def paint(self, slots: Mapping[int, Bundle]) -> None:
        assert list(slots) == [0], "one output"
        self.paints.append(slots[0])

    def replace(self, bundle: Bundle) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError

    @property
    def html(self) -> str:
        return self.paints[-1]["text/html"]


class Elements(HTMLParser):
    """The elements with a role, and the text, of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.roles: dict[str, dict[str, str | None]] = {}
        self.text = ""
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        if role := found.get("role"):
            self.roles[role] = found

    def handle_data(self, data: str) -> None:
        self.text += data


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    progress = Progress(name="reviews", rows=2000, clock=clock)
    progress.begin()
    return progress


def test_the_bar_and_the_line_are_read_by_eyes_and_by_screen_readers(
    progress: Progress, clock: Clock
) -> None:
    paper = Paper()
    progress.answered, progress.known, progress.running, progress.tokens = 1200, 311, 5, 612_000
    progress.fail("It does not fit.", 4)
    clock.now = 60
    CellReporter(paper, into="rated").show(progress)
    shown = Elements(paper.html)
    assert shown.text == (
        "reviews → rated 1,204 of 2,000 rows · 4 failed · 311 known · 5 at once · 612k tokens · 53 s left"
    )
    bar = shown.roles["progressbar"]
    assert bar["aria-label"] == "reviews → rated"
    assert (bar["aria-valuemin"], bar["aria-valuenow"], bar["aria-valuemax"]) == (
        "0",
        "1204",
        "2000",
    )
    assert bar["aria-valuetext"] == "1,204 of 2,000 rows"
    assert "width:60.2%" in paper.html


def test_without_a_number_of_rows_there_is_no_bar(progress: Progress) -> None:
    paper = Paper()
    progress.rows, progress.answered = None, 300
    CellReporter(paper).show(progress)
    assert "progressbar" not in paper.html
    assert "300 rows" in paper.html


def test_ten_minutes_send_less_than_a_megabyte_and_at_most_five_paints_a_second(
    progress: Progress, clock: Clock
) -> None:
    paper, times = Paper(), []
    reporter = CellReporter(paper, into="a_rather_long_name_of_a_variable")
    progress.name, progress.rows, progress.running = "a_rather_long_name", 1_000_000, 32
    for tick in range(6000):
        clock.now = tick / 10
        progress.answered, progress.tokens, progress.known = tick * 160, tick * 16_000, tick * 31
        before = len(paper.paints)
        reporter.show(progress)
        times += [clock.now] * (len(paper.paints) - before)
    envelope = 1000  # bytes of the headers of a message
    sent = sum(len(json.dumps(bundle).encode()) + envelope for bundle in paper.paints)
    assert sent < 1_000_000
    assert all(after - at > 0.19 for at, after in pairwise(times))
    assert sum(at < 2 for at in times) >= 9, "at first it moves"
    sizes = {len(bundle["text/html"]) for bundle in paper.paints[10:]}
    assert max(sizes) - min(sizes) < 60, "the size is constant"


def test_a_screen_reader_is_told_each_quarter_and_the_end(progress: Progress, clock: Clock) -> None:
    paper = Paper()
    reporter = CellReporter(paper)
    for answered in range(0, 2000, 10):
        progress.answered = answered
        clock.now += 5
        reporter.show(progress)
    progress.answered = 2000
    progress.end("complete")
    reporter.end(progress)
    aloud = [bundle for bundle in paper.paints if "status" in Elements(bundle["text/html"]).roles]
    assert len(paper.paints) == 201
    assert len(aloud) == 4
    assert aloud[-1] is paper.paints[-1]


def test_names_and_reasons_are_text(progress: Progress) -> None:
    paper = Paper()
    evil = "<img src=x onerror=alert(1)>\"'&"
    progress.name = evil
    progress.fail(evil)
    progress.hints = [evil]
    progress.end("complete")
    CellReporter(paper, into=evil).end(progress)
    shown = Elements(paper.html)
    assert shown.tags <= {"div", "small"}
    assert shown.roles["progressbar"]["aria-label"] == f"{evil} → {evil}"
    assert shown.text.count(evil) == 4


def test_the_end_says_what_is_to_be_done(progress: Progress) -> None:
    paper = Paper()
    progress.answered = 1990
    progress.fail("It does not fit.", 10)
    progress.hints = ["All prompts are in English."]
    progress.end("complete")
    reporter = CellReporter(paper, into="rated")
    reporter.end(progress)
    line, *sentences = paper.paints[-1]["text/plain"].splitlines()
    assert line.startswith("reviews → rated: 2,000 of 2,000 rows · 10 failed")
    assert sentences == [
        "10 × It does not fit.",
        "Run this again to send only the 10 rows that failed.",
        "All prompts are in English.",
    ]
    for sentence in sentences:
        assert sentence in Elements(paper.html).text
    reporter.show(progress)
    assert len(paper.paints) == 1, "nothing comes behind the end"


@pytest.mark.parametrize(
    ("status", "reason", "into", "last"),
    [
        ("interrupted", "", "rated", "rated has the rows so far."),
        ("interrupted", "", "", "cbai.last_batch().frame has the rows so far."),
        ("stopped", "The key expired.", "rated", "rated has the rows so far."),
    ],
)
def test_the_end_says_where_the_rows_are(
    progress: Progress, status: str, reason: str, into: str, last: str
) -> None:
    paper = Paper()
    progress.end(status, reason)
    CellReporter(paper, into=into, of_magic=True).end(progress)
    plain = paper.paints[-1]["text/plain"]
    assert plain.splitlines()[-1] == last
    assert status in plain
    assert "expired" not in plain, "the error of the cell says it"


def test_where_the_cell_does_not_fail_the_reason_is_shown(progress: Progress) -> None:
    paper = Paper()
    progress.end("stopped", "The key expired.")
    CellReporter(paper).end(progress)
    assert "The key expired." in paper.html


def test_a_surface_that_cannot_change_gets_the_last_state_only(progress: Progress) -> None:
    paper = Paper(live=False)
    reporter = CellReporter(paper)
    reporter.show(progress)
    assert paper.paints == []
    progress.end("complete")
    reporter.end(progress)
    assert len(paper.paints) == 1
    assert set(paper.paints[0]) == {"text/html", "text/plain"}


def test_it_is_shown_in_chinese(progress: Progress) -> None:
    paper = Paper()
    i18n.choose("zh")
    try:
        progress.answered = 1999
        progress.fail("不符合类型。")
        progress.end("complete")
        CellReporter(paper).end(progress)
    finally:
        i18n.choose(None)
    assert "2,000 / 2,000 行 · 1 行失败" in paper.html
    assert "再次运行将只发送失败的 1 行。" in paper.html
    assert paper.paints[-1]["text/plain"].startswith("reviews：2,000 / 2,000 行")
