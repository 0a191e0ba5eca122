"""``cbai.configure``: the settings of every room through one door."""

from __future__ import annotations

from inspect import signature
from typing import Any

from cbai_notebook import preferences
from cbai_notebook.client.settings import configure as configure_client
from cbai_notebook.conversation import keep_history
from cbai_notebook.errors import UsageError

SERVICE = tuple(signature(configure_client).parameters)
"""The settings of the service, by the names that the client gives them."""

HISTORY = "history"
"""The setting of where conversations are kept."""


def configure(**settings: Any) -> None:
    """Set what applies from here on in this process. Everything is optional.

    Environment variables serve too; an argument wins over them, and both win over what
    ``%cbai login`` stored. ``None`` takes a setting back.

    Args:
        **settings: For the service ``env_id``, ``api_key``, ``region``, ``base_url``, ``provider``,
            ``model`` and ``timeout`` (seconds, or a :class:`~cbai_notebook.Timeout`). For the
            notebook ``history_turns``, ``history_chars``, ``table_rows``, ``cached`` and ``bridge``
            (see :class:`~cbai_notebook.preferences.Preferences`). ``history`` says where
            conversations are kept: ``"on"``, ``"off"`` (in memory only) or the path of a file.

    Raises:
        ConfigurationError: There is no such setting, or a value does not fit; nothing is changed then.
    """
    ours = {name: settings.pop(name) for name in preferences.NAMES if name in settings}
    unknown = set(settings) - {*SERVICE, HISTORY}
    if unknown:
        known = ", ".join((*SERVICE, *preferences.NAMES, HISTORY))
        raise UsageError(f"There is no setting {min(unknown)!r}. Settings: {known}.")
    preferences.checked(ours)  # first, so that a bad one leaves the others alone
    if HISTORY in settings:
        keep_history(settings.pop(HISTORY))
    configure_client(**settings)
    preferences.prefer(**ours)
