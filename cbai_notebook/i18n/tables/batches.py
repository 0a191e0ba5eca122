"""Batches that are stored, and ``%cbai batches``."""

from cbai_notebook.i18n.words import Counted, Table

WORDS: Table = {
    # commands/batches.py
    "none": ("No batch is stored.", "没有已存储的批处理。"),
    "earlier": (
        Counted(
            "{n} earlier batch is not shown; cbai.batches() returns all.",
            "{n:,} earlier batches are not shown; cbai.batches() returns all.",
        ),
        "另有 {n:,} 个更早的批处理未显示；cbai.batches() 返回全部。",
    ),
    "reason": ("Batch {number}: {reason}", "第 {number} 个批处理：{reason}"),
    "is_running": ("running", "进行中"),
    "is_complete": ("complete", "已完成"),
    "is_stopped": ("stopped", "已停止"),
    "is_interrupted": ("interrupted", "已中断"),
    "one_of_them": (
        "batch {number} of {frame!r} and its answers",
        "第 {number} 个批处理（{frame!r}）及其回答",
    ),
    "all_of_them": (
        Counted(
            "{n} batch and its answers",
            "{n:,} batches and their answers",
        ),
        "{n:,} 个批处理及其回答",
    ),
    "may_delete": (
        "Forget {what} for good? The same requests are paid for again then. [y/N]",
        "要永久删除{what}吗？之后相同的请求需要重新付费。[y/N]",
    ),
    # answer_store.py
    "kernel_ended": (
        "The kernel ended before the batch did.",
        "批处理尚未完成，内核就已结束。",
    ),
    "no_batch": (
        "There is no batch {number}. {%cbai batches} lists them.",
        "没有第 {number} 个批处理。{%cbai batches} 列出所有批处理。",
    ),
    "still_runs": (
        "Batch {number} still runs. Interrupt it, or wait until it ends, and delete then: nothing was "
        "deleted.",
        "第 {number} 个批处理仍在运行。请先中断它或等它结束，然后再删除；目前没有删除任何内容。",
    ),
}
