"""``cbai.history``: messages of all conversations by filter, usage, and summaries."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.frames.to_frame import import_optional
from cbai_notebook.conversation.records import Records
from cbai_notebook.conversation.registry import conversations
from cbai_notebook.conversation.store import current_store, queries
from cbai_notebook.conversation.store.database import Database
from cbai_notebook.conversation.store.queries import Filter, Summary
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    import pandas as pd

Moment = str | date | datetime


def history(
    *,
    conversation: str | None = None,
    model: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    status: str | None = None,
    role: str | None = None,
    search: str | None = None,
    limit: int | None = None,
    versions: bool = False,
) -> Records:
    """Return the messages of all conversations that match the filters, oldest first.

    Args:
        conversation: The name of the conversation.
        model: The model that answered: ``"hy3"`` or ``"cloudbase/hy3"``.
        since, until: Time of the prompt: at or after `since`, before `until`. A date, a datetime,
            or either in ISO form; without a zone it is this machine's time.
        status: Status of the turn: ``"complete"``, ``"partial"``, ``"cancelled"``, ``"failed"``.
        role: Role of the message: ``"system"``, ``"user"``, ``"assistant"``, ``"tool"``.
        search: Words that a prompt or an answer contains, in any case; a phrase in double quotes.
            Chinese text is found by any sequence of its characters.
        limit: The most messages to return, the newest ones.
        versions: Whether to include versions that a cell has replaced and turns on other branches;
            their ``turn`` is -1.

    Returns:
        Flat dicts with the same keys as ``chat.messages``.

    Raises:
        UsageError: `since` or `until` is not a date or time.
        HistoryError: The history on disk cannot be read.
    """
    wanted = Filter(
        conversation=conversation,
        model=model,
        since=checked_moment("since", since),
        until=checked_moment("until", until),
        status=status,
        role=role,
        search=search,
        limit=limit,
        versions=versions,
    )
    database = _database()
    current_store().close_orphaned_turns()
    return Records(queries.messages(database, wanted))


def usage(*, conversation: str | None = None, since: Moment | None = None) -> list[dict[str, Any]]:
    """Return requests, tokens and seconds by day, provider and model.

    Args:
        conversation: Count only the conversation of this name.
        since: Count from this time on.

    Returns:
        Dicts with ``day, kind, provider, model, requests, prompt_tokens, completion_tokens,
        total_tokens, cached_tokens, duration_s, unanswered_tokens``; ``kind`` is ``"conversation"``.

    Raises:
        UsageError: `since` is not a date or time.
        HistoryError: The history on disk cannot be read.
    """
    start = checked_moment("since", since)
    return queries.usage(_database(), conversation=conversation, since=start)


def usage_frame(found: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the result of :func:`usage` as a DataFrame.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    (pandas,) = import_optional("dataframe", "pandas")
    frame: pd.DataFrame = pandas.DataFrame(found, columns=list(queries.USAGE_KEYS))
    frame["day"] = pandas.to_datetime(frame["day"], format="%Y-%m-%d")
    return frame


def summaries() -> list[Summary]:
    """Return a summary of each conversation, the most recently used one last.

    Raises:
        HistoryError: The history on disk cannot be read.
    """
    found = queries.summaries(_database())
    known = {each.name for each in found}
    empty = [each.name for each in conversations().in_use() if each.name not in known]
    return [*found, *(Summary(name, 0) for name in empty)]


def _database() -> Database:
    """Return the database with the whole history.

    Raises:
        HistoryError: The file cannot be used.
    """
    store = current_store()
    store.check()
    return store.database


def checked_moment(name: str, value: Moment | None) -> datetime | None:
    """Return a day or a time as a user gives it; a day is its beginning, on this machine.

    Args:
        name: The name of the argument, for the message.
        value: A date, a time, or a text in ISO 8601; None for none.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise UsageError(say("history.unknown_moment", name=name, value=repr(value))) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return None if value is None else in_zone(value)
