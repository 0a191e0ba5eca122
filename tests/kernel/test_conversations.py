"""Features of the kernel: prompts for input, completion, restart."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.gateway import Gateway, Scenario
from tests.kernel.conftest import StartKernel
from tests.kernel.harness import Kernel, notebook_of

SECRET = "sk-typed-by-hand-0123456789"


def test_login_asks_with_a_hidden_prompt_and_keeps_the_key_out_of_the_notebook(
    start_kernel: StartKernel, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.key = SECRET
    kernel = start_kernel()
    kernel.must("%load_ext cbai_notebook")
    cell = kernel.send("%cbai login mine")
    assert kernel.answer_prompt(gateway.base_url)[1] is False
    assert kernel.answer_prompt(SECRET)[1] is True
    assert kernel.answer_prompt("echo")[1] is False
    assert kernel.finish(cell).status == "ok", cell.outputs
    asked = kernel.must("%cbai -m mine Hello there")
    assert "Hello there" in asked.html
    assert SECRET not in str(notebook_of([cell, asked]))
    assert SECRET not in str(kernel.value("In"))
    holders = [f for f in tmp_path.rglob("*") if f.is_file() and SECRET in f.read_text("latin-1")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in holders] == [0o600]

    later = start_kernel(CBAI_CONFIG_DIR=str(holders[0].parent))
    later.must("%load_ext cbai_notebook")
    assert "Still known" in later.must("%cbai -m mine/echo Still known").html
    assert SECRET not in later.must("%cbai config").text
    later.must("%cbai logout mine")
    assert [file for file in holders if file.exists()] == []


def test_a_key_of_cloudbase_does_not_go_to_another_address(
    start_kernel: StartKernel, gateway: Gateway
) -> None:
    kernel = start_kernel(CBAI_BASE_URL=gateway.base_url, CBAI_PROVIDER="custom")
    kernel.must("%load_ext cbai_notebook")
    cell = kernel.send("%cbai login")
    assert kernel.answer_prompt("env-of-mine")[1] is False
    assert kernel.answer_prompt(SECRET)[1] is True
    assert f"not sent to {gateway.base_url}" in kernel.finish(cell).text
    for model in ("echo", "cloudbase/echo"):
        asked = kernel.run(f"%cbai -m {model} Hello there")
        assert asked.error["ename"] == "AuthenticationError"
    refused = kernel.run(f"%cbai -m echo {SECRET}")
    assert refused.error["ename"] == "SecretRefusedError"
    assert len(gateway.requests) == 2
    assert all("authorization" not in exchange.headers for exchange in gateway.requests)
    assert SECRET not in str([exchange.headers for exchange in gateway.requests])


def test_login_without_anybody_to_type_says_what_to_do(kernel: Kernel) -> None:
    cell = kernel.run(
        "import sys; sys.stdin = None\nfrom IPython import get_ipython\nshell = get_ipython()\nshell.kernel._allow_stdin = False\nshell.run_line_magic('cbai', 'login')"
    )
    assert cell.status == "error"
    assert "CLOUDBASE_API_KEY" in cell.error["evalue"]


def test_tab_completes_options_models_and_conversations(kernel: Kernel, gateway: Gateway) -> None:
    gateway.always(Scenario(text="ok"))
    kernel.must("%cbai -c thesis Hi")
    for code, wanted in (
        ("%%cbai --con", "--conversation"),
        ("%%cbai --ins", "--insert"),
        ("%cbai hi", "history"),
        ("%%cbai -m deepseek/", "deepseek"),
        ("%%cbai -c th", "thesis"),
    ):
        matches = kernel.complete(code)
        assert any(wanted in match for match in matches), (code, matches)


def test_a_restarted_kernel_asks_again(kernel: Kernel, gateway: Gateway) -> None:
    gateway.always(Scenario(text="ok"))
    kernel.must("%cbai before")
    kernel.restart()
    kernel.must("%load_ext cbai_notebook")
    assert "ok" in kernel.must("%cbai after").html
    gateway.wait_until(lambda: gateway.open_connections <= 1)


def test_the_extension_loads_twice_and_unloads(kernel: Kernel, gateway: Gateway) -> None:
    gateway.always(Scenario(text="ok"))
    kernel.must("%load_ext cbai_notebook")
    kernel.must("%reload_ext cbai_notebook")
    kernel.must("%cbai Hi")
    kernel.must("%unload_ext cbai_notebook")
    gone = kernel.run("%cbai Hi")
    assert "cbai" in gone.text.lower() + str(gone.outputs).lower()
    assert len(gateway.requests) == 1
