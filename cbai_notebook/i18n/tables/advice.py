"""What a server refused, and what to do."""

from cbai_notebook.i18n.words import Counted, Placed, Table

WORDS: Table = {
    # parts of sentences
    "model": ("model {name!r}", "模型 {name!r}"),
    "model_of_that_name": ("model of that name", "该名称的模型"),
    "provider": ("provider {name!r}", "服务商 {name!r}"),
    "provider_of_that_name": ("provider of that name", "该名称的服务商"),
    "this_address": ("this address", "此地址"),
    "check_parameters": (
        Placed(
            cell="Check the parameters of this request; {--dry-run} shows what is sent.",
            panel="Check the temperature in the settings, and ChatPanel(params=…).",
        ),
        Placed(
            cell="请检查此请求的参数；{--dry-run} 可显示要发送的内容。",
            panel="请检查设置中的温度，以及 ChatPanel(params=…)。",
        ),
    ),
    # error_codes: by the code of CloudBase
    "set_key_again": (
        "Set it again with {%cbai login}.",
        "请用 {%cbai login} 重新设置。",
    ),
    "model_is_not_set_up": (
        "The {model} is not set up in this environment. Set it up in the CloudBase console, under AI, "
        "or name another with {-m}.",
        "此环境中尚未配置{model}。请在 CloudBase 控制台的 AI 页面配置，或用 {-m} 指定其他模型。",
    ),
    "parameter_was_refused": (
        "A parameter was refused. {check}",
        "有一个参数被拒绝。{check}",
    ),
    "parameter_is_missing": (
        "A parameter is missing. {check}",
        "缺少一个参数。{check}",
    ),
    "key_is_missing": ("The request had no API key. {login}", "请求没有带 API 密钥。{login}"),
    "key_is_wrong": ("The API key is wrong. {login}", "API 密钥不正确。{login}"),
    "key_has_expired": ("The API key has expired. {login}", "API 密钥已过期。{login}"),
    "model_is_not_allowed": (
        "The {model} may not be used in this environment. Name another with {-m}, or enable it in the "
        "CloudBase console.",
        "此环境中不能使用{model}。请用 {-m} 指定其他模型，或在 CloudBase 控制台启用它。",
    ),
    "channel_is_not_allowed": (
        "The environment's plan does not allow calls over HTTP with an API key. Choose a plan that "
        "does in the CloudBase console, or ask the offline model with {-m local}.",
        "环境的套餐不允许用 API 密钥通过 HTTP 调用。请在 CloudBase 控制台选择支持的套餐，"
        "或使用离线模型：{-m local}。",
    ),
    "key_may_not_do_that": (
        "This API key may not do that. Check its rights in the CloudBase console.",
        "此 API 密钥没有这项权限。请在 CloudBase 控制台检查它的权限。",
    ),
    "model_is_not_there": (
        "There is no {model} at {address}. Check the spelling ({%cbai models}), or whether the "
        "environment has this model enabled.",
        "找不到{model}（{address}）。请检查拼写（{%cbai models}），或确认环境已启用该模型。",
    ),
    "quota_is_used_up": (
        "The token quota of this environment is used up; waiting does not help. Buy more in the "
        "CloudBase console, or ask the offline model with {-m local}.",
        "此环境的词元额度已用完，等待也没有用。请在 CloudBase 控制台购买，"
        "或使用离线模型：{-m local}。",
    ),
    "too_many_at_once": (
        "Too many requests at once for this environment. Wait until the others are done and try "
        "again.",
        "此环境同时进行的请求太多。请等其他请求完成后再试。",
    ),
    # error_codes: by the status
    "request_was_refused": (
        "The server refused the request. {check}",
        "服务器拒绝了请求。{check}",
    ),
    "request_was_refused_with_status": (
        "The server refused the request (HTTP {status}). {check}",
        "服务器拒绝了请求（HTTP {status}）。{check}",
    ),
    "key_was_refused": ("The API key was refused. {login}", "API 密钥被拒绝。{login}"),
    "environment_is_suspended": (
        "The environment is suspended, usually for an unpaid bill. Look at it in the CloudBase "
        "console.",
        "环境已停用，通常是因为欠费。请到 CloudBase 控制台查看。",
    ),
    "is_not_allowed": (
        "The server does not allow this. Check the key's rights and the environment's plan in the "
        "CloudBase console.",
        "服务器不允许此操作。请在 CloudBase 控制台检查密钥的权限和环境的套餐。",
    ),
    "provider_or_model_is_not_there": (
        "There is no {provider} or no {model} at {address}. Check the spelling ({%cbai models}), or "
        "whether the environment has this model enabled.",
        "找不到{provider}，或找不到{model}（{address}）。请检查拼写（{%cbai models}），"
        "或确认环境已启用该模型。",
    ),
    "a_proxy_wants_a_password": (
        "A proxy in between wants a user name and a password. Write them into the environment "
        "variable of the proxy, as in https_proxy=http://USER:PASSWORD@HOST:PORT.",
        "中间的代理需要用户名和密码。请写进代理的环境变量，例如 "
        "https_proxy=http://USER:PASSWORD@HOST:PORT。",
    ),
    "server_waited_too_long": (
        "The server waited too long for the request (HTTP 408). Try again in a moment.",
        "服务器等待请求的时间太长（HTTP 408）。请稍后重试。",
    ),
    "server_is_busy": (
        "The server is busy with something else here (HTTP 409). Try again in a moment.",
        "服务器正忙于处理其他操作（HTTP 409）。请稍后重试。",
    ),
    "request_is_too_long": (
        Placed(
            cell="The request is too long. Send less: %cbai reset drops the history; a large image can "
            "be made smaller.",
            python="The request is too long. Send fewer messages; a large image can be made smaller.",
            panel="The request is too long. Send less: + begins a new conversation; a large image can "
            "be made smaller.",
        ),
        Placed(
            cell="请求太长。请减少内容：%cbai reset 可清空历史记录；大图片可以缩小。",
            python="请求太长。请少发送几条消息；大图片可以缩小。",
            panel="请求太长。请减少内容：点 + 可开始新对话；大图片可以缩小。",
        ),
    ),
    "environment_is_isolated": (
        "The environment is isolated, or AI is turned off in it. Look at it in the CloudBase console.",
        "环境已被隔离，或其中的 AI 已关闭。请到 CloudBase 控制台查看。",
    ),
    "server_was_not_ready": (
        "The server was not ready for the request (HTTP 425). Try again in a moment.",
        "服务器还没有准备好处理请求（HTTP 425）。请稍后重试。",
    ),
    "too_many_requests": (
        "Too many requests for now. Wait a little and try again.",
        "目前请求太多。请稍等片刻再试。",
    ),
    "environment_is_blocked": (
        "The environment is blocked. Look at it in the CloudBase console.",
        "环境已被封禁。请到 CloudBase 控制台查看。",
    ),
    "server_failed": (
        "The server failed (HTTP {status}). Try again in a moment.",
        "服务器出错（HTTP {status}）。请稍后重试。",
    ),
    "server_reported_an_error": (
        "The server reported an error instead of answering. Try again in a moment.",
        "服务器没有回答，而是报告了错误。请稍后重试。",
    ),
    # error_codes: servers other than CloudBase
    "server_wants_to_be_paid": (
        "The server wants to be paid first. Check the balance of your account there.",
        "服务器要求先付费。请检查该服务的账户余额。",
    ),
    "key_is_not_allowed": (
        "The server does not allow this. Check what the API key may do there.",
        "服务器不允许此操作。请检查 API 密钥在该服务的权限。",
    ),
    "model_is_not_there_elsewhere": (
        "There is no {model} at {address}. Check the model's name ({%cbai models}) and the base URL.",
        "找不到{model}（{address}）。请检查模型名称（{%cbai models}）和 base URL。",
    ),
    "server_has_locked_this": (
        "The server has locked this. Check your account there.",
        "服务器已锁定此项。请检查该服务的账户。",
    ),
    "server_has_blocked_this": (
        "The server has blocked this. Check your account there.",
        "服务器已封禁此项。请检查该服务的账户。",
    ),
    "quota_is_used_up_elsewhere": (
        "The quota or the balance of your account is used up; waiting does not help. Check it where "
        "the API key comes from, or ask the offline model with {-m local}.",
        "账户的额度或余额已用完，等待也没有用。请到 API 密钥的来源处检查，"
        "或使用离线模型：{-m local}。",
    ),
    # error_codes: a prompt that is too long
    "prompt_is_too_long": (
        Placed(
            cell="This is longer than the {model} can read at once. Begin again with %cbai reset, send "
            "less of the past (cbai.configure(history_turns=…)), or shorten the prompt or its table "
            "(table_rows=…). A large {--max-tokens} counts too.",
            python="This is longer than the {model} can read at once. Send fewer messages, or shorten "
            "them. A large {--max-tokens} counts too.",
            panel="This is longer than the {model} can read at once. Begin a new conversation with +, "
            "send less of the past (cbai.configure(history_turns=…)), or shorten the prompt. A large "
            "{--max-tokens} counts too.",
        ),
        Placed(
            cell="内容太长，超出了{model}一次能读取的长度。可用 %cbai reset 重新开始，"
            "少发送一些历史记录（cbai.configure(history_turns=…)），"
            "或缩短提示词或其中的表格（table_rows=…）。较大的 {--max-tokens} 也会占用长度。",
            python="内容太长，超出了{model}一次能读取的长度。请少发送几条消息，或缩短它们。"
            "较大的 {--max-tokens} 也会占用长度。",
            panel="内容太长，超出了{model}一次能读取的长度。可点 + 开始新对话，少发送一些历史记录"
            "（cbai.configure(history_turns=…)），或缩短提示词。较大的 {--max-tokens} 也会占用长度。",
        ),
    ),
    # error_mapping: what the server sent
    "nothing_at_address": (
        "The server has nothing to answer with at {address}.",
        "服务器在 {address} 没有可用的服务。",
    ),
    "wait_seconds": (
        Counted("The server asks to wait 1 second.", "The server asks to wait {n:,} seconds."),
        "服务器要求等待 {n:,} 秒。",
    ),
    "wait_minutes": (
        Counted("The server asks to wait 1 minute.", "The server asks to wait {n:,} minutes."),
        "服务器要求等待 {n:,} 分钟。",
    ),
    "wait_hours": (
        Counted("The server asks to wait 1 hour.", "The server asks to wait {n:,} hours."),
        "服务器要求等待 {n:,} 小时。",
    ),
    "wait_days": (
        Counted("The server asks to wait 1 day.", "The server asks to wait {n:,} days."),
        "服务器要求等待 {n:,} 天。",
    ),
    "server_sent_a_page": (
        "(The server sent an HTML page, HTTP {status}.)",
        "（服务器发来一个 HTML 页面，HTTP {status}。）",
    ),
    "server_sent_a_page_titled": (
        "(The server sent an HTML page, HTTP {status}: “{quoted}”.)",
        "（服务器发来一个 HTML 页面，HTTP {status}：“{quoted}”。）",
    ),
    "server_said": ("The server said: “{quoted}”", "服务器的说明：“{quoted}”"),
    # address_advice
    "check_base_url": ("Check the base URL.", "请检查 base URL。"),
    "base_url_is_no_gateway": (
        "The base URL was asked as CloudBase's gateway. If it is a server of another kind, set "
        "CBAI_PROVIDER=custom, or write {-m custom}.",
        "base URL 被当作了 CloudBase 的网关。如果它是其他服务器，请设置 CBAI_PROVIDER=custom，"
        "或这样指定：{-m custom}。",
    ),
    "base_url_ends_with_an_endpoint": (
        "The base URL ends with an endpoint ({endpoint}); give only the part before it "
        "(base_url='{better}').",
        "base URL 的结尾是接口路径（{endpoint}），请只给出它之前的部分（base_url='{better}'）。",
    ),
    "base_url_has_no_version": (
        "The base URL has no version in it; most servers answer below /v1 (base_url='{better}').",
        "base URL 里没有版本号；多数服务器在 /v1 下提供服务（base_url='{better}'）。",
    ),
}
