"""Cells: their prompts and variables, pictures, and what is shown in them."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # The prompt
    "empty_prompt": (
        "The prompt is empty. Write it on the lines below {magic}.",
        "提示词是空的。请写在 {magic} 下面的行里。",
    ),
    "nothing_to_draw": (
        "There is nothing to draw. Write it on the lines below {magic}.",
        "没有要画的内容。请写在 {magic} 下面的行里。",
    ),
    "loaded_too_late": (
        "Nothing was asked: IPython read this cell before cbai_notebook was loaded, and took a prompt "
        "for something else. Put {command} in a cell of its own.",
        "没有发送：IPython 在加载 cbai_notebook 之前就读取了此单元格，误解了其中的提示词。"
        "请将 {command} 放在单独的单元格中。",
    ),
    "stopped": (
        "KeyboardInterrupt: Stopped. What had arrived is kept.",
        "KeyboardInterrupt: 已停止。已收到的内容会保留。",
    ),
    "nothing_sent": ("Nothing was sent.", "没有发送任何内容。"),
    "offline_answered": (
        "Nothing is configured, so the offline demo model answered: tiny, English only, often wrong. "
        "{command} connects to CloudBase.",
        "尚未配置，因此由离线演示模型回答：模型很小、只懂英语、经常出错。"
        "{command} 可连接云开发 CloudBase。",
    ),
    "offline_knows_english": (
        "The offline model knows English only. Ask another model in Chinese.",
        "离线模型只懂英语。请换一个模型用中文提问。",
    ),
    "offline_knows_english_connect": (
        "The offline model knows English only. {command} connects to CloudBase, whose models know "
        "Chinese.",
        "离线模型只懂英语。{command} 可连接云开发 CloudBase，使用懂中文的模型。",
    ),
    "dropped": (
        Counted(
            "{n} earlier turn did not fit and stayed out; {setting} sets the bounds.",
            "{n:,} earlier turns did not fit and stayed out; {setting} sets the bounds.",
        ),
        "更早的 {n:,} 轮放不下，未发送；可用 {setting} 调整上限。",
    ),
    "complete_already": (
        "The answer is complete already, so there is nothing to continue.",
        "回答已经完整，没有可继续的内容。",
    ),
    "no_code": (
        "The answer holds no code block, so no cell was inserted.",
        "回答中没有代码块，因此没有插入单元格。",
    ),
    "same_answers": ("Both answers read the same.", "两个回答完全相同。"),
    # Variables that options name
    "no_variable": (
        "{option} names {name}, and there is no such variable. {advice}",
        "{option} 指定了 {name}，但没有这个变量。{advice}",
    ),
    "define_function": (
        "Define the function in a cell above.",
        "请先在上面的单元格中定义这个函数。",
    ),
    "no_source": (
        "{name} is a {type} and has no tools of its own.",
        "{name} 的类型是 {type}，它没有自己的工具。",
    ),
    "define_systems": (
        "Make a list of texts or a dict of names and texts first.",
        "请先建立文字的列表，或名称与文字的字典。",
    ),
    "define_type": ("Define the type in a cell above.", "请先在上面的单元格中定义这个类型。"),
    "define_rows": (
        "Make the DataFrame or the list of dicts in a cell above, or give the path of a file.",
        "请先在上面的单元格中创建 DataFrame 或 dict 列表，或给出文件路径。",
    ),
    "option_problem": ("{option} {name}: {problem}", "{option} {name}：{problem}"),
    "no_type": (
        "{option} {name} is {type} and no type. Give a dataclass, a TypedDict, a msgspec Struct, a "
        "pydantic model, or a list of one: {example}.",
        "{option} {name} 是 {type}，不是类型。请给出 dataclass、TypedDict、msgspec Struct、"
        "pydantic 模型，或它们的列表：{example}。",
    ),
    "no_image": (
        "{reason}. Name a figure, a PIL image, bytes, a file or an https address.",
        "{reason}。请指定图形、PIL 图片、bytes、文件或 https 地址。",
    ),
    "no_image_file": (
        "there is no file of this name in {folder}. Name a variable that holds an image, a file or an "
        "https address.",
        "{folder} 中没有这个文件。请指定存有图片的变量、文件或 https 地址。",
    ),
    "no_image_of_this_name": (
        "there is no variable and no file of this name in {folder}. Name a variable that holds an "
        "image, a file or an https address.",
        "没有这个变量，{folder} 中也没有这个文件。请指定存有图片的变量、文件或 https 地址。",
    ),
    # Tools
    "refused_unasked": (
        "{name} was refused, because nobody can be asked here.",
        "{name} 被拒绝，因为这里无法询问用户。",
    ),
    "tool_of_server": ("{name} of the server {server}", "服务器 {server} 的 {name}"),
    "wants_to_run": ("The model wants to run {name}:", "模型想运行 {name}："),
    "wants_to_run_alone": (
        "The model wants to run {name}, without arguments.",
        "模型想运行 {name}，没有参数。",
    ),
    "allow": ("Allow it? [y/N]", "允许吗？[y/N]"),
    # Outputs and streams
    "stream_is_over": (
        "This stream's event loop is not running any more. Make a new stream.",
        "这个流的事件循环已不再运行。请新建一个流。",
    ),
    "no_output": (
        "{name} is no ipywidgets.Output but {type}. Make one first: {example}.",
        "{name} 不是 ipywidgets.Output，而是 {type}。请先创建：{example}。",
    ),
    "no_output_variable": (
        "There is no variable {name}. Make it first: {example}.",
        "没有变量 {name}。请先创建：{example}。",
    ),
    # Pictures
    "drawing": ("Drawing with {label}", "正在用 {label} 绘图"),
    "drawn_as": ("Drawn as: {prompts}", "实际绘制的提示词：{prompts}"),
    "saved": ("Saved as {files}.", "已保存为 {files}。"),
    "picture": ("A picture ({mime}, {size:,} bytes).", "一张图片（{mime}，{size:,} 字节）。"),
    "no_folder": (
        "{option}: there is no folder {folder}. Make it first.",
        "{option}：没有文件夹 {folder}。请先创建。",
    ),
    "cannot_write": (
        "{path} cannot be written: {reason}. Take another name with {option}.",
        "{path} 无法写入：{reason}。请用 {option} 换一个名称。",
    ),
    "no_picture": (
        "{path} is there and no picture, so it stays. Take another name with {option}.",
        "{path} 已存在且不是图片，因此予以保留。请用 {option} 换一个名称。",
    ),
}
