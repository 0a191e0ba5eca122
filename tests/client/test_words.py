"""What the client says is Chinese for a Chinese reader, and can be read in English later."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook import i18n
from cbai_notebook.client.providers import cloudbase
from cbai_notebook.client.settings import Settings, configure, settings
from cbai_notebook.errors import CbaiError, SecretRefusedError
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Error, Gateway, Scenario

KEY = "sk-" + "s3cr3t" * 5


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    i18n.choose("zh")
    yield
    i18n.choose(None)


async def asked(make_model: MakeModel, **given: Any) -> CbaiError:
    with pytest.raises(CbaiError) as raised:
        await make_model(**given).generate_text(model="the-model", messages=MESSAGES)
    return raised.value


@pytest.mark.parametrize(
    ("scenario", "chinese", "english"),
    [
        (
            Scenario(error=Error("AI_MODEL_NOT_FOUND", message="gone")),
            "找不到模型 'the-model'（",
            "There is no model 'the-model' at ",
        ),
        (
            Scenario(error=Error("INVALID_CREDENTIALS", message="no")),
            "API 密钥不正确。请用 cbai.configure(env_id=…, api_key=…) 重新设置。",
            "The API key is wrong. Set it again with cbai.configure(env_id=…, api_key=…).",
        ),
        (
            Scenario(status=429, headers=(("Retry-After", "7200"),), body=b"{}"),
            "服务器要求等待 120 分钟。",
            "The server asks to wait 120 minutes.",
        ),
        (
            Scenario(status=503, body=b"<title>Down</title>", content_type="text/html"),
            "服务器出错（HTTP 503）。请稍后重试。（服务器发来一个 HTML 页面，HTTP 503：“Down”。）",
            "The server failed (HTTP 503). Try again in a moment. (The server sent an HTML page, ",
        ),
        (
            Scenario(body=b"<p>"),
            "发来一个 HTML 页面，而这里应该是回答。",
            "sent an HTML page where",
        ),
    ],
    ids=["model", "key", "wait", "page", "no-answer"],
)
async def test_an_error_of_a_server_is_said_in_both_languages(
    make_model: MakeModel, gateway: Gateway, scenario: Scenario, chinese: str, english: str
) -> None:
    gateway.always(scenario)
    error = await asked(make_model)
    assert chinese in str(error)
    assert english in error.in_language("en")


async def test_an_error_of_a_connection_is_said_in_chinese(make_model: MakeModel) -> None:
    error = await asked(make_model, base_url="http://127.0.0.1:9/v1")
    assert str(error) == "127.0.0.1:9 没有响应。请检查 base URL，并确认服务器正在运行。"


async def test_a_key_is_in_no_language_of_an_error(make_model: MakeModel, gateway: Gateway) -> None:
    gateway.key = KEY
    gateway.always(Scenario(error=Error("INVALID_CREDENTIALS", message=f"wrong key {KEY}")))
    error = await asked(make_model, api_key=KEY)
    assert error.words is not None
    for text in (
        error.in_language("en"),
        error.in_language("zh"),
        json.dumps(error.words.as_json()),
    ):
        assert KEY not in text


WRONG: dict[str, Callable[[], Any]] = {
    "环境": lambda: cloudbase(Settings()),
    "密钥": lambda: cloudbase(Settings(env_id="e-1")),
    "base URL": lambda: configure(servers={"mine": {"base_url": "nonsense"}}),
    "请求头 'Host'": lambda: configure(
        servers={"mine": {"base_url": "https://h/v1", "headers": {"Host": "x"}}}
    ),
    "超时": lambda: configure(timeout={"connect": 0}),
    "图片": lambda: cbai.image_part(b"%PDF-1.7"),
    "工具": lambda: cbai.tool(name="ein Werkzeug")(len),
}


@pytest.mark.parametrize("word", WRONG)
def test_a_wrong_value_is_told_in_chinese(word: str) -> None:
    with pytest.raises(CbaiError) as raised:
        WRONG[word]()
    assert word in str(raised.value)
    assert str(raised.value).endswith("。")
    assert not re.search("[\u4e00-\u9fff]", raised.value.in_language("en"))


async def test_the_name_of_a_secret_is_a_part_of_a_chinese_sentence(make_model: MakeModel) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"default": KEY}}}
    with pytest.raises(SecretRefusedError) as refused:
        await make_model(api_key=KEY).generate_text(
            model="the-model", messages=MESSAGES, response_format=schema
        )
    assert "'cloudbase' 的密钥" in str(refused.value)
    assert "a key of 'cloudbase'" in refused.value.in_language("en")


def test_where_a_setting_comes_from_is_told_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOUDBASE_ENV_ID", "e-1")
    found = settings()
    assert found.sources["env_id"] == "环境变量 CLOUDBASE_ENV_ID"
    i18n.choose("en")
    assert found.sources["env_id"] == "environment CLOUDBASE_ENV_ID"


async def test_the_note_of_an_answer_is_chinese(make_model: MakeModel, gateway: Gateway) -> None:
    gateway.always(Scenario(finish_reason="length"))
    answer = await make_model().generate_text(model="the-model", messages=MESSAGES)
    assert answer.note == "回答达到词元上限，被截断。可用 max_tokens=… 提高上限。"
    assert answer.ending is not None
    assert answer.ending.mark == "达到词元上限，被截断"
