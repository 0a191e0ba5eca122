"""Asks an image model: adds a turn to the conversation, sends the request, and notes the result.

The turn keeps the prompt and one line about the result, with the prompt as the server revised it.
The image itself is on the screen, and in the file or the variable that the user named. It is not
kept in the turn: megabytes would be sent with every later prompt.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cbai_notebook.conversation import secrets
from cbai_notebook.conversation.ask import new_turn, record_error, store_opened
from cbai_notebook.conversation.prepare import PreparedPrompt
from cbai_notebook.conversation.turn import COMPLETE, Turn
from cbai_notebook.errors import ImageDownloadError
from cbai_notebook.i18n import say
from cbai_notebook.text import cut

if TYPE_CHECKING:
    from cbai_notebook.client.images.image import ImageAnswer
    from cbai_notebook.client.images.model import ImageModel

LONGEST_PROMPTS = 1_900
"""The most characters of the revised prompts in the line about the result."""


async def draw(prepared: PreparedPrompt[ImageModel]) -> ImageAnswer:
    """Ask for images, and keep the turn even if the request fails.

    Args:
        prepared: The prompt, as :func:`~cbai_notebook.conversation.prepare_drawing` returns it.

    Raises:
        ImageDownloadError: Images were generated, but not all could be downloaded.
        PromptRefusedError: The user's ``before_send`` refused the prompt. There is no turn.
        CbaiError: No image was generated; the turn is kept as ``failed``.
    """
    with secrets.known_keys(prepared.secrets):
        return await _draw(prepared)


async def _draw(prepared: PreparedPrompt[ImageModel]) -> ImageAnswer:
    conversation, prompt = prepared.conversation, prepared.prompt
    request = prepared.fingerprint(await prepared.screened_params())
    turn = new_turn(prepared, request, prepared.prompt.replaces)
    turn.drawn = True
    if prompt.remember:
        await store_opened(prepared, turn)
    started = asyncio.get_running_loop().time()
    status = COMPLETE
    try:
        answer = await prepared.model.generate_image(**prepared.params)
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
            await conversation.close(turn, status).stored()


def _record_answer(turn: Turn, answer: ImageAnswer) -> None:
    count = len(answer.images)
    if prompts := cut("; ".join(revised_prompts(answer)), LONGEST_PROMPTS):
        line = say("conversation.drew_with_prompts", n=count, prompts=prompts)
    else:
        line = say("conversation.drew", n=count)
    turn.add(line, "")
    turn.model = answer.model


def revised_prompts(answer: ImageAnswer) -> tuple[str, ...]:
    """Return the prompts as the server revised them, without duplicates, if it reports any."""
    revised = ((image.revised_prompt or "").strip() for image in answer.images)
    return tuple(dict.fromkeys(words for words in revised if words))
