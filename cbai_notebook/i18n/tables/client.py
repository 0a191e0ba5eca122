"""The settings: values, servers, keys, proxies, stored credentials."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # settings
    "timeout_is_no_time": (
        "The timeout {name!r} must be a number of seconds above 0, not {value}.",
        "超时 {name!r} 必须是大于 0 的秒数，不能是 {value}。",
    ),
    "no_such_timeout": (
        "There is no timeout {name!r}. The names are {known}.",
        "没有名为 {name!r} 的超时，可用的名称有：{known}。",
    ),
    "before_send_is_no_function": (
        "before_send must be a function that takes the list of messages and returns it, not {kind}.",
        "before_send 必须是一个函数，接收消息列表并返回它，不能是 {kind}。",
    ),
    "must_be_a_string": (
        "{name} must be a string, not {kind}.",
        "{name} 必须是字符串，不能是 {kind}。",
    ),
    # secret
    "key_holds_a_wrong_character": (
        "The API key holds a space, a line break or a character that no key has. Copy it again from "
        "where you got it.",
        "API 密钥里有空格、换行或密钥中不会出现的字符。请从原处重新复制。",
    ),
    # servers
    "servers_are_no_dict": (
        "servers must be a dict of names, as in "
        "servers={{'mine': {{'base_url': 'https://host/v1', 'api_key': '…'}}}}.",
        "servers 必须是以名称为键的字典，例如 "
        "servers={{'mine': {{'base_url': 'https://host/v1', 'api_key': '…'}}}}。",
    ),
    "no_name_of_a_server": (
        "{name} cannot be the name of a server: letters, digits, '.', '_' and '-' only.",
        "{name} 不能用作服务器名称，只能包含字母、数字、'.'、'_' 和 '-'。",
    ),
    "server_has_the_name_of_a_provider": (
        "The name {name!r} is taken by a provider. Give the server another name.",
        "名称 {name!r} 已被服务商占用，请给服务器换一个名称。",
    ),
    "base_url_holds_a_password": (
        "The base URL holds a user name or a password. Leave them out; the key is sent apart.",
        "base URL 里有用户名或密码，请去掉；密钥会单独发送。",
    ),
    "base_url_is_wrong": (
        "The base URL {url} cannot be used. It looks like 'https://host/v1' or "
        "'http://localhost:8000/v1', with nothing after the path.",
        "base URL {url} 无法使用。它应形如 'https://host/v1' 或 'http://localhost:8000/v1'，"
        "路径之后不能再有内容。",
    ),
    "server_is_no_dict": (
        "The server {name!r} must be a dict, as in {{'base_url': 'https://host/v1', "
        "'api_key': '…'}}.",
        "服务器 {name!r} 必须是字典，例如 {{'base_url': 'https://host/v1', 'api_key': '…'}}。",
    ),
    "server_has_no_such_field": (
        "The server {name!r} has no field {field}. Fields: {known}.",
        "服务器 {name!r} 没有字段 {field}，可用的字段有：{known}。",
    ),
    "server_needs_an_address": (
        "The server {name!r} needs an address: 'base_url': 'https://host/v1'.",
        "服务器 {name!r} 缺少地址：'base_url': 'https://host/v1'。",
    ),
    "server_is_wrong": ("The server {name!r}: {problem}", "服务器 {name!r}：{problem}"),
    "headers_are_no_dict": (
        "headers must be a dict of names and values.",
        "headers 必须是由名称和值组成的字典。",
    ),
    "header_name_is_wrong": (
        "The name of a header holds a character that no header has: letters, digits and '-' only, as "
        "in 'X-Team'.",
        "请求头的名称里有不允许的字符，只能包含字母、数字和 '-'，例如 'X-Team'。",
    ),
    "header_is_ours": (
        "The header {name!r} is set by this client.",
        "请求头 {name!r} 由本客户端设置。",
    ),
    "header_is_the_key": (
        "The header {name!r} is set by this client. Give the key as api_key.",
        "请求头 {name!r} 由本客户端设置，请用 api_key 给出密钥。",
    ),
    "header_is_given_twice": (
        "The header {name!r} is given twice.",
        "请求头 {name!r} 给了两次。",
    ),
    "model_of_a_server_is_no_name": (
        "The model of a server must be its name, as a string.",
        "服务器的模型必须是模型名称，即一个字符串。",
    ),
    "header_value_is_wrong": (
        "The value of the header {name!r} must be a string of plain ASCII characters, without line "
        "breaks.",
        "请求头 {name!r} 的值必须是纯 ASCII 字符串，不能有换行。",
    ),
    # proxies
    "proxy_is_wrong": (
        "The proxy {proxy} cannot be used. It looks like http://HOST:PORT or socks5://HOST:PORT; "
        "correct the environment variable (http_proxy, https_proxy or all_proxy), or exclude the "
        "server with no_proxy.",
        "代理 {proxy} 无法使用。它应形如 http://HOST:PORT 或 socks5://HOST:PORT。"
        "请改正环境变量（http_proxy、https_proxy 或 all_proxy），或用 no_proxy 排除该服务器。",
    ),
    # transport
    "socks_needs_a_package": (
        "The network's proxy speaks SOCKS, which needs one more package: "
        'python -m pip install "httpx[socks]".',
        '网络代理使用 SOCKS，需要再装一个包：python -m pip install "httpx[socks]"。',
    ),
    "certificates_are_unreadable": (
        "The certificates could not be read ({reason}). Check {name}, which is {path!r}.",
        "无法读取证书（{reason}）。请检查 {name}，它的值是 {path!r}。",
    ),
    # credentials
    "credentials_are_damaged": (
        "The credentials stored in {path} cannot be read: it is damaged. Set the key again with "
        "{%cbai login}, or delete that file.",
        "无法读取存储在 {path} 的凭据：文件已损坏。请用 {%cbai login} 重新设置密钥，或删除该文件。",
    ),
    "credentials_are_unreadable": (
        "The credentials stored in {path} cannot be read: {reason}. Set the key again with {%cbai login}, or "
        "delete that file.",
        "无法读取存储在 {path} 的凭据：{reason}。请用 {%cbai login} 重新设置密钥，或删除该文件。",
    ),
    "credentials_cannot_be_removed": (
        "{path} cannot be removed: {reason}.",
        "无法删除 {path}：{reason}。",
    ),
    "credentials_cannot_be_stored": (
        "The credentials cannot be stored: {reason}. Set CBAI_CONFIG_DIR to a directory of yours, or "
        "set CLOUDBASE_ENV_ID and CLOUDBASE_API_KEY in the environment.",
        "无法存储凭据：{reason}。请把 CBAI_CONFIG_DIR 设为自己的目录，"
        "或设置环境变量 CLOUDBASE_ENV_ID 和 CLOUDBASE_API_KEY。",
    ),
    "credentials_cannot_be_stored_in": (
        "The credentials cannot be stored in {path}: {reason}. Set CBAI_CONFIG_DIR to a directory of "
        "yours, or set CLOUDBASE_ENV_ID and CLOUDBASE_API_KEY in the environment.",
        "无法把凭据存储到 {path}：{reason}。请把 CBAI_CONFIG_DIR 设为自己的目录，"
        "或设置环境变量 CLOUDBASE_ENV_ID 和 CLOUDBASE_API_KEY。",
    ),
    "key_of_cloudbase_is_not_in_keyring": (
        "The API key was stored in the system keyring and cannot be read from it: {failure}. Set it "
        "again with {%cbai login}, or set CLOUDBASE_API_KEY in the environment.",
        "API 密钥存储在系统密钥环中，但无法读取：{failure}。请用 {%cbai login} 重新设置密钥，"
        "或设置环境变量 CLOUDBASE_API_KEY。",
    ),
    "key_of_server_is_not_in_keyring": (
        "The API key was stored in the system keyring and cannot be read from it: {failure}. Set it "
        "again with {%cbai login SERVER}.",
        "API 密钥存储在系统密钥环中，但无法读取：{failure}。请用 {%cbai login SERVER} 重新设置密钥。",
    ),
    "keyring_has_no_such_key": ("it is not there", "其中没有这个密钥"),
    "there_is_no_keyring": ("there is no keyring here", "这里没有密钥环"),
    "keyring_failed": ("it failed ({kind})", "密钥环出错（{kind}）"),
}
