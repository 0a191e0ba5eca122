"""The agents of CloudBase."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # the name of an agent under its answer
    "label": ("agent {agent_id}", "智能体 {agent_id}"),
    # agents/requests
    "message_is_empty": (
        "The message is empty. Say something: agent.send_message('…').",
        "消息是空的。请写点内容：agent.send_message('…')。",
    ),
    "history_is_wrong": (
        "history must be a list of dicts with 'role' and 'content', as in "
        "history=[{{'role': 'user', 'content': 'Hello'}}].",
        "history 必须是含有 'role' 和 'content' 的字典的列表，例如 "
        "history=[{{'role': 'user', 'content': '你好'}}]。",
    ),
    "id_of_agent_is_wrong": (
        "{name} cannot be the id of an agent: letters, digits, '-', '_', '.' and ':' only.",
        "{name} 不能是智能体的 ID，只能包含字母、数字、'-'、'_'、'.' 和 ':'。",
    ),
    "id_of_conversation_is_wrong": (
        "{name} cannot be the id of a conversation: letters, digits, '-', '_', '.' and ':' only.",
        "{name} 不能是对话的 ID，只能包含字母、数字、'-'、'_'、'.' 和 ':'。",
    ),
    "no_agents_here": (
        "There are no agents at this address. Check the environment id or the base URL.",
        "此地址没有智能体。请检查环境 ID 或 base URL。",
    ),
    "no_such_agent": (
        "There is no agent {agent_id!r} in this environment. await cbai.agent().list() shows the "
        "agents.",
        "此环境中没有智能体 {agent_id!r}。await cbai.agent().list() 可列出智能体。",
    ),
    "no_such_agent_or_path": (
        "There is no agent {agent_id!r} in this environment, or it has no {path}. "
        "await cbai.agent().list() shows the agents.",
        "此环境中没有智能体 {agent_id!r}，或它没有 {path}。"
        "await cbai.agent().list() 可列出智能体。",
    ),
    # agents/provider
    "needs_a_name_in_a_prompt": (
        "Which agent? Name one: {--agent}. await cbai.agent().list() shows the environment's.",
        "要用哪个智能体？请指定：{--agent}。await cbai.agent().list() 可列出环境中的智能体。",
    ),
    "does_not_take": (
        "An agent takes no {name!r}: it answers as it is set up in the CloudBase console. Leave it "
        "out; {-P search}, {-P files} and {-P conversation_id} are what it takes.",
        "智能体没有参数 {name!r}：它按 CloudBase 控制台中的配置回答。请去掉它；"
        "可用的参数有 {-P search}、{-P files} 和 {-P conversation_id}。",
    ),
    "last_message_is_not_the_users": (
        "The last of the messages is not the user's, so there is nothing to say.",
        "最后一条消息不是用户的，所以没有可发送的内容。",
    ),
    "takes_images_by_address": (
        "An agent takes an image by its https address only. Put the image where the agent can open "
        "it, or ask a model that sees.",
        "智能体只接受以 https 地址给出的图片。请把图片放到智能体能打开的地方，"
        "或换用能识别图片的模型。",
    ),
    # agents/agent
    "needs_a_name": (
        "Which agent? Name one: cbai.agent('bot-…'). await cbai.agent().list() shows the "
        "environment's.",
        "要用哪个智能体？请指定：cbai.agent('bot-…')。"
        "await cbai.agent().list() 可列出环境中的智能体。",
    ),
    "page_is_wrong": (
        "page and size begin at 1, not at {number}.",
        "page 和 size 从 1 开始，不能是 {number}。",
    ),
    "feedback_is_wrong": (
        "Feedback is 'up' or 'down', not {value}.",
        "反馈只能是 'up' 或 'down'，不能是 {value}。",
    ),
}
