"""The gateway answers a correct request as CloudBase AI does, and makes the same checks."""

from __future__ import annotations

import pytest

from tests.gateway import Gateway, reading, serve, texts
from tests.gateway.asking import PATH, RawClient, ask, body, client

PATHS = {
    "/ai/cloudbase/chat/completions": "cloudbase",
    "/ai/cloudbase/v1/chat/completions": "cloudbase",
    "/ai/custom-mine/chat/completions": "custom-mine",
    "/ai/hunyuan-exp/chat/completions": "hunyuan-exp",
    "/ai/hunyuan-open/v1/chat/completions": "hunyuan-open",
    "/ai/moonshot/v1/chat/completions": "moonshot",
    "/ai/01-ai/v1/chat/completions": "01-ai",
    "/ai/hunyuan-beta/openapi/v1/chat/completions": "hunyuan-beta",
    "/ai/zhipu/api/paas/v4/chat/completions": "zhipu",
    "/ai/dashscope/compatible-mode/v1/chat/completions": "dashscope",
    "/ai/ark/api/v3/chat/completions": "ark",
    "/chat/completions": "",
}


@pytest.mark.parametrize(("path", "provider"), PATHS.items())
def test_every_provider_has_its_path(gateway: Gateway, path: str, provider: str) -> None:
    with client(gateway) as http:
        answer = http.post(path, json=body("echo", "hi", stream=False))
    assert answer.json()["choices"][0]["message"]["content"] == "hi"
    assert gateway.last.provider == provider
    assert gateway.last.path == f"/v1{path}"


@pytest.mark.parametrize(
    "path",
    [
        "/ai/ark/compatible-mode/v1/chat/completions",
        "/ai/cloudbase/completions",
        "/ai/chat/completions",
        "/embeddings",
    ],
)
def test_another_path_is_not_found(gateway: Gateway, path: str) -> None:
    with client(gateway) as http:
        answer = http.post(path, json=body("echo"))
    assert answer.status_code == 404
    assert answer.json()["code"] == "INVALID_PATH"


def test_a_whole_answer_has_every_field(gateway: Gateway) -> None:
    answer = ask(gateway, "echo", "one two", stream=False)
    assert answer.headers["content-type"].startswith("application/json")
    value = answer.json()
    assert set(value) == {"id", "object", "created", "model", "choices", "usage"}
    assert value["object"] == "chat.completion"
    assert value["model"] == "echo"
    assert value["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "one two"},
            "finish_reason": "stop",
        }
    ]
    assert value["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}


def test_a_stream_goes_from_role_to_done(gateway: Gateway) -> None:
    answer = ask(gateway, "echo", "one two")
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, done = reading.events(answer.content)
    assert done.data == "[DONE]"
    role, one, two, finish, usage = reading.chunks(answer.content)
    assert len(events) == 5
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert one["choices"][0]["delta"] == {"content": "one"}
    assert two["choices"][0]["delta"] == {"content": " two"}
    assert finish["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 4


@pytest.mark.parametrize(
    ("prompt", "text"), [("Introduce Li Bai", texts.ENGLISH), ("介绍一下李白", texts.CHINESE)]
)
def test_an_unknown_model_answers_in_the_language_of_the_prompt(
    gateway: Gateway, prompt: str, text: str
) -> None:
    assert reading.joined(ask(gateway, "hy3", prompt).content) == text
    whole = ask(gateway, "hy3", prompt, stream=False).json()
    assert whole["choices"][0]["message"]["content"] == text


@pytest.mark.parametrize("text", [texts.ENGLISH, texts.CHINESE])
def test_the_default_answers_hold_every_kind_of_markdown(text: str) -> None:
    for mark in ("\n## ", "\n1. ", "\n   - ", "\n|--", "\n```python", "\n$$\n", " $", "\n> ", "**"):
        assert mark in text
    assert "- [x]" in text


def test_the_last_user_message_is_the_prompt(gateway: Gateway) -> None:
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "answer"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "se"}, {"type": "text", "text": "c"}],
        },
    ]
    with client(gateway) as http:
        answer = http.post(PATH, json={"model": "echo", "messages": messages})
    assert answer.json()["choices"][0]["message"]["content"] == "sec"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "MISSING_CREDENTIALS"),
        ("Bearer wrong", "INVALID_CREDENTIALS"),
        ("test-key", "INVALID_CREDENTIALS"),
    ],
)
def test_the_key_is_checked(gateway: Gateway, authorization: str | None, code: str) -> None:
    gateway.script("cut:headers")
    headers = {"Authorization": authorization} if authorization else {}
    with client(gateway, headers=headers) as http:
        answer = http.post(PATH, json=body("echo"))
    assert answer.status_code == 401
    assert answer.json()["code"] == code
    assert answer.json()["requestId"] == answer.headers["x-request-id"] == gateway.last.request_id


def test_the_right_key_can_be_another() -> None:
    with serve(key="sk-other") as gateway:
        assert ask(gateway, "echo").status_code == 401
        with client(gateway, headers={"Authorization": "Bearer sk-other"}) as http:
            assert http.post(PATH, json=body("echo")).status_code == 200


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "AI_MODEL_PARAM_INVALID"),
        (b"[]", "AI_MODEL_PARAM_INVALID"),
        (b'{"model": "echo"}', "AI_MODEL_PARAM_INVALID"),
        (b'{"model": "echo", "messages": []}', "AI_MODEL_PARAM_INVALID"),
        (b'{"model": "echo", "messages": ["hi"]}', "AI_MODEL_PARAM_INVALID"),
        (b'{"messages": [{"role": "user", "content": "hi"}]}', "AI_MODEL_PARAM_REQUIRED"),
    ],
)
def test_the_body_is_checked(gateway: Gateway, content: bytes, code: str) -> None:
    with client(gateway) as http:
        answer = http.post(PATH, content=content)
    assert answer.status_code == 400
    assert answer.json()["code"] == code


def test_only_post_is_answered(gateway: Gateway) -> None:
    with client(gateway) as http:
        answer = http.get(PATH)
    assert answer.status_code == 405


def test_a_connection_is_kept_and_counted(gateway: Gateway) -> None:
    with client(gateway) as http:
        for number in range(5):
            http.post(PATH, json=body("echo", stream=number % 2 == 0))
        assert gateway.open_connections == 1
    assert gateway.connections == 1
    assert [exchange.connection for exchange in gateway.requests] == [1] * 5
    assert [exchange.number for exchange in gateway.requests] == [1, 2, 3, 4, 5]
    # The gateway's thread counts an answer as finished after it has written the last byte of it.
    gateway.wait_until(lambda: gateway.in_flight == 0)
    assert all(exchange.finished for exchange in gateway.requests)
    assert gateway.in_flight_peak == 1
    gateway.wait_until(lambda: gateway.open_connections == 0)


def test_a_request_is_logged_as_it_was_sent(gateway: Gateway) -> None:
    with client(gateway) as http:
        http.post(f"{PATH}?x=1", json=body("echo", temperature=0.5), headers={"X-Mine": "a b"})
    seen = gateway.last
    assert seen.method == "POST"
    assert seen.path == f"/v1{PATH}"
    assert seen.target == f"/v1{PATH}?x=1"
    assert seen.headers["x-mine"] == "a b"
    assert seen.headers["authorization"] == "Bearer test-key"
    assert seen.json["temperature"] == 0.5
    assert seen.status == 200
    assert seen.bytes_sent > 0


def test_a_chunked_request_is_read(gateway: Gateway) -> None:
    content = [b'{"model": "echo", "mess', b'ages": [{"role": "user", "content": "hi"}]}']
    with client(gateway) as http:
        answer = http.post(PATH, content=iter(content))
        again = http.post(PATH, json=body("echo", "again", stream=False))
    assert answer.json()["choices"][0]["message"]["content"] == "hi"
    assert again.json()["choices"][0]["message"]["content"] == "again"
    assert gateway.connections == 1


@pytest.mark.parametrize(
    "request_", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"x" * 100_000]
)
def test_what_is_no_http_is_refused(gateway: Gateway, request_: bytes) -> None:
    with RawClient(gateway) as raw:
        raw.socket.sendall(request_)
        assert raw.read_to_end().startswith(b"HTTP/1.1 400 ")
    assert gateway.requests == []


def test_openai_python_reads_it(gateway: Gateway) -> None:
    import openai

    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as other:
        made = other.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        text = "".join(c.choices[0].delta.content or "" for c in made if c.choices)
    assert text == "hi"


def test_one_answer_too_many_at_once_is_refused() -> None:
    with serve(concurrency=1) as gateway, RawClient(gateway) as raw:
        raw.send("hang:1")
        raw.read_until(b'"content":"#"')
        refused = ask(gateway, "echo")
        assert refused.status_code == 429
        assert refused.json()["code"] == "EXCEED_CONCURRENT_REQUEST_LIMIT"
        assert gateway.in_flight_peak == 2
        raw.socket.close()
        gateway.wait_until(lambda: gateway.in_flight == 0)
        assert ask(gateway, "echo").status_code == 200
