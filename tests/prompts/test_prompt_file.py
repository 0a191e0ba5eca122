"""Prompts in files: their settings, their version, and what is wrong with a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import cbai_notebook as cbai
from cbai_notebook.errors import UsageError

FILE = """---
# What the shop uses.
model: hy3
system: You sort the mail of a shop.
temperature: 0
stop: ["\\n"]
schema:
  intent: refund | delivery | other
  urgent: boolean
  words: [string]
---

# What does this customer want?

{text}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "intent.md"
    path.write_text(FILE, "utf-8")
    return path


def test_a_file_has_settings_and_a_template(file: Path) -> None:
    found = cbai.prompt(file)
    assert (found.name, found.model) == ("intent", "hy3")
    assert found.text == "# What does this customer want?\n\n{text}"
    assert found.system == "You sort the mail of a shop."
    assert found.params == {"temperature": 0, "stop": ["\n"]}


def test_a_schema_is_a_type(file: Path) -> None:
    kind = cbai.prompt(file).response_type
    value = {"intent": "refund", "urgent": True, "words": ["money"]}
    assert msgspec.to_builtins(msgspec.convert(value, kind)) == value
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**value, "intent": "spam"}, kind)


def test_a_version_is_that_of_the_content(file: Path, tmp_path: Path) -> None:
    before = cbai.prompt(file)
    copy = tmp_path / "copy.md"
    copy.write_bytes(file.read_bytes())
    assert cbai.prompt(copy).version == before.version
    file.write_text(FILE.replace("customer", "person"), "utf-8")
    assert cbai.prompt(file).version != before.version


def test_a_file_may_be_a_template_alone(tmp_path: Path) -> None:
    path = tmp_path / "short.md"
    path.write_text("Intent of: {text}\n\n---\n\nBe brief.\n", "utf-8")
    found = cbai.prompt(path)
    assert found.text == "Intent of: {text}\n\n---\n\nBe brief."
    assert (found.model, dict(found.params), found.response_type) == (None, {}, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("---\nmodel hy3\n---\nHello {text}", "line 2"),
        ("---\n  urgent: boolean\n---\nHello {text}", "line 2.*schema"),
        ("---\nschema: Intent\n---\nHello {text}", r"line 2.*\[string\]"),
        ("---\nschema:\n  urgent: maybe\n---\nHello {text}", "line 3"),
        ("---\nmodel: hy3\nHello {text}", "line 3"),
        ("---\nmodel: hy3\nHello: {text}\n", "line 3.*missing"),
        ("---\nmodel: hy3\n---\n\n", "no prompt"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "wrong.md"
    path.write_text(content, "utf-8")
    with pytest.raises(UsageError, match=message):
        cbai.prompt(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        cbai.prompt(tmp_path / "none.md")


def test_a_batch_takes_what_the_file_sets_and_arguments_win(tmp_path: Path) -> None:
    path = tmp_path / "intent.md"
    path.write_text(FILE.replace("hy3", "demo"), "utf-8")
    model = cbai.demo('{"intent": "other", "urgent": false, "words": []}', pace=0)
    rows: list[dict[str, Any]] = [{"text": "Do you sell lamps?"}]
    found = cbai.batch(rows, cbai.prompt(path), temperature=0.5, progress=False)
    assert found == [{**rows[0], "intent": "other", "urgent": False, "words": [], "error": None}]
    (request,) = model.requests
    assert request.body["temperature"] == 0.5
    assert [each["content"] for each in request.messages][-1].endswith("Do you sell lamps?")
    assert "You sort the mail" in request.messages[0]["content"]
    cbai.demo()


def test_files_are_variants_of_an_evaluation(tmp_path: Path) -> None:
    for name, text in (("short", "Intent of: {text}"), ("long", "Name the intent: {text}")):
        (tmp_path / f"{name}.md").write_text(f"---\nmodel: demo/{name}\n---\n{text}\n", "utf-8")
        cbai.demo(name, pace=0, model=name)
    ev = cbai.evaluate(
        [{"text": "a", "expected": "long"}],
        {name: cbai.prompt(tmp_path / f"{name}.md") for name in ("short", "long")},
        checks=cbai.check.equals("expected"),
        progress=False,
    )
    assert [row["equals"] for row in ev.frame] == [False, True]
    for name in ("short", "long"):
        cbai.demo(model=name)
