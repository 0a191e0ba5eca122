"""The server's reason is found in whatever shape its error comes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cbai_notebook import errors
from cbai_notebook.client.model import Model
from cbai_notebook.errors import CbaiError
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Gateway, Scenario

ASK = {"model": "the-model", "messages": MESSAGES}
KEY = "sk-" + "s3cr3t" * 5


def scenario(body: Any, status: int = 400, content_type: str = "application/json") -> Scenario:
    """Return an answer with exactly this body: bytes, or a value that is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Scenario(status=status, body=data, content_type=content_type)


async def failure(model: Model, *, stream: bool = False) -> CbaiError:
    """Send a request and return its error."""
    with pytest.raises(CbaiError) as raised:
        if stream:
            await (await model.stream_text(**ASK)).finish()
        else:
            await model.generate_text(**ASK)
    return raised.value


REASON = "the weather is bad"

SHAPES: dict[str, tuple[Any, str, str | None]] = {
    "object": ({"error": {"message": REASON, "code": "bad_day"}}, REASON, "bad_day"),
    "text": ({"error": REASON}, REASON, None),
    "text and kind": ({"error": REASON, "error_type": "weather"}, REASON, "weather"),
    "number and kind": ({"error": {"code": 400, "type": "weather_error", "message": REASON}}, REASON,
                        "weather_error"),
    "twice": ({"error": {"error": {"message": REASON, "code": "inner"}}}, REASON, "inner"),
    "base_resp": ({"base_resp": {"status_code": 2013, "status_msg": REASON}}, REASON, "2013"),
    "error_msg": ({"error_code": 17, "error_msg": REASON}, REASON, "17"),
    "errorMessage": ({"errorCode": "E1", "errorMessage": REASON}, REASON, "E1"),
    "err_msg": ({"errcode": 40001, "errmsg": REASON}, REASON, "40001"),
    "Message": ({"Code": "Bad.Day", "Message": REASON}, REASON, "Bad.Day"),
    "Response": ({"Response": {"Error": {"Code": "Bad.Day", "Message": REASON}, "RequestId": "r-1"}},
                 REASON, "Bad.Day"),
    "detail": ({"detail": REASON}, REASON, None),
    "details of fields": (
        {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "field required"},
                    {"loc": ["body", "messages", 0, "content"], "msg": "too short"}]},
        "body.model: field required; body.messages.0.content: too short", None),
    "detail in an object": ({"detail": {"error": {"message": REASON}}}, REASON, None),
    "msg": ({"msg": REASON, "code": 7}, REASON, "7"),
    "errors": ({"errors": [{"message": REASON, "code": 7003}], "success": False}, REASON, "7003"),
    "errors as texts": ({"errors": [REASON, "and cold"]}, f"{REASON}; and cold", None),
    "errors by field": ({"title": "Not valid", "errors": {"model": ["is required"]}},
                        "Not valid: model: is required", None),
    "message and errors": (
        {"message": "Not valid", "errors": [{"field": "model", "message": "is required"}]},
        "Not valid: model: is required", None),
    "problem": ({"type": "about:blank", "title": "Bad day", "status": 400, "detail": REASON},
                f"Bad day: {REASON}", None),
    "raw": ({"error": {"message": "Provider returned error", "code": 400,
                       "metadata": {"raw": json.dumps({"error": {"message": REASON}})}}},
            f"Provider returned error: {REASON}", "400"),
    "JSON in a text": ({"message": json.dumps({"error": {"message": REASON}})}, REASON, None),
    "param": ({"error": {"message": "must be at most 2", "param": "temperature"}},
              "temperature: must be at most 2", None),
    "OAuth": ({"error": "invalid_request", "error_description": REASON}, REASON, "invalid_request"),
    "list": ([{"error": {"code": 400, "message": REASON, "status": "BAD_DAY"}}], REASON, "BAD_DAY"),
    "string": (REASON, REASON, None),
    "page": (f"<html><head><title>\n400 {REASON} &amp; cold</title></head>".encode(),
             f"400 {REASON} & cold", None),
    "xml": (f"<?xml?><Error><Code>X</Code><Message>{REASON}</Message></Error>".encode(), REASON, None),
    "plain": (f"  {REASON}\n\x1b[31mtoday\x00".encode(), f"{REASON} [31mtoday", None),
    "broken JSON": (b'{"error": {"message": "the \\"weather\\" is bad", "input": "aaaa',
                    'the "weather" is bad', None),
}  # fmt: skip


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_the_reason_is_quoted_in_every_shape(
    make_model: MakeModel, gateway: Gateway, stream: bool
) -> None:
    for name, (body, said, code) in SHAPES.items():
        gateway.always(scenario(body))
        error = await failure(make_model(), stream=stream)
        assert isinstance(error, errors.BadRequestError), name
        assert error.server_message == said, name
        assert f"“{said}”" in error.message, name
        assert error.code == code, name
        assert error.status == 400


# Of these an object says that it is an error, although the status is 200.
IN_200 = ("object", "text", "twice", "base_resp", "error_msg", "errorMessage", "err_msg", "Message",
          "Response", "msg", "errors", "list", "OAuth")  # fmt: skip


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", IN_200)
async def test_an_error_in_a_200_is_found_in_every_shape(
    make_model: MakeModel, gateway: Gateway, stream: bool, name: str
) -> None:
    body, said, code = SHAPES[name]
    gateway.always(scenario(body, 200))
    error = await failure(make_model(), stream=stream)
    assert isinstance(error, errors.APIError)
    assert (error.server_message, error.code, error.status) == (said, code, 200)


BESIDE = {"error": {"code": 503, "message": REASON}}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("top, inner", [(BESIDE, {}), ({}, BESIDE)], ids=["beside", "in a choice"])
async def test_an_error_with_a_part_of_the_answer_is_told_with_it(
    make_model: MakeModel, gateway: Gateway, stream: bool, top: Any, inner: Any
) -> None:
    choice = {"message": {"role": "assistant", "content": "Sun"}, "finish_reason": "error"}
    gateway.always(scenario({**top, "choices": [{**choice, **inner}]}, 200))
    error = await failure(make_model("custom"), stream=stream)
    assert isinstance(error, errors.ServerError)
    assert error.server_message == REASON
    assert error.partial == "Sun"
    assert len(gateway.requests) == 1, "what has arrived is paid for"


async def test_a_field_of_the_servers_own_is_no_error(
    make_model: MakeModel, gateway: Gateway
) -> None:
    message = {"role": "assistant", "content": "Sunny."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    gateway.always(scenario({"choices": [choice], "_ERROR": True, "_code": 5}, 200))
    for stream in (True, False):
        model = make_model("custom")
        asked = await (model.stream_text(**ASK) if stream else model.generate_text(**ASK))
        assert (await asked.finish() if stream else asked).text == "Sunny."


@pytest.mark.parametrize("name", [name for name in IN_200 if name != "list"])
async def test_an_error_in_an_event_is_found_in_every_shape(
    make_model: MakeModel, gateway: Gateway, name: str
) -> None:
    body, said, code = SHAPES[name]
    gateway.always(Scenario(payloads=(json.dumps(body), "[DONE]")))
    error = await failure(make_model(), stream=True)
    assert isinstance(error, errors.APIError)
    assert (error.server_message, error.code) == (said, code)


@pytest.mark.parametrize(
    "beside",
    [{"error": None}, {"error": ""}, {"error": {"code": 0, "message": "ok"}}, {"code": 0},
     {"code": "NORMAL"}, {"code": "Success"}, {"base_resp": {"status_code": 0, "status_msg": ""}},
     {"error_code": 0, "error_msg": "ok"}, {"errors": []}, {"success": True, "msg": "ok"},
     {"base_resp": {"status_code": 1, "status_msg": "slow"}}],
)  # fmt: skip
async def test_an_answer_with_fields_for_errors_is_an_answer(
    make_model: MakeModel, gateway: Gateway, beside: dict[str, Any]
) -> None:
    answer = {"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}], **beside}
    gateway.always(scenario(answer, 200))
    assert (await make_model().generate_text(**ASK)).text == "fine"
    chunk = {"choices": [{"index": 0, "delta": {"content": "fine"}}], **beside}
    last = {"choices": [], "usage": {"total_tokens": 3}, **beside}
    if beside.get("base_resp", {}).get("status_code"):
        last = chunk
    gateway.always(Scenario(payloads=(json.dumps(chunk), json.dumps(last), "[DONE]")))
    assert (await (await make_model().stream_text(**ASK)).finish()).text.startswith("fine")


@pytest.mark.parametrize("shift", range(-len(KEY), 3))
async def test_a_key_across_the_cut_shows_nothing_of_itself(
    make_model: MakeModel, gateway: Gateway, shift: int
) -> None:
    gateway.key = KEY
    for length in (300, 4000):
        body = {
            "error": {"message": "x" * (length + shift) + KEY, "code": "y" * (80 + shift) + KEY}
        }
        gateway.always(scenario(body))
        error = await failure(make_model(api_key=KEY))
        assert KEY[:3] not in error.message + error.server_message + (error.code or "")


TOO_LONG = [
    (400, "context_length_exceeded", "no words"),
    (500, "exceed_context_size_error", "the request exceeds the available context size"),
    (400, None, "This model's maximum context length is 8192 tokens. However, you requested 9000."),
    (400, None, "prompt is too long: 210000 tokens > 200000 maximum"),
    (400, None, "input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000"),
    (400, None, "Range of input length should be [1, 30720]"),
    (422, None, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens"),
    (400, None, "The input token count (1200000) exceeds the maximum number of tokens allowed"),
    (400, None, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
    (400, None, "Your request exceeded model token limit: 8192"),
    (400, None, "too many tokens: the prompt has 9000"),
    (400, None, "Requested tokens (5000) exceed context window of 2048"),
    (400, None, "length of prompt_tokens (9000) must be less than max_seq_len (8192)."),
    (400, None, "Please reduce the length of the messages or completion."),
    (400, None, "Input is too long for requested model."),
    (500, None, "The number of tokens is greater than the context length: n_ctx = 4096"),
    (422, None, "`inputs` must have less than 1024 tokens. Given: 1500"),
    (400, None, "the max input characters is 20000"),
    (400, None, "This model's maximum prompt length is 131072 but the request contains 200000 tokens."),
    (400, None, "Invalid 'messages[1].content': string too long. Expected at most 1048576"),
    (400, None, "Prompt 超长"),
    (400, None, "输入内容长度超过模型限制"),
    (400, None, "请求超出最大上下文长度"),
    (413, None, "anything"),
    (200, "context_window_exceeded", "too much"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "message"), TOO_LONG)
async def test_a_prompt_that_is_too_long_gets_its_own_advice(
    make_model: MakeModel, gateway: Gateway, status: int, code: str | None, message: str
) -> None:
    gateway.always(scenario({"error": {"message": message, "code": code}}, status))
    error = await failure(make_model())
    assert type(error) is errors.ContextTooLongError
    assert "Send fewer messages" in error.message
    assert "%cbai reset" in error.in_language("en", "cell")
    assert message in error.message
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (429, None, "Limit of 6000 tokens per minute exceeded; reduce the length of the prompt",
         errors.RateLimitError),
        (200, None, "Rate limit reached: too many tokens per min", errors.RateLimitError),
        (200, "1302", "您的账户已达到速率限制，请求超出限制", errors.APIError),
        (400, None, "max_tokens is too large: 9000. At most 4096 completion tokens are supported",
         errors.BadRequestError),
        (400, None, "tool name is too long", errors.BadRequestError),
        (400, None, "messages: at least one message is required", errors.BadRequestError),
        (400, None, "stop: too long", errors.BadRequestError),
        (400, None, "参数错误: temperature 超出范围", errors.BadRequestError),
        (504, None, "The request took too long", errors.ServerError),
        (400, None, "The temperature exceeds the maximum", errors.BadRequestError),
        (401, None, "token is too long", errors.AuthenticationError),
        (403, None, "The token exceeds its lifetime", errors.PermissionDeniedError),
    ],
)  # fmt: skip
async def test_other_limits_are_no_prompt_that_is_too_long(
    make_model: MakeModel,
    gateway: Gateway,
    status: int,
    code: str | None,
    message: str,
    kind: type[CbaiError],
) -> None:
    gateway.always(scenario({"error": {"message": message, "code": code}}, status))
    error = await failure(make_model())
    assert isinstance(error, kind)
    assert not isinstance(error, errors.ContextTooLongError)
    assert "reset" not in error.message


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("login fail: Please carry the API secret key", errors.AuthenticationError),
        ("Invalid API key provided", errors.AuthenticationError),
        ("insufficient balance", errors.QuotaExceededError),
        ("账户余额不足", errors.QuotaExceededError),
        ("Open api qps request limit reached", errors.RateLimitError),
        ("model 'x' not found", errors.ModelNotFoundError),
        ("Unknown Model, please check the model code.", errors.ModelNotFoundError),
        ("invalid params: temperature", errors.BadRequestError),
        ("this model does not support it: invalid parameter", errors.BadRequestError),
        ("invalid model: x", errors.ModelNotFoundError),
        ("something else", errors.ServerError),
    ],
)
async def test_the_words_of_an_error_in_a_200_decide(
    make_model: MakeModel, gateway: Gateway, message: str, kind: type[CbaiError]
) -> None:
    gateway.always(scenario({"base_resp": {"status_code": 1999, "status_msg": message}}, 200))
    assert type(await failure(make_model())) is kind


@pytest.mark.timeout(20)
async def test_a_hostile_error_is_read_in_no_time(make_model: MakeModel, gateway: Gateway) -> None:
    for words in ("input tokens " * 20_000, "too long " * 20_000, "<h1>" * 60_000, "context " * 30_000,
                  "[" * 200_000, '{"error":' * 30_000, "model " * 40_000, "api key " * 30_000):  # fmt: skip
        gateway.always(Scenario(status=400, body=words.encode(), content_type="text/plain"))
        assert isinstance(await failure(make_model()), errors.BadRequestError)
