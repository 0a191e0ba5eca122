"""The outputs of a prompt in the notebook: well formed, clean, and small in total messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway import DEFAULT_KEY, Gateway, Scenario
from tests.kernel.conftest import StartKernel
from tests.kernel.harness import Kernel, notebook_of

pytestmark = pytest.mark.each_variant

KEY = "sk-0123456789-abcdefghij"
MARKDOWN = (
    "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint(1)\n```\n\n$e^{i\\pi}$ 介绍"
)


def test_a_finished_answer_is_one_clean_output(kernel: Kernel, gateway: Gateway) -> None:
    gateway.script(Scenario(text=MARKDOWN))
    cell = kernel.must("%%cbai\nHi")
    answers = [o for o in cell.outputs if MARKDOWN in o.get("data", {}).get("text/markdown", "")]
    assert len(cell.outputs) == len(answers) == 1
    assert MARKDOWN in answers[0]["data"]["text/plain"]
    assert "<h1>Title</h1>" in answers[0]["data"]["text/html"]
    notebook_of([cell])


def test_every_kind_of_cell_leaves_a_valid_notebook(kernel: Kernel, gateway: Gateway) -> None:
    gateway.always(Scenario(text=MARKDOWN, reasoning="Let me think."))
    cells = [
        "import ipywidgets; box = ipywidgets.Output(); display(box)",
        *(f"%%cbai -f {form}\nHi" for form in ("markdown", "text", "code")),
        "%%cbai --raw\nHi",
        "%%cbai --dry-run\nHi",
        "%%cbai --into box\nHi",
        "%%cbai --no-stream\nHi",
        "%%cbai --insert\nHi",
        *(f"%cbai {command}" for command in ("config", "models", "history", "help", "reset")),
        "import cbai_notebook as cbai; cbai.chat()",
    ]
    ran = [kernel.must(cell) for cell in cells]
    written = notebook_of(ran)
    assert DEFAULT_KEY not in str(written)


def test_the_key_never_shows(start_kernel: StartKernel, gateway: Gateway) -> None:
    gateway.key = KEY
    kernel = start_kernel(CBAI_BASE_URL=gateway.base_url, CBAI_API_KEY=KEY)
    kernel.must("%load_ext cbai_notebook")
    cells = [
        "%%cbai --dry-run\nHi",
        "%cbai config",
        "import cbai_notebook as cbai; m = cbai.create_model('cloudbase'); m",
        "cbai.run(m.prepare(False, model='m', messages=[dict(role='user', content='Hi')]))",
        "vars(m) if hasattr(m, '__dict__') else m",
        "from cbai_notebook.client.settings import settings; settings()",
        "%cbai -m error:INVALID_CREDENTIALS Hi",
        "cbai.chat().messages",
        f"%cbai -m echo my key is {KEY}",
    ]
    ran = [kernel.run(cell) for cell in cells]
    *shown, refused = ran
    assert [cell.status for cell in ran][-3:] == ["error", "ok", "error"]
    assert "CBAI_API_KEY" in refused.error["evalue"]
    assert len(gateway.requests) == 1, "a prompt that holds the key was sent"
    assert KEY not in str([cell.messages for cell in shown])
    assert KEY not in str(refused.outputs)


def test_long_answers_stay_under_the_limit_of_outputs(kernel: Kernel, gateway: Gateway) -> None:
    cell = kernel.must("%%cbai -m paced:4000+long:30000\nHi")
    assert 1 <= len(cell.outputs) < 45  # JupyterLab shows at most 50
    notebook_of([cell])


def test_a_stream_does_not_send_the_answer_again_and_again(
    kernel: Kernel, gateway: Gateway, record_property: Any
) -> None:
    cell = kernel.must("%%cbai -m paced:400+long:12000\nHi")
    text = cell.outputs[0]["data"]["text/plain"]
    record_property("kernel_to_browser_bytes_per_character", round(cell.bytes / len(text), 1))
    # Repainting the whole answer for every token would send thousands of times the text.
    assert cell.bytes < 150 * len(text.encode())


def test_a_table_of_a_command_is_html_where_its_text_would_not_line_up(kernel: Kernel) -> None:
    kernel.must("import cbai_notebook as cbai; talk = cbai.chat('<i>诗')")
    (table, hint) = kernel.must("%cbai use").outputs
    assert (
        '<td style="text-align:left;white-space:nowrap">&lt;i&gt;诗</td>'
        in (table["data"]["text/html"])
    )
    assert (
        '<th style="text-align:right;white-space:nowrap">turns</th>' in (table["data"]["text/html"])
    )
    assert "conversation" in table["data"]["text/plain"].splitlines()[0]
    assert "%cbai use" in hint["text"]
    kernel.must("%cbai delete -c '<i>诗' --yes")
    assert "conversation" in kernel.must("%cbai use").stdout
