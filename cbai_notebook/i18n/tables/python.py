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
}
