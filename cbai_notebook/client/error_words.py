"""What the words of an error mean, where neither its status nor its code says it.

The words are those of many servers, in English and in Chinese.
"""

from __future__ import annotations

import re

_WORDS = re.IGNORECASE | re.DOTALL

# Limits on how much in which time, or for how much money: not a prompt that is too long.
_ABOUT_RATE = re.compile(
    r"\bper[ -]?(?:second|minute|min|hour|day|week|month)\b|\b[tr]p[smhd]\b|\bqps\b|rate.?limit|"
    r"too many requests|quota|billing|balance|credit|每(?:秒|分钟|小时|天|日|月)|频率|速率|限流|限速|"
    r"配额|额度|余额|并发|欠费",
    _WORDS,
)
_TOO_LONG_CODE = re.compile(
    r"context.?(?:length|size|window|limit)|(?:prompt|input|request|message|context)s?.?too.?"
    r"(?:long|large)|tokens?.?limit.?(?:reached|exceeded)|string.?above.?max.?length",
    _WORDS,
)
_SIZE = (
    r"(?:context[ _-]?(?:length|size|window|limit)|\bn_?ctx\b|max_(?:seq|model|input|prompt)_len\w*|"
    r"max(?:imum)? (?:model |sequence |prompt |input |message )+(?:length|len|tokens?|size))"
)
_TOO_MUCH = r"(?:exceed|longer|larger|greater|too (?:long|large|big|many)|reduce|shorten|overflow|beyond|out of|but (?:the|your) request|however|only|less than|at most|<=)"
_PROMPT = r"\b(?:prompts?|inputs?|messages?|conversation|context|query|texts?|contents?|history|tokens?|request)\b"
# Up to four words between two others. No character fits both a word and what separates words, so there
# is one way to read a text.
_WORDS_BETWEEN = (
    r"[\w.()'`]*(?:[^\w.()'`]+(?!to+k\b|taking\b|takes\b)[\w.()'`]+){0,4}?[^\w.()'`]+[.()'`]*"
)
_NAMES_BETWEEN = r"[\w./:@-]*(?:[^\w./:@-]+[\w./:@-]+){0,4}?[^\w./:@-]+"
_TOO_LONG = re.compile(
    rf"{_SIZE}.{{0,200}}?{_TOO_MUCH}|{_TOO_MUCH}.{{0,120}}?{_SIZE}"
    rf"|{_PROMPT}{_WORDS_BETWEEN}too (?:long|many tokens)\b"
    r"|too many (?:input |prompt |total |context )*tokens"
    r"|(?:input|prompt|total|requested|request|message|of)s?\W*(?:\(?\d+\)?\W*)?[_ ]?tokens?\b.{0,80}?"
    r"(?:exceed|longer|greater|larger|more than|less than|<=|at most|over the)"
    r"|exceed\w*\W.{0,60}?(?:token limit|(?:input|prompt|context|model|message)s? tokens?|number of tokens|"
    r"max(?:imum)? (?:input|prompt|context|message|number of tokens))"
    r"|\binput length\b|max(?:imum)? input (?:characters|tokens)|tokens in (?:the |your )?(?:request|prompt|input)"
    r"|(?:inputs?|request|prompt)\W+(?:must have|has|have|contains?)\W.{0,20}?\d+ tokens"
    r"|reduce (?:the (?:length|size)|your (?:prompt|input|messages?))|shorten (?:the|your) (?:prompt|input|messages?)"
    r"|(?:输入|提示词?|prompt|上下文|消息|文本|对话|内容|token)[^。；]{0,20}?(?:超长|过长|太长|超出|超过|超限)"
    r"|超(?:出|过|长)[^。；]{0,20}?(?:上下文|最大长度|最大输入|长度限制|tokens?)|上下文长度",
    _WORDS,
)
# The limit of another parameter, or of something that is not text.
_ABOUT_SOMETHING_ELSE = re.compile(
    r"^\W*(?:invalid )?\W*max_(?:completion_|output_|new_)?tokens\W+(?:is|must|should|value|cannot|can't)\b"
    r"|\b(?:took|taking|takes) too long\b|超时",
    _WORDS,
)
# A reason stands at the beginning; the rest may be the prompt, which some servers repeat.
_MOST_READ = 4_000
# These statuses say something else than a prompt that is too long.
_OTHER_STATUSES = frozenset({401, 402, 403, 404, 405, 407, 408, 409, 425, 429, 503, 504})

# The first match decides: the name of a gateway's code, or an HTTP status.
_MEANINGS: tuple[tuple[re.Pattern[str], str | int], ...] = tuple(
    (re.compile(words, _WORDS), meaning)
    for words, meaning in (
        (
            r"insufficient.?(?:balance|quota|fund|credit)|(?:balance|credit)s?\W.{0,20}?(?:insufficient|too low|"
            r"not enough|exhausted|depleted)|arrear|overdue|余额不足|欠费",
            "EXCEED_TOKEN_QUOTA_LIMIT",
        ),
        (
            r"unexpected endpoint|cannot (?:post|get) /|page not found|no (?:such |matching )?route|"
            r"unknown (?:endpoint|url|path)",
            404,
        ),
        (
            rf"\bmodel\b{_NAMES_BETWEEN}(?:not (?:be )?(?:found|exist)|does(?:n't| not) exist)|"
            r"(?:no such|unknown) model\b|invalid model(?:\W*$|\W+(?:name|id)\b|\s*[:'\"`])|模型(?:不存在|未找到)",
            "AI_MODEL_NOT_FOUND",
        ),
        (
            r"(?:invalid|incorrect|wrong|missing|expired|no)\W(?:\w+\W)?(?:api|secret|access).?(?:key|token)|"
            r"(?:api|secret|access).?(?:key|token)\W(?:\w+\W)?(?:invalid|incorrect|wrong|missing|expired|not valid)|"
            r"unauthori[sz]ed|authenticat\w+.(?:fail|error)|login fail|鉴权|认证失败|未授权|密钥(?:错误|无效)",
            401,
        ),
        (
            r"rate.?limit|too many requests|\bqps\b|限流|限速|频率|并发|请求过(?:多|于频繁)",
            429,
        ),
        (r"invalid.?(?:param|request|argument|input)|bad request|参数(?:错误|无效|不合法)", 400),
    )
)
# Where the status is as precise as the words could be, it counts.
_UNCLEAR: dict[str | int, frozenset[int]] = {
    "EXCEED_TOKEN_QUOTA_LIMIT": frozenset({200, 400, 403, 429}),
    "AI_MODEL_NOT_FOUND": frozenset({200, 400, 422}),
}
_IN_200 = frozenset({200})


def is_too_long(status: int, code: str, message: str) -> bool:
    """Return whether an error says that the prompt is longer than the model can read.

    Args:
        status: The HTTP status of the response.
        code: The error code; may be empty.
        message: The server's words.
    """
    message = message[:_MOST_READ]
    if status in _OTHER_STATUSES or _ABOUT_RATE.search(f"{code} {message}"):
        return False
    if _TOO_LONG_CODE.search(code):
        return True
    return _ABOUT_SOMETHING_ELSE.search(message) is None and _TOO_LONG.search(message) is not None


def meaning(status: int, words: str) -> str | int | None:
    """Return the gateway's code or the HTTP status that fits the words; None if they say nothing.

    Args:
        status: The HTTP status of the response; where it is precise, the result is None.
        words: The error code and the server's words.
    """
    words = words[:_MOST_READ]
    for pattern, meant in _MEANINGS:
        if status in _UNCLEAR.get(meant, _IN_200) and pattern.search(words):
            return meant
    return None
