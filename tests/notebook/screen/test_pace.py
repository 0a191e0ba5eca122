"""Several answers share the pace of one browser."""

from __future__ import annotations

from cbai_notebook.notebook.screen.pace import SharedPace


def test_the_share_is_by_the_answers_that_stream() -> None:
    pace = SharedPace()
    assert pace.share() == 1
    with pace.joined():
        assert pace.share() == 1
        with pace.joined():
            assert pace.share() == 2
        assert pace.share() == 1
    assert pace.share() == 1
