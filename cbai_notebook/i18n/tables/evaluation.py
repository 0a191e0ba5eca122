"""Evaluations: variants that are compared on the same cases."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # number_texts.py
    "points": (Counted("{count} point", "{count} points"), "{count} 个百分点"),
    # verdict.py
    "is_better": ("better (p {p})", "更好（p {p}）"),
    "is_worse": ("worse (p {p})", "更差（p {p}）"),
    "no_difference": ("no difference above ±{size}", "没有超过 ±{size}的差异"),
    "too_few": (
        "too few cases to tell: with {count}, even a difference of {visible} may be chance; about "
        "{needed} are needed",
        "用例太少，无法判断：只有 {count} 个用例时，即使 {visible}的差异也可能是偶然，约需 {needed} 个",
    ),
    "no_pairs": (
        "nothing to compare: no case has both values",
        "无法比较：没有同时具有两个值的用例",
    ),
    # preference.py
    "not_told_apart": (
        "the judge does not tell them apart",
        "评判模型分辨不出两者",
    ),
    "preferred": (
        "{share} of {decided}, {ties} ties ({flipped} flipped)",
        "{decided} 个中占 {share}，{ties} 个平局（{flipped} 随顺序改变）",
    ),
    # agreement.py
    "agreement": (
        Counted(
            "κ {kappa}, {share} agree ({n} case)",
            "κ {kappa}, {share} agree ({n:,} cases)",
        ),
        "κ {kappa}，{share} 一致（{n:,} 个用例）",
    ),
    "agreement_of_one_label": (
        "κ needs two labels: all {n:,} cases have the same",
        "κ 需要两种标签：全部 {n:,} 个用例的标签都相同",
    ),
    "no_labels": ("no case has both labels", "没有同时具有两个标签的用例"),
    # plot.py
    "interval_note": ("Dot: mean. Line: 95 % interval.", "点：平均值；线：95 % 置信区间。"),
    "baseline_row": ("{label} (baseline)", "{label}（基准）"),
}
