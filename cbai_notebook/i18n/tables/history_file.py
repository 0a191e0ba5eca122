"""The history as a database: what keeps it from being used."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "moved": (
        "The history {file} was moved or deleted while this kernel used it, so this session is kept in "
        "memory. Put the file back, or restart the kernel to begin a new one.",
        "历史记录 {file} 在内核使用期间被移动或删除，本次会话只保存在内存中。请把文件放回原处，或重启内核以新建历史记录。",
    ),
    "replaced": (
        "The history {file} was replaced by another file while this kernel used it, so this session is "
        "kept in memory. Put the file back, or restart the kernel to begin a new one.",
        "历史记录 {file} 在内核使用期间被另一个文件替换，本次会话只保存在内存中。请把文件放回原处，或重启内核以新建历史记录。",
    ),
    "emptied": (
        "The history {file} was emptied by another program while this kernel used it, so this session "
        "is kept in memory only. Put a copy of the file back, or delete it, and restart the kernel.",
        "历史记录 {file} 在内核使用期间被其他程序清空，本次会话只保存在内存中。请放回该文件的副本或将其删除，然后重启内核。",
    ),
    "cut_off": (
        "The history {file} was cut off by another program while this kernel used it, so this session "
        "is kept in memory only. Put a copy of the file back, or delete it, and restart the kernel.",
        "历史记录 {file} 在内核使用期间被其他程序截断，本次会话只保存在内存中。请放回该文件的副本或将其删除，然后重启内核。",
    ),
    "newer_version": (
        "The history in {file} was written by a newer cbai-notebook. It was left as it is, and this "
        "session is kept in memory only: update with python -m pip install -U cbai-notebook.",
        "{file} 中的历史记录由更新版本的 cbai-notebook 写入，已保持原样，本次会话只保存在内存中。"
        "请运行 python -m pip install -U cbai-notebook 升级。",
    ),
    "no_locks": (
        "The history in {file} cannot be used: its file system has no locks for files, as some network "
        'drives. Choose another place: CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".',
        "无法使用 {file} 中的历史记录：所在的文件系统不支持文件锁，某些网络驱动器就是这样。"
        '请换一个位置：CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
    "locked": (
        "The history in {file} is locked by another program. Close that program, or choose another "
        'place: CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".',
        "{file} 中的历史记录被其他程序锁定。请关闭该程序，或换一个位置："
        'CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
    "unusable": (
        "The history in {file} cannot be used: {reason}. Make room or allow writing there, or choose "
        'another place: CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".',
        "无法使用 {file} 中的历史记录：{reason}。请腾出空间或开放写入权限，或换一个位置："
        'CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
    "altered": (
        "The history in {file} has other tables than cbai-notebook gives it: {problem}. It was left as "
        "it is, and this session is kept in memory only. To begin a new history, move the file away "
        "and restart the kernel.",
        "{file} 中历史记录的数据表与 cbai-notebook 创建的不同：{problem}。文件已保持原样，本次会话只保存在内存中。"
        "要新建历史记录，请移走该文件并重启内核。",
    ),
    "damaged_and_copied": (
        "The history in {file} is damaged ({reason}). It was left as it is, with a copy in {copy}, and "
        "this session is kept in memory only. To begin a new history, move the file away and restart "
        "the kernel.",
        "{file} 中的历史记录已损坏（{reason}）。文件已保持原样，并复制了一份到 {copy}，本次会话只保存在内存中。"
        "要新建历史记录，请移走该文件并重启内核。",
    ),
    "damaged": (
        "The history in {file} is damaged ({reason}). It was left as it is; a copy could not be made, "
        "and this session is kept in memory only. To begin a new history, move the file away and "
        "restart the kernel.",
        "{file} 中的历史记录已损坏（{reason}）。文件已保持原样，但未能复制备份，本次会话只保存在内存中。"
        "要新建历史记录，请移走该文件并重启内核。",
    ),
    "memory_unusable": (
        "The history in memory cannot be used: {reason}. Restart the kernel to begin a new one.",
        "无法使用内存中的历史记录：{reason}。请重启内核以新建历史记录。",
    ),
    "no_answer": (
        "The history does not answer. Try again, or choose another place: "
        'CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".',
        "历史记录没有响应。请重试，或换一个位置："
        'CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
}
