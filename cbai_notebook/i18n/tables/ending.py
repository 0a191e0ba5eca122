"""How an answer ended when it did not simply end."""

from cbai_notebook.i18n.words import Placed, Table

WORDS: Table = {
    # what happened, as a mark of a few words
    "is_cut": ("cut at the token limit", "达到词元上限，被截断"),
    "is_only_thinking": ("token limit reached while thinking", "思考时达到词元上限"),
    "is_filtered": ("ended by a content filter", "被内容过滤器终止"),
    "is_refused": ("refused by the model", "模型拒绝回答"),
    "is_out_of_steps": ("tool steps used up", "工具调用步数用完"),
    # what happened and what to do next
    "cut": (
        "The answer was cut at the token limit. {--max-tokens} allows more.",
        "回答达到词元上限，被截断。可用 {--max-tokens} 提高上限。",
    ),
    "only_thinking": (
        Placed(
            cell="The answer is empty: the model spent all its tokens on thinking. {--max-tokens} allows "
            "more, {--no-think} asks without thinking.",
            panel="The answer is empty: only reasoning came. {--max-tokens} allows more, and then there "
            "may be room for an answer.",
        ),
        Placed(
            cell="回答是空的：模型的词元全部用于思考。{--max-tokens} 可提高上限，{--no-think} 则不思考直接回答。",
            panel="回答是空的：模型只输出了思考过程。可用 {--max-tokens} 提高上限，或许会有回答。",
        ),
    ),
    "filtered": (
        "A content filter ended the answer here. Put the prompt in other words, or ask another model "
        "with {-m}.",
        "内容过滤器在此处终止了回答。请换一种说法，或用 {-m} 换一个模型。",
    ),
    "refused": (
        "These words are the model's refusal. Put the prompt in other words, or ask another model "
        "with {-m}.",
        "以上是模型的拒绝回复。请换一种说法，或用 {-m} 换一个模型。",
    ),
    "out_of_steps": (
        Placed(
            cell="The model still wanted to call tools after {steps} steps. Ask it to go on, or allow "
            "more with {--max-steps}.",
            python="The model still wanted to call tools after {steps} steps. Send answer.messages "
            "again to go on, or allow more with {--max-steps}.",
            panel="The model still wanted to call tools. Ask it to go on, or allow more with "
            "{--max-steps}.",
        ),
        Placed(
            cell="模型在 {steps} 步之后还想调用工具。可以让它继续，或用 {--max-steps} 增加步数。",
            python="模型在 {steps} 步之后还想调用工具。可再次发送 answer.messages 让它继续，"
            "或用 {--max-steps} 增加步数。",
            panel="模型还想继续调用工具。可以让它继续，或用 {--max-steps} 增加步数。",
        ),
    ),
}
