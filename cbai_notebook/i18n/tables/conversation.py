"""Conversations: prompts that are prepared, replayed, continued and drawn."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # conversation.py
    "turn_gone": (
        "That turn is no longer in the conversation {name!r}.",
        "该轮已不在对话 {name!r} 中。",
    ),
    # prepare.py: hints about a prompt
    "past_not_seen": (
        "The model did not see the earlier turns and the system prompt of this conversation: they could "
        "not be read.",
        "模型没有看到此对话之前的各轮和系统提示词：无法读取。",
    ),
    "system_prompt_not_sent": (
        "The system prompt of this conversation was not sent: an agent has one of its own.",
        "没有发送此对话的系统提示词：智能体有自己的系统提示词。",
    ),
    "default_is_secret": (
        "The default of {parameter} in {tool} holds the value of {names}. The model is not told it.",
        "{tool} 中 {parameter} 的默认值含有 {names} 的值，没有告诉模型。",
    ),
    "usual_secret": ("{name} of the usual settings", "常用设置中的 {name}"),
    # replay.py: the end of a label
    "replayed": ("from the history, nothing was sent", "取自历史记录，未发送请求"),
    # ask_image.py: the text of a turn that drew
    "drew": (Counted("Drew an image.", "Drew {n:,} images."), "画了 {n:,} 张图片。"),
    "drew_with_prompts": (
        Counted("Drew an image: {prompts}", "Drew {n:,} images: {prompts}"),
        "画了 {n:,} 张图片：{prompts}",
    ),
    # continuation.py
    "nothing_to_continue": (
        "There is no answer to continue: the conversation {name!r} is empty.",
        "没有可以继续的回答：对话 {name!r} 是空的。",
    ),
    "still_arriving": (
        "The answer is still arriving, so there is nothing to continue yet.",
        "回答还在生成中，暂时不需要继续。",
    ),
    "is_a_picture": (
        "A picture cannot be continued. Draw it again.",
        "图片不能继续，请重新绘制。",
    ),
    "no_text_to_continue": (
        "There is no text to go on from. Ask the prompt again.",
        "没有可以接着写的文字，请重新提问。",
    ),
    "was_filtered": (
        "The answer was ended by a content filter, so there is nothing to continue. Put the prompt in "
        "other words.",
        "回答被内容过滤器终止，无法继续。请换一种方式提问。",
    ),
    "was_refused": (
        "The answer was refused by the model, so there is nothing to continue. Put the prompt in other "
        "words.",
        "模型拒绝了回答，无法继续。请换一种方式提问。",
    ),
    "is_complete": (
        "The answer is complete, so there is nothing to continue. Ask for more of it.",
        "回答已经完整，无需继续。想了解更多，请继续提问。",
    ),
}
