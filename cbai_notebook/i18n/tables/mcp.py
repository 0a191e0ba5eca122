"""Servers of tools: the Model Context Protocol."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # target
    "no_target": (
        "A server is a command, an http address or an open session, and not {kind}: "
        "cbai.mcp('uvx some-server').",
        "服务器应为命令、http 地址或已打开的会话，而不是 {kind}：cbai.mcp('uvx some-server')。",
    ),
    "empty_command": ("The command of the server is empty.", "服务器的命令为空。"),
    "only_of_an_address": (
        "{name} belongs to a server with an http address.",
        "{name} 只用于 http 地址的服务器。",
    ),
    "no_http_address": (
        "The address of the server is no valid http or https address.",
        "服务器的地址不是有效的 http 或 https 地址。",
    ),
    "only_of_a_command": (
        "{name} belongs to a server that is started by a command.",
        "{name} 只用于由命令启动的服务器。",
    ),
    # connection
    "not_installed": (
        "Servers of tools need the package mcp, version 2 or newer. Run {command}",
        "工具服务器需要 mcp 包 2.0 或更新的版本。请运行 {command}",
    ),
    "no_start": (
        "The server {name} did not answer within {seconds} s of its start: {what}. Try the command in "
        "a terminal, or allow more: start_timeout=….",
        "服务器 {name} 在启动后 {seconds} 秒内没有应答：{what}。请在终端中试运行该命令，"
        "或延长时间：start_timeout=…。",
    ),
    "not_started": (
        "The server {name} does not start: {reason}. The command is: {what}",
        "服务器 {name} 无法启动：{reason}。命令是：{what}",
    ),
    "not_reached": (
        "The server {name} cannot be reached at {what}: {reason}",
        "无法连接到服务器 {name}（{what}）：{reason}",
    ),
    "ended": (
        "The server {name} has ended. The next call starts it again.",
        "服务器 {name} 已结束。下一次调用会重新启动它。",
    ),
    "ended_because": (
        "The server {name} has ended: {reason}. The next call starts it again.",
        "服务器 {name} 已结束：{reason}。下一次调用会重新启动它。",
    ),
    "no_answer": (
        "The server {name} did not answer the call of {tool} within {seconds} s (timeout=…).",
        "服务器 {name} 在 {seconds} 秒内没有回应对 {tool} 的调用（timeout=…）。",
    ),
    "call_failed": (
        "The server {name} refused the call of {tool}: {reason}",
        "服务器 {name} 拒绝了对 {tool} 的调用：{reason}",
    ),
    "too_long": (
        "the answer has more than {bytes} bytes",
        "回答超过 {bytes} 字节",
    ),
    "compressed": (
        "the answer is compressed, which was not asked for",
        "回答经过压缩，而请求中没有要求压缩",
    ),
    "failed_without_words": (
        "The tool failed, and does not say why.",
        "工具执行失败，没有说明原因。",
    ),
    # server
    "value_of": ("{value} of the server {name}", "服务器 {name} 的 {value}"),
    "no_tools": (
        "The server {name} has started, and does not list its tools.",
        "服务器 {name} 已启动，但没有列出它的工具。",
    ),
    "command_is_new": (
        "The server {name} comes from the file {file}, and you have not confirmed it yet: {what} "
        "(folder: {folder}; variables or headers: {names}; gets the values of: {filled}). Read it, then "
        "run {%cbai mcp confirm}",
        "服务器 {name} 来自文件 {file}，尚未得到你的确认：{what}（文件夹：{folder}；变量或请求头：{names}；"
        "会得到这些环境变量的值：{filled}）。请查看后运行 {%cbai mcp confirm}",
    ),
    "may_start": (
        "The server {name} comes from the file {file}:\n  {what}\n  folder: {folder}\n"
        "  variables or headers: {names}\n  gets the values of: {filled}\n"
        "Start it now and later? [y/N]",
        "服务器 {name} 来自文件 {file}：\n  {what}\n  文件夹：{folder}\n  变量或请求头：{names}\n"
        "  会得到这些环境变量的值：{filled}\n现在和以后都启动它吗？[y/N]",
    ),
    "tools_changed": (
        "These tools of the server {name} are new, or have changed: {tools}. "
        "Read what has changed, then run {%cbai mcp confirm}",
        "服务器 {name} 新增或更改了这些工具：{tools}。请查看变化后运行 {%cbai mcp confirm}",
    ),
    "may_use_changed": (
        "These tools of the server {name} are new, or have changed:\n{shown}\n"
        "May a model use them? [y/N]",
        "服务器 {name} 新增或更改了这些工具：\n{shown}\n允许模型使用它们吗？[y/N]",
    ),
    "matches_nothing": (
        "The server {name} has no tool {value!r}, which {option} names.",
        "服务器 {name} 没有 {option} 中写的工具 {value!r}。",
    ),
    "too_many_tools": (
        "The server {name} lists more than {n} tools; the others are left out.",
        "服务器 {name} 列出了超过 {n} 个工具；其余的已忽略。",
    ),
    "schema_is_reduced": (
        "The schema of the tool {tool} is sent without what providers refuse: {keywords}.",
        "工具 {tool} 的参数结构在发送时去掉了服务商不接受的部分：{keywords}。",
    ),
    "start_first": (
        "The server {name} is not started, and this code must not wait for it. Start it before: "
        "{example}",
        "服务器 {name} 尚未启动，而这里的代码不能等待它。请先启动：{example}",
    ),
    "loop_is_busy": (
        "The session {name} belongs to an event loop that is blocked by this call. Await the call in "
        "the cell instead of running it with cbai.run(…).",
        "会话 {name} 所在的事件循环被这次调用阻塞。请在单元格中使用 await，而不是 cbai.run(…)。",
    ),
    # the list
    "none": (
        "No server of tools is open or configured.",
        "没有打开或配置的工具服务器。",
    ),
    "make_one": (
        "Make one in a cell, and name it in a prompt:",
        "在一个单元格中创建服务器，然后在提示词中使用它：",
    ),
    "configure_one": (
        "Or write it into a file that other programs read too, and take it with {example}:",
        "也可以写进其他程序也会读取的文件，再用 {example} 取得：",
    ),
    "looked_for_in": ("Looked for in:", "查找的文件："),
    "is_running": ("running", "运行中"),
    "is_not_running": ("not running", "未运行"),
    "cannot_start": ("cannot start", "无法启动"),
    "is_not_confirmed": ("not confirmed", "未确认"),
    "of_the_session": ("this session", "当前会话"),
    "tools_of": (
        "Tools of {name}, about {n} tokens in each request:",
        "{name} 的工具，每个请求约 {n} 词元：",
    ),
    "nothing_to_confirm": (
        "Nothing of the server {name} waits to be confirmed.",
        "服务器 {name} 没有待确认的内容。",
    ),
    "nobody_confirms": (
        "Nobody can answer here. Run {command}",
        "这里无人可以回答。请运行 {command}",
    ),
    "is_confirmed": ("The server {name} is confirmed.", "已确认服务器 {name}。"),
    "is_not_to_start": ("The server {name} is not confirmed.", "未确认服务器 {name}。"),
    "stopped": ("The server {name} has ended.", "服务器 {name} 已结束。"),
    "no_open_server": (
        "No server {name!r} is open. Open: {known}.",
        "没有名为 {name!r} 的已打开服务器。已打开的有：{known}。",
    ),
    "stays_here": (
        "The server {name} belongs to this process: its tools cannot be used on another machine.",
        "服务器 {name} 属于当前进程：它的工具不能在另一台机器上使用。",
    ),
    # files
    "no_configured_server": (
        "No server {name!r} is configured. Known: {known}. The files are: {files}",
        "没有配置名为 {name!r} 的服务器。已知的有：{known}。配置文件：{files}",
    ),
    "file_is_unreadable": (
        "The servers in {path} cannot be read: {reason}",
        "无法读取 {path} 中的服务器：{reason}",
    ),
    "no_variable": (
        "The server {name} needs the environment variable {variable}, which is not set.",
        "服务器 {name} 需要环境变量 {variable}，但它没有设置。",
    ),
}
