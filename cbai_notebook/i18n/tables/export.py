"""Exports: their forms, problems, headings and notes."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # export.py: the forms by their names: in a menu, and what they are
    "label_markdown": ("Markdown", "Markdown"),
    "label_messages": ("Messages (to import again)", "消息（可再次导入）"),
    "label_jsonl": ("JSON Lines (to fine-tune)", "JSON Lines（用于微调）"),
    "label_notebook": ("Notebook", "笔记本"),
    "label_curl": ("curl script", "curl 脚本"),
    "label_python": ("Python script", "Python 脚本"),
    "label_mini-program": ("WeChat Mini Program", "微信小程序"),
    "label_web": ("Web page", "网页"),
    "help_markdown": ("a document to read", "供阅读的文档"),
    "help_messages": (
        "every message with all that is known of it, one a line; can be imported again",
        "每行一条消息，包含全部信息，可再次导入",
    ),
    "help_jsonl": (
        "whole answers in the form that fine-tuning takes",
        "完整的回答，采用微调所需的格式",
    ),
    "help_notebook": ("a %%cbai cell for each prompt", "每个提示词一个 %%cbai 单元格"),
    "help_curl": ("the last request, for a shell", "最后一次请求，供 shell 运行"),
    "help_python": ("the last request, in plain Python", "最后一次请求，纯 Python 代码"),
    "help_mini-program": (
        "a folder for WeChat DevTools: a chat with this prompt, model and parameters",
        "微信开发者工具的文件夹：使用此提示词、模型和参数的聊天",
    ),
    "help_web": (
        "a page that does the same with the CloudBase Web SDK",
        "用 CloudBase Web SDK 实现相同功能的网页",
    ),
    # export.py, export_files.py, requests.py, escaping.py: problems
    "option_not_taken": (
        "{option} is for {forms}; {form} does not take it.",
        "{option} 只用于 {forms}，{form} 不支持。",
    ),
    "unknown_form": (
        "A conversation cannot be exported as {form!r}. The forms are {known}.",
        "对话不能导出为 {form!r}。可用的格式有 {known}。",
    ),
    "unknown_form_like": (
        "A conversation cannot be exported as {form!r}. Did you mean {near}? The forms are {known}.",
        "对话不能导出为 {form!r}。是否指 {near}？可用的格式有 {known}。",
    ),
    "no_conversation": (
        "There is no conversation to export yet.",
        "还没有可以导出的对话。",
    ),
    "empty_conversation": (
        "The conversation {name!r} is empty, so there is nothing to export yet. Ask something first.",
        "对话 {name!r} 是空的，还没有可以导出的内容。请先提问。",
    ),
    "not_written": (
        "{path} could not be written: {reason}. Choose another place.",
        "无法写入 {path}：{reason}。请换一个位置。",
    ),
    "exists": (
        "{path} is there already. Name another place, or allow it: {--force}.",
        "{path} 已存在。请换一个位置，或允许覆盖：{--force}。",
    ),
    "no_json_form": (
        "A parameter of this conversation has no JSON form: {reason}. Ask with plain numbers, "
        "strings, lists and dicts.",
        "此对话有一个参数无法表示为 JSON：{reason}。提问时请使用普通的数字、字符串、列表和 dict。",
    ),
    # markdown.py
    "system": ("System", "系统"),
    "you": ("You", "我"),
    "tool": ("Tool", "工具"),
    "answer": ("Answer", "回答"),
    "assistant": ("Assistant", "助手"),
    "model": ("Model {name}", "模型 {name}"),
    "calls": ("{name} calls {tool}", "{name} 调用 {tool}"),
    "no_system_prompt": ("none from here on", "从这里起没有系统提示词"),
    "images_along": (
        Counted("{n} image went along", "{n:,} images went along"),
        "附带 {n:,} 张图片",
    ),
    "note_asked": ("not asked yet", "尚未提问"),
    "note_streaming": ("still being answered", "正在回答"),
    "note_partial": ("incomplete", "不完整"),
    "note_cancelled": ("stopped", "已停止"),
    "note_failed": ("failed", "失败"),
    "note_cut": ("cut at the token limit", "达到词元上限，被截断"),
    "note_only_thinking": ("token limit reached while thinking", "思考时达到词元上限"),
    "note_filtered": ("ended by a content filter", "被内容过滤器终止"),
    "note_refused": ("refused by the model", "模型拒绝回答"),
    "note_out_of_steps": ("tool steps used up", "工具调用步数用完"),
    "note_and_error": ("{note}: {error}", "{note}：{error}"),
    "no_answer": ("no answer", "没有回答"),
    # notebook.py
    "not_in_next_prompt": (
        "Not in the next prompt: {parts}.",
        "下一个提示词不含：{parts}。",
    ),
    "parameter": ("the parameter {name}", "参数 {name}"),
    "images": (Counted("{n} image", "{n:,} images"), "{n:,} 张图片"),
    # requests.py, curl.py, python_script.py: scripts
    "curl_heading": (
        "The conversation {name}. Run it with: sh THIS-FILE",
        "对话 {name}。运行方式：sh THIS-FILE",
    ),
    "python_heading": (
        "The conversation {name}. Run it with: python THIS-FILE",
        "对话 {name}。运行方式：python THIS-FILE",
    ),
    "replaced_provider": (
        "This asked {provider}, which is only there in the notebook; CloudBase stands in for it.",
        "原本的服务商是 {provider}，只在笔记本中可用，这里改用 CloudBase。",
    ),
    "set_it": ("Set it to {meaning}.", "请设为 {meaning}。"),
    "set_variable": ("Set {variable} to {meaning}.", "请将 {variable} 设为 {meaning}。"),
    "cloudbase_key": (
        "the API key of your CloudBase environment",
        "CloudBase 环境的 API 密钥",
    ),
    "server_key": ("the API key of the server", "服务器的 API 密钥"),
    "cloudbase_env": ("the id of your CloudBase environment", "CloudBase 环境的 ID"),
    "server_address": (
        "the address of your server, up to its /v1",
        "服务器的地址（到 /v1 为止）",
    ),
    "header_value": ("the value of that header", "该请求头的值"),
    "no_redirect": (
        "The key is for one server; it follows no redirect to another.",
        "密钥只发给一个服务器，不跟随到其他服务器的重定向。",
    ),
    "sends_one": (
        "Send one request and print the answer as it comes.",
        "发送一次请求，并边接收边打印回答。",
    ),
    "no_connection": ("No connection: {reason}", "无法连接：{reason}"),
    "broken_off": ("The server broke off: {reason}", "服务器中断了回答：{reason}"),
}
