"""What may be given as the model of a batch, a comparison and an evaluation; and without an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook.errors import ConfigurationError, UsageError

ROWS = [{"x": "one", "expected": "Fine."}, {"x": "two", "expected": "Fine."}]
CHECKS = [cbai.check.equals("expected")]


@pytest.fixture
def demo() -> Iterator[Any]:
    """Return a demo model that always answers the same."""
    yield cbai.demo("Fine.", model="models")
    cbai.demo(model="models")


def ask_in_a_batch(prompt: str, *models: Any) -> list[str]:
    return [row["answer"] for model in models for row in cbai.batch(ROWS, prompt, model=model)]


def ask_in_a_comparison(prompt: str, *models: Any) -> list[str]:
    return list(cbai.compare(prompt, models=models)["text"])


def ask_in_an_evaluation(prompt: str, *models: Any) -> list[str]:
    found = cbai.evaluate(ROWS, {"a": prompt}, models=models, checks=CHECKS)
    return [row["answer"] for row in found.frame]


Ask = Callable[..., list[str]]
every_way = pytest.mark.parametrize(
    "ask", [ask_in_a_batch, ask_in_a_comparison, ask_in_an_evaluation]
)


@every_way
def test_what_demo_returns_is_a_model(ask: Ask, demo: Any) -> None:
    assert set(ask(f"Models: {ask.__name__} {{x}}", demo)) == {"Fine."}
    assert demo.requests


def test_one_model_of_a_comparison_needs_no_list(demo: Any) -> None:
    for model in (demo, demo.spec):
        assert list(cbai.compare("Alone", models=model)["text"]) == ["Fine."]


@every_way
def test_a_made_model_is_a_model(ask: Ask) -> None:
    assert ask(f"Made: {ask.__name__} {{x}}", cbai.create_model("demo"))


@every_way
def test_made_models_of_two_servers_are_told_apart(ask: Ask) -> None:
    fine, good = cbai.demo("Fine.", model="fine"), cbai.demo("Good.", model="good")
    cbai.configure(
        servers={
            "one": {"base_url": fine.base_url, "model": "fine"},
            "two": {"base_url": good.base_url, "model": "good"},
        }
    )
    try:
        models = cbai.create_model("one"), cbai.create_model("two")
        assert set(ask(f"Servers: {ask.__name__} {{x}}", *models)) == {"Fine.", "Good."}
    finally:
        cbai.configure(servers=None)


def test_a_comparison_names_each_made_model() -> None:
    models = ["demo", cbai.create_model("demo"), cbai.create_model("demo")]
    assert list(cbai.compare("Which?", models=models)["model"]) == ["demo", "demo 2", "demo 3"]


def test_a_check_that_fails_is_not_taken_for_a_missing_account(demo: Any) -> None:
    def broken(answer: str, row: Any) -> bool:
        raise LookupError("no such row")

    for _ in ("asked", "known"):
        with pytest.raises(UsageError, match="no such row") as raised:
            cbai.evaluate(ROWS, {"a": "Broken {x}"}, models=demo, checks=[broken])
        assert "local" not in str(raised.value)
        assert isinstance(raised.value.__cause__, LookupError)


@every_way
def test_what_is_no_model_is_refused(ask: Ask) -> None:
    with pytest.raises(UsageError, match=r"create_model\(…\) returns; this is of type int"):
        ask("{x}", 7)


@every_way
def test_without_an_account_one_error_says_what_helps(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        ask("Nowhere {x}", "hy3")
    said = str(raised.value)
    assert said.count("There is no CloudBase environment yet") == 1
    assert "models=['local']" in said or "model='local'" in said
    shown = capsys.readouterr().err
    assert "interrupted" not in shown
    assert "cost nothing" not in shown
    assert "There is no CloudBase environment" not in shown
