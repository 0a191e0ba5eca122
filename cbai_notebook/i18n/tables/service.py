"""What ``%cbai config``, ``login``, ``logout`` and ``models`` print and ask."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # config
    "is_set": ("set", "已设置"),
    "key_is_set": ("set, hidden", "已设置，不显示"),
    "key_is_not_sent": ("none for this base_url", "此 base_url 没有密钥"),
    "only_in_memory": ("off: in memory only", "关闭：仅在内存中"),
    "setting_of_server": ("server {name}", "服务器 {name}"),
    "server_key_is_set": ("key set, hidden", "密钥已设置，不显示"),
    "server_has_no_key": ("no key", "没有密钥"),
    "server_key_is_unreadable": ("its key cannot be read", "无法读取密钥"),
    "server_headers": ("headers {names} set, hidden", "请求头 {names} 已设置，不显示"),
    "server_model": ("model {name}", "模型 {name}"),
    "nothing_is_configured": (
        "Nothing is configured, so the offline demo model answers. %cbai login connects to CloudBase.",
        "还没有配置，由离线演示模型回答。%cbai login 可连接 CloudBase。",
    ),
    # login
    "ask_environment": ("CloudBase environment id:", "CloudBase 环境 ID："),
    "ask_key": ("API key (hidden):", "API 密钥（不显示）："),
    "ask_address": ("Address of {name}, up to its /v1:", "{name} 的地址，到 /v1 为止："),
    "ask_key_of_server": (
        "API key (hidden; empty if it needs none):",
        "API 密钥（不显示；不需要则留空）：",
    ),
    "ask_key_again": (
        "Another API key (hidden; empty keeps it as it is):",
        "另一个 API 密钥（不显示；留空则保持不变）：",
    ),
    "server_refuses_key": (
        "{name} refuses this API key.",
        "{name} 拒绝了这个 API 密钥。",
    ),
    "server_wants_key": ("{name} wants an API key.", "{name} 需要 API 密钥。"),
    "ask_model": (
        "Model for prompts that name none (its name; empty for none):",
        "未指明模型时使用的模型（名称；留空表示不设置）：",
    ),
    "ask_model_of_list": (
        "Model for prompts that name none (a name or a number of the list; empty for none):",
        "未指明模型时使用的模型（名称，或列表中的编号；留空表示不设置）：",
    ),
    "no_such_number": (
        "There is no {number} in the list: it has 1 to {n}.",
        "列表中没有 {number}：编号为 1 到 {n}。",
    ),
    "nobody_types": (
        "Nobody can type here. Set CLOUDBASE_ENV_ID and CLOUDBASE_API_KEY in the environment instead.",
        "这里无法输入。请改为设置环境变量 CLOUDBASE_ENV_ID 和 CLOUDBASE_API_KEY。",
    ),
    "nobody_types_server": (
        "Nobody can type here. Call cbai.configure(servers={{…}}) instead.",
        "这里无法输入。请改用 cbai.configure(servers={{…}})。",
    ),
    "both_are_needed": (
        "Nothing was stored: both the environment id and the API key are needed.",
        "没有存储：环境 ID 和 API 密钥都需要。",
    ),
    "address_is_needed": (
        "Nothing was stored: the address is needed, such as https://host/v1.",
        "没有存储：需要地址，例如 https://host/v1。",
    ),
    "stored": (
        "Stored in {where}. %%cbai now asks CloudBase; try %cbai Hello.",
        "已存储：{where}。%%cbai 现在向 CloudBase 提问；试试 %cbai 你好。",
    ),
    "stored_and_not_sent": (
        "Stored in {where}. It is not sent to {address}, which is set as base_url ({source}) and asked "
        "in place of CloudBase.",
        "已存储：{where}。它不会发送到 {address}；该地址被设为 base_url（{source}），"
        "代替 CloudBase 回答。",
    ),
    "stored_and_not_used": (
        "Stored in {where}, but not in use: cbai.configure names {name!r} in this kernel, and it wins. "
        "Take it out there, or call cbai.configure(servers={{{name!r}: None}}).",
        "已存储：{where}，但没有使用：此内核中的 cbai.configure 也指定了 {name!r}，以它为准。"
        "请在那里去掉它，或调用 cbai.configure(servers={{{name!r}: None}})。",
    ),
    "stored_server": (
        "Stored in {where}, without a model: name one, as in %%cbai -m {name}/MODEL; %cbai models {name} "
        "lists. %cbai login {name} asks again.",
        "已存储：{where}，没有设置模型：请指定模型，例如 %%cbai -m {name}/MODEL；%cbai models {name} "
        "可列出模型。再次运行 %cbai login {name} 可以补上。",
    ),
    "stored_and_refused": (
        "Stored in {where}, but the server does not take the key: its prompts will fail. "
        "%cbai login {name} stores another key.",
        "已存储：{where}，但服务器不接受密钥，提示词会失败。运行 %cbai login {name} 可更换密钥。",
    ),
    "stored_server_and_model": (
        "Stored in {where}. %%cbai -m {name} asks {model}.",
        "已存储：{where}。%%cbai -m {name} 使用模型 {model}。",
    ),
    # logout
    "forgot_cloudbase": (
        "The environment and key of CloudBase are no longer stored on this machine.",
        "本机不再存储 CloudBase 的环境和密钥。",
    ),
    "forgot_server": (
        "The address and key of {name!r} are no longer stored on this machine.",
        "本机不再存储 {name!r} 的地址和密钥。",
    ),
    "cloudbase_is_not_stored": ("Nothing is stored for CloudBase.", "没有存储 CloudBase 的密钥。"),
    "server_is_not_stored": (
        "Nothing is stored for {name!r}.",
        "没有存储 {name!r} 的地址和密钥。",
    ),
    "stored_servers": ("Stored servers: {names}.", "已存储的服务器：{names}。"),
    # models
    "no_suggestions": (
        "No suggestions for {name!r}. Any model that your environment has works by its name.",
        "没有针对 {name!r} 的推荐。环境中的任何模型都可以用名称调用。",
    ),
    "any_name_works": (
        "These are suggestions; any name works: %%cbai -m PROVIDER/MODEL.",
        "以上只是推荐，任何名称都可以用：%%cbai -m PROVIDER/MODEL。",
    ),
    "list_failed": ("{name}: {problem}", "{name}：{problem}"),
    "server_lists_nothing": (
        "{name}: this server has no list of its models. Name one: -m {name}/MODEL",
        "{name}：此服务器没有模型列表。请指定模型：-m {name}/MODEL",
    ),
    "server_has_no_model": (
        "{name}: this server has no model yet.",
        "{name}：此服务器还没有模型。",
    ),
    "server_has": ("{name} has:", "{name} 的模型："),
    "more_models": ("… and {n:,} more", "… 还有 {n:,} 个"),
    # Which model answers the next prompt
    "next_model": (
        "The next prompt asks {label} ({why}).",
        "下一个提示词将发送给 {label}（{why}）。",
    ),
    "ask_another": (
        "{option} asks another one, {setting} makes it the default.",
        "{option} 可改用其他模型，{setting} 可设为默认。",
    ),
    "next_needs_a_model": (
        "The next prompt goes to {provider} ({why}) and has to name a model: {example}.",
        "下一个提示词将发送给 {provider}（{why}），需要指定模型：{example}。",
    ),
    "next_prompt_fails": ("The next prompt fails: {problem}", "下一个提示词会失败：{problem}"),
    "first_server": ("the first of your servers: {source}", "你的第一个服务器：{source}"),
}
