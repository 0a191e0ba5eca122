"""Files and folders."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "no_such_character": (
        "{path} cannot be read or written: no path may have such a character.",
        "{path} 无法读写：路径中不能有这样的字符。",
    ),
    "no_home": (
        "{path}: there is no such home directory. Write the whole path.",
        "{path}：没有这个主目录。请写出完整路径。",
    ),
}
