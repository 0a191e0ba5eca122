"""What is wrong with the line of ``%cbai`` and ``%%cbai``: its options, their values, its words."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "did_you_mean": ("Did you mean {near}?", "是想用 {near} 吗？"),
    # lexer
    "quote_is_open": (
        "A quote is opened and not closed: {text} — put {quote} at the end of the value.",
        "引号没有闭合：{text}。请在值的末尾加上 {quote}。",
    ),
    # options: values
    "no_temperature": (
        "{flag} takes a number, 0 or more, such as 0.7; not {text!r}.",
        "{flag} 需要不小于 0 的数，例如 0.7，不能是 {text!r}。",
    ),
    "no_whole_number": (
        "{flag} takes a whole number above 0, such as {example}; not {text!r}.",
        "{flag} 需要大于 0 的整数，例如 {example}，不能是 {text!r}。",
    ),
    "no_amount": (
        "{flag} takes an amount above 0, such as 2.50; not {text!r}.",
        "{flag} 需要大于 0 的金额，例如 2.50，不能是 {text!r}。",
    ),
    "empty_rows": (
        "{flag} needs a variable with rows, or the path of a file; its value is empty.",
        "{flag} 需要含有各行的变量或文件路径，但值是空的。",
    ),
    "empty_prefix": (
        "{flag} needs the beginning of the new columns' names; its value is empty.",
        "{flag} 需要新列名的前缀，但值是空的。",
    ),
    "empty_missing": (
        "{flag} needs what is to happen to rows without a value, such as skip; its value is empty.",
        "{flag} 需要指定如何处理缺少值的行，例如 skip，但值是空的。",
    ),
    "no_variable": (
        "{flag} takes the name of a variable, such as answer; not {text!r}.",
        "{flag} 需要变量名，例如 answer，不能是 {text!r}。",
    ),
    "no_format": (
        "{flag} takes {known}; not {text!r}.",
        "{flag} 只能是 {known}，不能是 {text!r}。",
    ),
    "empty_name": ("{flag} needs a name; its value is empty.", "{flag} 需要一个名称，但值是空的。"),
    "empty_image": (
        "{flag} needs a file, an address or a variable; its value is empty.",
        "{flag} 需要文件、地址或变量，但值是空的。",
    ),
    "empty_agent": (
        "{flag} needs the id of an agent; its value is empty.",
        "{flag} 需要智能体的 ID，但值是空的。",
    ),
    "empty_words": (
        "{flag} needs words to look for; its value is empty.",
        "{flag} 后面要写查找的文字，但值是空的。",
    ),
    "empty_role": (
        "{flag} needs a role, such as user; its value is empty.",
        "{flag} 需要角色，例如 user，但值是空的。",
    ),
    "empty_status": (
        "{flag} needs a status, such as complete; its value is empty.",
        "{flag} 需要状态，例如 complete，但值是空的。",
    ),
    "empty_form": (
        "{flag} needs the name of a form; its value is empty.",
        "{flag} 需要格式的名称，但值是空的。",
    ),
    "empty_path": ("{flag} needs a path; its value is empty.", "{flag} 需要路径，但值是空的。"),
    # options: -P
    "no_param": (
        "{flag} takes name=value, such as top_p=0.9; not {text!r}.",
        "{flag} 的写法是 name=value，例如 top_p=0.9，不能是 {text!r}。",
    ),
    "no_name_of_a_param": (
        "{flag} cannot set a parameter called {name!r}.",
        "{flag} 不能设置名为 {name!r} 的参数。",
    ),
    "give_the_whole_object": (
        "Give the whole object as JSON: {whole}.",
        "请用 JSON 写出整个对象：{whole}。",
    ),
    "reserved_model": (
        "{flag} cannot set 'model': choose the model with -m.",
        "{flag} 不能设置 'model'：请用 -m 选择模型。",
    ),
    "reserved_messages": (
        "{flag} cannot set 'messages': the prompt and the conversation are the messages.",
        "{flag} 不能设置 'messages'：提示词和对话就是消息。",
    ),
    "reserved_stream": (
        "{flag} cannot set 'stream': use --no-stream for one whole answer.",
        "{flag} 不能设置 'stream'：要一次显示完整回答，请用 --no-stream。",
    ),
    "reserved_tools": (
        "{flag} cannot set 'tools': name functions of yours with --tool.",
        "{flag} 不能设置 'tools'：请用 --tool 指定自己的函数。",
    ),
    "reserved_data": (
        "{flag} cannot set 'data': give each parameter by its own name.",
        "{flag} 不能设置 'data'：请按名称逐个给出参数。",
    ),
    "no_json": (
        "The value of {name} is not JSON: {text} — JSON has its names and texts in double quotes. For "
        "plain text, put quotes around the value.",
        "{name} 的值不是 JSON：{text}。JSON 中的名称和文本要用双引号。若是普通文本，请给整个值加引号。",
    ),
    # commands: values of their options
    "no_turn": (
        "{flag} takes the number of a turn, such as 3, or -1 for the last; not {text!r}.",
        "{flag} 需要轮的序号，例如 3，或用 -1 表示最后一轮，不能是 {text!r}。",
    ),
    "no_day": (
        "{flag} takes a day or a time, such as 2026-11-25; not {text!r}.",
        "{flag} 需要日期或时间，例如 2026-11-25，不能是 {text!r}。",
    ),
    "no_age": (
        "{flag} takes up to 99999 hours, days or weeks, such as 12h, 30d or 2w; not {text!r}.",
        "{flag} 需要不超过 99999 的小时数、天数或周数，例如 12h、30d 或 2w，不能是 {text!r}。",
    ),
    # conflicts
    "no_picture_without_draw": (
        "-o {output} saves a picture, and there is one with --draw only. An answer in words goes into "
        "a variable: -o answer.",
        "-o {output} 用于保存图片，只有 --draw 才会生成图片。文字回答请放入变量：-o answer。",
    ),
    "does_not_go_with_option": (
        "{flag} does not go with {other}: {reason}. Leave out {flag}.",
        "{flag} 不能与 {other} 一起使用：{reason}。请去掉 {flag}。",
    ),
    "does_not_go_with_agent": (
        "{flag} does not go with an agent: {reason}. Leave out {flag}.",
        "{flag} 不能用于智能体：{reason}。请去掉 {flag}。",
    ),
    "because_agent_is_set_up": (
        "an agent answers as it is set up in the CloudBase console",
        "智能体按 CloudBase 控制台中的配置回答",
    ),
    "because_agent_has_a_system_prompt": (
        "an agent has a system prompt of its own",
        "智能体有自己的系统提示词",
    ),
    "because_agent_is_a_model": ("an agent is a model by itself", "智能体本身就是模型"),
    "because_agents_do_not_draw": ("agents do not draw here", "智能体在这里不能画图"),
    "because_of_the_prompt_alone": (
        "a drawing is made from the prompt alone",
        "画图只依据提示词",
    ),
    "because_pictures_are_not_kept": (
        "pictures are not kept in the history",
        "图片不保存在历史记录中",
    ),
    "because_raw_is_in_the_variable": ("-o VAR has it as VAR.raw", "-o VAR 之后可用 VAR.raw 查看"),
    "because_it_is_for_words": ("that is for answers in words", "它只用于文字回答"),
    "because_rows_have_no_conversation": (
        "rows are asked by themselves, without a conversation",
        "每一行都单独提问，不属于任何对话",
    ),
    "because_rows_are_known_anyway": (
        "what a row was answered before is never paid for again",
        "已回答过的行本来就不会再次收费",
    ),
    "because_answers_of_rows_are_columns": (
        "the answers become columns of a table",
        "回答会成为表格的列",
    ),
    "empty_part": (
        "{flag} needs values with commas between them, not {text!r}.",
        "{flag} 需要用逗号分隔的值，而不是 {text!r}。",
    ),
    "no_values": ("{flag} names no values for {name}.", "{flag} 没有给出 {name} 的值。"),
    "because_agents_answer_no_rows": (
        "agents answer one prompt at a time",
        "智能体一次只回答一个提示词",
    ),
    "because_answers_stand_side_by_side": (
        "the answers of a comparison stand side by side",
        "比较的各个回答并排显示",
    ),
    "because_only_words_are_compared": ("only answers in words are compared", "只比较文字回答"),
    "because_agents_are_not_compared": (
        "name the agent among the models: agent/BOT_ID",
        "请在模型中写智能体：agent/BOT_ID",
    ),
    "because_it_names_one": ("one of them would be ignored", "其中一个会被忽略"),
    "because_rows_are_not_compared": (
        "a comparison has one prompt",
        "比较只用于一个提示词",
    ),
    "yes_without_comparison": (
        "--yes is for a comparison with more than 24 answers: name what is compared, such as --models.",
        "--yes 只用于超过 24 个回答的比较：请指定比较的内容，例如 --models。",
    ),
    "varied_and_fixed": (
        "{name} is varied and has one value too. Leave one of the two out.",
        "{name} 既要改变，又给了固定值。请去掉其中一个。",
    ),
    "only_with_each": (
        "{flag} is for a prompt that every row gets: name the rows with --each.",
        "{flag} 只用于逐行提问：请用 --each 指定各行。",
    ),
    "replaces_its_rows": (
        "-o {output} would replace the rows, and this cell could not run again. Give the result another "
        "name.",
        "-o {output} 会覆盖原来的各行，单元格将无法再次运行。请给结果另取一个名称。",
    ),
    # parser
    "no_prompt": (
        "There is no prompt after the options. Write it behind them, or begin a cell with %%cbai and "
        "write it on the lines below.",
        "选项之后没有提示词。请写在选项后面，或让单元格以 %%cbai 开头，把提示词写在下面几行。",
    ),
    "command_of_its_own": (
        "{name} is a command of its own: write %cbai {name}, with one %.",
        "{name} 是单独的命令：请写 %cbai {name}，只用一个 %。",
    ),
    "left_over": (
        "Left over after the options: {text!r}. The prompt goes on the lines below; a model is chosen "
        "with -m, and a value with spaces needs quotes.",
        "选项之后多出了 {text!r}。提示词写在下面几行；模型用 -m 选择；含空格的值需要加引号。",
    ),
    # reader
    "mistyped_command": (
        "There is no command {word}. Did you mean %cbai {name}? To ask a model, write %cbai -- {line}",
        "没有命令 {word}。是想用 %cbai {name} 吗？要向模型提问，请写 %cbai -- {line}",
    ),
    "needs_a_value": (
        "{flag} needs a value: {flag} {metavar}.",
        "{flag} 需要一个值：{flag} {metavar}。",
    ),
    "takes_no_value": ("{flag} takes no value.", "{flag} 不需要值。"),
    "no_option": ("There is no option {flag}.", "没有选项 {flag}。"),
    "help_lists_options": ("%cbai help lists them all.", "%cbai help 可列出全部选项。"),
    "put_dashes": (
        "If the prompt begins with a dash, put -- before it.",
        "如果提示词以短横线开头，请在它前面加上 --。",
    ),
    "usage": (
        "The command is {usage}; to ask about it instead, write %cbai -- {name} …",
        "命令的写法是 {usage}。若要向模型提问，请写 %cbai -- {name} …",
    ),
}
