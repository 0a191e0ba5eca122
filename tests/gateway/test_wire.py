"""The answer is the same for every line end, split and framing."""

from __future__ import annotations

import json
import zlib

import httpx
import pytest

from tests.gateway import Gateway, Scenario, reading
from tests.gateway.answer import Send, Until, answer
from tests.gateway.asking import RawClient, ask, frames
from tests.gateway.events import Ask

PROMPT = "床前明月光 🌙\nis a line of Li Bai’s."


@pytest.mark.parametrize(
    "how",
    [
        "crlf",
        "cr",
        "mixed",
        "crlf-first",
        "bom",
        "comments",
        "multiline",
        "ids",
        "tight",
        "ascii",
        "split:1",
        "split:7",
        "split:3,5,100,101,102",
        "split:utf8",
        "wire-split:1",
        "wire-split:1000",
        "frames:1",
        "frames:100000",
        "framing:length",
        "framing:close",
        "gzip",
        "gzip+split:3",
        "extra-fields",
        "crlf+bom+comments+multiline+ids+split:2",
        "mixed+bom+comments+multiline+ids+tight+ascii+wire-split:5",
    ],
)
def test_the_same_text_arrives(gateway: Gateway, how: str) -> None:
    got = ask(gateway, f"echo+{how}", PROMPT)
    assert reading.joined(got.content) == PROMPT
    assert reading.events(got.content)[-1].data == "[DONE]"


def test_line_ends_are_what_was_asked_for(gateway: Gateway) -> None:
    assert b"\r" not in ask(gateway, "echo").content
    assert b"\n" not in ask(gateway, "echo+cr").content
    crlf = ask(gateway, "echo+crlf").content
    assert crlf.count(b"\r\n") == crlf.count(b"\n") == crlf.count(b"\r")
    first = ask(gateway, "echo+crlf-first").content
    assert first.count(b"\r\n") == first.count(b"\r") == 2
    assert first.index(b"\r\n\r\n") < first.index(b"\n\n")
    mixed = ask(gateway, "echo+mixed").content
    assert {b"\n", b"\r", b"\r\n"} <= set(_ends(mixed))


def _ends(body: bytes) -> list[bytes]:
    return [line[len(line.rstrip(b"\r\n")) :] for line in body.splitlines(keepends=True)]


def test_names_and_ids_are_written(gateway: Gateway) -> None:
    events = reading.events(ask(gateway, "echo+ids").content)
    assert [event.id for event in events] == [str(n + 1) for n in range(len(events))]
    assert {event.event for event in events} == {"message"}


def test_the_last_event_may_lack_its_blank_line(gateway: Gateway) -> None:
    body = ask(gateway, "echo+noblank").content
    assert body.endswith(b"data: [DONE]\n")
    assert not body.endswith(b"\n\n")
    assert reading.events(body)[-1].data != "[DONE]"
    assert reading.events(body, last_without_blank=True)[-1].data == "[DONE]"


def test_done_may_be_missing_or_not_the_last(gateway: Gateway) -> None:
    flood = ask(gateway, "echo+flood:100000").content
    assert len(flood.partition(b"[DONE]")[2]) > 99_000
    assert b"[DONE]" not in ask(gateway, "echo+nodone").content
    assert reading.events(ask(gateway, "echo+after-done").content)[-2].data == "[DONE]"


@pytest.mark.parametrize("size", [1, 2, 50])
def test_packets_have_the_size_asked_for(gateway: Gateway, size: int) -> None:
    with RawClient(gateway) as raw:
        raw.send(f"echo+split:{size}+close")
        packets = frames(raw.read_to_end())
    assert {len(packet) for packet in packets[:-1]} == {size}
    assert len(packets[-1]) <= size


def test_packets_are_cut_at_the_offsets_asked_for(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+split:10,11,200+close")
        packets = frames(raw.read_to_end())
    assert [len(packet) for packet in packets[:3]] == [10, 1, 189]
    assert len(packets) == 4


def test_packets_can_end_inside_every_character(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+split:utf8+close", "床前🌙")
        packets = frames(raw.read_to_end())
    assert len(packets) == 4
    for packet in packets[:-1]:
        with pytest.raises(UnicodeDecodeError):
            packet.decode()
    assert reading.joined(b"".join(packets)) == "床前🌙"


def test_frames_hold_one_event_each_unless_told(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+close", "one two")
        packets = frames(raw.read_to_end())
    assert len(packets) == 6
    assert all(packet.endswith(b"\n\n") for packet in packets)


def test_a_compressed_answer_says_so(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+gzip+close", PROMPT)
        wire = raw.read_to_end()
    assert b"Content-Encoding: gzip" in wire
    assert reading.joined(zlib.decompress(b"".join(frames(wire)), wbits=31)) == PROMPT
    whole = ask(gateway, "echo+gzip", PROMPT, stream=False)
    assert whole.json()["choices"][0]["message"]["content"] == PROMPT


@pytest.mark.parametrize(
    ("how", "header"), [("type:text/plain", "text/plain"), ("type:none", None)]
)
def test_the_content_type_can_be_wrong(gateway: Gateway, how: str, header: str | None) -> None:
    assert ask(gateway, f"echo+{how}").headers.get("content-type") == header


def test_a_stream_can_be_answered_whole_and_the_reverse(gateway: Gateway) -> None:
    assert ask(gateway, "echo+no-stream").json()["object"] == "chat.completion"
    answer_ = ask(gateway, "echo+always-stream", stream=False)
    assert reading.joined(answer_.content) == "hello"


def _usages(response: httpx.Response) -> list[int]:
    return [
        chunk["usage"]["completion_tokens"]
        for chunk in reading.chunks(response.content)
        if "usage" in chunk
    ]


def test_usage_comes_in_every_way_that_providers_have(gateway: Gateway) -> None:
    say = "say:a b c"
    assert _usages(ask(gateway, say)) == [3]
    assert _usages(ask(gateway, f"{say}+usage:absent")) == []
    assert _usages(ask(gateway, f"{say}+usage:repeated")) == [0, 1, 2, 3, 3]
    assert _usages(ask(gateway, f"{say}+usage:zero-first")) == [0, 0, 0, 0, 0, 3]
    assert _usages(ask(gateway, f"{say}+usage:zero-last")) == [3, 0]
    assert _usages(ask(gateway, f"{say}+usage:finish")) == [3]
    assert reading.chunks(ask(gateway, f"{say}+usage:finish").content)[-1]["choices"]
    assert _usages(ask(gateway, f"{say}+usage:asked")) == []
    options = {"include_usage": True}
    assert _usages(ask(gateway, f"{say}+usage:asked", stream_options=options)) == [3]
    assert "usage" not in ask(gateway, f"{say}+usage:absent", stream=False).json()


def test_reasoning_comes_before_beside_or_alone(gateway: Gateway) -> None:
    def fields(model: str) -> list[frozenset[str]]:
        body = ask(gateway, model).content
        return [frozenset(chunk["choices"][0]["delta"]) for chunk in reading.chunks(body)[1:-2]]

    thought, said = frozenset({"reasoning_content"}), frozenset({"content"})
    before = fields("reason+say:a b")
    assert before == [thought] * (len(before) - 2) + [said] * 2
    assert fields("reason-beside+say:a b")[:3] == [thought | said] * 2 + [thought]
    alone = ask(gateway, "reason-only")
    assert reading.joined(alone.content) == ""
    assert reading.joined(alone.content, "reasoning_content")
    assert reading.chunks(alone.content)[-2]["choices"][0]["finish_reason"] == "length"
    whole = ask(gateway, "reason+say:a", stream=False).json()
    assert whole["choices"][0]["message"]["reasoning_content"]
    assert whole["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


def test_texts_have_the_length_asked_for(gateway: Gateway) -> None:
    assert len(reading.joined(ask(gateway, "long:50000").content)) == 50_000
    assert len(ask(gateway, "long:9", stream=False).json()["choices"][0]["message"]["content"]) == 9
    fat = reading.chunks(ask(gateway, "fat:300000").content)
    assert [len(c["choices"][0]["delta"].get("content", "")) for c in fat[:2]] == [0, 300_000]
    blast = reading.chunks(ask(gateway, "blast:2000").content)
    assert (
        sum(bool(c["choices"] and c["choices"][0]["delta"].get("content")) for c in blast) == 2000
    )


def test_events_can_be_given_word_for_word(gateway: Gateway) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": '{"x":'}}
    data = json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]})
    gateway.script(Scenario(payloads=(data, "two\nlines")))
    events = reading.events(ask(gateway, "any").content)
    assert [event.data for event in events] == [data, "two\nlines", "[DONE]"]


def test_a_paced_stream_is_timed_by_its_tokens() -> None:
    ask_ = Ask(stream=True, model="m", prompt="")
    steps = answer(Scenario(tokens=4, rate=10.0), ask_, "").steps
    assert [step.seconds for step in steps if isinstance(step, Until)] == [0.1, 0.2, 0.3, 0.4]
    assert [step.tokens for step in steps if isinstance(step, Send)] == [0, 1, 2, 3, 4]
    bursts = answer(Scenario(tokens=4, rate=10.0, burst=2), ask_, "").steps
    assert [step.tokens for step in bursts if isinstance(step, Send)] == [0, 2, 4]
    whole = answer(Scenario(tokens=4, rate=10.0), Ask(False, "m", ""), "").steps
    assert whole[0] == Until(0.4)


def test_a_blast_is_one_write_made_once() -> None:
    ask_ = Ask(stream=True, model="m", prompt="")
    first = answer(Scenario(tokens=5000), ask_, "req-1")
    assert len(first.steps) == 1
    assert answer(Scenario(tokens=5000), ask_, "req-2") is first


def test_a_paced_stream_arrives_whole(gateway: Gateway) -> None:
    text = reading.joined(ask(gateway, "paced:2000x100+burst:7").content)
    assert text == reading.joined(ask(gateway, "tokens:100").content)
