"""The setting for the language."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "unknown": (
        "{where} is {value}; use {known}.",
        "{where} 的值是 {value}，只能用 {known}。",
    ),
}
