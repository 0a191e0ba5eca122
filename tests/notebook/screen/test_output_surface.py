"""An answer in a real Output widget."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets
import pytest

from cbai_notebook.conversation import ToolCall
from cbai_notebook.notebook.screen import Facts, OutputSurface, Screen
from tests.notebook.screen.recording import Clock, markdown, play, tokens


@pytest.fixture
def output() -> ipywidgets.Output:
    return ipywidgets.Output()


@pytest.fixture
def sent(output: ipywidgets.Output) -> list[tuple[dict[str, Any], ...]]:
    """Return a list of all values of the trait; each is one message to the browser."""
    values: list[tuple[dict[str, Any], ...]] = []
    output.observe(lambda change: values.append(change["new"]), "outputs")
    return values


def data(output: ipywidgets.Output) -> list[dict[str, str]]:
    assert all(record["output_type"] == "display_data" for record in output.outputs)
    return [record["data"] for record in output.outputs]


def test_the_answer_replaces_what_was_there(output: ipywidgets.Output) -> None:
    output.outputs = ({"output_type": "stream", "name": "stdout", "text": "old"},)
    screen = Screen(OutputSurface(output), format="text")
    screen.text("new")
    assert "new" in data(output)[0]["text/html"]
    assert len(output.outputs) == 1


def test_the_answer_ends_as_one_output_in_every_form(output: ipywidgets.Output) -> None:
    clock = Clock()
    screen = Screen(OutputSurface(output), clock=clock)
    source = markdown(9000)
    play(screen, clock, tokens(source, 900), per_s=60)
    assert len(output.outputs) > 3
    assert all(set(bundle) == {"text/html"} for bundle in data(output))
    screen.finish("complete", footer=Facts(label="local"))
    (whole,) = data(output)
    assert whole["text/markdown"] == source
    assert "local" in whole["text/html"]


def test_a_long_answer_ends_with_every_form_of_every_part(output: ipywidgets.Output) -> None:
    clock = Clock()
    screen = Screen(OutputSurface(output), clock=clock)
    source = markdown(30_000)
    play(screen, clock, tokens(source, 3000), per_s=100)
    screen.finish("complete")
    assert "".join(bundle["text/markdown"] for bundle in data(output)) == source


def test_a_paint_is_one_message(
    output: ipywidgets.Output, sent: list[tuple[dict[str, Any], ...]]
) -> None:
    screen = Screen(OutputSurface(output))
    screen.text(markdown(9000))
    assert len(sent) == 1
    assert len(sent[0]) > 2


def test_what_travels_grows_evenly_with_the_answer() -> None:
    def characters(length: int) -> int:
        output, clock, total = ipywidgets.Output(), Clock(), 0

        def add(change: Any) -> None:
            nonlocal total
            total += sum(len(text) for record in change["new"] for text in record["data"].values())

        output.observe(add, "outputs")
        screen = Screen(OutputSurface(output), format="text", clock=clock)
        play(screen, clock, ["a line of the answer \n"] * (length // 22), per_s=60)
        screen.finish("complete")
        return total

    assert characters(100_000) / 10 <= 2 * characters(10_000)


def test_it_works_from_a_background_thread(output: ipywidgets.Output) -> None:
    screen = Screen(OutputSurface(output), format="text")

    def answer() -> None:
        screen.text("from a thread")
        screen.finish("complete")

    thread = threading.Thread(target=answer)
    thread.start()
    thread.join()
    assert data(output)[0]["text/plain"] == "from a thread"


def test_a_short_answer_ends_in_every_form(output: ipywidgets.Output) -> None:
    screen = Screen(OutputSurface(output), format="text")
    screen.text("one")
    assert set(data(output)[0]) == {"text/html"}
    screen.finish("complete")
    assert set(data(output)[0]) == {"text/html", "text/plain"}


def test_calls_stand_between_the_words(output: ipywidgets.Output) -> None:
    screen = Screen(OutputSurface(output), format="text")
    screen.text("Let me look.")
    screen.call(ToolCall("c1", "get_weather", '{"city": "Paris"}'))
    assert len(output.outputs) == 2
    screen.call(ToolCall("c1", "get_weather", '{"city": "Paris"}', "ok", "12 °C", 0.3))
    screen.text("It rains.")
    assert [kind for bundle in data(output) for kind in bundle] == ["text/html"] * 3
    screen.finish("complete")
    assert data(output)[0]["text/plain"] == (
        'Let me look.\n\n▸ get_weather(city="Paris") · 0.30 s\n\nIt rains.'
    )
