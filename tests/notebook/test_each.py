"""``%%cbai --each``: a prompt for every row, in a shell against the test gateway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.errors import AuthenticationError, BudgetError, ConfigurationError, UsageError
from tests.gateway import Gateway, Scenario
from tests.notebook.cells import error_of, must, run

ECHO = Scenario(echo=True)


def prompts_of(gateway: Gateway) -> list[str]:
    return sorted(request.json["messages"][-1]["content"] for request in gateway.requests)


@pytest.fixture
def reviews(shell: InteractiveShell, gateway: Gateway) -> pd.DataFrame:
    """Rows in the shell; the gateway answers with the prompt."""
    gateway.always(ECHO)
    frame = pd.DataFrame({"text": ["good", "bad", "so so"], "stars": [5, 1, 3]}, index=[7, 7, 2])
    shell.user_ns["reviews"] = frame
    return frame


def test_each_row_is_asked_and_the_variable_gets_the_frame(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame
) -> None:
    shell.user_ns["language"] = "French"
    result = run(shell, "%%cbai --each reviews -o rated\nIn {language}, {stars} stars: {text}")
    result.raise_error()
    assert result.result is None, "the variable has it"
    rated = shell.user_ns["rated"]
    assert rated["answer"].tolist() == [
        "In French, 5 stars: good",
        "In French, 1 stars: bad",
        "In French, 3 stars: so so",
    ]
    assert rated.index.tolist() == [7, 7, 2]
    assert list(reviews.columns) == ["text", "stars"], "the rows stay as they were"
    assert cbai.chat().messages == [], "rows are no conversation"


def test_without_a_variable_the_frame_is_the_value_of_the_cell(
    shell: TerminalInteractiveShell, reviews: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(shell, "%%cbai --each reviews\nRate {text}")
    result.raise_error()
    assert result.result["answer"].tolist() == ["Rate good", "Rate bad", "Rate so so"]
    assert shell.user_ns["_"] is result.result
    assert capsys.readouterr().out.count("Rate so so") == 1


def test_one_line_is_the_prompt_of_each_row_too(
    shell: TerminalInteractiveShell, reviews: pd.DataFrame
) -> None:
    must(shell, "rated = %cbai --each reviews Rate {text}")
    assert shell.user_ns["rated"]["answer"].tolist() == ["Rate good", "Rate bad", "Rate so so"]


def test_the_same_cell_again_sends_nothing(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame
) -> None:
    cell = "%%cbai --each reviews -o rated\nRate {text}"
    must(shell, cell)
    shell.user_ns["reviews"] = pd.concat([reviews, pd.DataFrame({"text": ["new"]})])
    must(shell, cell)
    assert len(gateway.requests) == 4
    assert shell.user_ns["rated"]["answer"].tolist()[-1] == "Rate new"


def test_rows_come_from_lists_paths_into_variables_and_files(
    shell: TerminalInteractiveShell, reviews: pd.DataFrame
) -> None:
    shell.user_ns["parts"] = {"train": pl.from_pandas(reviews)}
    shell.user_ns["some"] = [{"text": "one"}]
    reviews.to_csv("my reviews.csv", index=False)
    must(shell, "%%cbai --each some -o rated\nRate {text}")
    assert [row["answer"] for row in shell.user_ns["rated"]] == ["Rate one"]
    must(shell, "%%cbai --each parts['train'] -o rated\nRate {text}")
    assert isinstance(shell.user_ns["rated"], pl.DataFrame)
    must(shell, "%%cbai --each 'my reviews.csv' -o rated\nRate {text}, {stars}")
    assert shell.user_ns["rated"]["answer"].tolist()[0] == "Rate good, 5"


@pytest.mark.parametrize("kind", ["pandas", "polars", "list", "iterable", "csv", "parquet"])
def test_only_the_first_rows_are_tried_and_known_later(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame, kind: str
) -> None:
    reviews.to_csv("rows.csv", index=False)
    reviews.to_parquet("rows.parquet")
    dicts: list[Any] = reviews.to_dict("records")
    shell.user_ns["data"] = {
        "polars": pl.from_pandas(reviews), "list": dicts, "iterable": (row for row in dicts),
    }.get(kind, reviews)  # fmt: skip
    each = f"rows.{kind}" if kind in ("csv", "parquet") else "data"
    must(shell, f"%%cbai --each {each} --rows 2 -o tried\nRate {{text}}")
    assert prompts_of(gateway) == ["Rate bad", "Rate good"]
    assert len(shell.user_ns["tried"]) == 2
    if kind != "iterable":
        must(shell, f"%%cbai --each {each} -o rated\nRate {{text}}")
        assert len(gateway.requests) == 3
        assert type(shell.user_ns["tried"]) is type(shell.user_ns["rated"])


def test_a_type_gives_columns_and_options_name_them(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame
) -> None:
    @dataclass
    class Verdict:
        product: str
        happy: bool

    shell.user_ns["Verdict"] = Verdict
    gateway.always(Scenario(text='{"product": "lamp", "happy": true}'))
    must(
        shell,
        "%%cbai --each reviews --schema Verdict --prefix is_ --details -t 0 -s 'Be brief.' "
        "--max-tokens 50 -o rated\n{text}",
    )
    rated = shell.user_ns["rated"]
    assert rated["is_happy"].tolist() == [True] * 3
    assert rated["is_product"].tolist() == ["lamp"] * 3
    assert "is_model" in rated or "model" in rated
    sent = gateway.last.json
    assert (sent["temperature"], sent["max_tokens"]) == (0, 50)
    assert sent["messages"][0]["content"].startswith("Be brief.")


def test_samples_columns_and_missing_values(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame
) -> None:
    shell.user_ns["reviews"] = pd.DataFrame({"text": ["good", None]})
    must(
        shell, "%%cbai --each reviews --samples 2 --column slogan --missing send -o rated\nA {text}"
    )
    first, second = shell.user_ns["rated"]["slogan"].tolist()
    assert first == ["A good"] * 2
    assert len(second) == 2
    assert len(gateway.requests) == 4
    error = error_of(shell, "%%cbai --each reviews --missing raise\nA {text}")
    assert "text (1)" in str(error)
    assert "use --missing skip or --missing send" in str(error)
    error = error_of(shell, "%%cbai --each reviews --missing drop\nA {text}")
    assert "'skip'" in str(error)
    assert len(gateway.requests) == 4


def test_rows_and_requests_are_written_to_a_file(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame, tmp_path: Path
) -> None:
    out = tmp_path / "rated.csv"
    must(shell, f"%%cbai --each reviews --to {out} -o rated\nRate {{text}}")
    assert shell.user_ns["rated"] == out
    assert pd.read_csv(out)["answer"].tolist() == ["Rate good", "Rate bad", "Rate so so"]
    requests = tmp_path / "requests.jsonl"
    result = run(shell, f"%%cbai --each reviews --to {requests}\nSum up {{text}}")
    result.raise_error()
    assert result.result == requests
    assert requests.read_text(encoding="utf-8").count("Sum up") == 3
    assert len(gateway.requests) == 3
    error = error_of(shell, f"%%cbai --each reviews --to {tmp_path}/rated.xlsx\nRate {{text}}")
    assert "rated.xlsx" in str(error)


def test_images_stand_in_a_column(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame, tmp_path: Path
) -> None:
    from PIL import Image

    Image.new("RGB", (4, 4)).save("cat.png")
    shell.user_ns["photos"] = [{"name": "cat", "path": "cat.png"}]
    gateway.always(Scenario(text="A cat."))
    must(shell, "%%cbai --each photos --image path -o seen\nWhat is on it? {name}")
    assert [row["error"] for row in shell.user_ns["seen"]] == [None]
    kinds = [part["type"] for part in gateway.last.json["messages"][-1]["content"]]
    assert kinds == ["text", "image_url"]


@pytest.mark.parametrize(
    "options",
    ["-c poems", "--no-history", "--cached", "--no-cached", "-f json", "--insert", "--into panel",
     "--no-stream", "--raw", "--draw", "--agent bot"],
)  # fmt: skip
def test_options_of_one_prompt_are_refused_by_name(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame, options: str
) -> None:
    error = error_of(shell, f"%%cbai --each reviews {options}\nRate {{text}}")
    assert isinstance(error, UsageError)
    flag = {"-c": "--conversation", "-f": "--format"}.get(options.split()[0], options.split()[0])
    assert str(error).startswith(f"{flag} does not go with --each: ")
    assert gateway.requests == []


@pytest.mark.parametrize(
    "option",
    ["--rows 3", "--column x", "--prefix x", "--details", "--to x.csv", "--missing skip",
     "--concurrency 3", "--max-total-tokens 5", "--max-cost 0.5"],
)  # fmt: skip
def test_options_of_rows_need_rows(
    shell: TerminalInteractiveShell, gateway: Gateway, option: str
) -> None:
    error = error_of(shell, f"%%cbai {option}\nHi")
    assert str(error).startswith(option.split()[0])
    assert "--each" in str(error)
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("line", "prompt", "told"),
    [
        ("--each revews", "{text}", "Did you mean reviews?"),
        ("--each nothing", "{text}", "no such variable"),
        ("--each missing.csv", "{text}", "missing.csv"),
        ("--each reviews", "  ", "empty"),
        ("--each reviews", "Hello", "same prompt"),
        ("--each reviews", "{txt}", "Did you mean"),
        ("--each reviews -o reviews", "{text}", "-o reviews would replace the rows"),
        ("--each reviews -o cat.png", "{text}", "--draw"),
        ("--each reviews --max-cost free", "{text}", "--max-cost takes an amount"),
        ("--each reviews --max-cost 1", "{text}", "prices"),
        ("--each reviews --column text", "{text}", "Give another name: --column 'text_2'"),
        ("--each reviews --column error", "{text}", "Give another name: --column."),
        ("--each stars", "{text}", "of type int"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    reviews: pd.DataFrame,
    line: str,
    prompt: str,
    told: str,
) -> None:
    shell.user_ns["stars"] = 5
    error = error_of(shell, f"%%cbai {line}\n{prompt}")
    assert isinstance(error, ConfigurationError)
    assert told in str(error)
    assert gateway.requests == []


def test_failed_rows_do_not_fail_the_cell_and_are_sent_again(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    reviews: pd.DataFrame,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway.script(ECHO, "error:400", ECHO)
    cell = "%%cbai --each reviews --concurrency 1 -o rated\nRate {text}"
    must(shell, cell)
    assert shell.user_ns["rated"]["error"].isna().tolist() == [True, False, True]
    shown = capsys.readouterr().err
    assert "3 of 3 rows · 1 failed" in shown
    assert "1 × " in shown
    assert "Run this again to send only the row that failed." in shown
    must(shell, cell)
    assert len(gateway.requests) == 4
    assert shell.user_ns["rated"]["error"].isna().all()


def test_a_batch_that_stops_keeps_its_rows_and_fails_the_cell_with_one_sentence(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame
) -> None:
    gateway.script(ECHO, "error:401")
    cell = "%%cbai --each reviews --concurrency 1 -o rated\nRate {text}"
    error = error_of(shell, cell)
    assert isinstance(error, AuthenticationError)
    assert "1 of 3 rows" in str(error)
    assert "%cbai login" in str(error), "as a cell writes it"
    assert "%cbai login" not in shell.user_ns["rated"]["error"].tolist()[1]
    assert {type(each) for each in shell.user_ns["rated"]["error"].tolist()[1:]} == {str}
    assert shell.user_ns["rated"]["answer"].tolist()[0] == "Rate good"
    assert shell.user_ns["rated"]["error"].notna().tolist() == [False, True, True]
    must(shell, cell)
    assert shell.user_ns["rated"]["error"].isna().all()
    assert len(gateway.requests) == 4


def test_a_budget_that_is_used_up_stops_the_cell(
    shell: TerminalInteractiveShell, gateway: Gateway, reviews: pd.DataFrame
) -> None:
    error = error_of(
        shell,
        "%%cbai --each reviews --max-total-tokens 5 --concurrency 1 -o rated\nRate {text}",
    )
    assert isinstance(error, BudgetError)
    assert len(gateway.requests) < 3
    assert len(shell.user_ns["rated"]) == 3


def test_a_dry_run_shows_what_would_be_sent(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    reviews: pd.DataFrame,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-0123456789abcdef")
    shell.user_ns["key"] = "sk-0123456789abcdef"
    result = run(
        shell, "%%cbai --each reviews --dry-run --allow-secrets -o rated\nRate {text} {key}"
    )
    result.raise_error()
    printed = capsys.readouterr().out
    assert "Rate good" in printed
    assert printed.rstrip().endswith("Nothing was sent.")
    assert "sk-0123456789abcdef" not in printed
    assert gateway.requests == []
    assert "rated" not in shell.user_ns


def test_a_batch_of_the_api_has_the_name_of_its_variable(
    shell: TerminalInteractiveShell, reviews: pd.DataFrame
) -> None:
    must(shell, "import cbai_notebook as cbai\nr = cbai.batch(reviews, 'Rate {text}')")
    assert cbai.batches()[-1]["frame"] == "reviews"
    must(shell, "r = cbai.batch(reviews.head(1), 'Rate {text}')")
    assert cbai.batches()[-1]["frame"] == "rows"
