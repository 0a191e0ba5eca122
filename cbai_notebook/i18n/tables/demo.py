"""The demo model."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    "label": ("demo model, not a real one", "演示模型，并非真实模型"),
    "label_named": ("demo model {name}, not a real one", "演示模型 {name}，并非真实模型"),
    # What it answers without a script
    "help": (
        """\
I am the demo model, not a real one. I need no network and no key, and the same prompt always gets \
the same answer. With me you can try out:

- **Streaming**: my words come one after the other.
- **Thinking**: `--think` shows how it looks.
- **Tools**: with `--tool get_weather` I call your function when the prompt has a word of its name.
- **Objects**: with `--schema City` I make an object from the names and numbers of the prompt.
- **Images**: with `--image cat.png` I say how many I was shown.
- **Scripts**: `cbai.demo("An answer.")` has me answer what you want; `cbai.demo?` shows more.""",
        """\
我是演示模型，并非真实模型。我不需要网络和密钥，同样的提示词总会得到同样的回答。可以用我试试：

- **流式输出**：我的话会一个词接一个词地出现。
- **思考**：`--think` 可显示思考过程。
- **工具**：使用 `--tool get_weather` 时，提示词里出现函数名中的词，我就会调用你的函数。
- **对象**：使用 `--schema City` 时，我用提示词里的名称和数字生成对象。
- **图片**：使用 `--image cat.png` 时，我会说出看到了几张图片。
- **脚本**：`cbai.demo("一个回答。")` 可指定我的回答；`cbai.demo?` 可查看更多用法。""",
    ),
    "thinks": (
        Counted(
            "The prompt has {n} word. A demo model cannot think, so I follow my rules.",
            "The prompt has {n:,} words. A demo model cannot think, so I follow my rules.",
        ),
        "提示词有 {n:,} 个字词。演示模型不会思考，我只按规则回答。",
    ),
    "was_asked": (
        Counted("You asked in {n} word: “{prompt}”", "You asked in {n:,} words: “{prompt}”"),
        "你的提问有 {n:,} 个字词：“{prompt}”。",
    ),
    "was_asked_in_lines": (
        Counted("You asked in {n} word:\n\n{prompt}", "You asked in {n:,} words:\n\n{prompt}"),
        "你的提问有 {n:,} 个字词：\n\n{prompt}",
    ),
    "was_shown": (
        Counted("I was shown {n} image.", "I was shown {n:,} images."),
        "我看到了 {n:,} 张图片。",
    ),
    "number_of_prompt": (
        "It is prompt {number} of our conversation.",
        "这是我们对话中的第 {number} 个提问。",
    ),
    "only_repeats": (
        "I am the demo model and only repeat; ask me for `help`.",
        "我是演示模型，只会复述；发送 `帮助` 可了解更多。",
    ),
    "tool_answered": ("`{name}` answered: {text}", "`{name}` 返回：{text}"),
    "drew": (
        "A plain square of the demo model for: {prompt}",
        "演示模型画的纯色方块，提示词：{prompt}",
    ),
    "told_status": (
        "The demo model was told to answer with the status {status}.",
        "演示模型按脚本返回状态码 {status}。",
    ),
    "breaks_connection": (
        "The script of the demo model breaks the connection here.",
        "演示模型的脚本在此处断开连接。",
    ),
    # Its script
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
