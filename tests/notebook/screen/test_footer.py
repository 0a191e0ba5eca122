"""The footer of an answer, and notices."""

from __future__ import annotations

import pytest

from cbai_notebook.notebook.screen import Facts, Notice, Screen
from tests.notebook.screen.recording import Clock, RecordingSurface

FACTS = Facts(
    label="cloudbase/hy3",
    prompt_tokens=1200,
    completion_tokens=101,
    first_token_s=0.42,
    duration_s=2.42,
)


def finished(status: str = "complete", *, text: str = "42", **more: object) -> RecordingSurface:
    surface = RecordingSurface()
    screen = Screen(surface, format="text", clock=Clock())
    screen.text(text)
    screen.finish(status, **more)  # type: ignore[arg-type]
    return surface


def test_facts_are_on_one_quiet_line() -> None:
    surface = finished(footer=FACTS)
    line = "cloudbase/hy3 · 1,200 tokens in, 101 out · first token 0.42 s · 50 tokens/s"
    assert line in surface.html
    assert surface.plain == f"42\n\n{line}"
    assert "<small" in surface.html


def test_what_is_not_known_is_not_said() -> None:
    assert finished(footer=Facts(label="local")).plain == "42\n\nlocal"
    assert (
        finished(footer=Facts(label="local", completion_tokens=3)).plain == "42\n\nlocal · 3 tokens"
    )
    assert finished().plain == "42"


def test_a_speed_that_says_nothing_is_left_out() -> None:
    assert Facts(completion_tokens=1, duration_s=3.0).tokens_per_s is None
    assert Facts(completion_tokens=50, first_token_s=1.0, duration_s=1.0).tokens_per_s is None
    assert Facts(completion_tokens=0, duration_s=3.0).tokens_per_s is None


@pytest.mark.parametrize(
    ("status", "mark"),
    [("partial", "incomplete"), ("cancelled", "stopped"), ("failed", "failed")],
)
def test_an_answer_that_is_not_complete_is_marked(status: str, mark: str) -> None:
    surface = finished(status, footer=Facts(label="cloudbase/hy3"))
    assert f"<strong>{mark}</strong> · cloudbase/hy3" in surface.html
    assert surface.plain == f"42\n\n{mark} · cloudbase/hy3"


def test_hints_and_what_was_left_out_have_their_own_lines() -> None:
    surface = finished(
        hints=["{typo} was sent as written: there is no such name."],
        footer=Facts(label="local", dropped="2 earlier turns were left out."),
    )
    assert surface.plain.split("\n")[2:] == [
        "{typo} was sent as written: there is no such name.",
        "2 earlier turns were left out.",
        "local",
    ]
    assert "name.<br>2 earlier turns" in surface.html


def test_an_empty_answer_says_so() -> None:
    surface = finished(text=" ", footer=Facts(label="local"))
    assert surface.plain == "The answer is empty.\nlocal"


def test_names_are_hostile_too() -> None:
    evil = "<script>1</script>\x1b[31m\u202e$x$"
    surface = finished(
        "failed",
        footer=Facts(label=evil, dropped=evil),
        hints=[evil],
        note=Notice(evil, details=evil),
    )
    assert "<script" not in surface.html
    assert surface.html.count("&lt;script&gt;") == 5
    assert "\x1b" not in surface.html + surface.plain
    assert "\u202e" not in surface.html + surface.plain
    for piece in surface.html.split("&lt;script&gt;")[:-1]:
        assert "mathjax_ignore" in piece or piece.startswith("1&lt;")


def test_footer_is_readable_in_any_theme_and_without_styles() -> None:
    html = finished(footer=FACTS).html
    assert "var(--jp-ui-font-color2,#" in html
    assert "<small" in html


def test_note_is_one_line_with_details_folded() -> None:
    surface = finished(
        "partial", note=Notice("The connection ended early.\nRun the cell again.", "HTTP 200 · r-1")
    )
    assert "The connection ended early.<br>Run the cell again." in surface.html
    assert "<details><summary" in surface.html
    assert "HTTP 200 · r-1" in surface.html
    assert "The connection ended early." in surface.plain


def test_note_may_be_a_plain_sentence() -> None:
    surface = finished("failed", note="The key was refused.")
    assert "The key was refused." in surface.html
    assert "<details" not in surface.html


def test_notice_is_an_output_of_its_own() -> None:
    bundle = Notice("No such model: <b>hy9</b>.", "HTTP 404 · AI_MODEL_NOT_FOUND").bundle()
    assert "&lt;b&gt;hy9" in bundle["text/html"]
    assert bundle["text/plain"] == "No such model: <b>hy9</b>.\nHTTP 404 · AI_MODEL_NOT_FOUND"
