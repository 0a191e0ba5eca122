"""Batches: a prompt for every row of a table."""

from cbai_notebook.i18n.words import Counted

WORDS = {
    "rows": (Counted("{done} of {rows} row", "{done} of {rows} rows"), "{done} / {rows} 行"),
    "rows_so_far": (Counted("{done} row", "{done} rows"), "{done} 行"),
    "failed": ("{count} failed", "{count} 行失败"),
    "known": ("{count} known", "{count} 行已有答案"),
    "missing": ("{count} without a value", "{count} 行缺少值"),
    "running": ("{count} at once", "并发 {count}"),
    "tokens": ("{count} tokens", "{count} token"),
    "left": ("{time} left", "约剩 {time}"),
    "seconds": ("{count} s", "{count} 秒"),
    "minutes": ("{count} min", "{count} 分钟"),
    "hours": ("{count} h", "{count} 小时"),
    "rows_without_a_name": ("rows", "各行"),
    "value_is_missing": ("Not sent: {name} has no value.", "未发送：{name} 没有值。"),
    "not_sent": ("Not sent.", "未发送。"),
    "row_raised": ("{error}: {reason}", "{error}：{reason}"),
    "all_alike": (
        "The last rows all failed in the same way: {reason}",
        "最近的各行都以同样的方式失败：{reason}",
    ),
    "all_equal": (
        "All {count} prompts are the same. Is a column missing in the template?",
        "全部 {count} 个提示词都相同。模板里是不是漏了某一列？",
    ),
    "stopped": (
        "Stopped: {reason} {done} of {rows} rows are answered. Run this again to go on; they cost nothing "
        "then.",
        "已停止：{reason} {rows} 行中已有 {done} 行得到答案。再次运行即可继续，这些行不再收费。",
    ),
    "would_send": (
        Counted("{count} request for {rows} rows", "{count} requests for {rows} rows"),
        "{rows} 行，需发送 {count} 个请求",
    ),
    "about_tokens": ("about {count} tokens", "约 {count} token"),
    "about_cost": ("costs about {cost}", "费用约 {cost}"),
    "imported": (
        Counted(
            "{count} answer stored, {failed} failed", "{count} answers stored, {failed} failed"
        ),
        "已存储 {count} 个答案，{failed} 个失败",
    ),
    "file_not_written": ("{file} cannot be written: {reason}.", "无法写入 {file}：{reason}。"),
    "file_not_read": ("{file} cannot be read: {reason}.", "无法读取 {file}：{reason}。"),
    "no_answer_line": (
        "{place} is no answer of a batch that cbai.batch(…, to=…) has written. Nothing was stored.",
        "{place} 不是 cbai.batch(…, to=…) 所写批次的答案。没有存储任何内容。",
    ),
    "no_option_near": (
        "A batch has no option {name}. Did you mean {near}?",
        "批量运行没有选项 {name}。是不是想写 {near}？",
    ),
    "go_on": (
        Counted(
            "{done} of {rows} rows is answered. Run this again to go on; it costs nothing then.",
            "{done} of {rows} rows are answered. Run this again to go on; they cost nothing then.",
        ),
        "{rows} 行中已有 {done} 行得到答案。再次运行即可继续，这些行不再收费。",
    ),
    "send_failed": (
        Counted(
            "Run this again to send only the row that failed.",
            "Run this again to send only the {count} rows that failed.",
        ),
        "再次运行将只发送失败的 {count} 行。",
    ),
    "other_reasons": (
        Counted("{count} × for another reason", "{count} × for other reasons"),
        "{count} × 其他原因",
    ),
    "rows_so_far_in": ("{place} has the rows so far.", "{place} 中是目前的各行。"),
    "no_count": (
        "{name} takes a whole number from 1 on, not {value}.",
        "{name} 应为不小于 1 的整数，而不是 {value}。",
    ),
    "tool_asks": (
        "The tool {name} asks before each call (confirm=True). A batch has nobody to answer: give a tool "
        "that may always run.",
        "工具 {name} 每次调用前都要确认（confirm=True）。批量运行时无人应答，请改用可以直接运行的工具。",
    ),
}
