"""Tool calls: one dimmed line each, in the right place, and none of its text is active."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.conversation import ToolCall
from cbai_notebook.notebook.screen import (
    Bundle,
    Facts,
    Screen,
    TerminalSurface,
    calls_html,
    calls_plain,
)
from tests.notebook.screen.interrupts import interrupted_after
from tests.notebook.screen.recording import Clock, RecordingSurface, markdown

ASKED = ToolCall("c1", "get_weather", '{"city": "Paris"}')
DONE = replace(ASKED, status="ok", result="12 °C, rain", duration_s=0.3)


def test_only_pictures_inside_the_page_are_shown() -> None:
    picture = "data:image/png;base64,AAAA"
    hostile = (
        "https://example.com/a.png",
        "data:image/svg+xml;base64,AAAA",
        picture + '" onload="x',
    )
    shown = calls_html([replace(DONE, images=(picture, *hostile))])
    assert re.findall(r'src="([^"]*)"', shown) == [picture]
    assert "onload" not in shown


def unfolded_text(markup: str) -> str:
    """Return the text that a reader sees when everything is unfolded."""
    return unescape(re.sub("<[^>]*>", " ", re.sub("<br>|</summary>|</div>|</pre>", "\n", markup)))


# A single call: its line and its fold.


def test_a_call_is_one_line_that_unfolds_to_arguments_and_result() -> None:
    markup = calls_html([DONE])
    summary, fold = markup.split("</summary>")
    assert unfolded_text(summary).strip() == 'get_weather(city="Paris") · 0.30 s'
    assert "<details>" in summary
    assert '"city": "Paris"' in unfolded_text(fold)
    assert "12 °C, rain" in unfolded_text(fold)
    assert calls_plain([DONE]) == '▸ get_weather(city="Paris") · 0.30 s'


@pytest.mark.parametrize(
    ("status", "mark", "word"),
    [
        ("ok", "▸", ""),
        ("answered", "▸", ""),
        ("error", "✗", "failed"),
        ("refused", "✗", "refused"),
        ("unknown", "✗", "no such tool"),
        ("invalid", "✗", "arguments do not fit"),
        ("running", "▸", "stopped"),
        ("asking", "▸", "stopped"),
        ("something new", "▸", ""),
    ],
)
def test_a_call_that_did_not_work_has_a_mark_and_words(status: str, mark: str, word: str) -> None:
    call = replace(ASKED, status=status)
    line = 'get_weather(city="Paris")' + (f" · {word}" if word else "")
    assert calls_plain([call]) == f"{mark} {line}"
    line = line if mark == "▸" else f"{mark} {line}"
    assert unfolded_text(calls_html([call]).split("</summary>")[0]).split() == line.split()


def test_a_call_that_is_open_says_whether_it_runs_or_asks() -> None:
    assert "…" in calls_html([ASKED], live=True)
    assert "waiting for your answer" in calls_html([replace(ASKED, status="asking")], live=True)


def test_a_call_without_arguments_or_result_has_nothing_to_unfold() -> None:
    call = ToolCall("c1", "now", "{}", "ok", "", 0.0)
    assert "<details" not in calls_html([call])
    assert calls_plain([call]) == "▸ now()"


@pytest.mark.parametrize("arguments", ["", "{", "[1, 2]", "null", "[" * 900, '{"a": ' * 450])
def test_arguments_that_are_no_object_are_shown_as_written(arguments: str) -> None:
    call = ToolCall("c1", "f", arguments, "invalid", "Error")
    shown = unescape(calls_html([call]))
    assert arguments in shown
    assert calls_plain([call]).startswith(f"✗ f({arguments[:70]}")


def test_a_line_is_short_and_a_fold_bounded() -> None:
    long = json.dumps({"text": "word " * 500_000})
    call = ToolCall("c1", "f" * 200, long, "ok", "word " * 500_000, 1.0)
    assert len(calls_plain([call])) < 100
    assert "\n" not in calls_plain([replace(call, name="a\nb\u2028c", arguments="x\n\ny")])
    assert len(calls_html([call])) < 8_000
    assert "2,497,000 more characters" in calls_html([call])


def test_very_many_calls_are_bounded() -> None:
    calls = [replace(DONE, id=str(number), result="x" * 5000) for number in range(2000)]
    assert len(calls_html(calls)) < 200_000
    assert calls_html(calls).count("<details>") == 100
    assert calls_plain(calls).startswith("1,900 earlier calls\n▸ ")
    assert "1,900 earlier calls" in calls_html(calls)


def test_no_calls_are_nothing() -> None:
    assert calls_html([]) == calls_plain([]) == ""


EVIL = (
    "</pre></summary></details></div><script>alert(1)</script><img src=x onerror=alert(1)>"
    "<style>*{display:none}</style>\x1b]0;t\x07\u202e\ud800 $x$ \\(y\\) `z`"
)


def test_nothing_that_a_model_or_a_tool_wrote_runs_or_breaks_out() -> None:
    for arguments in (EVIL, json.dumps({EVIL: EVIL})):
        call = ToolCall(EVIL, EVIL, arguments, "ok", EVIL, 0.1)
        markup = calls_html([call, call])
        bare = re.sub(r' style="[^"<>]*"| tabindex="0"', "", markup)
        tags = set(re.findall(r"<[^>]*>", bare))
        assert tags == {
            '<div class="cbai-calls mathjax_ignore tex2jax_ignore">',
            *("<div>", "</div>", "<details>", "</details>", "<summary>", "</summary>"),
            *("<small>", "</small>", "<pre>", "</pre>"),
        }
        assert markup.count("<details>") == markup.count("</details>") == 2
        seen = markup + calls_plain([call])
        assert not re.search("[\x1b\u202e\ud800]", seen)
        seen.encode()


@given(st.text(), st.text(), st.text())
def test_any_call_is_one_line_and_balanced_markup(name: str, arguments: str, result: str) -> None:
    call = ToolCall("c1", name, arguments, "ok", result)
    assert calls_plain([call]).count("\n") == 0
    markup = calls_html([call])
    for tag in ("div", "details", "summary", "small", "pre"):
        assert len(re.findall(f"<{tag}[ >]", markup)) == markup.count(f"</{tag}>")
    assert "<script" not in markup


# Calls in an answer: when they are painted, and where.


def test_a_call_is_painted_at_once(screen: Screen, surface: RecordingSurface) -> None:
    screen.wait()
    screen.call(ASKED)
    assert "Waiting" not in surface.html
    assert 'get_weather(city="Paris") …' in unfolded_text(surface.html)
    assert len(surface.outputs) == 1
    assert set(surface.outputs[0]) == {"text/html", "text/plain"}


def test_an_update_takes_the_place_of_the_line(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    screen.call(ASKED)
    screen.call(DONE)
    due = screen.due()
    assert due is not None
    assert 0 < due <= 0.2
    clock.now += due
    screen.tick()
    assert unfolded_text(surface.html).count("get_weather") == 1
    assert "0.30 s" in surface.html


def test_a_question_is_painted_at_once(screen: Screen, surface: RecordingSurface) -> None:
    screen.call(ASKED)
    screen.call(replace(ASKED, status="asking"))
    assert "waiting for your answer" in surface.html


def test_calls_at_once_share_paints(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    for number in range(50):
        screen.call(replace(ASKED, id=str(number)))
    for number in range(50):
        clock.now += 0.01
        screen.call(replace(DONE, id=str(number)))
    assert len(surface.paints) < 8
    screen.finish("complete")
    assert surface.html.count("0.30 s") == 50


def test_steps_stand_in_the_order_in_which_they_came(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    for paint in (
        lambda: screen.reasoning("thought one"),
        lambda: screen.text("Let me look."),
        lambda: screen.call(ASKED),
        lambda: screen.call(DONE),
        lambda: screen.text("\n\n"),
        lambda: screen.reasoning("thought two"),
        lambda: screen.call(replace(ASKED, id="c2", name="lookup")),
        lambda: screen.call(replace(DONE, id="c2", name="lookup")),
        lambda: screen.text("It rains."),
    ):
        clock.now += 1
        paint()  # type: ignore[no-untyped-call]
    order = r"thought one.*Let me look\..*get_weather.*thought two.*lookup.*It rains\."
    assert re.search(order, unfolded_text(surface.html), re.DOTALL)
    assert len(surface.outputs) == 6
    screen.finish("complete", footer=Facts(label="local"))
    assert re.search(order + ".*local", unfolded_text(surface.html), re.DOTALL)
    (whole,) = surface.outputs
    assert whole["text/markdown"] == "Let me look.\n\nIt rains."
    assert whole["text/plain"] == (
        'Let me look.\n\n▸ get_weather(city="Paris") · 0.30 s\n\n'
        '▸ lookup(city="Paris") · 0.30 s\n\nIt rains.\n\nlocal'
    )


def test_steps_without_words_are_one_group(screen: Screen, surface: RecordingSurface) -> None:
    screen.call(DONE)
    screen.text("\n\n")
    screen.call(replace(DONE, id="c2"))
    screen.finish("complete")
    assert surface.html.count("cbai-calls") == 1
    assert surface.html.count("<details>") == 2


def test_reasoning_closes_when_a_call_begins(
    screen: Screen, surface: RecordingSurface, clock: Clock
) -> None:
    screen.reasoning("I should look.")
    assert "<details open>" in surface.html
    clock.now += 3
    screen.call(ASKED)
    assert "<details open>" not in surface.html
    assert "Thought for 3.0 s" in surface.html
    screen.reasoning("Now I know.")
    assert "<details open>" in surface.html


def test_reasoning_that_came_after_the_words_stands_before_the_call(clock: Clock) -> None:
    surface = RecordingSurface(can_replace=False)
    screen = Screen(surface, clock=clock)
    screen.text("Let me look.")
    screen.reasoning("thought")
    screen.call(DONE)
    screen.finish("complete")
    assert re.search(r"Let me look\..*thought.*get_weather", surface.html, re.DOTALL)


def test_an_id_may_be_used_again_in_a_later_step(screen: Screen, surface: RecordingSurface) -> None:
    screen.call(DONE)
    screen.text("Once more.")
    screen.call(ASKED)
    screen.call(replace(DONE, result="13 °C, sun"))
    screen.finish("complete")
    assert surface.html.count("<details>") == 2
    assert re.search("12 °C.*Once more.*13 °C", surface.html, re.DOTALL)


def test_text_is_not_sent_again_because_of_calls(clock: Clock) -> None:
    surface = RecordingSurface(can_replace=False)
    screen = Screen(surface, clock=clock)
    screen.text(markdown(8_000))
    sealed = [dict(bundle) for bundle in surface.outputs[:-1]]
    assert len(sealed) > 2
    sent = len(surface.messages)
    screen.call(ASKED)
    clock.now += 1
    screen.call(DONE)
    screen.text("The end.")
    screen.finish("complete")
    for bundle in sealed:
        assert bundle in surface.outputs
        assert bundle not in surface.messages[sent:]
    assert surface.html.count("get_weather") == 1


@pytest.mark.parametrize("can_replace", [True, False])
@pytest.mark.parametrize("form", ["markdown", "text", "code", "json"])
def test_every_form_keeps_the_calls(clock: Clock, form: str, can_replace: bool) -> None:
    surface = RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, format=form, clock=clock)
    screen.text("Let me look.")
    screen.call(DONE)
    screen.text('{"rain": true}')
    screen.finish("complete")
    assert re.search("Let me look.*get_weather.*rain", unfolded_text(surface.html), re.DOTALL)
    assert re.search("Let me look.*get_weather.*rain", surface.plain, re.DOTALL)
    assert "not valid JSON" not in surface.html


@pytest.mark.parametrize("can_replace", [True, False])
@pytest.mark.parametrize("text", ["", "Let me look."])
@pytest.mark.parametrize("status", ["cancelled", "failed", "partial"])
def test_a_call_that_still_runs_at_the_end_was_stopped(
    clock: Clock, text: str, status: str, can_replace: bool
) -> None:
    surface = RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, clock=clock)
    screen.text(text)
    screen.call(ASKED)
    screen.finish(status)  # type: ignore[arg-type]
    assert 'get_weather(city="Paris") · stopped' in surface.plain
    assert "<strong>stopped</strong>" in surface.html
    assert "</small> …" not in surface.html


@pytest.mark.parametrize("can_replace", [True, False])
def test_outputs_stay_few_however_many_steps_there_are(clock: Clock, can_replace: bool) -> None:
    surface = RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, clock=clock)
    for number in range(200):
        clock.now += 1
        screen.reasoning(f"thought {number}.")
        clock.now += 1
        screen.text(f"Words {number}. " + "And more of them. " * 20)
        screen.call(replace(ASKED, id=str(number), name=f"tool_{number}"))
        clock.now += 1
        screen.call(replace(DONE, id=str(number), name=f"tool_{number}"))
        found = re.findall(r"(?:thought|Words|tool)[_ ](\d+)", surface.html)
        assert found == [str(n) for n in range(number + 1) for _ in range(3)]
    screen.finish("complete")
    assert surface.most < 45
    found = re.findall(r"(?:thought|Words|tool)[_ ](\d+)", surface.html)
    assert found == [str(n) for n in range(200) for _ in range(3)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["text", "blank", "reasoning", "ask", "end", "tick"]), st.integers(0, 5)
    ),
    max_size=30,
)


@given(
    steps=STEPS,
    can_replace=st.booleans(),
    repaints_all=st.booleans(),
    long=st.booleans(),
    form=st.sampled_from(["text", "markdown", "code", "json"]),
)
def test_whatever_comes_in_whatever_order_is_there_once(
    steps: list[tuple[str, int]], can_replace: bool, repaints_all: bool, long: bool, form: str
) -> None:
    clock = Clock()
    surface = RecordingSurface(can_replace=can_replace, repaints_all=repaints_all)
    screen = Screen(surface, format=form, clock=clock)
    words, thoughts, calls = 0, 0, set()
    for kind, number in steps:
        clock.now += 0.05
        call = ToolCall(str(number), f"tool_{number}", f'{{"n": {number}}}')
        if kind == "text":
            screen.text(f"w{words}; " + "filler text\n" * (300 if long else 0))
            words += 1
        elif kind == "blank":
            screen.text("\n\n")
        elif kind == "reasoning":
            screen.reasoning(f"t{thoughts}; ")
            thoughts += 1
        elif kind == "ask" and number not in calls:
            screen.call(call)
            calls.add(number)
        elif kind == "end" and number in calls:
            screen.call(replace(call, status="ok", result="fine"))
        elif kind == "tick":
            clock.now += 1
            screen.tick()
    screen.finish("complete")
    seen = unfolded_text(surface.html)
    assert [int(n) for n in re.findall(r"\bw(\d+);", seen)] == list(range(words))
    assert sorted(int(n) for n in re.findall(r"\bt(\d+); ", seen)) == list(range(thoughts))
    plain = "\n".join(bundle.get("text/plain", "") for bundle in surface.outputs)
    for text in (seen, plain):
        assert {int(n) for n in re.findall(r"tool_(\d)\(n=", text)} == calls
        assert text.count("tool_") == len(calls)
    assert [int(n) for n in re.findall(r"\bw(\d+);", plain)] == list(range(words))


# The sanitiser drops exceptions of its callback, so such an interrupt has no effect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@given(events=st.integers(1, 6_000), can_replace=st.booleans())
def test_an_interrupt_anywhere_loses_no_call(events: int, can_replace: bool) -> None:
    clock, surface = Clock(), RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, format="text", clock=clock)
    told = 0
    with interrupted_after(events):
        for number in range(12):
            clock.now += 0.1
            screen.text(f"Words {number}.\n")
            screen.call(ToolCall(str(number), f"tool_{number}", "{}"))
            told += 1
            clock.now += 0.1
            screen.call(ToolCall(str(number), f"tool_{number}", "{}", "ok", "fine", 0.1))
    # Content that was already on its way still arrives.
    screen.call(ToolCall("late", "late_tool", "{}", "refused"))
    screen.reasoning("late thought")
    screen.text("late words")
    with interrupted_after(events % 500):
        screen.finish("cancelled")
    screen.finish("cancelled")
    assert surface.html.count("late thought") == 1
    for seen in (unfolded_text(surface.html), surface.plain):
        assert seen.count("late_tool()") == 1
        assert seen.count("late words") == 1
        tools = [int(number) for number in re.findall(r"\btool_(\d+)\(", seen)]
        words = [int(number) for number in re.findall(r"Words (\d+)\.", seen)]
        assert tools in (list(range(told)), list(range(told + 1)))
        assert words in (list(range(told)), list(range(told + 1)))
    assert surface.plain.endswith("\n\nstopped")
    assert surface.html.count("cbai-footer") == 1


def test_after_an_interrupted_paint_nothing_is_painted_before_the_end(clock: Clock) -> None:
    class Interrupted(RecordingSurface):
        def paint(self, slots: Mapping[int, Bundle]) -> None:
            super().paint(slots)
            if "get_weather" in self.html and "stopped" not in self.html:
                raise KeyboardInterrupt

    surface = Interrupted(can_replace=False)
    screen = Screen(surface, clock=clock)
    screen.text("Let me look.")
    with pytest.raises(KeyboardInterrupt):
        screen.call(ASKED)
    sent = len(surface.messages)
    screen.text("It rains.")
    screen.call(ToolCall("c2", "lookup", "{}"))
    assert len(surface.messages) == sent
    screen.finish("cancelled")
    assert surface.plain == (
        'Let me look.\n\n▸ get_weather(city="Paris") · stopped\n\n'
        "It rains.\n\n▸ lookup() · stopped\n\nstopped"
    )


# Calls in a terminal.


def test_a_terminal_gets_a_line_when_a_call_starts_and_one_when_it_ends() -> None:
    stream = io.StringIO()
    screen = Screen(TerminalSurface(stream))
    screen.text("Let me look.")
    screen.call(ASKED)
    screen.call(replace(ASKED, status="asking"))
    screen.call(ASKED)
    screen.call(DONE)
    screen.text("\n\n")
    screen.text("It rains.")
    screen.finish("complete")
    assert stream.getvalue() == (
        'Let me look.\n▸ get_weather(city="Paris") …\n▸ get_weather(city="Paris") · 0.30 s\n'
        "\nIt rains.\n"
    )


def test_a_terminal_is_told_which_calls_were_stopped() -> None:
    stream = io.StringIO()
    screen = Screen(TerminalSurface(stream))
    screen.call(ASKED)
    screen.call(replace(ASKED, id="c2", name="lookup"))
    screen.call(DONE)
    screen.finish("cancelled")
    assert stream.getvalue().splitlines()[-2:] == [
        '▸ lookup(city="Paris") · stopped',
        "stopped",
    ]


def test_a_terminal_obeys_no_tool() -> None:
    stream = io.StringIO()
    screen = Screen(TerminalSurface(stream))
    screen.call(ToolCall("c1", "a\x1b[2Jb\nc", '{"x\x07": "\\u001b[31m\\n"}', "ok", "\x1b[2J"))
    screen.finish("complete")
    assert not re.search("[\x00-\x09\x0b-\x1f\x9b]", stream.getvalue())
    assert stream.getvalue().count("\n") == 2


def test_an_output_that_many_steps_share_is_not_sent_for_each_of_them(clock: Clock) -> None:
    def sent(steps: int) -> int:
        surface = RecordingSurface()
        screen = Screen(surface, clock=clock)
        for number in range(steps):
            call = ToolCall(str(number), "f", "{}")
            screen.call(call)
            clock.now += 0.05
            screen.call(replace(call, status="ok", result="1"))
            screen.text("Next.\n\n")
        screen.finish("complete")
        assert surface.html.count("<details") == steps
        return surface.wire_bytes

    assert sent(800) < 3 * sent(400)
