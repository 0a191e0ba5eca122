"""Batches: a prompt for every row of a table."""

from cbai_notebook.i18n.words import Counted

WORDS = {
    "titled": ("{title}: {facts}", "{title}：{facts}"),
    "rows": (Counted("{done} of {rows} row", "{done} of {rows} rows"), "{done} / {rows} 行"),
    "rows_so_far": (Counted("{done} row", "{done} rows"), "{done} 行"),
    "failed": ("{count} failed", "{count} 行失败"),
    "known": ("{count} known", "{count} 行已有答案"),
    "missing": ("{count} without a value", "{count} 行缺少值"),
    "running": ("{count} at once", "并发 {count}"),
    "tokens": ("{count} tokens", "{count} 词元"),
    "left": ("{time} left", "约剩 {time}"),
    "seconds": ("{count} s", "{count} 秒"),
    "minutes": ("{count} min", "{count} 分钟"),
    "hours": ("{count} h", "{count} 小时"),
    "rows_without_a_name": ("rows", "各行"),
    "value_is_missing": ("Not sent: {name} has no value.", "未发送：{name} 没有值。"),
    "not_sent": ("Not sent.", "未发送。"),
    "row_raised": ("{error}: {reason}", "{error}：{reason}"),
    "all_alike": (
        "The last rows all failed in the same way: {reason}",
        "最近的各行都以同样的方式失败：{reason}",
    ),
    "all_equal": (
        "All {count} prompts are the same. Is a column missing in the template?",
        "全部 {count} 个提示词都相同。模板里是不是漏了某一列？",
    ),
    "nothing_sent": ("Nothing was sent: {problem}", "没有发送任何请求：{problem}"),
    "stopped": (
        "Stopped: {reason} {done} of {rows} rows are answered. Run this again to go on; they cost nothing "
        "then.",
        "已停止：{reason} {rows} 行中已有 {done} 行得到答案。再次运行即可继续，这些行不再收费。",
    ),
    "would_send": (
        Counted("{count} request for {rows} rows", "{count} requests for {rows} rows"),
        "{rows} 行，需发送 {count} 个请求",
    ),
    "about_tokens": ("about {count} tokens", "约 {count} 词元"),
    "about_cost": ("costs about {cost}", "费用约 {cost}"),
    "imported": (
        Counted(
            "{count} answer stored, {failed} failed", "{count} answers stored, {failed} failed"
        ),
        "已存储 {count} 个答案，{failed} 个失败",
    ),
    "file_not_written": ("{file} cannot be written: {reason}.", "无法写入 {file}：{reason}。"),
    "file_not_read": ("{file} cannot be read: {reason}.", "无法读取 {file}：{reason}。"),
    "no_answer_line": (
        "{place} is no answer of a batch that cbai.batch(…, to=…) has written. Nothing was stored.",
        "{place} 不是 cbai.batch(…, to=…) 所写批次的答案。没有存储任何内容。",
    ),
    "no_option_near": (
        "A batch has no option {name}. Did you mean {near}?",
        "批量运行没有选项 {name}。是不是想写 {near}？",
    ),
    "go_on": (
        Counted(
            "{done} of {rows} rows is answered. Run this again to go on; it costs nothing then.",
            "{done} of {rows} rows are answered. Run this again to go on; they cost nothing then.",
        ),
        "{rows} 行中已有 {done} 行得到答案。再次运行即可继续，这些行不再收费。",
    ),
    "send_failed": (
        Counted(
            "Run this again to send only the row that failed.",
            "Run this again to send only the {count} rows that failed.",
        ),
        "再次运行将只发送失败的 {count} 行。",
    ),
    "other_reasons": (
        Counted("{count} × for another reason", "{count} × for other reasons"),
        "{count} × 其他原因",
    ),
    "rows_so_far_in": ("{place} has the rows so far.", "{place} 中是目前的各行。"),
    "no_count": (
        "{name} takes a whole number from 1 on, not {value}.",
        "{name} 应为不小于 1 的整数，而不是 {value}。",
    ),
    "tool_asks": (
        "The tool {name} asks before each call (confirm=True). A batch has nobody to answer: give a tool "
        "that may always run.",
        "工具 {name} 每次调用前都要确认（confirm=True）。批量运行时无人应答，请改用可以直接运行的工具。",
    ),
    # More than one process
    "no_engine": (
        "An engine is a client of Dask, {example}, or an executor of concurrent.futures. It is of type "
        "{kind}.",
        "engine 应为 Dask 的客户端 {example}，或 concurrent.futures 的执行器，而不是 {kind}。",
    ),
    "client_is_asynchronous": (
        "The client of Dask is asynchronous. Give one that is not, {example}: it may be used with await "
        "too.",
        "这个 Dask 客户端是异步的。请改用同步客户端 {example}，它也可以与 await 一起使用。",
    ),
    "cannot_be_pickled": (
        "The workers cannot get the tools or the type of this batch: {reason}. Define them in a module "
        "that the workers can import.",
        "无法把本批次的工具或类型交给工作进程：{reason}。请在工作进程可以导入的模块中定义它们。",
    ),
    "struct_stays": (
        "The type {name} is a msgspec Struct of this notebook, which workers cannot get. Make it a "
        "dataclass, or define it in a module.",
        "类型 {name} 是本笔记本中定义的 msgspec Struct，无法交给工作进程。请改为 dataclass，或在模块中定义它。",
    ),
    "task_holds_a_secret": (
        "A tool or an option would carry the value of {names} to the workers. Let it read the value "
        "there, when it is called.",
        "某个工具或选项会把 {names} 的值带给工作进程。请让它在被调用时在那里读取该值。",
    ),
    "at_worker": ("Worker {worker}: {problem}", "工作进程 {worker}：{problem}"),
    "worker_has_no_key": (
        "There is no key for {address} here. Set the same address and its key in the environment of the "
        "workers, or send this process's key along: {example}.",
        "这里没有 {address} 的密钥。请在工作进程的环境中设置同一地址及其密钥，或随任务发送当前进程的密钥：{example}。",
    ),
    "worker_lacks_package": (
        "Worker {worker} has no cbai-notebook. Install the same version on all workers.",
        "工作进程 {worker} 没有安装 cbai-notebook。请在所有工作进程中安装相同的版本。",
    ),
    "versions_differ": (
        "Worker {worker} has Python {python} and cbai-notebook {version}; here they are {python_here} and "
        "{version_here}. Install the same on all workers.",
        "工作进程 {worker} 使用 Python {python} 和 cbai-notebook {version}，而这里是 {python_here} 和 "
        "{version_here}。请在所有工作进程中安装相同的版本。",
    ),
    "worker_fails": (
        "Worker {worker} cannot ask the rows: {reason}.",
        "工作进程 {worker} 无法发送请求：{reason}。",
    ),
    "worker_is_gone": ("Worker {worker} has ended.", "工作进程 {worker} 已结束。"),
    "worker_ended": (
        "The row was given to {n} workers, and each ended or failed before it was answered. {reason}",
        "这一行先后交给 {n} 个工作进程，每个都在得到答案之前结束或出错。{reason}",
    ),
    "no_workers": (
        "The cluster has no workers. Start some first: {example}.",
        "集群没有工作进程，请先启动：{example}。",
    ),
    "workers_are_gone": (
        "All workers of the cluster have ended.",
        "集群的所有工作进程都已结束。",
    ),
    "cluster_is_gone": (
        "The client of Dask is closed or has lost its cluster.",
        "Dask 客户端已关闭，或已与集群断开。",
    ),
    "executor_is_gone": (
        "The executor takes no more work: {reason}. Make a new one.",
        "执行器不再接受任务：{reason}。请新建一个执行器。",
    ),
    "demo_is_elsewhere": (
        "The demo model answers only in the process of the notebook. Use a cluster within it: "
        "LocalCluster(processes=False).",
        "演示模型只在笔记本所在的进程中回答。请使用同一进程内的集群：LocalCluster(processes=False)。",
    ),
}
