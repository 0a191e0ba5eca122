"""``%%cbai --draw``: generate pictures, show them below the cell, and save them to a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbai_notebook import bridge
from cbai_notebook.conversation import PreparedPrompt, Prompt, prepare_drawing
from cbai_notebook.conversation.ask_image import draw, revised_prompts
from cbai_notebook.errors import ImageDownloadError, UsageError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import CELL, say
from cbai_notebook.notebook.cell_chat import chat_in_cell
from cbai_notebook.notebook.command_line import conflicts
from cbai_notebook.notebook.command_line.parser import PromptOptions
from cbai_notebook.notebook.dry_run import show_request
from cbai_notebook.notebook.frontend import cell_id, cell_turn
from cbai_notebook.notebook.held_interrupts import HeldInterrupts
from cbai_notebook.preferences import preferences
from cbai_notebook.prompts.template import expand
from cbai_notebook.text import cut

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client.images.image import GeneratedImage, ImageAnswer
    from cbai_notebook.client.images.model import ImageModel
    from cbai_notebook.notebook.screen import Status, Surface, TerminalSurface

REVISED_PROMPT_CHARS = 500
"""Characters of the revised prompt from the server that are shown below a picture."""


def draw_in_cell(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> None:
    """Generate pictures and show them below the running cell, or where ``--into`` says.

    The prompt and the options can name the variables.

    Raises:
        CbaiError: The prompt was refused, or a picture is missing; the others are shown.
        KeyboardInterrupt: The user interrupted the cell; the request is stopped.
    """
    prepared = _prepare(shell, text, options, variables)
    is_file = conflicts.is_picture(options.output)
    path = picture_path(options.output or "") if is_file else None
    if options.dry_run:
        show_request(bridge.run(prepared.model.prepare(**prepared.params)), prepared)
        return
    # Imported when first used, not with the extension: the screen imports the Markdown renderer.
    from cbai_notebook.client.providers import model_label
    from cbai_notebook.notebook.show import named_surface

    canvas = _Canvas(
        named_surface(shell, options.into, variables),
        model_label(prepared.provider, prepared.prompt.model),
    )
    canvas.hints += prepared.hints
    try:
        canvas.wait()
        answer = bridge.run(draw(prepared), nested=False)
    except KeyboardInterrupt:
        canvas.finish("cancelled", _not_stored(prepared))
        raise
    except ImageDownloadError as error:
        _assign_output(shell, options, error.answer)
        canvas.show(error.answer)
        canvas.finish("partial", _not_stored(prepared))
        raise
    except BaseException:
        canvas.finish("failed", _not_stored(prepared))
        raise
    _assign_output(shell, options, answer)
    canvas.show(answer)
    hints = _not_stored(prepared)
    try:
        if path is not None:
            saved = save_pictures(answer.images, path)
            hints = (say("cell.saved", files=", ".join(map(str, saved))), *hints)
    finally:
        canvas.finish("complete", hints)


def _prepare(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> PreparedPrompt[ImageModel]:
    filled = expand(text.strip("\n"), variables, limits=preferences())
    if not filled.text.strip():
        raise UsageError(say("cell.nothing_to_draw", magic="%%cbai --draw"))
    conversation = chat_in_cell(options.conversation) if options.history else None
    prompt = Prompt(
        text=filled.text,
        model=options.model,
        params=dict(options.params),
        remember=options.history,
        cell_id=cell_id(shell),
        cell_turn=0 if options.dry_run else cell_turn(shell),
        allow_secrets=options.allow_secrets,
    )
    if conversation is not None:
        replaces = conversation.of_cell(prompt.cell_id, prompt.cell_turn)
        prompt = replace(prompt, replaces=replaces)
    return replace(prepare_drawing(conversation, prompt), hints=filled.hints)


def _assign_output(shell: InteractiveShell, options: PromptOptions, answer: ImageAnswer) -> None:
    if options.output and not conflicts.is_picture(options.output):
        shell.user_ns[options.output] = answer


def _not_stored(prepared: PreparedPrompt[ImageModel]) -> tuple[str, ...]:
    problem = prepared.conversation.not_stored if prepared.prompt.remember else ""
    return (say("answer.not_stored", problem=problem),) if problem else ()


class _Canvas:
    """The pictures on the screen: one output for each, and one for the footer and hints."""

    def __init__(self, surface: Surface | TerminalSurface, label: str) -> None:
        self._surface = surface
        self._label = label
        self._images: list[GeneratedImage] = []
        self.hints: list[str] = []

    def wait(self) -> None:
        with HeldInterrupts():
            from cbai_notebook.notebook.screen import TerminalSurface
            from cbai_notebook.notebook.screen.notice import waiting

            if not isinstance(self._surface, TerminalSurface) and self._surface.live:
                self._surface.paint({0: waiting(say("cell.drawing", label=self._label))})

    def show(self, answer: ImageAnswer) -> None:
        from cbai_notebook.client.providers import model_label
        from cbai_notebook.notebook.screen.footer import seconds

        self._images = [image for image in answer.images if image.data]
        duration_s = answer.timing.duration_s
        label = model_label(answer.provider, answer.model)
        self._label = label if duration_s is None else f"{label} · {seconds(duration_s)}"
        if revised := revised_prompts(answer):
            prompts = cut("; ".join(revised), REVISED_PROMPT_CHARS)
            self.hints.append(say("cell.drawn_as", prompts=prompts))

    def finish(self, status: Status, hints: Sequence[str]) -> None:
        with HeldInterrupts():
            self._finish(status, hints)

    def _finish(self, status: Status, hints: Sequence[str]) -> None:
        from cbai_notebook.notebook.screen import Facts, TerminalSurface
        from cbai_notebook.notebook.screen.footer import closing

        end = closing(status, Facts(label=self._label, place=CELL), hints=[*self.hints, *hints])
        if isinstance(self._surface, TerminalSurface):
            for image in self._images:
                self._surface.text(f"{_in_words(image)}\n")
            self._surface.close(end.plain)
            return
        pictures = [
            {**image._repr_mimebundle_(), "text/plain": _in_words(image)} for image in self._images
        ]
        bundles = [*pictures, {"text/html": end.html, "text/plain": end.plain}]
        self._surface.paint(dict(enumerate(bundles)))
        self._surface.close()


def _in_words(image: GeneratedImage) -> str:
    return say("cell.picture", mime=image.mime, size=len(image.data))


def picture_path(output: str) -> Path:
    """Return the path that ``-o FILE`` names; check it before the request is sent.

    A picture may be replaced, as ``savefig`` does, because a cell that runs again saves its picture
    again. Any other file may not.

    Raises:
        UsageError: The folder does not exist, or the path is a file that is not a picture.
    """
    path = expanded(output)
    if not path.parent.is_dir():
        raise UsageError(say("cell.no_folder", option=f"-o {output}", folder=path.parent))
    _check_replaceable(path)
    return path


def save_pictures(images: Sequence[GeneratedImage], path: Path) -> list[Path]:
    """Save the pictures that arrived, and return their paths.

    Several pictures get ``-1``, ``-2`` … before the suffix. A picture whose format differs from the
    suffix is saved under the suffix of its format, because the user has paid for it.

    Raises:
        UsageError: A file cannot be written, or the path is a file that is not a picture.
    """
    return [
        _save_picture(image, path if len(images) == 1 else _numbered(path, number))
        for number, image in enumerate(images, 1)
        if image.data
    ]


def _save_picture(image: GeneratedImage, path: Path) -> Path:
    from cbai_notebook.client.images.formats import SUFFIXES

    suffix = SUFFIXES[image.mime]
    if path.suffix.lower() not in (suffix, ".jpeg" if suffix == ".jpg" else suffix):
        path = path.with_suffix(suffix)
    _check_replaceable(path)
    return image.save(path)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _check_replaceable(path: Path) -> None:
    from cbai_notebook.client.images.formats import mime_of

    try:
        if not path.exists():
            return
        with path.open("rb") as file:
            is_other_file = mime_of(file.read(16)) is None
    except OSError as error:
        raise UsageError(
            say("cell.cannot_write", path=path, reason=error.strerror, option="-o")
        ) from error
    if is_other_file:
        raise UsageError(say("cell.no_picture", path=path, option="-o"))
