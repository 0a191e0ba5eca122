"""`%cbai` and `%%cbai` in an IPython shell, against the test gateway over a real socket."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook import errors
from cbai_notebook.conversation import names
from tests.gateway import Gateway, Scenario
from tests.gateway.payloads import streamed
from tests.notebook.cells import error_of, must


def prompt_of(gateway: Gateway) -> str:
    return str(gateway.last.json["messages"][-1]["content"])


def test_a_cell_is_answered_and_remembered(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(Scenario(text="Li Bai was a poet."))
    must(shell, "%%cbai\nIntroduce Li Bai")
    assert "Li Bai was a poet." in capsys.readouterr().out
    assert [message["content"] for message in cbai.chat().messages] == [
        "Introduce Li Bai",
        "Li Bai was a poet.",
    ]


def test_one_line_asks_too(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    must(shell, "%cbai What's {that}?")
    assert prompt_of(gateway) == "What's {that}?"


def test_a_prompt_may_end_with_a_question_mark(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "%cbai What's up?")
    assert prompt_of(gateway) == "What's up?"
    must(shell, "found = %cbai Why?")
    assert prompt_of(gateway) == "Why?"


def test_a_mistyped_command_is_neither_asked_nor_kept(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    error = error_of(shell, "%cbai modells")
    assert isinstance(error, errors.UsageError)
    assert "%cbai models" in str(error)
    assert (gateway.requests, list(cbai.chat().messages)) == ([], [])
    must(shell, "%cbai -- modells")
    assert prompt_of(gateway) == "modells"


def test_the_version_is_told(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai version")
    assert capsys.readouterr().out.startswith(f"cbai-notebook {cbai.__version__}, Python 3.")
    assert not gateway.requests


IN_A_FUNCTION = """
review, lang, model_name = "a global", "global", "unused"
def line(review):
    %cbai --no-history {prompt}
def cell(review):
    get_ipython().run_cell_magic("cbai", "--no-history", "{prompt}")
def around(review):
    def inner():
        %cbai --no-history {prompt}
    inner()
def loop(review):
    [get_ipython().run_line_magic("cbai", "--no-history {prompt}") for lang in ["en"]]
async def awaited(review):
    %cbai --no-history {prompt}
def timed(review):
    %time %cbai --no-history {prompt}
"""


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        ("line('mine')", "mine in global"),
        ("cell('mine')", "mine in global"),
        ("around('mine')", "mine in global"),
        ("loop('mine')", "mine in en"),
        ("await awaited('mine')", "mine in global"),
        ("timed('mine')", "mine in global"),
        ("%cbai --no-history {review} in {lang}", "a global in global"),
    ],
)
def test_in_a_function_its_own_variables_come_first(
    shell: TerminalInteractiveShell, gateway: Gateway, call: str, sent: str
) -> None:
    must(shell, IN_A_FUNCTION.replace("{prompt}", "{review} in {lang}"))
    must(shell, call)
    assert prompt_of(gateway) == sent


def test_a_function_of_a_module_sees_the_names_of_its_module(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    shell.user_ns |= {"tone": "of the notebook", "only_there": "in the notebook"}
    module = ModuleType("helpers")
    code = """
tone = "of the module"
def ask(text):
    shell.run_line_magic("cbai", "--no-history {text}, {tone}, {only_there}")
"""
    exec(code, module.__dict__)
    module.__dict__["shell"] = shell
    module.__dict__["ask"]("local")
    assert prompt_of(gateway) == "local, of the module, in the notebook"


def test_options_in_a_function_name_its_own_variables(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    code = """
def ask(style):
    def lookup(city: str) -> str:
        "Look up a city."
    %cbai --no-history --dry-run --tool lookup -s "Be {style}." Hi
ask("brief")
"""
    must(shell, code)
    assert not gateway.requests
    must(shell, code.replace(" --dry-run", ""))
    assert gateway.last.json["tools"][0]["function"]["name"] == "lookup"
    assert gateway.last.json["messages"][0] == {"role": "system", "content": "Be brief."}


def test_the_past_goes_along(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    gateway.script(Scenario(text="one"), Scenario(text="two"))
    must(shell, "%cbai first")
    must(shell, "%cbai second")
    assert [message["content"] for message in gateway.last.json["messages"]] == [
        "first",
        "one",
        "second",
    ]


def test_what_did_not_fit_is_said(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    cbai.configure(history_turns=1)
    for prompt in ("a", "b", "c"):
        must(shell, f"%cbai {prompt}")
    assert len(gateway.last.json["messages"]) == 3
    assert "1 earlier turn did not fit" in capsys.readouterr().out


def test_options_become_parameters(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    must(
        shell,
        '%%cbai -m deepseek/deepseek-v4-pro -s "Be brief." -t 0.5 --max-tokens 9 -P top_p=0.9\nHi',
    )
    assert gateway.last.path.endswith("/ai/deepseek/chat/completions")
    body = gateway.last.json
    assert body["model"] == "deepseek-v4-pro"
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert (body["temperature"], body["max_tokens"], body["top_p"]) == (0.5, 9, 0.9)
    assert body["stream"] is True


def test_no_stream_asks_for_the_whole_answer(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(Scenario(text="all at once"))
    must(shell, "%%cbai --no-stream\nHi")
    assert gateway.last.json["stream"] is False
    assert "all at once" in capsys.readouterr().out


def test_values_are_filled_in_and_json_is_sent_as_written(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    shell.user_ns["city"] = "{season}"
    shell.user_ns["season"] = "spring"
    shell.user_ns["frame"] = pd.DataFrame({"a": [1, 2]})
    must(shell, '%%cbai\n{city} {"a": {"b": [1]}}\n\n{frame}')
    prompt = prompt_of(gateway)
    assert prompt.startswith('{season} {"a": {"b": [1]}}\n\n|')


def test_the_size_of_a_table_is_a_setting(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["frame"] = pd.DataFrame({"a": [1 / 3, 0.5], "b": [2, 1]})
    must(shell, "%%cbai\n{frame}")
    assert prompt_of(gateway) == "| a | b |\n| --- | --- |\n| 0.3333 | 2 |\n| 0.5 | 1 |"
    assert "cbai.configure(table_digits=17) sends all digits." in capsys.readouterr().out
    cbai.configure(table_digits=2, table_columns=1, table_rows=1)
    must(shell, "%%cbai -s '{frame.a}'\n{frame}")
    assert prompt_of(gateway).startswith("| a | … |\n| --- | --- |\n| 0.33 | … |\n\n(1 more row")
    assert gateway.last.json["messages"][0]["content"].startswith("| a |\n| --- |\n| 0.33 |")
    must(shell, "%cbai config")
    assert "table_columns" in capsys.readouterr().out


def test_a_typo_gets_a_hint(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["topic"] = "poems"
    must(shell, "%%cbai\nWrite about {topik}")
    assert "{topik}" in capsys.readouterr().out


def test_a_named_conversation_is_its_own(shell: TerminalInteractiveShell) -> None:
    must(shell, "%%cbai -c poems\nOne")
    assert len(cbai.chat("poems")) == 2
    assert len(cbai.chat()) == 0


def test_no_history_neither_sends_nor_keeps(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "%cbai first")
    must(shell, "%%cbai --no-history\nsecond")
    assert len(gateway.last.json["messages"]) == 1
    assert len(cbai.chat()) == 2


def test_the_answer_goes_into_a_variable(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    gateway.script(Scenario(text="42"))
    must(shell, "%%cbai -o answer\nHow much?")
    assert shell.user_ns["answer"].text == "42"
    assert shell.user_ns["answer"].usage.total_tokens > 0


def test_raw_shows_what_the_server_sent(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(Scenario(text="hello"))
    must(shell, "%%cbai --raw\nHi")
    shown = capsys.readouterr().out
    raw = json.loads(shown[shown.index("{") : shown.rindex("}") + 1])
    assert raw["choices"][0]["message"]["content"] == "hello"


def test_dry_run_shows_the_request_without_the_key_and_sends_nothing(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%%cbai --dry-run -t 0\nHi")
    shown = capsys.readouterr().out
    assert "/ai/cloudbase/chat/completions" in shown
    assert '"temperature": 0' in shown
    assert "test-key" not in shown
    assert not gateway.requests
    assert not cbai.chat().messages


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("error:401:INVALID_CREDENTIALS", errors.AuthenticationError),
        ("error:404:AI_MODEL_NOT_FOUND", errors.ModelNotFoundError),
        ("error:429:EXCEED_TOKEN_QUOTA_LIMIT", errors.QuotaExceededError),
        ("error:403:AI_CHANNEL_NOT_ALLOWED", errors.ChannelNotAllowedError),
    ],
)
def test_a_failed_prompt_fails_its_cell_with_one_line(
    shell: TerminalInteractiveShell,
    scenario: str,
    kind: type[Exception],
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = error_of(shell, f"%%cbai -m {scenario}\nHi")
    assert isinstance(error, kind)
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    assert "test-key" not in shown.out + shown.err


def test_asking_again_after_a_failure_keeps_the_users_message_once(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.script("error:404:AI_MODEL_NOT_FOUND", Scenario(text="fine"))
    error_of(shell, "%cbai Hi")
    assert [message["role"] for message in cbai.chat()] == ["user", "assistant"]
    assert cbai.chat()[-1]["status"] == "failed"
    must(shell, "%cbai Hi")
    assert [message["content"] for message in cbai.chat()] == ["Hi", "fine"]
    assert [message["content"] for message in gateway.last.json["messages"]] == ["Hi"]


def test_a_cut_stream_keeps_the_partial_answer(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script("say:one two three four five six+cut:3")
    error = error_of(shell, "%cbai count")
    assert isinstance(error, errors.StreamCutError)
    last = cbai.chat()[-1]
    assert last["status"] == "partial"
    assert last["content"] == error.partial != ""
    assert last["content"] in capsys.readouterr().out


def test_a_secret_is_refused_by_name_unless_allowed(
    shell: TerminalInteractiveShell, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghx-0123456789abcdef")
    error = error_of(shell, "%cbai my token is ghx-0123456789abcdef")
    assert isinstance(error, errors.SecretRefusedError)
    assert "GITHUB_TOKEN" in str(error)
    assert "ghx-" not in str(error)
    assert not gateway.requests
    assert not cbai.chat().messages
    must(shell, "%cbai --allow-secrets my token is ghx-0123456789abcdef")
    assert len(gateway.requests) == 1


def test_the_api_key_is_never_sent_as_text(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    cbai.configure(api_key="a-long-key-0123456789")
    assert isinstance(error_of(shell, "%cbai a-long-key-0123456789"), errors.SecretRefusedError)
    assert not gateway.requests


@pytest.mark.parametrize("code", ["%%cbai\n   ", "%%cbai --nonsense\nHi", "%cbai -t hot Hi"])
def test_bad_input_fails_in_one_line_and_sends_nothing(
    shell: TerminalInteractiveShell, gateway: Gateway, code: str
) -> None:
    error = error_of(shell, code)
    assert isinstance(error, errors.UsageError)
    assert "\n" not in str(error)
    assert not gateway.requests


def test_code_goes_into_the_next_cell(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    gateway.script(Scenario(text="Here:\n\n```python\nprint(1)\n```\n"))
    must(shell, "%%cbai --insert\nPrint one")
    assert shell.rl_next_input == "print(1)"


def test_an_answer_streams_into_an_output_of_the_users_own(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.script(Scenario(text="over **there**"))
    must(shell, "import ipywidgets\nbox = ipywidgets.Output()")
    must(shell, "%%cbai --into box\nWhere?")
    outputs: Any = shell.user_ns["box"].outputs
    assert "<strong>there</strong>" in "".join(output["data"]["text/html"] for output in outputs)


def test_into_something_else_is_refused_before_anything_is_sent(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    shell.user_ns["box"] = 3
    assert isinstance(error_of(shell, "%%cbai --into box\nHi"), errors.UsageError)
    assert isinstance(error_of(shell, "%%cbai --into nowhere\nHi"), errors.UsageError)
    assert not gateway.requests


def test_a_stream_made_by_hand_is_shown(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(Scenario(text="by hand"))
    must(
        shell,
        "import cbai_notebook as cbai\n"
        "model = cbai.create_model('cloudbase')\n"
        "stream = cbai.run(model.stream_text(messages=[{'role': 'user', 'content': 'Hi'}]))\n"
        "answer = cbai.show(stream)",
    )
    assert shell.user_ns["answer"].text == "by hand"
    assert "by hand" in capsys.readouterr().out


def test_a_stream_made_with_await_is_shown_with_await(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(Scenario(text="awaited"))
    must(
        shell,
        "import cbai_notebook as cbai\n"
        "model = cbai.create_model('cloudbase')\n"
        "stream = await model.stream_text(messages=[{'role': 'user', 'content': 'Hi'}])\n"
        "answer = await cbai.show(stream)",
    )
    assert shell.user_ns["answer"].text == "awaited"
    assert "awaited" in capsys.readouterr().out


def test_config_tells_everything_but_the_key(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai config")
    shown = capsys.readouterr().out
    assert "test-env" in shown
    assert "test-key" not in shown
    assert "history_turns" in shown


def test_history_and_reset(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai Hello there")
    must(shell, "%cbai history")
    assert "Hello there" in capsys.readouterr().out
    must(shell, "%cbai reset")
    assert not cbai.chat().messages
    assert isinstance(error_of(shell, "%cbai reset no-such-thing"), errors.UsageError)


@pytest.mark.parametrize(
    ("answer", "deleted"),
    [("好", True), ("是", True), ("Yes", True), ("n", False), ("", False), ("不好", False)],
)
def test_a_conversation_is_deleted_only_after_a_yes(
    shell: TerminalInteractiveShell, monkeypatch: pytest.MonkeyPatch, answer: str, deleted: bool
) -> None:
    must(shell, "%cbai -c poems Hello there")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
    must(shell, "%cbai delete poems")
    assert ("poems" not in names()) is deleted


def test_help_and_models_show_something(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai help")
    assert "--dry-run" in capsys.readouterr().out
    must(shell, "%cbai models")
    assert "hy3" in capsys.readouterr().out


def test_unloading_takes_the_magics_away(shell: TerminalInteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "cbai_notebook")
    assert shell.find_cell_magic("cbai") is None
    assert shell.find_line_magic("cbai") is None
    shell.run_line_magic("load_ext", "cbai_notebook")
    assert shell.find_cell_magic("cbai") is not None


def test_a_panel_in_a_terminal_says_how_to_chat_there(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai panel -c poems")
    assert "%cbai" in capsys.readouterr().out


def test_an_export_holds_every_turn_where_that_is_asked(
    shell: TerminalInteractiveShell, gateway: Gateway, tmp_path: Path
) -> None:
    for prompt in ("First", "Second"):
        must(shell, f"%%cbai\n{prompt}")
    must(shell, f"%cbai export --to curl -o {tmp_path / 'last.sh'}")
    must(shell, f"%cbai export --to curl --every-turn -o {tmp_path / 'all.sh'}")
    last, every = (tmp_path / name for name in ("last.sh", "all.sh"))
    assert last.read_text("utf-8").count("/chat/completions") == 1
    assert every.read_text("utf-8").count("/chat/completions") == 2


@pytest.mark.parametrize(
    "code",
    [
        "%cbai export --to markdown -o ~nobody-here/talk.md",
        "%cbai import ~nobody-here/talk.jsonl",
        "%%cbai --draw -o ~nobody-here/cat.png\nA cat",
        "%%cbai --image ~nobody-here/cat.png\nWhat is this?",
        "%%cbai -m local:~nobody-here/model.gguf\nHello",
    ],
)
def test_a_home_of_nobody_is_a_readable_error(shell: TerminalInteractiveShell, code: str) -> None:
    must(shell, "%%cbai\nHello")
    error = error_of(shell, code)
    assert isinstance(error, errors.UsageError)
    assert "nobody-here" in str(error)


def test_cached_tokens_are_told_and_counted(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = {
        "prompt_tokens": 1200, "completion_tokens": 85, "total_tokens": 1285,
        "prompt_tokens_details": {"cached_tokens": 1024},
    }  # fmt: skip
    gateway.script(streamed({"content": "Hi."}, usage=usage), streamed({"content": "Ho."}))
    must(shell, "%cbai -c cached Hello")
    assert "1,200 tokens in (1,024 cached), 85 out" in capsys.readouterr().out
    must(shell, "%cbai -c cached Again")
    assert "cached)" not in capsys.readouterr().out
    must(shell, "%cbai usage -c cached")
    header, row, _, _, legend = capsys.readouterr().out.splitlines()
    assert header.index("requests") + len("requests") == row.index(" 2 ") + 2, (
        "amounts end together"
    )
    assert "the longest bar is 1,2" in legend
    assert header.split()[2:8] == ["requests", "tokens", "in", "cached", "tokens", "out"]
    assert row.split()[2:6] == ["2", "1,200", "1,024", "85"]
    assert [message["cached_tokens"] for message in cbai.chat("cached").messages] == [
        None,
        1024,
        None,
        None,
    ]
    assert cbai.chat("cached").to_pandas()["cached_tokens"].sum() == 1024


def test_diff_says_what_it_compares(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script("say:red", "say:blue")
    must(shell, "%cbai -c colours Which colour?")
    must(shell, "%cbai -c colours Another one, please")
    capsys.readouterr()
    must(shell, "%cbai diff -c colours")
    assert capsys.readouterr().out == (
        "- turn 0 · cloudbase/hy3 · Which colour?\n"
        "+ turn 1 · cloudbase/hy3 · Another one, please\n\n"
        "[-red-]{+blue+}\n"
    )


def test_the_error_of_a_cell_can_be_pickled(shell: TerminalInteractiveShell) -> None:
    error = error_of(shell, "%cbai --format pdf x")
    other = pickle.loads(pickle.dumps(error))
    assert (type(other), str(other)) == (type(error), str(error))
    assert other._render_traceback_() == error._render_traceback_()  # type: ignore[attr-defined]


def test_a_file_with_a_wrong_message_is_not_imported_at_all(
    shell: TerminalInteractiveShell, tmp_path: Path
) -> None:
    good = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    wrong = [good[0], {**good[1], "params": {"a": {"b": ["x"]}, "model": "other"}}]
    lines = [json.dumps({"messages": each}) for each in (good, wrong)]
    (tmp_path / "talk.jsonl").write_text("\n".join(lines), "utf-8")
    before = names()
    error = error_of(shell, "%cbai import talk.jsonl")
    assert str(error).startswith("talk.jsonl, line 2, message 2: The params must not hold")
    assert names() == before


def test_an_error_of_python_code_is_one_line_and_all_of_it_for_tb(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "import cbai_notebook as cbai\ndef slip():\n    cbai.configure(modle='x')")
    line = "UsageError: There is no setting 'modle'. Did you mean model?"
    for code, place in (
        ("cbai.configure(modle='x')", ""),
        ("1\n2\ncbai.configure(modle='x')", " (line 3)"),
        ("slip()", " (line 3 of slip)"),
    ):
        capsys.readouterr()
        error_of(shell, code)
        assert capsys.readouterr().out.strip() == line + place
    must(shell, "%tb")
    everything = capsys.readouterr().out
    assert "Traceback" in everything
    assert "configuration.py" in everything


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "asks cloudbase/hy3 (env_id: argument)."),
        ({"model": "glm-5.3"}, "asks cloudbase/glm-5.3 (model: argument, env_id: argument)."),
        ({"model": "deepseek/v9"}, "asks deepseek/v9 (model: argument)."),
        ({"provider": "deepseek"}, "goes to deepseek (provider: argument) and has to name a model"),
        ({"provider": "deepseek", "model": "v9"}, "asks deepseek/v9 (model: argument, provider: argument)."),
        ({"env_id": None, "api_key": None}, "Nothing is configured"),
        (
            {"env_id": None, "api_key": None, "servers": {"work": {"base_url": "http://w/v1", "model": "m"}}},
            "asks work/m (the first of your servers: argument).",
        ),
    ],
)  # fmt: skip
def test_config_tells_which_model_answers_next(
    shell: TerminalInteractiveShell,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    said: str,
) -> None:
    cbai.configure(base_url=None)
    cbai.configure(**settings)
    try:
        must(shell, "%cbai config")
    finally:
        cbai.configure(servers=None)
    assert said in capsys.readouterr().out


def test_a_cell_its_result_and_the_last_error_stand_for_themselves(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    first = shell.execution_count
    must(shell, "%time 6 * 7")
    must(shell, "def halve(text):\n    return text / 2")
    error_of(shell, "import json\njson.loads('[1')")
    error_of(shell, "halve('a')\n")
    must(shell, f"%cbai --no-history {{In[{first}]}} | {{Out[{first}]}}")
    assert prompt_of(gateway) == "%time 6 * 7 | 42"
    must(shell, "%cbai --no-history Explain: {_err}")
    assert prompt_of(gateway).splitlines() == [
        "Explain: Traceback (most recent call last):",
        f'  File "In[{first + 3}]", line 1, in <module>',
        "    halve('a')",
        f'  File "In[{first + 1}]", line 2, in halve',
        "    return text / 2",
        "TypeError: unsupported operand type(s) for /: 'str' and 'int'",
    ]
    must(shell, "_err = 'mine'\n%cbai --no-history Explain: {_err}")
    assert prompt_of(gateway) == "Explain: mine"


def test_the_last_error_has_no_frames_of_ours(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    error_of(shell, "import cbai_notebook as cbai\ncbai.configure(modle=1)")
    must(shell, "%cbai --no-history {_err}")
    sent = prompt_of(gateway)
    assert "cbai.configure(modle=1)" in sent
    assert "configuration.py" not in sent
    assert "interactiveshell" not in sent
    assert sent.endswith("There is no setting 'modle'. Did you mean model?")


def test_tab_offers_the_newest_cells_results_and_the_last_error(
    shell: TerminalInteractiveShell,
) -> None:
    number = shell.execution_count
    must(shell, "6 * 7")
    error_of(shell, "1 / 0")

    def offered(line: str) -> list[str]:
        with provisionalcompleter():
            return [each.text for each in shell.Completer.completions(line, len(line))]

    assert offered("%cbai Explain {_e") == ["_err"]
    assert offered("%cbai Explain {In")[:2] == [f"In[{number + 1}]", f"In[{number}]"]
    assert offered(f"%%cbai\nExplain {{Out[{number}")[-1] == f"Out[{number}]"


@pytest.mark.parametrize("command", ["history", "usage", "export --to markdown"])
def test_a_mistyped_conversation_suggests_the_right_one(
    command: str, shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "%cbai -c poems Hello")
    error = error_of(shell, f"%cbai {command} -c peoms")
    assert isinstance(error, errors.UsageError)
    assert "Did you mean poems?" in str(error)
    assert "peoms" not in names(every=True)
