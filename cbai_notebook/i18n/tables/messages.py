"""Messages that become a conversation, from a list, a table or a file; and tables of messages."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # frames/from_frame.py
    "row": (
        "row {row}: {problem} (Rows are counted from 0.)",
        "第 {row} 行：{problem}（行号从 0 开始。）",
    ),
    "no_column": (
        "The table has no column {name}. Rename yours, so that there is a role "
        "and a content in every row.",
        "表格中没有 {name} 列。请重命名列，让每一行都有 role 和 content。",
    ),
    "not_a_list": (
        "A conversation is made from a list of messages or a DataFrame, not from {kind}. Give "
        "[{{'role': 'user', 'content': …}}, …], and call .collect() on a lazy table first.",
        "对话由消息列表或 DataFrame 生成，不能由 {kind} 生成。请提供 [{{'role': 'user', 'content': …}}, …]，"
        "惰性表格请先调用 .collect()。",
    ),
    "not_a_dict": (
        "A message is a dict, not {kind}. Give {{'role': …, 'content': …}}.",
        "消息应为 dict，而不是 {kind}。请提供 {{'role': …, 'content': …}}。",
    ),
    "several_columns": (
        "The table has several columns {name}. Keep one of them.",
        "表格中有多个 {name} 列，请只保留一个。",
    ),
    "unknown_table": (
        "A table of type {kind} cannot be read. Turn it into a DataFrame of pandas or polars, or into "
        "an Arrow table.",
        "无法读取 {kind} 类型的表格。请转换为 pandas 或 polars 的 DataFrame，或 Arrow 表格。",
    ),
    "wrong_value": (
        "{name} is {value}, not {expected}. Change it.",
        "{name} 的值是 {value}，应为{expected}，请修改。",
    ),
    "value_too_large": (
        "{name} is a number too large for a table. Change it.",
        "{name} 的数值过大，表格无法容纳，请修改。",
    ),
    "value_not_finite": (
        "{name} is no finite number. Change it.",
        "{name} 不是有限的数值，请修改。",
    ),
    "value_too_deep": (
        "{name} is nested deeper than {levels} levels. Change it.",
        "{name} 的嵌套超过 {levels} 层，请修改。",
    ),
    "value_with_other_name": (
        "{name} has a name that is not text. Change it.",
        "{name} 中有不是文本的名称，请修改。",
    ),
    "value_not_in_json": (
        "{name} holds {value}, which is no number in JSON. Change it.",
        "{name} 中含有 {value}，这在 JSON 中不是数值，请修改。",
    ),
    "value_with_too_many_digits": (
        "{name} holds a number of more than 4,000 digits. Change it.",
        "{name} 中含有超过 4,000 位的数字，请修改。",
    ),
    "large_value": ("a large {kind}", "很大的 {kind}"),
    # The kinds of values, within a sentence
    "kind_content": ("text or a list of parts", "文本或内容片段的列表"),
    "kind_text": ("text", "文本"),
    "kind_number": ("a whole number that is never missing", "不可缺失的整数"),
    "kind_count": ("a whole number", "整数"),
    "kind_seconds": ("a number of seconds", "秒数"),
    "kind_time": ("a moment, in UTC", "UTC 时间"),
    "kind_flag": ("yes or no; missing is no", "是或否（缺失表示否）"),
    "kind_nested": ("a list or a dict", "列表或 dict"),
    # frames/to_frame.py
    "wrong_value_in_records": (
        "The records cannot become a table: a value of {name} is not {expected}. "
        "Look at [record[{name!r}] for record in records].",
        "无法将记录转换为表格：{name} 中有一个值不是{expected}。请查看 [record[{name!r}] for record in records]。",
    ),
    "dataframe_needs": (
        "A DataFrame needs {packages}. Run python -m pip install {names}.",
        "DataFrame 需要 {packages}。请运行 python -m pip install {names}。",
    ),
    "polars_needs": (
        "A polars DataFrame needs {packages}. Run python -m pip install {names}.",
        "polars 的 DataFrame 需要 {packages}。请运行 python -m pip install {names}。",
    ),
    "pyarrow_needs": (
        "An Arrow table needs {packages}. Run python -m pip install {names}.",
        "Arrow 表格需要 {packages}。请运行 python -m pip install {names}。",
    ),
    "parquet_needs": (
        "A Parquet file needs {packages}. Run python -m pip install {names}.",
        "Parquet 文件需要 {packages}。请运行 python -m pip install {names}。",
    ),
    "reading_needs": (
        "Reading this table needs {packages}. Run python -m pip install {names}.",
        "读取此表格需要 {packages}。请运行 python -m pip install {names}。",
    ),
    "evaluation_needs": (
        "An evaluation needs {packages}. Run python -m pip install {names}.",
        "评测需要 {packages}。请运行 python -m pip install {names}。",
    ),
    "matplotlib_needs": (
        "The axes of a plot need {packages}. Run python -m pip install {names}.",
        "绘制坐标轴需要 {packages}。请运行 python -m pip install {names}。",
    ),
    # frames/turns.py
    "two_conversations": (
        "This is of the conversation {name}, the rows before are of {first}. Give the rows of one "
        "conversation at a time.",
        "这一行属于对话 {name}，前面各行属于 {first}。请每次只提供一个对话的各行。",
    ),
    "old_function_calls": (
        "Function calls in their old form are not read. Turn function_call into tool_calls with an "
        "id, and the role function into tool with that tool_call_id.",
        "不支持旧格式的函数调用。请把 function_call 改为带 id 的 tool_calls，"
        "把角色 function 改为带相应 tool_call_id 的 tool。",
    ),
    "unknown_role": (
        "The role is {role}. Use one of {known}.",
        "角色是 {role}，只能是 {known} 之一。",
    ),
    "unknown_status": (
        "The status is {status}. Use one of {known}.",
        "状态是 {status}，只能是 {known} 之一。",
    ),
    "other_role": (
        "Only a message of role {role} has {name}. Change the role, or leave it out.",
        "只有角色为 {role} 的消息才有 {name}。请修改角色，或去掉它。",
    ),
    "system_prompt_last": (
        "No user's message follows this system prompt. Add one, or leave the row out.",
        "此系统提示词后面没有用户消息。请补充一条，或去掉这一行。",
    ),
    "two_system_prompts": (
        "Two system prompts follow each other. Join them, or leave one of them out.",
        "连续出现两条系统提示词。请合并，或去掉其中一条。",
    ),
    "answer_first": (
        "No user's message stands before this answer. Add one, leave the row out, or join two answers "
        "that follow each other.",
        "此回答前面没有用户消息。请补充一条，去掉这一行，或合并两条连续的回答。",
    ),
    "no_tool_call_id": (
        "A message of role tool needs the tool_call_id that it answers.",
        "角色为 tool 的消息需要有所回应调用的 tool_call_id。",
    ),
    "no_call_waits": (
        "No call {call} waits for an answer here. Put this row once, right after the assistant's "
        "message with that call, or leave it out.",
        "这里没有等待结果的调用 {call}。请把这一行放在含有该调用的助手消息之后，且只放一次，或去掉它。",
    ),
    "no_answer": (
        "This user's message has no answer. Add an assistant's message after it, leave the row out, or "
        "give it the status asked.",
        "此用户消息没有回答。请在其后补充一条助手消息，去掉这一行，或将状态设为 asked。",
    ),
    "call_without_answer": (
        "The call {call} has no answer. Add a message of role tool with that tool_call_id right after "
        "this row.",
        "调用 {call} 没有结果。请紧接这一行补充一条带该 tool_call_id、角色为 tool 的消息。",
    ),
    "asked_answer": (
        "Only a user's message can have the status asked. Use another one.",
        "只有用户消息的状态可以是 asked，请换一个。",
    ),
    "think_not_boolean": (
        "The params hold a think that is not true or false. Change that.",
        "params 中的 think 不是 true 或 false，请修改。",
    ),
    "text_in_extra": (
        "The extra holds a text as content. Give it as the row's own.",
        "extra 的 content 是文本。请改为这一行自己的 content。",
    ),
    "no_dict": (
        "The {name} is no dict. Give one, or leave it out.",
        "{name} 不是 dict。请提供 dict，或去掉它。",
    ),
    "must_not_hold": (
        "The {name} must not hold {other}. Leave that out.",
        "{name} 中不能有 {other}，请去掉。",
    ),
    "no_content": (
        "The message has no content. Give a text, or leave the row out.",
        "消息没有 content。请提供文本，或去掉这一行。",
    ),
    # frames/message_parts.py
    "no_addresses": (
        "The images are no list of addresses. Give a list of text.",
        "images 不是地址列表。请提供文本的列表。",
    ),
    "no_calls": (
        "The tool_calls are no list of calls. Give a list, or leave them out.",
        "tool_calls 不是调用的列表。请提供列表，或去掉它。",
    ),
    "same_call_id": (
        "Two calls have the id {id}. Give each one of its own.",
        "两个调用的 id 都是 {id}。请让每个调用有自己的 id。",
    ),
    "no_function": (
        'A tool call names no function. Give {{"id": …, "type": "function", "function": {{"name": …, '
        '"arguments": …}}}}.',
        '工具调用没有指明函数。请提供 {{"id": …, "type": "function", "function": {{"name": …, '
        '"arguments": …}}}}。',
    ),
    "no_arguments": (
        "The call of {function} has no text as arguments. Give JSON text, with json.dumps.",
        "对 {function} 的调用中，arguments 不是文本。请用 json.dumps 提供 JSON 文本。",
    ),
    "no_call_id": (
        "The call of {function} has no id. Give one, and let its answer name it.",
        "对 {function} 的调用没有 id。请提供一个，并在其结果中写明。",
    ),
    "unknown_part": (
        "A content part of type {kind} cannot be kept. Give text parts only; a user's message may "
        "have image_url parts as well.",
        "无法保留类型为 {kind} 的内容片段。请只提供 text 片段；用户消息还可以有 image_url 片段。",
    ),
    "no_image_address": (
        'An image has no address. Give {{"image_url": {{"url": …}}}}.',
        '图片没有地址。请提供 {{"image_url": {{"url": …}}}}。',
    ),
}
