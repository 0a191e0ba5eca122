"""Comparisons: one prompt asked in several ways."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # labels
    "temperature": ("temperature {value}", "温度 {value}"),
    "sample": ("sample {number}", "样本 {number}"),
    "system": ("system {number}", "系统提示词 {number}"),
    # the grid
    "running": (
        Counted("{n} answer is on its way.", "{n} answers are on their way."),
        "{n} 个回答正在生成。",
    ),
    "goes_on_with": (
        "The conversation goes on with answer {label}. {command} takes another one.",
        "对话从回答 {label} 继续。用 {command} 可换成另一个。",
    ),
    "chosen": ("✓ The conversation goes on with this answer.", "✓ 对话从这个回答继续。"),
    "pick": ("Go on with this answer", "从这个回答继续"),
    "pick_number": ("Go on with answer {number}", "从回答 {number} 继续"),
    "stopped": ("The answer was stopped.", "回答已被停止。"),
    # errors
    "no_count": (
        "{--samples} needs a whole number from 1 on, not {value}.",
        "{--samples} 需要从 1 开始的整数，而不是 {value}。",
    ),
    "cannot_vary": (
        "{name} cannot be varied by that name: the table of the answers has such a column.",
        "不能用这个名称改变 {name}：回答的表格中已有同名的列。",
    ),
    "no_systems": (
        "{--systems} needs a list of texts, or a dict of names and texts, not {kind}.",
        "{--systems} 需要文字的列表，或名称与文字的字典，而不是 {kind}。",
    ),
    "asks_for": (
        Counted(
            "This asks for {n} answer, about {tokens} tokens.",
            "This asks for {n} answers, about {tokens} tokens.",
        ),
        "这将请求 {n} 个回答，约 {tokens} 词元。",
    ),
    "about_cost": ("They cost about {cost}.", "费用约 {cost}。"),
    "say_yes": (
        "Nothing was sent. Add {--yes} to ask for them.",
        "没有发送任何内容。要继续，请加上 {--yes}。",
    ),
    "all_failed": (
        Counted("The answer failed: {problem}", "All {n} answers failed: {problem}"),
        "全部 {n} 个回答都失败了：{problem}",
    ),
}
