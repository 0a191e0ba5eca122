"""Asks a prompt: adds a turn to the conversation, sends the request, stores the answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.endings import REFUSAL
from cbai_notebook.client.tools.approval import Approval
from cbai_notebook.conversation import continuation, secrets
from cbai_notebook.conversation.checkpoints import Checkpoints
from cbai_notebook.conversation.delta import Delta, Listener
from cbai_notebook.conversation.placement import Placement
from cbai_notebook.conversation.prepare import PreparedPrompt
from cbai_notebook.conversation.replay import answer_of
from cbai_notebook.conversation.tool_hooks import with_tool_hooks
from cbai_notebook.conversation.turn import (
    CANCELLED,
    COMPLETE,
    FAILED,
    PARTIAL,
    STREAMING,
    Turn,
)
from cbai_notebook.errors import (
    BudgetError,
    CbaiError,
    ConfigurationError,
    ConnectionFailedError,
    DNSError,
    PromptRefusedError,
    ProxyError,
    SecretRefusedError,
    StructuredAnswerError,
    TLSError,
)
from cbai_notebook.i18n import joined
from cbai_notebook.text import without_surrogates

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.checked_request import CheckedRequest
    from cbai_notebook.client.model import Model
    from cbai_notebook.client.stream import TextStream


async def ask(
    prepared: PreparedPrompt[Model],
    *,
    listener: Listener = lambda delta: None,
    opened: Callable[[Turn], None] = lambda turn: None,
    placement: Placement | None = None,
) -> Answer:
    """Ask a prompt, and keep the turn even if the request fails.

    The user's message is in the conversation before the request is sent. Each delta goes to the
    conversation and to `listener`. A cancelled or broken answer keeps the text that has arrived.

    Args:
        prepared: The prompt, as :func:`~cbai_notebook.conversation.prepare` returns it.
        listener: Called on the event loop for each delta; must not block.
        opened: Called with the new turn before the request is sent.
        placement: How the turn gets into the conversation; by default as the prompt says.

    Returns:
        The complete answer.

    Raises:
        UsageError: An option is not valid, or the model cannot do what is requested. There is no
            turn.
        PromptRefusedError: The user's ``before_send`` refused the prompt. There is no turn.
        CbaiError: The request failed; the turn is kept as ``failed`` or ``partial``. There is no
            turn if ``prompt.branch_of`` or ``prompt.replaces`` is no longer in the conversation.
    """
    with secrets.known_keys(prepared.secrets):
        return await _ask(prepared, listener, opened, placement or Placement())


async def _ask(
    prepared: PreparedPrompt[Model],
    listener: Listener,
    opened: Callable[[Turn], None],
    placement: Placement,
) -> Answer:
    conversation, prompt, model = prepared.conversation, prepared.prompt, prepared.model
    sent = await prepared.screened_params()
    request = prepared.fingerprint(sent)
    found = await asyncio.to_thread(conversation.answered, request) if prompt.cached else None
    if prompt.remember:
        await placement.until_due()
    if found is not None:
        # A stored answer may no longer parse because a secret in it was masked: then send the
        # request.
        with contextlib.suppress(StructuredAnswerError):
            messages = prepared.params["messages"]
            answer = answer_of(found, messages, prompt.options.get("response_type"))
            await _replay(prepared, found, listener, placement)
            return answer
    checked = model.check(prepared.params, **prompt.options)  # what is refused here is no turn
    if sent is not prepared.params:
        model.check(sent, **prompt.options)
    turn = placement.turn = new_turn(prepared, request, placement.replaces(prompt))
    if prompt.continues is not None:
        continuation.begin(turn, prompt.continues, cell_id=prompt.cell_id)
    if prompt.remember:
        await store_opened(prepared, turn, placement)
    if prepared.earlier or prepared.lacks_past:
        conversation.end_earlier_session()
    opened(turn)
    checkpoints = Checkpoints(conversation, turn) if prompt.remember else None
    if checkpoints and turn.carried:
        conversation.checkpoint(turn)

    def on_delta(delta: Delta) -> None:
        if turn.status != STREAMING:
            return  # the turn was closed: what still comes from a stopped request is dropped
        if delta.call:
            turn.update_call(delta.call)
        if prompt.remember:
            conversation.grow(turn, delta.text, delta.reasoning)
        else:
            turn.add(delta.text, delta.reasoning)
        if checkpoints:
            checkpoints.schedule()
        listener(delta)

    started = asyncio.get_running_loop().time()
    status = COMPLETE
    approval: Approval | None = None
    try:
        if "tools" in checked.params:
            approval = Approval(prompt.options.get("approve"))
            options = with_tool_hooks(
                checked.options, turn, on_delta, approval, streamed=prompt.stream
            )
            checked = replace(checked, options=options)
        answer = await _answer(model, checked, prompt.stream, turn, on_delta)
        _record_answer(turn, answer)
        if "response_type" in prompt.options and not answer.refusal:
            turn.replace_text(_final_text(answer))
        return answer
    except BaseException as error:
        status = record_error(turn, error)
        raise
    finally:
        if checkpoints:
            checkpoints.stop()
        waited_s = approval.waited_s if approval else 0.0
        turn.duration_s = asyncio.get_running_loop().time() - started - waited_s
        if prompt.remember:
            status = (
                status if turn.status == STREAMING else turn.status
            )  # closed by `close_stopped`
            await conversation.close(turn, status).stored()


def close_stopped(prepared: PreparedPrompt[Any], turn: Turn) -> None:
    """Close a turn as cancelled whose request was stopped and has not ended yet.

    The next prompt finds it with its text so far; what the request still brings is dropped.
    """
    if turn.status == STREAMING and prepared.prompt.remember:
        prepared.conversation.close(turn, CANCELLED)


async def store_opened(
    prepared: PreparedPrompt[Any], turn: Turn, placement: Placement | None = None
) -> None:
    """Add a turn to its conversation, and wait a moment until it is stored.

    Args:
        prepared: The prompt.
        turn: The turn.
        placement: How it gets into the conversation; by default as the prompt says.

    Raises:
        UsageError: What it was to branch from, or to replace, is no longer in the conversation.
    """
    conversation = prepared.conversation
    write = (placement or Placement()).open(conversation, prepared.prompt, turn)
    try:
        await write.stored()
    except asyncio.CancelledError as error:
        conversation.close(turn, record_error(turn, error))
        raise


def new_turn(prepared: PreparedPrompt[Any], request: str, replaces: Turn | None = None) -> Turn:
    """Return a new turn for a prompt that is about to be asked.

    Args:
        prepared: The prompt.
        request: The fingerprint of the request.
        replaces: The turn of which it becomes a version.
    """
    prompt = prepared.prompt
    turn = Turn(
        prompt=without_surrogates(prompt.text),
        created_at=datetime.now(timezone.utc),
        system=prompt.system and without_surrogates(prompt.system),
        provider=prepared.provider,
        model=prompt.model,
        asked_model=prepared.asked_model,
        params=dict(prompt.params),
        images=prompt.images,
        cell_id=prompt.cell_id,
        cell_turn=prompt.cell_turn,
        dropped_turns=prepared.context.dropped_turns,
        earlier=prepared.earlier,
        request=request,
        allow_secrets=prompt.allow_secrets,
    )
    if branch_of := prompt.branch_of:
        # A branch takes the cell of the turn that it branches from. It takes that turn's system
        # prompt too, unless the prompt has its own.
        turn.system = branch_of.system if turn.system is None else turn.system
        turn.cell_id, turn.cell_turn = branch_of.cell_id, branch_of.cell_turn
    elif (
        prompt.remember
        and prompt.system is not None
        and prompt.system == prepared.conversation.system_for(None, replaces)
    ):
        # A turn stores a system prompt only if it changes the current one.
        turn.system = None
    return turn


async def _replay(
    prepared: PreparedPrompt[Model], found: Turn, listener: Listener, placement: Placement
) -> None:
    """Replay the answer of an earlier turn: pass it to the listener and keep it as a turn."""
    conversation, prompt = prepared.conversation, prepared.prompt
    listener(Delta(found.text, found.reasoning))
    placement.turn = found
    if known := placement.known(conversation, prompt, found):
        # The cell's turn already has this answer, so it needs no new version.
        placement.turn = known
        known.stale = False
        await conversation.keep(known).stored()
    elif prompt.remember:
        turn = new_turn(prepared, found.request or "", placement.replaces(prompt))
        placement.turn = turn
        turn.dropped_turns, turn.earlier = 0, None
        turn.origin = found.origin or found.id or 0
        turn.model, turn.finish_reason = found.model, found.finish_reason
        turn.steps, turn.reply, turn.status = found.steps, found.reply, COMPLETE
        turn.record_id, turn.sources = found.record_id, found.sources
        turn.add(found.text, found.reasoning)
        placement.open(conversation, prompt, turn)
        await conversation.close(turn, COMPLETE).stored()


async def _answer(
    model: Model, request: CheckedRequest, stream: bool, turn: Turn, listener: Listener
) -> Answer:
    if not stream:
        answer = await model.generate_text(request)
        listener(Delta(_final_text(answer), answer.reasoning))
        _refuse(answer, turn, listener)
        _keep_reply(turn, answer)
        return answer
    clock = asyncio.get_running_loop().time
    started = clock()
    async with await model.stream_text(request) as running:
        turn.first_token_s = clock() - started
        try:
            async for batch in running.batches():
                if delta := Delta.of(batch):
                    listener(delta)
        finally:
            _refuse(running, turn, listener)
            _keep_reply(turn, running)
        return await running.finish()


def _refuse(answer: Answer | TextStream, turn: Turn, listener: Listener) -> None:
    if answer.refusal:
        listener(Delta.of_refusal(answer.refusal, after=turn.final_text))


def _keep_reply(turn: Turn, answer: Answer | TextStream) -> None:
    """Keep the fields of the final message that later prompts send back beside its text.

    After tool calls some models need their thinking back. In other turns it would only cost tokens.
    """
    if not turn.steps:
        return
    last = answer.messages[-1]
    if last["role"] != "assistant" or last.get("tool_calls"):
        return
    written = "content" if turn.carried or last.get("content") == turn.final_text else ""
    reply = {name: value for name, value in last.items() if name not in ("role", written)}
    turn.reply = {**reply, **turn.reply}


def _final_text(answer: Answer) -> str:
    """Return the text of an answer after its tool calls; ``""`` when it ended with tool calls."""
    return "" if answer.steps and answer.steps[-1].results else answer.text


def _record_answer(turn: Turn, answer: Answer) -> None:
    # An agent is addressed by its id, not by the model behind it.
    turn.model = answer.agent_id or answer.model or turn.model
    turn.finish_reason = REFUSAL if answer.refusal else answer.finish_reason
    turn.note = joined(turn.note, *answer.hints)
    turn.record_id = answer.record_id
    turn.sources = answer.sources.stored()
    if usage := answer.usage:
        turn.prompt_tokens = usage.prompt_tokens
        turn.completion_tokens = usage.completion_tokens
        turn.total_tokens = usage.total_tokens
        turn.cached_tokens = usage.cached_tokens


_FINISH_REASONS = (REFUSAL, "content_filter", "length")


def record_error(turn: Turn, error: BaseException) -> str:
    """Store an error in the turn and return the turn's status."""
    if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)):
        return CANCELLED
    if isinstance(error, CbaiError):
        turn.error, turn.error_details = error.words or str(error), error.details
    else:
        turn.error, turn.error_details = f"{type(error).__name__}: {error}", ""
    if isinstance(error, StructuredAnswerError):
        # The model ended the answer, and the error's code is its finish reason if that is why.
        turn.finish_reason = error.code if error.code in _FINISH_REASONS else "stop"
        if error.partial:
            # The text of the last attempt, without that of the attempts before.
            turn.replace_text(error.partial)
    if isinstance(error, CbaiError) and not turn.text:
        # Without streaming, the text of an answer that could not be used is only in the error.
        turn.add(error.partial, "")
    if turn.text:
        return PARTIAL
    if not turn.steps and _before_sending(error):
        turn.request = ""
    return FAILED


_BEFORE_SENDING = (
    *(ConfigurationError, BudgetError, PromptRefusedError, SecretRefusedError),
    *(DNSError, ProxyError, TLSError),
)


def _before_sending(error: BaseException) -> bool:
    """Return whether a request failed before any of it was sent."""
    if isinstance(error, ConnectionFailedError) and error.code == "connection_refused":
        return True
    return isinstance(error, _BEFORE_SENDING)
