"""Tools, and answers that must have a type."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "starting": ("Starting {names} …", "正在启动 {names} …"),
    # tools/tool
    "name_is_wrong": (
        "A tool cannot be called {name!r}: up to 64 of a-z, A-Z, 0-9, '_' and '-'. Name it: "
        "@cbai.tool(name='…').",
        "工具不能叫 {name!r}：最多 64 个字符，只能是 a-z、A-Z、0-9、'_' 和 '-'。请给它命名："
        "@cbai.tool(name='…')。",
    ),
    "tools_are_no_list": (
        "tools must be a list, as in tools=[get_weather].",
        "tools 必须是列表，例如 tools=[get_weather]。",
    ),
    "two_have_one_name": (
        "Two tools are called {name!r}. Give one another name: @cbai.tool(name='…').",
        "有两个工具都叫 {name!r}。请给其中一个改名：@cbai.tool(name='…')。",
    ),
    # tools/toolbox
    "no_method": (
        "There is no public method {name!r} of {type}.",
        "{type} 没有名为 {name!r} 的公开方法。",
    ),
    "no_methods": (
        "{type} has no public method that can be a tool.",
        "{type} 没有可以用作工具的公开方法。",
    ),
    "method_is_left_out": (
        "The method {name} is no tool: {reason}",
        "方法 {name} 没有成为工具：{reason}",
    ),
    # tools/sql
    "no_sql_database": (
        "cbai.sql takes a sqlite3 connection or the path of an SQLite file, and not {type}. For "
        "another database, make a function of your own a tool, with a user that may only read.",
        "cbai.sql 接受 sqlite3 连接或 SQLite 文件路径，而不是 {type}。"
        "其他数据库请把自己的函数用作工具，并使用只读用户。",
    ),
    "no_database_file": ("There is no file {path}.", "文件 {path} 不存在。"),
    "is_no_database": (
        "This is no database that can be read: {reason}.",
        "这不是可读取的数据库：{reason}。",
    ),
    # tools/source
    "not_in_source": (
        "There is no tool {name!r} here. The tools are: {known}.",
        "这里没有名为 {name!r} 的工具。可用的工具：{known}。",
    ),
    "not_in_source_near": (
        "There is no tool {name!r} here. Did you mean {near!r}?",
        "这里没有名为 {name!r} 的工具。是想用 {near!r} 吗？",
    ),
    "is_no_tool": (
        "{value} can be no tool. Pass a function with type hints and a docstring, as in {--tool}.",
        "{value} 不能用作工具。请传入带类型注解和文档字符串的函数，例如 {--tool}。",
    ),
    "fn_is_no_function": (
        "The 'fn' of a tool must be a function.",
        "工具的 'fn' 必须是函数。",
    ),
    # tools/schema
    "parameter_has_no_name": (
        "The parameter {parameter!r} of the tool {name!r} has no name that a model could use. Give the "
        "tool parameters that are passed by name.",
        "工具 {name!r} 的参数 {parameter!r} 没有模型可用的名称。请给工具使用按名称传递的参数。",
    ),
    "type_hint_is_unreadable": (
        "A type hint of the tool {name!r} cannot be read: {reason}. Define or import that name where "
        "the function is defined.",
        "无法读取工具 {name!r} 的一个类型注解：{reason}。请在定义该函数的地方定义或导入这个名称。",
    ),
    "parameters_are_unreadable": (
        "The parameters of the tool {name!r} cannot be read: {reason}. Wrap it in a function with type "
        "hints.",
        "无法读取工具 {name!r} 的参数：{reason}。请用一个带类型注解的函数把它包起来。",
    ),
    "parameter_cannot_be_json": (
        "A parameter of the tool {name!r} has a type that JSON cannot carry: {reason} Use str, int, "
        "float, bool, list, dict, Literal, a dataclass or the like.",
        "工具 {name!r} 有一个参数的类型无法用 JSON 表示：{reason} 请使用 str、int、float、bool、"
        "list、dict、Literal、dataclass 等类型。",
    ),
    # json_schema
    "needs_pydantic_2": ("it takes pydantic 2 or newer.", "需要 pydantic 2 或更新的版本。"),
    "is_no_type_in_json": (
        "{name} is no type of values in JSON.",
        "{name} 不是 JSON 值的类型。",
    ),
    # structured/response_type
    "response_type_cannot_be_json": (
        "{--schema} has no JSON form: {reason} Use a dataclass, a TypedDict, a msgspec "
        "Struct or a pydantic model.",
        "{--schema} 没有 JSON 形式：{reason} 请使用 dataclass、TypedDict、"
        "msgspec Struct 或 pydantic 模型。",
    ),
    "is_nested_too_deeply": ("it is nested too deeply", "嵌套太深"),
    "marimo_cannot_ask": (
        "Not run: {names}. This has to be confirmed first, and marimo's chat cannot ask. A panel in "
        "Jupyter can; a tool without {confirm} runs here too.",
        "没有运行：{names}。这需要先确认，而 marimo 的聊天组件不能询问。Jupyter 里的面板可以；没有 {confirm} 的工具在这里也会运行。",
    ),
    "model_refused": (
        "The model refused to answer. Put the prompt in other words, or ask another model.",
        "模型拒绝回答。请换一种说法，或换一个模型。",
    ),
    "model_refused_with_words": (
        "The model refused to answer: {words} Put the prompt in other words, or ask another model.",
        "模型拒绝回答：{words} 请换一种说法，或换一个模型。",
    ),
    "answer_was_filtered": (
        "A content filter ended the answer before it was a whole {name}. Put the prompt in other "
        "words.",
        "内容过滤器终止了回答，没有得到完整的 {name}。请换一种说法。",
    ),
    "answer_was_cut": (
        "The answer was cut off by the token limit before it was a whole {name}. "
        "{--max-tokens} allows more.",
        "回答因达到词元上限被截断，没有得到完整的 {name}。可用 {--max-tokens} 提高上限。",
    ),
    "answer_does_not_fit": (
        "The answer is no {name}: {reason}. Its text is in the error's .partial. Ask more precisely, "
        "or another model.",
        "回答不是 {name}：{reason}。它的文本在错误的 .partial 里。请问得更明确，或换一个模型。",
    ),
}
