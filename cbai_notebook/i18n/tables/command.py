"""What the commands of ``%cbai`` print and ask."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # parts of sentences
    "turns": (Counted("{n} turn", "{n:,} turns"), "{n:,} 轮"),
    "conversations": (Counted("{n} conversation", "{n:,} conversations"), "{n:,} 个对话"),
    "more": ("{n:,} more", "另外 {n:,} 个"),
    # headings of tables
    "heading_answer": ("answer", "回答"),
    "heading_answered": ("answered", "已回答"),
    "heading_asked": ("asked", "提问时间"),
    "heading_began": ("began", "开始时间"),
    "heading_cases": ("cases", "用例"),
    "heading_cached": ("cached", "缓存"),
    "heading_check": ("check", "检查"),
    "heading_content": ("content", "内容"),
    "heading_conversation": ("conversation", "对话"),
    "heading_day": ("day", "日期"),
    "heading_ended": ("ended", "结束时间"),
    "heading_failed": ("failed", "失败"),
    "heading_form": ("form", "格式"),
    "heading_from": ("from", "来源"),
    "heading_last": ("last", "最近"),
    "heading_model": ("model", "模型"),
    "heading_models": ("models", "模型"),
    "heading_name": ("name", "名称"),
    "heading_number": ("number", "编号"),
    "heading_prompt": ("prompt", "提示词"),
    "heading_provider": ("provider", "服务商"),
    "heading_requests": ("requests", "请求"),
    "heading_role": ("role", "角色"),
    "heading_rows": ("rows", "行数"),
    "heading_rows_from": ("frame", "数据"),
    "heading_seconds": ("seconds", "秒"),
    "heading_setting": ("setting", "设置"),
    "heading_status": ("status", "状态"),
    "heading_tokens": ("tokens", "词元"),
    "heading_tokens_in": ("tokens in", "输入词元"),
    "heading_tokens_out": ("tokens out", "输出词元"),
    "heading_tool": ("tool", "工具"),
    "heading_turn": ("turn", "轮"),
    "heading_turns": ("turns", "轮数"),
    "heading_value": ("value", "值"),
    "heading_variable": ("variable", "变量"),
    "heading_variant": ("variant", "变体"),
    "heading_what": ("what it is", "说明"),
    # conversations
    "no_conversation": ("There is no conversation {name!r}.", "没有对话 {name!r}。"),
    "conversations_are": ("Conversations: {names}.", "现有的对话：{names}。"),
    "conversations_are_none": ("Conversations: none yet.", "还没有任何对话。"),
    "no_turn": (
        "There is no turn {number} in {name!r}; it has 0 to {last}.",
        "对话 {name!r} 中没有第 {number} 轮，只有 0 到 {last}。",
    ),
    "no_turn_yet": (
        "There is no turn {number} in {name!r}; it has none yet.",
        "对话 {name!r} 中没有第 {number} 轮，它还是空的。",
    ),
    "picked": (
        "{name!r} goes on with answer {label}.",
        "对话 {name!r} 从回答 {label} 继续。",
    ),
    "no_answers": ("{name!r} has no answers yet.", "对话 {name!r} 还没有任何回答。"),
    "one_answer_only": (
        "There are no two answers to compare.",
        "没有两个可以比较的回答。",
    ),
    "no_answer": (
        "There is no answer {word!r}. There are {known}.",
        "没有回答 {word!r}。现有的回答：{known}。",
    ),
    "prompts_go_to": (
        "Prompts now go to {name!r} ({turns}).",
        "现在在对话 {name!r}（{turns}）中提问。",
    ),
    "prompts_go_to_new": (
        "Prompts now go to {name!r} (new).",
        "现在在新对话 {name!r} 中提问。",
    ),
    "forked_from": ("from {name}", "复制自 {name}"),
    "how_to_use": (
        "%cbai use NAME goes on in one; %cbai -c NAME … asks there once.",
        "%cbai use NAME 切换到一个对话；%cbai -c NAME … 只在那里提问一次。",
    ),
    "hidden": (
        "{n:,} more of scripts and consoles: %cbai use --all lists them.",
        "脚本和控制台中还有 {n:,} 个：%cbai use --all 可列出。",
    ),
    "copied": (
        "Copied {turns} of {name!r} to {copy!r}, where prompts go now.",
        "已把 {name!r} 的 {turns}复制到 {copy!r}，现在在那里提问。",
    ),
    "new_name_is_missing": (
        "The new name is missing: %cbai rename NAME.",
        "缺少新名称：%cbai rename NAME。",
    ),
    "renamed": ("{before!r} is now called {name!r}.", "{before!r} 现在名为 {name!r}。"),
    "nothing_to_take_back": (
        "There is nothing to take back in {name!r}.",
        "对话 {name!r} 中没有可撤回的内容。",
    ),
    "took_back_answers": (
        Counted("Took back {n} answer to: {prompt}", "Took back {n} answers to: {prompt}"),
        "已撤回 {n} 个回答：{prompt}",
    ),
    "took_back": ("Took back: {prompt}", "已撤回：{prompt}"),
    "earlier_version": (
        "The turn stays, in the version before: {prompt}",
        "这一轮仍保留，已回到之前的版本：{prompt}",
    ),
    "is_empty_already": ("{name!r} is empty already.", "对话 {name!r} 已经是空的。"),
    "begins_again": (
        Counted(
            "{name!r} begins again. Its {n} turn is kept as a branch: ‹ › in a panel goes back. "
            "%cbai delete forgets for good.",
            "{name!r} begins again. Its {n:,} turns are kept as a branch: ‹ › in a panel goes back. "
            "%cbai delete forgets for good.",
        ),
        "对话 {name!r} 从头开始。原来的 {n:,} 轮保留为分支，可在面板中用 ‹ › 切换回去。"
        "%cbai delete 可永久删除。",
    ),
    "delete_in_one_way": (
        "Say which to forget in one way: a name, --older AGE or --all. Nothing was forgotten.",
        "请只用一种方式指定要删除的对话：名称、--older AGE 或 --all。没有删除任何内容。",
    ),
    "may_delete": (
        "Forget {name!r} with {turns} for good? [y/N]",
        "要永久删除 {name!r}（{turns}）吗？[y/N]",
    ),
    "may_delete_many": ("Forget {what} for good? [y/N]", "要永久删除 {what}吗？[y/N]"),
    "nothing_deleted": ("Nothing was forgotten.", "没有删除任何内容。"),
    "deleted": ("Forgot {name!r} ({turns}).", "已删除 {name!r}（{turns}）。"),
    "deleted_many": ("Forgot {what}.", "已删除 {what}。"),
    "what_to_delete": (
        "{conversations} with {turns} ({names})",
        "{conversations}，共 {turns}（{names}）",
    ),
    "none_that_old": ("No conversation is that old.", "没有这么久的对话。"),
    "no_conversation_at_all": ("There is no conversation.", "没有对话。"),
    "nobody_answers": (
        "Nobody can answer here. To forget it: {command}.",
        "这里无法回答。要删除，请运行 {command}。",
    ),
    "nobody_answers_many": (
        "Nobody can answer here. To forget them: add --yes.",
        "这里无法回答。要删除，请加上 --yes。",
    ),
    # files
    "how_to_export": (
        "Write one with %cbai export --to FORM [-o PATH] [-c NAME].",
        "导出：%cbai export --to FORM [-o PATH] [-c NAME]。",
    ),
    "export_one_or_all": (
        "Give -c NAME or --all, not both. Nothing was written.",
        "-c NAME 和 --all 只能给一个。没有写入任何内容。",
    ),
    "wrote": ("Wrote {where}.", "已写入 {where}。"),
    "left_out": ("Left out {name!r}: {problem}", "跳过了 {name!r}：{problem}"),
    "file_is_missing": (
        "The file is missing: %cbai import PATH.",
        "缺少文件：%cbai import PATH。",
    ),
    "read_into": (
        "Read {turns} into {name!r}. %cbai use {name} goes on there.",
        "已把 {turns}导入对话 {name!r}。%cbai use {name} 可在那里继续。",
    ),
    # history
    "messages_are_in": (
        Counted(
            "{variable} is a DataFrame of {n} message.",
            "{variable} is a DataFrame of {n:,} messages.",
        ),
        "{variable} 是含有 {n:,} 条消息的 DataFrame。",
    ),
    "other_conversations": ("Other conversations: {names}.", "其他对话：{names}。"),
    "not_stored": ("Not stored: {problem}", "未保存：{problem}"),
    "stale": ("stale", "已过时"),
    "no_message_fits": (
        "No message fits. %cbai history --search WORDS looks through all conversations.",
        "没有符合的消息。%cbai history --search WORDS 可查找所有对话。",
    ),
    "conversation_is_empty": (
        "The conversation {name!r} is empty. Ask something: %cbai Hello.",
        "对话 {name!r} 是空的。提个问题吧：%cbai 你好。",
    ),
    "rows_are_in": (
        Counted(
            "{variable} is a DataFrame of {n} row.", "{variable} is a DataFrame of {n:,} rows."
        ),
        "{variable} 是含有 {n:,} 行的 DataFrame。",
    ),
    "nothing_was_asked": (
        "Nothing was asked yet. Ask something: %cbai Hello.",
        "还没有提过问题。提个问题吧：%cbai 你好。",
    ),
    "usage_legend": (
        "█ shows the tokens in and out of a row; the longest bar is {n:,}. cached: the part of tokens in "
        "that the server knew already. seconds: from prompts to the ends of their answers.",
        "█ 表示该行的输入加输出词元，最长为 {n:,}。缓存：输入词元中服务器已缓存的部分。"
        "秒：从提问到回答结束的总时间。",
    ),
    "usage_batch": ("batch", "批处理"),
    "usage_evaluation": ("evaluation", "评测"),
    "usage_of_batches": (
        "batch, evaluation: answers that were paid for, those of judges too, on the day that the run began. "
        "Known answers cost nothing and do not count; what the cache held is not known.",
        "批处理、评测：付费得到的回答（包括评判模型的），计入运行开始的那一天。"
        "已有的答案不收费，不计入；缓存情况未知。",
    ),
    "usage_unanswered": (
        "{n:,} tokens of rows without an answer are in the bars only: in and out are not known apart.",
        "没有得到答案的行用去 {n:,} 个词元，只计入 █：无法区分输入和输出。",
    ),
    "usage_not_counted": (
        "Not counted: what is asked without a conversation (--no-history, cbai.create_model, cbai.compare), "
        "imported answers, and what was deleted.",
        "不计入：对话之外的提问（--no-history、cbai.create_model、cbai.compare）、导入的答案，以及已删除的内容。",
    ),
    "diff_title": ("turn {turn} · {model} · {prompt}", "第 {turn} 轮 · {model} · {prompt}"),
    "all_days": ("all", "合计"),
    "shortened_cells": ("Shortened above, in full:", "上表中缩短的内容，完整如下："),
}
