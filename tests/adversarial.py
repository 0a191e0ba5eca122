"""Texts that were made to be slow, and the parts of the package that read such texts.

`CASES` has, for each part, the function that reads a text and the texts, as functions of their length.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import NamedTuple

from cbai_notebook.client import error_body, error_words
from cbai_notebook.client.chat_wire import FunctionCall, WireToolCall
from cbai_notebook.client.sse import EventParser
from cbai_notebook.client.structured.partial_json import PartialObjects
from cbai_notebook.client.structured.response_type import response_type_of
from cbai_notebook.client.think_tags import ThinkTags
from cbai_notebook.client.tool_call_joiner import ToolCallJoiner
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.delta import Delta, deltas_of
from cbai_notebook.conversation.diff import compare
from cbai_notebook.conversation.formats import FORMS, export, parse
from cbai_notebook.conversation.formats.escaping import in_markdown, javascript, json_in_html
from cbai_notebook.conversation.secrets import Masker
from cbai_notebook.conversation.store import search
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.errors import StructuredAnswerError, UsageError
from cbai_notebook.notebook.cell_as_written import keep_as_written
from cbai_notebook.notebook.command_line.completion import complete, complete_prompt
from cbai_notebook.notebook.command_line.parser import parse_cell, parse_line
from cbai_notebook.notebook.insert import code_blocks, new_cell_text
from cbai_notebook.notebook.markdown import render
from cbai_notebook.notebook.markdown.links import misleading
from cbai_notebook.notebook.panel.rendered import answer_html
from cbai_notebook.notebook.render_loop import feed
from cbai_notebook.notebook.screen import Screen
from cbai_notebook.notebook.screen.bodies.code import CodeBody
from cbai_notebook.notebook.screen.terminal import TerminalSurface
from cbai_notebook.prompts.template import expand
from cbai_notebook.text import one_line, plain, without_controls
from tests.notebook.screen.recording import RecordingSurface

Texts = Mapping[str, Callable[[int], str]]

_WHEN = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Part(NamedTuple):
    """A part of the package: the function that reads a text, and texts by their names."""

    read: Callable[[str], object]
    texts: Texts


def repeated(*units: str) -> dict[str, Callable[[int], str]]:
    """Return texts that repeat a unit."""

    def text(unit: str) -> Callable[[int], str]:
        return lambda size: unit * (size // len(unit))

    return {ascii(unit)[1:-1]: text(unit) for unit in units}


def in_paragraphs(unit: str, size: int, paragraph: int = 20_000) -> str:
    """Return paragraphs of repeated units, each short enough to be parsed."""
    one = unit * (paragraph // len(unit)) + "\n\n"
    return one * max(1, size // len(one))


def paragraphs(*units: str) -> dict[str, Callable[[int], str]]:
    """Return texts of paragraphs that repeat a unit."""

    def text(unit: str) -> Callable[[int], str]:
        return lambda size: in_paragraphs(unit, size)

    return {f"{ascii(unit)[1:-1]} in paragraphs": text(unit) for unit in units}


def pieces(text: str, size: int = 64) -> Iterator[str]:
    """Yield a text in pieces of a few tokens."""
    return (text[start : start + size] for start in range(0, len(text), size))


# The parts -------------------------------------------------------------------------------------

_masker = Masker(["sk-very-secret-value-1234", "two words of a secret 9"], shapes=True)


def _checkpoints(text: str) -> None:
    rest = ""
    for piece in pieces(text, max(1, len(text) // 200)):
        settled, rest = _masker.split(rest + piece)
        _masker.masked((settled, _masker.tail(rest)))


def _index(text: str) -> None:
    search.spaced(text)
    search.matches(text, "a b")
    search.expression(text)
    search.matches("a b", text)


def _fill_in(text: str) -> None:
    expand(f"{{a}} {text}", {"a": 1, "b": "{a}"})


def _read_command(text: str) -> None:
    for read in (parse_line, parse_cell):
        with contextlib.suppress(UsageError):
            read(text)
    for magic in ("%cbai ", "%%cbai "):
        complete(magic + text)
    complete(text)
    complete_prompt(text)
    keep_as_written([f"{line}\n" for line in f"%%cbai\n{text}".split("\n")])
    keep_as_written([f"{line}\n" for line in f"{text}\n%%cbai\n".split("\n")])


def _export(text: str) -> None:
    turn = Turn(text, _WHEN, provider="cloudbase", model="hy3", system=text, status="complete")
    turn.add(text, "")
    talk = Conversation("a talk")
    talk.extend([turn])
    for form in FORMS:
        export(talk, form.name)


def _import(text: str) -> None:
    for whole in (text, json.dumps([{"role": "user", "content": text}]), f"[{text}]"):
        with contextlib.suppress(UsageError):
            parse(whole, "file")


def _stream(text: str, format: str = "markdown") -> None:
    """Show a text that arrives in small pieces, fast, and is painted at the pace of a browser."""
    now = 0.0
    screen = Screen(RecordingSurface(), format=format, clock=lambda: now)
    for piece in pieces(text):
        now += len(piece) / _CHARS_PER_S
        feed(screen, Delta(piece))
    screen.finish("complete")


_CHARS_PER_S = 20_000


def _write_to_terminal(text: str) -> None:
    screen = Screen(TerminalSurface(io.StringIO()))
    for piece in pieces(text):
        feed(screen, Delta(piece))
    screen.finish("complete")


def _insert(text: str) -> None:
    for whole in (text, f"```python\n{text}\n```", f"```\n{text}\n```\n```bash\n{text}\n```"):
        new_cell_text(code_blocks(whole))


def _stream_code(text: str) -> None:
    body = CodeBody(40)
    for number, piece in enumerate(pieces(text)):
        body.feed(piece)
        body.take_sealed()
        if number % max(1, len(text) // 64 // 4) == 0:
            body.tail_html()
    body.finish(True)


def _stream_objects(text: str) -> None:
    objects = PartialObjects([0])
    for number, piece in enumerate(pieces(text)):
        objects.feed([piece], number, number + 1)
    with contextlib.suppress(StructuredAnswerError):
        response_type_of(dict[str, int]).parse(text)


def _stream_events(text: str) -> None:
    parser = EventParser()
    for piece in pieces(text, 1_000):
        parser.feed(piece.encode())
    parser.flush()


def _stream_thinking(text: str) -> None:
    tags = ThinkTags()
    for piece in pieces(text):
        tags.feed(piece)
    tags.flush()


def _stream_arguments(text: str) -> None:
    joiner = ToolCallJoiner()
    for piece in pieces(text):
        joiner.add(WireToolCall(0, "call", "function", FunctionCall("f", piece)))
    joiner.calls()


def _read_error(text: str) -> None:
    found = error_body.read(text.encode())
    for words in (found.message, text):
        error_words.is_too_long(400, found.code or "", words)
        error_words.meaning(400, words)
        error_words.meaning(200, words)


def _compare(text: str) -> None:
    compare(text, f"{text[len(text) // 3 :]} x {text[: len(text) // 2]}")


def _write_out(text: str) -> None:
    plain(text)
    without_controls(text)
    one_line(text)
    in_markdown(text)
    javascript({"text": text})
    json_in_html(text)


CALL_SIZE = 256
"""The characters of a text for each tool call of the part "calls"."""


def _show_calls(text: str, *, steps: int = 1) -> None:
    """Show calls while they run, in a cell and in a panel, and again from the stored turn."""
    number = len(text) // CALL_SIZE
    turn = Turn("prompt", _WHEN)
    clock = itertools.count(step=0.001)
    screen = Screen(RecordingSurface(), clock=lambda: next(clock))
    seen, joiner = (0, 0), ToolCallJoiner()
    for step in range(steps):
        calls = [ToolCall(f"call_{step}_{i}", "f", "{}") for i in range(number // steps)]
        for index, call in enumerate(calls):
            joiner.add(WireToolCall(index, call.id, "function", FunctionCall("f", "{}")))
        for call in [*calls, *(replace(call, status="ok", result="1") for call in calls)]:
            turn.update_call(call)
            states, seen = turn.calls_since(seen)
            for state in states:
                feed(screen, Delta(call=state))
        wire = [{"id": call.id, "function": {"name": "f", "arguments": "{}"}} for call in calls]
        turn.steps += (
            {"role": "assistant", "content": "", "tool_calls": wire},
            *(call.message for call in calls),
        )
        feed(screen, Delta("Next.\n\n"))
    joiner.calls()
    screen.finish("complete")
    answer_html(turn)
    again = Screen(RecordingSurface(), clock=lambda: 0.0)
    for delta in deltas_of(turn):
        feed(again, delta)
    again.finish("complete")


_MARKS = repeated("\u0301\u0316", "\u0344", "\u0f73", "\uff9e\u0301", "e\u0301", "\u1100\u1161")
_JWT = "eyJhbGciOi"

CASES: dict[str, Part] = {
    "secrets": Part(
        _checkpoints,
        repeated("-eyJ", f"-{_JWT}.", f"{_JWT}.{_JWT}", "sk-", "a-", "-----BEGIN ", "word ")
        | repeated("-----BEGIN PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----\n", "sk-very-secret")
        | {"an open key": lambda size: "-----BEGIN PRIVATE KEY-----\n" + "A" * size},
    ),
    "search words": Part(_index, _MARKS | repeated("\u4e2d", "a ", '"a', "\ufdfa", "\u2026")),
    "prompt template": Part(
        _fill_in,
        repeated("{", "{a", "{a[0]", '{a["', "{a}", "{{a}}", "\\a[", "\\a[b]", "`a", "```\n", "_{")
        | {"many names": lambda size: "".join(f"{{name_{i}}} " for i in range(size // 12))},
    ),
    "Markdown": Part(
        render,
        repeated("|-", "|a|b|\n|-|-|\n", "|a|b|\n", "\\[\n", "\\[\n\n", "1)\n", "1) a\n\n", "- ")
        | repeated("> ", "> - a\n", "```\n", "[a\n", "[a]: b\n\n", "word word\n", "a\n\n", "\n")
        | paragraphs(
            "[", "[a](", "![", "*a ", "**a_ ", "`a ``", "<a@", "[a](http://a.b) ", "&amp;"
        ),
    ),
    "TeX": Part(
        render,
        paragraphs("$a ", "$a$ ", "\\(", "\\(a\\) ", "$$a ", "\\begin{array}{", "${", "\\left(")
        | repeated("$$\na\n\n", "\\begin{align}\n", "\\[ a\n\\] b\n", "$$\n"),
    ),
    "links": Part(
        lambda text: misleading(text, "https://a.example/b"),
        _MARKS | repeated("a.", "a@", "a:", "//a.com/", "xn--", "\u3002", "www.a.com ", "\ufdfa"),
    ),
    "code": Part(
        _stream_code,
        repeated("`", "```\n", "x = 1\n", "'''\n", "(", "\n", " \n", "~~~ ", "```python\n"),
    ),
    "JSON": Part(
        _stream_objects,
        repeated("{", '{"a":', "[", '{"a": 1} ', "``` ", "```\n", '"\\', "[1")
        | {
            "one string": lambda size: json.dumps({"a": "x" * size}),
            "many objects": lambda size: json.dumps([{"a": 1}] * (size // 10)),
            "escapes": lambda size: '{"a": "' + "\\n" * (size // 2),
            "digits": lambda size: "[" + "1" * size,
        },
    ),
    "events": Part(
        _stream_events,
        repeated("data: a\n\n", "data:\n", "\n", "\r", ":", "data: a\r\n\r\n", "a", "id: a\n"),
    ),
    "thinking": Part(
        _stream_thinking,
        repeated("<think>", " ", "<", "</think", "a")
        | {"never closed": lambda size: "<think>" + "</thin" * (size // 6)},
    ),
    "arguments of a call": Part(
        _stream_arguments,
        repeated('{"a":1}', "{", "}", '"', "\\", '"\\')
        | {"one string": lambda size: '{"a":"' + "x" * size + '"}'},
    ),
    "errors": Part(
        _read_error,
        repeated("prompt ", "prompt.", "model ", "model(", "max tokens ", "exceed ", "context ")
        | repeated("<title>", "<title>a", '{"message":"', '{"error":{', "[", "too long ", "of (")
        | {
            "prompt...": lambda size: "prompt" + "." * size,
            "model---": lambda size: "model" + "-" * size,
            "input, words": lambda size: "input " + "a.(b) " * (size // 6),
        },
    ),
    "difference": Part(
        _compare, repeated("a ", "\u4e2d", "1.", "!", "a'", "\u200d", "\n", "a b c\n")
    ),
    "escaping": Part(
        _write_out,
        repeated(
            "\x1b[", "\x9d", "\x1b]a", "\x9b0", "\u202e", "\r", "\ud83d", "`", "<", "@A", "\\"
        ),
    ),
    "option line": Part(
        _read_command,
        repeated(
            "-P a=1 ", "--tool f ", "-m a ", "-s 'a' ", '"', "'a ", '\\"', "-", "--", " ", "a, "
        )
        | repeated(
            "-P a={", "{", "{a", "\u201c", "history ", "history", "\t", "=", "%%time\n", "\n", " \n"
        )
        | {
            name: lambda size, start=start, unit=unit: start + unit * (size // len(unit))
            for name, start, unit in (
                ("a system prompt", '-s "', "a "),
                ("quotes in a system prompt", '-s "', '\\"'),
                ("backslashes in a system prompt", '-s "', "\\"),
                ("a JSON value", "-P a=", "["),
                ("an export's words", "export ", "a "),
                ("options of a command", "export ", "-c a "),
                ("images", "", "--image a.png "),
            )
        },
    ),
    "exports": Part(
        _export,
        repeated("<a\n", "<a ", "[a]:", "`", "``a ", "> ", "\\<", "- ", "1)\n", "{a", ">>> ", "@A@")
        | repeated(
            "\n",
            " \n",
            "\u2028",
            "<!--",
            "</script",
            "$",
            "[",
            "](",
            "|a|\n|-|\n",
            "'",
            '"',
            " ",
            "\u3000",
        ),
    ),
    "imports": Part(
        _import, repeated("[", "{", '"', "\\", '{"role":"user","content":"a"}\n', "\n", "1")
    ),
    "Markdown in small pieces": Part(
        _stream,
        repeated(
            "|a|b|\n", "|a|b|\n|-|-|\n", "\\[\n", "1) a\n\n", "- a\n", "> a\n\n", "a\n\n", "word "
        )
        | repeated(
            "`a ", "**a ", "[a](", "![a]", "```\n", "$$\n", "\\begin{align}\n", "\n", "<a", "-", "|"
        )
        | {
            "a table": lambda size: "|a|b|\n|-|-|\n" + "|1|2|\n" * (size // 6),
            "a list": lambda size: "- a\n" + "  - b\n\n" * (size // 7),
            "a code block": lambda size: "```python\n" + "x = 1\n\n" * (size // 7),
            "definitions": lambda size: "".join(f"[a{i}]: b\n\n" for i in range(size // 12)),
        },
    ),
    "text in small pieces": Part(
        lambda text: _stream(text, "text"), repeated("a", "a\n", "\n", "\u4e2d", "<", "\x1b[")
    ),
    "JSON in small pieces": Part(
        lambda text: _stream(text, "json"), repeated('{"a": 1}\n', "[", '"\\', "```\n", "a")
    ),
    "code in small pieces": Part(
        lambda text: _stream(text, "code"),
        repeated("x = 1\n", "```\n", "`", "a", "\n", "~~~ ", '"""'),
    ),
    "a terminal": Part(_write_to_terminal, repeated("a", "\n", "\x1b[", "\x1b", "\r", "a\n\n")),
    "code to insert": Part(
        _insert,
        repeated("1)\n", "```\n", "~~~ a\n", ">>> a\n", "> ", "- ", "(", "x = 1\n", "\u2028", "["),
    ),
    "calls of one step": Part(_show_calls, repeated("a")),
    "calls in many steps": Part(
        lambda text: _show_calls(text, steps=max(1, len(text) // CALL_SIZE // 2)), repeated("a")
    ),
}
