"""The panel, in Python and in JavaScript, and its transcript."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # The composer
    "panel": ("Chat", "聊天"),
    "transcript": ("Conversation", "对话"),
    "message": ("Message", "消息"),
    "placeholder": ("Ask anything", "想问什么都可以"),
    "hint": ("Enter to send, Shift+Enter for a new line", "Enter 发送，Shift+Enter 换行"),
    "hint_loading": ("Esc to stop", "Esc 停止"),
    "send": ("Send", "发送"),
    "stop": ("Stop", "停止"),
    "latest": ("Jump to latest", "回到最新"),
    "undo": ("Take back the last prompt", "撤回上一条消息"),
    "undone": ("The prompt is in the message box again.", "消息已放回输入框。"),
    "undone_beside_draft": (
        "Taken back. What you had typed stays in the message box.",
        "已撤回。输入框中未发送的内容保持不变。",
    ),
    "undone_version": (
        "Taken back. The version before is there again.",
        "已撤回，恢复为之前的版本。",
    ),
    "attach": ("Attach a picture", "附上图片"),
    "editing": (
        "Editing a message. The answer it had is kept.",
        "正在修改之前的消息，原来的回答会保留。",
    ),
    "cancel": ("Cancel", "取消"),
    "pending": (
        "Waiting for the kernel; a cell may be running. Your message is sent as soon as it is free.",
        "正在等待内核；可能有单元格正在运行。空闲后会立即发送。",
    ),
    "started": ("The answer has begun.", "开始回答。"),
    "complete": ("The answer is complete.", "回答完成。"),
    "cancelled": ("The answer was stopped.", "回答已停止。"),
    "failed": ("The request failed.", "请求失败。"),
    "partial": ("The answer broke off.", "回答中断了。"),
    "totals": ("This conversation so far", "本次对话累计"),
    "tokens": ("{n} tokens", "{n} 词元"),
    "seconds": ("{n} s", "{n} 秒"),
    "suggestions": ("Suggested questions", "推荐问题"),
    "thanks": ("Thank you for the feedback.", "感谢反馈。"),
    # Code and the clipboard
    "copied": ("Copied", "已复制"),
    "not_copied": ("The browser does not allow copying here.", "浏览器不允许在这里复制。"),
    "copy_code": ("Copy", "复制"),
    "insert_code": ("Insert", "插入"),
    "copy_code_long": ("Copy code", "复制代码"),
    "insert_code_long": ("Insert code into a new cell", "将代码插入新单元格"),
    "inserted": ("Inserted in a new cell below.", "已插入到下方的新单元格。"),
    "inserted_copied": (
        "There is no notebook to insert into here, so the code was copied.",
        "这里没有可插入的笔记本，代码已复制。",
    ),
    "code": ("Code", "代码"),
    # The bar
    "conversation_named": ("Conversation: {name}", "对话：{name}"),
    "conversations": ("Conversations", "所有对话"),
    "search": ("Search conversations", "搜索对话"),
    "none_found": ("No conversation has this in its name.", "没有名称包含该内容的对话。"),
    "rename": ("Rename", "重命名"),
    "new_name": ("New name; Enter renames, Esc does not", "新名称；Enter 确认，Esc 取消"),
    "delete_conversation": ("Delete conversation", "删除对话"),
    "delete_for_good": ("Delete for good", "永久删除"),
    "new_conversation": ("New conversation", "新对话"),
    "model": ("Model", "模型"),
    "model_hint": (
        "Any PROVIDER/MODEL works; the list only suggests.",
        "可填写任意 服务商/模型，列表仅为建议。",
    ),
    "settings": ("Settings", "设置"),
    "system": ("System prompt", "系统提示词"),
    "system_hint": ("For example: Be brief.", "例如：回答要简短。"),
    "temperature": ("Temperature", "温度"),
    "temperature_hint": ("default", "默认"),
    "export": ("Export", "导出"),
    "exported": (
        "{name}: look in the downloads of your browser.",
        "{name}：请在浏览器的下载中查看。",
    ),
    "downloaded": ("Downloaded: {name}", "已下载：{name}"),
    "form_markdown": ("Markdown", "Markdown"),
    "form_messages": ("Messages (to import again)", "消息（可再导入）"),
    "form_jsonl": ("JSON Lines (to fine-tune)", "JSON Lines（用于微调）"),
    "form_notebook": ("Notebook", "笔记本"),
    "form_curl": ("curl script", "curl 脚本"),
    "form_python": ("Python script", "Python 脚本"),
    "form_mini_program": ("WeChat Mini Program", "微信小程序"),
    "form_web": ("Web page", "网页"),
    # Pictures
    "picture": ("Picture {n}", "图片 {n}"),
    "remove_picture": ("Remove picture {n}", "移除图片 {n}"),
    "picture_from": ("Image from {host}", "来自 {host} 的图片"),
    "picture_without_host": ("An image", "一张图片"),
    "unread_picture": (
        "This picture could not be read. Save it anew and try again.",
        "无法读取这张图片，请重新保存后再试。",
    ),
    "not_picture": (
        "Only PNG, JPEG, GIF and WebP pictures can go along.",
        "只能附上 PNG、JPEG、GIF 和 WebP 图片。",
    ),
    "too_many_pictures": (
        "At most 8 pictures of up to 20 MB can go along.",
        "最多附上 8 张图片，每张不超过 20 MB。",
    ),
    # Prompts and answers
    "you": ("You", "你"),
    "answering": ("Answering", "正在回答"),
    "details": ("Details", "详情"),
    "retry": ("Retry", "重试"),
    "continue": ("Continue", "继续"),
    "edit": ("Edit and resend", "修改并重新发送"),
    "copy": ("Copy answer", "复制回答"),
    "again": ("Regenerate", "重新生成"),
    "ask_model": ("Ask another model too", "再问另一个模型"),
    "up": ("Good answer", "回答有帮助"),
    "down": ("Bad answer", "回答没有帮助"),
    "delete": ("Delete turn", "删除这一轮"),
    "back": ("Previous version", "上一版本"),
    "next": ("Next version", "下一版本"),
    "run_tool": ("Run {name}?", "要运行 {name} 吗？"),
    "run_tool_of_server": (
        "Run {name} of the server {server}?",
        "要运行服务器 {server} 的 {name} 吗？",
    ),
    "allow": ("Run it", "运行"),
    "refuse": ("Do not", "不运行"),
    "mark_cancelled": ("stopped", "已停止"),
    "mark_partial": ("incomplete", "不完整"),
    "mark_stale": ("stale: an earlier turn has changed", "已过时：前面的内容已改变"),
    "fact_tokens": ("{n:,} tokens", "{n:,} 词元"),
    "fact_tokens_cached": ("{n:,} tokens ({cached:,} cached)", "{n:,} 词元（{cached:,} 来自缓存）"),
    "fact_seconds": ("{n:.1f} s", "{n:.1f} 秒"),
    "fact_dropped": (
        Counted("{n} earlier turn not sent", "{n:,} earlier turns not sent"),
        "更早的 {n:,} 轮未发送",
    ),
    "empty": ("The answer is empty.", "回答是空的。"),
    "earlier": ("Show earlier messages ({n:,} hidden)", "显示更早的消息（还有 {n:,} 轮）"),
    "earlier_session": (
        Counted(
            "1 turn of an earlier session went along (from {since} on). + begins a new conversation.",
            "{n:,} turns of an earlier session went along (from {since} on). + begins a new "
            "conversation.",
        ),
        "之前会话的 {n:,} 轮（自 {since} 起）已一并发送；点 + 可开始新对话。",
    ),
    # An empty conversation
    "example_explain": (
        "Explain recursion with an example from everyday life.",
        "用生活中的例子解释什么是递归。",
    ),
    "example_code": (
        "Write a Python function that finds duplicate rows in a table.",
        "写一个 Python 函数，找出表格中重复的行。",
    ),
    "example_write": (
        "Write a short, polite email that moves a meeting to Friday.",
        "写一封简短有礼的邮件，把会议改到周五。",
    ),
    "welcome": ("What shall we talk about?", "想聊点什么？"),
    "offline": (
        "Nothing is configured, so the offline demo model answers: tiny, English only, often wrong. "
        "Run {command} in a cell to connect to CloudBase.",
        "尚未配置，因此由离线演示模型回答：模型很小、只懂英语、经常出错。"
        "在单元格中运行 {command} 即可连接云开发 CloudBase。",
    ),
    "shared": (
        "Cells that begin with {magic} share this conversation, after %load_ext cbai_notebook.",
        "运行 %load_ext cbai_notebook 后，以 {magic} 开头的单元格与这里共用同一个对话。",
    ),
    "needs_a_notebook": (
        "The chat panel needs a notebook. Here, {load} and then {ask} chat in the terminal.",
        "聊天面板需要在笔记本中使用。在这里，先运行 {load}，再用 {ask} 即可在终端中聊天。",
    ),
    "alternative": (
        "A chat panel. Run the cell to chat; what was said stands below.",
        "聊天面板。运行此单元格即可聊天；对话内容见下方。",
    ),
    "offered_models_only": ("Choose one of the models in the list.", "请选择列表中的模型。"),
    "pasted_pictures_only": (
        "Only pictures that are chosen, pasted or dropped can be sent from here.",
        "这里只能发送选取、粘贴或拖入的图片。",
    ),
    "shared_needs_a_name": (
        "A conversation that visitors share needs a name: {example}.",
        "供访客共享的对话需要名称：{example}。",
    ),
    "shared_stays": (
        "Visitors share this conversation, so it keeps its name and stays.",
        "此对话由访客共享，不能重命名或删除。",
    ),
    "too_low": (
        "height={height} is too small: a panel is at least {n} pixels high.",
        "height={height} 太小：面板高度至少为 {n} 像素。",
    ),
    "closed": (
        "This panel is closed. Make another one: {command}.",
        "此面板已关闭。可以再建一个：{command}。",
    ),
    "not_stored": ("Not stored: {problem}", "未保存：{problem}"),
    # The transcript
    "nothing_said": ("Nothing has been said yet.", "还没有对话。"),
    "transcript_of": ("Transcript of “{name}” ({range})", "“{name}”的对话记录（{range}）"),
    "all_turns": (Counted("{n} turn", "{n:,} turns"), "{n:,} 轮"),
    "some_turns": ("turns {first:,}–{last:,}", "第 {first:,}–{last:,} 轮"),
    "one_turn": ("turn {last:,}", "第 {last:,} 轮"),
    "export_all": (
        "The last {shown:,} of {n:,} turns. Export all of them: {command}",
        "这里是最近 {shown:,} 轮，共 {n:,} 轮。导出全部：{command}",
    ),
}
