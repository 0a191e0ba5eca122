"""Exported apps: the Mini Program and the web page."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # What users of the app see
    "label_title": ("AI chat", "AI 对话"),
    "label_clear": ("Clear", "清空"),
    "label_empty": ("What would you like to ask?", "想问点什么？"),
    "label_input": ("Write a message", "输入消息"),
    "label_message": ("Message", "消息"),
    "label_send": ("Send", "发送"),
    "label_thinking": ("Thinking…", "思考中…"),
    "label_incomplete": ("The answer is not complete.", "回答没有完成。"),
    "label_failed": ("The request failed.", "请求失败。"),
    "label_toast": ("Failed", "请求失败"),
    "label_retry": ("Try again", "重试"),
    "wechat_too_old": ("WeChat is too old", "微信版本过低"),
    "update_wechat": (
        "Update WeChat: it needs the base library {version} or newer.",
        "请升级微信，基础库需要 {version} 或以上版本。",
    ),
    # What those see who publish it
    "description": (
        "A chat with a CloudBase AI model. See README.md.",
        "与 CloudBase AI 模型的聊天，见 README.md。",
    ),
    "data": (
        "What was tried out in the notebook. This file holds no key, and needs none.",
        "在笔记本中试用过的内容。此文件不含密钥，也不需要密钥。",
    ),
    "library": (
        "It needs WeChat's base library {version} or newer.",
        "需要微信基础库 {version} 或以上版本。",
    ),
    "replaced_provider": (
        "The notebook asked {asked}, which an app cannot reach. Here the provider is {provider}: try the "
        "prompt again, another model may answer in another way.",
        "笔记本中的服务商是 {asked}，应用无法访问。这里改用 {provider}：请重新试用提示词，换了模型，回答可能不同。",
    ),
    "left_out": (
        "Left out, for it needs the notebook: {names}.",
        "已略去，因为需要笔记本：{names}。",
    ),
    "env_needed": (
        "Put the id of your CloudBase environment in the place of {placeholder}.",
        "请把 {placeholder} 替换为 CloudBase 环境的 ID。",
    ),
    "no_example": (
        "Turn {number} cannot be an example: there is no such turn with an answer. The turns are "
        "numbered from 0 to {last}.",
        "第 {number} 轮不能作为示例：没有这一轮，或它没有回答。各轮的编号为 0 到 {last}。",
    ),
    "about_page": (
        "A chat with the prompt that was tried out in a notebook, by the CloudBase Web SDK.",
        "用 CloudBase Web SDK 实现的聊天，使用在笔记本中试用过的提示词。",
    ),
    "safe_domain": (
        "In the CloudBase console (云开发控制台) add the domain of this page to the safe domains (安全域名); "
        "for a try on your machine serve it there (python -m http.server) and add localhost with its port.",
        "在云开发控制台中，把此网页的域名加入安全域名。要在本机试用，请在本机启动服务（python -m http.server），"
        "并添加带端口的 localhost。",
    ),
    "sign_in": (
        "Allow anonymous sign-in, or put the environment's Publishable Key into `publishableKey` below. "
        "A Publishable Key is made to be public. The API key of the notebook is not: never put it here.",
        "允许匿名登录，或在下面的 `publishableKey` 中填入环境的 Publishable Key。"
        "Publishable Key 可以公开；笔记本的 API 密钥不可以，切勿填在这里。",
    ),
}
