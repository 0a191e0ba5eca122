"""A prompt in a file: what keeps it from being read."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # prompts/prompt_file.py
    "not_read": (
        "The prompt {file} cannot be read: {reason}",
        "无法读取提示词文件 {file}：{reason}",
    ),
    "empty": (
        "There is no prompt in {file}, only settings or nothing.",
        "{file} 中没有提示词，只有设置或空白。",
    ),
    "line": ("{file}, line {line}: {problem}", "{file} 第 {line} 行：{problem}"),
    "no_setting": (
        "This is no setting such as {example}.",
        "这不是形如 {example} 的设置。",
    ),
    "indented": (
        "Only the fields of a schema are indented.",
        "只有 schema 的字段可以缩进。",
    ),
    "no_type": (
        "A schema has a field on each line, with its type: {types}, a list such as [string], or words "
        "such as yes | no.",
        "schema 的每一行是一个字段及其类型：{types}、形如 [string] 的列表，或形如 yes | no 的选项。",
    ),
    "not_closed": (
        "The settings end with a line {fence}, which is missing.",
        "设置应以一行 {fence} 结束，但缺少这一行。",
    ),
    # notebook/prompt_of_file.py
    "text_not_used": (
        "The prompt stands in {file}, and nothing there takes the text of the cell. Write {{text}} there, "
        "or leave the cell empty.",
        "提示词在 {file} 中，其中没有使用单元格文本的位置。请在文件中写入 {{text}}，或将单元格留空。",
    ),
}
