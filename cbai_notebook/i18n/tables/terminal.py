"""The command cbai-notebook in a terminal."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "description": (
        "Ask a language model from a Jupyter cell.",
        "在 Jupyter 单元格中向语言模型提问。",
    ),
    "usage": ("usage:", "用法:"),
    "commands": ("commands", "命令"),
    "arguments": ("arguments", "参数"),
    "options": ("options", "选项"),
    "help": ("show this help and exit", "显示此帮助并退出"),
    "version": ("show the version and exit", "显示版本并退出"),
    "wrong": ("{prog}: error: {problem}", "{prog}：错误：{problem}"),
    "demo": ("open the quickstart notebook in JupyterLab", "在 JupyterLab 中打开快速入门笔记本"),
    "demo_description": (
        "Fetch the offline model (once, 93 MB) and open the quickstart in JupyterLab.",
        "获取离线模型（仅一次，93 MB），并在 JupyterLab 中打开快速入门。",
    ),
    "run": (
        "run it here, without a browser, and print the answers",
        "不用浏览器，直接在此运行并打印回答",
    ),
    "no_browser": ("start JupyterLab without opening a browser", "启动 JupyterLab，但不打开浏览器"),
    "port": ("port for JupyterLab to listen on", "JupyterLab 监听的端口"),
    "export": ("write a notebook as a document to read", "将笔记本写成便于阅读的文档"),
    "export_description": (
        "Write a notebook as Markdown: prompts, answers, code and its outputs, without buttons and "
        "footers. Nothing is run.",
        "将笔记本写成 Markdown：提示词、回答、代码及其输出，不含按钮和页脚。不会运行任何代码。",
    ),
    "export_notebook": ("the notebook's file", "笔记本文件"),
    "export_to": ("the format", "格式"),
    "export_output": (
        "the file to write, or a folder for it; by default beside the notebook",
        "要写入的文件，或存放它的文件夹；默认写在笔记本旁边",
    ),
    "export_force": ("replace a file, or pictures, that are there already", "覆盖已有的文件和图片"),
    "no_notebook": (
        "{file} is not a notebook of version 4 of the format.",
        "{file} 不是格式版本 4 的笔记本。",
    ),
    "unreadable": ("{file} cannot be read: {reason}.", "无法读取 {file}：{reason}。"),
    "wrote": ("Wrote {file}.", "已写入 {file}。"),
    "missing": (
        "The demo needs {packages}. Install what it needs with {command}.",
        "演示需要 {packages}。请用 {command} 安装所需的软件包。",
    ),
    "fetching": (
        "Fetching the offline model (once, 93 MB) …",
        "正在获取离线模型（仅一次，93 MB）…",
    ),
    "opening": (
        "Opening {file}, as you left it. Delete it to get a fresh one.",
        "正在打开 {file}，保持上次的内容。删除它即可得到新的一份。",
    ),
    "cannot_copy": (
        "The quickstart cannot be put into {folder}: {reason}. Change to a folder that you may write "
        "to, and try again.",
        "快速入门无法放入 {folder}：{reason}。请切换到可写的文件夹，然后重试。",
    ),
    "copied": (
        "Put the quickstart into {file}; it is yours to edit.",
        "已将快速入门放入 {file}，可随意修改。",
    ),
    "starting": (
        "Starting JupyterLab; Ctrl-C here ends it.",
        "正在启动 JupyterLab；在此按 Ctrl-C 结束。",
    ),
    "stopped": ("stopped.", "已停止。"),
    "cell_failed": ("a cell failed: {error}", "有一个单元格出错：{error}"),
}
