"""``cbai.evaluate``: what is wrong with its arguments, and the table of its result."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # evaluate.py
    "no_variants": (
        "Give the prompts by name, such as {example}.",
        "请按名称给出提示词，例如 {example}。",
    ),
    "no_models": (
        "There is no model in the list.",
        "列表中没有模型。",
    ),
    "no_checks": (
        "Give a check of the answers, such as {example} or a function of yours.",
        "请给出对回答的检查，例如 {example} 或您自己的函数。",
    ),
    "no_preference": (
        "The argument prefer is to be {example}.",
        "参数 prefer 应为 {example}。",
    ),
    "check_fails": (
        "The check {name} failed for every answer: {error}",
        "检查 {name} 对每个回答都出错：{error}",
    ),
    "stopped": ("{name}: {reason}", "{name}：{reason}"),
    "without_a_name": ("evaluation", "评测"),
    # answers.py
    "no_check": (
        "A check is a function of an answer and its row, and not a {kind}.",
        "检查应是一个接受回答和所在行的函数，而不是 {kind}。",
    ),
    "no_score": (
        "The check {name} returned {value}. It is to return True or False, or a number.",
        "检查 {name} 返回了 {value}。它应返回 True、False 或一个数字。",
    ),
    "no_variant": (
        "There is no variant {name}. The variants are {names}.",
        "没有名为 {name} 的变体。现有变体：{names}。",
    ),
    # checks.py
    "no_pattern": (
        "{pattern} is not a regular expression: {reason}",
        "{pattern} 不是正则表达式：{reason}",
    ),
    "no_scale": (
        "A scale is a whole number from 2 on, and not {value}.",
        "评分上限应为不小于 2 的整数，而不是 {value}。",
    ),
    # judging.py
    "not_judged": (
        Counted(
            "{name}: {count} of {every} verdicts is missing: {reason}",
            "{name}: {count} of {every} verdicts are missing: {reason}",
        ),
        "{name}：{every} 个评判中缺少 {count} 个：{reason}",
    ),
    "one_family": (
        "The judge {judge} is of one family with {model}, and judges tend to prefer their own family.",
        "评判模型 {judge} 与 {model} 属于同一系列，评判模型往往偏爱自己的系列。",
    ),
    # cases.py
    "no_cases": ("There are no cases to evaluate.", "没有可供评测的用例。"),
    "no_column": (
        "The cases have no column {name}, which {argument} needs. Their columns are {columns}.",
        "用例没有 {argument} 需要的列 {name}。现有列：{columns}。",
    ),
    # evaluation.py
    "same_variant": (
        "{name} cannot be compared with itself.",
        "{name} 不能与自身比较。",
    ),
    "no_such_check": (
        "There is no check {name}. The checks are {names}.",
        "没有名为 {name} 的检查。现有检查：{names}。",
    ),
    "no_judge": (
        "No judge has looked at the answers.",
        "没有评判模型看过这些回答。",
    ),
    "no_earlier": (
        "No earlier run of {name} is stored. Give the evaluation a name, or another variant to "
        "compare with.",
        "没有存储 {name} 的更早运行。请为评测命名，或指定另一个变体进行比较。",
    ),
    "is_worse": (
        Counted(
            "{name} scores less by {check}: {difference}. {broke} case got worse; ev.flips({name}) shows "
            "what broke.",
            "{name} scores less by {check}: {difference}. {broke} cases got worse; ev.flips({name}) shows "
            "what broke.",
        ),
        "按 {check}，{name} 得分更低：{difference}。{broke} 个用例变差；ev.flips({name}) 显示哪些用例出错。",
    ),
    "since": (
        "{name}, since the run of {when}: {broke}, {mended} mended. ev.flips() shows them.",
        "{name}，自 {when} 的运行以来：{broke}，{mended} 个变对。ev.flips() 显示这些用例。",
    ),
    "broke": (Counted("{count} case broke", "{count} cases broke"), "{count} 个用例变错"),
    "no_scores": (
        "No answer has a score by {check}.",
        "没有任何回答得到 {check} 的评分。",
    ),
    # best.py
    "no_app": (
        "{form} is no app. A prompt is shipped as {known}.",
        "{form} 不是应用形式。提示词可以导出为 {known}。",
    ),
    "not_one_place": (
        "An app fills in one value, and the prompt {name} is a function or has other places: {places}.",
        "应用只填入一个值，而提示词 {name} 是函数，或含有其他数量的位置：{places}。",
    ),
    # commands/evaluations.py
    "none_stored": (
        "No run of an evaluation is stored.",
        "没有已存储的评测运行。",
    ),
    "earlier_lines": (
        Counted(
            "{n} earlier line is not shown; cbai.evaluations() returns all.",
            "{n:,} earlier lines are not shown; cbai.evaluations() returns all.",
        ),
        "另有 {n:,} 行更早的记录未显示；cbai.evaluations() 返回全部。",
    ),
    # report.py
    "cases": (Counted("{count} case", "{count} cases"), "{count} 个用例"),
    "requests": (Counted("{count} request", "{count} requests"), "{count} 个请求"),
    "heading_against": ("vs {name}", "对比 {name}"),
    "judges": (Counted("{count} judge", "{count} judges"), "{count} 个评判模型"),
    "heading_prefer": ("prefer (both orders)", "偏好（两种顺序）"),
    "preference": ("{words}: {verdict}", "{words}：{verdict}"),
    "heading_errors": ("errors", "错误"),
    "of_fewer": (
        Counted("{estimate} of {count} case", "{estimate} of {count} cases"),
        "{estimate}（{count} 个用例）",
    ),
}
