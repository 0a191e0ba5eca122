"""Parsing of the line behind the magics."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.commands import COMMANDS, help_text
from cbai_notebook.notebook.command_line.options import OPTIONS
from cbai_notebook.notebook.command_line.parser import (
    Command,
    PromptOptions,
    parse_cell,
    parse_line,
)


def prompt_options(line: str) -> PromptOptions:
    parsed = parse_line(line)
    assert isinstance(parsed, PromptOptions)
    return parsed


def error_message(line: str) -> str:
    with pytest.raises(UsageError) as raised:
        parse_line(line)
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("-m hy3", "model", "hy3"),
        ("--model deepseek/deepseek-v4-pro", "model", "deepseek/deepseek-v4-pro"),
        ("--model=local", "model", "local"),
        ("-mhy3", "model", "hy3"),
        ("-s 'Be brief.'", "system", "Be brief."),
        ('--system "You are a poet."', "system", "You are a poet."),
        ('--system="You are a poet."', "system", "You are a poet."),
        ("-s “你是 一个诗人”", "system", "你是 一个诗人"),
        ('-s ""', "system", ""),
        ("-t 0", "temperature", 0.0),
        ("-t0.5", "temperature", 0.5),
        ("--temperature=1.5", "temperature", 1.5),
        ("--max-tokens 500", "max_tokens", 500),
        ("-c poems", "conversation", "poems"),
        ('-c "my work"', "conversation", "my work"),
        ("--no-history", "history", False),
        ("-o answer", "output", "answer"),
        ("-o 回答", "output", "回答"),
        ("-f code", "format", "code"),
        ("--insert", "insert", True),
        ("--into panel", "into", "panel"),
        ("--no-stream", "stream", False),
        ("--tool server.files.read", "tools", ("server.files.read",)),
        ("--raw", "raw", True),
        ("--each reviews", "each", "reviews"),
        ("--each 'my reviews.csv'", "each", "my reviews.csv"),
        ("--rows 10", "rows", 10),
        ("--column english", "column", "english"),
        ("--prefix is_", "prefix", "is_"),
        ("--details", "details", True),
        ("--to 'my rows.csv'", "to_file", "my rows.csv"),
        ("--samples 3", "samples", 3),
        ("--missing send", "missing", "send"),
        ("--concurrency 8", "concurrency", 8),
        ("--max-total-tokens 2000000", "max_total_tokens", 2_000_000),
        ("--max-cost 2.50", "max_cost", 2.5),
        ("--dry-run", "dry_run", True),
        ("--allow-secrets", "allow_secrets", True),
        ("--help", "help", True),
    ],
)
def test_each_option_sets_its_field(line: str, field: str, value: Any) -> None:
    assert parse_cell(line) == dataclasses.replace(PromptOptions(), **{field: value})


def test_options_are_combined_and_the_last_of_a_kind_counts() -> None:
    options = parse_cell("  -m hy3 -t 1 --no-stream -t 0.2  ")
    assert options == PromptOptions(model="hy3", temperature=0.2, stream=False)


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ("top_p=0.9", "top_p", 0.9),
        ("top_p=.9", "top_p", 0.9),
        ("seed=7", "seed", 7),
        ("user=alice", "user", "alice"),
        ("user=", "user", ""),
        ("a=b=c", "a", "b=c"),
        ("logprobs=true", "logprobs", True),
        ("logprobs=True", "logprobs", True),
        ("stop=null", "stop", None),
        ("x=NaN", "x", "NaN"),
        ("stop='a b'", "stop", "a b"),
        ("'stop=a b'", "stop", "a b"),
        ("""version='"3"'""", "version", "3"),
        ('thinking={"type":"disabled"}', "thinking", {"type": "disabled"}),
        ('response_format={"type": "json_object"}', "response_format", {"type": "json_object"}),
        ("""thinking='{"type": "disabled"}'""", "thinking", {"type": "disabled"}),
        ('stop=["a b", "c"]', "stop", ["a b", "c"]),
        ("x='{not json}'", "x", "{not json}"),
        ("x=[1]st", "x", "[1]st"),
    ],
)
def test_a_parameter_is_json_or_text(written: str, name: str, value: Any) -> None:
    options = prompt_options(f"-P {written} Tell me")
    assert options.params == {name: value}
    assert options.prompt == "Tell me"


def test_parameters_add_up_and_named_options_win_over_them() -> None:
    options = parse_cell("-P seed=1 -P top_p=0.5 -P seed=2 -P temperature=2 -t 0.1 --max-tokens 9")
    assert options.request_params == {
        "seed": 2,
        "top_p": 0.5,
        "temperature": 0.1,
        "max_tokens": 9,
    }


@pytest.mark.parametrize(
    "prompt",
    [
        "what's up?",
        'He said "hello',
        "'twas brillig",
        '"Quoted from end to end"',
        "C:\\new\\table \\frac{a}{b}",
        '{"a": [1, {name}]}',
        "- a list",
        "-5 + 3 =",
        "what does -m mean? --model too?",
        "history of Rome",
        "help me write a poem",
        "reset my mind",
        "models of cars",
        "Help",
        "config?",
        "login and logout",
        "介绍一下 李白",
    ],
)
def test_a_one_line_prompt_is_kept_to_the_letter(prompt: str) -> None:
    assert prompt_options(prompt) == PromptOptions(prompt=prompt)
    assert prompt_options(f"-t 0.5 --no-history {prompt}").prompt == prompt
    assert prompt_options(f"-- {prompt}") == PromptOptions(prompt=prompt)


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))).filter(str.strip))
def test_any_text_behind_two_dashes_is_the_prompt(prompt: str) -> None:
    assert prompt_options(f"-m hy3 -- {prompt}").prompt == prompt.lstrip()


@given(st.text())
def test_any_line_is_read_or_refused_in_one_line(line: str) -> None:
    for parse in (parse_line, parse_cell):
        try:
            parse(line)
        except UsageError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", Command("help")),
        ("  ", Command("help")),
        ("-h", Command("help")),
        ("--help", Command("help")),
        ("help", Command("help")),
        ("config", Command("config")),
        ("config --help", Command("help")),
        (" login ", Command("login")),
        ("models", Command("models")),
        ("models deepseek", Command("models", ("deepseek",))),
        ("models custom-1.5", Command("models", ("custom-1.5",))),
        ("history", Command("history")),
        ("history -c poems", Command("history", options={"conversation": "poems"})),
        (
            "history --conversation='my work'",
            Command("history", options={"conversation": "my work"}),
        ),
        ("reset", Command("reset")),
        ("reset poems", Command("reset", ("poems",))),
        ("reset 'my work'", Command("reset", ("my work",))),
        ("reset -c poems", Command("reset", options={"conversation": "poems"})),
        ("batches", Command("batches")),
        ("batches delete 12", Command("batches", ("delete", "12"))),
        ("batches delete all -y", Command("batches", ("delete", "all"), {"yes": True})),
    ],
)
def test_commands_in_their_exact_form(line: str, command: Command) -> None:
    assert parse_line(line) == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("version", Command("version")),
        ("stats", Command("usage")),
        ("stats -c poems", Command("usage", options={"conversation": "poems"})),
        ("history\t-c poems", Command("history", options={"conversation": "poems"})),
        ("history\u3000-c\u3000poems", Command("history", options={"conversation": "poems"})),
        ("use\tpoems", Command("use", ("poems",))),
        ("history --help", Command("help", ("history",))),
        ("login --help", Command("help", ("login",))),
        ("use -h", Command("help", ("use",))),
        ("stats --help", Command("help", ("usage",))),
        ("version --help", Command("help")),
        ("help history", Command("help", ("history",))),
        ("help stats", Command("help", ("stats",))),
    ],
)
def test_commands_under_other_names_and_with_other_blanks(line: str, command: Command) -> None:
    assert parse_line(line) == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("modells", "models"),
        ("model", "models"),
        ("models2", "models"),
        ("modesl", "models"),
        ("modils", "models"),
        ("Models", "models"),
        ("HISTORY", "history"),
        ("histroy", "history"),
        ("histor", "history"),
        ("usgae", "usage"),
        ("undoo", "undo"),
        ("resest", "reset"),
        ("verison", "version"),
        (" contineu ", "continue"),
        ("modells deepseek", "models"),
        ("histroy -c poems", "history"),
        ("histroy\t--all", "history"),
        ("exprot --to markdown", "export"),
        ("exprot --to", "export"),
        ("deleet --help", "delete"),
        ("renmae 'my work'", "rename"),
        ("deleet poems", "delete"),
        ("logic", "login"),
        ("Stats", "usage"),
        ("Reset --help", "reset"),
        ("Import notes.md -c poems", "import"),
    ],
)
def test_a_mistyped_command_is_not_asked(line: str, command: str) -> None:
    message = error_message(line)
    assert f"%cbai {command}?" in message
    assert f"%cbai -- {' '.join(line.split())}" in message
    assert prompt_options(f"-- {line}").prompt.strip() == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        "hlep",
        "frok",
        "rest",
        "modules",
        "hisotyr",
        "ihstory2",
        "config?",
        "models,",
        "histroy of Rome",
        "logic of Aristotle",
        "Continue in French",
        "resets my mind",
        "help login me",
        "Reset yourself",
        "Delete everything",
        "Rename it",
        "Import pandas",
        "Improt pandas",
        "HISTORY lesson",
        "model theory",
        "logic gates",
        "deleted scenes",
        "imports fell",
        "status",
        "states",
        "starts",
        "stast",
        "你好你好你好",
        "-t 0 modells",
    ],
)
def test_what_is_no_mistyped_command_is_a_prompt(line: str) -> None:
    assert prompt_options(line).prompt == line.removeprefix("-t 0 ")


@pytest.mark.parametrize("line", ["-- help", "-- history", "-- reset my mind", "-- modells"])
def test_two_dashes_make_a_command_a_prompt(line: str) -> None:
    assert prompt_options(line).prompt == line[3:]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--modle hy3 x", "Did you mean --model?"),
        ("-model hy3 x", "There is no option -model. Did you mean --model?"),
        ("--temp 1 x", "Did you mean --temperature?"),
        ("--qwerty x", "%cbai help lists them all."),
        ("-z x", "put -- before it"),
        ("-m", "-m needs a value: -m MODEL."),
        ("-m -t 1 x", "-m needs a value"),
        ("-m -- x", "-m needs a value"),
        ("-m '' x", "-m needs a name"),
        ("-t warm x", "-t takes a number, 0 or more"),
        ("-t -1 x", "-t takes a number"),
        ("-t nan x", "-t takes a number"),
        ("-t inf x", "-t takes a number"),
        ("--max-tokens 0 x", "--max-tokens takes a whole number above 0"),
        ("--max-tokens 1.5 x", "--max-tokens takes a whole number"),
        ("-o class x", "-o takes the name of a variable"),
        ("-o a.b x", "-o takes the name of a variable"),
        ("--into 1a x", "--into takes the name of a variable"),
        ("-f jsn x", "-f takes markdown, text, code or json; not 'jsn'. Did you mean json?"),
        ("-P top_p x", "-P takes name=value"),
        ("-P a.b=1 x", "Give the whole object as JSON: -P a={…}"),
        ("-P 1=1 x", "cannot set a parameter called '1'"),
        ("-P model=x y", "choose the model with -m"),
        ("-P stream=false x", "use --no-stream"),
        ("-P messages=[] x", "the messages"),
        ("-P data={} x", "by its own name"),
        ("-P thinking={'type': 'disabled'} x", "The value of thinking is not JSON"),
        ("-P x=" + "[" * 100_000, "The value of x is not JSON"),
        ("--no-stream=1 x", "--no-stream takes no value."),
        ('-s "Be brief x', "A quote is opened and not closed"),
        ("-m hy3", "There is no prompt after the options."),
        ("history -x", "The command is %cbai history [-c NAME]"),
        ("history -c", "-c needs a value"),
        ("history -c ' '", "-c needs a name"),
        ("history --search", "--search needs a value: --search TEXT."),
        ("history --search ''", "--search needs words to look for"),
        ("history --role ''", "--role needs a role"),
        ("export --to markdown -o ''", "-o needs a path"),
        ("--image '' x", "--image needs a file, an address or a variable"),
        ("--agent '' x", "--agent needs the id of an agent"),
        ("history -c a b", "The command is %cbai history [-c NAME]"),
        ("config -c a", "The command is %cbai config;"),
    ],
)
def test_a_wrong_line_is_refused_with_what_to_do(line: str, message: str) -> None:
    assert message in error_message(line)


@pytest.mark.parametrize("line", ["-x", "--modle a b", "-m"])
def test_nothing_is_printed_when_a_line_is_wrong(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error_message(line)
    assert capsys.readouterr() == ("", "")


def test_words_left_over_on_a_cell_line_are_not_guessed_at() -> None:
    with pytest.raises(UsageError, match=r"'What is this'\. The prompt goes on the lines below"):
        parse_cell("-m hy3 What is this")
    with pytest.raises(UsageError, match="config is a command of its own: write %cbai config"):
        parse_cell("config")
    with pytest.raises(UsageError, match="history is a command of its own: write %cbai history"):
        parse_cell("histroy --all")
    assert parse_cell("-h what is this").help


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"local:C:\models\new.gguf", r"local:C:\models\new.gguf"),
        (r'"local:C:\my models\new.gguf"', r"local:C:\my models\new.gguf"),
        (r'"local:\\server\share\a b.gguf"', r"local:\\server\share\a b.gguf"),
        (r'"C:\my models\"', "C:\\my models\\"),
    ],
)
def test_windows_paths_keep_their_backslashes(written: str, path: str) -> None:
    assert prompt_options(f"-m {written} hello") == PromptOptions(prompt="hello", model=path)


def test_quotes_inside_a_value() -> None:
    assert prompt_options(r'-s "Say \"yes\"" go').system == 'Say "yes"'
    assert prompt_options("-s don't go").system == "don't"
    assert prompt_options("-s '-m' go").system == "-m"
    assert parse_line(r'use "say \"yes\""') == Command("use", ('say "yes"',))


def test_the_help_names_every_option_and_command() -> None:
    text = help_text()
    for option in OPTIONS:
        assert ", ".join(option.flags) in text
        assert option.help in text
    for form in COMMANDS:
        assert f"%cbai {form.name}" in text
    assert max(map(len, text.splitlines())) <= 100


def test_every_field_of_the_options_can_be_set() -> None:
    fields = {field.name for field in dataclasses.fields(PromptOptions)}
    assert {option.field for option in OPTIONS} == fields - {"prompt"}
