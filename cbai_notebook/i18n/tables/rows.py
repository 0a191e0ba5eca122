"""The rows of a batch, their prompts, and the columns of the result."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # What rows are made of
    "same_column": (
        "Two columns have the name {name}. Rename one of them.",
        "有两列都叫 {name}，请重命名其中一列。",
    ),
    "not_a_dict": (
        'Row {row} is no dict but of type {kind}. Give rows such as {{"text": …}}. (Rows are counted '
        "from 0.)",
        '第 {row} 行不是 dict，而是 {kind}。请提供 {{"text": …}} 形式的行。（行号从 0 开始。）',
    ),
    "is_lazy": (
        "The rows are a lazy frame. Call .collect() on it first.",
        "数据是惰性表格，请先调用 .collect()。",
    ),
    "is_dask": (
        "The rows are of dask, but no DataFrame. Call .to_dataframe() or .compute() on them first.",
        "数据来自 dask，但不是 DataFrame。请先调用 .to_dataframe() 或 .compute()。",
    ),
    "is_narwhals": (
        "The rows are wrapped by narwhals. Call .to_native() on them first.",
        "数据由 narwhals 包装，请先调用 .to_native()。",
    ),
    "is_series": (
        "The rows are a Series. Make a frame of it: call .to_frame('text') on it, and write {{text}} in "
        "the prompt.",
        "数据是 Series。请转换为表格：调用 .to_frame('text')，并在提示词中写 {{text}}。",
    ),
    "is_mapping": (
        "The rows are in a {kind} of columns. Give pandas.DataFrame(…) of it, or a list of dicts.",
        "数据是按列存放的 {kind}。请提供 pandas.DataFrame(…)，或 dict 的列表。",
    ),
    "is_unknown": (
        "Rows cannot be of type {kind}. Give a DataFrame of pandas, polars or dask, a pyarrow Table, a list of "
        "dicts, an iterable of dicts, or the path of a .parquet or .csv file.",
        "数据不能是 {kind} 类型。请提供 pandas、polars 或 dask 的 DataFrame、pyarrow 的 Table、dict 的列表、"
        "dict 的可迭代对象，或 .parquet、.csv 文件的路径。",
    ),
    # Files
    "not_a_table_file": (
        "{path} is no path of rows. Give the path of a .parquet or .csv file.",
        "{path} 不是数据文件的路径。请提供 .parquet 或 .csv 文件的路径。",
    ),
    "file_unreadable": (
        "{file} could not be read: {reason}.",
        "无法读取 {file}：{reason}。",
    ),
    "file_not_utf8": (
        "{file} is not in UTF-8. Save it as CSV UTF-8.",
        "{file} 不是 UTF-8 编码，请另存为 UTF-8 编码的 CSV。",
    ),
    "file_without_columns": (
        "{file} has no line with the names of the columns. Add one at the top.",
        "{file} 没有列名行，请在开头添加。",
    ),
    "line_too_long": (
        "{file}, line {line}: there are more values than columns. Put values with a comma into quotes.",
        "{file} 第 {line} 行：值的个数多于列数。含有逗号的值请放在引号中。",
    ),
    # Prompts
    "not_a_prompt": (
        "A prompt is text with columns in braces, or a function of a row. It is of type {kind}.",
        "提示词应为带有花括号列名的文本，或以行为参数的函数，而不是 {kind}。",
    ),
    "async_prompt": (
        "The function of a prompt cannot be async. Write it with def.",
        "生成提示词的函数不能是 async，请用 def 定义。",
    ),
    "no_such_choice": (
        "{name} is {value}. Use one of {known}.",
        "{name} 是 {value}，只能是 {known} 之一。",
    ),
    "no_such_name": (
        "{written} is neither a column nor a variable. The columns are {columns}. (To send braces as "
        "written, put them into a variable.)",
        "{written} 既不是列也不是变量。现有的列：{columns}。（要原样发送花括号，请将其放入变量。）",
    ),
    "no_such_name_near": (
        "{written} is neither a column nor a variable. Did you mean {near}? (To send braces as written, "
        "put them into a variable.)",
        "{written} 既不是列也不是变量。是想用 {near} 吗？（要原样发送花括号，请将其放入变量。）",
    ),
    "cannot_fill_in": (
        "{written} cannot be filled in: {reason}. (To send braces as written, put them into a variable.)",
        "{written} 无法填入：{reason}。（要原样发送花括号，请将其放入变量。）",
    ),
    "row_needs_a_key": (
        "the column of a row is written {example}",
        "行中的列应写作 {example}",
    ),
    "no_images_column": (
        "There is no column {name} with images. The columns are {columns}.",
        "没有名为 {name} 的图片列。现有的列：{columns}。",
    ),
    "same_prompt": (
        "Every row would get the same prompt, for no column is in it. Write one into the text, such as "
        "{example}.",
        "提示词中没有列，每一行都会得到相同的提示词。请在文本中写入列，例如 {example}。",
    ),
    "has_missing": (
        "Values are missing: {columns}. Drop those rows, or use {--missing skip} or {--missing send}.",
        "有缺失值：{columns}。请去掉这些行，或使用 {--missing skip} 或 {--missing send}。",
    ),
    "missing_in": ("{name} ({n:,})", "{name}（{n:,}）"),
    "row_has_missing": (
        "Row {row} has no {name}. Drop such rows, or use {--missing skip} or {--missing send}. (Rows are "
        "counted from 0.)",
        "第 {row} 行没有 {name}。请去掉这样的行，或使用 {--missing skip} 或 {--missing send}。（行号从 0 开始。）",
    ),
    # Why a row is not sent
    "value_failed": (
        "{written} could not be filled in: {reason}.",
        "{written} 无法填入：{reason}。",
    ),
    "function_failed": (
        "The function of the prompt failed: {error}",
        "生成提示词的函数出错：{error}",
    ),
    "function_gave": (
        "The function of the prompt returned {kind}, not text or a list of messages.",
        "生成提示词的函数返回了 {kind}，而不是文本或消息列表。",
    ),
    # The columns of the result
    "column_exists": (
        "The rows have a column {names} already, which the result would replace. Give other names: "
        "{--prefix TEXT}.",
        "数据中已有列 {names}，结果会将其覆盖。请换用其他名称：{--prefix TEXT}。",
    ),
    "answer_column_exists": (
        "The rows have a column {names} already, which the result would replace. Give another name: "
        "{--column NAME}, or {--prefix TEXT} for all new columns.",
        "数据中已有列 {names}，结果会将其覆盖。请换用其他名称：{--column NAME}，或用 {--prefix TEXT} 为所有新列加前缀。",
    ),
    "field_is_a_column": (
        "The type {kind} has a field {name}, which is a column of every result. Rename the field.",
        "类型 {kind} 的字段 {name} 与结果的固定列同名，请重命名该字段。",
    ),
    "name_is_fixed": (
        "Every result has a column {name} of its own. Give another name: {--column}.",
        "每个结果都有自己的 {name} 列。请换一个名称：{--column}。",
    ),
    "not_sent": (
        "The batch ended before this row was sent.",
        "批处理在发送这一行之前已结束。",
    ),
    "not_a_column_name": (
        "{name} is {value}. Give a text for the names of columns.",
        "{name} 是 {value}。列名应为文本。",
    ),
    "value_does_not_fit": (
        "The answer's {name} is {value}, which does not fit a column of {kind}.",
        "回答中的 {name} 是 {value}，无法放入{kind}列。",
    ),
    "kind_text": ("text", "文本"),
    "kind_integer": ("whole numbers of 64 bits", "64 位整数"),
    "kind_number": ("numbers", "数值"),
    "kind_flag": ("true and false", "布尔值"),
    "kind_nested": ("lists and dicts", "列表和 dict"),
    "file_changed": (
        "{file} no longer has the rows that it had. The answers are kept: run this again.",
        "{file} 中的行已改变。答案已保存：请重新运行。",
    ),
    "partition": ("Partition {number}", "第 {number} 个分区"),
    # Files of results
    "dask_writes_itself": (
        "The result of a dask DataFrame is one too: leave out to=, and call {example} on it.",
        "dask DataFrame 的结果也是 dask DataFrame：请去掉 to=，并对结果调用 {example}。",
    ),
    "not_an_output": (
        "{path} is no file that can be written. Its name must end with {known}.",
        "无法写入 {path}：文件名须以 {known} 结尾。",
    ),
    "output_is_input": (
        "{path} holds the rows. Write the result to another file.",
        "{path} 是数据文件，请将结果写入另一个文件。",
    ),
    "index_is_a_column": (
        "The index cannot be written beside the columns: {reason}. Rename it.",
        "索引无法与各列一起写入：{reason}。请重命名索引。",
    ),
    "new_key": (
        "A row has the key {name}, which the first row does not have. Give all rows the same keys, or a "
        "list of the rows.",
        "有一行含有第一行没有的键 {name}。请让所有行的键一致，或提供行的列表。",
    ),
    "not_in_parquet": (
        "The rows do not fit into a Parquet file: {reason}. Write .ndjson instead.",
        "数据无法写入 Parquet 文件：{reason}。请改用 .ndjson。",
    ),
}
