"""Providers, their models and their keys."""

from cbai_notebook.i18n.words import Placed, Table

WORDS: Table = {
    # providers
    "no_such_server": (
        "There is no server {name!r}. Servers: {known}.",
        "没有名为 {name!r} 的服务器，已有的服务器：{known}。",
    ),
    "no_such_server_but": (
        "There is no server {name!r}. Servers: {known}. Did you mean {meant!r}?",
        "没有名为 {name!r} 的服务器，已有的服务器：{known}。是不是想写 {meant!r}？",
    ),
    "no_such_provider_but": (
        "There is no provider {name!r}. Did you mean {meant!r}?",
        "没有名为 {name!r} 的服务商。是不是想写 {meant!r}？",
    ),
    "server_is_meant": (
        "There is no server {name!r}. Did you mean {meant!r}? If {name!r} is the name of a model, write "
        "{-m PROVIDER/NAME}.",
        "没有名为 {name!r} 的服务器，是不是想写 {meant!r}？如果 {name!r} 确实是模型名称，"
        "请这样指定：{-m PROVIDER/NAME}。",
    ),
    "no_server_and_no_environment": (
        "There is neither a server {name!r} nor a CloudBase environment yet. Add a server with "
        "cbai.configure(servers={{{name!r}: {{'base_url': 'https://…/v1'}}}}); for a model of CloudBase, "
        "set the environment with {%cbai login}, or in CLOUDBASE_ENV_ID. Without an account, "
        "{-m local} asks the offline demo model.",
        "还没有名为 {name!r} 的服务器，也没有 CloudBase 环境。如果是自己的服务器，请用 "
        "cbai.configure(servers={{{name!r}: {{'base_url': 'https://…/v1'}}}}) 添加；如果是 CloudBase "
        "的模型，请用 {%cbai login} 或环境变量 CLOUDBASE_ENV_ID 设置环境。"
        "没有账号时，可以使用离线演示模型：{-m local}。",
    ),
    "no_key_for_base_url": (
        "There is no API key for this base URL, and CloudBase's own is not sent there. Set "
        "CBAI_API_KEY beside CBAI_BASE_URL, or give both in one call: "
        "cbai.configure(base_url=…, api_key=…).",
        "这个 base URL 没有 API 密钥，而 CloudBase 的密钥不会发送到那里。"
        "请在 CBAI_BASE_URL 之外再设置 CBAI_API_KEY，或在一次调用中同时给出："
        "cbai.configure(base_url=…, api_key=…)。",
    ),
    "no_key": (
        "There is no API key for CloudBase yet. Set it with {%cbai login}, or in CLOUDBASE_API_KEY. "
        "Without an account, {-m local} asks the offline demo model.",
        "还没有 CloudBase 的 API 密钥。请用 {%cbai login} 或环境变量 CLOUDBASE_API_KEY 设置。"
        "没有账号时，可以使用离线演示模型：{-m local}。",
    ),
    "no_environment": (
        "There is no CloudBase environment yet. Set it with {%cbai login}, or in CLOUDBASE_ENV_ID. "
        "Without an account, {-m local} asks the offline demo model.",
        "还没有 CloudBase 环境。请用 {%cbai login} 或环境变量 CLOUDBASE_ENV_ID 设置。"
        "没有账号时，可以使用离线演示模型：{-m local}。",
    ),
    "environment_id_is_wrong": (
        "The environment id {env_id!r} cannot be one: letters, digits and hyphens only. Copy it from "
        "the CloudBase console.",
        "环境 ID {env_id!r} 无效，只能包含字母、数字和连字符。请从 CloudBase 控制台复制。",
    ),
    "custom_needs_an_address": (
        "The provider 'custom' needs an address: set CBAI_BASE_URL or call "
        "cbai.configure(base_url='https://…/v1').",
        "服务商 'custom' 缺少地址：请设置 CBAI_BASE_URL，或调用 "
        "cbai.configure(base_url='https://…/v1')。",
    ),
    "slash_was_read_as_provider": (
        "{provider!r} was read as the provider. If the model's name is {name!r}, write "
        "{-m custom/NAME}.",
        "{provider!r} 被当作了服务商。如果模型名称是 {name!r}，请这样指定：{-m custom/NAME}。",
    ),
    "set_key_of_server": (
        "Set the key of {name!r} with {%cbai login SERVER}.",
        "请用 {%cbai login SERVER} 设置 {name!r} 的密钥。",
    ),
    "set_key_of_base_url": (
        "Give the key with its address: CBAI_API_KEY beside CBAI_BASE_URL, or "
        "cbai.configure(base_url=…, api_key=…).",
        "密钥要和地址一起给出：在 CBAI_BASE_URL 之外设置 CBAI_API_KEY，或调用 "
        "cbai.configure(base_url=…, api_key=…)。",
    ),
    "key_of_cloudbase_stays": (
        "The key of CloudBase is not sent to another address.",
        "CloudBase 的密钥不会发送到其他地址。",
    ),
    "name_is_wrong": (
        "{name!r} cannot be a provider: letters, digits, '.', '_' and '-' only, as in "
        "{-m PROVIDER}.",
        "{name!r} 不能用作服务商名称，只能包含字母、数字、'.'、'_' 和 '-'，例如：{-m PROVIDER}。",
    ),
    "spec_names_no_model": (
        "{spec!r} names no model. Write it as PROVIDER/MODEL, or MODEL alone.",
        "{spec!r} 里没有模型名称。请写成 PROVIDER/MODEL，或只写 MODEL。",
    ),
    # provider_registry
    "cannot_be_loaded": (
        "The provider {name!r} could not be loaded: {reason}. Reinstall it with "
        'python -m pip install -U "cbai-notebook[all]".',
        "无法加载服务商 {name!r}：{reason}。请重新安装："
        'python -m pip install -U "cbai-notebook[all]"。',
    ),
    # model_choice
    "no_model": (
        "A model is a name such as 'hy3' or what cbai.create_model(…) returns; this is of type {kind}.",
        "模型应是名称（例如 'hy3'），或 cbai.create_model(…) 的返回值；这里的类型是 {kind}。",
    ),
    "offline_model_here": (
        "Here the offline model is {option}.",
        "这里的离线模型写作 {option}。",
    ),
    # model_list
    "has_no_list_of_models": (
        "{name!r} has no list of models to ask for; a server of your own may have one.",
        "{name!r} 没有可查询的模型列表；自己的服务器可能有。",
    ),
    # path_model, path_decoder
    "path_is_wrong": (
        "{option} must be a path into the JSON of an event, such as {example!r}, not {path}.",
        "{option} 必须是事件 JSON 中的路径，例如 {example!r}，不能是 {path}。",
    ),
    "create_model_does_not_take": (
        "create_model knows no {name}. It takes {example}.",
        "create_model 没有参数 {name}。可用的写法：{example}。",
    ),
    "create_model_needs": (
        "create_model needs a {name}, as in {example}.",
        "create_model 缺少 {name}，正确的写法：{example}。",
    ),
    "model_path_is_wrong": (
        "model_path must be a path such as '/v1/chat/completions', not {path!r}.",
        "model_path 必须是路径，例如 '/v1/chat/completions'，不能是 {path!r}。",
    ),
    # capabilities
    "cannot_call_tools": ("{name} cannot call tools.", "{name}：无法调用工具。"),
    "cannot_call_tools_because": (
        "{name} cannot call tools: {reason}.",
        "{name}：无法调用工具，{reason}。",
    ),
    "cannot_see_images": ("{name} cannot see images.", "{name}：无法识别图片。"),
    "cannot_see_images_because": (
        "{name} cannot see images: {reason}.",
        "{name}：无法识别图片，{reason}。",
    ),
    "cannot_think": ("{name} cannot think before it answers.", "{name}：回答前无法思考。"),
    "cannot_think_because": (
        "{name} cannot think before it answers: {reason}.",
        "{name}：回答前无法思考，{reason}。",
    ),
    "name_another_model": ("Name another model with {-m}.", "请用 {-m} 指定其他模型。"),
    "name_another_model_or_connect": (
        "Name another model with {-m}, or connect to CloudBase with {%cbai login}.",
        "请用 {-m} 指定其他模型，或用 {%cbai login} 连接 CloudBase。",
    ),
    "image_is_in_an_earlier_message": (
        Placed(
            cell="The image is in an earlier message: --no-history or -c NAME leaves it out.",
            python="The image is in an earlier message. Leave that one out of the messages.",
            panel="The image is in an earlier message: + begins a new conversation without it.",
        ),
        Placed(
            cell="图片在更早的消息里：--no-history 或 -c NAME 可以不带上它。",
            python="图片在更早的消息里。请不要发送那条消息。",
            panel="图片在更早的消息里：点 + 可开始不带它的新对话。",
        ),
    ),
}
