"""Every export format by its name, and the files that it writes."""

from __future__ import annotations

import io
import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given

from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation.formats import FORMS, Export, export
from cbai_notebook.errors import UsageError
from tests.conversation.formats.samples import SETTINGS, texts
from tests.conversation.turns import conversation, turn

NAMES = [form.name for form in FORMS]


def made(form: str = "markdown", name: str = "poems") -> Export:
    return export(conversation(turn("a", "b"), name=name), form, settings=SETTINGS)


def test_the_forms_have_the_names_that_users_write() -> None:
    assert NAMES == [
        "markdown", "messages", "jsonl", "notebook", "curl", "python", "mini-program", "web",
    ]  # fmt: skip
    assert len({form.suffix for form in FORMS}) == len(FORMS)
    assert all(form.label and form.help and form.mime for form in FORMS)


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_a_form_makes_what_its_row_says(form: object) -> None:
    row = next(one for one in FORMS if one is form)
    it = made(row.name)
    assert it.name == "poems" + row.suffix
    assert it.mime == row.mime
    assert it.folder is (row.suffix == "")
    assert it.download_name == ("poems.zip" if it.folder else it.name)


def test_an_unknown_form_is_refused_with_the_names() -> None:
    with pytest.raises(UsageError, match="Did you mean mini-program") as caught:
        made("miniprogram")
    assert all(name in str(caught.value) for name in NAMES)
    with pytest.raises(UsageError) as caught:
        made("docx")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("form", NAMES)
def test_an_option_is_refused_where_it_means_nothing(form: str) -> None:
    talk = conversation(turn("a", "b"))
    for option, takers in (
        ({"examples": [0]}, ("mini-program", "web")),
        ({"every_turn": True}, ("curl", "python")),
    ):
        if form in takers:
            assert export(talk, form, settings=SETTINGS, **option).files  # type: ignore[arg-type]
        else:
            with pytest.raises(UsageError, match=takers[0]):
                export(talk, form, settings=SETTINGS, **option)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", NAMES)
def test_the_key_is_in_no_form_even_when_it_was_said(form: str) -> None:
    key = 'sk-"odd\\<key>&'
    talk = conversation(turn(f"use {key}", f"I used {key}", system=key, params={"user": key}))
    talk.turns[0].add(key[:6], "")
    talk.turns[0].add(key[6:], key)
    it = export(talk, form, settings=Settings(env_id="env", api_key=key))
    assert key in talk.turns[0].text
    for content in it.files.values():
        assert "odd" not in str(content)
    assert key.encode() not in it.zip()


@pytest.mark.parametrize("form", NAMES)
def test_the_settings_in_force_are_the_default(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBASE_ENV_ID", "env-in-force")
    monkeypatch.setenv("CLOUDBASE_API_KEY", "key-in-force")
    files = export(conversation(turn("a", "b")), form).files
    said = any("env-in-force" in str(content) for content in files.values())
    assert said is (form in ("curl", "python", "mini-program", "web"))


# Writing -------------------------------------------------------------------------------------------


def test_a_file_is_written_by_its_own_name_its_folder_or_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert made().write() == Path("poems.md")
    (tmp_path / "sub").mkdir()
    assert made().write("sub") == Path("sub/poems.md")
    assert made().write(tmp_path / "new" / "other.txt") == tmp_path / "new" / "other.txt"
    assert (tmp_path / "new" / "other.txt").read_bytes() == made().data


@pytest.mark.parametrize("form", ["markdown", "mini-program"])
def test_what_is_there_is_not_overwritten_unless_told(form: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    made(form).write(place)
    before = {file: file.read_bytes() for file in [place, *place.rglob("*")] if file.is_file()}
    other = export(conversation(turn("other", "x", system="new")), form, settings=SETTINGS)
    with pytest.raises(UsageError, match="is there already"):
        other.write(place)
    assert {file: file.read_bytes() for file in before} == before
    other.write(place, overwrite=True)
    assert {file: file.read_bytes() for file in before} != before


def test_a_folder_keeps_files_that_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    made("mini-program").write(tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    written = {
        file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()
    }
    assert written == {"mine.txt", *made("mini-program").files}


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    assert made("mini-program").write(tmp_path) == tmp_path
    assert (tmp_path / "pages" / "chat" / "chat.js").is_file()


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="root may write everywhere",
)
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(UsageError, match="could not be written"):
        made().write(tmp_path / "talk.md")


@pytest.mark.parametrize("form", ["markdown", "mini-program"])
def test_a_place_that_cannot_be_is_named_and_nothing_is_left(form: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="could not be written"):
        made(form).write(tmp_path / "file" / "below")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_is_not_written_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="could not be written"):
        made("mini-program").write(tmp_path / "file", overwrite=True)
    assert (tmp_path / "file").read_text() == "x"


def test_a_zip_file_unpacks_into_one_folder() -> None:
    it = made("mini-program")
    with zipfile.ZipFile(io.BytesIO(it.data)) as archive:
        assert set(archive.namelist()) == {f"poems/{path}" for path in it.files}
        assert archive.read("poems/prompt.js").decode() == it.files["prompt.js"]
    with zipfile.ZipFile(io.BytesIO(made().zip())) as archive:
        assert archive.namelist() == ["poems.md"]


def test_the_same_conversation_makes_the_same_bytes() -> None:
    for form in NAMES:
        assert made(form).zip() == made(form).zip()


@given(texts())
def test_any_name_of_a_conversation_makes_a_file_name(name: str) -> None:
    it = made(name=name)
    assert Path(it.name).name == it.name
    assert not it.name.startswith((".", "-"))
    assert len(it.name.encode()) < 256
