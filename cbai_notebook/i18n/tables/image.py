"""Images: those that go to a model, and those that are drawn."""

from cbai_notebook.i18n.words import Placed, Table

WORDS: Table = {
    # formats: what bytes seem to be, as a part of a sentence
    "pdf": ("a PDF", "PDF 文件"),
    "bmp": ("a BMP image", "BMP 图片"),
    "tiff": ("a TIFF image", "TIFF 图片"),
    "icon": ("an icon", "图标文件"),
    "compressed": ("a compressed file", "压缩文件"),
    "zip": ("a ZIP file", "ZIP 文件"),
    "empty": ("empty", "空文件"),
    "svg": ("an SVG drawing", "SVG 图形"),
    "web_page": ("a web page", "网页"),
    "heic_or_video": ("a HEIC or AVIF image, or a video", "HEIC 或 AVIF 图片，或者视频"),
    "no_image": ("no image", "未知格式的文件"),
    # part
    "address_is_not_https": (
        "{address!r} is not sent: only https addresses are. Download the image and pass its path.",
        "{address!r} 不会发送：只接受 https 地址。请下载图片并传入它的路径。",
    ),
    "address_cannot_be_opened": (
        "{address!r} is no address that a model could open.",
        "{address!r} 不是模型能打开的地址。",
    ),
    "object_is_no_image": (
        "{kind} is no image. Pass a path, an https address, bytes, a PIL image, or a matplotlib figure "
        "such as df.plot() makes.",
        "{kind} 不是图片。请传入路径、https 地址、bytes、PIL 图片，"
        "或 df.plot() 生成的那种 matplotlib 图形。",
    ),
    "file_is_too_large": (
        "{path} is {size} MB; an image may have at most {largest} MB. Make it smaller first.",
        "{path} 有 {size} MB，而图片最大为 {largest} MB。请先缩小。",
    ),
    "file_is_unreadable": (
        "The image {path!r} cannot be read: {reason}.",
        "无法读取图片 {path!r}：{reason}。",
    ),
    "data_address_is_wrong": (
        "This data: address holds no base64 image. Pass the image's bytes or path.",
        "这个 data: 地址里没有 base64 图片。请传入图片的 bytes 或路径。",
    ),
    "file_has_another_format": (
        "{path} is {found}; PNG, JPEG, GIF and WebP images are taken. Save it as PNG first.",
        "{path} 的内容是：{found}。只接受 PNG、JPEG、GIF 和 WebP 图片，请先保存为 PNG。",
    ),
    "has_another_format": (
        "The image is {found}; PNG, JPEG, GIF and WebP images are taken. Save it as PNG first.",
        "图片的内容是：{found}。只接受 PNG、JPEG、GIF 和 WebP 图片，请先保存为 PNG。",
    ),
    "is_too_large": (
        "The image is {size} MB; at most {largest} MB are taken. Make it smaller first.",
        "图片有 {size} MB，最多接受 {largest} MB。请先缩小。",
    ),
    "scaling_needs_pillow": (
        "The image is {size} MB, and more than {largest} MB must be scaled, which needs Pillow: "
        'python -m pip install "cbai-notebook[images]". Or pass a smaller image.',
        "图片有 {size} MB，超过 {largest} MB 就必须缩放，这需要 Pillow："
        'python -m pip install "cbai-notebook[images]"。也可以传入较小的图片。',
    ),
    "has_too_many_pixels": (
        "The image has {width} × {height} pixels, which is too many. Make it smaller first.",
        "图片有 {width} × {height} 像素，太多了。请先缩小。",
    ),
    "is_damaged": (
        "The image is damaged and cannot be scaled: {reason}.",
        "图片已损坏，无法缩放：{reason}。",
    ),
    # image
    "was_not_downloaded": (
        "This image was not downloaded, so there is nothing to save.",
        "这张图片没有下载，所以没有可保存的内容。",
    ),
    "needs_another_suffix": (
        "This image is {mime}: save it as {name!r}.",
        "这张图片是 {mime}，请保存为 {name!r}。",
    ),
    "cannot_be_saved": (
        "The image cannot be saved as {path}: {reason}.",
        "无法把图片保存为 {path}：{reason}。",
    ),
    "description": ("Image", "图片"),
    # fetch
    "server_sent_a_number_of_images": (
        "The server sent {number} images. Check the prompt and the model, and try again.",
        "服务器发来 {number} 张图片。请检查提示词和模型后重试。",
    ),
    "server_sent_no_image": (
        "The server sent neither an image nor a link to one.",
        "服务器既没有发来图片，也没有发来图片的链接。",
    ),
    "server_sent_no_base64": (
        "The server sent an image that is no base64.",
        "服务器发来的图片不是 base64。",
    ),
    "server_sent_something_else": (
        "The server sent {found} where an image was expected.",
        "服务器发来的不是图片，而是：{found}。",
    ),
    "link_leads_to_something_else": (
        "What stands there is {found}, not an image.",
        "那里的内容不是图片，而是：{found}。",
    ),
    "link_leads_on": (
        "The link leads on to another address, which is not followed.",
        "链接转到了其他地址，没有跟随。",
    ),
    "link_has_expired": (
        "The link has expired or was never good.",
        "链接已过期，或从未有效。",
    ),
    "server_failed": (
        "The server of the image failed (HTTP {status}).",
        "图片所在的服务器出错（HTTP {status}）。",
    ),
    "link_is_not_safe": (
        "The server gave a link that is not safe to open.",
        "服务器给出的链接不安全，没有打开。",
    ),
    # model
    "needs_a_model": (
        "Which model of {provider!r} is to draw? Name one: {-m PROVIDER/MODEL}.",
        "要用 {provider!r} 的哪个模型绘图？请指定：{-m PROVIDER/MODEL}。",
    ),
    "prompt_is_empty": (
        "There is nothing to draw. Say what: prompt='A cat in the rain'.",
        "没有要画的内容。请写明：prompt='雨中的猫'。",
    ),
    "provider_draws_nothing": (
        "The provider {provider!r} draws no images. Take another: {--draw}.",
        "服务商 {provider!r} 不能绘图。请换一个：{--draw}。",
    ),
    "not_all_were_fetched": (
        "{drawn} drawn, but {lost} could not be fetched.",
        "已绘制 {drawn} 张，但有 {lost} 张无法下载。",
    ),
    "link_works_for_a_day": (
        Placed(
            cell="Its link works for a day: sys.last_value.answer.images[{index}].url.",
            python="Its link works for a day: error.answer.images[{index}].url.",
        ),
        Placed(
            cell="它的链接一天内有效：sys.last_value.answer.images[{index}].url。",
            python="它的链接一天内有效：error.answer.images[{index}].url。",
        ),
    ),
}
