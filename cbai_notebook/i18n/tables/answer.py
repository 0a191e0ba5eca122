"""An answer on the screen: its footer, its thinking, its tool calls, and how it ended."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # While it is waited for, and while it thinks
    "waiting": ("Waiting for the answer", "正在等待回答"),
    "waiting_for": ("Waiting for {label}", "正在等待 {label}"),
    "waiting_for_tools": (
        Counted(
            "Waiting for {tools}, which still runs, then for {label}",
            "Waiting for {tools}, which still run, then for {label}",
        ),
        "正在等待仍在运行的 {tools}，然后等待 {label}",
    ),
    "thinking": ("Thinking …", "思考中 …"),
    "reasoning": ("Reasoning", "思考过程"),
    "thought": ("Thought for {duration}", "思考了 {duration}"),
    # Durations
    "seconds": ("{value} s", "{value} 秒"),
    "minutes": ("{minutes} min {seconds} s", "{minutes} 分 {seconds} 秒"),
    # The footer
    "partial": ("incomplete", "不完整"),
    "cancelled": ("stopped", "已停止"),
    "failed": ("failed", "失败"),
    "empty": ("The answer is empty.", "回答是空的。"),
    "only_reasoning": (
        "The answer is empty: only reasoning came. More tokens ({--max-tokens}) may leave room for an "
        "answer.",
        "回答是空的：模型只输出了思考过程。增加词元上限（{--max-tokens}）后或许会有回答。",
    ),
    "tokens": (Counted("{n} token", "{n:,} tokens"), "{n:,} 词元"),
    "tokens_in_out": (
        Counted("{n} token in, {out:,} out", "{n:,} tokens in, {out:,} out"),
        "输入 {n:,} 词元，输出 {out:,}",
    ),
    "tokens_in_out_cached": (
        Counted(
            "{n} token in ({cached:,} cached), {out:,} out",
            "{n:,} tokens in ({cached:,} cached), {out:,} out",
        ),
        "输入 {n:,} 词元（{cached:,} 来自缓存），输出 {out:,}",
    ),
    "first_token": ("first token {duration}", "首个词元 {duration}"),
    "speed": ("{n:,.0f} tokens/s", "{n:,.0f} 词元/秒"),
    "details": ("Details", "详情"),
    "searched": ("Searched", "已搜索"),
    "looked_up": ("Looked up", "已查阅"),
    "page_without_title": ("a page without a title", "无标题的网页"),
    "earlier_session": (
        Counted(
            "1 turn of an earlier session went along (from {since} on). {reset} begins anew.",
            "{n:,} turns of an earlier session went along (from {since} on). {reset} begins anew.",
        ),
        "之前会话的 {n:,} 轮（自 {since} 起）已一并发送。{reset} 可重新开始。",
    ),
    "not_stored": ("Not stored: {problem}", "未保存：{problem}"),
    # Tool calls
    "arguments": ("Arguments", "参数"),
    "result": ("Result", "结果"),
    "call_error": ("failed", "失败"),
    "call_refused": ("refused", "已拒绝"),
    "call_unknown": ("no such tool", "没有这个工具"),
    "call_invalid": ("arguments do not fit", "参数不符"),
    "call_stopped": ("stopped", "已停止"),
    "call_asking": ("waiting for your answer", "等待你的回答"),
    "no_name": ("(no name)", "（无名称）"),
    "earlier_calls": (Counted("{n} earlier call", "{n:,} earlier calls"), "更早的 {n:,} 次调用"),
    "more_characters": ("… {n:,} more characters", "… 还有 {n:,} 个字符"),
    # What is left out of the arguments of a call that waits for approval
    "left_out_blanks": ("⟨{n:,} blanks⟩", "⟨{n:,} 个空格⟩"),
    "left_out_repeats": ("⟨{n:,} times {of}⟩", "⟨{n:,} 个 {of}⟩"),
    "left_out_characters": ("⟨{n:,} characters left out⟩", "⟨省略 {n:,} 个字符⟩"),
    "left_out_arguments": ("⟨{n:,} arguments left out⟩", "⟨省略 {n:,} 个参数⟩"),
    "left_out_secret": ("⟨the value of {of}⟩", "⟨{of} 的值⟩"),
    # How it ended
    "continue": ("{command} goes on with this answer.", "{command} 可继续这个回答。"),
    "left_running": (
        Counted(
            "{tools} still runs: its function cannot be stopped. Its result is dropped.",
            "{tools} still run: their functions cannot be stopped. Their results are dropped.",
        ),
        "{tools} 仍在运行：函数无法停止，其结果会被丢弃。",
    ),
    "cut_can_continue": (
        "The answer was cut at the token limit. {command} goes on, {--max-tokens} allows more.",
        "回答达到词元上限，被截断。{command} 可继续，{--max-tokens} 可提高上限。",
    ),
    # Formats
    "no_format": (
        "There is no format {name}. Use one of: {known}.",
        "没有名为 {name} 的格式。可用：{known}。",
    ),
    "not_json": (
        "The answer is not valid JSON, so it is shown as text.",
        "回答不是有效的 JSON，因此按文本显示。",
    ),
    "not_json_at": (
        "The answer is not valid JSON (line {line}, column {column}), so it is shown as text.",
        "回答不是有效的 JSON（第 {line} 行第 {column} 列），因此按文本显示。",
    ),
}
