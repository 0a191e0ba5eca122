"""Batches that are stored, and ``%cbai batches``."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    # answer_store.py
    "kernel_ended": (
        "The kernel ended before the batch did.",
        "批处理尚未完成，内核就已结束。",
    ),
    "no_batch": (
        "There is no batch {number}. %cbai batches lists them.",
        "没有第 {number} 个批处理。%cbai batches 列出所有批处理。",
    ),
    "still_runs": (
        "Batch {number} still runs. Interrupt it, or wait until it ends, and delete then: nothing was "
        "deleted.",
        "第 {number} 个批处理仍在运行。请先中断它或等它结束，然后再删除；目前没有删除任何内容。",
    ),
}
