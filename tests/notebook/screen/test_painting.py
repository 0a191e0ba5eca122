"""When an answer is painted, and what is sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.screen import Facts, Screen
from tests.notebook.screen.interrupts import interrupted_after
from tests.notebook.screen.recording import (
    Clock,
    RecordingSurface,
    markdown,
    play,
    tokens,
    wait_until,
)


def test_first_token_is_painted_at_once(screen: Screen, surface: RecordingSurface) -> None:
    screen.text("Hello")
    assert "Hello" in surface.html
    assert screen.due() is None


def test_nothing_is_due_before_there_is_anything(screen: Screen, surface: RecordingSurface) -> None:
    screen.tick()
    assert screen.due() is None
    assert not surface.messages


def test_blank_first_tokens_paint_nothing(screen: Screen, surface: RecordingSurface) -> None:
    screen.text("")
    screen.text("\n\n")
    assert not surface.messages
    screen.text("Hello")
    assert "Hello" in surface.html


def test_second_token_waits_for_its_turn(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    screen.text("one")
    screen.text(" two")
    assert screen.due() == pytest.approx(1 / 12)
    screen.tick()
    assert "two" not in surface.html
    clock.now += screen.due() or 0.0
    screen.tick()
    assert "two" in surface.html
    assert screen.due() is None


def test_a_fast_stream_is_painted_without_ticks(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    for _ in range(100):
        clock.now += 0.01
        screen.text("word ")
    assert 10 <= len(surface.paints) <= 13


def test_paints_are_at_most_twelve_a_second(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    play(screen, clock, tokens(markdown(3000), 500), per_s=100)
    assert len(surface.paints) <= 5 * 12 + 1


def test_a_long_tail_is_painted_less_often(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    screen.text("word " * 2000)
    screen.text("more")
    assert screen.due() == pytest.approx(11_100 / 18_500, rel=0.05)
    screen = Screen(RecordingSurface(), format="text", clock=clock)
    screen.text("word " * 20_000)
    screen.text("more")
    assert screen.due() == pytest.approx(100_000 / 20_000)


def test_a_heavy_tail_is_painted_less_often_but_not_for_ever(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    screen.text("```python\n" + "f(x, y) + [1, 2, 3]  # add\n" * 25)
    screen.text("f()")
    (tail,) = surface.outputs
    assert len(tail["text/html"]) > 3000
    assert screen.due() == pytest.approx(
        min(1.0, (1000 + len(tail["text/html"].encode())) / 18_500)
    )
    clock.now += 1
    screen.text("f(x, y) + [1, 2, 3]  # add\n" * 300)
    screen.text("f()")
    assert screen.due() == pytest.approx(1.0)


def test_a_tail_in_chinese_weighs_what_it_weighs(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    screen.text("李白是唐代的诗人。" * 200)
    screen.text("完")
    assert screen.due() == pytest.approx(6500 / 18_500, rel=0.05)


def test_a_surface_that_repaints_all_is_paced_by_the_whole(clock: Clock) -> None:
    surface = RecordingSurface(repaints_all=True)
    screen = Screen(surface, clock=clock)
    screen.text(markdown(60_000))
    screen.text("more")
    assert len(surface.outputs) > 3
    assert screen.due() == pytest.approx(60_000 / 20_000)


@pytest.mark.parametrize("form", ["markdown", "text", "code", "json"])
def test_a_surface_that_cannot_change_is_painted_once(clock: Clock, form: str) -> None:
    surface = RecordingSurface(can_replace=False, live=False)
    screen = Screen(surface, clock=clock, format=form)
    screen.wait()
    screen.reasoning("Hm.")
    text = markdown(60_000)
    for token in tokens(text, 100):
        screen.text(token)
        assert screen.due() is None
        clock.now += 1
        screen.tick()
    screen.call(ToolCall("1", "buy", "{}", status="asking"))
    screen.flush()
    assert surface.paints == []
    screen.finish("cancelled", note="Stopped.")
    assert [list(paint) for paint in surface.paints] == [[0]]
    (output,) = surface.outputs
    assert text.rstrip() in output["text/plain"]
    assert "buy()" in output["text/plain"]
    assert "Stopped." in output["text/plain"]
    assert "Hm." in output["text/html"]


def test_last_paint_happens_whatever_the_clock_says(
    screen: Screen, surface: RecordingSurface
) -> None:
    screen.text("one")
    screen.text(" two")
    screen.finish("complete")
    assert "two" in surface.html
    assert surface.closed == 1


def test_finish_is_done_once(screen: Screen, surface: RecordingSurface) -> None:
    screen.text("one")
    screen.finish("complete")
    sent = len(surface.messages)
    screen.finish("failed", note="late")
    screen.text("late")
    screen.reasoning("late")
    screen.tick()
    assert screen.finished
    assert screen.due() is None
    assert len(surface.messages) == sent
    assert surface.closed == 1


def test_sealed_pieces_are_never_sent_again(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    source = markdown(40_000)
    play(screen, clock, tokens(source, 4000), per_s=100)
    screen.finish("complete")
    final = [dict(bundle) for bundle in surface.outputs]
    for slot, bundle in enumerate(final[:-1]):
        full = [paint[slot] for paint in surface.paints if "text/plain" in paint.get(slot, {})]
        assert full == [bundle]
    assert surface.replaced == 0
    assert "".join(bundle["text/markdown"] for bundle in final) == source


def test_tails_carry_html_only_and_sealed_pieces_every_form(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    play(screen, clock, tokens(markdown(12_000), 1200), per_s=100)
    *sealed, tail = surface.outputs
    assert len(sealed) >= 3
    assert set(tail) == {"text/html"}
    assert all(set(bundle) == {"text/html", "text/markdown", "text/plain"} for bundle in sealed)
    kinds = {frozenset(message) for message in surface.messages}
    assert kinds == {frozenset(tail), frozenset(sealed[0])}


def test_a_short_answer_becomes_one_clean_output(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    source = markdown(10_500)
    play(screen, clock, tokens(source, 1500), per_s=60)
    assert len(surface.outputs) > 3
    screen.finish("complete", footer=Facts(label="cloudbase/hy3"))
    assert surface.replaced == 1
    (whole,) = surface.outputs
    assert whole["text/markdown"] == source
    assert whole["text/plain"].startswith(source[:1000])
    assert "cloudbase/hy3" in whole["text/html"]


def test_an_answer_of_one_output_is_updated_in_its_place(
    screen: Screen, surface: RecordingSurface
) -> None:
    screen.text("Short answer.")
    screen.finish("complete", footer=Facts(label="cloudbase/hy3"))
    assert surface.replaced == 0
    assert len(surface.outputs) == 1
    assert surface.outputs[0]["text/markdown"] == "Short answer."


def test_a_cell_with_other_outputs_keeps_the_chunks(clock: Clock) -> None:
    surface = RecordingSurface(can_replace=False)
    screen = Screen(surface, clock=clock)
    source = markdown(8000)
    play(screen, clock, tokens(source, 800), per_s=100)
    screen.finish("complete", footer=Facts(label="cloudbase/hy3"))
    assert len(surface.outputs) > 3
    assert "".join(bundle["text/markdown"] for bundle in surface.outputs) == source
    assert "cloudbase/hy3" in surface.outputs[-1]["text/html"]


def test_a_long_answer_keeps_the_chunks(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    play(screen, clock, tokens(markdown(20_000), 2000), per_s=100)
    screen.finish("complete")
    assert surface.replaced == 0
    assert len(surface.outputs) > 3


@pytest.mark.parametrize("length", [1_000, 30_000, 100_000, 1_000_000])
@pytest.mark.parametrize("can_replace", [True, False])
def test_outputs_stay_below_what_a_notebook_hides(
    clock: Clock, length: int, can_replace: bool
) -> None:
    surface = RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, format="text", clock=clock)
    screen.wait()
    screen.reasoning("Hm.")
    source = ("A line of an answer that goes on for quite a while.\n" * (length // 52 + 1))[:length]
    play(screen, clock, tokens(source, length // 100), per_s=100)
    screen.finish("complete", footer=Facts(label="cloudbase/hy3"))
    assert surface.most < 45
    assert len(surface.outputs) < 45
    text = surface.plain.replace("cloudbase/hy3", "")
    assert re.sub(r"\n+", "\n", text).strip() == source.strip()


def test_parts_are_where_they_belong_when_outputs_are_filled_up(clock: Clock) -> None:
    surface = RecordingSurface()
    screen = Screen(surface, format="text", clock=clock)
    lines = [f"line {number} of an answer that is long enough for this\n" for number in range(6000)]
    play(screen, clock, lines, per_s=200)
    seen = re.findall(r"line (\d+) ", surface.html)
    assert seen == [str(number) for number in range(len(seen))]
    assert len(seen) > 5500


def test_a_link_defined_after_its_use_changes_the_sealed_piece(clock: Clock) -> None:
    surface = RecordingSurface(can_replace=False)
    screen = Screen(surface, clock=clock)
    screen.text("See [the page][1].\n\n" + markdown(4000))
    clock.now += 1
    screen.text("\n\nThe end.\n\n")
    assert "https://example.org/late" not in surface.html
    screen.text("[1]: https://example.org/late\n")
    screen.finish("complete")
    assert "https://example.org/late" in surface.outputs[0]["text/html"]


def test_waiting_line_is_replaced_by_the_first_paint(
    screen: Screen, surface: RecordingSurface
) -> None:
    screen.wait(lambda: "Waiting for cloudbase/hy3")
    assert "Waiting for cloudbase/hy3" in surface.html
    assert screen.due() is None
    screen.text("Hello")
    assert "Waiting" not in surface.html
    assert len(surface.outputs) == 1


@pytest.mark.parametrize("status", ["complete", "partial", "cancelled", "failed"])
@pytest.mark.parametrize("can_replace", [True, False])
def test_waiting_line_does_not_outlive_the_end(
    clock: Clock, status: str, can_replace: bool
) -> None:
    surface = RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, clock=clock)
    screen.wait()
    screen.finish(status)  # type: ignore[arg-type]
    assert "Waiting" not in surface.html
    assert len(surface.outputs) == 1
    assert surface.plain.strip()


def test_waiting_line_comes_only_before_the_answer(
    screen: Screen, surface: RecordingSurface
) -> None:
    screen.text("Hello")
    screen.wait()
    assert "Waiting" not in surface.html


def test_waiting_line_moves_only_for_those_who_want_it(
    screen: Screen, surface: RecordingSurface
) -> None:
    screen.wait()
    style = re.search("<style>(.*?)</style>", surface.html)
    assert style
    assert style[1].startswith("@media (prefers-reduced-motion:no-preference)")


def test_an_unknown_format_is_refused_with_the_known_ones(surface: RecordingSurface) -> None:
    with pytest.raises(UsageError, match="markdown, text, code, json"):
        Screen(surface, format="html")


# The sanitiser drops exceptions of its callback, so such an interrupt has no effect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@given(
    events=st.integers(1, 12_000),
    can_replace=st.booleans(),
    form=st.sampled_from(["text", "markdown"]),
)
def test_an_interrupt_anywhere_loses_nothing(events: int, can_replace: bool, form: str) -> None:
    clock, surface = Clock(), RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, format=form, clock=clock)
    source = [f"Paragraph {number} of an answer.\n\n" for number in range(150)]
    fed = 0
    with interrupted_after(events):
        screen.reasoning("Hm.")
        for paragraph in source:
            clock.now += 0.05
            screen.text(paragraph)
            fed += 1
    screen.text("The last words.")
    screen.finish("cancelled")
    seen = [int(number) for number in re.findall(r"Paragraph (\d+) of", surface.html)]
    assert seen in (list(range(fed)), list(range(fed + 1)))
    assert re.findall(r"Paragraph (\d+) of", surface.plain) == [str(number) for number in seen]
    assert surface.html.count("The last words.") == 1


# The sanitiser drops exceptions of its callback, so such an interrupt has no effect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=40)
@given(events=st.integers(1, 2000), can_replace=st.booleans())
def test_an_interrupted_finish_can_be_finished(events: int, can_replace: bool) -> None:
    clock, surface = Clock(), RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, clock=clock)
    play(screen, clock, tokens(markdown(2500), 50), per_s=50)
    with interrupted_after(events):
        screen.finish("complete", footer=Facts(label="local"))
    screen.finish("complete", footer=Facts(label="local"))
    assert screen.finished
    assert surface.html.count("local") == 1
    assert "".join(b.get("text/markdown", "") for b in surface.outputs) == markdown(2500)


def test_time_does_not_pass_without_the_caller(screen: Screen, clock: Clock) -> None:
    screen.text("one")
    screen.text(" two")
    wait_until(screen, clock, clock.now + 10)
    assert screen.due() is None
