"""Secrets in what would be sent, by the place where they were found."""

from cbai_notebook.i18n.words import Placed, Table

WORDS: Table = {
    "in_before_send": (
        "Not sent: what before_send returned holds the value of {names}. Let it take that out, or send "
        "it on purpose with {--allow-secrets}.",
        "未发送：before_send 的返回内容中含有 {names} 的值。请让它去掉，或用 {--allow-secrets} 明确允许发送。",
    ),
    "in_prompt": (
        "Not sent: the prompt holds the value of {names}. Take it out, or send it on purpose with "
        "{--allow-secrets}.",
        "未发送：提示词中含有 {names} 的值。请去掉，或用 {--allow-secrets} 明确允许发送。",
    ),
    "in_system_prompt": (
        "Not sent: the system prompt holds the value of {names}. Set another one with {-s}, or send it on "
        "purpose with {--allow-secrets}.",
        "未发送：系统提示词中含有 {names} 的值。请用 {-s} 换一个，或用 {--allow-secrets} 明确允许发送。",
    ),
    "in_earlier_message": (
        Placed(
            cell="Not sent: an earlier message of this conversation holds the value of {names}. Leave "
            "it behind with --no-history or %cbai reset, or send it on purpose with {--allow-secrets}.",
            python="Not sent: an earlier message holds the value of {names}. Leave it out, or send it "
            "on purpose with {--allow-secrets}.",
            panel="Not sent: an earlier message of this conversation holds the value of {names}. Begin "
            "a new conversation with +, or send it on purpose with {--allow-secrets}.",
        ),
        Placed(
            cell="未发送：此对话较早的一条消息中含有 {names} 的值。请用 --no-history 或 %cbai reset 不带上它，"
            "或用 {--allow-secrets} 明确允许发送。",
            python="未发送：较早的一条消息中含有 {names} 的值。请去掉那条消息，或用 {--allow-secrets} 明确允许发送。",
            panel="未发送：此对话较早的一条消息中含有 {names} 的值。请点 + 开始新对话，"
            "或用 {--allow-secrets} 明确允许发送。",
        ),
    ),
    "in_tool": (
        "Not sent: the description of the tool {name} holds the value of {names}. Take it out, or send "
        "it on purpose with {--allow-secrets}.",
        "未发送：工具 {name} 的描述中含有 {names} 的值。请去掉，或用 {--allow-secrets} 明确允许发送。",
    ),
    "in_schema": (
        "Not sent: the schema of the answer holds the value of {names}. Take it out, or send it on "
        "purpose with {--allow-secrets}.",
        "未发送：回答的结构中含有 {names} 的值。请去掉，或用 {--allow-secrets} 明确允许发送。",
    ),
    "in_parameter": (
        "Not sent: the parameter {name} holds the value of {names}. Take it out, or send it on purpose "
        "with {--allow-secrets}.",
        "未发送：参数 {name} 中含有 {names} 的值。请去掉，或用 {--allow-secrets} 明确允许发送。",
    ),
}
