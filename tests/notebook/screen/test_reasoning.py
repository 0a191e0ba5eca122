"""Reasoning is shown while it streams, and folded when the answer begins."""

from __future__ import annotations

import re

import pytest

from cbai_notebook.notebook.screen import Screen
from tests.notebook.screen.recording import Clock, RecordingSurface, play, tokens


def test_reasoning_is_open_while_it_comes(text_screen: Screen, surface: RecordingSurface) -> None:
    text_screen.reasoning("First I compare the figures.")
    assert "<details open>" in surface.html
    assert "First I compare the figures." in surface.html
    assert "Thinking" in surface.html


def test_reasoning_is_folded_when_the_answer_begins(
    text_screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    text_screen.reasoning("First I compare.")
    clock.now += 4.2
    text_screen.text("42")
    fold, answer = surface.outputs
    assert "<details>" in fold["text/html"]
    assert "Thought for 4.2 s" in fold["text/html"]
    assert "42" in answer["text/html"]


def test_reasoning_takes_the_place_of_the_waiting_line(
    text_screen: Screen, surface: RecordingSurface
) -> None:
    text_screen.wait()
    text_screen.reasoning("Hm.")
    assert len(surface.outputs) == 1
    assert "Waiting" not in surface.html


def test_live_reasoning_is_paced_and_bounded(
    text_screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    for _ in range(1000):
        clock.now += 0.01
        text_screen.reasoning("consider that " * 5)
    assert len(surface.paints) <= 60
    assert all(len(message["text/html"]) < 2700 for message in surface.messages)


def test_the_whole_reasoning_is_in_the_fold_at_the_end(
    text_screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    thoughts = "".join(f"thought {number}. " for number in range(2000))
    for token in tokens(thoughts, 300):
        clock.now += 0.02
        text_screen.reasoning(token)
    text_screen.text("42")
    text_screen.finish("complete")
    seen = re.findall(r"thought (\d+)\.", surface.html)
    assert seen == [str(number) for number in range(2000)]
    (output,) = surface.outputs
    assert "<details>" in output["text/html"]
    assert "thought" not in output["text/plain"]
    assert output["text/plain"].startswith("42")


def test_reasoning_is_plain_text(text_screen: Screen, surface: RecordingSurface) -> None:
    text_screen.reasoning(
        "<img src=x onerror=alert(1)> </details><script>1</script> **bold** $x$\n\tnext"
    )
    text_screen.text("42")
    text_screen.finish("complete")
    for message in surface.messages:
        shown = message.get("text/html", "")
        assert "<img" not in shown
        assert "<script" not in shown
        assert shown.count("</details>") <= 1
    assert "mathjax_ignore" in surface.html
    assert "&lt;img src=x onerror=alert(1)&gt;" in surface.html
    assert "$x$<br>\tnext" in surface.html


def test_reasoning_without_an_answer_ends_folded(
    text_screen: Screen, surface: RecordingSurface
) -> None:
    text_screen.reasoning("I think and think.")
    text_screen.finish("complete")
    (output,) = surface.outputs
    assert "<details>" in output["text/html"]
    assert "I think and think." in output["text/html"]
    assert "The answer is empty: only reasoning came." in output["text/html"]


def test_reasoning_between_parts_of_the_answer_is_added_at_the_end(clock: Clock) -> None:
    surface = RecordingSurface(can_replace=False)
    screen = Screen(surface, format="text", clock=clock)
    screen.reasoning("one ")
    screen.text("alpha ")
    sent = len(surface.messages)
    screen.reasoning("two")
    assert len(surface.messages) == sent
    screen.text("beta")
    screen.finish("complete")
    fold, answer = surface.outputs
    assert "one two" in fold["text/html"]
    assert answer["text/plain"] == "alpha beta"


@pytest.mark.parametrize("can_replace", [True, False])
def test_reasoning_that_comes_late_is_kept(clock: Clock, can_replace: bool) -> None:
    surface = RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, format="text", clock=clock)
    play(screen, clock, ["a line of the answer\n"] * 300, per_s=100)
    screen.reasoning("afterthought")
    screen.finish("complete")
    assert surface.html.count("afterthought") == 1
    assert "<details>" in surface.html
    assert surface.plain.count("a line of the answer") == 300


def test_an_unchanged_fold_is_not_sent_again(clock: Clock) -> None:
    surface = RecordingSurface(can_replace=False)
    screen = Screen(surface, format="text", clock=clock)
    screen.reasoning("thought")
    screen.text("answer")
    screen.finish("complete")
    closed = [m for m in surface.messages if "<details>" in m["text/html"]]
    assert len(closed) == 1
