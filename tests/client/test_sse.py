"""The parser of event streams, with every kind of line end and every split."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cbai_notebook.client.sse import Event, EventParser
from cbai_notebook.errors import InvalidResponseError


def parse(*packets: bytes) -> list[Event]:
    """Parse packets without the end of the stream."""
    parser = EventParser()
    return [event for packet in packets for event in parser.feed(packet)]


def parse_all(*packets: bytes) -> list[Event]:
    """Parse packets and the end of the stream."""
    parser = EventParser()
    events = [event for packet in packets for event in parser.feed(packet)]
    return [*events, *parser.flush()]


def by_the_standard(stream: bytes) -> list[Event]:
    """Parse a whole stream line by line, as the standard describes it."""
    text = stream.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    lines = re.split("\r\n|\r|\n", text)[:-1]
    events, data, name, last_id = [], [], "", None
    for line in lines:
        if line == "":
            if data:
                body = "\n".join(data).encode("utf-8", "surrogateescape")
                events.append(Event(body, name or None, last_id))
            data, name = [], ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            last_id = value or None
    return events


def datas(events: list[Event]) -> list[str]:
    return [event.data for event in events]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_line_end(end: bytes) -> None:
    stream = end.join([b"data: one", b"", b"event: named", b"id: 7", b"data: two", b"", b""])
    assert parse(stream) == [Event(b"one"), Event(b"two", "named", "7")]


def test_a_crlf_event_followed_by_lf_events_in_one_packet() -> None:
    assert datas(parse(b"data: a\r\n\r\ndata: b\n\ndata: c\n\n")) == ["a", "b", "c"]


def test_a_crlf_that_is_split_is_one_line_end() -> None:
    assert datas(parse(b"data: a\r", b"\n\r", b"\ndata: b\r", b"\r")) == ["a", "b"]


def test_the_standards_own_examples() -> None:
    assert datas(parse(b"data: YHOO\ndata: +2\ndata: 10\n\n")) == ["YHOO\n+2\n10"]
    comment_first = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"
    events = parse(comment_first)
    assert [(e.data, e.id) for e in events] == [("first event", "1"), ("second event", None)]
    assert datas(parse(b"data\n\ndata\ndata\n\ndata:")) == ["", "\n"]
    assert datas(parse(b"data:test\n\ndata: test\n\n")) == ["test", "test"]


def test_one_byte_order_mark_is_dropped_even_when_split() -> None:
    assert datas(parse(b"\xef", b"\xbb", b"\xbfdata: a\n\n")) == ["a"]
    assert parse(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n") == []


def test_a_name_belongs_to_one_event_and_an_id_stays() -> None:
    events = parse(b"event: x\nid: 1\ndata: a\n\ndata: b\n\nevent: y\n\ndata: c\n\n")
    assert [(e.event, e.id) for e in events] == [("x", "1"), (None, "1"), (None, "1")]


def test_an_id_with_a_null_is_ignored() -> None:
    assert parse(b"id: 1\0\ndata: a\n\n") == [Event(b"a")]


def test_other_fields_comments_and_retry_are_ignored() -> None:
    assert parse(b": hello\nretry: 10\nfoo: bar\n data: no\ndata: a\n\n") == [Event(b"a")]


def test_characters_that_split_lines_elsewhere_do_not_here() -> None:
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f"
    assert datas(parse(f"data: {text}\n\n".encode())) == [text]


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert datas(parse(b"data: a\xffb\n\n")) == ["a\ufffdb"]


def test_the_last_event_counts_without_a_blank_line() -> None:
    assert datas(parse(b"data: a\n\ndata: b\n")) == ["a"]
    for rest in (b"data: b\n", b"data: b", b"data: b\r", b"data: b\r\n"):
        assert datas(parse_all(b"data: a\n\n" + rest)) == ["a", "b"]
    assert parse_all(b"data: a\n\nevent: x\n") == [Event(b"a")]
    assert parse_all(b"") == []
    assert datas(parse_all(b"\xef\xbb\xbfdata: a")) == ["a"]


@pytest.mark.parametrize(
    "endless",
    [b"x" * 100, b"data: " + b"x" * 100, b"data: xxxxxxxx\n", b"data\n:\n" + b"data: xxxxxxx\r"],
)
def test_what_never_ends_is_stopped(endless: bytes) -> None:
    parser = EventParser(max_bytes=1000)
    with pytest.raises(InvalidResponseError, match="more than"):
        for _ in range(1000):
            parser.feed(endless)


def test_one_event_that_is_too_long_is_stopped() -> None:
    with pytest.raises(InvalidResponseError):
        EventParser(max_bytes=1000).feed(b"data: " + b"x" * 2000 + b"\n\n")


def test_a_long_stream_of_short_events_is_not() -> None:
    parser = EventParser(max_bytes=1000)
    assert sum(len(parser.feed(b"data: xxxxxxxxxxxxx\n\n")) for _ in range(1000)) == 1000


ENDS = st.sampled_from(["\n", "\r\n", "\r"])
LINES = st.sampled_from(
    ["", "", "data: 我", "data:x", "data", "data:", "data:  {}", "event: e", "event:", "id: 1", "id",
     "id: \0", ": note", "retry: 1", "nonsense", "data: 🌙é", "data: [DONE]", "\ufeffdata: b"]
)  # fmt: skip
STREAMS = st.lists(st.tuples(LINES, ENDS), max_size=20).map(
    lambda lines: "".join(line + end for line, end in lines).encode()
)


@given(STREAMS, st.booleans())
def test_every_split_into_two_reads_as_the_whole(stream: bytes, bom: bool) -> None:
    stream = b"\xef\xbb\xbf" + stream if bom else stream
    whole = by_the_standard(stream)
    assert parse(stream) == whole
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == whole
    for at in range(len(stream) + 1):
        assert parse(stream[:at], stream[at:]) == whole


FRAGMENTS = st.sampled_from(
    [b"data: ", b"data:", b"data", b"event: e", b"id: 1", b": c", b"a", b" ", b"\n", b"\n\n", b"\r",
     b"\r\n", b"\xff", b"\xe6\x88", b"\x91", b"\xef\xbb\xbf", b"\0"]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=40).map(b"".join), st.lists(st.integers(0, 200), max_size=6))
@example(b"data: a\r\r\ndata: b\n\r\n\r", [8, 9])
@example(b"data: a\n\n\n\ndata: b\n\n", [10])
def test_any_bytes_in_any_packets_read_as_the_standard_says(stream: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(stream)]
    packets = [stream[start:stop] for start, stop in itertools.pairwise(at)]
    found = [(e.body, e.event, e.id) for e in parse(*packets)]
    expected = [(e.body, _replaced(e.event), _replaced(e.id)) for e in by_the_standard(stream)]
    assert found == expected


def _replaced(text: str | None) -> str | None:
    return text and text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
