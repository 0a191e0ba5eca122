"""How far a batch is, in a terminal and in a log."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

import cbai_notebook as cbai
from cbai_notebook.batching.progress import Progress
from cbai_notebook.batching.reporters import LineReporter
from tests.gateway import Gateway, Scenario

ROWS = [{"text": f"row {number}"} for number in range(4)]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

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


@pytest.fixture
def configured(gateway: Gateway) -> Iterator[Gateway]:
    """The gateway, to which all requests go."""
    cbai.configure(base_url=gateway.base_url, api_key=gateway.key, env_id="test-env")
    yield gateway
    cbai.configure(base_url=None, api_key=None, env_id=None)


def test_a_terminal_gets_one_line_that_is_written_over(progress: Progress, clock: Clock) -> None:
    stream = Terminal()
    reporter = LineReporter(stream)
    progress.answered, progress.known, progress.running, progress.tokens = 1204, 311, 5, 612_000
    clock.now += 60
    reporter.show(progress)
    assert stream.getvalue() == (
        "\r1,204 of 2,000 rows · 311 known · 5 at once · 612k tokens · 53 s left"
    )
    progress.answered = 2000
    progress.end("complete")
    reporter.end(progress)
    line = stream.getvalue().split("\r")[-1]
    assert line.rstrip() == "2,000 of 2,000 rows · 311 known · 612k tokens · 1 min"
    assert line.endswith("\n")
    assert stream.getvalue().count("\n") == 1


def test_a_log_gets_a_line_every_half_minute_and_the_last_one(
    progress: Progress, clock: Clock
) -> None:
    stream = io.StringIO()
    reporter = LineReporter(stream)
    for answered in range(0, 1200, 2):
        progress.answered = answered
        clock.now += 0.2
        reporter.show(progress)
    progress.end("complete")
    reporter.end(progress)
    assert "\r" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 3 + 1


def test_the_end_says_why_rows_failed_and_what_to_do(progress: Progress, clock: Clock) -> None:
    progress.answered = 1990
    progress.fail("The content filter stopped the answer.", 7)
    for number in range(3):
        progress.fail(f"Not one of yes, no: {number}.")
    progress.end("complete")
    stream = io.StringIO()
    LineReporter(stream).end(progress)
    assert stream.getvalue().splitlines() == [
        "2,000 of 2,000 rows · 10 failed · 0.0 s",
        "7 × The content filter stopped the answer.",
        "1 × Not one of yes, no: 0.",
        "1 × Not one of yes, no: 1.",
        "1 × for another reason",
        "Run this again to send only the 10 rows that failed.",
    ]


def test_the_end_of_an_interrupted_batch_says_that_it_goes_on(progress: Progress) -> None:
    progress.answered = 300
    progress.hints = ["A hint."]
    progress.end("interrupted")
    stream = io.StringIO()
    LineReporter(stream).end(progress)
    assert stream.getvalue().splitlines() == [
        "interrupted · 300 of 2,000 rows · 0.0 s",
        "300 of 2,000 rows are answered. Run this again to go on; they cost nothing then.",
        "A hint.",
    ]


def test_many_different_reasons_take_little_memory(progress: Progress) -> None:
    for number in range(5000):
        progress.fail(f"reason {number}")
    progress.fail("reason 0")
    assert progress.failed == 5001
    assert len(progress.reasons) == 1001
    assert sum(progress.reasons.values()) == 5001
    assert progress.reasons["reason 0"] == 2


def test_a_script_gets_the_line_on_standard_error(
    configured: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.always(Scenario(text="Good."))
    cbai.batch(ROWS, "Rate: {text}")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("4 of 4 rows")
    cbai.batch(ROWS, "Rate: {text}", progress=False)
    assert capsys.readouterr().err == ""


def test_equal_rows_that_fail_are_counted_by_their_reason(
    configured: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.always("error:400")
    cbai.batch([*ROWS[:1], *ROWS[:1]], "Rate: {text}")
    line, reason, advice, _hint = capsys.readouterr().err.splitlines()
    assert "2 failed" in line
    assert reason.startswith("2 × ")
    assert advice == "Run this again to send only the 2 rows that failed."
