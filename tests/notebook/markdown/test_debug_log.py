"""Logging at DEBUG in a notebook shows nothing of how answers are rendered."""

from __future__ import annotations

import logging

import pytest
from markdown_it import MarkdownIt

from cbai_notebook.notebook.markdown import Document, render
from tests.notebook.markdown.answers import TRICKY


def test_rendering_an_answer_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for answer in TRICKY:
            render(answer)
            document = Document()
            document.feed(answer)
            document.tail_html()
            document.finish()
    assert caplog.records == []


def test_the_users_own_markdown_is_logged_as_before(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        render("# ours")
        MarkdownIt().render("# theirs")
    assert caplog.records
    assert {record.name.partition(".")[0] for record in caplog.records} == {"markdown_it"}
