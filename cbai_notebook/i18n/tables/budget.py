"""What requests may use, in tokens and in money."""

WORDS = {
    "no_price": (
        "The price of {model} is not known, and there is a limit of the cost. Set it, for a million tokens "
        "sent and answered: cbai.configure({example}).",
        "设置了费用上限，但不知道 {model} 的价格。请设置每百万词元的价格（输入和输出）：cbai.configure({example})。",
    ),
    "session_tokens_used_up": (
        "This session has used {used} of {most} tokens, too many for another request. Nothing was sent. "
        "Raise the limit with cbai.configure(max_total_tokens=…), and run this again.",
        "本次会话已用 {used} 个词元，上限为 {most}，不够再发一个请求。没有发送任何内容。"
        "请用 cbai.configure(max_total_tokens=…) 提高上限，然后重新运行。",
    ),
    "session_cost_used_up": (
        "This session has cost {used} of {most}, too much for another request. Nothing was sent. "
        "Raise the limit with cbai.configure(max_cost=…), and run this again.",
        "本次会话已花费 {used}，上限为 {most}，不够再发一个请求。没有发送任何内容。"
        "请用 cbai.configure(max_cost=…) 提高上限，然后重新运行。",
    ),
    "batch_tokens_used_up": (
        "The rows have used {used} of {most} tokens, too many for another request.",
        "各行已用 {used} 个词元，上限为 {most}，不够再发一个请求。",
    ),
    "batch_cost_used_up": (
        "The rows have cost {used} of {most}, too much for another request.",
        "各行已花费 {used}，上限为 {most}，不够再发一个请求。",
    ),
    "used_of": ("{used} of {most} used", "已用 {used}，上限 {most}"),
    "max_total_tokens_is_wrong": (
        "max_total_tokens takes a whole number of tokens, 0 or more, not {value}.",
        "max_total_tokens 应为不小于 0 的整数，而不是 {value}。",
    ),
    "max_cost_is_wrong": (
        "max_cost takes a number, 0 or more, not {value}.",
        "max_cost 应为不小于 0 的数，而不是 {value}。",
    ),
    "prices_are_no_dict": (
        'prices takes a dict such as {{"hy3": (0.8, 2.0)}}, not {kind}.',
        'prices 应为形如 {{"hy3": (0.8, 2.0)}} 的字典，而不是 {kind}。',
    ),
    "price_is_wrong": (
        "The price of {model} is to be two numbers, for a million tokens sent and a million answered, "
        "such as (0.8, 2.0).",
        "{model} 的价格应为两个数：每百万输入词元和每百万输出词元的价格，例如 (0.8, 2.0)。",
    ),
}
