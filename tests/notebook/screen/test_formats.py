"""The formats in which an answer is shown."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.notebook.screen import Screen
from tests.notebook.screen.recording import Clock, RecordingSurface, play, tokens


def visible_text(bundle_html: str) -> str:
    """Return the text that a reader sees, without any element."""
    return unescape(re.sub("<[^>]*>", "", bundle_html))


def answer(
    source: str, form: str, *, status: str = "complete", pieces: int = 20, can_replace: bool = True
) -> RecordingSurface:
    clock, surface = Clock(), RecordingSurface(can_replace=can_replace)
    screen = Screen(surface, format=form, clock=clock)
    play(screen, clock, tokens(source, pieces), per_s=20)
    screen.finish(status)  # type: ignore[arg-type]
    return surface


def test_text_is_shown_as_it_was_written() -> None:
    source = "# not a heading\n  **stars**  <b>tags</b> & $x$\n\n\tend"
    surface = answer(source, "text")
    assert visible_text(surface.html).strip("\n") == source
    assert "<b>" not in surface.html
    assert "pre-wrap" in surface.html
    assert "mathjax_ignore" in surface.html
    assert set(surface.outputs[0]) == {"text/html", "text/plain"}


def test_text_keeps_a_first_empty_line() -> None:
    surface = answer("\n\nindented", "text")
    # HTML parsers drop one newline after the tag.
    assert ">\n\n\nindented" in surface.html


def test_text_is_sealed_in_whole_lines() -> None:
    source = "".join(f"line {number} of a longer text\n" for number in range(1000))
    surface = answer(source, "text", pieces=300, can_replace=False)
    assert len(surface.outputs) > 5
    for bundle in surface.outputs[:-1]:
        assert bundle["text/plain"].endswith("\n")
    assert "".join(bundle["text/plain"] for bundle in surface.outputs) == source.rstrip("\n")


def test_code_is_unwrapped_from_its_fence() -> None:
    source = "```python\ndef f():\n    return 1\n```\n"
    surface = answer(source, "code")
    assert visible_text(surface.html).strip() == "def f():\n    return 1"
    assert surface.outputs[0]["text/plain"].strip() == "def f():\n    return 1"
    for message in surface.messages:
        assert "`" not in visible_text(message["text/html"])


def test_code_of_a_cut_stream_is_unwrapped_too() -> None:
    surface = answer("```python\ndef f():\n    ret", "code", status="partial")
    assert visible_text(surface.html).lstrip().startswith("def f():\n    ret")


def test_an_answer_with_more_than_one_block_is_code_as_it_is() -> None:
    source = "```python\na = 1\n```\nand then\n```python\nb = 2\n```"
    surface = answer(source, "code")
    assert visible_text(surface.html).strip() == source


def test_text_behind_a_long_block_brings_its_fence_back() -> None:
    code = "".join(f"value_{number} = {number}\n" for number in range(600))
    source = f"```python\n{code}```\nThat was all.\n"
    surface = answer(source, "code", pieces=300, can_replace=False)
    assert len(surface.outputs) > 3
    seen = "".join(bundle["text/plain"] for bundle in surface.outputs)
    assert re.sub(r"\n+", "\n", seen).strip() == source.strip()
    assert surface.outputs[0]["text/plain"].startswith("```python\n")


def test_long_code_is_sealed_and_loses_its_fence() -> None:
    code = "".join(f"value_{number} = {number}\n" for number in range(600))
    surface = answer(f"```python\n{code}```\n", "code", pieces=300, can_replace=False)
    assert len(surface.outputs) > 3
    assert "".join(bundle["text/plain"] for bundle in surface.outputs).strip() == code.strip()


def test_a_fence_that_closes_where_a_part_is_sealed_is_not_shown() -> None:
    code = "value = 1  # a line of code\n" * 60
    clock, surface = Clock(), RecordingSurface(can_replace=False)
    screen = Screen(surface, format="code", clock=clock)
    screen.reasoning("Hm.")
    for text in (f"```python\n{code}```\n", "\n"):
        screen.text(text)
        clock.now += 1
        screen.tick()
    screen.finish("complete")
    assert all("`" not in visible_text(message["text/html"]) for message in surface.messages)
    assert surface.plain.strip() == code.strip()


def test_code_without_a_fence_is_code() -> None:
    surface = answer("x = '```'\ny = 2", "code")
    assert visible_text(surface.html).strip() == "x = '```'\ny = 2"
    assert "<span" in surface.html


def test_json_is_indented_at_the_end() -> None:
    surface = answer('{"city":"西安","people":[12952907,1.5,null]}', "json")
    assert json.loads(surface.outputs[0]["text/plain"]) == {
        "city": "西安",
        "people": [12952907, 1.5, None],
    }
    assert visible_text(surface.html).lstrip().startswith('{\n  "city": "西安",')


def test_json_in_a_fence_is_json() -> None:
    surface = answer('```json\n{"a": 1}\n```', "json")
    assert visible_text(surface.html).strip() == '{\n  "a": 1\n}'


def test_json_is_shown_while_it_comes() -> None:
    clock, surface = Clock(), RecordingSurface()
    screen = Screen(surface, format="json", clock=clock)
    screen.text('{"a": [1, 2')
    assert visible_text(surface.html).strip() == '{"a": [1, 2'


def test_what_is_not_json_is_shown_as_text_with_a_word_about_it() -> None:
    surface = answer("Sure! Here it is: {a: 1} <b>", "json")
    seen = visible_text(surface.html)
    assert "Sure! Here it is: {a: 1} <b>" in seen
    assert "The answer is not valid JSON (line 1, column 1), so it is shown as text." in seen
    assert "not valid JSON" in surface.plain


def test_json_that_was_cut_is_not_called_invalid() -> None:
    surface = answer('{"a": [1,', "json", status="cancelled")
    assert '{"a": [1,' in visible_text(surface.html)
    assert "not valid" not in surface.html


def test_long_json_is_one_output_and_bounded_while_it_comes() -> None:
    source = json.dumps([{"number": number, "text": "x" * 20} for number in range(1000)])
    surface = answer(source, "json", pieces=500, can_replace=False)
    assert len(source) > 40_000
    assert len(surface.outputs) == 1
    assert json.loads(surface.outputs[0]["text/plain"]) == json.loads(source)
    assert all(len(visible_text(message["text/html"])) < 4100 for message in surface.messages[:-1])


def test_deeply_nested_json_is_shown_as_text() -> None:
    surface = answer("[" * 100_000, "json", pieces=5)
    assert "not valid JSON" in surface.html or "[[[" in visible_text(surface.html)


@settings(max_examples=40)
@given(st.text(alphabet="`~\n ab<&\r", max_size=60), st.sampled_from(["text", "code"]))
def test_no_text_is_lost_and_none_is_markup(source: str, form: str) -> None:
    surface = answer(source, form, status="partial", pieces=7)
    assert not re.search(r"<[ab]\b", surface.html)
    letters = re.sub("[^ab]", "", source)
    plain = surface.plain.replace("incomplete", "")
    opening = re.sub("[^ab]", "", source.lstrip("\n").split("\n")[0])
    assert re.sub("[^ab]", "", plain) in {letters, letters[len(opening) :]}


HOSTILE = "<script>1</script><img src='http://127.0.0.1:9/x'>"


@pytest.mark.parametrize("form", ["markdown", "text", "code", "json"])
@pytest.mark.parametrize(
    "source",
    [HOSTILE, f"```{HOSTILE}\n{HOSTILE}\n```", f'{{"a": "{HOSTILE}"}}', f"```\n```\n{HOSTILE}"],
)
def test_no_form_lets_a_hostile_answer_through(form: str, source: str) -> None:
    surface = answer(source, form)
    for message in surface.messages:
        found = message.get("text/html", "").lower()
        assert "<script" not in found
        assert not re.search(r"<img[^>]*src=.http", found)
