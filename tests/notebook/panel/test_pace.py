"""Several answers share one browser."""

from __future__ import annotations

from cbai_notebook.notebook.panel.pace import SharedPace


def test_clocks_share_the_second_and_never_run_backwards() -> None:
    now = 0.0
    pace = SharedPace(lambda: now)
    first = pace.start()
    now = 1.0
    assert first() == 1.0
    second = pace.start()
    now = 3.0
    assert (first(), second()) == (2.0, 2.0)
    pace.stop()
    now = 4.0
    assert first() == 3.0
