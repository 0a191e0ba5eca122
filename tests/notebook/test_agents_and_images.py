"""``--agent``, ``--draw`` and ``--image`` in an IPython shell, against the test gateway over a socket."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook import errors
from cbai_notebook.client.images.image import ImageAnswer
from tests.gateway import Gateway, Scenario, pictures
from tests.notebook.cells import error_of, must

ERROR = "error:404:AI_MODEL_NOT_FOUND"


def roles_and_contents() -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in cbai.chat().messages]


# Agents


@pytest.mark.parametrize("option", ["--agent bot-poet", "-m agent/bot-poet"])
def test_an_agent_answers_in_the_conversation(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    option: str,
) -> None:
    gateway.script(Scenario(text="A model spoke."), Scenario(text="A poet spoke."), Scenario())
    must(shell, "%cbai First")
    must(shell, f"%%cbai {option}\nSecond")
    out = capsys.readouterr().out
    assert "A poet spoke." in out
    assert "agent bot-poet" in out
    assert gateway.last.json["msg"] == "Second"
    assert gateway.last.json["history"] == [
        {"role": "user", "content": "First"},
        {"role": "assistant", "content": "A model spoke."},
    ]
    turn = cbai.chat().turns[-1]
    assert (turn.provider, turn.model, turn.record_id) == ("agent", "bot-poet", "record-000002")
    must(shell, "%cbai Third")
    assert [m["content"] for m in gateway.last.json["messages"]][-3:-1] == [
        "Second",
        "A poet spoke.",
    ]


def test_an_agent_can_be_the_usual_one(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    cbai.configure(provider="agent", model="bot-third")
    must(shell, "%cbai Hi")
    assert "/bot-third/send-message" in gateway.last.path


def test_the_options_of_a_prompt_hold_for_agents(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(Scenario(text="one"), Scenario(text="two"))
    must(shell, "%%cbai --agent bot-poet -c poems -o answer --no-stream\nHi")
    assert shell.user_ns["answer"].record_id == "record-000001"
    must(shell, "%%cbai --agent bot-poet -c poems --no-history\nAgain")
    assert gateway.last.json["history"] == []
    assert len(cbai.chat("poems")) == 2
    capsys.readouterr()
    must(shell, "%%cbai --agent bot-poet -c other --cached\nHi")
    must(shell, "%%cbai --agent bot-poet -c other --no-history --cached\nHi")
    assert len(gateway.requests) == 2
    assert "nothing was sent" in capsys.readouterr().out
    must(shell, "%%cbai --agent bot-reader -P search=true --dry-run\nHi")
    shown = capsys.readouterr().out
    assert "/aibot/bots/bot-reader/send-message" in shown
    assert '"searchEnable": true' in shown
    assert "test-key" not in shown
    assert len(gateway.requests) == 2


def test_what_an_agent_found_stands_under_its_answer(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%%cbai --agent bot-reader -P search=true\nHi")
    out = capsys.readouterr().out
    assert "Searched: 【1】 Li Bai https://example.com/li-bai · 【2】 李白 https://" in out
    assert "Looked up: poems · 诗集" in out
    cbai.chat().reset()
    must(shell, "%%cbai --agent bot-reader -P search=true --cached -o answer\nHi")
    out = capsys.readouterr().out
    assert "nothing was sent" in out
    assert "Searched: 【1】 Li Bai https://example.com/li-bai · 【2】 李白 https://" in out
    assert "Looked up: poems · 诗集" in out
    answer = shell.user_ns["answer"]
    assert answer.record_id == cbai.chat().turns[-1].record_id == "record-000001"
    assert (answer.agent_id, answer.provider) == ("bot-reader", "agent")
    assert [page.title for page in answer.sources.pages] == ["Li Bai", "李白"]
    assert answer.sources.knowledge == ("poems", "诗集")
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("option", ["", "--no-stream", "--cached"])
def test_the_answer_of_an_agent_is_its_text_in_a_prompt(
    shell: TerminalInteractiveShell, gateway: Gateway, option: str
) -> None:
    text = "A poet spoke of the moon, the river and the wine, and of a friend far away. " * 3
    gateway.script(Scenario(text=text), Scenario(text="Yes."))
    if option == "--cached":
        must(shell, "%%cbai --agent bot-poet\nHi")
        cbai.chat().reset()
    must(shell, f"%%cbai --agent bot-poet -o poem {option}\nHi")
    must(shell, "%%cbai\nIs it good? {poem}")
    assert gateway.last.json["messages"][-1]["content"] == f"Is it good? {text}"
    assert len(gateway.requests) == 2


def test_a_filtered_answer_is_kept_and_says_so(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.script(Scenario(text="Once upon", finish_reason="content_filter"))
    must(shell, "%%cbai --agent bot-poet\nHi")
    assert "content filter ended the answer" in capsys.readouterr().out
    assert cbai.chat()[-1]["content"] == "Once upon"
    assert cbai.chat()[-1]["finish_reason"] == "content_filter"


def test_an_agents_failure_keeps_what_had_arrived(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    assert isinstance(error_of(shell, "%%cbai --agent bot-ghost\nHi"), errors.NotFoundError)
    gateway.script("say:one two three four five+midstream-error:3")
    failed = error_of(shell, "%%cbai --agent bot-poet\nHi")
    assert isinstance(failed, errors.CbaiError)
    assert cbai.chat()[-1]["status"] == "partial"
    assert cbai.chat()[-1]["content"] == failed.partial != ""


def test_a_system_prompt_that_is_in_force_stays_here_and_it_is_said(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, '%%cbai -s "You are a pirate."\nHi')
    must(shell, "%%cbai --agent bot-poet\nHi")
    assert "pirate" not in str(gateway.last.json)
    assert "system prompt of this conversation was not sent" in capsys.readouterr().out
    assert cbai.chat().system == "You are a pirate."


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ('--agent bot-poet -s "Be brief."', "--system"),
        ("--agent bot-poet -t 0", "--temperature"),
        ("-m agent/bot-poet --max-tokens 5", "--max-tokens"),
        ("-m agent/bot-poet --tool print", "--tool"),
        ("--agent bot-poet --schema dict", "--schema"),
        ("--agent bot-poet --no-think", "--no-think"),
        ("--agent bot-poet -m hy3", "--model"),
        ("--draw --agent bot-poet", "--agent"),
        ("--draw --image cat.png", "--image"),
        ('--draw -s "Be brief."', "--system"),
        ("--draw -t 1", "--temperature"),
        ("--draw -f code", "--format"),
        ("--draw --raw", "--raw"),
        ("--draw --cached", "--cached"),
        ("--draw --insert", "--insert"),
        ("--draw -o nowhere/cat.png", "no folder"),
        ("-o cat.png", "--draw"),
        ("--agent bot-poet -P seed=1", "seed"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(
    shell: TerminalInteractiveShell, gateway: Gateway, options: str, named: str
) -> None:
    error = error_of(shell, f"%%cbai {options}\nHi")
    assert isinstance(error, errors.UsageError)
    assert named in str(error)
    assert gateway.requests == []
    assert roles_and_contents() == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--agent ../models", "id of an agent"),
        ("--draw -m local", "draws no images"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_it_is_sent(
    shell: TerminalInteractiveShell, gateway: Gateway, options: str, named: str
) -> None:
    error = error_of(shell, f"%%cbai {options}\nHi")
    assert isinstance(error, errors.UsageError)
    assert named in str(error)
    assert gateway.requests == []
    assert cbai.chat()[-1]["status"] == "failed"


# Generated pictures


def test_a_drawing_is_real_data_and_its_turn_is_a_line(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["animal"] = "cat"
    must(shell, "%%cbai --draw -P size=512x512 -o picture\nA {animal} in the rain")
    body = gateway.last.json
    assert (body["prompt"], body["size"]) == ("A cat in the rain", "512x512")
    picture = shell.user_ns["picture"]
    assert isinstance(picture, ImageAnswer)
    assert picture.images[0].data == pictures.png()
    assert "Drawn as: A cat in the rain, in oil" in capsys.readouterr().out
    assert roles_and_contents() == [
        ("user", "A cat in the rain"),
        ("assistant", "Drew an image: A cat in the rain, in oil"),
    ]
    turn = cbai.chat().turns[-1]
    assert (turn.provider, turn.model) == ("hunyuan-image", "hunyuan-image-v3.0-v1.0.4")
    assert turn.status == "complete"
    assert turn.images == ()
    assert (turn.duration_s or 0) > 0
    must(shell, "%cbai What did you draw?")
    assert [m["content"] for m in gateway.last.json["messages"]][1].startswith("Drew an image")


@pytest.mark.parametrize(
    ("option", "path", "model"),
    [
        ("-m hunyuan-image/hunyuan-image-v2", "ai/hunyuan-image/images/generations", "-v2"),
        ("-m hunyuan-image-v2", "ai/hunyuan-image/images/generations", "-v2"),
        ("-m hunyuan-image", "ai/hunyuan-image/images/ar/generations", "v1.0.4"),
        ("-m other/painter", "ai/other/images/generations", "painter"),
        ("-m custom/painter", "/v1/images/generations", "painter"),
    ],
)
def test_the_model_that_draws_can_be_chosen(
    shell: TerminalInteractiveShell, gateway: Gateway, option: str, path: str, model: str
) -> None:
    must(shell, f"%%cbai --draw {option}\nA cat")
    assert gateway.last.path.endswith(path)
    assert gateway.last.json["model"].endswith(model)


def test_a_drawing_is_saved_and_saved_again(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        must(shell, "%%cbai --draw -o cat.png\nA cat")
        assert "Saved as cat.png." in capsys.readouterr().out
    assert Path("cat.png").read_bytes() == pictures.png()


def test_several_drawings_have_numbers(shell: TerminalInteractiveShell) -> None:
    must(shell, "%%cbai --draw -P n=3 -P response_format=b64_json -o cat.png\nA cat")
    assert sorted(path.name for path in Path().iterdir()) == [
        "cat-1.png",
        "cat-2.png",
        "cat-3.png",
    ]
    assert Path("cat-2.png").read_bytes() == pictures.png(2, 1)
    assert roles_and_contents()[-1] == ("assistant", "Drew 3 images: A cat, in oil")


def test_a_picture_of_another_kind_gets_its_own_ending(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.images.file = Scenario(body=pictures.GIF, content_type="image/png")
    must(shell, "%%cbai --draw -o cat.png\nA cat")
    assert Path("cat.gif").read_bytes() == pictures.GIF
    assert not Path("cat.png").exists()
    assert "Saved as cat.gif." in capsys.readouterr().out


def test_what_is_no_picture_is_never_overwritten(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    Path("thesis.png").write_text("years of work")
    error = error_of(shell, "%%cbai --draw -o thesis.png\nA cat")
    assert isinstance(error, errors.UsageError)
    assert gateway.requests == []
    gateway.images.file = Scenario(body=pictures.GIF, content_type="image/gif")
    Path("cat.gif").write_text("years of work")
    error = error_of(shell, "%%cbai --draw -o cat.png -P n=1\nA cat")
    assert "cat.gif is there" in str(error)
    assert Path("cat.gif").read_text() == Path("thesis.png").read_text() == "years of work"


def test_a_drawing_can_be_looked_at_before(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%%cbai --draw --dry-run -P size=512x512 -o cat.png\nA cat")
    shown = capsys.readouterr().out
    assert "/images/ar/generations" in shown
    assert '"size": "512x512"' in shown
    assert "test-key" not in shown
    assert gateway.requests == []
    assert roles_and_contents() == []


def test_a_failed_drawing_is_one_turn_however_often_it_is_tried(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.script(ERROR, ERROR)
    for _ in range(2):
        assert isinstance(error_of(shell, "%%cbai --draw\nA cat"), errors.ModelNotFoundError)
    assert cbai.chat()[-1]["status"] == "failed"
    must(shell, "%%cbai --draw\nA cat")
    assert [role for role, _ in roles_and_contents()] == ["user", "assistant"]


def test_what_could_be_fetched_is_not_lost(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.images.items = [
        {"b64_json": base64.b64encode(pictures.png()).decode()},
        {"url": "javascript:alert(1)"},
    ]
    error = error_of(shell, "%%cbai --draw -o both\nA cat")
    assert isinstance(error, errors.ImageDownloadError)
    assert shell.user_ns["both"].images[0].data == pictures.png()
    assert cbai.chat()[-1]["status"] == "partial"


def test_a_hostile_revised_prompt_is_cut(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.images.items = [
        {
            "b64_json": base64.b64encode(pictures.png()).decode(),
            "revised_prompt": "\x1b[31m" + "x" * 100_000,
        }
    ]
    must(shell, "%%cbai --draw\nA cat")
    assert len(roles_and_contents()[-1][1]) <= 2_000
    out = capsys.readouterr().out
    assert "A picture (image/png," in out
    assert "\x1b" not in out
    assert len(out) < 1_000


def test_a_drawing_holds_no_secret_and_can_be_forgotten(
    shell: TerminalInteractiveShell, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghx-0123456789abcdef")
    cell = "%%cbai --draw {}\nA cat named ghx-0123456789abcdef"
    assert isinstance(error_of(shell, cell.format("")), errors.SecretRefusedError)
    assert gateway.requests == []
    must(shell, cell.format("--allow-secrets --no-history"))
    assert roles_and_contents() == []


# Attached images


def sent_images(gateway: Gateway) -> list[str]:
    parts = gateway.last.json["messages"][-1]["content"]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def data_of(url: str) -> bytes:
    assert url.startswith("data:image/png;base64,")
    return base64.b64decode(url.partition(",")[2])


def test_images_go_along_from_everywhere(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    image = pytest.importorskip("PIL.Image").new("RGB", (3, 2))
    pytest.importorskip("matplotlib").use("agg")
    Path("cat one.png").write_bytes(pictures.png())
    Path("photo.png").write_bytes(pictures.png(4, 4))
    shell.user_ns |= {
        "data": pictures.png(5, 5),
        "image": image,
        "axes": pd.DataFrame({"a": [1, 3, 2]}).plot(),
        "rows": [{"photo": Path("photo.png")}],
        "where": "https://example.com/where.png",
    }
    must(
        shell,
        '%%cbai --image "cat one.png" --image https://example.com/a.png --image data '
        "--image image --image axes --image axes.figure --image 'rows[0][\"photo\"]' --image where\n"
        "What is it?",
    )
    found = sent_images(gateway)
    assert data_of(found[0]) == pictures.png()
    assert found[1] == "https://example.com/a.png"
    assert data_of(found[2]) == pictures.png(5, 5)
    for drawn in found[3:6]:
        assert data_of(drawn).startswith(b"\x89PNG")
    assert data_of(found[6]) == pictures.png(4, 4)
    assert found[7] == "https://example.com/where.png"
    assert cbai.chat()[0]["images"] == found


def test_a_large_image_is_kept_whole_and_sent_again(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    large = pictures.png(1_000, 1_000, noise=True)
    assert len(large) > 2_900_000
    Path("large.png").write_bytes(large)
    must(shell, "%%cbai --image large.png\nWhat is it?")
    must(shell, "%cbai And what colour?")
    (first, _, _) = gateway.last.json["messages"]
    assert data_of(first["content"][1]["image_url"]["url"]) == large
    again = cbai.Conversation.from_messages(json.loads(json.dumps(list(cbai.chat()), default=str)))
    assert data_of(again[0]["images"][0]) == large


def test_a_variable_wins_over_a_file_and_a_path_never_loses(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    Path("cat").write_bytes(pictures.png(2, 2))
    must(shell, "%%cbai --image cat\nHi")
    shell.user_ns["cat"] = pictures.png(3, 3)
    must(shell, "%%cbai --no-history --image cat --image ./cat\nHi")
    assert [data_of(url) for url in sent_images(gateway)] == [
        pictures.png(3, 3),
        pictures.png(2, 2),
    ]


def test_a_dry_run_shows_the_beginning_of_an_image(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("large.png").write_bytes(pictures.png(300, 300, noise=True))
    must(shell, "%%cbai --image large.png --dry-run\nHi")
    shown = capsys.readouterr().out
    assert "data:image/png;base64,iVBOR" in shown
    assert "more characters)" in shown
    assert len(shown) < 2_000
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("missing", "no variable and no file"),
        ("missing.png", "no file"),
        ("./missing.png", "cannot be read"),
        ("frame", "df.plot()"),
        ("number", "is no image"),
        ("words", "cannot be read"),
        ("pd", "module"),
        ("text.png", "is no image; PNG"),
        ("page.png", "a web page"),
        ("http://example.com/a.png", "only https"),
        ("https://user:word@example.com/a.png", "no address"),
        ("data:text/html;base64,PGI+", "a web page"),
        ("/", "cannot be read"),
    ],
)
def test_what_is_no_image_is_refused_and_nothing_is_sent(
    shell: TerminalInteractiveShell, gateway: Gateway, named: str, why: str
) -> None:
    Path("text.png").write_text("hello")
    Path("page.png").write_text("<html>")
    shell.user_ns |= {"frame": pd.DataFrame({"a": [1]}), "number": 7, "words": "hello", "pd": pd}
    error = error_of(shell, f"%%cbai --image {named}\nHi")
    assert isinstance(error, errors.UsageError)
    assert str(error).startswith("--image ")
    assert why in str(error)
    assert gateway.requests == []
    assert roles_and_contents() == []


def test_an_agent_takes_an_image_by_its_address(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "%%cbai --agent bot-poet --image https://example.com/cat.png\nHi")
    assert gateway.last.json["files"] == ["https://example.com/cat.png"]
    shell.user_ns["image"] = pictures.png()
    refused: Any = error_of(shell, "%%cbai --agent bot-poet --image image\nHi")
    assert "https address" in str(refused)
    assert len(gateway.requests) == 1
