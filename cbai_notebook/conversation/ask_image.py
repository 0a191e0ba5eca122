"""The path of a prompt that asks for a picture: into the conversation, to the model that draws, and back.

A conversation keeps what was asked and one line about what came, with the words that the server made
of the prompt. The picture itself is on the screen, and in the file or the variable that the user named:
megabytes of it would go along with every later prompt.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cbai_notebook.conversation.ask import Prompt, new_turn, record_error
from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.replay import fingerprint
from cbai_notebook.conversation.turn import COMPLETE, Turn
from cbai_notebook.errors import ImageDownloadError
from cbai_notebook.text import counted, cut

if TYPE_CHECKING:
    from cbai_notebook.client.images.image import ImageAnswer
    from cbai_notebook.client.images.model import ImageModel

LONGEST_NOTE = 2_000
"""Characters of the line that is kept, at most."""


async def draw(conversation: Conversation, prompt: Prompt, model: ImageModel) -> ImageAnswer:
    """Ask for pictures, and keep the turn whatever happens.

    Args:
        conversation: Where the turn goes, unless ``question.remember`` is off.
        question: The prompt, the model and the parameters; nothing of the past goes along.
        model: The model that draws.

    Raises:
        ImageDownloadError: Pictures were drawn, but not all could be fetched.
        CbaiError: Nothing was drawn; the turn is kept as ``failed``.
    """
    named = {"model": prompt.model} if prompt.model else {}
    params = {**prompt.params, **named, "prompt": prompt.text}
    turn = new_turn(conversation, prompt, model.provider, 0, fingerprint(model.provider, params))
    turn.drawn = True
    if prompt.remember:
        conversation.open(turn, prompt.branch_of, prompt.replaces)
    started = asyncio.get_running_loop().time()
    status = COMPLETE
    try:
        answer = await model.generate_image(**params)
        _record_answer(turn, answer)
        return answer
    except BaseException as error:
        if isinstance(error, ImageDownloadError):
            _record_answer(turn, error.answer)
        status = record_error(turn, error)
        raise
    finally:
        turn.duration_s = asyncio.get_running_loop().time() - started
        if prompt.remember:
            conversation.close(turn, status)


def _record_answer(turn: Turn, answer: ImageAnswer) -> None:
    count = len(answer.images)
    images = "an image" if count == 1 else counted(count, "image")
    prompts = "; ".join(revised_prompts(answer))
    note = f"Drew {images}: {prompts}" if prompts else f"Drew {images}."
    turn.add(cut(note, LONGEST_NOTE), "")
    turn.model = answer.model


def revised_prompts(answer: ImageAnswer) -> tuple[str, ...]:
    """Return what the server made of the prompt, each once; nothing where it does not say."""
    revised = ((image.revised_prompt or "").strip() for image in answer.images)
    return tuple(dict.fromkeys(words for words in revised if words))
