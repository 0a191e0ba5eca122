"""References such as {name} in a prompt, and the tables that they put there."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    "sent_as_written": (
        "{written} was sent as written: {reason}.",
        "{written} 已原样发送：{reason}。",
    ),
    "doubled": (
        "{written} was sent as written; one pair of braces fills it in.",
        "{written} 已原样发送；只写一对花括号才会填入值。",
    ),
    "subscript": (
        "{written} behind an underscore may be a formula and was sent as written.",
        "下划线后的 {written} 可能是公式，已原样发送。",
    ),
    "no_variable": (
        "{written} is no variable here and was sent as written.",
        "{written} 不是这里的变量，已原样发送。",
    ),
    "no_variable_near": (
        "{written} is no variable here and was sent as written (did you mean {near}?).",
        "{written} 不是这里的变量，已原样发送（是想用 {near} 吗？）。",
    ),
    "expression": (
        "{written} was sent as written: only names, attributes and [keys] are filled in. Put the "
        "result into a variable first.",
        "{written} 已原样发送：只会填入变量名、属性和 [键]。请先将结果放入变量。",
    ),
    "long_value": (
        "{written} put {n:,} characters into the prompt.",
        "{written} 向提示词中填入了 {n:,} 个字符。",
    ),
    "rounded": (
        Counted(
            "Numbers of {tables} were rounded to {n} digit; {setting} sends all digits.",
            "Numbers of {tables} were rounded to {n} digits; {setting} sends all digits.",
        ),
        "{tables} 中的数字已舍入到 {n} 位；{setting} 可发送全部数位。",
    ),
    "columns_left_out": (
        "The first {first} of {n:,} columns of {written} were sent; {setting} sends all.",
        "{written} 共 {n:,} 列，只发送了前 {first} 列；{setting} 可发送全部。",
    ),
    "more": (
        Counted("And {n} more place like these.", "And {n:,} more places like these."),
        "还有 {n:,} 处类似情况。",
    ),
    # Why there is no value
    "reading_failed": ("reading it failed ({error})", "读取失败（{error}）"),
    "text_failed": ("making text of it failed ({error})", "转换为文本失败（{error}）"),
    "is_module": ("it is a module, not a value", "它是模块，不是值"),
    "is_class": ("it is a class, not a value", "它是类，不是值"),
    "is_function": ("it is a function, not a value", "它是函数，不是值"),
    "no_failed_cell": ("no cell has failed yet", "还没有单元格出错"),
    "no_cell": ("there is no cell {cell}", "没有单元格 {cell}"),
    "has_no_key": ("{path} has no {key}", "{path} 没有 {key}"),
    "takes_no_key": ("{path} takes no {key}", "{path} 不支持 {key}"),
    "key_of_a_dict": (
        "the key of a dict is written {example}",
        "字典的键应写作 {example}",
    ),
    "has_no_attribute": ("{path} has no attribute {name}", "{path} 没有属性 {name}"),
}
