"""The words of the product, in English and in Chinese.

``say(key, …)`` returns a text of the tables in the current language. The text remembers its key and its
values, so it can be said again in the other language or for another place, also after it was stored.
"""

from cbai_notebook.i18n.spellings import CELL, PANEL, PYTHON, Place
from cbai_notebook.i18n.words import (
    LANGUAGES,
    Counted,
    Placed,
    Words,
    checked,
    choose,
    configured_language,
    joined,
    language,
    listed,
    note_page_language,
    said_now,
    say,
    spelled,
    template,
    texts,
    watch_language,
)

__all__ = [
    "CELL",
    "LANGUAGES",
    "PANEL",
    "PYTHON",
    "Counted",
    "Place",
    "Placed",
    "Words",
    "checked",
    "choose",
    "configured_language",
    "joined",
    "language",
    "listed",
    "note_page_language",
    "said_now",
    "say",
    "spelled",
    "template",
    "texts",
    "watch_language",
]
