"""The stored answers of batches as a database: what keeps it from being used."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "moved": (
        "The stored answers {file} were moved or deleted while this kernel used them. Put the file back, "
        "or restart the kernel to begin anew.",
        "已存储的回答 {file} 在内核使用期间被移动或删除。请把文件放回原处，或重启内核以重新开始。",
    ),
    "replaced": (
        "The stored answers {file} were replaced by another file while this kernel used them. Put the "
        "file back, or restart the kernel to go on with the new one.",
        "已存储的回答 {file} 在内核使用期间被另一个文件替换。请把文件放回原处，或重启内核以使用新文件。",
    ),
    "emptied": (
        "The stored answers {file} were emptied by another program while this kernel used them. Put a "
        "copy of the file back, or delete it, and restart the kernel.",
        "已存储的回答 {file} 在内核使用期间被其他程序清空。请放回该文件的副本或将其删除，然后重启内核。",
    ),
    "cut_off": (
        "The stored answers {file} were cut off by another program while this kernel used them. Put a "
        "copy of the file back, or delete it, and restart the kernel.",
        "已存储的回答 {file} 在内核使用期间被其他程序截断。请放回该文件的副本或将其删除，然后重启内核。",
    ),
    "newer_version": (
        "The stored answers in {file} were written by a newer cbai-notebook, and were left as they are: "
        "update with python -m pip install -U cbai-notebook, and restart the kernel.",
        "{file} 中已存储的回答由更新版本的 cbai-notebook 写入，已保持原样。"
        "请运行 python -m pip install -U cbai-notebook 升级，然后重启内核。",
    ),
    "no_locks": (
        "The stored answers in {file} cannot be used: the file system has no locks for files, as some "
        'network drives. Choose another place: CBAI_DATA_DIR, cbai.configure(history="…"), or '
        'history="off".',
        "无法使用 {file} 中已存储的回答：所在的文件系统不支持文件锁，某些网络驱动器就是这样。"
        '请换一个位置：CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
    "locked": (
        "The stored answers in {file} are locked by another program. Close that program, or choose "
        'another place: CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".',
        "{file} 中已存储的回答被其他程序锁定。请关闭该程序，或换一个位置："
        'CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
    "unusable": (
        "The stored answers in {file} cannot be used: {reason}. Make room or allow writing there, or "
        'choose another place: CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".',
        "无法使用 {file} 中已存储的回答：{reason}。请腾出空间或开放写入权限，或换一个位置："
        'CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
    "altered": (
        "The stored answers in {file} have other tables than cbai-notebook gives them: {problem}. The "
        "file was left as it is. To begin anew, move it away and restart the kernel.",
        "{file} 中已存储的回答的数据表与 cbai-notebook 创建的不同：{problem}。文件已保持原样。"
        "要重新开始，请移走该文件并重启内核。",
    ),
    "damaged_and_copied": (
        "The stored answers in {file} are damaged ({reason}). The file was left as it is, with a copy in "
        "{copy}. To begin anew, move it away and restart the kernel.",
        "{file} 中已存储的回答已损坏（{reason}）。文件已保持原样，并复制了一份到 {copy}。"
        "要重新开始，请移走该文件并重启内核。",
    ),
    "damaged": (
        "The stored answers in {file} are damaged ({reason}). The file was left as it is; a copy could "
        "not be made. To begin anew, move it away and restart the kernel.",
        "{file} 中已存储的回答已损坏（{reason}）。文件已保持原样，但未能复制备份。要重新开始，请移走该文件并重启内核。",
    ),
    "memory_unusable": (
        "The stored answers in memory cannot be used: {reason}. Restart the kernel to begin anew.",
        "无法使用内存中已存储的回答：{reason}。请重启内核以重新开始。",
    ),
    "no_answer": (
        "The file of the stored answers does not respond. Try again, or choose another place: "
        'CBAI_DATA_DIR, cbai.configure(history="…"), or history="off".',
        "已存储的回答的文件没有响应。请重试，或换一个位置："
        'CBAI_DATA_DIR、cbai.configure(history="…") 或 history="off"。',
    ),
}
