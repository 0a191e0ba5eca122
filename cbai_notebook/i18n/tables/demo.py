"""The demo model."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "answers_or_parts": (
        "Give the demo model either answers one after the other, or the parts of one by name. In a "
        "row, write {example}.",
        "请给演示模型依次传入多个回答，或按名称传入一个回答的各部分。依次传入时请写 {example}。",
    ),
    "no_pace": (
        "pace is the seconds between two words, 0 or more, not {value}.",
        "pace 是两个词之间的秒数，不小于 0，不能是 {value}。",
    ),
    "no_name": (
        "model is the name of the demo model, such as {example}.",
        "model 是演示模型的名称，例如 {example}。",
    ),
    "no_string": (
        "{name} of a demo answer must be a string.",
        "演示回答的 {name} 必须是字符串。",
    ),
    "no_finish": (
        "finish of a demo answer is one of {known}, not {value}.",
        "演示回答的 finish 只能是 {known}，不能是 {value}。",
    ),
    "no_status": (
        "status of a demo answer is 200, or that of an error such as 429, not {value}.",
        "演示回答的 status 是 200，或 429 这样的错误状态码，不能是 {value}。",
    ),
    "no_calls": (
        "calls of a demo answer are arguments by the name of the tool, as in {example}.",
        "演示回答的 calls 是按工具名称给出的参数，例如 {example}。",
    ),
    "no_answer": (
        "A demo answer is a string, a cbai.DemoAnswer, a dict of rules or a function, not {type}.",
        "演示回答可以是字符串、cbai.DemoAnswer、规则字典或函数，不能是 {type}。",
    ),
    "no_rule": (
        "The rule {rule} of the demo model is no regular expression: {error}.",
        "演示模型的规则 {rule} 不是正则表达式：{error}。",
    ),
    "function_failed": (
        "The function of the demo model failed: {error}",
        "演示模型的函数出错：{error}",
    ),
}
