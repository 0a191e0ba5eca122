"""Files with messages that are imported."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "accepted": (
        "What can be imported is JSON Lines or a JSON list of messages, such as the forms messages and "
        "jsonl of an export.",
        "可以导入 JSON Lines 或 JSON 消息列表，例如导出格式 messages 和 jsonl。",
    ),
    "at": ("{place}: {problem}", "{place}：{problem}"),
    "line": ("{name}, line {line}", "{name} 第 {line} 行"),
    "conversation": ("{name}, conversation {number}", "{name} 第 {number} 个对话"),
    "message": ("{name}, message {number}", "{name} 第 {number} 条消息"),
    "unreadable": ("{file} could not be read: {reason}.", "无法读取 {file}：{reason}。"),
    "no_utf8": ("this is no UTF-8.", "不是 UTF-8 编码。"),
    "empty": ("{name} is empty.", "{name} 是空的。"),
    "no_messages": ("{name} holds no message.", "{name} 中没有消息。"),
    "too_deep": ("lists and objects are nested too deep.", "列表和对象嵌套过深。"),
    "no_json": ("this is no JSON.", "不是 JSON。"),
    "invalid_json": ("this is no JSON ({reason}).", "不是 JSON（{reason}）。"),
    "constant": ("{constant} is no JSON", "{constant} 不是 JSON"),
    "too_many_digits": ("a number has too many digits", "数字的位数过多"),
    "not_a_list": ("messages must be a list, not {kind}.", "消息应为列表，而不是{kind}。"),
    "not_an_object": ("a message must be an object, not {kind}.", "消息应为对象，而不是{kind}。"),
    "is_a_notebook": (
        "this is a notebook, which cannot be imported.",
        "这是笔记本，无法导入。",
    ),
    "no_role": (
        'a message needs a "role", such as "user" or "assistant".',
        '消息需要有 "role"，例如 "user" 或 "assistant"。',
    ),
    "is_markdown": (
        "{name}: Markdown is a form to read, in which messages cannot be told apart for certain. Export "
        "the conversation again with the form messages, and import that.",
        "{name}：Markdown 是供阅读的格式，无法可靠区分各条消息。请用 messages 格式重新导出该对话，再导入。",
    ),
    # Kinds of JSON values, within a sentence
    "kind_object": ("an object", "对象"),
    "kind_list": ("a list", "列表"),
    "kind_text": ("text", "文本"),
    "kind_null": ("null", "null"),
    "kind_flag": ("true or false", "布尔值"),
    "kind_number": ("a number", "数字"),
}
