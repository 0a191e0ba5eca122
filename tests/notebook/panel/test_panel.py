"""The panel in Python: its requests, its messages, its widgets, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TypedDict

import pytest
from ipywidgets import Box, Output

import cbai_notebook as cbai
from cbai_notebook.bridge import background_loop, submit
from cbai_notebook.client.stream import TextStream
from cbai_notebook.conversation import Conversation, Prompt, ask, names, prepare, prepare_drawing
from cbai_notebook.conversation.ask_image import draw
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.errors import CbaiError, SecretRefusedError, UsageError
from cbai_notebook.notebook.panel.transcript import bundle
from tests.conversation.turns import conversation, turn
from tests.gateway import Gateway, Scenario
from tests.gateway.payloads import streamed
from tests.gateway.tools import Call, calling
from tests.notebook.panel.panels import converse, eventually, shown

_numbers = itertools.count(1)


pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def panel() -> Iterator[cbai.ChatPanel]:
    made = cbai.ChatPanel(f"panel-{next(_numbers)}")
    yield made
    made.close()


def test_a_prompt_is_answered_and_shown(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("say:It is *blue*.")
    converse(panel, "What colour is the <sky>?")
    assert [message["content"] for message in panel.messages] == [
        "What colour is the <sky>?",
        "It is *blue*.",
    ]
    eventually(lambda: "<em>blue</em>" in shown(panel.widget))
    assert "What colour is the &lt;sky&gt;?" in shown(panel.widget)


def test_a_long_answer_is_many_outputs_and_whole(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    words = [f"word{number}" for number in range(6_000)]
    paragraphs = (" ".join(words[start : start + 20]) + "\n\n" for start in range(0, 6_000, 20))
    gateway.always(Scenario(text=tuple(paragraphs), rate=200))
    conversation = panel.widget.children[1].children[0]
    converse(panel, "go on")
    eventually(lambda: "Regenerate" in shown(panel.widget))
    (turn,) = (part for part in conversation.children if isinstance(part, Box))
    answers = [part for part in turn.children if isinstance(part, Output)]
    assert 5 < len(answers) <= 121
    assert not any("cbai-open" in answer._dom_classes for answer in answers)
    assert re.findall(r"word\d+", "".join(map(shown, answers))) == words


def test_a_blank_prompt_and_a_second_one_do_nothing(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.always("english+hang:3")
    assert panel.send("  \n") is False
    assert panel.send("first") is True
    assert panel.isLoading
    assert panel.send("second") is False
    gateway.wait_until(lambda: gateway.requests)
    panel.stop()
    eventually(lambda: not panel.isLoading)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("stage", ["headers", "body", "3"])
def test_stopping_ends_the_request_and_keeps_the_turn(
    panel: cbai.ChatPanel, gateway: Gateway, stage: str
) -> None:
    gateway.always(f"english+hang:{stage}")
    panel.send("go on")
    gateway.wait_until(lambda: gateway.requests)
    if stage == "3":
        eventually(lambda: panel.messages[-1]["content"])
    panel.stop()
    eventually(lambda: not panel.isLoading)
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert panel.messages[-1]["status"] == "cancelled"
    assert panel.messages[0]["content"] == "go on"


def test_stopping_at_once_keeps_the_prompt(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("english+hang:headers")
    panel.send("go on")
    panel.stop()
    eventually(lambda: not panel.isLoading)
    assert [message["status"] for message in panel.messages] == ["complete", "cancelled"]


def test_the_next_prompt_goes_while_a_stopped_one_cleans_up(
    panel: cbai.ChatPanel, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing, may_close = threading.Event(), asyncio.Event()
    close = TextStream.aclose

    async def slow(self: TextStream) -> None:
        first = not closing.is_set()
        closing.set()
        while first and not may_close.is_set():  # it swallows every stop
            with contextlib.suppress(asyncio.CancelledError):
                await may_close.wait()
        await close(self)
        if first:
            raise ValueError("too late")

    monkeypatch.setattr(TextStream, "aclose", slow)
    gateway.script("say:one two three+hang:1", "say:four five six+hang:1")
    widget = panel.widget
    panel.send("Count")
    eventually(lambda: panel.messages and panel.messages[-1]["content"])
    panel.stop()
    assert closing.wait(60)
    eventually(lambda: not panel.isLoading)
    assert panel.messages[-1]["status"] == "cancelled"
    eventually(lambda: "stopped" in shown(widget))
    assert panel.send("Go on")
    eventually(lambda: panel.messages[-1]["content"] == "four")
    background_loop().call_soon_threadsafe(may_close.set)
    gateway.wait_until(lambda: gateway.requests[0].disconnected)
    assert panel.isLoading  # the end of the first prompt is not that of the second
    panel.stop()
    eventually(lambda: not panel.isLoading)
    assert [(message["content"], message["status"]) for message in panel.messages] == [
        ("Count", "complete"),
        ("one", "cancelled"),
        ("Go on", "complete"),
        ("four", "cancelled"),
    ]


@pytest.mark.parametrize("fault", ["error:404:AI_MODEL_NOT_FOUND", "midstream-error:3", "cut:4"])
def test_a_failure_ends_loading_and_can_be_retried(
    panel: cbai.ChatPanel, gateway: Gateway, fault: str
) -> None:
    gateway.always(fault)
    converse(panel, "please")
    error = panel.messages[-1]["error"]
    assert error
    eventually(lambda: "cbai-problem" in shown(panel.widget))
    gateway.always("say:yes")
    assert panel.regenerate()
    eventually(lambda: not panel.isLoading)
    assert [message["content"] for message in panel.messages] == ["please", "yes"]
    eventually(lambda: "cbai-problem" not in shown(panel.widget))


def test_regenerating_sends_what_stood_before_and_keeps_the_first_answer(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.script("say:1", "say:2", "say:2 again")
    for prompt in ("a", "b"):
        converse(panel, prompt)
    assert panel.regenerate()
    eventually(lambda: not panel.isLoading)
    assert [message["content"] for message in gateway.last.json["messages"]] == ["a", "1", "b"]
    turn = panel.conversation.turns[-1]
    assert [each.text for each in panel.conversation.alternatives(turn)] == ["2", "2 again"]
    eventually(lambda: "2/2" in shown(panel.widget))


def test_another_model_answers_the_last_prompt_too(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("say:1")
    converse(panel, "a")
    converse(panel, "b")
    gateway.always("say:2")
    eventually(lambda: shown(panel.widget).count('class="cbai-others"') == 1)
    assert 'data-model="cloudbase/hy3"' not in shown(panel.widget), "it has answered already"
    assert 'data-model="deepseek/deepseek-v4-pro"' in shown(panel.widget)
    assert panel.ask_model("deepseek/deepseek-v4-pro")
    eventually(lambda: not panel.isLoading)
    assert gateway.last.json["model"] == "deepseek-v4-pro"
    assert [message["content"] for message in gateway.last.json["messages"]] == ["a", "1", "b"]
    assert panel.options.model == "", "the next prompt goes to the usual model"
    eventually(lambda: "2/2" in shown(panel.widget))


def test_options_reach_the_wire(gateway: Gateway) -> None:
    panel = cbai.ChatPanel(
        Conversation("options"), model="moonshot/some-model", system="Be brief.", temperature=0.2
    )
    converse(panel, "hello")
    panel.close()
    request = gateway.last
    assert request.provider == "moonshot"
    assert request.json["model"] == "some-model"
    assert request.json["temperature"] == 0.2
    assert request.json["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_secret_is_refused_and_nothing_is_sent(
    panel: cbai.ChatPanel, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TOKEN", "ghp-4Xq9LmZ2w")
    with pytest.raises(SecretRefusedError, match="GIT_TOKEN"):
        panel.send("my token is ghp-4Xq9LmZ2w")
    assert panel.messages == []
    assert not panel.isLoading
    assert gateway.requests == []


def test_a_turn_made_elsewhere_appears(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("say:from elsewhere")
    other = cbai.ChatPanel(panel.conversation)
    assert "from elsewhere" not in shown(panel.widget)
    converse(other, "hello")
    eventually(lambda: "from elsewhere" in shown(panel.widget))
    other.close()


def test_a_repaired_answer_stands_alone(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    widget = panel.widget
    gateway.script('say:{"people": "many"}', 'say:{"people": 17}')
    question = Prompt("Shenzhen", options={"response_type": TypedDict("City", {"people": int})})
    cbai.run(ask(prepare(panel.conversation, question, model=cbai.create_model("cloudbase"))))
    assert len(gateway.requests) == 2
    eventually(lambda: "17" in shown(widget) and "many" not in shown(widget))
    converse(panel, "Go on")
    eventually(lambda: shown(widget).count("cbai-facts") == 2)


def test_an_answer_that_was_all_reasoning_says_so(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always(Scenario(text="", reasoning="Let me think about it.", finish_reason="length"))
    widget = panel.widget
    converse(panel, "What now?")
    eventually(lambda: shown(widget).count("only reasoning came") == 1)
    again = cbai.ChatPanel(panel.conversation)
    eventually(lambda: shown(again.widget).count("only reasoning came") == 1)
    again.close()


def test_a_drawing_is_not_asked_of_a_chat_model_again(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    widget = panel.widget
    gateway.script(Scenario(), "error:404:AI_MODEL_NOT_FOUND")
    model = cbai.create_image_model()
    cbai.run(draw(prepare_drawing(panel.conversation, Prompt("A cat"), model=model)))
    with pytest.raises(CbaiError):
        cbai.run(draw(prepare_drawing(panel.conversation, Prompt("A dog"), model=model)))
    eventually(lambda: "A dog" in shown(widget) and "Drew an image" in shown(widget))
    for action in ("again", "retry"):
        assert f'data-cbai="{action}"' not in shown(widget)
    gateway.always("say:A cat says miaow.")
    converse(panel, "What does it say?")
    eventually(lambda: 'data-cbai="again"' in shown(widget))


def test_switching_conversations_lets_the_answer_go_on(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.always("english+paced:400")
    first = panel.conversation
    panel.send("long")
    gateway.wait_until(lambda: gateway.requests)
    panel.new_conversation()
    assert not panel.isLoading
    assert panel.messages == []
    gateway.always("say:short")
    converse(panel, "quick")
    panel.use(first)
    eventually(lambda: not panel.isLoading)
    assert panel.messages[-1]["status"] == "complete"
    eventually(lambda: "In short" in shown(panel.widget))
    assert "quick" not in shown(panel.widget)


def test_old_turns_are_folded_away(gateway: Gateway) -> None:
    gateway.always("say:ok")
    talk = Conversation("long")
    filler = cbai.ChatPanel(talk)
    for number in range(25):
        converse(filler, f"prompt {number}.")
    filler.close()
    panel = cbai.ChatPanel(talk)
    eventually(lambda: "prompt 24." in shown(panel.widget))
    assert "prompt 4." not in shown(panel.widget)
    assert "(5 hidden)" in shown(panel.widget)
    panel.close()


def test_what_was_not_sent_is_said(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("say:yes")
    cbai.configure(history_turns=1)
    try:
        for prompt in ("one", "two", "three"):
            converse(panel, prompt)
    finally:
        cbai.configure(history_turns=None)
    assert [message["content"] for message in gateway.last.json["messages"]] == [
        "two",
        "yes",
        "three",
    ]
    eventually(lambda: "1 earlier turn not sent" in shown(panel.widget))


def test_hostile_text_stays_text(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("say:<img src=x onerror=alert(1)> <script>alert(2)</script>")
    converse(panel, "<script>alert(3)</script>")
    eventually(lambda: "cbai-source" in shown(panel.widget))
    markup = shown(panel.widget)
    assert "<script" not in markup
    assert "<img" not in markup


def test_closing_ends_everything_and_is_said(gateway: Gateway) -> None:
    gateway.always("english+hang:3")
    panel = cbai.ChatPanel(Conversation("closing"))
    root = panel.widget
    panel.send("go on")
    gateway.wait_until(lambda: gateway.requests)
    panel.close()
    panel.close()
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert root.comm is None
    eventually(lambda: not asyncio.all_tasks(background_loop()))
    assert panel.send("more") is False
    with pytest.raises(UsageError, match="closed"):
        _ = panel.widget


def test_the_draft_can_be_read_and_written(panel: cbai.ChatPanel) -> None:
    panel.inputValue = "half a thou"
    composer = panel.widget.children[-1]
    assert composer.draft == "half a thou"
    composer.draft = "half a thought"
    assert panel.inputValue == "half a thought"


def test_outside_a_notebook_it_says_how_to_chat(
    panel: cbai.ChatPanel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "%cbai Hello" in repr(panel)
    panel._ipython_display_()
    assert "%cbai Hello" in capsys.readouterr().out


def test_a_data_frame_has_the_columns_even_when_nothing_was_said(panel: cbai.ChatPanel) -> None:
    assert list(panel.to_pandas().columns[:4]) == ["conversation", "turn", "role", "content"]


def test_a_panel_that_is_shown_again_has_what_came_meanwhile(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.always("tokens:20+hold:5")
    running = submit(ask(prepare(panel.conversation, Prompt(text="Hi"))))
    eventually(lambda: "How a hash" in shown(panel.widget))
    from_page(panel, "gone")
    from_page(panel, "shown")
    gateway.let_go()
    assert running.result().text.endswith("keeps pairs of ")
    eventually(lambda: "keeps pairs of" in shown(panel.widget))
    eventually(lambda: "Answering" not in shown(panel.widget))


def test_a_panel_whose_output_is_deleted_shows_later_that_its_answer_was_stopped(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.always("tokens:20+hold:5")
    assert panel.send("Hi")
    eventually(lambda: "How a hash" in shown(panel.widget))
    from_page(panel, "gone")
    from_page(panel, "shown")
    eventually(lambda: 'lang="en">stopped' in shown(panel.widget))
    assert "Answering" not in shown(panel.widget)


def from_page(panel: cbai.ChatPanel, kind: str) -> None:
    """Send what the page tells when a panel appears, or when its last place has gone."""
    composer = panel.widget.children[2]
    composer._handle_custom_msg({"type": kind, "language": "en"}, [])


def test_a_click_answers_the_call_of_its_own_turn(gateway: Gateway) -> None:
    dropped = []

    @cbai.tool(confirm=True)
    def drop(path: str) -> str:
        """Delete a file."""
        dropped.append(path)
        return "gone"

    panels = [cbai.ChatPanel(f"asks-{next(_numbers)}", tools=[drop]) for _ in range(2)]
    try:
        # Both models give their first call the same id.
        for panel, path in zip(panels, ("one.csv", "two.csv"), strict=True):
            gateway.script(calling(Call("drop", {"path": path}, id="call_0")))
            assert panel.send("Clean up")
            eventually(lambda panel=panel: "Run it" in shown(panel.widget))
        gateway.always("say:Done.")
        first, second = panels
        click(first, "allow")
        eventually(lambda: not first.isLoading)
        assert dropped == ["one.csv"]
        assert second.isLoading
        click(second, "refuse")
        eventually(lambda: not second.isLoading)
        assert dropped == ["one.csv"]
    finally:
        for panel in panels:
            panel.close()


def test_a_question_appears_whenever_the_page_is_written(gateway: Gateway) -> None:
    @cbai.tool(confirm=True)
    def drop(path: str) -> str:
        """Delete a file."""
        return path

    panel = cbai.ChatPanel(f"asks-{next(_numbers)}", tools=[drop])
    talk = panel.conversation
    ended = threading.Event()

    async def write_all_the_time() -> None:
        while not ended.is_set():
            for asked in talk.turns:
                talk.grow(asked, "", "")
            await asyncio.sleep(0)

    gateway.script(calling(Call("drop", {"path": "one.csv"})))
    writers = [
        asyncio.run_coroutine_threadsafe(write_all_the_time(), background_loop()) for _ in range(3)
    ]
    try:
        assert panel.send("Clean up")
        eventually(lambda: "Run it" in shown(panel.widget))
    finally:
        ended.set()
        for writer in writers:
            writer.result()
        panel.close()


def test_a_question_says_how_much_of_a_call_it_does_not_show(gateway: Gateway) -> None:
    @cbai.tool(confirm=True)
    def drop(path: str) -> str:
        """Delete a file."""
        return path

    panel = cbai.ChatPanel(f"asks-{next(_numbers)}", tools=[drop])
    gateway.script(calling(Call("drop", json.dumps({"path": "x" * 2_500}))), "say:Done.")
    try:
        assert panel.send("Clean up")
        eventually(lambda: "⟨1,701 characters left out⟩" in shown(panel.widget))
        assert "⟨省略 1,701 个字符⟩" in shown(panel.widget)
    finally:
        panel.close()


def click(panel: cbai.ChatPanel, action: str) -> None:
    """Send the message of a click on the only button with an action."""
    (button,) = re.findall(f'data-cbai="{action}"[^>]*', shown(panel.widget))
    turn, call = re.findall(r'data-(?:turn|call)="([^"]*)"', button)
    message = {"type": "act", "action": action, "turn": turn, "call": call}
    composer = panel.widget.children[2]
    composer._handle_custom_msg(message, [])


CUT = Scenario(text="Once upon a", finish_reason="length")


def act(panel: cbai.ChatPanel, action: str) -> None:
    """Click a button of the last turn, as the page does."""
    key = re.findall(r'data-turn="(t\d+)"', shown(panel.widget))[-1]
    message = {"type": "act", "action": action, "turn": key, "call": None}
    panel.widget.children[2]._handle_custom_msg(message, [])


def show_on_page(panel: cbai.ChatPanel, language: str) -> None:
    """Tell the panel that a page in a language shows it."""
    panel.widget.children[2]._handle_custom_msg({"type": "shown", "language": language}, [])


def test_a_cut_answer_is_continued_by_its_button(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.script(CUT, Scenario(text=" time."))
    widget = panel.widget
    converse(panel, "Tell")
    eventually(lambda: "cut at the token limit" in shown(widget))
    assert 'data-cbai="continue"' in shown(widget)
    act(panel, "continue")
    eventually(lambda: panel.messages[-1]["content"] == "Once upon a time.")
    eventually(
        lambda: 'data-cbai="continue"' not in shown(widget) and "cbai-facts" in shown(widget)
    )
    assert shown(widget).count("Once upon a time.") == 2, "the answer, and its source for copying"
    assert "2/2" in shown(widget)
    with pytest.raises(UsageError, match="nothing to continue"):
        panel.continue_answer()
    assert len(gateway.requests) == 2


def test_a_stopped_and_a_broken_answer_have_the_button_too(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.script("say:one two three four+cut:2", "say:five six+hang:1", Scenario(text=" seven"))
    widget = panel.widget
    converse(panel, "Count")
    eventually(lambda: 'data-cbai="continue"' in shown(widget) and "cbai-problem" in shown(widget))
    assert panel.continue_answer()
    eventually(lambda: "five" in panel.messages[-1]["content"])
    panel.stop()
    eventually(lambda: not panel.isLoading)
    eventually(lambda: "stopped" in shown(widget) and 'data-cbai="continue"' in shown(widget))
    so_far = panel.messages[-1]["content"]
    assert panel.continue_answer()
    eventually(lambda: panel.messages[-1]["content"] == so_far + " seven" and not panel.isLoading)


def test_the_parts_of_a_continued_answer_keep_their_order(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    def look() -> str:
        """Look outside."""
        return "sun"

    gateway.script(
        calling(Call("look"), text="Let me see."), CUT, Scenario(text=" time.", rate=200)
    )
    panel.set_options(replace(panel.options, client={"tools": [look]}))
    widget = panel.widget
    converse(panel, "Tell")
    assert panel.continue_answer()
    eventually(lambda: panel.messages[-1]["content"] == "Once upon a time." and not panel.isLoading)
    eventually(lambda: "cbai-facts" in shown(widget) and "cbai-thinking" not in shown(widget))
    page = shown(widget).partition("<pre hidden")[0]
    places = [page.index(words) for words in ("Let me see.", "look()", "Once upon a time.")]
    assert places == sorted(places)
    assert [page.count(words) for words in ("Let me see.", "look()", "Once upon a time.")] == [
        1
    ] * 3


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        (streamed({"refusal": "I cannot do it."}), "model&#x27;s refusal"),
        (Scenario(text="Well,", finish_reason="content_filter"), "content filter"),
        (Scenario(text="Whole.", done=False), "end mark"),
    ],
)
def test_how_an_answer_ended_is_told(
    panel: cbai.ChatPanel, gateway: Gateway, scenario: Scenario, told: str
) -> None:
    gateway.script(scenario)
    widget = panel.widget
    converse(panel, "Help")
    eventually(lambda: told in shown(widget))
    assert 'data-cbai="continue"' not in shown(widget)
    assert "is empty" not in shown(widget)


def test_half_a_character_is_told_and_stored_as_sent(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.always("echo")
    widget = panel.widget
    converse(panel, "x\ud800y")
    eventually(lambda: "half of a character" in shown(widget))
    assert [message["content"] for message in panel.messages] == ["x\ufffdy", "x\ufffdy"]


@pytest.mark.parametrize(
    ("language", "told"), [("en", "cut at the token limit"), ("zh", "达到词元上限")]
)
def test_the_saved_transcript_tells_how_an_answer_ended(
    language: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CBAI_LANGUAGE", language)
    talk = conversation(turn("Tell", "Once upon a", finish_reason="length"))
    assert told in bundle(talk, "a-panel")["text/html"]


def test_an_open_panel_follows_a_language_that_is_configured(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.script(Scenario(text="Hello", reasoning=("I think",)))
    widget = panel.widget
    bar, _, composer = widget.children
    converse(panel, "Hi")
    eventually(lambda: "Reasoning</small>" in shown(widget))
    try:
        cbai.configure(language="zh")
        eventually(lambda: "思考过程</small>" in shown(widget))
        assert (bar.language, composer.language) == ("zh", "zh")
    finally:
        cbai.configure(language=None)
    eventually(lambda: "Reasoning</small>" in shown(widget))
    assert (bar.language, composer.language) == ("", "")


def test_a_panel_says_all_words_in_the_language_of_its_page(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.script(Scenario(text="Hello", reasoning=("I think",)))
    widget = panel.widget
    converse(panel, "Hi")
    eventually(lambda: "Reasoning</small>" in shown(widget))
    try:
        show_on_page(panel, "zh-CN")
        eventually(lambda: "思考过程</small>" in shown(widget))
        assert "Reasoning</small>" not in shown(widget)
    finally:
        show_on_page(panel, "en-US")
        eventually(lambda: "Reasoning</small>" in shown(widget))


def test_an_empty_panel_offers_prompts(gateway: Gateway) -> None:
    own = cbai.ChatPanel(Conversation("empty"), examples=["Is <b> bold?", " "])
    eventually(lambda: "Is &lt;b&gt; bold?" in shown(own.widget))
    assert shown(own.widget).count('data-cbai="example"') == 1
    own.close()
    none = cbai.ChatPanel(Conversation("empty"), examples=())
    eventually(lambda: "What shall we talk about?" in shown(none.widget))
    assert 'data-cbai="example"' not in shown(none.widget)
    none.close()
    usual = cbai.ChatPanel(Conversation("empty"))
    eventually(lambda: shown(usual.widget).count('data-cbai="example"') == 3)
    gateway.always("say:ok")
    converse(usual, "hello")
    eventually(lambda: 'data-cbai="example"' not in shown(usual.widget))
    usual.close()


def test_a_panel_grows_up_to_its_height() -> None:
    panel = cbai.ChatPanel(Conversation("high"), height=900)
    assert panel.widget.layout.max_height == "900px"
    panel.close()
    with pytest.raises(UsageError, match="at least 320"):
        cbai.ChatPanel(height=100)


def test_each_message_has_its_time_and_the_sum_stands_there_once(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.always("say:ok")
    widget = panel.widget
    composer = widget.children[2]
    converse(panel, "one")
    eventually(lambda: shown(widget).count('<time class="cbai-time"') == 2)
    assert composer.tokens == 0, "the line under the only answer says the same"
    converse(panel, "two")
    eventually(lambda: composer.tokens > 0)
    assert shown(widget).count('<time class="cbai-time"') == 4


def test_a_message_of_another_day_has_its_date() -> None:
    talk = conversation(turn("Long ago", "Yes."))
    panel = cbai.ChatPanel(talk)
    day = in_zone(talk.turns[0].created_at)
    eventually(lambda: f">{day:%Y-%m-%d %H:%M}</time>" in shown(panel.widget))
    panel.close()


def test_the_versions_stand_at_the_answer(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.script("say:1", "say:2")
    widget = panel.widget
    converse(panel, "a")
    panel.regenerate()
    eventually(lambda: not panel.isLoading and "2/2" in shown(widget))
    page = shown(widget)
    assert page.index(">2<") < page.index("2/2") < page.index("cbai-source")


def test_an_export_says_where_its_file_is(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("say:ok")
    converse(panel, "a")
    bar, _, composer = panel.widget.children
    with pytest.MonkeyPatch.context() as patch:
        sent: list[dict[str, object]] = []
        patch.setattr(composer, "send", sent.append)
        bar._handle_custom_msg({"type": "export", "form": "markdown"}, [])
    name = f"{panel.conversation.name}.md"
    assert sent == [{"type": "announce", "what": "exported", "values": {"name": name}}]


def from_bar(panel: cbai.ChatPanel, **message: str) -> None:
    """Receive a message of the bar, as the page sends it."""
    panel.widget.children[0]._handle_custom_msg(message, [])


def test_the_picker_offers_the_newest_first_and_can_rename_and_delete(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.always("say:ok")
    first = panel.conversation
    bar = panel.widget.children[0]
    converse(panel, "one")
    from_bar(panel, type="new")
    converse(panel, "How does a hash table work, in detail and with examples?")
    second = panel.conversation
    assert second.name == "How does a hash table work, in"
    both = [second.name, first.name]
    eventually(lambda: [name for name in bar.conversations if name in both] == both)
    from_bar(panel, type="rename", name=first.name, to="renamed")
    assert first.name == "renamed"
    eventually(lambda: "renamed" in bar.conversations)
    from_bar(panel, type="rename", name=second.name, to="renamed")
    eventually(lambda: "cbai-problem" in shown(panel.widget))
    assert second.name == "How does a hash table work, in"
    from_bar(panel, type="pick", name="renamed")
    from_bar(panel, type="delete", name="renamed")
    assert panel.conversation is cbai.chat()
    eventually(lambda: "renamed" not in bar.conversations)
    assert first.turns == ()
    from_bar(panel, type="delete", name=second.name)
    eventually(lambda: second.name not in bar.conversations)


@pytest.mark.parametrize("action", ["pick", "rename", "delete"])
def test_a_name_that_is_gone_makes_no_conversation(panel: cbai.ChatPanel, action: str) -> None:
    shown_before, before = panel.conversation, names()
    from_bar(panel, type=action, name="gone", to="new")
    assert panel.conversation is shown_before
    assert names() == before


def test_a_refused_prompt_names_no_conversation(
    panel: cbai.ChatPanel, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TOKEN", "ghp-4Xq9LmZ2w")
    panel.new_conversation()
    before = panel.conversation.name
    with pytest.raises(SecretRefusedError):
        panel.send("ghp-4Xq9LmZ2w is my token")
    assert panel.conversation.name == before
    gateway.always("say:ok")
    converse(panel, "哈希表是什么？")
    assert panel.conversation.name == "哈希表是什么"
    converse(panel, "And then?")
    assert panel.conversation.name == "哈希表是什么"


def test_the_last_prompt_can_be_taken_back(panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.always("say:ok")
    widget = panel.widget
    converse(panel, "one")
    converse(panel, "two")
    composer = widget.children[2]
    with pytest.MonkeyPatch.context() as patch:
        sent: list[dict[str, object]] = []
        patch.setattr(composer, "send", sent.append)
        composer._handle_custom_msg({"type": "act", "action": "undo"}, [])
    # The end of the answer before may be announced only now.
    given_back = [message for message in sent if message["type"] != "announce"]
    assert given_back == [{"type": "undone", "text": "two", "images": []}]
    assert [message["content"] for message in panel.messages] == ["one", "ok"]
    other = cbai.ChatPanel(panel.conversation)
    other.undo()
    assert other.inputValue == "one"
    assert other.undo() is None
    other.close()


def test_a_comparison_is_taken_back_whole_and_a_draft_stays(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    pytest.importorskip("pandas")
    converse(panel, "one")
    name = panel.conversation.name
    cbai.compare("Hi", models=["say:A", "say:B"], conversation=name, progress=False)
    panel.inputValue = "not sent yet"
    assert panel.undo()
    assert [turn.prompt for turn in panel.conversation.turns] == ["one"]
    assert panel.inputValue == "not sent yet"


def test_an_undo_of_a_new_version_brings_the_one_before_back(
    panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.script("say:first", "say:second", "say:third")
    converse(panel, "one")
    assert panel.regenerate()
    eventually(lambda: not panel.isLoading)
    panel.undo()
    assert [turn.text for turn in panel.conversation.turns] == ["first"]
    assert panel.inputValue == "", "the prompt is still in the conversation"
    assert panel.send("edited", branch_of=panel.conversation.turns[0])
    eventually(lambda: not panel.isLoading)
    panel.undo()
    assert [turn.text for turn in panel.conversation.turns] == ["first"]
    assert panel.inputValue == "edited", "no prompt is lost"
