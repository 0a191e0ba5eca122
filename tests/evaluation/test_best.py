"""The best variant is shipped as an app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import UsageError
from tests.evaluation.evaluations import LONG, SHORT, cases, evaluate, play, stored_beside

SETTINGS = Settings(env_id="my-env-1a2b3c")


@pytest.fixture(autouse=True)
def stored(tmp_path: Path) -> Iterator[None]:
    with stored_beside(tmp_path / "history.sqlite"):
        yield


def data_of(files: Any) -> dict[str, Any]:
    """Return the data of an exported Mini Program."""
    text = files["prompt.js"]
    found: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return found


def test_the_best_variant_is_that_with_the_highest_mean() -> None:
    play(knows=2)
    best = evaluate(cases(4)).best()
    assert (best.name, best.check, best.estimate.value) == ("long", "equals", 1)
    assert repr(best) == "<BestVariant 'long': equals 100 % [51–100]>"


def test_it_is_shipped_with_its_settings_and_the_users_text_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "intent.md"
    path.write_text(
        "---\nsystem: Sort mail.\ntemperature: 0\nschema:\n  intent: string\n---\n"
        "In {shop}: {text}\nOne word.\n",
        "utf-8",
    )
    cbai.demo('{"intent": "intent-0"}', pace=0)
    ev = evaluate(
        cases(1),
        {"short": cbai.prompt(path)},
        checks=cbai.check.equals("expected", field="intent"),
        variables={"shop": "our shop"},
    )
    made = ev.best().export("mini-program", settings=SETTINGS)
    data = data_of(made.files)
    assert data["template"] == ["In our shop: ", "\nOne word."]
    assert (data["system"], data["title"]) == ("Sort mail.", "short")
    assert data["params"]["temperature"] == 0
    assert data["params"]["response_format"]["json_schema"]["schema"]["required"] == ["intent"]
    assert made.write(tmp_path / "app").joinpath("app.json").exists()
    assert "our shop" in ev.best().export("web", settings=SETTINGS).files["short.html"]


@pytest.mark.parametrize(
    ("prompt", "form", "message"),
    [
        (LONG, "curl", "is no app"),
        ("{text} {expected}", "mini-program", r"\{text\} and \{expected\}"),
        (lambda row: row["text"], "mini-program", "function"),
    ],
)
def test_what_an_app_cannot_fill_in_is_told(prompt: Any, form: str, message: str) -> None:
    cbai.demo("intent-0", pace=0)
    best = evaluate(cases(1), {"one": prompt}).best()
    with pytest.raises(UsageError, match=message):
        best.export(form, settings=SETTINGS)


def test_without_a_score_nothing_is_the_best() -> None:
    play(knows=1)
    ev = evaluate([{"text": "case 0", "expected": None}], {"short": SHORT})
    with pytest.raises(UsageError, match="No answer has a score"):
        ev.best()
