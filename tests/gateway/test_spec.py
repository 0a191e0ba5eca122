"""Specs: every word is parsed as documented, from the header and from the model's name."""

from __future__ import annotations

import re

import pytest

from tests.gateway import Gateway, Scenario, SpecError, parse, reading, serve
from tests.gateway.asking import PATH, ask, body, client
from tests.gateway.gateway import SCENARIO_HEADER
from tests.gateway.spec import WORDS, table

EXAMPLES = {
    "TEXT": "hello",
    "N": "5",
    "K": "3",
    "R": "1",
    "HOW": "last",
    "REASON": "length",
    "RATE": "60",
    "STAGE": "body",
    "PLACE": "reasoning",
    "KIND": "parts",
    "NAMES": "message",
    "JSON": "[1]",
    "FORM": "base_resp",
    "FIELD": "reasoning_content",
    "SECONDS": "0.5",
    "STATUS": "503",
    "CODE": "ACCESS_DENIED",
    "TYPE": "text/plain",
    "NAME": "X-Mine",
    "VALUE": "1",
    "WHERE": "same",
    "WORD": "echo",
    "ARGUMENTS": '{"x": 1}',
    "frame": "frame",
    "xN": "x5",
    ",K…": ",4",
}


def _forms(usage: str) -> set[str]:
    """Return the shortest and the longest form that a usage line allows."""
    short = re.sub(r"\[.*\]", "", usage)
    full = usage.replace("[,", ",").replace("[", "").replace("]", "").replace("…", "")
    return {short, full}


@pytest.mark.parametrize("name", WORDS)
def test_every_word_takes_what_its_usage_says(name: str) -> None:
    before = "error:500+" if name in ("upstream", "form", "message") else ""
    how = "chunked" if name == "framing" else "last"
    for form in _forms(WORDS[name].usage):
        word, *arguments = re.split(r"(?<=[:,])|(?=x?N$)", form)
        filled = re.sub(
            r"[A-Z]+",
            lambda match: how if match[0] == "HOW" else EXAMPLES[match[0]],
            "".join(arguments),
        )
        assert isinstance(parse(before + word + filled), Scenario), form


def test_every_word_is_in_the_help() -> None:
    assert len(WORDS) > 50
    for word in WORDS.values():
        assert word.usage in table()
        assert word.help in table()


def test_a_name_that_is_no_word_is_a_model() -> None:
    for name in ("hy3", "deepseek-v4-pro", "gpt-4o+x", "qwen3:0.6b", ""):
        assert parse(name) is None


@pytest.mark.parametrize(
    "spec",
    [
        "echo+nonsense",
        "cut",
        "cut:never",
        "split:0",
        "blast:many",
        "usage:often",
        "upstream",
        "paced:fast",
        "redirect:307:mars",
        "thinking:aloud",
        "form:detail",
        "error:500+form:poem",
        "field:seal:{",
    ],
)
def test_a_wrong_spec_is_refused_with_its_usage(gateway: Gateway, spec: str) -> None:
    with pytest.raises(SpecError):
        parse(spec)
    answer = ask(gateway, spec)
    assert answer.status_code == 400
    assert spec.split("+")[-1] in answer.json()["message"]


def test_an_argument_may_hold_a_plus_and_colons(gateway: Gateway) -> None:
    assert reading.joined(ask(gateway, "say:1 %2B 1: two").content) == "1 + 1: two"


def test_words_add_up() -> None:
    scenario = parse("echo+crlf+header:A:1+header:B:x:y+pause:1:0.5+cut:3")
    assert scenario is not None
    assert scenario.ends == "crlf"
    assert scenario.headers == (("A", "1"), ("B", "x:y"))
    assert [fault.kind for fault in scenario.faults] == ["pause", "fin"]


def _said(gateway: Gateway, model: str, header: str | None = None) -> str:
    headers = {SCENARIO_HEADER: header} if header else {}
    with client(gateway) as http:
        return reading.joined(http.post(PATH, json=body(model), headers=headers).content)


def test_a_script_wins_over_always_over_the_header_over_the_model() -> None:
    with serve(default="say:default") as gateway:
        assert _said(gateway, "hy3") == "default"
        assert _said(gateway, "say:model") == "model"
        assert _said(gateway, "say:model", "say:header") == "header"
        gateway.always("say:always")
        assert _said(gateway, "say:model", "say:header") == "always"
        gateway.script("say:one", Scenario(text="two"))
        assert [_said(gateway, "say:model") for _ in range(3)] == ["one", "two", "always"]
        gateway.always(None)
        assert _said(gateway, "say:model") == "model"
        with pytest.raises(SpecError):
            gateway.script("hy3")
