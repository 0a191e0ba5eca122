"""A failed prompt: its cell fails with one readable line, and the conversation stays valid."""

from __future__ import annotations

import re

import pytest

from tests.gateway import Gateway, Scenario
from tests.kernel.harness import Kernel, assert_one_readable_line, notebook_of


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("error:AI_MODEL_NOT_FOUND", "ModelNotFoundError"),
        ("error:INVALID_CREDENTIALS", "AuthenticationError"),
        ("error:EXCEED_TOKEN_QUOTA_LIMIT", "QuotaExceededError"),
        ("error-in-200:AI_MODEL_PARAM_INVALID", "BadRequestError"),
        ("cut:3", "StreamCutError"),
        ("midstream-error:3", None),
    ],
)
def test_the_cell_fails_in_one_line(
    kernel: Kernel, gateway: Gateway, spec: str, name: str | None
) -> None:
    gateway.script(spec)
    cell = kernel.run("%%cbai\nHi")
    assert_one_readable_line(cell)
    if name:
        assert cell.error["ename"] == name
    notebook_of([cell])


def test_what_had_arrived_stays_on_the_screen(kernel: Kernel, gateway: Gateway) -> None:
    gateway.script("say:A first part and more+midstream-error:4")
    cell = kernel.run("%%cbai\nHi")
    assert "A first" in cell.html
    assert_one_readable_line(cell)


def test_a_usage_error_fails_the_cell_and_sends_nothing(kernel: Kernel, gateway: Gateway) -> None:
    for code in ("%%cbai --no-such-option\nHi", "%%cbai\n   ", "%%cbai --into nothing\nHi"):
        assert_one_readable_line(kernel.run(code))
    assert gateway.requests == []


def test_the_users_message_is_kept_once(kernel: Kernel, gateway: Gateway) -> None:
    gateway.script("error:AI_MODEL_NOT_FOUND", "error:AI_MODEL_NOT_FOUND", Scenario(text="At last"))
    for _ in range(2):
        assert kernel.run("%%cbai\nTell me").status == "error"
    kernel.must("%%cbai\nTell me")
    sent = [(m["role"], m["content"]) for m in gateway.last.json["messages"]]
    assert sent == [("user", "Tell me")]
    users = kernel.value(
        "[m['status'] for m in __import__('cbai_notebook').chat().messages if m['role'] == 'user']"
    )
    assert len(users) >= 1


def test_an_error_of_the_users_own_keeps_its_traceback(kernel: Kernel) -> None:
    cell = kernel.run(
        "import cbai_notebook as cbai\nasync def mine(): return 1 / 0\ncbai.run(mine())"
    )
    assert cell.error["ename"] == "ZeroDivisionError"
    # Older versions of IPython (on Python 3.10) colour each symbol separately.
    assert "mine()" in re.sub(r"\x1b\[[\d;]*m", "", "\n".join(cell.error["traceback"]))
