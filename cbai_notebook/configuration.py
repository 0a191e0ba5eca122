"""``cbai.configure``: set the settings of the service, the notebook and the history."""

from __future__ import annotations

from inspect import signature
from typing import Any

from cbai_notebook import preferences
from cbai_notebook.client.settings import configure as configure_client
from cbai_notebook.conversation import keep_history
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import near_match

SERVICE = tuple(signature(configure_client).parameters)
"""The names of the service's settings, as in the client."""

HISTORY = "history"
"""The name of the setting for where conversations are stored."""


def configure(**settings: Any) -> None:
    """Change settings for the rest of this process. Every argument is optional.

    An argument wins over an environment variable, and both win over the values that ``%cbai login``
    has stored. ``None`` resets a setting.

    A key is sent to the address that it is given with, and nowhere else. A key that is given alone
    belongs to the ``base_url`` of an earlier call, if one is in force, else to CloudBase; an address
    that is given alone is asked without a key.

    Args:
        **settings: For the service ``env_id``, ``api_key``, ``region``, ``base_url``, ``provider``,
            ``model``, ``timeout`` (seconds, or a :class:`~cbai_notebook.Timeout`) and ``servers``
            (a dict of names; each server a dict with ``base_url`` and, as needed, ``api_key``,
            ``headers`` and ``model``). ``before_send`` is a function that gets a copy of the
            messages of each request and returns those that are sent, or raises an error to refuse
            the request. ``max_total_tokens`` and ``max_cost`` limit what all requests of this process
            may use; money needs ``prices``, for each model those of a million tokens, sent and
            answered: ``{"hy3": (0.8, 2.0)}``. For the
            notebook ``history_turns``, ``history_chars``, ``table_rows``, ``table_columns``, ``table_digits``,
            ``cached``, ``bridge`` and ``language`` (see :class:`~cbai_notebook.preferences.Preferences`). ``history`` is where
            conversations are stored: ``"on"``, ``"off"`` (in memory only) or the path of a file.

    Raises:
        ConfigurationError: There is no such setting, or a value is invalid; nothing is changed.
    """
    ours = {name: settings.pop(name) for name in preferences.NAMES if name in settings}
    unknown = set(settings) - {*SERVICE, HISTORY}
    if unknown:
        raise UsageError(_no_setting(min(unknown)))
    preferences.checked(ours)  # first: an invalid value must change nothing
    if HISTORY in settings:
        keep_history(settings.pop(HISTORY))
    configure_client(**settings)
    preferences.prefer(**ours)


def _no_setting(name: str) -> str:
    known = (*SERVICE, *preferences.NAMES, HISTORY)
    if near := near_match(name, known):
        return say("python.no_setting_near", name=repr(name), near=near)
    return say("python.no_setting", name=repr(name), known=", ".join(known))
