"""What is wrong with a request or with an answer."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # transport, stream_task, sse, chat_wire
    "answer_is_too_large": (
        "The answer is larger than {size} MB, so reading was stopped.",
        "回答超过 {size} MB，已停止读取。",
    ),
    "event_is_too_large": (
        "The server sent one event of more than {size} KB, so reading was stopped. Check that the "
        "base URL is a chat service.",
        "服务器发来一个超过 {size} KB 的事件，已停止读取。请检查 base URL 是否为对话服务。",
    ),
    "answer_is_no_json": (
        "The server sent something that is not JSON where an answer was expected. Check the base URL "
        "and the provider.",
        "服务器发来的不是 JSON，而这里应该是回答。请检查 base URL 和服务商。",
    ),
    "event_is_no_object": (
        "The server sent an event that is no JSON object. Check the base URL and the provider.",
        "服务器发来的事件不是 JSON 对象。请检查 base URL 和服务商。",
    ),
    # error_mapping
    "page_for_answer": (
        "The server at {host} sent an HTML page where an answer was expected.",
        "位于 {host} 的服务器发来一个 HTML 页面，而这里应该是回答。",
    ),
    "page_for_answer_titled": (
        "The server at {host} sent an HTML page (“{quoted}”) where an answer was expected.",
        "位于 {host} 的服务器发来一个 HTML 页面（“{quoted}”），而这里应该是回答。",
    ),
    "something_for_answer": (
        "The server at {host} sent something else where an answer was expected.",
        "位于 {host} 的服务器发来的内容不是回答。",
    ),
    "something_for_answer_quoted": (
        "The server at {host} sent something else (“{quoted}”) where an answer was expected.",
        "位于 {host} 的服务器发来的内容不是回答（“{quoted}”）。",
    ),
    "check_what_is_in_between": (
        "Check also whether a proxy or a login page is in between.",
        "也请检查中间是否有代理或登录页面。",
    ),
    "redirected": (
        "The server wants to send this request on to {host}. It was not followed, because the API key "
        "must not travel there. Set the base URL to the final address if you trust it.",
        "服务器想把请求转到 {host}。因为不能把 API 密钥带到那里，所以没有跟随。"
        "如果信任该地址，请把 base URL 设为最终地址。",
    ),
    "redirected_somewhere": (
        "The server wants to send this request on to another address. It was not followed, because "
        "the API key must not travel there. Set the base URL to the final address if you trust it.",
        "服务器想把请求转到其他地址。因为不能把 API 密钥带到那里，所以没有跟随。"
        "如果信任该地址，请把 base URL 设为最终地址。",
    ),
    "stream_was_cut_near_its_end": (
        "The connection ended before the answer was declared complete. The text looks complete "
        "({reason!r}), but check its end.",
        "连接在回答宣告完成之前就结束了。文本看起来是完整的（{reason!r}），但请检查结尾。",
    ),
    "stream_was_cut": (
        "The connection ended before the answer was declared complete. The text up to there is kept; "
        "it is not complete.",
        "连接在回答宣告完成之前就结束了。已收到的文本已保留，但不完整。",
    ),
    "stream_was_cut_at_once": (
        "The connection ended before the answer was declared complete. Nothing of the answer had "
        "arrived. Try again.",
        "连接在回答宣告完成之前就结束了，没有收到任何回答。请重试。",
    ),
    "stream_was_closed": (
        "The stream was closed before the answer was complete.",
        "流在回答完成之前就被关闭了。",
    ),
    # request
    "cannot_be_json": (
        "A parameter cannot be sent as JSON: {reason}. Use plain numbers, strings, lists and dicts.",
        "有一个参数无法以 JSON 发送：{reason}。请使用普通的数字、字符串、列表和字典。",
    ),
    "needs_a_model": (
        "Which model of {provider!r}? Name one: {-m PROVIDER/MODEL}, or cbai.configure(model='…').",
        "要用 {provider!r} 的哪个模型？请指定：{-m PROVIDER/MODEL}，或 cbai.configure(model='…')。",
    ),
    "messages_are_no_list": (
        "messages must be a list of dicts, as in "
        "messages=[{{'role': 'user', 'content': 'Introduce Li Bai'}}].",
        "messages 必须是字典的列表，例如 messages=[{{'role': 'user', 'content': '介绍一下李白'}}]。",
    ),
    # request_options, thinking
    "callback_is_no_function": (
        "{option} must be a function of one argument, not {value}.",
        "{option} 必须是只有一个参数的函数，不能是 {value}。",
    ),
    "max_steps_is_wrong": (
        "max_steps must be a whole number from 1 up, not {value}.",
        "max_steps 必须是大于等于 1 的整数，不能是 {value}。",
    ),
    "think_is_wrong": (
        "think must be True, False or None, not {value}.",
        "think 必须是 True、False 或 None，不能是 {value}。",
    ),
    # model
    "is_sent_as_it_is": (
        "A checked request is sent as it is: give nothing else beside it.",
        "已检查的请求会原样发送，请不要再给出其他内容。",
    ),
    "callbacks_need_a_stream": (
        "on_text, on_event and on_finish are called by a stream: use stream_text.",
        "on_text、on_event 和 on_finish 由流式请求调用，请使用 stream_text。",
    ),
    "data_is_no_dict": (
        "data must be a dict with 'model' and 'messages', not {kind}.",
        "data 必须是含有 'model' 和 'messages' 的字典，不能是 {kind}。",
    ),
    "schema_holds_a_secret": (
        "Not sent: the schema of the answer holds the value of {names}. Take it out.",
        "未发送：回答的结构 (schema) 里含有 {names} 的值。请把它去掉。",
    ),
    # before_send
    "before_send_refused": (
        "Not sent: before_send refused it: {reason}",
        "未发送：before_send 拒绝了：{reason}",
    ),
    "before_send_returned_no_messages": (
        "Not sent: before_send returned {kind}. It must return the list of messages, each a dict.",
        "未发送：before_send 返回了 {kind}。它必须返回消息列表，每条消息是一个字典。",
    ),
    "before_send_returned_no_text": (
        "Not sent: a picture is drawn from one text. before_send must return one message with a "
        "string as its content.",
        "未发送：绘图只用一段文本。before_send 必须返回一条消息，其 content 是字符串。",
    ),
    "before_send_returned_no_pair": (
        "Not sent: feedback has a question and an answer. before_send must return both messages, each "
        "with a string as its content.",
        "未发送：反馈包含一个问题和一个回答。before_send 必须返回这两条消息，"
        "每条的 content 都是字符串。",
    ),
    "before_send_dropped_the_message": (
        "Not sent: the last message for an agent is the user's. before_send must keep it, with a "
        "string as its content.",
        "未发送：发给智能体的最后一条消息是用户的消息。before_send 必须保留它，"
        "其 content 是字符串。",
    ),
    # answer
    "secret_was_masked": (
        "What {tool} returned held the value of {names}. It was masked, so the model has not seen it.",
        "{tool} 返回的内容里含有 {names} 的值。它已被遮盖，模型没有看到。",
    ),
    "end_mark_is_missing": (
        "The service ended the stream without its end mark. The answer looks complete, but check its "
        "end.",
        "服务结束流时没有发送结束标记。回答看起来是完整的，但请检查结尾。",
    ),
    "half_character": (
        "The prompt held half of a character (a lone surrogate); it was sent as the replacement "
        "character \ufffd.",
        "提示词里有半个字符（单独的代理码元），已作为替换字符 \ufffd 发送。",
    ),
}
