"""The history: what is wrong with it, where it is stored, and the names of conversations."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # store/migration.py: what is wrong with the tables, within a sentence
    "of_another_program": ("it is a database of another program", "这是其他程序的数据库"),
    "no_table": ("there is no table {name}", "缺少数据表 {name}"),
    "other_table": ("the table {name} is another one", "数据表 {name} 与预期不同"),
    "wrong_version": ("it has the version {version}", "版本号为 {version}"),
    "has_triggers": ("it has triggers", "含有触发器"),
    # store/rows.py: what is damaged, within a sentence
    "malformed_turn": ("turn {id} is malformed", "第 {id} 条记录的格式不正确"),
    "malformed_text": ("a text is malformed", "有一处文本的格式不正确"),
    "malformed_number": ("a number is malformed", "有一处数字的格式不正确"),
    "malformed_last_turn": (
        "the number of the last turn is malformed",
        "最后一轮的编号格式不正确",
    ),
    # store/waiting.py, store/writer.py, store/sync.py, store/store.py
    "waiting": ("Waiting up to 5 s.", "最多等待 5 秒。"),
    "no_answer_yet": (
        "The history in {file} does not answer yet.",
        "{file} 中的历史记录尚未响应。",
    ),
    "not_written": ("It could not be written: {reason}", "无法写入：{reason}"),
    "kernel_ended": (
        "The kernel ended before the answer did.",
        "回答尚未完成，内核就已结束。",
    ),
    # store/location.py
    "no_home": (
        "There is no home directory for the history, so this session is kept in memory only. Set "
        "CBAI_DATA_DIR to a folder that you may write to, and restart the kernel.",
        "没有可存放历史记录的主目录，本次会话只保存在内存中。请将 CBAI_DATA_DIR 设为有写入权限的文件夹，然后重启内核。",
    ),
    "unknown_place": (
        "history is {value}; use 'on', 'off' or the path of a file.",
        "history 的值是 {value}，请使用 'on'、'off' 或文件路径。",
    ),
    "empty_place": (
        "history is empty; use 'on', 'off' or the path of a file.",
        "history 的值为空，请使用 'on'、'off' 或文件路径。",
    ),
    # registry.py
    "name_taken": (
        "There is a conversation {name!r} already. Choose another name.",
        "已有名为 {name!r} 的对话，请换一个名称。",
    ),
    "name_needed": (
        "A conversation needs a name, such as poems.",
        "对话需要一个名称，例如 poems。",
    ),
    "nothing_to_share": (
        "Visitors can share a conversation only in a stored history, and history is off. Give "
        "it a place: cbai.configure(history=PATH).",
        "访客只能共享已存储的历史记录中的对话，而历史记录已关闭。请指定存储位置：cbai.configure(history=PATH)。",
    ),
    # history.py
    "unknown_moment": (
        "{name} is {value}; use a day or a time, such as 2026-11-25.",
        "{name} 的值是 {value}，请使用日期或时间，例如 2026-11-25。",
    ),
    # records.py
    "messages": (Counted("{n} message", "{n:,} messages"), "{n:,} 条消息"),
    "last_messages": (
        Counted("{n} message; the last {shown}", "{n:,} messages; the last {shown}"),
        "{n:,} 条消息，显示最后 {shown} 条",
    ),
    "no_messages": ("no messages", "没有消息"),
    "only_to_be_added_to": (
        "This list shows a conversation and can only be added to. chat.undo(), chat.delete(turn) "
        "and chat.copy(name) change a conversation; chat.messages.copy() is a list of your own.",
        "此列表显示一个对话，只能追加消息。要修改对话，请用 chat.undo()、chat.delete(turn) 或 chat.copy(name)；"
        "chat.messages.copy() 返回可自由修改的列表。",
    ),
}
