"""What Python code is told: about event loops, and about settings."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "cancelled": (
        "The call was cancelled before it ended. Run it again.",
        "调用在结束前被取消。请再次运行。",
    ),
    "run_inside": (
        "{function} was called inside a coroutine that it runs itself. Use {word} there.",
        "{function} 在它自己运行的协程中被调用。请在那里使用 {word}。",
    ),
    "nested_loop": (
        "A nested event loop would lose the cells queued behind this one on your ipykernel. Run "
        "{command} and restart the kernel, or use {call} without {argument}.",
        "在当前的 ipykernel 上，嵌套事件循环会丢失排在后面的单元格。请运行 {command} 并重启内核，"
        "或使用不带 {argument} 的 {call}。",
    ),
    # Settings
    "no_setting": (
        "There is no setting {name}. Settings: {known}.",
        "没有名为 {name} 的设置。可用的设置：{known}。",
    ),
    "no_setting_near": (
        "There is no setting {name}. Did you mean {near}?",
        "没有名为 {name} 的设置。是想用 {near} 吗？",
    ),
    "not_one_of": ("{where} is {value}; use {known}.", "{where} 的值是 {value}，只能用 {known}。"),
    "no_whole_number": (
        "{where} is {value}; use a whole number, {least} or more.",
        "{where} 的值是 {value}，只能用不小于 {least} 的整数。",
    ),
}
