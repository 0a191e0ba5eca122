"""The help on ``%cbai``: its page, and the descriptions of options and commands."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # the page
    "magic": (
        "Ask a language model: %cbai PROMPT, or a cell that begins with %%cbai.\n\n"
        "%cbai help shows the options and commands.",
        "向语言模型提问：%cbai PROMPT，或以 %%cbai 开头的单元格。\n\n%cbai help 可列出选项和命令。",
    ),
    "of_cell": ("the lines below are the prompt", "下面几行就是提示词"),
    "of_line": ("ask in one line", "只用一行提问"),
    "options": ("Options", "选项"),
    "commands": (
        "Commands (a command with --help shows its options)",
        "命令（命令加 --help 可查看它的选项）",
    ),
    "of_prompt": (
        'In a prompt {{name}}, {{name.attr}}, {{name["key"]}} and {{name[0]}} are filled in when they '
        "name\nsomething of yours; everything else is sent as it is written. A prompt that begins like "
        "an\noption or a command goes behind two dashes: %cbai -- reset my mind",
        '提示词中的 {{name}}、{{name.attr}}、{{name["key"]}} 和 {{name[0]}} 若指向自己的变量，会填入它的'
        "值；\n其余内容原样发送。以选项或命令开头的提示词，请写在两个短横线之后：\n%cbai -- reset my mind",
    ),
    # options of prompts, by their long flags
    "option_model": (
        "[PROVIDER/]MODEL or SERVER[/MODEL]; local is offline, demo is scripted",
        "[PROVIDER/]MODEL 或 SERVER[/MODEL]；local 是离线模型，demo 是演示模型",
    ),
    "option_system": (
        'system prompt, in quotes: -s "Be brief."',
        '系统提示词，加引号：-s "请简短回答。"',
    ),
    "option_temperature": ("0 or more", "温度，不小于 0"),
    "option_max_tokens": ("longest answer, in tokens", "回答的最大长度（词元数）"),
    "option_param": (
        "any other parameter, JSON or text: -P top_p=0.9",
        "其他参数，JSON 或文本：-P top_p=0.9",
    ),
    "option_conversation": ("talk in the conversation of this name", "在这个对话中提问"),
    "option_no_history": (
        "neither send nor keep the conversation",
        "既不发送对话，也不保存这一轮",
    ),
    "option_cached": (
        "answer from the history if the same was asked before",
        "如果问过同样的问题，用历史记录中的回答",
    ),
    "option_no_cached": (
        "ask, whatever the setting cached says",
        "总是提问，不管设置 cached 的值",
    ),
    "option_output": ("put the answer object into this variable", "把回答对象放入这个变量"),
    "option_format": (
        "show the answer as markdown | text | code | json",
        "回答的显示方式：markdown | text | code | json",
    ),
    "option_insert": (
        "put the answer's code into a new cell below",
        "把回答中的代码放入下方的新单元格",
    ),
    "option_into": (
        "stream into this ipywidgets.Output",
        "把回答流式显示在这个 ipywidgets.Output 中",
    ),
    "option_no_stream": ("show the answer once it is whole", "回答完整后再显示"),
    "option_tool": (
        "a function or server that the model may call; repeat it for more",
        "模型可以调用的函数或服务器；可重复给出多个",
    ),
    "option_max_steps": ("requests that tools may lead to", "工具调用最多可引起的请求数"),
    "option_schema": ("answer as an object of this type", "让回答成为这个类型的对象"),
    "option_image": (
        "send this image along: file, https address or variable",
        "一起发送这张图片：文件、https 地址或变量",
    ),
    "option_draw": (
        "draw a picture of the prompt; -o cat.png saves it",
        "按提示词画一张图；-o cat.png 可保存",
    ),
    "option_think": ("let the model think first", "让模型先思考"),
    "option_no_think": ("do not let it think", "不让模型思考"),
    "option_agent": ("ask this agent of CloudBase", "向这个 CloudBase 智能体提问"),
    "option_raw": ("show what the server sent, as JSON", "以 JSON 显示服务器返回的内容"),
    "option_each": (
        "ask for each row: a DataFrame, a list of dicts, or the path of a file",
        "逐行提问：DataFrame、dict 列表或文件路径",
    ),
    "option_rows": ("with --each: only the first rows, to try", "配合 --each：只用前几行试一试"),
    "option_column": ("with --each: the column of the answers", "配合 --each：回答所在的列名"),
    "option_prompt": (
        "a Markdown file with the prompt and its settings",
        "存放提示词及其设置的 Markdown 文件",
    ),
    "option_prefix": (
        "with --each: what the new columns' names begin with",
        "配合 --each：新列名的前缀",
    ),
    "option_details": (
        "with --each: columns for model, tokens and seconds",
        "配合 --each：加上模型、词元数和用时等列",
    ),
    "option_to_file": (
        "with --each: a .parquet, .csv or .ndjson file; .jsonl: requests",
        "配合 --each：结果文件 .parquet、.csv 或 .ndjson；.jsonl：请求",
    ),
    "option_samples": (
        "several answers side by side; with --each: for each row",
        "并排显示多个回答；配合 --each：每行的回答个数",
    ),
    "option_models": ("ask several models, side by side: a,b", "并排询问多个模型：a,b"),
    "option_temperatures": ("ask at several temperatures: 0,1", "用多个温度询问：0,1"),
    "option_systems": (
        "ask with several system prompts: a variable with a list or a dict",
        "用多个系统提示词询问：含列表或字典的变量",
    ),
    "option_vary": (
        "ask with several values of a parameter: top_p=0.5,0.9",
        "用某个参数的多个值询问：top_p=0.5,0.9",
    ),
    "option_more_than_24": ("ask for more than 24 answers", "允许请求超过 24 个回答"),
    "option_missing": (
        "with --each: rows without a value: skip | send | raise",
        "配合 --each：缺少值的行：skip | send | raise",
    ),
    "option_concurrency": ("with --each: the most rows at once", "配合 --each：同时进行的最多行数"),
    "option_max_total_tokens": (
        "with --each: stop at so many tokens",
        "配合 --each：用到这么多词元时停止",
    ),
    "option_max_cost": (
        "with --each: stop at this cost, by configure(prices=…)",
        "配合 --each：达到此费用时停止，价格取自 configure(prices=…)",
    ),
    "option_dry_run": (
        "show what would be sent, and send nothing",
        "只显示将要发送的内容，不发送",
    ),
    "option_allow_secrets": (
        "send the prompt even though it holds a secret",
        "即使提示词含有密钥也发送",
    ),
    "option_help": ("show this help", "显示本帮助"),
    # options of commands
    "option_this_conversation": (
        "this conversation; without it, the current one",
        "指定对话；不指定则为当前对话",
    ),
    "option_usage_of_conversation": ("of this conversation alone", "只统计这个对话"),
    "option_read_into": (
        "add the turns to this conversation, not to a new one",
        "把各轮加入这个对话，而不是新的对话",
    ),
    "option_pandas": (
        "put the messages into this variable as a DataFrame",
        "把消息作为 DataFrame 放入这个变量",
    ),
    "option_pandas_usage": (
        "put the rows of the table into this variable as a DataFrame",
        "把统计表的各行作为 DataFrame 放入这个变量",
    ),
    "option_since": ("from this day on", "从这一天起"),
    "option_search": (
        "messages with these words, of all conversations",
        "所有对话中含有这些文字的消息",
    ),
    "option_all_messages": ("messages of all conversations", "所有对话的消息"),
    "option_of_model": ("of this model", "这个模型的消息"),
    "option_role": ("of this role", "这个角色的消息"),
    "option_status": ("of turns that ended so", "以这种状态结束的轮"),
    "option_limit": ("so many, the newest", "最新的若干条"),
    "option_versions": (
        "with the versions that cells have replaced",
        "包括已被单元格替换的版本",
    ),
    "option_list_all": (
        "list those of scripts and consoles too",
        "也列出脚本和控制台的对话",
    ),
    "option_older": (
        "all that were not used for so long: 12h, 30d, 2w",
        "所有这么久没有用过的对话：12h、30d、2w",
    ),
    "option_all_conversations": ("all conversations", "所有对话"),
    "option_yes": ("do not ask", "不再询问"),
    "option_answers": (
        "compare two answers of the last comparison, by their numbers",
        "按编号比较最近一次比较中的两个回答",
    ),
    "option_at": ("up to this turn; -1 is the last", "到这一轮为止；-1 是最后一轮"),
    "option_to": ("the form: %cbai export lists them", "格式：%cbai export 可列出"),
    "option_to_path": ("the file or folder", "文件或文件夹"),
    "option_examples": (
        "example turns that a Mini Program sends along: 0,2",
        "小程序一起发送的示例轮：0,2",
    ),
    "option_every_turn": (
        "curl and python: the request of every turn",
        "curl 和 python：每一轮的请求",
    ),
    "option_all_into_folder": (
        "all conversations, into a folder",
        "所有对话，导出到一个文件夹",
    ),
    "option_force": ("write over what is there", "覆盖已有内容"),
    # commands
    "command_config": ("what is set, and where it comes from", "查看设置及其来源"),
    "command_login": (
        "store CloudBase's key, or a server's, on this machine",
        "在本机存储 CloudBase 或某个服务器的密钥",
    ),
    "command_logout": ("forget a key that login has stored", "删除 login 存储的密钥"),
    "command_models": (
        "names of models to try, and those of your servers",
        "列出可用的模型，以及自己的服务器上的模型",
    ),
    "command_panel": ("chat in a panel", "在面板中聊天"),
    "command_history": (
        "show a conversation, or look through all",
        "查看一个对话，或查找所有对话",
    ),
    "command_continue": (
        "go on with an answer that was cut or stopped",
        "继续被截断或停止的回答",
    ),
    "command_use": (
        "go on in a conversation; without a name, list them",
        "切换到一个对话；不带名称则列出对话",
    ),
    "command_fork": (
        "copy a conversation and go on in the copy",
        "复制一个对话，并在副本中继续",
    ),
    "command_rename": ("give the conversation another name", "给对话改名"),
    "command_undo": (
        "take back the newest turn, or its newest version",
        "撤回最新一轮，或这一轮的最新版本",
    ),
    "command_reset": (
        "begin again with nothing said; the old turns stay as a branch",
        "从头开始；原来的轮保留为分支",
    ),
    "command_delete": (
        "forget a conversation for good, or old ones, or all",
        "永久删除一个对话、旧的对话或所有对话",
    ),
    "command_pick": (
        "go on with one of several answers: %cbai pick 5, pick MODEL",
        "从多个回答中的一个继续：%cbai pick 5、%cbai pick MODEL",
    ),
    "command_diff": (
        "compare two answers: %cbai diff -2 -1, diff --answers 2 5",
        "比较两个回答：%cbai diff -2 -1、diff --answers 2 5",
    ),
    "command_usage": (
        "requests, tokens and time by model and day",
        "按模型和日期统计请求、词元和用时",
    ),
    "command_batches": (
        "list the batches over many rows; delete 3, delete all",
        "列出对多行数据的批处理；delete 3、delete all 用于删除",
    ),
    "command_evaluations": (
        "list the runs of evaluations, or of one",
        "列出所有评测或某个评测的运行",
    ),
    "command_mcp": (
        "list servers of tools and their tools; confirm NAME, stop NAME",
        "列出工具服务器及其工具；confirm NAME、stop NAME",
    ),
    "command_export": (
        "write a conversation to a file, a notebook, a Mini Program",
        "把对话导出为文件、笔记本或小程序",
    ),
    "command_import": ("read conversations from a file", "从文件导入对话"),
    "command_version": ("which version this is", "查看版本"),
    "command_help": ("show this help, or that of one command", "显示本帮助，或某个命令的帮助"),
}
