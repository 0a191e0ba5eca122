"""The names of secrets, and where a setting comes from. Small, because every prompt with a key needs it."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # secrets, as a part of a sentence
    "api_key": ("the API key", "API 密钥"),
    "api_key_of": ("the API key of {name!r}", "{name!r} 的 API 密钥"),
    "api_key_of_cloudbase": ("the API key of CloudBase", "CloudBase 的 API 密钥"),
    "a_key_of": ("a key of {name!r}", "{name!r} 的密钥"),
    "header_of": ("the header {header} of {name!r}", "{name!r} 的请求头 {header}"),
    # where a value comes from, in a table
    "from_argument": ("argument", "参数"),
    "from_environment": ("environment {variable}", "环境变量 {variable}"),
    "from_store": ("stored in {where}", "已存储：{where}"),
    "from_default": ("default", "默认"),
    # where a key is stored
    "keyring": ("the system keyring", "系统密钥环"),
}
